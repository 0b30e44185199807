// Watch the reference model denoise: recorded runs, and where a server runs the model, each frame as it is computed.

course.provide(async (use) => {
  const { choice, controls, el, sentence, slider, written } = await use("../static/widgets.js");
  const { player } = await use("./film.js");
  const index = await use("./recorded/index.js");

  const CLOTHES = ["ankle boot", "bag", "coat", "dress", "pullover", "sandal", "shirt", "sneaker", "t-shirt", "trouser"];
  const MODELS = { // with the w that suits it, and what a text may be
    emoji: { name: "emoji, from words", w: 3, texts: ["purple banana", "red heart", "rocket", "octopus", "blue tangerine"] },
    fashion: { name: "clothing, by class", w: 1.5 },
    shapes: { name: "shapes, from a caption", w: 3, texts: ["a small red circle above a large blue square", "a green triangle", "a yellow triangle left of a red square"] },
  };
  const FIRST = "purple-banana";
  const LOADS = 10; // MB: the runtime and the first model
  const PAIRS = [ // two recordings, what there is to see in them, and what differs in two runs of the reader's own
    { name: "w = 1 and w = 5", only: "Only w differs", recorded: ["boots-w1", "boots-w5"], see: "see how much clearer the class gets, and how much more alike the images.", differs: () => [{ w: 1 }, { w: 5 }] },
    { name: "5 and 20 steps", only: "Only the number of steps differs", recorded: ["boots-5-steps", "boots"], see: "the shapes are the same, and twenty steps add the texture that five leave out.", differs: () => [5, 20].map((steps) => ({ sampler: "ddim", steps })) },
    { name: "two prompts, one noise", only: "Only the prompt differs", recorded: ["boots", "bags"], see: "both begin with the same noise, and part step by step.", differs: ({ model, prompt }) => [{}, { prompt: (MODELS[model].texts ?? CLOTHES).find((text) => text !== prompt) }] },
  ];
  const sideBySide = (on) => choice({ label: "Side by side", options: [["", "one run"], ...PAIRS.map(({ name }, i) => [i, name])], on });

  const stepsOf = ({ sampler, steps }) => (sampler === "ddpm" ? "DDPM in 1000 steps" : `DDIM in ${steps} steps`);
  const labelOf = (asked) => `${asked.prompt || "one of each"}, ${stepsOf(asked)}, w = ${asked.w}, seed ${asked.seed}`;
  const recording = async (key) => ({ label: labelOf(index[key]), frames: (await use(`./recorded/${key}.js`)).frames });
  const button = (text, kind = "button second") => el("button", { type: "button", class: kind }, text);
  const more = (...parts) => el("details", { class: "more" }, el("summary", {}, "More"), controls(...parts));

  async function mount(stage, { live, onnx, missing }) {
    const film = player();
    const said = sentence();
    const parts = el("div", {});
    const fill = ({ buttons, nodes }, ...others) => {
      film.actions.replaceChildren(...buttons);
      parts.replaceChildren(...nodes, ...others);
    };
    film.show(opening);
    stage.append(film.node, said.node, film.rests, parts);
    // The site's process draws in half the time: bench/README.md.
    if (live) fill(watched({ draws: served(live), film, said }));
    else replay();
    new IntersectionObserver(([{ isIntersecting }], sight) => {
      if (!isIntersecting) return;
      sight.disconnect();
      if (film.run === opening) film.open(opening);
    }, { threshold: 0.3 }).observe(film.films);

    function replay() {
      fill(replayed({ film, said, offer: onnx ? offer() : [] }), note(missing));
    }

    // What lets the model draw in this page: nothing of it is loaded before.
    function offer() {
      const start = button("Let the model draw in this page", "button");
      start.addEventListener("click", async () => {
        const { inPage } = await use("./model.js");
        const model = watched({ draws: inPage(onnx), film, said, unable: replay });
        fill(model, el("p", { class: "quiet" }, "The model runs in this page, on your device; nothing is sent anywhere."));
        model.start();
      });
      return [start, el("span", { class: "quiet" }, `Loads ${LOADS} MB, once.`)];
    }
  }

  function note(missing) {
    const code = (text) => el("code", {}, text);
    const words = missing ? ["These are recordings. To let the model draw through the site, which is faster, run ", code(`pip install ${missing}`), " and start ", code("course serve"), " again."]
      : ["These are recordings."];
    return el("p", { class: "quiet" }, ...words);
  }

  // Draws through the site's own process. `on` is told what happens; what is returned ends it.
  const served = (live) => (asked, on) => {
    const url = new URL(live);
    url.search = new URLSearchParams(asked);
    const source = new EventSource(url);
    const told = (kind, does) => source.addEventListener(kind, ({ data }) => does(JSON.parse(data)));
    told("waiting", ({ before }) => on.say(`Waiting in line: ${before} ahead of you.`));
    told("frame", on.frame);
    told("done", ({ seconds }) => { source.close(); on.done(seconds); });
    told("refused", ({ words }) => { source.close(); on.failed(sentenceOf(words)); });
    source.onerror = () => { if (source.readyState !== EventSource.CLOSED) { source.close(); on.failed("The site has stopped responding."); } };
    return () => source.close();
  };

  // Two recordings beside each other; `shown` is told which, and `back` brings back what they took the place of.
  function pairs({ film, said, shown, back }) {
    const which = sideBySide(async (i) => {
      if (i === "") {
        film.show(film.run, null);
        return back();
      }
      const { recorded, only, see } = PAIRS[i];
      const both = await Promise.all(recorded.map(recording));
      if (which.value !== i) return;
      film.open(both[1], both[0]);
      said.set(`${only}: ${see}`);
      shown(recorded);
    });
    return {
      node: which.node,
      end() { // what was pinned by hand stays
        if (which.value === "") return;
        which.input.value = "";
        film.show(film.run, null);
      },
    };
  }

  // Choices among the recordings: each offers what there is for those before it.
  function replayed({ film, said, offer }) {
    const FIELDS = ["prompt", "steps", "w", "seed"];
    const names = { prompt: "Prompt", steps: "Steps", w: "Guidance w", seed: "Seed" };
    const texts = { prompt: String, steps: (steps) => (steps === 1000 ? "1000, DDPM" : `${steps}, DDIM`), w: String, seed: String };
    let key = FIRST;
    const selects = FIELDS.map((field, place) => choice({ label: names[field], options: [], on: () => pick(place) }));
    const beside = pairs({ film, said, shown: ([one, other]) => fill(other, one), back: () => open(key) });
    const again = button("New seed");
    const only = el("span", { class: "quiet" });

    const agree = (one, fields, values) => fields.every((field, i) => String(index[one][field]) === String(values[i]));
    const keys = (fields, values) => Object.keys(index).filter((one) => agree(one, fields, values));
    // What is shown, and what else there is. Where another stands beside it, a choice in which they differ names both.
    function fill(shown = key, beside = shown) {
      const own = FIELDS.map((field) => index[shown][field]);
      FIELDS.forEach((field, place) => {
        const values = new Set(keys(FIELDS.slice(0, place), own).map((one) => index[one][field])), { input } = selects[place];
        input.replaceChildren(...[...values].map((value) => el("option", { value }, texts[field](value))));
        input.value = own[place];
        if (index[beside][field] !== own[place]) input.prepend(el("option", { value: own[place], selected: "" }, `${texts[field](index[beside][field])} and ${texts[field](own[place])}`));
      });
      again.disabled = seeds().length < 2;
      only.textContent = again.disabled ? `Recorded with seed ${index[key].seed} only${offer.length ? ": to draw with another, let the model draw" : ""}.` : "";
    }
    const seeds = () => keys(FIELDS.slice(0, 3), FIELDS.map((field) => index[key][field]));
    async function open(next) {
      key = next;
      fill();
      beside.end();
      const run = await recording(next);
      if (key !== next) return;
      film.open(run);
      said.set(`Recorded: ${run.label}.`);
    }
    // The recording with all that was chosen up to this place, and of the rest what comes closest to what was chosen before.
    function pick(place) {
      const values = selects.map((select) => select.value);
      const close = (one) => FIELDS.filter((field, i) => i > place && agree(one, [field], [values[i]])).length;
      open(keys(FIELDS.slice(0, place + 1), values).toSorted((one, other) => close(other) - close(one))[0]);
    }
    again.addEventListener("click", () => open(seeds()[(seeds().indexOf(key) + 1) % seeds().length]));
    fill();
    const [prompt, steps, ...rest] = selects;
    return { buttons: [again, ...offer, only], nodes: [controls(prompt, steps, beside), more(...rest, ...film.parts)] };
  }

  // Controls of a model that draws what is asked for; `unable` is called if it turns out that it can't.
  function watched({ draws, film, said, unable }) {
    const model = choice({ label: "Model", options: Object.entries(MODELS).map(([key, { name }]) => [key, name]), on: choose });
    const cloth = choice({ label: "Prompt", options: [["", "one of each"], ...CLOTHES.map((name) => [name, name])], value: "ankle boot" });
    const list = el("datalist", { id: "prompts" });
    const input = el("input", { type: "text", id: "prompt", list: "prompts", autocomplete: "off", spellcheck: "false", maxlength: 120 });
    const typed = el("div", { class: "control wide" }, el("span", {}, el("label", { for: "prompt" }, "Prompt")), input, list);
    const sampler = choice({ label: "Sampler", options: [["ddim", "DDIM"], ["ddpm", "DDPM, all 1000 steps"]], on: fit });
    const steps = slider({ label: "Steps", min: 1, max: 100, step: 1, value: 20 });
    const w = slider({ label: "Guidance w", min: 0, max: 8, step: 0.5, value: 1.5, show: (v) => written(v, 1) });
    const seed = slider({ label: "Seed", min: 0, max: 50, step: 1, value: 0 });
    const beside = sideBySide((i) => (i === "" ? film.show(film.run, null) : draw()));
    const [start, stop, again] = [button("Denoise", "button"), button("Stop"), button("New seed")];
    stop.disabled = true;
    let leave = null;

    const nodes = [controls(cloth, typed, steps, beside), more(model, sampler, w, seed, ...film.parts)];
    for (const node of nodes) for (const kind of ["input", "change"]) node.addEventListener(kind, changed);
    const asks = () => ({ model: model.value, prompt: typed.hidden ? cloth.value : input.value, sampler: sampler.value, steps: steps.value, w: w.value, seed: seed.value });
    const keyOf = (asked) => JSON.stringify(asked);
    function changed() {
      if (leave || !film.run.asked || keyOf(film.run.asked) === keyOf(asks())) return;
      film.fade(true);
      said.set("To see it with these settings, press Denoise.");
    }
    function choose() {
      const { w: suits, texts = [] } = MODELS[model.value];
      w.value = suits;
      list.replaceChildren(...texts.map((text) => el("option", { value: text })));
      input.value = texts[0] ?? "";
      fit();
    }
    function fit() {
      const { texts } = MODELS[model.value];
      typed.hidden = !texts;
      cloth.node.hidden = Boolean(texts);
      steps.input.disabled = sampler.value === "ddpm";
    }
    function end(words) {
      leave?.();
      leave = null;
      start.disabled = again.disabled = false;
      stop.disabled = true;
      if (document.activeElement === stop || document.activeElement === document.body) start.focus({ preventScroll: true });
      said.set(words);
    }
    function draw() {
      leave?.();
      const asked = asks();
      const pair = PAIRS[beside.value], runs = (pair?.differs(asked) ?? [{}]).map((differs) => ({ ...asked, ...differs }));
      start.disabled = again.disabled = true;
      stop.disabled = false;
      if (document.activeElement !== beside.input) stop.focus({ preventScroll: true });
      said.set("Starting the model …");
      film.films.scrollIntoView({ block: "nearest" }); // whoever sees it stays where they are
      follow(runs, 0, pair && null, pair ? `${pair.only}: all else is as you chose it.` : "Play it again, or go through its steps.");
    }
    // Draw the first of the runs beside the one before, if there is one, and then the others.
    function follow([asked, ...others], took, before, words) {
      const run = { label: labelOf(asked), asked, frames: [] };
      leave = draws(asked, {
        say: (told) => said.set(told),
        frame(frame) {
          run.frames.push(frame);
          if (run.frames.length === 1) film.show(run, before); // until then, what was shown before
          else if (film.run === run) film.grew();
          said.set(`Step ${frame.step} of ${frame.of}: t = ${frame.t}.`, false);
        },
        done(seconds) {
          if (others.length) follow(others, took + seconds, run, words);
          else end(`Done in ${written(took + seconds, 1)} s. ${words}`);
        },
        failed(told, lost) {
          end(told);
          if (lost) unable();
        },
      });
    }
    start.addEventListener("click", draw);
    again.addEventListener("click", () => { seed.value = (seed.value + 1 + Math.floor(50 * Math.random())) % 51; draw(); });
    stop.addEventListener("click", () => end("Stopped."));
    document.addEventListener("visibilitychange", () => { if (document.hidden && leave) end("Stopped, because you left the page."); });
    choose();
    return { start: () => again.click(), buttons: [start, stop, again], nodes };
  }

  const sentenceOf = (words) => words.charAt(0).toUpperCase() + words.slice(1).replaceAll("`", "") + (words.endsWith(".") ? "" : ".");
  const opening = await recording(FIRST);

  return { mount };
});
