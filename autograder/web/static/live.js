// Keeps parts of the page as they are on the server: told of a change, it fetches them again. What was opened, scrolled or in focus stays.
(() => {
  const { scrollable } = window.course;

  const page = document.querySelector("[data-live]");
  const says = document.getElementById("live-says");
  let told = false;
  let busy = false;
  let again = false;
  let waiting = null;
  let typed = false; // something to be found, since the last look
  let asked = false; // for it, and not told yet what was found

  // How to find what is in focus in the part that comes.
  function selectorOf(one) {
    const id = one?.closest?.("details[id]")?.id;
    if (one?.tagName === "SUMMARY" && id) return `#${CSS.escape(id)} > summary`;
    return one?.tagName === "A" ? `a[href="${CSS.escape(one.getAttribute("href"))}"]` : null;
  }

  // Takes over which folds are open, and says which have changed.
  function compare(part, next) {
    for (const one of next.querySelectorAll("details[id]")) {
      const old = part.querySelector(`#${CSS.escape(one.id)}`);
      if (!old) continue;
      one.open = old.open;
      if (old.textContent === one.textContent) continue;
      one.classList.add("fresh");
      if (told) says.textContent = `${one.querySelector("summary").textContent.replace(/\s+/g, " ").trim()}.`;
    }
  }

  async function fill(part) {
    const answer = await fetch(location.href, { headers: { "X-Part": part.dataset.part } });
    if (!answer.ok) return;
    const next = document.createElement("div");
    next.innerHTML = await answer.text();
    compare(part, next);
    const focus = part.contains(document.activeElement) ? selectorOf(document.activeElement) : null;
    const across = part.querySelector(".table")?.scrollLeft;
    part.replaceChildren(...next.childNodes);
    scrollable(part);
    part.dispatchEvent(new Event("renewed", { bubbles: true }));
    if (across) part.querySelector(".table")?.scrollTo(across, 0);
    if (focus) part.querySelector(focus)?.focus({ preventScroll: true });
  }

  async function renew() {
    again = true;
    if (busy) return;
    busy = true;
    try {
      while (again) {
        again = false;
        for (const part of page.querySelectorAll("[data-part]")) await fill(part);
        told = true;
        if (asked && !again) says.textContent = page.querySelector("[data-told]")?.textContent ?? "";
        asked &&= again;
      }
    } finally {
      busy = false;
    }
  }

  function soon() {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      asked ||= typed;
      typed = false;
      renew().catch(() => {});
    }, 60);
  }

  // What is typed to be found is part of the address, and so of what is fetched.
  const finder = page.querySelector("[data-finder]");
  finder?.addEventListener("input", () => {
    history.replaceState(null, "", `${finder.action.split("#")[0]}?${new URLSearchParams(new FormData(finder))}`);
    typed = true;
    soon();
  });
  finder?.addEventListener("submit", (event) => event.preventDefault());
  const isTyped = ({ type, value, defaultValue }) => ["text", "search"].includes(type) && value !== defaultValue;
  if ([...finder?.elements ?? []].some(isTyped)) finder.dispatchEvent(new Event("input")); // by somebody who was faster than this script

  const source = new EventSource(page.dataset.live);
  source.addEventListener("changed", () => soon());
  addEventListener("pagehide", () => source.close());
})();
