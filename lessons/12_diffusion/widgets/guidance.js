// Guidance in a plane: two classes of two clusters each, where the exact ε̂ is known. The condition asks for the filled class.
import { alphaBars, cosineBetas, ddim, evenPath, exactEps, guide } from "./diffusion.js";
import { controls, normal, pane, panes, readout, sentence, slider, svg, el, written } from "../static/widgets.js";

const T = 1000;
const OURS = [[-0.9, 0.1], [-0.1, 0.9]];
const OTHER = [[0.1, -0.9], [0.9, -0.1]];
const BARS = alphaBars(cosineBetas(T - 1)).slice(0, T); // T − 1 steps: ᾱ_T itself is nearly 0
const PATH = evenPath(T - 2, 60);
const [SIDE, REACH, POINTS] = [440, 2.3, 60];
const at = (value) => SIDE / 2 + (value / REACH) * (SIDE / 2);

export const trajectory = (start, w) =>
  ddim(start, BARS, PATH, (x, t) => guide(exactEps(x, BARS[t], [...OURS, ...OTHER]), exactEps(x, BARS[t], OURS), w));

export function mount(stage) {
  const draw = normal(7);
  const starts = Array.from({ length: POINTS }, () => [draw(), draw()]);
  const w = slider({ label: "guidance w", min: 0, max: 8, step: 0.25, value: 1, show: (v) => written(v, 2), on: show, wide: true });
  const drawing = svg("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, role: "img", class: "plane" });
  const plane = pane(drawing, "Each line is the trajectory of one point from noise to a sample. Drag left or right to change w.");
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

  const distance = ([a, b], [c, d]) => Math.hypot(a - c, b - d);
  function show() {
    const trajectories = starts.map((start) => trajectory(start, w.value));
    const ends = trajectories.map((each) => each[each.length - 1]);
    const nearest = ends.map((end) => [...OURS, ...OTHER].map((centre) => distance(end, centre)));
    const asked = nearest.filter((all) => Math.min(...all.slice(0, 2)) < Math.min(...all.slice(2))).length / POINTS;
    const far = nearest.filter((all) => Math.min(...all) > 0.4).length / POINTS;
    const middle = [0, 1].map((k) => ends.reduce((sum, end) => sum + end[k], 0) / POINTS);
    const std = Math.sqrt(ends.reduce((sum, end) => sum + distance(end, middle) ** 2, 0) / POINTS);
    drawing.replaceChildren(
      ...trajectories.map((each) => svg("path", { class: "way", d: "M" + each.map(([a, b]) => `${at(a).toFixed(1)} ${at(-b).toFixed(1)}`).join("L") })),
      ...OURS.map(([a, b]) => svg("circle", { cx: at(a), cy: at(-b), r: 13, class: "centre asked" })),
      ...OTHER.map(([a, b]) => svg("circle", { cx: at(a), cy: at(-b), r: 13, class: "centre" })),
      ...ends.map(([a, b]) => svg("circle", { cx: at(a), cy: at(-b), r: 3.5, class: "end" })),
    );
    const percent = (share) => `${Math.round(100 * share)} %`;
    figures.set([
      ["end in the requested class", percent(asked)],
      ["diversity: std of the end points", written(std, 2)],
      ["end far from any data", percent(far)],
    ]);
    const words = w.value === 0 ? "The condition is ignored: the trajectories end in both classes."
      : w.value === 1 ? "The plain conditional model: the trajectories end in both clusters of the class."
      : w.value < 1 ? "Between ignoring the condition and obeying it."
      : far > 0.2 ? "Too much: the trajectories overshoot, and many end where there is no data."
      : "The trajectories bend away from the other class, and their ends crowd together.";
    drawing.setAttribute("aria-label", `Trajectories of ${POINTS} points in a plane at w = ${written(w.value, 2)}: ${percent(asked)} end in the requested class, and the standard deviation of the end points is ${written(std, 2)}`);
    said.set(`w = ${written(w.value, 2)}. ${words}`);
  }
  show();
}
