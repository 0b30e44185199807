// Finds words in the lesson's sections, cards and questions, all of which are in the page.
(() => {
  const MOST = 30, AROUND = 70;
  // Small letters without accents, each at its place.
  const plain = (text) => text.replace(/[^]/g, (letter) => { const base = letter.normalize("NFD")[0].toLowerCase(); return base.length === 1 ? base : letter; });
  const index = JSON.parse(document.getElementById("index").textContent).map((one) => ({ ...one, head: plain(one.title), body: plain(one.text) }));
  const field = document.getElementById("words"), count = document.getElementById("count"), list = document.getElementById("found");

  function found(words) {
    const all = index.filter(({ head, body }) => words.every((word) => head.includes(word) || body.includes(word)));
    const inHead = ({ head }) => words.filter((word) => head.includes(word)).length;
    return all.sort((one, other) => inHead(other) - inHead(one));
  }

  // The text around the first word that is found, which is marked.
  function excerpt({ text, body }, words) {
    const at = Math.max(0, Math.min(...words.map((word) => body.indexOf(word)).filter((place) => place >= 0), text.length));
    const word = words.find((one) => body.startsWith(one, at)), from = Math.max(0, at - AROUND);
    if (!word) return [text.slice(0, 2 * AROUND)];
    const mark = document.createElement("mark");
    mark.textContent = text.slice(at, at + word.length);
    return [(from ? "…" : "") + text.slice(from, at), mark, `${text.slice(at + word.length, at + word.length + AROUND)}…`];
  }

  let set = (item) => item; // the variables in it as formulas, once that is loaded
  window.course.use("static/symbols.js").then(({ withSymbols }) => { set = withSymbols; show(); });

  function row(one, words) {
    const item = document.createElement("li"), link = document.createElement("a"), label = document.createElement("span"), around = document.createElement("p");
    label.className = "label";
    label.textContent = one.kind;
    link.href = one.href;
    link.textContent = one.title;
    around.append(...excerpt(one, words));
    item.append(label, link, around);
    return set(item);
  }

  function show() {
    const words = plain(field.value).split(/\s+/).filter(Boolean), all = words.length ? found(words) : [];
    list.replaceChildren(...all.slice(0, MOST).map((one) => row(one, words)));
    count.textContent = !words.length ? "" : all.length > MOST ? `${all.length} places, the first ${MOST}` : `${all.length || "No"} place${all.length === 1 ? "" : "s"}`;
    try { history.replaceState(null, "", field.value ? `?words=${encodeURIComponent(field.value)}` : location.pathname); } catch { /* a file's address stays */ }
  }

  field.value = new URLSearchParams(location.search).get("words") ?? "";
  field.addEventListener("input", show);
  document.getElementById("search").addEventListener("submit", (event) => event.preventDefault());
  field.focus();
  show();
})();
