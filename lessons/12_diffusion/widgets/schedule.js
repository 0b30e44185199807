// Two schedules over t: how much of the image is left, and when half of the variance is noise.

course.provide(async (use) => {
  const { alphaBars, cosineBetas, linearBetas } = await use("./diffusion.js");
  const { choice, controls, drawing, readout, sentence, slider, svg, written } = await use("../static/widgets.js");

  const T = 1000;
  const [HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [280, 44, 34, 12, 12];
  const VIEWS = {
    bar: { name: "ᾱ, the image's share", of: (bar) => bar, low: 0, high: 1, ticks: [0, 0.25, 0.5, 0.75, 1], digits: 4 },
    image: { name: "image factor √ᾱ", of: Math.sqrt, low: 0, high: 1, ticks: [0, 0.25, 0.5, 0.75, 1], digits: 4 },
    noise: { name: "noise factor √(1 − ᾱ)", of: (bar) => Math.sqrt(1 - bar), low: 0, high: 1, ticks: [0, 0.25, 0.5, 0.75, 1], digits: 4 },
    snr: { name: "signal to noise, as a power of ten", of: (bar) => Math.log10(bar / (1 - bar)), low: -9, high: 4, ticks: [-8, -6, -4, -2, 0, 2, 4], digits: 2 },
  };

  function mount(stage) {
    const view = choice({ label: "Show", options: Object.entries(VIEWS).map(([key, { name }]) => [key, name]), on: show });
    const last = slider({ label: "last β of the linear schedule", min: 0.002, max: 0.04, step: 0.001, value: 0.02, show: (v) => written(v, 3), on: show });
    const t = slider({ label: "t", min: 0, max: T, step: 1, value: 259, on: show, wide: true });
    const plot = drawing(HEIGHT, draw);
    const figures = readout();
    const said = sentence();
    stage.append(controls(view, last, t), plot.node, figures.node, said.node);
    const cosine = alphaBars(cosineBetas(T));

    function draw(width, node) {
      const linear = alphaBars(linearBetas(T, 1e-4, last.value));
      const { name, of, low, high, ticks } = VIEWS[view.value];
      const across = (t) => LEFT + (t / T) * (width - LEFT - RIGHT);
      const up = (value) => HEIGHT - BOTTOM - ((Math.max(low, Math.min(high, value)) - low) / (high - low)) * (HEIGHT - BOTTOM - TOP);
      const curve = (bars, cls) => svg("path", { class: cls, d: "M" + Array.from({ length: T / 4 + 1 }, (_, i) => `${across(4 * i).toFixed(1)} ${up(of(bars[4 * i])).toFixed(1)}`).join("L") });
      node.replaceChildren(
        ...ticks.flatMap((tick) => [
          svg("line", { x1: LEFT, x2: width - RIGHT, y1: up(tick), y2: up(tick), class: "axis" }),
          svg("text", { x: LEFT - 8, y: up(tick) + 4, "text-anchor": "end" }, view.value === "snr" ? written(tick, 0) : String(tick)),
        ]),
        ...[0, 250, 500, 750, 1000].map((tick) => svg("text", { x: across(tick), y: HEIGHT - 12, "text-anchor": tick === T ? "end" : "middle" }, `${tick === 0 ? "t = " : ""}${tick}`)),
        svg("line", { x1: across(t.value), x2: across(t.value), y1: TOP, y2: HEIGHT - BOTTOM, class: "cursor" }),
        curve(linear, "stroke"), curve(cosine, "stroke-2"),
        svg("circle", { cx: across(t.value), cy: up(of(linear[t.value])), r: 5, class: "dot stroke" }),
        svg("circle", { cx: across(t.value), cy: up(of(cosine[t.value])), r: 5, class: "dot stroke-2" }),
      );
      node.setAttribute("aria-label", `${name} over t, for the linear and the cosine schedule, from t = 0 to 1000`);
    }

    function show() {
      const linear = alphaBars(linearBetas(T, 1e-4, last.value));
      const { name, of, digits } = VIEWS[view.value];
      plot.redraw();
      const half = (bars) => bars.findIndex((bar) => bar <= 0.5) - 1; // the last t at which more than half is image
      const shown = (bar) => (t.value === 0 && view.value === "snr" ? "∞" : written(of(bar), digits));
      figures.set([
        ["linear, the solid line", shown(linear[t.value])],
        ["cosine, the dashed line", shown(cosine[t.value])],
        ["linear: half is noise at", half(linear) < 0 ? "never" : `t = ${half(linear)}`],
        ["cosine: half is noise at", `t = ${half(cosine)}`],
      ]);
      const left = Math.sqrt(linear[T]);
      said.set(`At t = ${t.value}, ${name}: linear ${shown(linear[t.value])}, cosine ${shown(cosine[t.value])}. At the end the linear schedule leaves ${written(left, 4)} of the image.`);
    }
    show();
  }

  return { mount };
});
