// One forward step of one pixel, and what two common mistakes would make of it.
import { forwardStep } from "./diffusion.js";
import { controls, drawing, readout, sentence, slider, svg, written } from "../static/widgets.js";

const [HEIGHT, REACH] = [146, 3];

export function mount(stage) {
  const x = slider({ label: "pixel x", min: -1, max: 1, step: 0.05, value: 0.8, show: (v) => written(v, 2), on: show });
  const beta = slider({ label: "variance β", min: 0, max: 1, step: 0.01, value: 0.1, show: (v) => written(v, 2), on: show });
  const eps = slider({ label: "noise ε", min: -2.5, max: 2.5, step: 0.1, value: -0.3, show: (v) => written(v, 1), on: show });
  const line = drawing(HEIGHT, draw);
  const figures = readout();
  const said = sentence();
  stage.append(controls(x, beta, eps), line.node, figures.node, said.node);

  function computed() {
    const signal = Math.sqrt(1 - beta.value) * x.value;
    return { signal, result: forwardStep(x.value, beta.value, eps.value) };
  }

  function draw(width, node) {
    const { signal, result } = computed();
    const at = (value) => width / 2 + (Math.max(-REACH, Math.min(REACH, value)) / REACH) * (width / 2 - 18);
    const arrow = (from, to, y, cls, text) => {
      const middle = Math.min(width - 84, Math.max(84, (at(from) + at(to)) / 2));
      return [
        svg("line", { x1: at(from), x2: at(to), y1: y, y2: y, class: cls }), svg("circle", { cx: at(to), cy: y, r: 4.5, class: `dot ${cls}` }),
        svg("text", { x: middle, y: y - 10, "text-anchor": "middle" }, text),
      ];
    };
    const ticks = [-3, -2, -1, 0, 1, 2, 3].flatMap((tick) => [
      svg("line", { x1: at(tick), x2: at(tick), y1: 112, y2: 118, class: "axis" }),
      svg("text", { x: at(tick), y: 136, "text-anchor": "middle" }, written(tick, 0)),
    ]);
    node.replaceChildren(
      svg("line", { x1: at(-3), x2: at(3), y1: 115, y2: 115, class: "axis" }), ...ticks,
      ...arrow(0, x.value, 22, "strong", `x = ${written(x.value, 2)}`),
      ...arrow(0, signal, 57, "strong", `shrunk to ${written(signal)}`),
      ...arrow(signal, result, 92, "stroke", `noise moves it by ${written(result - signal)}`),
    );
    node.setAttribute("aria-label", `On a line from −3 to 3: the pixel ${written(x.value, 2)} shrinks to ${written(signal)} and noise moves it to ${written(result)}`);
  }

  function show() {
    const { signal, result } = computed();
    const varianceAsFactor = signal + beta.value * eps.value;
    const noRoot = (1 - beta.value) * x.value + Math.sqrt(beta.value) * eps.value;
    line.redraw();
    figures.set([
      ["signal √(1 − β) · x", written(signal)],
      ["noise √β · ε", written(Math.sqrt(beta.value) * eps.value)],
      ["the new pixel", written(result)],
      ["mistake: β for √β", written(varianceAsFactor), true],
      ["mistake: no root on 1 − β", written(noRoot), true],
    ]);
    const unit = `${written(1 - beta.value, 2)} + ${written(beta.value, 2)} = 1`;
    said.set(`${written(Math.sqrt(1 - beta.value))} · ${written(x.value, 2)} + ${written(Math.sqrt(beta.value))} · (${written(eps.value, 1)}) = ${written(result)}. The squares of the two factors add up to one: ${unit}.`);
  }
  show();
}
