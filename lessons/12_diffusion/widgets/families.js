// VAE, GAN and diffusion as measured: one small model of each, with the same size, conditioning and training time.

course.provide(async (use) => {
  const { choice, controls, el, sentence, written } = await use("../static/widgets.js");
  const { seeds, n, families } = await use("./data/families.js");

  const MEASURES = {
    fd: ["Fréchet distance (lower is better)", 0, "how far the generated images are from real ones, in the features of a small classifier", -1],
    coverage: ["coverage (higher is better)", 2, "the share of real images that have a generated one close by", 1],
    recall: ["recall (higher is better)", 2, "the share of real images that the model could have generated", 1],
    agreement: ["class accuracy (higher is better)", 2, "the share of images that a classifier assigns to the requested class", 1],
    "seconds for 64": ["seconds for 64 images (lower is better)", 3, "how long they take on one core", -1],
  };

  function mount(stage) {
    const measure = choice({ label: "Compare by", options: Object.entries(MEASURES).map(([key, [name]]) => [key, name]), on: show });
    const body = el("tbody", {});
    const head = el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "family"), el("th", { scope: "col" }, "mean ± std"), el("td", {})));
    const said = sentence();
    stage.append(controls(measure), el("table", { class: "bars" }, head, body), said.node);

    function show() {
      const [name, digits, meaning, better] = MEASURES[measure.value];
      const rows = Object.entries(families).map(([family, own]) => [family, own[measure.value].mean, own[measure.value].std]);
      const most = Math.max(...rows.map(([, mean, std]) => mean + std));
      const best = rows.toSorted((a, b) => better * (b[1] - a[1]))[0][0];
      body.replaceChildren(...rows.map(([family, mean, std]) => {
        const bar = el("div", { class: family === best ? "bar best" : "bar" });
        bar.style.width = `${(100 * mean) / most}%`;
        return el("tr", {}, el("th", { scope: "row" }, family), el("td", {}, `${written(mean, digits)} ± ${written(std, digits)}`), el("td", { class: "plot" }, bar));
      }));
      said.set(`${name}: ${meaning}. ${best[0].toUpperCase()}${best.slice(1)} is best here. Mean of ${seeds} seeds, ${n} images each.`);
    }
    show();
  }

  return { mount };
});
