"""What `course check FILE --show` draws: images from noise, by the student's own functions. Nothing is judged here.

The samplers ask the reference's network, trained on clothes of 16 × 16 pixels. A student release has no network, so there they ask for
the exact prediction, which a perfect network would make if the data were the quilts of the capstone.
"""

from pathlib import Path

import numpy as np
import torch

from autograder.api import load_module, rows

COUNT, STEPS, W = 8, 50, 1.5


def denoiser(rng):
    """Return eps_model(x, t), the table of ᾱ_t for t = 0..STEPS, and the shape of an image."""
    try:
        from solutions.diffusion.guidance import guided
        from solutions.diffusion.models import fashion
    except ImportError:
        return exact(rng)
    net, labels = fashion.trained(), torch.arange(COUNT)
    visited = [len(fashion.ALPHA_BARS) // STEPS * i for i in range(STEPS + 1)]

    def eps_model(x, t):
        count = rows(x, 1, 16, 16, most=COUNT)
        own = labels[:count]
        predict = guided(net, fashion.ALPHA_BARS, "v", {"labels": own}, {"labels": torch.full_like(own, fashion.NULL)}, W)
        with torch.no_grad():
            return predict(torch.as_tensor(x, dtype=torch.float32), visited[int(np.unique(t).item())])

    return eps_model, torch.as_tensor(fashion.ALPHA_BARS)[visited].float(), (1, 16, 16)


def exact(rng):
    """Return what `denoiser` does, for data that are quilts: the noise that is left beside their weighted mean."""
    train = load_module(Path(__file__).with_name("train.py"))
    known = train.quilts(rng).reshape(625, -1)
    alpha_bars = np.interp(np.arange(STEPS + 1) * train.T / STEPS, np.arange(train.T + 1), train.table())

    def eps_model(x, t):
        count, a = rows(x, 1, 8, 8, most=COUNT), alpha_bars[int(np.unique(t).item())]
        flat = np.asarray(x, np.float64).reshape(count, -1)
        weights = -((flat[:, None] - np.sqrt(a) * known) ** 2).sum(2) / (2 * (1 - a))
        weights = np.exp(weights - weights.max(1, keepdims=True))
        mean = weights @ known / weights.sum(1, keepdims=True)
        return torch.from_numpy(((flat - np.sqrt(a) * mean) / np.sqrt(1 - a)).reshape(count, 1, 8, 8).astype(np.float32))

    return eps_model, torch.from_numpy(alpha_bars.astype(np.float32)), (1, 8, 8)


def noise(rng, *shape):
    return torch.from_numpy(rng.standard_normal(shape, np.float32))


def ddim(student, rng):
    """Ten DDIM steps without noise."""
    eps_model, alpha_bars, shape = denoiser(rng)
    return student.ddim_sample(eps_model, noise(rng, COUNT, *shape), alpha_bars, 10, 0.0, lambda t: torch.zeros(COUNT, *shape))


def ddpm(student, rng):
    """Fifty DDPM steps."""
    eps_model, alpha_bars, shape = denoiser(rng)
    betas = torch.cat([torch.zeros(1), 1 - alpha_bars[1:] / alpha_bars[:-1]])
    drawn = noise(rng, STEPS + 1, COUNT, *shape)
    return student.ddpm_sample(eps_model, noise(rng, COUNT, *shape), betas, lambda t: drawn[int(np.unique(t).item())])


def train(student, rng):
    """Quilts from the student's own network, after its training."""
    capstone = load_module(Path(__file__).with_name("train.py"))
    model, alpha_bars = student.build_model(), capstone.table()
    seen = capstone.quilts(rng)[rng.permutation(625)[: capstone.SEEN]]
    student.train(model, torch.from_numpy(seen), torch.from_numpy(alpha_bars), capstone.STEPS)
    return capstone.drawn_by(model, rng.standard_normal((COUNT, 1, 8, 8), np.float32), alpha_bars)
