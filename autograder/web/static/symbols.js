// Sets the variables in what a script shows as formulas are set, by the rules of `symbols.py`.

course.provide(() => {
  const MATHML = "http://www.w3.org/1998/Math/MathML", SVG = "http://www.w3.org/2000/svg";
  const ACCENTS = { "\u0302": "^", "\u0303": "~", "\u0304": "¯", "\u0307": "˙", "\u20d7": "→" };
  const SYMBOL = /(?<![\p{L}\p{M}\\'’_@#$])(?<!\p{L}\.)(?<!<\/?)(?<![\p{L}\p{N}_]\[)([A-Za-zΑ-Ωα-ωᾱĉĝĥĵŝŵŷẑȳḡỹ][\u0302\u0303\u0304\u0307\u20d7]*)(′*)(_\{[^{}<>]{1,12}\}|_[\p{L}\p{N}]+|[\u2080-\u208e\u2090-\u209c\u1d62\u1d63\u1d64\u1d65\u1d66-\u1d6a\u2c7c]+)?([\u00b2\u00b3\u00b9\u2070-\u207f\u1d40]+)?(?![\p{L}\p{N}\p{M}_[′]|\.[\p{L}\p{N}_]|['’](?!s\b))/gu;

  // What no line ends within, a formula being one \ue000: `markdown.py` has the same rules.
  const INK = String.raw`[^\s\ue000]`, OPERATOR = "[=≈∼≤≥+−·×→<>](?= )";
  const HELD = new RegExp(
    String.raw`((?:(?<!${INK})(?:(?:${INK}*\d [+−·×] )?${INK}*|${INK}{1,4} (?=\ue000(?:[.?!]|$)(?!${INK}))))?\ue000`
    + String.raw`(?: [=≈≤≥<>] [−-]?\d${INK}*|${INK}*)(?: ${OPERATOR})?|(?<!${INK})${INK}+ ${OPERATOR})`,
  );

  // The variables in a text, each with its place and size.
  function symbolsIn(text) {
    return [...text.matchAll(SYMBOL)].flatMap(({ 0: whole, 1: base, 2: primes, 3: index = "", 4: power = "", index: at }) => {
      const [letter, ...accents] = base.normalize("NFD");
      const [before, after] = [text.slice(Math.max(0, at - 2), at), text[at + whole.length]];
      const joined = after === "-" || /[-\u00a0\d]$|\d $/.test(before);
      if (/^[A-Za-z]$/.test(whole) && (/[aAI]/.test(letter) || joined)) return [];
      const below = index.replace(/^_\{?|\}$/g, "").normalize("NFKC").replaceAll("-", "−");
      return [{ at, whole, letter, accents, primes, below, above: power.normalize("NFKC") }];
    });
  }

  const mathml = (tag, ...children) => { const node = document.createElementNS(MATHML, tag); node.append(...children); return node; };
  const row = (nodes) => (nodes.length === 1 ? nodes[0] : mathml("mrow", ...nodes));
  const tagOf = (piece) => (/^\p{L}{2,}/u.test(piece) ? "mtext" : /^\p{L}/u.test(piece) ? "mi" : /^\d/.test(piece) ? "mn" : "mo");
  const pieces = (text) => row((text.match(/\p{L}+|\d+|[^\p{L}\d\s]/gu) ?? []).map((piece) => mathml(tagOf(piece), piece)));

  function accented(under, accent) {
    const node = mathml("mover", under, mathml("mo", ACCENTS[accent]));
    node.setAttribute("accent", "true"); // or it would be as small as an index
    return node;
  }

  function inMathml({ whole, letter, accents, primes, below, above }) {
    const base = accents.reduce(accented, mathml("mi", letter));
    const up = primes + above ? row([...primes && [mathml("mi", primes)], ...above && [pieces(above)]]) : null;
    const made = below && up ? mathml("msubsup", base, pieces(below), up) : below ? mathml("msub", base, pieces(below)) : up ? mathml("msup", base, up) : base;
    const node = mathml("math", made);
    node.setAttribute("aria-label", whole); // the name of a button or a field has the formula only so
    return node;
  }

  function held(...parts) {
    const node = document.createElement("span");
    node.className = "held";
    node.append(...parts);
    return node;
  }

  // In a drawing there are no formulas, but the letters that they are made of.
  const italic = (text) => text.replace(/[A-Za-zα-ωΑ-Ω]/g, (letter) => {
    const code = letter.codePointAt(0), [from, to] = code < 91 ? [65, 0x1d434] : code < 123 ? [97, 0x1d44e] : code < 0x3aa ? [0x391, 0x1d6e2] : [0x3b1, 0x1d6fc];
    return letter === "h" ? "\u210e" : String.fromCodePoint(to + code - from);
  });
  function tspan(text, attributes = {}) {
    const node = document.createElementNS(SVG, "tspan");
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(text);
    return node;
  }
  function inSvg({ letter, accents, primes, below, above }) {
    const made = [tspan(italic(letter) + accents.join("") + primes, { class: "symbol" })];
    for (const [part, down] of [[below, "0.3em"], [above, "-0.4em"]]) {
      if (part) made.push(tspan(part.length > 1 && /^[A-Za-z]+$/.test(part) ? part : italic(part), { class: "symbol index", dy: down }), tspan("\u200b", { dy: down.startsWith("-") ? down.slice(1) : `-${down}` }));
    }
    return made;
  }

  // Set the variables in an element's texts, and return it.
  function withSymbols(node) {
    const texts = [], walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) if (!walker.currentNode.parentElement.closest("math, code, pre, kbd, option, textarea, tspan")) texts.push(walker.currentNode);
    for (const text of texts) {
      const { data } = text, found = symbolsIn(data), drawn = text.parentNode.namespaceURI === SVG;
      let end = 0, plain = "";
      for (const { at, whole } of found) {
        plain += `${data.slice(end, at)}\ue000`;
        end = at + whole.length;
      }
      const set = (piece) => piece.split(/(\ue000)/).flatMap((part) => (part !== "\ue000" ? part : drawn ? inSvg(found.shift()) : inMathml(found.shift())));
      const pieces = (plain + data.slice(end)).split(drawn ? /(?!)/ : HELD);
      if (found.length || pieces.length > 1) text.replaceWith(...pieces.flatMap((piece, at) => (at % 2 && piece !== "\ue000" ? held(...set(piece)) : set(piece))));
    }
    return node;
  }

  return { withSymbols };
});
