// Two possible images of one pixel, and one noisy value: how likely each image is, and their average. x_t can be dragged on the drawing.

course.provide(async (use) => {
  const { alphaBars, averageImage, imagePosterior, linearBetas } = await use("./diffusion.js");
  const { controls, drawing, grey, readout, sentence, slider, svg, written } = await use("../static/widgets.js");
  const { one_pixel: IMAGES } = await use("./data/posterior.js");

  const [T, REACH] = [1000, 3];
  const BARS = alphaBars(linearBetas(T));
  const [HEIGHT, LEFT, RIGHT, BELLS, CURVE, SHARES] = [334, 28, 12, [8, 118], [158, 246], 282]; // from top to bottom: two plots, and bars of grey

  const [BLACK, WHITE] = IMAGES;
  const at = (x, t) => ({ white: imagePosterior([x], BARS[t], IMAGES)[1], average: averageImage([x], BARS[t], IMAGES)[0] });

  function mount(stage) {
    const x = slider({ label: "noisy value xₜ", min: -REACH, max: REACH, step: 0.05, value: 0.6, show: (v) => written(v, 2), on: show });
    const t = slider({ label: "t", min: 1, max: T, step: 1, value: 500, on: show });
    const plot = drawing(HEIGHT, draw);
    const figures = readout();
    const said = sentence();
    stage.append(controls(x, t), plot.node, figures.node, said.node);
    let width = 1;
    let held = false;
    const across = (value) => LEFT + ((value + REACH) / (2 * REACH)) * (width - LEFT - RIGHT);

    function draw(wide, node) {
      width = wide;
      const [bar, { white, average }] = [BARS[t.value], at(x.value, t.value)];
      const bell = (mean) => (value) => Math.exp(-((value - Math.sqrt(bar) * mean) ** 2) / (2 * (1 - bar))); // as a share of its top
      const up = (share, [top, bottom]) => bottom - share * (bottom - top);
      const places = Array.from({ length: 301 }, (_, i) => -REACH + (i * REACH) / 150);
      const line = (points, of, plane, cls) => svg("path", { class: cls, d: "M" + points.map((value) => `${across(value).toFixed(1)} ${up(of(value), plane).toFixed(1)}`).join("L") });
      const withTop = (mean) => [...places, Math.sqrt(bar) * mean].sort((a, b) => a - b); // a narrow bell keeps its top
      const guess = (value) => (at(value, t.value).average + 1) / 2;
      const dot = (share, plane, cls) => svg("circle", { cx: across(x.value), cy: up(share, plane), r: 5, class: `dot ${cls}` });
      const text = (x, y, words, anchor = "middle") => svg("text", { x, y, "text-anchor": anchor }, words);
      const [from, size] = [LEFT, width - LEFT - RIGHT - 84];
      node.replaceChildren(
        ...[BELLS, CURVE].map(([, bottom]) => svg("line", { x1: LEFT, x2: width - RIGHT, y1: bottom, y2: bottom, class: "axis" })),
        svg("line", { x1: LEFT, x2: width - RIGHT, y1: up(0.5, CURVE), y2: up(0.5, CURVE), class: "axis" }),
        svg("line", { x1: across(x.value), x2: across(x.value), y1: BELLS[0], y2: CURVE[1], class: "cursor" }),
        line(withTop(WHITE[0]), bell(WHITE[0]), BELLS, "stroke"), line(withTop(BLACK[0]), bell(BLACK[0]), BELLS, "stroke-2"),
        dot(bell(WHITE[0])(x.value), BELLS, "stroke"), dot(bell(BLACK[0])(x.value), BELLS, "stroke-2"),
        ...[-3, -2, -1, 0, 1, 2, 3].map((tick) => text(across(tick), BELLS[1] + 16, written(tick, 0))),
        ...[["black", LEFT, "stroke-2", "start"], ["white", width - RIGHT, "stroke", "end"]].flatMap(([name, edge, cls, anchor]) => [
          text(edge, BELLS[0] + 6, `if it is ${name}`, anchor), svg("line", { x1: edge, x2: edge + (anchor === "start" ? 34 : -34), y1: BELLS[0] + 16, y2: BELLS[0] + 16, class: cls }),
        ]),
        line(places, guess, CURVE, "stroke"), dot((average + 1) / 2, CURVE, "stroke"),
        text(LEFT - 8, CURVE[0] + 4, "1", "end"), text(LEFT - 8, up(0.5, CURVE) + 4, "0", "end"), text(LEFT - 8, CURVE[1] + 4, "−1", "end"), text(LEFT, CURVE[0] - 2, "their average x̂₀", "start"),
        text(from, SHARES - 8, `black, ${written(1 - white, 2)}`, "start"), text(from + size, SHARES - 8, `white, ${written(white, 2)}`, "end"), text(width - RIGHT, SHARES - 8, "average", "end"),
        svg("rect", { x: from, y: SHARES, width: size, height: 34, fill: grey(WHITE[0]), class: "image" }),
        svg("rect", { x: from, y: SHARES, width: size * (1 - white), height: 34, fill: grey(BLACK[0]), class: "image" }),
        svg("rect", { x: width - RIGHT - 54, y: SHARES, width: 54, height: 34, fill: grey(average), class: "image" }),
        svg("rect", { x: LEFT, y: 0, width: width - LEFT - RIGHT, height: CURVE[1], class: "grab along" }),
      );
      node.setAttribute("aria-label", `Two bells over x_t, one if the image is black and one if it is white, at t = ${t.value}; below them the average x̂_0 over x_t, from −1 to 1. At x_t = ${written(x.value, 2)} black has probability ${written(1 - white)}, white ${written(white)}, and the average is ${written(average)}`);
    }

    const drag = ({ clientX }) => {
      x.value = -REACH + (2 * REACH * (clientX - plot.svg.getBoundingClientRect().left - LEFT)) / (width - LEFT - RIGHT);
      show();
    };
    plot.svg.addEventListener("pointerdown", (event) => {
      held = event.target.classList.contains("grab");
      if (held) { plot.svg.setPointerCapture(event.pointerId); drag(event); }
    });
    plot.svg.addEventListener("pointermove", (event) => { if (held) drag(event); });
    for (const end of ["pointerup", "pointercancel"]) plot.svg.addEventListener(end, () => { held = false; });

    function show() {
      const { white, average } = at(x.value, t.value);
      const likelier = Math.max(white, 1 - white);
      plot.redraw();
      figures.set([
        ["black, given xₜ", written(1 - white)],
        ["white, given xₜ", written(white)],
        ["their average x̂₀", written(average)],
        ["its squared error, on average", written(1 - average ** 2)],
        ["that of the likelier image", written(4 * (1 - likelier))],
      ]);
      const colour = white > 0.5 ? "white" : "black";
      const meaning = likelier > 0.99 ? `This is almost surely ${colour}, and so the average is nearly that image.`
        : likelier < 0.55 ? "This can be either, and so the best guess in the mean square is a grey that no image has."
        : `This is more likely ${colour}, and the best guess in the mean square is a grey that leans to it.`;
      said.set(`At t = ${t.value}, xₜ = ${written(x.value, 2)} has the average ${written(1 - white, 2)} · (−1) + ${written(white, 2)} · 1 = ${written(average, 2)}. ${meaning}`);
    }
    show();
  }

  return { mount, at };
});
