// The home page of a site without a server: where to go on, and what was read and practised, as this browser remembers it.
(() => {
  const told = JSON.parse(document.getElementById("lesson").textContent);
  const page = `lesson.html:${told.title}`, read = JSON.parse(window.kept.get(`read:${page}`)) ?? [], place = window.kept.get(`reading:${page}`) ?? read.at(-1);
  const order = told.sections.map(({ id }) => id), last = Math.max(0, order.indexOf(place));
  const unread = [...told.sections.slice(last), ...told.sections.slice(0, last)].filter(({ id }) => !read.includes(id));
  const link = document.querySelector("#door-read a"), left = document.querySelector("#door-read > .quiet");
  const minutes = Math.ceil(Number(unread.reduce((sum, one) => sum + one.minutes, 0).toFixed(6)));
  if (place) {
    link.href = `lesson.html#${unread.length ? unread[0].id : ""}`;
    link.querySelector("b").textContent = unread.length ? "Read on" : "Read again";
    if (unread.length) link.querySelector("span").innerHTML = unread[0].title; else link.querySelector("span").textContent = told.title;
    left.textContent = unread.length ? `${minutes} min of reading left` : "all sections read";
  }
  function begun() {
    document.getElementById("today").textContent = "Go on";
    document.getElementById("how")?.remove();
  }
  if (place || window.kept.get(`practice:${document.body.dataset.lesson}`)) begun();
  function bars(kind, wanted, isDone) {
    document.querySelectorAll(".objectives > li").forEach((row, place) => {
      const bar = row.querySelector(`progress[data-${kind}]`);
      if (!bar) return;
      bar.value = wanted[place].filter(isDone).length;
      bar.previousElementSibling.textContent = `${bar.value} of ${bar.max}`;
    });
  }
  bars("read", told.objectives, (id) => read.includes(id));

  // The cards that are due or new, of which `deck.js` keeps the dates: of two faces of a card one a day, and of those that are learned once
  // their moment has come, as in its queue.
  function cards() {
    const { most, faces } = JSON.parse(window.kept.get(`cards:${document.body.dataset.lesson}`)) ?? { faces: [] };
    const known = faces.filter(({ isNew }) => !isNew);
    if (!known.length) return;
    begun();
    const dayOf = (at) => Math.floor((at - 60_000 * new Date().getTimezoneOffset() - 4 * 3_600_000) / 86_400_000), today = dayOf(Date.now());
    const claimed = new Map(known.filter(({ lastDay }) => lastDay === today).map((one) => [one.of, one]));
    const isFirst = (one) => { if (!claimed.has(one.of)) claimed.set(one.of, one); return claimed.get(one.of) === one; };
    const due = known.filter((one) => (one.review ? dayOf(one.due) <= today && isFirst(one) : one.due <= Date.now())).length;
    const left = Math.max(0, most - known.filter(({ firstDay }) => firstDay === today).length);
    const fresh = Math.min(left, faces.filter((one) => one.isNew && isFirst(one)).length);
    document.querySelector("#door-cards > .quiet").textContent = `${due} card${due === 1 ? "" : "s"} due${fresh ? `, ${fresh} new` : ""}`;
  }
  if (document.getElementById("door-cards")) cards();

  async function practised() {
    const { questions, streak } = await window.marks.lesson();
    const done = new Set(questions.filter((one) => window.marks.mastered(one, streak)).map(({ id }) => id));
    bars("practised", told.questions, (id) => done.has(id));
    const next = questions.find(({ id }) => !done.has(id)), core = told.core.filter((id) => !done.has(id)).length;
    const door = document.querySelector("#door-practice a");
    door.href = next ? `question-${next.id}.html` : "practice.html";
    door.querySelector("b").textContent = next ? "Next question" : "Practise";
    door.querySelector("span").textContent = next ? next.title : "every question is mastered";
    document.querySelector("#door-practice > .quiet").textContent = core ? `${core} core question${core === 1 ? "" : "s"} left` : told.core.length ? "the core is mastered" : "optional";
  }
  if (window.marks) practised().catch(console.error);
})();
