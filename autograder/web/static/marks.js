// Practice on a site without a server: marks, fresh numbers and progress as `practice.py` has them, from the notes that it wrote beside
// the page. What was answered is kept in this browser.
(() => {
  const { use } = window.course;
  const PLACE = `practice:${document.body.dataset.lesson}`;
  const lesson = () => use("answers/index.js");
  const answers = (id) => use(`answers/${id}.js`);

  // -- progress: for each question [seed, right] of each answer, in their order

  const log = JSON.parse(window.kept.get(PLACE)) ?? {};

  function add(id, seed, right) {
    (log[id] ??= []).push([seed, right]);
    window.kept.set(PLACE, JSON.stringify(log));
  }
  function streak(id) {
    const tried = new Set();
    let count = 0;
    for (const [seed, right] of log[id] ?? []) {
      if (!right) count = 0; else if (seed !== null && !tried.has(seed)) count += 1;
      tried.add(seed);
    }
    return count;
  }
  const mastered = ({ id, repeated }, wanted) => (repeated ? streak(id) >= wanted : Boolean(log[id]?.at(-1)[1]));

  // -- marks: of a part, null if the answer is right, or else the note on it

  const NUMBER = /^[-+−]?(\d{1,18}(\.\d{0,18})?|\.\d{1,18})(e[-+]?\d{1,2})?$/i;
  const COMMA = /^[-+−]?\d*,\d+(e[-+]?\d{1,2})?$/i;
  const THOUSANDS = /^[-+−]?[1-9]\d{0,2},\d{3}$/; // or three decimals
  const LARGEST = 1e9;
  const GIVEN = "\ue000"; // stands in a note for what was written
  const escaped = (text) => Object.assign(document.createElement("span"), { textContent: text }).innerHTML;
  const filled = (note, given) => ({ ...note, line: note.line.replaceAll(GIVEN, () => escaped(given)) });
  const told = ({ notes, named }, names, otherwise = names[0]) => notes[names.find((name) => named.includes(name)) ?? otherwise];

  const MARKS = {
    number(part, written) {
      const { right, tolerance, decimals, near, notes } = part;
      if (THOUSANDS.test(written) && decimals !== 3) return filled(notes.thousands, written);
      const text = COMMA.test(written) ? written.replace(",", ".") : written;
      if (!NUMBER.test(text)) return filled(notes.unread, written.slice(0, 40));
      const value = Number(text.replace("−", "-"));
      if (Math.abs(value) > LARGEST) return notes.large;
      if (Math.abs(value - right) <= tolerance) return null;
      const [mantissa, exponent = "0"] = text.toLowerCase().split("e");
      const digits = Math.max(0, (mantissa.split(".")[1] ?? "").length - Number(exponent));
      const given = (exponent < 0 ? value.toFixed(digits) : text.replace("+", "")).replace("-", "−").replace(/^(−?)\./, "$10.");
      if (notes.rounded && digits < decimals && Math.abs(value - right) <= 0.5 * 10 ** -digits + 1e-9) return filled(notes.rounded, given);
      const found = near.filter(([known]) => Math.abs(value - known) <= tolerance).sort(([one], [other]) => Math.abs(value - one) - Math.abs(value - other))[0];
      return filled(found ? found[1] : notes.other, given);
    },
    one: (part, chosen) => (chosen === part.right ? null : part.notes[chosen]),
    several(part, chosen) {
      const wrong = chosen.filter((name) => !part.right.includes(name));
      const left = part.right.filter((name) => !chosen.includes(name));
      return wrong.length + left.length ? told(part, [...wrong, ...left], wrong[0] ?? "*") : null;
    },
    order(part, chosen) {
      const swapped = [];
      for (let gap = 1; gap < chosen.length; gap++) {
        for (let i = 0; i + gap < chosen.length; i++) {
          const [before, after] = [chosen[i], chosen[i + gap]];
          if (part.right.indexOf(before) > part.right.indexOf(after)) swapped.push(`${before}>${after}`);
        }
      }
      return swapped.length ? told(part, swapped) : null;
    },
    match(part, chosen) {
      const left = Object.keys(part.right), blank = left.find((name) => !chosen[name]);
      if (blank) return part.notes[`${blank}=`];
      const wrong = left.filter((name) => chosen[name] !== part.right[name]).map((name) => `${name}=${chosen[name]}`);
      return wrong.length ? told(part, wrong) : null;
    },
  };

  const isBlank = (answer) => answer === "" || (typeof answer === "object" && !Array.isArray(answer) && Object.values(answer).every(isBlank));

  // What `answers.yaml` would hold, from the fields of the form.
  function read(parts, data) {
    const given = parts.map(({ control, field, right }) => {
      if (control === "match") return Object.fromEntries(Object.keys(right).map((key) => [key, data.get(`${field}.${key}`)]));
      return control === "several" || control === "order" ? data.getAll(field) : (data.get(field) ?? "").trim();
    });
    return parts[0].id ? Object.fromEntries(parts.map(({ id }, i) => [id, given[i]])) : given[0];
  }

  function marked({ parts, blank }, answer) {
    if (isBlank(answer)) return blank;
    const notes = parts.map((part) => {
      const given = part.id ? answer[part.id] : answer;
      const note = isBlank(given) ? part.notes[""] : MARKS[part.control](part, given);
      return note && { ...note, of: part.id };
    }).filter(Boolean);
    const first = notes.toSorted((one, other) => other.known - one.known || other.readable - one.readable)[0];
    return first ? { ...first, lines: notes.map(({ line }) => line), of: notes.map(({ of }) => of) } : null;
  }

  // -- a form, which has the id of its question and, if its numbers are fresh, their seed; on a question's own page and after sections

  async function fresh(form) {
    const id = form.dataset.question, { variants } = await answers(id);
    const seeds = variants.map((one) => one.seed).filter((one) => one !== null);
    const lately = (log[id] ?? []).slice(-Math.floor(seeds.length / 2)).map(([one]) => one);
    const open = seeds.filter((one) => !lately.includes(one));
    const seed = open[Math.floor(Math.random() * open.length)];
    form.dataset.seed = seed;
    document.getElementById("fields").innerHTML = variants.find((one) => one.seed === seed).fields;
    document.getElementById("seed").textContent = ` · fresh numbers, seed ${seed}`;
    window.practice.orders();
    window.course.scrollable(form);
  }

  async function answered(form, again) {
    const id = form.dataset.question, seed = "seed" in form.dataset ? Number(form.dataset.seed) : null;
    const { questions, sections, streak: wanted } = await lesson(), { variants, boxes } = await answers(id);
    const own = questions.find((one) => one.id === id), asked = variants.find((one) => one.seed === seed);
    const { only } = form.dataset, parts = asked.parts.filter((part) => !only || part.id === only); // one part alone is not remembered
    const answer = read(parts, new FormData(form)), note = marked({ ...asked, parts }, answer);
    if (!again && !only && (!note || note.readable)) add(id, seed, !note);
    const done = mastered(own, wanted);
    const box = document.createRange().createContextualFragment(boxes[note ? "wrong" : done ? "mastered" : "right"]);
    const put = (name, fill) => box.querySelectorAll(`[data-${name}]`).forEach((node) => { if (fill(node) === false) node.remove(); });
    if (only) box.querySelectorAll("[data-working], [data-row], .buttons, .right > p").forEach((node) => node.remove());
    put("lines", (node) => { node.innerHTML = (note?.lines ?? []).map((line, i) => `<p${note.of?.[i] ? ` data-of="${note.of[i]}"` : ""}>${only ? line.replace(/^Part \d+: /, "") : line}</p>`).join(""); });
    put("reread", (node) => note?.section ? Object.assign(node.querySelector("a"), { href: `lesson.html#${note.section}`, innerHTML: sections[note.section] }) : false);
    put("working", (node) => asked.working.length && (!note || note.readable) ? void (node.querySelector("ul").innerHTML = asked.working.map((line) => `<li>${line}</li>`).join("")) : false);
    put("again", () => note.readable);
    put("row", (node) => { if (streak(id)) node.textContent = `${Math.min(streak(id), wanted)} of ${wanted} fresh variants in a row.`; });
    const next = questions.find((one) => one.id !== id && !mastered(one, wanted));
    put("next", (node) => Object.assign(node, next ? { href: `question-${next.id}.html`, textContent: `Next: ${next.title}` } : { href: "practice.html", textContent: "All questions" }));
    return box;
  }

  // -- the list of questions

  async function list() {
    const { questions, streak: wanted } = await lesson();
    for (const one of questions) {
      const state = document.querySelector(`[data-question="${one.id}"] .state`), row = Math.min(streak(one.id), wanted);
      if (mastered(one, wanted)) state.innerHTML = `<b class="good">${one.repeated ? "Mastered" : "Done"}</b>`;
      else if (one.repeated) {
        [...state.querySelectorAll("i")].forEach((dot, place) => dot.classList.toggle("on", place < row));
        state.querySelector(".hidden").textContent = `${row} of ${wanted} fresh variants in a row`;
      }
    }
    const next = questions.find((one) => !mastered(one, wanted)), go = document.getElementById("go-on");
    if (next) Object.assign(go, { href: `question-${next.id}.html`, textContent: `${Object.keys(log).length ? "Go on" : "Begin"}: ${next.title}` });
    else go.outerHTML = '<b class="good">Every question is mastered.</b>';
  }

  window.marks = { answered, marked, mastered, lesson };
  window.course.provide(window.marks);
  if (document.getElementById("go-on")) list();
  if (new URLSearchParams(location.search).has("fresh")) addEventListener("DOMContentLoaded", () => fresh(document.getElementById("question")));
})();
