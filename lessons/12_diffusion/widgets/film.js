// Runs of the sampler as films: x_t beside x̂_0, to play, pause and step through, and one pinned beside the next.
// A run is { label, frames }; a frame has `step`, `of`, `t`, and its images in base64: `n` of `side` squared, in `colours`. Its `maps`, if
// it has any, say for each word how much each place attends to it.

course.provide(async (use) => {
  const { choice, controls, el, paintBytes, pane, slider, unpack, withSymbols, written } = await use("../static/widgets.js");

  const VIEWS = [
    ["x", "The noisy images", "<b>x_t</b>, the noisy image"],
    ["x0", "The estimates of the clean images", "<b>x̂_0</b>, the estimate in the step that led there"],
  ];
  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  // The frame of a run that has come as far as the noise level t.
  const frameAt = ({ frames }, t) => frames.findLast((frame) => frame.t >= t) ?? frames[0];

  function fill(shots, bytes, n, side, colours) {
    const size = side ** 2 * colours;
    while (shots.children.length < n) shots.append(el("canvas", { width: side, height: side, class: "pixels" }));
    [...shots.children].forEach((canvas, i) => paintBytes(canvas, bytes.subarray(i * size, (i + 1) * size), colours));
  }

  function screen(run) {
    const title = el("p", { class: "quiet" });
    const views = VIEWS.map(([key, label, caption]) => {
      const shots = el("div", { class: "shots", role: "img", "aria-label": `${label}: none yet` });
      return { key, label, shots, others: el("div", { class: "shots", "aria-hidden": "true" }), node: pane(shots, caption).node };
    });
    const looked = { shots: el("div", { class: "shots", role: "img" }), pane: null };
    looked.pane = pane(looked.shots, "");
    function draw(t, word) {
      const frame = frameAt(run, t);
      title.textContent = frame ? `${run.label}: t = ${frame.t}` : run.label;
      withSymbols(title);
      if (!frame) return;
      const { n, side, colours } = frame;
      for (const { key, label, shots, others } of views) {
        const bytes = unpack(frame[key]);
        fill(shots, bytes, 1, side, colours);
        fill(others, bytes.subarray(bytes.length / n), n - 1, side, colours);
        shots.setAttribute("aria-label", `${label}: ${n} images at t = ${frame.t}`);
      }
      const map = frame.maps?.find(([each]) => each === word);
      looked.pane.node.hidden = !map;
      if (map) look(word, unpack(map[1]), frame);
    }
    // The share of its attention that each place gives to a word, up to white for the largest.
    function look(word, bytes, { n, t }) {
      const most = Math.max(...bytes);
      fill(looked.shots, bytes.map((value) => (255 * value) / most), n, Math.sqrt(bytes.length / n), 1);
      looked.shots.setAttribute("aria-label", `How much each place looks at the word ${word} in the step to t = ${t}, up to ${written(most / 255, 2)}`);
      looked.pane.caption = `<b>where it looked for “${word}”</b> in this step: white places give it ${written(most / 255, 2)} of their attention`;
    }
    const rest = pane(el("div", { class: "film" }, ...views.map((view) => view.others)), "the other images from the same prompt");
    return { draw, node: el("div", { class: "film" }, title, ...views.map((view) => view.node)), rest: el("div", { class: "film" }, rest.node, looked.pane.node) };
  }

  function player() {
    let run = { label: "", frames: [] };
    let pinned = null;
    let screens = [];
    let timer = null;
    const shown = () => (pinned && pinned !== run ? [pinned, run] : [run]);
    const longest = () => shown().toSorted((one, other) => other.frames.length - one.frames.length)[0].frames;

    const button = (text, on) => {
      const made = el("button", { type: "button", class: "button second" }, text);
      made.addEventListener("click", on);
      return made;
    };
    const [films, rests] = ["films", "films rests"].map((kind) => el("div", { class: kind }));
    const at = slider({ label: "Step", min: 0, max: 0, step: 1, value: 0, show: told, on: () => { pause(); draw(); }, wide: true });
    const toggle = button("Play", () => (timer ? pause() : play()));
    const pin = button("Pin", () => { pinned = pinned ? null : run; show(run); });
    const speed = choice({ label: "Frames a second", options: [4, 6, 8].map((each) => [each, each]), value: 6 });
    const word = choice({ label: "Where it looks for", options: [], on: draw });
    const actions = el("div", { class: "buttons" });
    const buttons = el("div", { class: "buttons" }, toggle, button("Step back", () => step(-1)), button("Step", () => step(1)), pin);
    const node = el("div", {}, films, controls(at), el("div", { class: "transport" }, buttons, actions));

    function told(i) {
      const frame = longest()[i];
      return frame ? `${frame.step} of ${frame.of}, t = ${frame.t}` : "none yet";
    }
    function draw() {
      screens.forEach((each) => each.draw(longest()[at.value]?.t ?? 0, word.value));
    }
    function go(i) {
      at.input.max = Math.max(0, longest().length - 1);
      at.value = i;
      draw();
    }
    function pause() {
      clearTimeout(timer);
      timer = null;
      toggle.textContent = "Play";
    }
    function step(by) {
      pause();
      go(at.value + by);
    }
    function tick() {
      if (at.value >= longest().length - 1) return pause();
      go(at.value + 1);
      timer = setTimeout(tick, 1000 / speed.value);
    }
    function play() {
      toggle.textContent = "Pause";
      if (at.value >= longest().length - 1) go(0);
      timer = setTimeout(tick, 1000 / speed.value);
    }

    // The words to look for: the one chosen before, or else the last.
    function offer(maps) {
      const words = [...new Set(maps.map(([each]) => each))];
      const chosen = words.includes(word.value) ? word.value : words.at(-1);
      word.input.replaceChildren(...words.map((each) => el("option", { value: each }, each)));
      if (words.length) word.input.value = chosen;
      word.node.hidden = !words.length;
    }

    // Whether what is shown is no longer what is asked for.
    function fade(stale) {
      [films, rests].forEach((each) => each.classList.toggle("stale", stale));
    }

    // Show a run on its last frame, beside the pinned one if there is one.
    function show(next, beside = pinned) {
      pause();
      [run, pinned] = [next, beside];
      pin.textContent = pinned ? "Unpin" : "Pin";
      offer(run.frames[0]?.maps ?? []);
      screens = shown().map(screen);
      films.replaceChildren(...screens.map((each) => each.node));
      fade(false);
      rests.replaceChildren(...screens.map((each) => each.rest));
      go(longest().length - 1);
    }

    return {
      node, actions, films, rests, parts: [word, speed], show, fade,
      get run() { return run; },
      // Show a run from its start, by itself unless the reader wants nothing to move.
      open(next, beside) {
        show(next, beside);
        if (!calm()) play();
      },
      // The run that is shown has one frame more.
      grew() { go(longest().length - 1); },
    };
  }

  return { player };
});
