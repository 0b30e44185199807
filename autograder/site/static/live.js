// Keeps a part of the page as it is on the server: told of a change, it fetches the part again. What was opened stays open.

const place = document.querySelector("[data-live]");
const says = document.getElementById("live-says");
let first = true;
let waiting = null;

async function renew() {
  const answer = await fetch(place.dataset.from, { headers: { "X-Part": place.dataset.part } });
  if (!answer.ok) return;
  const html = await answer.text();
  const before = new Map([...place.querySelectorAll("details[id]")].map((one) => [one.id, one]));
  const held = document.activeElement?.closest?.("details[id]")?.id;
  const next = document.createElement("div");
  next.innerHTML = html;
  for (const one of next.querySelectorAll("details[id]")) {
    const old = before.get(one.id);
    if (old?.open) one.open = true;
    if (old && old.textContent !== one.textContent) {
      one.classList.add("fresh");
      if (!first) says.textContent = `${one.querySelector("summary").textContent.replace(/\s+/g, " ").trim()}.`;
    }
  }
  place.replaceChildren(...next.childNodes);
  if (held) document.getElementById(held)?.querySelector("summary").focus({ preventScroll: true });
  first = false;
}

const source = new EventSource(place.dataset.live);
source.addEventListener("changed", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => renew().catch(() => {}), 60);
});
addEventListener("pagehide", () => source.close());
