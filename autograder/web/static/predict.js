// A prediction: once a guess is made, the answer opens and stands beside it, also when the page is opened again in this browser.
(() => {
  const PLACE = `guesses:${document.body.dataset.lesson}`;
  const kept = () => { try { return JSON.parse(localStorage.getItem(PLACE)) ?? {}; } catch { return {}; } };
  const keep = (name, guess) => { try { localStorage.setItem(PLACE, JSON.stringify({ ...kept(), [name]: guess })); } catch { /* not remembered, then */ } };

  const guessed = (form) => {
    const chosen = [...form.querySelectorAll(":checked")].map((box) => box.parentElement.lastElementChild.cloneNode(true));
    const typed = form.querySelector('input[type="text"]')?.value.trim();
    return typed ? [document.createTextNode(typed)] : chosen;
  };
  // The number in what is written: 259 in "t = 259", 0.5 in "0,5".
  const numberIn = (node) => Number(node.textContent.match(/[-−+]?(\d+([.,]\d+)?|[.,]\d+)/)?.[0].replace("−", "-").replace(",", ".") ?? NaN);

  // A number that may be in the thousands, as in `marks.js`: where three decimals are what is asked for, it is none.
  const THOUSANDS = /(?<![\d.,])[1-9]\d{0,2}(,\d{3})+(?![\d,])/;
  const unclear = (box, [guess]) => {
    const asked = box.querySelector(".guess .number") && !/\.\d{3}$/.test(box.querySelector(".compared dd").textContent.trim());
    return asked && guess ? guess.textContent.match(THOUSANDS)?.[0] : undefined;
  };

  // Two marks on a line from the smaller to the larger number, zero included.
  function scale(guess, truth) {
    const low = Math.min(0, guess, truth), size = Math.max(0, guess, truth) - low || 1;
    const line = document.createElement("div");
    line.className = "guesses";
    line.setAttribute("aria-hidden", "true");
    for (const [kind, value] of [["guess", guess], ["answer", truth]]) {
      const mark = line.appendChild(document.createElement("i"));
      mark.className = kind;
      mark.style.left = `${(100 * (value - low)) / size}%`;
    }
    return line;
  }

  function compare(box, guess) {
    const told = box.querySelector(".compared"), truth = told.querySelector("dd"), own = document.createElement("div");
    own.append(Object.assign(document.createElement("dt"), { textContent: "Your guess" }), document.createElement("dd"));
    own.lastElementChild.append(...guess.flatMap((one, place) => (place ? [document.createTextNode("; "), one] : [one])));
    told.prepend(own);
    const [said, right] = box.querySelector(".guess .number") ? [numberIn(own.lastElementChild), numberIn(truth)] : [NaN, NaN];
    if (Number.isFinite(said)) told.after(scale(said, right));
    if (truth) own.dataset.right = truth.textContent.trim() === own.lastElementChild.textContent.trim() || said === right ? "yes" : "no";
    box.querySelector("details").open = true;
  }

  // A guess as it is kept: what is typed, or the texts of what is chosen, so that it is gone where the choices change.
  const texts = (form) => [...form.querySelectorAll(".choice")].map((choice) => choice.textContent.trim());
  const written = (form) => form.querySelector('input[type="text"]')?.value.trim() || texts(form).filter((_, place) => form.querySelectorAll(".choice input")[place].checked);

  function restore(form, guess) {
    const boxes = form.querySelectorAll(".choice input"), field = form.querySelector('input[type="text"]');
    if (field && typeof guess === "string") field.value = guess;
    if (!field && Array.isArray(guess)) texts(form).forEach((text, place) => { boxes[place].checked = guess.includes(text); });
    const own = guessed(form), box = form.closest(".predict");
    if (own.length && !unclear(box, own)) compare(box, own);
  }

  const before = kept();
  for (const form of document.querySelectorAll(".guess")) {
    const box = form.closest(".predict"), name = box.getAttribute("aria-labelledby");
    if (name in before) restore(form, before[name]);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const guess = guessed(form), number = unclear(box, guess), said = form.querySelector('[role="status"]');
      said.textContent = guess.length ? "" : "Make a guess first, or show the answer without one.";
      if (number) said.textContent = `${number} may have three decimals or be in the thousands: write a decimal point, and nothing between thousands.`;
      if (said.textContent) { form.querySelector("input").focus(); return; }
      keep(name, written(form));
      compare(box, guess);
      box.querySelector(".compared").focus({ preventScroll: true });
    });
  }
})();
