"use strict";
const table = document.querySelector("#students table"), body = table.tBodies[0], more = document.querySelector("#students template");
const rows = [...body.rows, ...(more ? more.content.querySelectorAll("tr") : [])], most = more ? body.rows.length : rows.length;
const find = document.querySelector(".sift"), input = find.querySelector("input"), told = find.querySelector("output"), all = find.querySelector("button");
const pages = document.querySelector(".pages"), place = pages.querySelector("output"), [previous, next] = pages.querySelectorAll("button");
const words = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
const value = (row, column) => { const cell = row.cells[column]; return cell.dataset.v ?? cell.textContent; };
const made = (row) => (row.cells[row.cells.length - 1].dataset.made ?? "").split(",");
let found = rows, page = 0, mistake = null;
function show(wanted) {
  const last = Math.max(0, Math.ceil(found.length / most) - 1);
  page = Math.min(Math.max(wanted, 0), last);
  body.replaceChildren(...found.slice(page * most, (page + 1) * most));
  pages.hidden = !last;
  place.textContent = `page ${page + 1} of ${last + 1}`;
  previous.disabled = page === 0;
  next.disabled = page === last;
}
function filter() {
  const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  found = rows.filter((row) => (!mistake || made(row).includes(mistake.dataset.made)) && wanted.every((word) => words.get(row).includes(word)));
  all.hidden = !mistake;
  told.textContent = `${found.length} of ${rows.length}${mistake ? ` made this: ${mistake.ariaLabel.replace(/.*?: /, "")}` : ""}`;
  show(0);
}
function sort(header, column) {
  const down = header.getAttribute("aria-sort") === "ascending", number = header.classList.contains("n");
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
  const keyed = rows.map((row, i) => ({ row, key: value(row, column), i }));
  const compare = number ? (a, b) => (a.key === "" ? -1 : +a.key) - (b.key === "" ? -1 : +b.key) : (a, b) => a.key.localeCompare(b.key);
  keyed.sort((a, b) => (down ? -compare(a, b) : compare(a, b)) || a.i - b.i);
  keyed.forEach((one, i) => { rows[i] = one.row; });
  filter();
}
[...table.tHead.rows[0].cells].forEach((header, column) => {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...header.childNodes);
  button.addEventListener("click", () => sort(header, column));
  header.append(button);
});
for (const link of document.querySelectorAll("a[data-made]")) {
  link.addEventListener("click", () => { mistake = link; input.value = ""; filter(); });
}
all.addEventListener("click", () => { mistake = null; filter(); input.focus(); });
input.addEventListener("input", filter);
previous.addEventListener("click", () => show(page - 1));
next.addEventListener("click", () => show(page + 1));
find.hidden = false;
filter();
