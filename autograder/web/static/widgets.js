// What widgets are built from: sliders, choices, images, drawings, and a sentence that describes what is shown.

course.provide(async (use) => {
  const { withSymbols } = await use("./symbols.js");
  const SVG = "http://www.w3.org/2000/svg";

  function el(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  function svg(tag, attributes = {}, ...children) {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return tag === "text" ? withSymbols(node) : node;
  }

  const label = (id, text) => withSymbols(el("label", { for: id }, text));

  // Numbers as the lesson writes them: a real minus sign, and never "−0".
  function written(value, digits = 3) {
    if (!Number.isFinite(value)) return value > 0 ? "∞" : "–";
    const text = value.toFixed(digits);
    return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
  }

  let made = 0;

  function slider({ label: name, min, max, step, value, show = String, on, wide = false }) {
    const id = `part-${++made}`;
    const output = el("span", { class: "value", "aria-hidden": "true" }); // a screen reader reads the slider's own value
    const input = el("input", { type: "range", id, min, max, step, value });
    const node = el("div", { class: wide ? "control wide" : "control" }, el("span", {}, label(id, name), output), input);
    const tell = () => {
      output.textContent = show(input.valueAsNumber);
      input.setAttribute("aria-valuetext", output.textContent);
      withSymbols(output);
    };
    input.addEventListener("input", () => { tell(); on?.(input.valueAsNumber); });
    tell();
    return {
      node, input,
      get value() { return input.valueAsNumber; },
      set value(next) { input.value = next; tell(); },
      retell: tell,
    };
  }

  function choice({ label: name, options, value, on }) {
    const id = `part-${++made}`;
    const input = el("select", { id }, ...options.map(([key, text]) => el("option", { value: key }, text)));
    if (value !== undefined) input.value = value;
    input.addEventListener("change", () => on?.(input.value));
    return { node: el("div", { class: "control" }, el("span", {}, label(id, name)), input), input, get value() { return input.value; } };
  }

  const controls = (...parts) => el("div", { class: "controls" }, ...parts.map((part) => part.node ?? part));

  function pane(drawing, caption) {
    const text = el("figcaption", {});
    const tell = (html) => { text.innerHTML = html; withSymbols(text); };
    tell(caption);
    return { node: el("figure", { class: "pane" }, drawing, text), set caption(html) { tell(html); } };
  }

  const panes = (...each) => el("div", { class: "panes" }, ...each.map((one) => one.node));

  const imageCanvas = (side, label) => el("canvas", { width: side, height: side, class: "pixels", role: "img", "aria-label": label });

  const byte = (value) => Math.round((Math.min(1, Math.max(-1, value)) + 1) * 127.5);
  const grey = (value) => `rgb(${byte(value)} ${byte(value)} ${byte(value)})`; // of a number in [−1, 1]

  // Paint numbers in [−1, 1], row by row, in grey.
  function paint(canvas, values) {
    const bytes = Uint8Array.from(values, byte);
    paintBytes(canvas, bytes, 1);
  }

  function paintBytes(canvas, bytes, colours) {
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    for (let i = 0; i < canvas.width * canvas.height; i++) {
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = bytes[colours * i + (colours === 3 ? c : 0)];
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }

  const unpack = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

  // A drawing as wide as its container, so that text keeps its size; `draw` gets the width, now and whenever it changes.
  function drawing(height, draw) {
    const node = svg("svg", { "aria-hidden": "true", height }); // until there is something to see, and words for it
    const box = el("div", { class: "drawing" }, node);
    let width = 0;
    const redraw = () => {
      if (!width) return;
      node.setAttribute("viewBox", `0 0 ${width} ${height}`);
      draw(width, node);
      node.removeAttribute("aria-hidden");
      node.setAttribute("role", "img");
    };
    new ResizeObserver(() => {
      if (Math.round(box.clientWidth) === width) return;
      width = Math.round(box.clientWidth);
      redraw();
    }).observe(box);
    return { node: box, svg: node, redraw };
  }

  // Named figures; `set` takes rows of [name, value, isMistake].
  function readout() {
    const node = el("dl", { class: "readout" });
    return {
      node,
      set(rows) {
        node.replaceChildren(...rows.map(([name, value, mistake]) => withSymbols(el("div", mistake ? { class: "mistake" } : {}, el("dt", {}, name), el("dd", {}, value)))));
      },
    };
  }

  // A sentence about what is shown. A screen reader speaks it when the reader pauses, not at every move of a slider.
  function sentence() {
    const seen = el("p", { class: "says" });
    const heard = el("p", { class: "hidden", role: "status" });
    let timer = null;
    return {
      node: el("div", {}, seen, heard),
      set(text, aloud = true) {
        seen.textContent = text;
        withSymbols(seen);
        clearTimeout(timer);
        if (aloud) timer = setTimeout(() => { heard.textContent = text; }, 600);
      },
    };
  }

  // A seeded source of normal numbers: mulberry32, then the Box-Muller transform.
  function normal(seed) {
    let state = seed >>> 0;
    const uniform = () => {
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  }

  return { el, svg, written, slider, choice, controls, pane, panes, imageCanvas, grey, paint, paintBytes, unpack, drawing, readout, sentence, normal, withSymbols };
});
