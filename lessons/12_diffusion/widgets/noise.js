// The jump to any t on one image, beside the same jump with the root forgotten.

course.provide(async (use) => {
  const { alphaBars, cosineBetas, linearBetas } = await use("./diffusion.js");
  const { choice, controls, normal, paint, pane, panes, imageCanvas, readout, sentence, slider, unpack, written } = await use("../static/widgets.js");
  const images = await use("./data/images.js");

  const T = 1000;
  const BARS = { linear: alphaBars(linearBetas(T)), cosine: alphaBars(cosineBetas(T)) };

  function mount(stage) {
    const clean = images.map(({ pixels }) => Float64Array.from(unpack(pixels), (byte) => byte / 127.5 - 1));
    const draw = normal(12);
    const eps = Float64Array.from({ length: 256 }, draw);

    const which = choice({ label: "Image", options: images.map(({ name }, i) => [i, name]), on: show });
    const schedule = choice({ label: "Schedule", options: [["linear", "linear (DDPM)"], ["cosine", "cosine"]], on: show });
    const t = slider({ label: "t", min: 0, max: T, step: 1, value: 150, on: show, wide: true });
    const [x0, correct, mistake] = [imageCanvas(16, ""), imageCanvas(16, ""), imageCanvas(16, "")];
    const panel = [pane(x0, "<b>x_0</b>, the clean image"), pane(correct, "<b>x_t</b>, as it should be"), pane(mistake, "<b>the mistake</b>: (1 − ᾱ) where √(1 − ᾱ) belongs")];
    const figures = readout();
    const said = sentence();
    stage.append(controls(which, schedule, t), panes(...panel), figures.node, said.node);

    function show() {
      const bar = BARS[schedule.value][t.value];
      const image = clean[which.value];
      const [signal, noise, wrong] = [Math.sqrt(bar), Math.sqrt(1 - bar), 1 - bar];
      const name = images[which.value].name;
      paint(x0, image);
      paint(correct, image.map((value, i) => signal * value + noise * eps[i]));
      paint(mistake, image.map((value, i) => signal * value + wrong * eps[i]));
      x0.setAttribute("aria-label", `The clean image: ${name}`);
      correct.setAttribute("aria-label", `The ${name} at t = ${t.value}, noise times ${written(noise)}`);
      mistake.setAttribute("aria-label", `The ${name} at t = ${t.value} with the mistake, noise times ${written(wrong)}`);
      const ratio = bar / (1 - bar);
      figures.set([
        ["ᾱ, what is left of the image's variance", written(bar, 4)],
        ["signal to noise, ᾱ / (1 − ᾱ)", t.value === 0 ? "∞" : written(ratio, ratio < 0.1 ? 5 : ratio < 10 ? 3 : 1)],
        ["image factor √ᾱ", written(signal)],
        ["noise factor √(1 − ᾱ)", written(noise)],
        ["noise factor of the mistake", written(wrong), true],
      ]);
      const off = noise - wrong;
      said.set(off < 0.005
        ? `At t = ${t.value} the two look the same: you cannot see a missing root here.`
        : `At t = ${t.value} the mistake adds too little noise: ${written(wrong)} where ${written(noise)} is right, ${written(off)} too small.`);
    }
    show();
  }

  return { mount };
});
