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

  // The text around the first word that is found, in whole words, and where in it that word begins and ends.
  function excerpt({ text, body }, words) {
    const at = Math.max(0, Math.min(...words.map((word) => body.indexOf(word)).filter((place) => place >= 0), text.length));
    const word = words.find((one) => body.startsWith(one, at));
    if (!word) return [text.slice(0, 2 * AROUND), 0, 0];
    const from = text.lastIndexOf(" ", Math.max(0, at - AROUND)) + 1, end = text.indexOf(" ", at + word.length + AROUND);
    const before = from ? "…" : "", start = before.length + at - from;
    return [before + (end < 0 ? text.slice(from) : `${text.slice(from, end)}…`), start, start + word.length];
  }

  // Variables are set while the text is whole, and marked as their source is: a mark before would make variables of what it leaves of a word.
  const leaves = (node) => [...node.childNodes].flatMap((one) => (one.localName === "math" || one.nodeType === Node.TEXT_NODE ? [one] : leaves(one)));
  function mark(node, from, to) {
    node.normalize();
    let at = 0;
    for (const leaf of leaves(node)) {
      const start = at, range = new Range();
      at += (leaf.data ?? leaf.getAttribute("aria-label")).length;
      if (start >= to || at <= from) continue;
      range.selectNode(leaf);
      if (leaf.data) { range.setStart(leaf, Math.max(0, from - start)); range.setEnd(leaf, Math.min(leaf.length, to - start)); }
      range.surroundContents(document.createElement("mark"));
    }
  }

  let set = (item) => item; // the variables in it as formulas

  function row(one, words) {
    const item = document.createElement("li"), link = document.createElement("a"), label = document.createElement("span"), around = document.createElement("p");
    label.className = "label";
    label.textContent = one.kind;
    link.href = one.href;
    link.textContent = one.title;
    const [text, from, to] = excerpt(one, words);
    around.append(text);
    item.append(label, link, around);
    set(item);
    mark(around, from, to);
    return item;
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
  window.course.use("static/symbols.js").then(({ withSymbols }) => { set = withSymbols; }).finally(show); // shown twice, it would jump
})();
