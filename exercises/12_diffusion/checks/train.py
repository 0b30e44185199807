"""Checks of train.py: a model that uses t, and that draws new quilts after training, not copies of those it saw."""

from itertools import combinations, pairwise, product

import numpy as np
import torch

from autograder.api import check, earned, expect, shaped

T, STEPS, SEEN, DRAWN = 100, 1500, 200, 200
NEAR = 2.5  # the largest distance at which an image counts as a quilt; two quilts are at least 5.2 apart
APART = 7  # of the 16 pixels differ between any two patterns
# The share of a perfect model's new quilts that earns full points. A perfect model draws 116 different ones on average, with a standard
# deviation of 6. The course's solution, trained with the sandbox's torch seed on 20 draws of the patterns, drew 110 (standard deviation 8,
# at least 98). With 16 other torch seeds it drew 61 to 122, and three times fewer than 82, which is seven tenths.
ENOUGH = 0.7


def tiles(rng):
    """Draw five patterns: nobody can know them before the training. # (5, 4, 4)"""
    while True:
        patterns = rng.choice(np.array([-1, 1], np.float32), (5, 4, 4))
        if all((one != other).sum() >= APART for one, other in combinations(patterns, 2)):
            return patterns


def quilts(rng):
    """Return all quilts of five patterns. # (625, 1, 8, 8)"""
    return np.stack([np.block([[a, b], [c, d]]) for a, b, c, d in product(tiles(rng), repeat=4)])[:, None]


def table():
    """Return ᾱ of the cosine schedule. # (T + 1,)"""
    f = np.cos((np.arange(T + 1) / T + 0.008) / 1.008 * np.pi / 2) ** 2
    betas = np.minimum(1 - f[1:] / f[:-1], 0.999)
    return np.cumprod(np.r_[1, 1 - betas]).astype(np.float32)


def drawn_by(model, x, alpha_bars):
    """Sample images from noise with DDIM in 20 steps. # (N, 1, 8, 8) -> (N, 1, 8, 8)"""
    grid = [T * i // 20 for i in range(20, -1, -1)]
    for t, s in pairwise(grid):
        eps = shaped(model(torch.from_numpy(x), torch.full((len(x),), t)), *x.shape)
        if not np.isfinite(eps).all():
            raise ValueError("the model gave numbers that are not finite")
        x0 = ((x - np.sqrt(1 - alpha_bars[t]) * eps) / np.sqrt(alpha_bars[t])).clip(-1, 1)
        eps = (x - np.sqrt(alpha_bars[t]) * x0) / np.sqrt(1 - alpha_bars[t])
        x = (np.sqrt(alpha_bars[s]) * x0 + np.sqrt(1 - alpha_bars[s]) * eps).astype(np.float32)
    return x


def sorted_out(images, known, seen):
    """Count the images: different new quilts, copies of seen ones, and images that are not quilts."""
    apart = ((images.reshape(len(images), 1, -1) - known.reshape(1, len(known), -1)) ** 2).sum(2)
    nearest, right = apart.argmin(1), apart.min(1) < NEAR**2
    copies = right & np.isin(nearest, seen)
    return len(set(nearest[right & ~copies])), int(copies.sum()), int((~right).sum())


def error_of(model, x0, rng, alpha_bars):
    """Return the mean squared error of ε̂ on these images, noised; a model that always returns 0 has about 1."""
    t, eps = rng.integers(1, T + 1, len(x0)), rng.standard_normal(x0.shape, np.float32)
    a = alpha_bars[t].reshape(-1, 1, 1, 1)
    answered = model(torch.from_numpy(np.sqrt(a) * x0 + np.sqrt(1 - a) * eps), torch.from_numpy(t))
    return float(((shaped(answered, *x0.shape) - eps) ** 2).mean())


def perfect(new, known):
    """Return the average number of different new quilts among DRAWN independent draws from all quilts."""
    return new * (1 - (1 - 1 / known) ** DRAWN)


@check(points=1, of="build_model")
def answers_in_shape(student, reference, rng):
    """The model returns x's shape, for a single t and for one t per row"""
    model = student.build_model()
    for batch, t in ((3, 7), (4, torch.from_numpy(rng.integers(1, T + 1, 4)))):
        eps = model(torch.from_numpy(rng.standard_normal((batch, 1, 8, 8), np.float32)), t)
        shape = getattr(eps, "shape", None)
        expect(shape == (batch, 1, 8, 8), f"gave shape {shape}; expected {(batch, 1, 8, 8)}")


@check(points=1, of="build_model", needs=answers_in_shape)
def is_told_t(student, reference, rng):
    """After a few training steps, the model's output depends on t"""
    model, images = student.build_model(), quilts(rng)[rng.permutation(625)[:SEEN]]
    student.train(model, torch.from_numpy(images), torch.from_numpy(table()), 20)
    x = torch.from_numpy(rng.standard_normal((4, 1, 8, 8), np.float32))
    early, late = (shaped(model(x, torch.full((4,), t)), *x.shape) for t in (5, 90))
    expect(np.abs(early - late).max() > 1e-5, "gives the same output at t = 5 and at t = 90: the model does not use t")


@check(points=8, of="train", needs=answers_in_shape)
def draws_new_quilts(student, reference, rng):
    """After training, the sampled images are quilts, and not those it saw"""
    known, alpha_bars, model = quilts(rng), table(), student.build_model()
    seen = rng.permutation(len(known))[:SEEN]
    student.train(model, torch.from_numpy(known[seen]), torch.from_numpy(alpha_bars), STEPS)
    error = error_of(model, np.delete(known, seen, 0), rng, alpha_bars)
    images = drawn_by(model, rng.standard_normal((DRAWN, 1, 8, 8), np.float32), alpha_bars)
    new, copies, wrong = sorted_out(images, known, seen)
    best = perfect(len(known) - SEEN, len(known))
    drew = f"drew {new} different new quilts, where a perfect model draws about {best:.0f}"
    others = f"of {DRAWN} images, {copies} are copies of those it saw and {wrong} are not quilts"
    errs = f"Its mean squared error on new quilts, noised as in the lesson, is {error:.2f}; a model that always returns 0 has 1"
    earned(new / best / ENOUGH, f"{drew}; {others}. {errs}")
