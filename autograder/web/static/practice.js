// Sends a question's form without leaving the page; lists in an order can be dragged, or moved with arrows.
// On a site without a server `marks.js` marks what is sent.
(() => {
  const filled = (form) => new URLSearchParams(new FormData(form)).toString();
  async function sent(form, again) {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(filled(form)), headers: { "X-Part": again ? "again" : "mark" } });
    if (!answer.ok) throw new Error(answer.statusText);
    return document.createRange().createContextualFragment(await answer.text());
  }

  // Says of each part where it is whether it is right, and takes the notes on those that are not from the box. Returns the first of these parts.
  function spread(form, box) {
    const parts = [...form.querySelectorAll("[data-part]")];
    form.querySelectorAll(".here").forEach((one) => one.remove());
    const heading = box.querySelector("h2");
    if (!parts.length || !heading || (!box.querySelector("[data-of]") && !box.querySelector(".right"))) return null;
    const wrong = parts.filter((part) => {
      const note = document.createElement("div");
      const lines = box.querySelectorAll(`[data-of="${CSS.escape(part.dataset.part)}"]`);
      note.className = `here ${lines.length ? "wrong" : "right"}`;
      if (lines.length) note.append(...lines); else note.textContent = "Right";
      part.append(note);
      note.id = `note-${part.dataset.part}`;
      part.querySelectorAll("input, select").forEach((field) => field.setAttribute("aria-describedby", note.id));
      return lines.length;
    });
    if (wrong.length) heading.textContent += `: ${parts.length - wrong.length} of ${parts.length} right`;
    for (const { firstChild } of form.querySelectorAll(".here p")) firstChild.textContent = firstChild.textContent.replace(/^Part \d+: /, "");
    return wrong[0] ?? null;
  }

  // Shows the mark of what is in the form, and returns what to answer first. What was marked before the page was opened is marked `again`:
  // nothing is counted or said aloud then.
  async function marked(form, again) {
    const mark = form.nextElementSibling, before = filled(form);
    const box = await (window.marks?.answered ?? sent)(form, again);
    if (again && (filled(form) !== before || mark.textContent.trim())) return null; // somebody was faster
    const first = spread(form, box) ?? (box.querySelector(".wrong") && !box.querySelector("[data-again]") ? form : null); // where an answer is missing
    if (form.closest(".now")) box.querySelector("h2")?.setAttribute("aria-level", 4);
    mark.ariaLive = again ? "off" : null;
    mark.replaceChildren(box);
    mark.classList.remove("stale");
    return first;
  }

  async function check(event) {
    event.preventDefault();
    const form = event.currentTarget;
    const mark = form.nextElementSibling;
    const button = form.querySelector("button.button");
    button.disabled = true;
    keep(form);
    let first = null;
    try {
      first = await marked(form);
    } catch (error) {
      mark.textContent = window.marks ? "The answers could not be loaded: reload the page." : "The site does not answer. Is `course serve` still running?";
      if (window.marks) console.error(error);
    }
    button.disabled = false;
    const next = first?.querySelector("input:not([type=hidden]), select, button:enabled") ?? mark;
    next.focus({ preventScroll: true });
    (first && first !== form ? first : mark).scrollIntoView({ block: "nearest" });
  }

  // -- what was answered last comes back with the question, as long as the numbers are the same, and once it is in sight with its mark

  const place = (form) => `answer:${document.body.dataset.lesson}:${form.dataset.question}:${form.elements.seed?.value ?? form.dataset.seed ?? ""}`;
  function keep(form) {
    try {
      const data = new URLSearchParams(localStorage.getItem(place(form)) ?? ""); // with the other parts, which may stand on another page
      for (const { name } of form.elements) data.delete(name);
      for (const [name, value] of new FormData(form)) data.append(name, value);
      localStorage.setItem(place(form), data.toString());
    } catch { /* it is typed again, then */ }
  }
  function bring(form) {
    if (form.dataset.begun) return; // by somebody who was faster than this script
    let before = null;
    try { before = localStorage.getItem(place(form)); } catch { return; }
    if (!before || form.nextElementSibling?.textContent.trim()) return;
    const data = new URLSearchParams(before);
    for (const list of form.querySelectorAll("[data-order]")) {
      const items = new Map([...list.children].map((item) => [item.dataset.id, item]));
      const ids = data.getAll(list.querySelector("input").name);
      if (ids.length === items.size && ids.every((id) => items.has(id))) list.append(...ids.map((id) => items.get(id)));
    }
    for (const field of form.elements) {
      if (!data.has(field.name) || field.type === "hidden") continue;
      if (field.type === "radio" || field.type === "checkbox") field.checked = data.getAll(field.name).includes(field.value);
      else field.value = data.get(field.name);
    }
    if (![...form.elements].every(({ name, type }) => !name || type === "hidden" || data.get(name))) return; // the rest stands on another page
    new IntersectionObserver(([{ isIntersecting }], observer) => {
      if (!isIntersecting) return;
      observer.disconnect();
      marked(form, true).catch(() => {}); // then it is as it was: answered, and to be checked
    }).observe(form);
  }
  document.querySelectorAll("form.question[data-question]").forEach((form) => {
    form.addEventListener("submit", check);
    form.addEventListener("input", ({ target }) => {
      for (const said of [form.nextElementSibling, target.closest("[data-part]")?.querySelector(".here")]) said?.classList.add("stale"); // it was of another answer
    });
    bring(form);
  });

  function order(list) {
    const said = list.parentElement.querySelector("[data-moved]");
    const place = (item) => [...list.children].indexOf(item);
    const ends = () => {
      for (const item of list.children) {
        item.querySelector('[data-move="-1"]').disabled = !item.previousElementSibling;
        item.querySelector('[data-move="1"]').disabled = !item.nextElementSibling;
      }
    };
    const say = (item) => { said.replaceChildren(...item.querySelector(".what").cloneNode(true).childNodes, ` Now ${place(item) + 1} of ${list.children.length}.`); };
    list.addEventListener("click", (event) => {
      const button = event.target.closest("[data-move]");
      if (!button) return;
      const item = button.closest("li");
      if (button.dataset.move === "-1") item.previousElementSibling?.before(item); else item.nextElementSibling?.after(item);
      ends();
      list.dispatchEvent(new Event("input", { bubbles: true }));
      (button.disabled ? item.querySelector("[data-move]:not([disabled])") : button).focus();
      say(item);
    });
    let held = null, from = 0;
    list.addEventListener("pointerdown", (event) => {
      if (event.target.closest("button") || event.button !== 0) return;
      if (event.pointerType !== "mouse" && !event.target.closest(".grip")) return; // the page is scrolled there
      held = event.target.closest("li");
      if (!held) return;
      from = place(held);
      held.classList.add("held");
      list.setPointerCapture(event.pointerId);
    });
    list.addEventListener("pointermove", (event) => {
      if (!held) return;
      const over = [...list.children].find((item) => {
        const box = item.getBoundingClientRect();
        return item !== held && event.clientY > box.top && event.clientY < box.bottom;
      });
      if (!over) return;
      const box = over.getBoundingClientRect();
      if (event.clientY > box.top + box.height / 2) over.after(held); else over.before(held);
    });
    const drop = () => {
      if (!held) return;
      held.classList.remove("held");
      say(held);
      if (place(held) !== from) list.dispatchEvent(new Event("input", { bubbles: true }));
      held = null;
      ends();
    };
    list.addEventListener("pointerup", drop);
    list.addEventListener("pointercancel", drop);
    ends();
  }

  const orders = () => document.querySelectorAll("[data-order]").forEach(order);
  window.practice = { orders };
  orders();
  window.course.provide(window.practice);
})();
