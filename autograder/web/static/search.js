// Finds words in the lesson's sections, cards and questions, all of which are in the page. What is called so comes first, then what holds every word,
// then what holds more of them: whole, in its title, and those that are rare. Symbols are found by their names, which can be typed: "alpha bar" is ᾱ.
(() => {
  const MOST = 30, AROUND = 70, IN_TITLE = 3, BEGUN = 0.25;
  const NAMES = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho ς sigma tau upsilon phi chi psi omega".split(" ");
  const GREEK = new Map([["eps", "ε"], ...NAMES.flatMap((name, place) => [[name, String.fromCharCode(945 + place)], [String.fromCharCode(945 + place), String.fromCharCode(945 + place)]])]);
  const ACCENTS = { bar: "\u0304", hat: "\u0302", tilde: "\u0303", dot: "\u0307" };
  const STOP = new Set("a an and are as at be by can do does for from how i in is it of on or that the this to was what when where which who why with".split(" "));
  // Small letters without accents and indices, each at its place; a Greek letter keeps its accent.
  const plain = (text) => text.replace(/[^]/g, (letter) => {
    const [base, ...marks] = letter.normalize("NFKD").toLowerCase();
    return base.length > 1 || !marks.every((one) => /\p{M}/u.test(one)) || (marks.length && GREEK.has(base)) ? letter : base;
  });
  const index = JSON.parse(document.getElementById("index").textContent).map((one) => ({ ...one, head: plain(one.title), body: plain(one.text) }));
  const field = document.getElementById("words"), count = document.getElementById("count"), list = document.getElementById("found");

  const escaped = (text) => text.replace(/[\^$\\.*+?()[\]{}|/]/g, "\\$&");

  // What finds each word that is asked for, at the beginning of a word; a symbol by its letter too, and a letter only if it stands alone.
  function patterns(asked) {
    const words = plain(asked).match(/[^\s"“”?!.,;:()]+/g) ?? [], told = words.filter((word) => !STOP.has(word)), found = [];
    const left = told.length ? told : words, whole = left.join(" ");
    while (left.length) {
      const word = left.shift(), [, name, below = ""] = word.match(/^(.*?)(?:_\{?([\p{L}\p{N}]+)\}?)?$/u), greek = GREEK.get(name);
      const accent = (greek || /^\p{L}$/u.test(name)) && ACCENTS[left[0]] ? left.shift() : "";
      const letter = greek ?? (accent && name), accented = (letter + (ACCENTS[accent] ?? "")).normalize("NFC");
      const forms = accent ? [accented] : Object.values(ACCENTS).map((mark) => (letter + mark).normalize("NFC")).filter((one) => one.length === 1);
      const index_ = below && `_?\\{?${below}`;
      const plural = /[^su]s$/.test(word) && word.length > 4 ? word.slice(0, -1) : word;
      const typed = accent ? `${escaped(word)}[ _-]?${accent}` : word.length === 1 ? `${escaped(word)}(?!\\p{L})` : escaped(plural);
      const symbol = letter ? `|(?:${[...new Set([accented, ...forms])].join("|")})${index_}` : "";
      const pattern = (end) => new RegExp(`(?<![\\p{L}\\p{N}])(?:${typed}${end}${symbol})`, "u");
      found.push({ word, begun: pattern(""), entire: pattern("(?:e?s)?(?![\\p{L}\\p{N}])") });
    }
    return [found, whole];
  }

  // How well a symbol or term is what is asked for by its whole name; a symbol may have an index, and the fewer accents, the better.
  function called({ kind, head }, [{ begun }, ...more], whole) {
    if (kind !== "Symbol" && kind !== "Term") return 0;
    if (head === whole) return 1;
    const hit = more.length ? null : begun.exec(head);
    return hit?.index === 0 && /^[a-z\d]?$/.test(head.slice(hit[0].length)) ? 1 / head.normalize("NFD").length : 0;
  }

  const holds = ({ begun, entire }, text) => (entire.test(text) ? 1 : BEGUN * begun.test(text));

  // The places that hold any of it, the best first; the patterns, the rarest first; and the words that no place holds.
  function found([wanted, whole]) {
    if (!wanted.length) return [[], [], []];
    const names = index.map((one) => called(one, wanted, whole));
    const held = wanted.map((word) => index.map(({ head, body }) => IN_TITLE * holds(word, head) + holds(word, body)));
    const nowhere = wanted.filter((_, which) => !held[which].some(Boolean));
    const all = index.map((_, place) => held.every((row) => row[place]));
    const weights = held.map((row) => Math.log(1 + index.length / Math.max(1, row.filter(Boolean).length)));
    const scores = index.map((_, place) => held.reduce((sum, row, which) => sum + weights[which] * row[place], 0));
    const best = index.map((_, place) => place).filter((place) => scores[place])
      .sort((one, other) => names[other] - names[one] || all[other] - all[one] || scores[other] - scores[one]);
    const rarest = wanted.map((_, which) => which).sort((one, other) => weights[other] - weights[one]).map((which) => wanted[which]);
    return [best.map((place) => index[place]), rarest, nowhere.map(({ word }) => word)];
  }

  // The text around the rarest word that is found, in whole words, and where in it that word begins and ends. Code stands in backticks.
  function excerpt({ text, body }, wanted) {
    const hit = wanted.map(({ begun, entire }) => entire.exec(body) ?? begun.exec(body)).find(Boolean);
    const at = hit?.index ?? 0, length = hit?.[0].length ?? 0;
    const from = text.lastIndexOf(" ", Math.max(0, at - AROUND)) + 1, end = text.indexOf(" ", at + length + AROUND);
    const ticks = (part) => part.split("`").length - 1;
    const before = (from ? "…" : "") + "`".repeat(ticks(text.slice(0, from)) % 2), start = before.length + at - from;
    const shown = before + (end < 0 ? text.slice(from) : `${text.slice(from, end)}…`), first = start - ticks(shown.slice(0, start));
    return [shown.split("`").map((part, place) => (place % 2 ? Object.assign(document.createElement("code"), { textContent: part }) : part)), first, first + length];
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

  function row(one, wanted) {
    const item = document.createElement("li"), link = document.createElement("a"), label = document.createElement("span"), around = document.createElement("p");
    label.className = "label";
    label.textContent = one.kind;
    link.href = one.href;
    link.textContent = one.title;
    const [parts, from, to] = excerpt(one, wanted);
    around.append(...parts);
    item.append(label, link, around);
    set(item);
    mark(around, from, to);
    return item;
  }

  function show() {
    const asked = field.value.trim(), [all, wanted, nowhere] = found(patterns(asked));
    list.replaceChildren(...all.slice(0, MOST).map((one) => row(one, wanted)));
    const places = `${all.length} place${all.length === 1 ? "" : "s"}${all.length > MOST ? `, the first ${MOST}` : ""}`;
    const missing = nowhere.length ? `, none with ${nowhere.map((word) => `“${word}”`).join(" or ")}` : "";
    count.textContent = !asked ? "" : all.length ? places + missing : `Nothing found for “${asked}”.`;
    try { history.replaceState(null, "", field.value ? `?words=${encodeURIComponent(field.value)}` : location.pathname); } catch { /* a file's address stays */ }
  }

  field.value = new URLSearchParams(location.search).get("words") ?? "";
  field.addEventListener("input", show);
  document.getElementById("search").addEventListener("submit", (event) => event.preventDefault());
  field.focus();
  window.course.use("static/symbols.js").then(({ withSymbols }) => { set = withSymbols; }).finally(show); // shown twice, it would jump
})();
