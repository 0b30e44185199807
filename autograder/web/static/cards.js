// The terminal's keys on the page, and answers without leaving it. A control that a key presses names it in `aria-keyshortcuts`.
// On a site without a server `deck.js` answers. This is no module, because a page that is opened as a file loads none.
(() => {
const place = document.getElementById("card");
const help = document.getElementById("keys");
const on = document.getElementById("keys-on");
let since = performance.now();

const answer = () => place.querySelector("details.answer");
const told = (words) => { place.querySelector(".told").textContent = words; };

function ready() {
  place.querySelector("summary, h2").focus({ preventScroll: true });
  const own = answer(); // what it says may come when the card is gone
  own?.addEventListener("toggle", () => { if (own.open) own.querySelector('[value="3"]').focus({ preventScroll: true }); });
}

async function sent(fields) {
  const said = await fetch(`cards.html${location.search}`, { method: "POST", body: new URLSearchParams(fields), headers: { "X-Part": "card" } });
  if (!said.ok) throw new Error(said.statusText);
  return said.text();
}

place.addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = new FormData(event.target, event.submitter);
  if (fields.has("took")) fields.set("took", String(Math.round(performance.now() - since)));
  const stays = fields.get("do") === "flag";
  const opened = stays && answer()?.open;
  try {
    if (window.deck) place.replaceChildren(window.deck.answered(fields));
    else place.innerHTML = await sent(fields);
  } catch {
    told("The site does not answer. Look whether course serve still runs.");
    return;
  }
  if (!stays) since = performance.now();
  ready();
  if (opened) answer().open = true;
});

place.addEventListener("click", ({ target }) => {
  if (target.closest("[data-help]")) help.showModal();
  if (target.closest("[data-figure]")) {
    const shown = [...place.querySelectorAll("img")].find((one) => getComputedStyle(one).display !== "none");
    open(shown.src, "_blank", "noopener");
  }
});

// Space and Enter go on with the card, but where they press another control they press that.
function goOn(event) {
  const at = event.target.closest("button, a, summary");
  if (!answer() || (at && at.value !== "3" && at.tagName !== "SUMMARY")) return;
  event.preventDefault();
  if (answer().open) place.querySelector('[value="3"]').click(); else answer().open = true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !on.checked || event.target.matches("input")) return;
  const { key } = event;
  const control = [...place.querySelectorAll("[aria-keyshortcuts]")].find((one) => one.getAttribute("aria-keyshortcuts") === key);
  if (help.open) {
    if (key === "?") help.close();
  } else if (key === " " || key === "Enter") {
    goOn(event);
  } else if (control?.checkVisibility()) {
    event.preventDefault();
    control.click();
  } else if (key === "o" && answer()) {
    told("This card has no figure.");
  } else if (key === "u") {
    told("There is no answer from today to undo.");
  } else if (key === "q") {
    location.assign("index.html");
  }
});

try { on.checked = localStorage.getItem("keys") !== "off"; } catch { /* not remembered, then */ }
place.dataset.keys = on.checked ? "on" : "off";
on.addEventListener("change", () => {
  place.dataset.keys = on.checked ? "on" : "off";
  try { localStorage.setItem("keys", place.dataset.keys); } catch { /* the same */ }
});

ready();
})();
