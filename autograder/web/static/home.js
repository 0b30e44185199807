// The home page of a site without a server: where to go on, and what was read, as this browser remembers it.
(() => {
  const told = JSON.parse(document.getElementById("lesson").textContent);
  let read = [];
  try { read = JSON.parse(localStorage.getItem(`read:lesson.html:${told.title}`) || "[]"); } catch { /* nothing is remembered */ }
  const order = told.sections.map(({ id }) => id), last = Math.max(0, order.indexOf(read.at(-1)));
  const unread = [...told.sections.slice(last), ...told.sections.slice(0, last)].filter(({ id }) => !read.includes(id));
  const link = document.querySelector("#door-read a"), left = document.querySelector("#door-read > .quiet");
  const minutes = Math.ceil(Number(unread.reduce((sum, one) => sum + one.minutes, 0).toFixed(6)));
  link.href = `lesson.html#${unread.length ? unread[0].id : ""}`;
  link.querySelector("b").textContent = unread.length ? "Read on" : "Read again";
  link.querySelector("span").textContent = unread.length ? unread[0].title : told.title;
  left.textContent = unread.length ? `${minutes} min of reading left` : "all sections read";
  if (read.length) document.getElementById("today").textContent = "Go on";
  document.querySelectorAll(".objectives > li").forEach((row, place) => {
    const bar = row.querySelector("progress[data-read]");
    if (!bar) return;
    bar.value = told.objectives[place].filter((id) => read.includes(id)).length;
    bar.previousElementSibling.textContent = `${bar.value} of ${bar.max}`;
  });
})();
