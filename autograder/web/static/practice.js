// Sends a question's form without leaving the page; lists in an order can be dragged, or moved with arrows.
// On a site without a server `marks.js` marks what is sent.
(() => {
  async function sent(form) {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { "X-Part": "mark" } });
    if (!answer.ok) throw new Error(answer.statusText);
    return document.createRange().createContextualFragment(await answer.text());
  }

  async function check(event) {
    event.preventDefault();
    const form = event.currentTarget;
    const mark = form.nextElementSibling;
    const button = form.querySelector("button.button");
    button.disabled = true;
    try {
      mark.replaceChildren(await (window.marks?.answered ?? sent)(form));
    } catch (error) {
      mark.textContent = window.marks ? "The answers could not be loaded: reload the page." : "The site does not answer. Is `course serve` still running?";
      if (window.marks) console.error(error);
    }
    button.disabled = false;
    mark.focus({ preventScroll: true });
    mark.scrollIntoView({ block: "nearest" });
  }
  document.querySelectorAll("form.question").forEach((form) => form.addEventListener("submit", check));

  function order(list) {
    const said = list.parentElement.querySelector("[data-moved]");
    const place = (item) => [...list.children].indexOf(item);
    const ends = () => {
      for (const item of list.children) {
        item.querySelector('[data-move="-1"]').disabled = !item.previousElementSibling;
        item.querySelector('[data-move="1"]').disabled = !item.nextElementSibling;
      }
    };
    const say = (item) => { said.textContent = `${item.querySelector(".what").textContent} Now ${place(item) + 1} of ${list.children.length}.`; };
    list.addEventListener("click", (event) => {
      const button = event.target.closest("[data-move]");
      if (!button) return;
      const item = button.closest("li");
      if (button.dataset.move === "-1") item.previousElementSibling?.before(item); else item.nextElementSibling?.after(item);
      ends();
      (button.disabled ? item.querySelector("[data-move]:not([disabled])") : button).focus();
      say(item);
    });
    let held = null;
    list.addEventListener("pointerdown", (event) => {
      if (event.target.closest("button") || event.button !== 0) return;
      held = event.target.closest("li");
      if (!held) return;
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
    const drop = () => { if (held) { held.classList.remove("held"); say(held); held = null; ends(); } };
    list.addEventListener("pointerup", drop);
    list.addEventListener("pointercancel", drop);
    ends();
  }

  const orders = () => document.querySelectorAll("[data-order]").forEach(order);
  window.practice = { orders };
  orders();
})();
