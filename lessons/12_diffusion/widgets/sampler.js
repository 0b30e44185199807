// Watch the reference model denoise: frame by frame as it is computed, or from a recording where no model runs.
import { choice, controls, el, load, paintBytes, sentence, slider, unpack, written } from "../static/widgets.js";

const CLOTHES = ["ankle boot", "bag", "coat", "dress", "pullover", "sandal", "shirt", "sneaker", "t-shirt", "trouser"];
const CAPTIONS = ["a small red circle above a large blue square", "a green triangle", "a yellow triangle left of a red square"];

export async function mount(stage, { live }) {
  const film = screen();
  const said = sentence();
  if (live) stage.append(...watched(live, film, said), film.node, said.node);
  else stage.append(...await replayed(film, said), film.node, said.node);
}

// Two rows of images, and a slider to step back and forth through the frames received so far.
function screen() {
  const frames = [];
  const at = slider({ label: "frame", min: 0, max: 0, step: 1, value: 0, wide: true, show: (i) => (frames[i] ? `t = ${frames[i].t}` : "none yet"), on: () => draw() });
  const rows = [["x", "The noisy images"], ["x0", "The network's estimate, x̂₀"]].map(([key, label]) => {
    const strip = el("div", { class: "strip", role: "img", "aria-label": label });
    return { key, strip, label, node: el("div", { class: "row" }, el("p", { class: "quiet" }, label), strip) };
  });
  const node = el("div", { class: "film" }, ...rows.map((row) => row.node), controls(at));
  function draw() {
    const frame = frames[at.value];
    for (const { key, strip, label } of rows) {
      const size = frame ? frame.side ** 2 * frame.colours : 0;
      const bytes = frame ? unpack(frame[key]) : null;
      const wanted = frame ? frame.n : 4;
      const side = frame ? frame.side : 16;
      if (strip.children.length !== wanted || strip.firstChild.width !== side) {
        strip.replaceChildren(...Array.from({ length: wanted }, () => el("canvas", { width: side, height: side, class: "pixels" })));
      }
      if (frame) [...strip.children].forEach((canvas, i) => paintBytes(canvas, bytes.subarray(i * size, (i + 1) * size), frame.colours));
      strip.setAttribute("aria-label", frame ? `${label}: ${frame.n} images at t = ${frame.t}` : `${label}: nothing yet`);
    }
  }
  draw();
  return {
    node, frames, at,
    clear() { frames.length = 0; at.input.max = 0; at.value = 0; draw(); },
    add(frame) {
      frames.push(frame);
      at.input.max = frames.length - 1;
      at.value = frames.length - 1;
      draw();
    },
  };
}

