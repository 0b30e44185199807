// The deck of a site without a server: the terminal's schedule and queue, with a log that is kept in this browser.
// A row of the log is as `course review` writes it, so that either takes the other's file. FSRS is in `static/vendor/ts-fsrs.js`.
(() => {
  const told = JSON.parse(document.getElementById("deck").textContent);
  const flips = [...document.querySelectorAll(".flip")].sort((one, other) => one.dataset.place - other.dataset.place);
  const faces = new Map(flips.map((flip) => [flip.dataset.face, {
    id: flip.dataset.face, of: flip.dataset.of, front: flip.querySelector("summary").innerHTML, back: flip.querySelector(".reverse").innerHTML,
    section: flip.closest("section").dataset.id, title: flip.closest("section").querySelector("h3 a").innerHTML, optional: "optional" in flip.dataset,
  }]));
  const DAY = 86_400_000, DAY_START = 4 * 3_600_000, AHEAD = 20 * 60_000, LONGEST = 600_000;
  const RATINGS = ["Again", "Hard", "Good", "Easy"];
  const chosen = flips.find((flip) => flip.closest("section").dataset.id === new URLSearchParams(location.search).get("section"))?.closest("section");
  const firstly = (one, other) => (one.face.section !== chosen?.dataset.id) - (other.face.section !== chosen?.dataset.id);
  const NEW = { phase: "new", due: 0, step: 0, stability: null, difficulty: null, lastDay: 0, firstDay: 0, reviews: 0, wanted: false, flagged: false };

  // -- the log: lines of JSON, as in `reviews.jsonl`

  const PLACE = "reviews.jsonl";
  let unkept = "";

  function lines() {
    try { return unkept || localStorage.getItem(PLACE) || ""; } catch { return unkept; }
  }

  function write(text) {
    try {
      localStorage.setItem(PLACE, text);
      unkept = "";
    } catch {
      unkept = text;
    }
  }

  // What is of a log, as in `log.py`; and the numbers of the lines that are not.
  const KINDS = ["review", "cram", "undo", "bring", "flag", "clock", "adopt"], BLANK = { card: "", rating: 0, took: 0, scheduling: "", about: "" };
  const within = (number, least, most) => Number.isInteger(number) && least <= number && number <= most;
  const isName = (text) => typeof text === "string" && text.length <= 200 && !/(?! )[\p{C}\p{Z}]/u.test(text);
  const isRow = (one) => within(one.at, 946_684_800_000, 7_258_118_400_000) && within(one.zone, -1440, 1440) && within(one.number, 0, 2 ** 53 - 1)
    && within(one.took, 0, DAY) && KINDS.includes(one.kind) && (within(one.rating, 1, 4) || !["review", "cram"].includes(one.kind))
    && [one.id, one.device, one.card, one.scheduling, one.about].every(isName);
  function isFacts(one) {
    try { return one.length === 2 && isName(one[0]) && JSON.parse(one[1]).parameters.length > 0; } catch { return false; }
  }
  function read(text) {
    const rows = [], facts = new Map(), unsound = [];
    for (const [place, line] of text.split("\n").entries()) {
      if (!line.trim()) continue;
      let one = null;
      try { one = JSON.parse(line); } catch { /* no line of a log */ }
      if (Array.isArray(one) && isFacts(one)) facts.set(...one);
      else if (one && isRow({ ...BLANK, ...one })) rows.push({ ...BLANK, ...one });
      else unsound.push(place + 1);
    }
    return { rows, facts, unsound };
  }

  const hexadecimal = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  function device() {
    try {
      if (!localStorage.getItem("device")) localStorage.setItem("device", hexadecimal());
      return localStorage.getItem("device");
    } catch {
      return "browser";
    }
  }

  const zoneOf = (at) => -new Date(at).getTimezoneOffset();

  function add(kind, card, more = {}) {
    const { rows, facts } = read(lines()), { id, facts: own } = told.scheduling;
    const known = facts.has(id) ? "" : `${JSON.stringify([id, own])}\n`;
    const at = Date.now(), number = 1 + Math.max(0, ...rows.map((row) => row.number));
    const row = { id: hexadecimal(), device: device(), number, at, zone: zoneOf(at), kind, card, rating: 0, took: 0, scheduling: "", about: "", ...more };
    write(`${lines()}${known}${JSON.stringify(row)}\n`);
  }

  // -- when a card comes back: `schedule.py`, line by line

  const dayOf = (at, zone) => Math.floor((at + zone * 60_000 - DAY_START) / DAY);

  function schedulerOf({ rows, facts }) {
    const last = rows.filter((row) => row.kind === "adopt" && facts.has(row.scheduling)).sort((one, other) => other.number - one.number)[0];
    const chosen = JSON.parse(last ? facts.get(last.scheduling) : told.scheduling.facts);
    const algorithm = new FSRS.FSRS({
      w: chosen.parameters, request_retention: chosen.desired_retention, maximum_interval: chosen.maximum_interval, enable_fuzz: false, enable_short_term: true,
    });
    return { algorithm, learning: chosen.learning_steps, relearning: chosen.relearning_steps };
  }

  // The next step of learning and the seconds until then; nothing if the card goes on to reviews.
  function stepAfter(step, rating, steps) {
    if (!steps.length || rating === 4 || (rating > 1 && step >= steps.length)) return null;
    if (rating === 1) return [0, steps[0]];
    if (rating === 3) return step + 1 < steps.length ? [step + 1, steps[step + 1]] : null;
    if (step > 0) return [step, steps[step]];
    return [0, steps.length === 1 ? 1.5 * steps[0] : (steps[0] + steps[1]) / 2];
  }

  function after(state, rating, at, zone, { algorithm, learning, relearning }) {
    const day = dayOf(at, zone), days = state.reviews ? Math.max(0, day - state.lastDay) : 0;
    const memory = algorithm.next_state(state.stability === null ? null : { stability: state.stability, difficulty: state.difficulty }, days, rating);
    const relearns = state.phase === "relearning" || (state.phase === "review" && rating === 1);
    const next = state.phase === "review" && !relearns ? null : stepAfter(state.step, rating, relearns ? relearning : learning);
    const [step, wait] = next ? [next[0], 1000 * next[1]] : [null, algorithm.next_interval(memory.stability, days) * DAY];
    return {
      ...memory, phase: !next ? "review" : relearns ? "relearning" : "learning", step, due: Math.floor(at + wait),
      lastDay: day, firstDay: state.reviews ? state.firstDay : day, reviews: state.reviews + 1, wanted: false, flagged: state.flagged,
    };
  }

  function withdrawnBy(rows) {
    const undone = new Set(rows.filter((row) => row.kind === "undo").map((row) => `${row.card} ${row.about}`));
    return (row) => undone.has(`${row.card} ${row.id}`);
  }

  function statesOf(log) {
    const { rows } = log, scheduler = schedulerOf(log), states = new Map(), isWithdrawn = withdrawnBy(rows);
    const clocks = rows.filter((row) => row.kind === "clock");
    const moment = (row) => Math.min(row.at, ...clocks.filter((one) => one.device === row.device && one.number > row.number && one.at < row.at).map((one) => one.at));
    const standing = rows.filter((row) => ["review", "bring", "flag"].includes(row.kind) && !isWithdrawn(row)).map((row) => [moment(row), row]);
    standing.sort(([at, row], [then, other]) => at - then || row.number - other.number || (row.id < other.id ? -1 : 1));
    for (const [at, row] of standing) {
      const state = states.get(row.card) ?? NEW;
      if (row.kind === "review") states.set(row.card, after(state, row.rating, at, row.zone, scheduler));
      else if (row.kind === "bring") states.set(row.card, { ...state, wanted: true, due: state.reviews ? Math.min(state.due, at) : at });
      else states.set(row.card, { ...state, flagged: !state.flagged });
    }
    return { states, scheduler };
  }

  // -- what is left today: `queue.py`

  function shuffled(text) {
    let hash = 2_166_136_261;
    for (const letter of text) hash = Math.imul(hash ^ letter.codePointAt(0), 16_777_619) >>> 0;
    return hash;
  }

  function queueOf(states, now) {
    const zone = zoneOf(now), today = dayOf(now, zone);
    const known = [...faces.values()].map((face) => ({ face, ...(states.get(face.id) ?? NEW) }));
    const dayDue = (one) => Math.max(today, dayOf(one.due, zone));
    const claimed = new Map();
    for (const [id, state] of states) if (state.reviews && state.lastDay === today) claimed.set(id.split("/").slice(0, 2).join("/"), id);
    const oneOfEach = (all) => all.filter(({ face }) => {
      if (!claimed.has(face.of)) claimed.set(face.of, face.id);
      return claimed.get(face.of) === face.id;
    });
    const isLearning = ({ phase, wanted }) => (phase === "learning" || phase === "relearning") && !wanted;
    const wanted = known.filter((one) => one.wanted);
    const learning = known.filter((one) => isLearning(one) && dayDue(one) === today).sort((one, other) => one.due - other.due || (one.face.id < other.face.id ? -1 : 1));
    const due = known.filter((one) => one.phase === "review" && !one.wanted && dayDue(one) === today);
    due.sort((one, other) => Math.floor(one.due / DAY) - Math.floor(other.due / DAY) || shuffled(`${today} ${one.face.id}`) - shuffled(`${today} ${other.face.id}`));
    const fresh = known.filter((one) => !one.reviews && !one.wanted).sort(firstly);
    const dueNow = oneOfEach(due), freshNow = oneOfEach(fresh);
    const begun = known.filter((one) => one.firstDay === today && one.reviews).length;
    const newNow = freshNow.slice(0, Math.max(0, told.new - begun));
    const later = known.filter((one) => one.reviews && dayDue(one) > today).map(dayDue);
    later.push(...Array(due.length - dueNow.length + Math.min(told.new, fresh.length - newNow.length)).fill(today + 1));
    return { now, today, learning, due: [...wanted, ...dueNow], new: newNow, later };
  }

  function first({ now, learning, due, new: fresh }) {
    if (learning.length && learning[0].due <= now) return learning[0].face;
    const next = [...due, ...fresh].sort(firstly)[0] ?? (learning.length && learning[0].due <= now + AHEAD ? learning[0] : null);
    return next ? next.face : null;
  }

  const many = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

  function inWords(wait) {
    const days = wait / DAY, minutes = Math.ceil(wait / 60_000);
    if (days >= 365) return `${(days / 365.25).toFixed(1)} years`;
    if (days >= 60) return `${(days / 30.44).toFixed(1)} months`;
    if (days >= 1) return many(Math.round(days), "day");
    return minutes < 60 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
  }

  function following({ learning, later, today }) {
    if (learning.length) return `Next: a card that you are learning, at ${new Date(learning[0].due).toTimeString().slice(0, 5)}.`;
    if (!later.length) return "";
    const day = Math.min(...later), days = day - today;
    return `Next: ${many(later.filter((one) => one === day).length, "card")} ${days === 1 ? "tomorrow" : `in ${days} days`}.`;
  }

  // -- what is seen, and what is answered

  // For the home page, which counts what is due and new without the schedule.
  function keepDates(states) {
    const cards = [...new Set([...faces.values()].map(({ of }) => of))];
    const dates = [...faces.values()].map(({ id, of }) => {
      const { due, lastDay, firstDay, phase, reviews, wanted } = states.get(id) ?? NEW, card = cards.indexOf(of);
      return reviews || wanted ? { of: card, due, lastDay, firstDay: reviews ? firstDay : 0, review: phase === "review" && !wanted } : { of: card, isNew: true };
    });
    window.kept.set(`cards:${document.body.dataset.lesson}`, JSON.stringify({ most: told.new, faces: dates }));
  }

  function shown(said, face = null) {
    const now = Date.now(), { states, scheduler } = statesOf(read(lines())), queue = queueOf(states, now);
    keepDates(states);
    face ??= first(queue);
    const part = document.getElementById(face ? "asked" : "nothing").content.cloneNode(true), find = (what) => part.querySelector(what);
    const come = queue.learning.filter(({ due }) => due <= now).length;  // due by now, as in `deck.py`
    const counts = [queue.new.length, queue.learning.length - come, queue.due.length + come];
    part.querySelectorAll(".counts b").forEach((box, which) => { box.textContent = counts[which]; });
    if (!lastOfToday()) find('[value="undo"]').remove();
    find(".told").textContent = `${said} ${unkept ? "This browser keeps nothing: save your answers to a file." : ""}`.trim();
    if (!face) {
      find("h2 + p").textContent = following(queue);
      return part;
    }
    const state = states.get(face.id) ?? NEW, zone = zoneOf(now);
    find('[name="face"]').value = face.id;
    find('[name="seen"]').value = state.reviews;
    find(".front").innerHTML = face.front;
    find(".back").innerHTML = face.back;
    if (!find("img")) find("[data-figure]").remove();
    find(".about").innerHTML = `From “${face.title}”${face.optional ? ", optional" : ""}`;
    find(".aside a").href = `lesson.html#${face.section}`;
    if (state.flagged) find(".counts").insertAdjacentHTML("beforeend", '<span class="bad">⚑ flagged</span>');
    if (state.flagged) find('[value="flag"]').firstChild.textContent = "Take the flag away";
    part.querySelectorAll(".rate").forEach((button) => {
      button.querySelector("span").textContent = inWords(after(state, Number(button.value), now, zone, scheduler).due - now);
    });
    return part;
  }

  function lastOfToday() {
    const { rows } = read(lines()), now = Date.now(), own = device(), isWithdrawn = withdrawnBy(rows);
    const standing = rows.filter((row) => row.kind === "review" && row.device === own && !isWithdrawn(row) && faces.has(row.card));
    return standing.filter((row) => dayOf(row.at, row.zone) === dayOf(now, zoneOf(now))).sort((one, other) => other.number - one.number)[0];
  }
  function undo() {
    const last = lastOfToday();
    if (!last) return shown("There is no answer from today to undo.");
    add("undo", last.card, { about: last.id });
    return shown("Undone.", faces.get(last.card));
  }

  // Do what a form of the page asks for, and return what is seen then.
  function answered(fields) {
    const does = fields.get("do"), face = faces.get(fields.get("face"));
    if (does === "undo") return undo();
    const state = statesOf(read(lines())).states.get(face.id) ?? NEW;
    if (does === "flag") {
      add("flag", face.id);
      return shown(state.flagged ? "Flag removed." : "Flagged.", face);
    }
    if (fields.get("seen") !== String(state.reviews)) return shown("This card was answered elsewhere in the meantime. Here is the next one.");
    const rating = Number(does), took = Math.min(LONGEST, Number(fields.get("took")));
    add("review", face.id, { rating, took, scheduling: told.scheduling.id });
    return shown(`Answered: ${RATINGS[rating - 1]}.`);
  }

  // Add the lines of another log to this one: rows are known by their ids.
  function merged(text, name) {
    const { rows, facts, unsound } = read(text);
    if (unsound.length && !rows.length && !facts.size) return `${name}, line ${unsound[0]}: not a review. Choose a file that Cards or course review saved.`;
    const known = read(lines()), ids = new Set(known.rows.map((row) => row.id));
    const fresh = rows.filter((row) => !ids.has(row.id)), other = [...facts].filter(([id]) => !known.facts.has(id));
    write(lines() + [...other, ...fresh].map((one) => `${JSON.stringify(one)}\n`).join(""));
    return `${fresh.length} new entr${fresh.length === 1 ? "y" : "ies"}, ${rows.length - fresh.length} known already.${leftOut(unsound)}`;
  }

  function leftOut([first, ...more]) {
    if (!first) return "";
    return more.length ? ` ${more.length + 1} lines are not reviews and were left out, the first in line ${first}.` : ` Line ${first} is not a review and was left out.`;
  }

  const place = document.getElementById("card");

  document.getElementById("save").addEventListener("click", () => {
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(new Blob([lines()], { type: "application/jsonl" })), download: PLACE });
    link.click();
    URL.revokeObjectURL(link.href);
  });
  document.getElementById("bring").addEventListener("change", async ({ target }) => {
    place.replaceChildren(shown(merged(await target.files[0].text(), target.files[0].name)));
    target.value = "";
  });
  if (chosen) {
    const said = document.getElementById("first");
    said.querySelector("span").append(...chosen.querySelector("h3 a").cloneNode(true).childNodes);
    said.hidden = false;
  }
  place.replaceChildren(shown(""));
  window.deck = { answered, statesOf, read };
})();
