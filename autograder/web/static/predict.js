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
  const numberIn = (text) => Number(text.match(/[-−+]?(\d+([.,]\d+)?|[.,]\d+)/)?.[0].replace("−", "-").replace(",", ".") ?? NaN);

  // A number that may be in the thousands, as in `marks.js`: where three decimals are what is asked for, it is none.
  const THOUSANDS = /(?<![\d.,])[1-9]\d{0,2}(,\d{3})+(?![\d,])/;
  const range = (box) => box.querySelector('.guess [type="range"]');

  // Why a guess cannot be compared yet; empty if it can.
  function problem(box, [guess]) {
    if (!guess) return "Make a guess first, or show the answer without one.";
    if (!box.querySelector(".guess .number")) return "";
    const large = !/\.\d{3}$/.test(box.querySelector(".compared dd").textContent.trim()) && guess.textContent.match(THOUSANDS)?.[0];
    if (large) return `${large} may have three decimals or be in the thousands: write a decimal point, and nothing between thousands.`;
    const value = numberIn(guess.textContent), { min = -Infinity, max = Infinity } = range(box) ?? {};
    if (value >= min && value <= max) return "";
    return range(box) ? `Write a number from ${signed(min)} to ${signed(max)}.` : "Write a number.";
  }

  // Two marks with their numbers on a line, or on the curve above it; where no range is given, from zero to a round number beyond both.
  const signed = (number) => `${number}`.replace("-", "−");
  const beyond = (value) => { const unit = 10 ** Math.floor(Math.log10(Math.abs(value * 1.2) || 1)); return Math.sign(value) * Math.ceil(Math.abs(value * 1.2) / unit) * unit; };
  function scale(box, guess, truth) {
    const { min = beyond(Math.min(0, guess, truth)), max = beyond(Math.max(0, guess, truth)) || 1 } = range(box) ?? {};
    const plot = Object.assign(document.createElement("div"), { className: "guesses", innerHTML: "<span></span><div></div><span></span>" });
    const [low, line, high] = plot.children, curve = box.querySelector(".curve svg");
    plot.setAttribute("aria-hidden", "true");
    [low.textContent, high.textContent] = [signed(min), signed(max)];
    if (curve) line.append(curve);
    const shareOf = (value) => (100 * (value - min)) / (max - min), rise = (value) => (curve ? heightAt(curve.firstElementChild.points, shareOf(value)) : 0);
    const above = guess === undefined ? "" : rise(guess) < rise(truth) ? "answer" : "guess"; // so that no number lies on the other's mark
    for (const [kind, value] of [["answer", truth], ...(guess === undefined ? [] : [["guess", guess]])]) {
      const mark = line.appendChild(document.createElement("i")), share = shareOf(value);
      mark.className = kind === above ? `${kind} above` : kind;
      mark.style.left = `${share}%`;
      mark.style.height = `${rise(value)}%`;
      const label = mark.appendChild(Object.assign(document.createElement("b"), { textContent: `${kind === "guess" ? "you " : ""}${signed(value)}` }));
      label.style.translate = `${-share}%`;
    }
    return plot;
  }
  function heightAt(points, share) {
    const place = Math.max(1, [...points].findIndex(({ x }) => x >= share)), [from, to] = [points[place - 1], points[place]];
    return 100 - from.y - ((to.y - from.y) * (share - from.x)) / (to.x - from.x);
  }

  function compare(box, guess) {
    const told = box.querySelector(".compared"), truth = told.querySelector("dd"), own = document.createElement("div");
    own.append(Object.assign(document.createElement("dt"), { textContent: "Your guess" }), document.createElement("dd"));
    own.lastElementChild.append(...guess.flatMap((one, place) => (place ? [document.createTextNode("; "), one] : [one])));
    told.prepend(own);
    const [said, right] = box.querySelector(".guess .number") ? [numberIn(own.textContent), numberIn(truth.textContent)] : [NaN, NaN];
    if (Number.isFinite(said)) {
      const curve = box.querySelector(".curve"), plot = scale(box, said, right);
      if (curve) curve.append(plot); else told.after(plot);
    }
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
    if (!problem(box, own)) compare(box, own);
  }

  const before = kept();
  for (const form of document.querySelectorAll(".guess")) {
    const box = form.closest(".predict"), name = box.getAttribute("aria-labelledby"), curve = box.querySelector(".curve");
    if (curve) box.querySelector("details").addEventListener("toggle", () => { // without a guess, the answer alone
      if (!box.querySelector(".guesses")) curve.append(scale(box, undefined, numberIn(box.querySelector(".compared dd").textContent)));
    });
    if (name in before) restore(form, before[name]);
    const drag = ({ value }) => { form.querySelector(".number").value = signed(value); };
    range(box)?.addEventListener("input", ({ target }) => drag(target));
    if (range(box) && form.dataset.begun && !form.querySelector(".number").value) drag(range(box)); // by somebody who was faster than this script
    form.querySelector(".number")?.addEventListener("input", ({ target }) => { const value = numberIn(target.value); if (range(box) && value === value) range(box).value = value; });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const guess = guessed(form), said = form.querySelector('[role="status"]');
      said.textContent = problem(box, guess);
      if (said.textContent) { form.querySelector("input").focus(); return; }
      keep(name, written(form));
      compare(box, guess);
      box.querySelector(".compared").focus({ preventScroll: true });
    });
  }
  window.course.provide({});
})();
