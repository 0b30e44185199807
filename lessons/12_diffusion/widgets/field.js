// Five possible images of two pixels: the average E[x_0 | x_t] at any point of the plane, the exact ε, and the way to the data as t falls.

course.provide(async (use) => {
  const { alphaBars, averageImage, ddim, exactEps, imagePosterior, linearBetas } = await use("./diffusion.js");
  const { controls, el, grey, normal, pane, readout, sentence, slider, svg, withSymbols, written } = await use("../static/widgets.js");
  const { two_pixels: IMAGES } = await use("./data/posterior.js");

  const [T, STRIDE, FINE] = [1000, 50, 10]; // a press of the button, and a step of the way
  const BARS = alphaBars(linearBetas(T));
  const [SIDE, REACH] = [440, 2.4];
  const at = (value) => SIDE / 2 + (value / REACH) * (SIDE / 2);
  const eps = (x, t) => exactEps(x, BARS[t], IMAGES, 0);

  // The t of DDIM's steps: this one, and every tenth below it.
  const pathFrom = (t) => [t, ...Array.from({ length: Math.ceil(t / FINE) }, (_, i) => FINE * (Math.ceil(t / FINE) - 1 - i))];
  const way = (x, t) => ddim(x, BARS, pathFrom(t), eps);

  function arrow([a, b], [c, d], cls, head) {
    const [from, to] = [[at(a), at(-b)], [at(c), at(-d)]];
    const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
    if (length < 1) return [];
    const [u, v] = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
    const wing = (side) => `${(to[0] - head * u - side * 0.5 * head * v).toFixed(1)} ${(to[1] - head * v + side * 0.5 * head * u).toFixed(1)}`;
    return [svg("path", { class: cls, d: `M${from.map((n) => n.toFixed(1)).join(" ")}L${to.map((n) => n.toFixed(1)).join(" ")}M${wing(1)}L${to.map((n) => n.toFixed(1)).join(" ")}L${wing(-1)}` })];
  }

  function mount(stage) {
    const pixel = (name, value) => slider({ label: `${name} pixel of xₜ`, min: -REACH, max: REACH, step: 0.05, value, show: (v) => written(v, 2), on: moved });
    const [first, second] = [pixel("first", 0.35), pixel("second", -1.6)];
    const t = slider({ label: "t", min: 0, max: T, step: 1, value: 700, on: moved, wide: true });
    const drawing = svg("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, role: "img", class: "plane free" });
    const plane = pane(drawing, "Rings are the five images, filled the more, the likelier they are. The square is their average x̂_0; the bold arrow is the average noise in x_t; the line is the way back. Drag x_t, or click where it should be.");
    const onward = el("button", { type: "button", class: "button" }, "A step back");
    const again = el("button", { type: "button", class: "button second" }, "New noise");
    const figures = readout();
    const said = sentence();
    stage.append(controls(first, second, t), el("div", { class: "beside" }, plane.node, el("div", {}, el("div", { class: "buttons" }, onward, again), figures.node, said.node)));

    const draw = normal(3);
    let held = false;
    let reached = null; // an x_t between the marks of the sliders, and x_0 where they end
    const state = () => reached ?? { x: [first.value, second.value], t: t.value };

    function moved() { reached = null; show(); }
    function go(x, to) {
      [first.value, second.value, t.value] = [...x, to];
      reached = { x, t: to };
      show();
    }
    onward.addEventListener("click", () => {
      const now = state();
      const target = STRIDE * (Math.ceil(now.t / STRIDE) - 1);
      go(way(now.x, now.t)[pathFrom(now.t).indexOf(target)], target);
    });
    again.addEventListener("click", () => go([draw(), draw()], T));

    const drag = ({ clientX, clientY }) => {
      const { left, top, width } = drawing.getBoundingClientRect();
      const along = (place) => (2 * place / width - 1) * REACH;
      first.value = along(clientX - left);
      second.value = -along(clientY - top);
      moved();
    };
    drawing.addEventListener("pointerdown", (event) => {
      held = event.target.classList.contains("grab");
      if (held) drawing.setPointerCapture(event.pointerId);
    });
    drawing.addEventListener("pointermove", (event) => { if (held) drag(event); });
    drawing.addEventListener("click", drag);
    for (const end of ["pointerup", "pointercancel"]) drawing.addEventListener(end, () => { held = false; });

    function show() {
      const { x, t: now } = state();
      const done = now === 0;
      const shares = done ? IMAGES.map((image) => (Math.hypot(image[0] - x[0], image[1] - x[1]) < 0.1 ? 1 : 0)) : imagePosterior(x, BARS[now], IMAGES);
      const average = done ? x : averageImage(x, BARS[now], IMAGES);
      const noise = done ? [0, 0] : eps(x, now);
      const shrunk = average.map((value) => Math.sqrt(BARS[now]) * value);
      const grid = done ? [] : [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2];
      const field = grid.flatMap((a) => grid.flatMap((b) => {
        const own = eps([a, b], now);
        const size = Math.hypot(...own) || 1;
        return arrow([a, b], [a - (0.3 * own[0]) / Math.max(1, size), b - (0.3 * own[1]) / Math.max(1, size)], "field", 5);
      }));
      const trajectory = done ? [x] : way(x, now);
      drawing.replaceChildren(
        ...field,
        ...IMAGES.flatMap(([a, b], k) => [svg("circle", { cx: at(a), cy: at(-b), r: 11, class: "centre" }), svg("circle", { cx: at(a), cy: at(-b), r: 11 * Math.sqrt(shares[k]), class: "share" })]),
        svg("path", { class: "way only", d: "M" + trajectory.map(([a, b]) => `${at(a).toFixed(1)} ${at(-b).toFixed(1)}`).join("L") }),
        ...arrow(shrunk, x, "stroke-2 solid", 11),
        svg("rect", { x: at(average[0]) - 6, y: at(-average[1]) - 6, width: 12, height: 12, class: "average" }),
        svg("circle", { cx: at(x[0]), cy: at(-x[1]), r: 8, class: "dot stroke" }),
        svg("circle", { cx: at(x[0]), cy: at(-x[1]), r: 28, class: "grab" }),
      );
      const likeliest = shares.indexOf(Math.max(...shares));
      const end = trajectory[trajectory.length - 1];
      const pair = (values) => `(${values.map((value) => written(value, 2)).join(", ")})`;
      const swatch = (values) => svg("svg", { viewBox: "0 0 48 24", class: "swatch", "aria-hidden": "true" }, ...values.map((value, k) => svg("rect", { x: 24 * k, y: 0, width: 24, height: 24, fill: grey(value), class: "image" })));
      figures.set([
        ["xₜ", el("span", {}, swatch(x), pair(x))],
        ["the average x̂₀", el("span", {}, swatch(average), pair(average))],
        ["the exact ε̂", pair(noise)],
        ["the likeliest image has", written(shares[likeliest], 2)],
      ]);
      onward.disabled = done;
      onward.textContent = done ? "Arrived" : `A step back, to t = ${STRIDE * (Math.ceil(now / STRIDE) - 1)}`;
      withSymbols(onward);
      drawing.setAttribute("aria-label", `A plane of images of two pixels at t = ${now}: x_t at ${pair(x)}, the average x̂_0 at ${pair(average)}; the way back ends at ${pair(end)}. The five images have the probabilities ${shares.map((share) => written(share, 2)).join(", ")}`);
      const words = done && shares[likeliest] ? "This is one of the five images, and no average of several."
        : done ? "No image is here, so no image has led to this."
        : shares[likeliest] < 0.5 ? "Several images are compatible, and their average is a blur that is none of them."
        : shares[likeliest] < 0.95 ? "Fewer images are compatible, and the average comes closer to one."
        : "Hardly more than one image is left, and the average is close to it.";
      said.set(`t = ${now}. ${words}${done ? "" : ` The way back ends at ${pair(end)}.`}`);
    }
    show();
  }

  return { mount, way, pathFrom };
});
