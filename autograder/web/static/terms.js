// A term, the symbols of a formula, or a mistake, explained beside them: on focus or tap, or where the mouse rests. A second tap, a click or Enter leads to the
// glossary; a mistake it opens where it stands. A single symbol is explained under the mouse or on tap.
(() => {
  const tip = Object.assign(document.createElement("div"), { className: "tip", hidden: true });
  tip.setAttribute("aria-hidden", "true"); // the link is described by the glossary itself
  document.body.append(tip);
  const REST = 250; // milliseconds; a mouse that only passes asks for nothing
  const ROOM = 300; // pixels of a margin in which a note can be read
  let shown = null, pressed = null, coming = null, leaving = null;

  function meanings(ids) {
    const list = document.createElement("dl");
    list.append(...ids.split(" ").map((id) => {
      const entry = document.getElementById(id).cloneNode(true);
      entry.removeAttribute("id");
      entry.querySelector(".where").remove();
      return entry;
    }));
    return list.outerHTML;
  }
  const note = ({ parentElement }) => [...parentElement.children].slice(1).map((one) => one.outerHTML).join(""); // a clone would load both forms of an image

  function show(link, ids = link.getAttribute("aria-describedby")) {
    clearTimeout(coming);
    clearTimeout(leaving);
    if (shown === link || link.parentElement.open) return;
    shown = link;
    const isNote = link.matches("summary");
    tip.classList.toggle("mistake", isNote);
    tip.innerHTML = isNote ? note(link) : meanings(ids);
    tip.hidden = false;
    const [box, text, edge, wide] = [link.getBoundingClientRect(), link.closest("main").getBoundingClientRect(), 12, document.documentElement.clientWidth];
    const margin = [wide - text.right, text.left].find((one) => one >= ROOM) ?? 0; // where a note covers none of the text
    tip.style.maxWidth = isNote && margin ? `${margin - 2 * edge}px` : "";
    const farthest = wide - tip.offsetWidth - edge;
    const beside = margin && wide - text.right < ROOM ? text.left - tip.offsetWidth - edge : Math.min(text.right + 2 * edge, farthest);
    if (isNote && (margin || beside > box.right + edge)) {
      tip.style.left = `${beside + scrollX}px`;
      tip.style.top = `${Math.min(box.top, innerHeight - tip.offsetHeight - edge) + scrollY}px`;
      return;
    }
    const below = box.bottom + tip.offsetHeight + edge < innerHeight;
    tip.style.left = `${Math.max(edge, Math.min(box.left, farthest)) + scrollX}px`;
    tip.style.top = `${(below ? box.bottom + 6 : box.top - tip.offsetHeight - 6) + scrollY}px`;
  }
  function rest(link) {
    clearTimeout(coming);
    coming = setTimeout(() => show(link), shown === link ? 0 : REST);
  }
  function hide() {
    clearTimeout(coming);
    clearTimeout(leaving);
    shown = null;
    tip.hidden = true;
  }
  function leave() {
    clearTimeout(leaving);
    leaving = setTimeout(hide, 400); // so long the mouse may take to go over to what is explained
  }

  // What is explained where the mouse rests, until it leaves; one for which `stays` holds remains.
  function hovered(link, stays = () => false) {
    link.addEventListener("pointerenter", ({ pointerType }) => { if (pointerType === "mouse") rest(link); });
    link.addEventListener("pointerleave", ({ pointerType }) => {
      clearTimeout(coming);
      if (pointerType === "mouse" && shown === link && !stays()) leave();
    });
  }

  for (const link of document.querySelectorAll("a.term")) {
    hovered(link, () => document.activeElement === link);
    link.addEventListener("pointerdown", ({ pointerType }) => { pressed = pointerType === "mouse" || shown === link ? null : link; });
    link.addEventListener("focus", () => show(link));
    link.addEventListener("blur", hide);
    link.addEventListener("click", (event) => {
      if (pressed !== link) { hide(); return; }
      pressed = null;
      event.preventDefault();
      show(link);
    });
  }
  let under = null;
  async function symbol({ type, target, pointerType }) {
    if (type === "pointerover" && pointerType !== "mouse") return;
    under = target;
    if (shown?.closest("math") && !tip.contains(target)) leave();
    if (!target.closest?.("main math") || (type === "click" && target.closest("a, button, label, summary"))) return;
    const found = (await course.use("static/meanings.js"))(target);
    if (found && type === "pointerover") await new Promise((done) => setTimeout(done, REST));
    if (found && under === target) show(...found);
  }
  addEventListener("pointerover", symbol);
  addEventListener("click", symbol);
  for (const summary of document.querySelectorAll(".mistake > summary")) {
    hovered(summary);
    summary.addEventListener("focus", () => { if (summary.matches(":focus-visible")) show(summary); });
    summary.addEventListener("blur", hide);
    summary.addEventListener("click", hide);
  }
  tip.addEventListener("pointerenter", () => clearTimeout(leaving));
  tip.addEventListener("pointerleave", leave);
  addEventListener("keydown", (event) => {
    pressed = null;
    if (event.key === "Escape") hide();
  });
  addEventListener("pointerdown", (event) => { if (!event.target.closest?.("a.term, .mistake, .tip")) hide(); });
})();
