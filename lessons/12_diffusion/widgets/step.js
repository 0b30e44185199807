// One forward step of one pixel, and what two common mistakes would make of it. x and ε can be dragged on the drawing.

course.provide(async (use) => {
  const { forwardStep } = await use("./diffusion.js");
  const { controls, drawing, readout, sentence, slider, svg, written } = await use("../static/widgets.js");

  const [ROW, MARGIN] = [38, 24];
  const AXIS = 5 * ROW + 18;

  // The multiples of a half next to all values, at least one apart: as wide as is needed, and no wider.
  function rangeOf(values) {
    const [low, high] = [Math.floor(2 * Math.min(...values)) / 2, Math.ceil(2 * Math.max(...values)) / 2];
    return high - low < 1 ? [low, low + 1] : [low, high];
  }

  function mount(stage) {
    const x = slider({ label: "pixel x", min: -1, max: 1, step: 0.05, value: 0.8, show: (v) => written(v, 2), on: show });
    const beta = slider({ label: "variance β", min: 0, max: 1, step: 0.01, value: 0.1, show: (v) => written(v, 2), on: show });
    const eps = slider({ label: "noise ε", min: -2.5, max: 2.5, step: 0.1, value: -0.3, show: (v) => written(v, 1), on: show });
    const line = drawing(AXIS + 26, draw);
    const figures = readout();
    const said = sentence();
    stage.append(controls(x, beta, eps), line.node, figures.node, said.node);
    let range = [0, 1];
    let width = 1;
    let held = null;

    function computed() {
      const [signal, unrooted] = [Math.sqrt(1 - beta.value) * x.value, (1 - beta.value) * x.value];
      return {
        signal, unrooted, result: forwardStep(x.value, beta.value, eps.value),
        unrootedNoise: signal + beta.value * eps.value, unrootedSignal: unrooted + Math.sqrt(beta.value) * eps.value,
      };
    }
    const across = (value) => MARGIN + ((value - range[0]) / (range[1] - range[0])) * (width - 2 * MARGIN);

    function draw(wide, node) {
      width = wide;
      const { signal, unrooted, result, unrootedNoise, unrootedSignal } = computed();
      const row = (i, from, to, cls, text, grab) => {
        const [y, end] = [ROW * i + 28, across(to)];
        const half = 3.3 * text.length; // of the text, about
        return [
          svg("line", { x1: across(from), x2: end, y1: y, y2: y, class: cls }), svg("circle", { cx: end, cy: y, r: grab ? 7 : 4.5, class: `dot ${cls}` }),
          svg("text", { x: Math.min(width - half, Math.max(half, (across(from) + end) / 2)), y: y - 11, "text-anchor": "middle" }, text),
          ...(grab ? [svg("circle", { cx: end, cy: y, r: 20, class: "grab", "data-grab": grab })] : []),
        ];
      };
      const count = Math.round(2 * (range[1] - range[0])) + 1;
      const ticks = Array.from({ length: count }, (_, i) => range[0] + i / 2).flatMap((tick) => [
        svg("line", { x1: across(tick), x2: across(tick), y1: AXIS - 3, y2: AXIS + 3, class: "axis" }),
        svg("text", { x: across(tick), y: AXIS + 20, "text-anchor": "middle" }, written(tick, 1)),
      ]);
      node.replaceChildren(
        svg("line", { x1: across(result), x2: across(result), y1: ROW * 2 + 28, y2: AXIS, class: "cursor" }),
        svg("line", { x1: across(range[0]), x2: across(range[1]), y1: AXIS, y2: AXIS, class: "axis" }), ...ticks,
        ...row(3, signal, unrootedNoise, "stroke-2 ghost", `with β for √β: ${written(unrootedNoise)}`),
        ...row(4, unrooted, unrootedSignal, "stroke-2 ghost", `with 1 − β for its root: ${written(unrootedSignal)}`),
        ...row(1, 0, signal, "strong", `shrunk to ${written(signal)}`),
        ...row(0, 0, x.value, "strong", `x = ${written(x.value, 2)}`, "x"),
        ...row(2, signal, result, "stroke", `noise moves it to ${written(result)}`, "eps"),
      );
      node.setAttribute("aria-label", `On a line from ${written(range[0], 1)} to ${written(range[1], 1)}: the pixel ${written(x.value, 2)} shrinks to ${written(signal)} and noise moves it to ${written(result)}; with β for √β it would be ${written(unrootedNoise)}, with 1 − β for its root ${written(unrootedSignal)}`);
    }

    function drag({ clientX }) {
      const [low, high] = range;
      const value = low + ((clientX - line.svg.getBoundingClientRect().left - MARGIN) / (width - 2 * MARGIN)) * (high - low);
      if (held === "x") x.value = value;
      else if (beta.value > 0) eps.value = (value - computed().signal) / Math.sqrt(beta.value);
      show();
    }
    line.svg.addEventListener("pointerdown", (event) => {
      held = event.target.dataset.grab ?? null;
      if (held) line.svg.setPointerCapture(event.pointerId);
    });
    line.svg.addEventListener("pointermove", (event) => { if (held) drag(event); });
    for (const end of ["pointerup", "pointercancel"]) line.svg.addEventListener(end, () => { held = null; show(); });

    function show() {
      const { signal, unrooted, result, unrootedNoise, unrootedSignal } = computed();
      if (!held) range = rangeOf([0, x.value, signal, unrooted, result, unrootedNoise, unrootedSignal]); // no axis moves under a hand
      line.redraw();
      figures.set([
        ["signal √(1 − β) · x", written(signal)],
        ["noise √β · ε", written(Math.sqrt(beta.value) * eps.value)],
        ["the new pixel", written(result)],
        ["mistake: β for √β", written(unrootedNoise), true],
        ["mistake: no root on 1 − β", written(unrootedSignal), true],
      ]);
      const unit = `${written(1 - beta.value, 2)} + ${written(beta.value, 2)} = 1`;
      said.set(`${written(Math.sqrt(1 - beta.value))} · ${written(x.value, 2)} + ${written(Math.sqrt(beta.value))} · (${written(eps.value, 1)}) = ${written(result)}. The squares of the two factors add up to one: ${unit}.`);
    }
    show();
  }

  return { mount };
});
