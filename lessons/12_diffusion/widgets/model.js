// The reference implementation's sampling, in the page: the same noise for a seed, DDIM or DDPM with guidance, and the network as an ONNX
// graph. `models/NAME.js` says what to know of a network, and `models/NAME.onnx.js` is it.

course.provide(async (use) => {
  const { alphaBars, cosineBetas, evenPath } = await use("./diffusion.js");
  const T = 1000;
  const BETAS = cosineBetas(T);
  const BARS = alphaBars(BETAS);
  const MOST_FRAMES = 100;
  const KINDS = "the names of things and colours, such as cat, rocket, heart, banana, purple"; // as `models/emoji/text.py` says

  // Normal numbers as `torch.randn` draws them with a seed: the Mersenne Twister, 24 bits a number, then Box and Muller in blocks of 16.
  function randn(seed) {
    const state = new Uint32Array(624);
    state[0] = seed;
    for (let i = 1; i < 624; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
    let at = 624;
    function uniform() {
      if (at === 624) {
        for (let k = 0; k < 624; k++) {
          const y = (state[k] & 0x80000000) | (state[(k + 1) % 624] & 0x7fffffff);
          state[k] = state[(k + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
        }
        at = 0;
      }
      let y = state[at++];
      y ^= y >>> 11;
      y ^= (y << 7) & 0x9d2c5680;
      y ^= (y << 15) & 0xefc60000;
      y ^= y >>> 18;
      return (y & 0xffffff) / 2 ** 24;
    }
    return (count) => { // a multiple of 16
      const drawn = Float32Array.from({ length: count }, uniform);
      for (let block = 0; block < count; block += 16) {
        for (let j = block; j < block + 8; j++) {
          const radius = Math.sqrt(-2 * Math.log(1 - drawn[j]));
          const angle = 2 * Math.PI * drawn[j + 8];
          drawn[j] = radius * Math.cos(angle);
          drawn[j + 8] = radius * Math.sin(angle);
        }
      }
      return drawn;
    };
  }

  // A prompt's words, and its tokens: the label of a class for each image (in turn, without a prompt), or the same row of words for each.
  function read(prompt, { words, first, null: none, length, images }) {
    const asked = length ? prompt.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [] : [prompt.trim().toLowerCase()].filter(Boolean);
    const unknown = asked.find((word) => !words.includes(word));
    if (unknown !== undefined) throw new Error(`The model does not know the word ${unknown.length > 30 ? `${unknown.slice(0, 30)}…` : unknown}: choose from ${near(unknown, words)}.`);
    const tokens = asked.map((word) => words.indexOf(word) + first);
    if (!length) return { asked: [], rows: Array.from({ length: images }, (_, i) => tokens[0] ?? first + (i % words.length)) };
    if (!asked.length) throw new Error("Write a few words.");
    if (asked.length > length) throw new Error(`These are ${asked.length} words, and the model reads at most ${length}.`);
    const row = Array.from({ length }, (_, i) => tokens[i] ?? none);
    return { asked, rows: Array.from({ length: images }, () => row).flat() };
  }

  // All words if they are few, or else those with few letters to change; if there are none, what kinds of words there are.
  function near(word, words) {
    if (words.length <= 20) return words.join(", ");
    const close = words.map((each) => [distance(word, each), each]).filter(([changed, { length }]) => changed <= length / 3);
    return close.toSorted(([one], [other]) => one - other).slice(0, 3).map(([, each]) => each).join(", ") || KINDS;
  }
  function distance(one, other) {
    let row = Array.from({ length: other.length + 1 }, (_, j) => j);
    for (let i = 1; i <= one.length; i++) {
      row = row.reduce((next, above, j) => [...next, j === 0 ? i : Math.min(above + 1, next[j - 1] + 1, row[j - 1] + (one[i - 1] !== other[j - 1]))], []);
    }
    return row[other.length];
  }

  const base64 = (bytes) => btoa(String.fromCharCode(...bytes));

  // Numbers in [−1, 1], image by image and channel by channel, as bytes pixel by pixel.
  function pixels(data, [n, colours, side]) {
    const area = side ** 2;
    const bytes = new Uint8Array(data.length);
    for (let i = 0; i < n; i++) for (let c = 0; c < colours; c++) for (let p = 0; p < area; p++) {
      const value = Math.min(1, Math.max(-1, data[(i * colours + c) * area + p]));
      bytes[(i * area + p) * colours + c] = Math.round((value + 1) * 127.5);
    }
    return base64(bytes);
  }

  function maps(words, { data, dims: [batch, length, high, wide] }, n) {
    const area = high * wide;
    return words.map((word, k) => {
      const bytes = new Uint8Array(n * area);
      for (let i = 0; i < n; i++) for (let p = 0; p < area; p++) bytes[i * area + p] = Math.round(255 * data[((batch - n + i) * length + k) * area + p]);
      return [word, base64(bytes)];
    });
  }

  // Yield the frames of a run, as `solutions/diffusion/live.py` sends them. `graph` runs a graph by its name.
  async function* sample(graph, about, { prompt, sampler, steps, w, seed }) {
    const { shape, predicts, clip, null: none, length, images: n } = about;
    const { asked, rows } = read(prompt, about);
    const noise = randn(seed);
    const size = n * shape.reduce((a, b) => a * b);
    const nulls = rows.map(() => none);
    const given = w === 0 ? nulls : w === 1 ? rows : [...nulls, ...rows];
    const batch = (n * given.length) / rows.length;
    const path = sampler === "ddpm" ? evenPath(T, T) : evenPath(T, steps);
    const every = Math.ceil((path.length - 1) / MOST_FRAMES);
    const limit = clip ?? Infinity;
    let x = noise(size);

    async function predict(t) {
      const inputs = {
        x: { type: "float32", data: batch === n ? x : Float32Array.of(...x, ...x), dims: [batch, ...shape] },
        t: { type: "int32", data: new Int32Array(batch).fill(t), dims: [batch] },
        condition: { type: "int32", data: Int32Array.from(given), dims: length ? [batch, length] : [batch] },
      };
      const found = await graph("denoiser", inputs);
      const output = found.prediction.data;
      return { y: batch === n ? output : output.slice(size).map((cond, i) => output[i] + w * (cond - output[i])), attended: found.maps };
    }
    const clean = { // x̂_0 of what the network predicts, which is linear in it: so what is guided may be guided before
      v: (value, y, bar) => Math.sqrt(bar) * value - Math.sqrt(1 - bar) * y,
      x0: (value, y) => y,
      eps: (value, y, bar) => (value - Math.sqrt(1 - bar) * y) / Math.sqrt(bar),
    }[predicts];

    for (let i = 0; i + 1 < path.length; i++) {
      const [t, s] = [path[i], path[i + 1]];
      const { y, attended } = await predict(t);
      const x0 = x.map((value, k) => Math.min(limit, Math.max(-limit, clean(value, y[k], BARS[t]))));
      if (sampler === "ddpm") {
        const [before, beta, rest] = [BARS[t - 1], BETAS[t], 1 - BARS[t]];
        const drawn = s > 0 ? noise(size) : x;
        const std = s > 0 ? Math.sqrt(((1 - before) / rest) * beta) : 0;
        x = x.map((value, k) => ((Math.sqrt(before) * beta) / rest) * x0[k] + ((Math.sqrt(1 - beta) * (1 - before)) / rest) * value + std * drawn[k]);
      } else {
        x = x.map((value, k) => {
          const eps = (value - Math.sqrt(BARS[t]) * x0[k]) / Math.sqrt(1 - BARS[t]);
          return Math.sqrt(BARS[s]) * x0[k] + Math.sqrt(1 - BARS[s]) * eps;
        });
      }
      if ((i + 1) % every && s > 0) continue;
      const shots = await Promise.all([x, x0].map((data) => seen(graph, about, data)));
      const [{ dims }] = shots;
      const [shot, estimate] = shots.map((one) => pixels(one.data, one.dims));
      const looked = attended && w !== 0 ? { maps: maps(asked, attended, n) } : {};
      yield { step: i + 1, of: path.length - 1, t: s, n, side: dims[2], colours: dims[1], x: shot, x0: estimate, ...looked };
    }
  }

  // What is sampled as images; latents are decoded.
  async function seen(graph, { shape, images, latent }, data) {
    const all = { type: "float32", data, dims: [images, ...shape] };
    return latent ? (await graph("decoder", { z: all })).images : all;
  }

  // Draws in the page what is asked for, as `served` of the sampler does; loads the runtime and each model when they are first needed.
  function inPage(folder) {
    let runtime = null;
    const models = new Map();
    const { href } = new URL("../widgets/models/", folder);

    async function load(name, tell) {
      const onnx = await use("../static/onnx.js");
      const about = await use(`./models/${name}.js`);
      if (!models.has(name)) {
        tell(`Loading the runtime, ${onnx.MEGABYTES} MB …`);
        runtime ??= await onnx.runtime(folder);
        tell(`Loading the model, ${Math.round(about.bytes / 1e6)} MB …`);
        models.set(name, await runtime.load(new URL(`${name}.onnx.js`, href)));
      }
      return [models.get(name), about];
    }

    return (asked, on) => {
      let wanted = true;
      const run = async () => {
        const [graph, about] = await load(asked.model, (words) => { if (wanted) on.say(words); }).catch((error) => {
          throw Object.assign(new Error(`The model cannot run in this page: ${error.message}`), { unable: true });
        });
        const started = performance.now();
        for await (const frame of sample(graph, about, asked)) {
          if (!wanted) return;
          on.frame(frame);
        }
        on.done((performance.now() - started) / 1000);
      };
      run().catch((error) => { if (wanted) on.failed(error.message, error.unable); });
      return () => { wanted = false; };
    };
  }

  return { inPage };
});