function watched(live, film, said) {
  const model = choice({ label: "Model", options: [["fashion", "clothing, by class"], ["shapes", "shapes, from a caption"]], on: (name) => { w.value = name === "shapes" ? 3 : 1.5; fit(); } });
  const cloth = choice({ label: "Prompt", options: [["", "one of each"], ...CLOTHES.map((name) => [name, name])], value: "ankle boot" });
  const list = el("datalist", { id: "captions" }, ...CAPTIONS.map((text) => el("option", { value: text })));
  const input = el("input", { type: "text", id: "caption", list: "captions", autocomplete: "off", spellcheck: "false", maxlength: 120 });
  input.value = CAPTIONS[0];
  const caption = el("div", { class: "control wide" }, el("span", {}, el("label", { for: "caption" }, "Caption")), input, list);
  const sampler = choice({ label: "Sampler", options: [["ddim", "DDIM"], ["ddpm", "DDPM, all 1000 steps"]], on: fit });
  const steps = slider({ label: "steps", min: 1, max: 100, step: 1, value: 20 });
  const w = slider({ label: "guidance w", min: 0, max: 8, step: 0.5, value: 1.5, show: (v) => written(v, 1) });
  const seed = slider({ label: "seed", min: 0, max: 50, step: 1, value: 0 });
  const start = el("button", { type: "button", class: "button" }, "Denoise");
  const stop = el("button", { type: "button", class: "button second", disabled: "" }, "Stop");
  let source = null;

  function fit() {
    const shapes = model.value === "shapes";
    caption.hidden = !shapes;
    cloth.node.hidden = shapes;
    steps.input.disabled = sampler.value === "ddpm";
  }
  function end(words) {
    source?.close();
    source = null;
    start.disabled = false;
    stop.disabled = true;
    if (document.activeElement === stop || document.activeElement === document.body) start.focus({ preventScroll: true });
    said.set(words);
  }
  start.addEventListener("click", () => {
    film.clear();
    const asked = { model: model.value, prompt: model.value === "shapes" ? input.value : cloth.value, sampler: sampler.value, steps: steps.value, w: w.value, seed: seed.value };
    const url = new URL(live);
    url.search = new URLSearchParams(asked);
    start.disabled = true;
    stop.disabled = false;
    stop.focus({ preventScroll: true });
    said.set("Starting the model …");
    source = new EventSource(url);
    source.addEventListener("waiting", ({ data }) => { const { before } = JSON.parse(data); said.set(`Waiting in line: ${before} ahead of you.`); });
    source.addEventListener("frame", ({ data }) => {
      const frame = JSON.parse(data);
      film.add(frame);
      said.set(`Step ${frame.step} of ${frame.of}: t = ${frame.t}.`, false);
    });
    source.addEventListener("done", ({ data }) => end(`Done in ${JSON.parse(data).seconds} s. Step back through the frames with the slider.`));
    source.addEventListener("refused", ({ data }) => end(sentenceOf(JSON.parse(data).words)));
    source.addEventListener("error", () => { if (source) end("The site has stopped responding."); });
  });
  stop.addEventListener("click", () => end("Stopped."));
  document.addEventListener("visibilitychange", () => { if (document.hidden && source) end("Stopped, because you left the page."); });
  fit();
  said.set("Nothing drawn yet: choose, then press Denoise.", false);
  return [controls(model, cloth, caption, sampler, steps, w, seed), el("div", { class: "buttons" }, start, stop)];
}

const sentenceOf = (words) => words.charAt(0).toUpperCase() + words.slice(1).replaceAll("`", "") + (words.endsWith(".") ? "" : ".");

async function replayed(film, said) {
  const index = await load("./recorded/index.json", import.meta.url);
  const name = ({ prompt, sampler, steps, w }) => `${prompt}, ${sampler === "ddpm" ? "DDPM" : `DDIM in ${steps} steps`}, w = ${w}`;
  const which = choice({ label: "Recorded", options: Object.entries(index).map(([key, asked]) => [key, name(asked)]) });
  const start = el("button", { type: "button", class: "button" }, "Play");
  const stop = el("button", { type: "button", class: "button second", disabled: "" }, "Stop");
  let run = 0;
  function end(words) {
    run += 1;
    start.disabled = false;
    stop.disabled = true;
    said.set(words);
  }
  start.addEventListener("click", async () => {
    const mine = ++run;
    film.clear();
    start.disabled = true;
    stop.disabled = false;
    const { frames } = await load(`./recorded/${which.value}.json`, import.meta.url);
    for (const frame of frames) {
      if (mine !== run) return;
      film.add(frame);
      said.set(`Step ${frame.step} of ${frame.of}: t = ${frame.t}.`, false);
      await new Promise((resolve) => setTimeout(resolve, 90));
    }
    if (mine === run) end("Done. Step back through the frames with the slider.");
  });
  stop.addEventListener("click", () => end("Stopped."));
  said.set("Nothing drawn yet: choose, then press Play.", false);
  return [
    el("p", { class: "quiet" }, "These are recordings. In a clone of the course, `course serve` lets the model draw whatever you choose.".replaceAll("`", "")),
    controls(which), el("div", { class: "buttons" }, start, stop),
  ];
}
