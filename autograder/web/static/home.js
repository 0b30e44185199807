// The home page of a site without a server: where to go on, and what was read and practised, as this browser remembers it.
(() => {
  const told = JSON.parse(document.getElementById("lesson").textContent);
  const read = JSON.parse(window.kept.get(`read:lesson.html:${told.title}`)) ?? [];
  const order = told.sections.map(({ id }) => id), last = Math.max(0, order.indexOf(read.at(-1)));
  const unread = [...told.sections.slice(last), ...told.sections.slice(0, last)].filter(({ id }) => !read.includes(id));
  const link = document.querySelector("#door-read a"), left = document.querySelector("#door-read > .quiet");
  const minutes = Math.ceil(Number(unread.reduce((sum, one) => sum + one.minutes, 0).toFixed(6)));
  if (read.length) {
    link.href = `lesson.html#${unread.length ? unread[0].id : ""}`;
    link.querySelector("b").textContent = unread.length ? "Read on" : "Read again";
    if (unread.length) link.querySelector("span").innerHTML = unread[0].title; else link.querySelector("span").textContent = told.title;
    left.textContent = unread.length ? `${minutes} min of reading left` : "all sections read";
    document.getElementById("today").textContent = "Go on";
    document.getElementById("how").remove();
  }
  function bars(kind, wanted, isDone) {
    document.querySelectorAll(".objectives > li").forEach((row, place) => {
      const bar = row.querySelector(`progress[data-${kind}]`);
      if (!bar) return;
      bar.value = wanted[place].filter(isDone).length;
      bar.previousElementSibling.textContent = `${bar.value} of ${bar.max}`;
    });
  }
  bars("read", told.objectives, (id) => read.includes(id));

  // The cards that are due, of which `deck.js` keeps the dates: of two faces of a card one a day, and of those that are learned once their
  // moment has come, as in its queue.
  function due() {
    const begun = JSON.parse(window.kept.get(`due:${document.body.dataset.lesson}`)) ?? [];
    if (!begun.length) return;
    const dayOf = (at) => Math.floor((at - 60_000 * new Date().getTimezoneOffset() - 4 * 3_600_000) / 86_400_000), today = dayOf(Date.now());
    const claimed = new Map(begun.filter(({ lastDay }) => lastDay === today).map(({ of, id }) => [of, id]));
    const count = begun.filter((one) => {
      if (!one.review) return one.due <= Date.now();
      if (dayOf(one.due) > today) return false;
      if (!claimed.has(one.of)) claimed.set(one.of, one.id);
      return claimed.get(one.of) === one.id;
    }).length;
    document.querySelector("#door-cards > .quiet").textContent = `${count} card${count === 1 ? "" : "s"} due`;
  }
  if (document.getElementById("door-cards")) due();

  async function practised() {
    const { questions, streak } = await window.marks.lesson();
    const done = new Set(questions.filter((one) => window.marks.mastered(one, streak)).map(({ id }) => id));
    bars("practised", told.questions, (id) => done.has(id));
    const next = questions.find(({ id }) => !done.has(id)), core = told.core.filter((id) => !done.has(id)).length;
    const door = document.querySelector("#door-practice a");
    door.href = next ? `question-${next.id}.html` : "practice.html";
    door.querySelector("b").textContent = next ? "Next question" : "Practise";
    door.querySelector("span").textContent = next ? next.title : "every question is mastered";
    document.querySelector("#door-practice > .quiet").textContent = `${core} core question${core === 1 ? "" : "s"} left`;
  }
  if (window.marks) practised().catch(console.error);
})();
