// Guidance in a plane: two classes of two clusters each, where the exact ε̂ is known. The condition asks for the filled ones.
import { alphaBars, cosineBetas, ddim, evenPath, exactEps, guide } from "./diffusion.js";
import { controls, normal, pane, panes, readout, sentence, slider, svg, el, written } from "./parts.js";

const T = 1000;
const OURS = [[-0.9, 0.1], [-0.1, 0.9]];
const OTHER = [[0.1, -0.9], [0.9, -0.1]];
const BARS = alphaBars(cosineBetas(T - 1)).slice(0, T); // T − 1 steps: ᾱ_T itself is nearly 0
const PATH = evenPath(T - 2, 60);
const [SIDE, REACH, POINTS] = [440, 2.3, 60];
const at = (value) => SIDE / 2 + (value / REACH) * (SIDE / 2);

export const way = (start, w) =>
  ddim(start, BARS, PATH, (x, t) => guide(exactEps(x, BARS[t], [...OURS, ...OTHER]), exactEps(x, BARS[t], OURS), w));

export function mount(stage) {
  const draw = normal(7);
  const starts = Array.from({ length: POINTS }, () => [draw(), draw()]);
  const w = slider({ label: "guidance w", min: 0, max: 8, step: 0.25, value: 1, show: (v) => written(v, 2), on: show, wide: true });
  const drawing = svg("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, role: "img", class: "plane" });
  const plane = pane(drawing, "Each line is the way of one point from noise to a sample. Drag to the left or right to change w.");
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
    const ways = starts.map((start) => way(start, w.value));
    const ends = ways.map((each) => each[each.length - 1]);
    const nearest = ends.map((end) => [...OURS, ...OTHER].map((centre) => distance(end, centre)));
    const asked = nearest.filter((all) => Math.min(...all.slice(0, 2)) < Math.min(...all.slice(2))).length / POINTS;
    const far = nearest.filter((all) => Math.min(...all) > 0.4).length / POINTS;
    const middle = [0, 1].map((k) => ends.reduce((sum, end) => sum + end[k], 0) / POINTS);
    const spread = Math.sqrt(ends.reduce((sum, end) => sum + distance(end, middle) ** 2, 0) / POINTS);
    drawing.replaceChildren(
      ...ways.map((each) => svg("path", { class: "way", d: "M" + each.map(([a, b]) => `${at(a).toFixed(1)} ${at(-b).toFixed(1)}`).join("L") })),
      ...OURS.map(([a, b]) => svg("circle", { cx: at(a), cy: at(-b), r: 13, class: "centre asked" })),
      ...OTHER.map(([a, b]) => svg("circle", { cx: at(a), cy: at(-b), r: 13, class: "centre" })),
      ...ends.map(([a, b]) => svg("circle", { cx: at(a), cy: at(-b), r: 3.5, class: "end" })),
    );
    const percent = (share) => `${Math.round(100 * share)} %`;
    figures.set([
      ["end in the class asked for", percent(asked)],
      ["diversity: spread of the ends", written(spread, 2)],
      ["end far from all data", percent(far)],
    ]);
    const words = w.value === 0 ? "The condition is ignored: the ends lie in both classes."
      : w.value === 1 ? "The plain conditional model: the ends lie in both clusters of the class."
      : w.value < 1 ? "Between ignoring the condition and obeying it."
      : far > 0.2 ? "Too much: the ways overshoot, and many ends lie where there are no data."
      : "The ways bend away from the other class, and the ends crowd together.";
    drawing.setAttribute("aria-label", `Ways of ${POINTS} points in a plane at w = ${written(w.value, 2)}: ${percent(asked)} end in the class asked for, their spread is ${written(spread, 2)}`);
    said.set(`w = ${written(w.value, 2)}. ${words}`);
  }
  show();
}
