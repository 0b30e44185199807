// The terminal's keys on the page, and answers without leaving it.

const place = document.getElementById("card");
let since = performance.now();

function ready() {
  since = performance.now();
  const summary = place.querySelector("summary");
  summary?.focus({ preventScroll: true });
  place.querySelector("details.answer")?.addEventListener("toggle", ({ target }) => {
    if (target.open) target.querySelector('[value="3"]').focus({ preventScroll: true });
  });
}

place.addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = new FormData(event.target, event.submitter);
  if (fields.has("took")) fields.set("took", String(Math.round(performance.now() - since)));
  const opened = fields.get("do") === "flag" && place.querySelector("details.answer")?.open;
  try {
    const answer = await fetch("cards.html", { method: "POST", body: new URLSearchParams(fields), headers: { "X-Part": "card" } });
    if (!answer.ok) throw new Error(answer.statusText);
    place.innerHTML = await answer.text();
  } catch {
    place.querySelector(".told").textContent = "The site does not answer. Look whether course serve still runs.";
    return;
  }
  if (opened) place.querySelector("details.answer").open = true;
  ready();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  const answer = place.querySelector("details.answer");
  const on = event.target.closest("button, a, summary");
  const press = (value) => { event.preventDefault(); place.querySelector(`[name="do"][value="${value}"]`)?.click(); };
  if (event.key === "u") press("undo");
  else if (event.key === "f" && answer) press("flag");
  else if (answer?.open && "1234".includes(event.key) && event.key.length === 1) press(event.key);
  else if (event.key === " " && answer && (!on || on.value === "3" || on.tagName === "SUMMARY")) {
    event.preventDefault();
    if (answer.open) press("3"); else answer.open = true;
  }
});

ready();
