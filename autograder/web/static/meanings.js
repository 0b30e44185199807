// Finds the symbol of the glossary to which a part of a formula belongs, by its form. The largest one counts: in x_t the t, too, is of x_t.
// One with the index t stands for every index without a meaning of its own, as in `glossary.py`.
course.provide(() => {
  const form = (node) => node.outerHTML.replace(/ [a-z-]+="[^"]*"/g, "");
  const known = new Map(), indexed = new Map();
  for (const { id, firstElementChild: name } of document.querySelectorAll(".glossary > div")) {
    const symbol = name.querySelector(":scope > math:only-child")?.firstElementChild;
    if (!symbol) continue;
    known.set(form(symbol), id);
    if (symbol.localName === "msub" && symbol.lastElementChild.textContent === "t") indexed.set(form(symbol.firstElementChild), id);
  }
  function idOf(node) {
    const [base, index] = node.children;
    if (node.localName === "msub" || node.localName === "msubsup") return known.get(`<msub>${form(base)}${form(index)}</msub>`) ?? indexed.get(form(base));
    return known.get(form(node));
  }
  return (node) => {
    let found = null;
    for (let at = node; at && at.localName !== "math"; at = at.parentElement) if (idOf(at)) found = [at, idOf(at)];
    if (found) found[0].style.cursor = "help";
    return found;
  };
});
