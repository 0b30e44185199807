// Guidance in a plane: two classes of two clusters each, where the exact ε̂ is known. The condition asks for the filled class.

course.provide(async (use) => {
  const { alphaBars, cosineBetas, ddim, evenPath, exactEps, guide } = await use("./diffusion.js");
  const { controls, normal, pane, readout, sentence, slider, svg, el, written } = await use("../static/widgets.js");

  const T = 1000;
  const OURS = [[-0.9, 0.1], [-0.1, 0.9]];
  const OTHER = [[0.1, -0.9], [0.9, -0.1]];
  const CENTRES = [...OURS, ...OTHER];
  const STD = 0.12; // of a cluster, along each axis
  const INSIDE = 2 * STD; // the radius that holds 1 − e⁻² = 86 % of a cluster's data
  const BARS = alphaBars(cosineBetas(T - 1)).slice(0, T); // T − 1 steps: ᾱ_T itself is nearly 0
  const PATH = evenPath(T - 2, 60);
  const [SIDE, REACH, POINTS] = [440, 2.3, 60];
  const at = (value) => SIDE / 2 + (value / REACH) * (SIDE / 2);
  const draw = normal(7);
  const starts = Array.from({ length: POINTS }, () => [draw(), draw()]);

  const trajectory = (start, w) =>
    ddim(start, BARS, PATH, (x, t) => guide(exactEps(x, BARS[t], CENTRES, STD), exactEps(x, BARS[t], OURS, STD), w));

  const distance = ([a, b], [c, d]) => Math.hypot(a - c, b - d);
  const mean = (numbers) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;

  // What became of the end points: the share in the requested class, the standard deviation within a cluster, the share outside the data.
  function measured(ends) {
    const nearest = ends.map((end) => CENTRES.reduce((best, centre, k) => (distance(end, centre) < distance(end, CENTRES[best]) ? k : best), 0));
    const clusters = CENTRES.map((_, k) => ends.filter((_, i) => nearest[i] === k)).filter((own) => own.length);
    const squares = clusters.flatMap((own) => {
      const middle = [0, 1].map((axis) => mean(own.map((end) => end[axis])));
      return own.map((end) => distance(end, middle) ** 2);
    });
    return {
      asked: mean(nearest.map((k) => (k < OURS.length ? 1 : 0))),
      std: Math.sqrt(mean(squares)),
      outside: mean(ends.map((end, i) => (distance(end, CENTRES[nearest[i]]) > INSIDE ? 1 : 0))),
    };
  }

  function mount(stage) {
    const w = slider({ label: "Guidance w", min: 0, max: 8, step: 0.25, value: 1, show: (v) => written(v, 2), on: show, wide: true });
    const drawing = svg("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, role: "img", class: "plane" });
    const plane = pane(drawing, "Each line is the trajectory of one point from noise to a sample; a circle holds 86 % of a cluster's data. Drag left or right to change w.");
    const figures = readout();
    const said = sentence();
    stage.append(controls(w), el("div", { class: "beside" }, plane.node, el("div", {}, figures.node, said.node)));

    let held = null;
    drawing.addEventListener("pointerdown", (event) => { held = { x: event.clientX, w: w.value }; drawing.setPointerCapture(event.pointerId); });
    drawing.addEventListener("pointermove", (event) => {
      if (!held) return;
      w.value = held.w + ((event.clientX - held.x) / drawing.clientWidth) * 8;
      show();
    });
    for (const end of ["pointerup", "pointercancel"]) drawing.addEventListener(end, () => { held = null; });

    function show() {
      const trajectories = starts.map((start) => trajectory(start, w.value));
      const ends = trajectories.map((each) => each[each.length - 1]);
      const { asked, std, outside } = measured(ends);
      const circle = (cls) => ([a, b]) => svg("circle", { cx: at(a), cy: at(-b), r: at(INSIDE) - at(0), class: cls });
      drawing.replaceChildren(
        ...trajectories.map((each) => svg("path", { class: "way", d: "M" + each.map(([a, b]) => `${at(a).toFixed(1)} ${at(-b).toFixed(1)}`).join("L") })),
        ...OURS.map(circle("centre asked")), ...OTHER.map(circle("centre")),
        ...ends.map(([a, b]) => svg("circle", { cx: at(a), cy: at(-b), r: 3.5, class: "end" })),
      );
      const percent = (share) => `${Math.round(100 * share)} %`;
      figures.set([
        ["end in the requested class", percent(asked)],
        ["std within a cluster (the data's: 0.17)", written(std, 2)],
        ["end outside the data (of the data: 14 %)", percent(outside)],
      ]);
      const words = w.value === 0 ? "The condition is ignored: the trajectories end in both classes."
        : w.value < 1 ? "Between ignoring the condition and obeying it: some trajectories end between the classes, where there is no data."
        : w.value === 1 ? "The plain conditional model: all end in the class, spread as its data are."
        : outside < 0.25 ? "The trajectories bend away from the other class, and their ends crowd together."
        : "Too much: the ends crowd together, and are pushed out of the data, away from the other class.";
      drawing.setAttribute("aria-label", `Trajectories of ${POINTS} points in a plane at w = ${written(w.value, 2)}: ${percent(asked)} end in the requested class, with a standard deviation of ${written(std, 2)} within a cluster, and ${percent(outside)} end outside the data`);
      said.set(`w = ${written(w.value, 2)}. ${words}`);
    }
    show();
  }

  return { mount, trajectory, starts };
});
