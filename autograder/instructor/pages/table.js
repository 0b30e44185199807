"use strict";
const table = document.querySelector("#students table"), body = table.tBodies[0], rows = [...body.rows];
const find = document.querySelector(".find"), input = find.querySelector("input"), told = find.querySelector("output");
const words = rows.map((row) => row.textContent.toLowerCase());
const value = (row, column) => { const cell = row.cells[column]; return cell.dataset.v ?? cell.textContent; };
function filter() {
  const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  rows.forEach((row, i) => { row.hidden = !wanted.every((word) => words[i].includes(word)); shown += !row.hidden; });
  told.textContent = `${shown} of ${rows.length}`;
}
function sort(header, column) {
  const down = header.getAttribute("aria-sort") === "ascending", number = header.classList.contains("n");
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
  const keyed = rows.map((row, i) => ({ row, key: value(row, column), word: words[i], i }));
  const compare = number ? (a, b) => (a.key === "" ? -1 : +a.key) - (b.key === "" ? -1 : +b.key) : (a, b) => a.key.localeCompare(b.key);
  keyed.sort((a, b) => (down ? -compare(a, b) : compare(a, b)) || a.i - b.i);
  keyed.forEach((one, i) => { rows[i] = one.row; words[i] = one.word; });
  body.append(...rows);
}
[...table.tHead.rows[0].cells].forEach((header, column) => {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...header.childNodes);
  button.addEventListener("click", () => sort(header, column));
  header.append(button);
});
input.addEventListener("input", filter);
find.hidden = false;
filter();
