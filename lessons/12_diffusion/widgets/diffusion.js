// The lesson's formulas, as in the reference implementation: index t is the lesson's subscript, and row 0 is the clean image.

course.provide(() => {
  function linearBetas(T, first = 1e-4, last = 0.02) {
    return Float64Array.from({ length: T + 1 }, (_, t) => (t === 0 ? 0 : T === 1 ? first : first + ((last - first) * (t - 1)) / (T - 1)));
  }

  function cosineBetas(T, s = 0.008, most = 0.999) {
    const f = (t) => Math.cos((((t / T + s) / (1 + s)) * Math.PI) / 2) ** 2;
    return Float64Array.from({ length: T + 1 }, (_, t) => (t === 0 ? 0 : Math.min(1 - f(t) / f(t - 1), most)));
  }

  function alphaBars(betas) {
    let product = 1;
    return betas.map((beta) => (product *= 1 - beta));
  }

  const forwardStep = (x, beta, eps) => Math.sqrt(1 - beta) * x + Math.sqrt(beta) * eps;

  function evenPath(T, steps) {
    return Array.from({ length: steps + 1 }, (_, i) => Math.floor((T * (steps - i)) / steps));
  }

  // p(x_0 = image | x_t) of equally likely images, or of clouds around them, by Bayes' rule.
  function imagePosterior(x, bar, images, std = 0) {
    const off = (image) => image.reduce((sum, value, k) => sum + (x[k] - Math.sqrt(bar) * value) ** 2, 0);
    const logs = images.map((image) => -off(image) / (2 * (bar * std ** 2 + 1 - bar)));
    const most = Math.max(...logs);
    const likely = logs.map((log) => Math.exp(log - most));
    const sum = likely.reduce((a, b) => a + b);
    return likely.map((each) => each / sum);
  }

  // E[x_0 | x_t]: the average of the images, each weighted by how likely it is.
  function averageImage(x, bar, images, std = 0) {
    const shares = imagePosterior(x, bar, images, std);
    return x.map((_, k) => images.reduce((sum, image, i) => sum + shares[i] * image[k], 0));
  }

  // ε̂ for a mixture of equal isotropic Gaussians: −√(1 − ᾱ) times the score of the noised density.
  function exactEps(x, bar, centres, std = 0.12) {
    const average = averageImage(x, bar, centres, std);
    return x.map((value, k) => (Math.sqrt(1 - bar) * (value - Math.sqrt(bar) * average[k])) / (bar * std ** 2 + 1 - bar));
  }

  // One DDIM trajectory with η = 0, from `start` along `path`; `epsAt(x, t)` gives ε̂. Nothing is clipped.
  function ddim(start, bars, path, epsAt) {
    const trajectory = [start];
    for (let i = 0; i + 1 < path.length; i++) {
      const [t, s] = [path[i], path[i + 1]];
      const x = trajectory[i];
      const eps = epsAt(x, t);
      trajectory.push(x.map((value, k) => {
        const clean = (value - Math.sqrt(1 - bars[t]) * eps[k]) / Math.sqrt(bars[t]);
        return Math.sqrt(bars[s]) * clean + Math.sqrt(1 - bars[s]) * eps[k];
      }));
    }
    return trajectory;
  }

  const guide = (uncond, cond, w) => uncond.map((value, k) => value + w * (cond[k] - value));

  return { linearBetas, cosineBetas, alphaBars, forwardStep, evenPath, imagePosterior, averageImage, exactEps, ddim, guide };
});
