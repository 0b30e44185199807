"""Checks of ddpm.py: the posterior, one step with noise, and sampling from x_T to x_0."""

from collections import Counter

import numpy as np
import torch

from autograder.api import asked, check, close, expect, rows, shaped, untouched

SHAPE = (5, 2, 3, 4)  # no two sizes are equal
CLOUDS = (5, 600, 2)  # rows of points in the plane, 3,000 in all


def noise(rng, shape=SHAPE):
    return torch.from_numpy(rng.standard_normal(shape, np.float32))


def table(rng, T):
    """Draw a separate table of β, large enough for ᾱ to be precise in float32."""
    return torch.from_numpy(np.r_[0, rng.uniform(0.01, 0.06, T)].astype(np.float32))


def bars_of(betas):
    return torch.cumprod(1 - betas.double(), 0)


def network():
    """Make a stand-in for a network: its noise for a row depends on that row and its t only."""

    def eps_model(x, t):
        count = rows(x, *SHAPE[1:], most=2 * SHAPE[0])
        if np.prod(np.shape(t)) not in (1, count):
            raise ValueError("t must be an integer, or one for each row of x")
        x, t = torch.as_tensor(x), torch.as_tensor(t).reshape(-1, 1, 1, 1)
        if (t != t.round()).any():
            raise ValueError("t must be an integer, or one for each row of x")
        return torch.sin(2 * x + 0.7 * t.to(x.dtype))

    return eps_model


def bars_at(t, count, bars):
    """Return ᾱ_t for one t, or for one t in each of `count` rows."""
    if np.prod(np.shape(t)) not in (1, count):
        raise ValueError("t must be an integer, or one for each row of x")
    t = torch.as_tensor(t).long().reshape(-1)
    if (t < 1).any() or (t >= len(bars)).any():
        raise ValueError("t must be in 1..T")
    return bars[t]


def exact_for_one_image(image, bars):
    """Make the network that knows the only clean image, and therefore the exact noise."""

    def eps_model(x, t):
        bar = bars_at(t, rows(x, *image.shape, most=2 * SHAPE[0]), bars).reshape(-1, 1, 1, 1)
        x = torch.as_tensor(x)
        return ((x - bar**0.5 * image) / (1 - bar) ** 0.5).to(x.dtype)

    return eps_model


def exact_for_gaussian(mean, covariance, bars):
    """Make the exact noise predictor for points from a Gaussian in the plane."""
    values, vectors = torch.linalg.eigh(covariance)

    def eps_model(x, t):
        bar = bars_at(t, rows(x, *CLOUDS[1:], most=2 * CLOUDS[0]), bars).reshape(-1, 1, 1)
        x = torch.as_tensor(x)
        away = (x.double() - bar**0.5 * mean) @ vectors
        return ((1 - bar) ** 0.5 * (away / (bar * values + 1 - bar)) @ vectors.T).to(x.dtype)

    return eps_model


def source(rng, T, shape=SHAPE):
    """Make a source of noise that always returns the same noise for the step starting at t."""
    drawn = noise(rng, (T + 1, *shape))

    def draw_noise(t):
        return drawn[int(np.unique(t).item())]  # one t, or the same for each row

    return draw_noise


def rows_asked(model):
    """Count the rows that a model was called with, by their t."""
    return Counter(int(t) for x, ts in asked(model) for t in np.broadcast_to(np.ravel(ts), len(x)))


@check(points=3, of="posterior")
def the_mean(student, reference, rng):
    """The posterior mean in the middle of the schedule"""
    for t in (12, 30, 50):
        given = noise(rng), t, noise(rng), table(rng, 60)
        mean, _ = student.posterior(*given)
        close(mean, reference.posterior(*given)[0], atol=5e-5)


@check(points=2, of="posterior")
def the_variance(student, reference, rng):
    """The posterior variance, the small one"""
    for t in (2, 9, 40):
        given = noise(rng), t, noise(rng), table(rng, 60)
        _, variance = student.posterior(*given)
        close(variance, reference.posterior(*given)[1], atol=2e-6)


@check(points=1, of="posterior", needs=(the_mean, the_variance))
def the_first_t(student, reference, rng):
    """At t = 1 the mean is the estimate of the clean image, and the variance is 0"""
    given = noise(rng), 1, noise(rng), table(rng, 20)
    mean, variance = student.posterior(*given)
    close(mean, reference.posterior(*given)[0], atol=1e-4)
    close(variance, 0.0, atol=1e-6)


@check(points=3, of="ddpm_step")
def a_step_with_noise(student, reference, rng):
    """One step in the middle of the schedule, with noise"""
    for t in (5, 40):
        given = noise(rng), t, noise(rng), table(rng, 60), noise(rng)
        close(student.ddpm_step(*given), reference.ddpm_step(*given), atol=5e-5)


@check(points=2, of="ddpm_step")
def no_noise_at_the_last_step(student, reference, rng):
    """The step from t = 1 adds no noise"""
    given = noise(rng), 1, noise(rng), table(rng, 20), noise(rng)
    close(student.ddpm_step(*given), reference.ddpm_step(*given), atol=1e-4)


@check(points=4, of="ddpm_sample")
def the_walk(student, reference, rng):
    """From x_T to x_0, one t at a time"""
    T = int(rng.integers(15, 25))
    given = network(), noise(rng), table(rng, T), source(rng, T)
    close(student.ddpm_sample(*given), reference.ddpm_sample(*given), atol=5e-4)


@check(points=1, of="ddpm_sample", needs=the_walk)
def the_model_is_asked_for_every_t(student, reference, rng):
    """The model is called once for each t, from T down to 1"""
    T = int(rng.integers(10, 15))
    given = network(), noise(rng), table(rng, T), source(rng, T)
    close(student.ddpm_sample(*given), reference.ddpm_sample(*given), atol=5e-4)
    seen = [int(t) for _, ts in asked("eps_model") for t in np.unique(np.asarray(ts))]
    words = f"called the model with t = {', '.join(map(str, seen[:15]))}; expected one call for each t from {T} down to 1"
    expect(rows_asked("eps_model") == dict.fromkeys(range(1, T + 1), SHAPE[0]), words)


@check(points=1, of="ddpm_sample", needs=the_walk)
def one_known_image(student, reference, rng):
    """A model that knows the only clean image leads to exactly that image, whatever the noise"""
    image, betas = torch.from_numpy(rng.uniform(-1, 1, SHAPE[1:]).astype(np.float32)), table(rng, 30)
    drawn = student.ddpm_sample(exact_for_one_image(image, bars_of(betas)), noise(rng), betas, source(rng, 30))
    close(drawn, image.expand(SHAPE), atol=1e-3)


@check(points=2, of="ddpm_sample", needs=the_walk)
def a_known_gaussian(student, reference, rng):
    """Points sampled with the exact noise predictor of a Gaussian have its mean and covariance"""
    # With 3,000 points each of the five numbers is within 6 standard errors of the Gaussian's own, plus 0.05 because T is finite.
    # A correct solution is outside in fewer than 1 of 10 million runs.
    T = 100
    mean, turn = torch.from_numpy(rng.uniform(-1, 1, 2)), float(rng.uniform(0, np.pi))
    axes = torch.tensor([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    covariance = axes @ torch.diag(torch.tensor([1.0, 0.25], dtype=torch.float64)) @ axes.T
    betas = torch.linspace(1e-3, 0.12, T + 1)
    betas[0] = 0
    given = exact_for_gaussian(mean, covariance, bars_of(betas)), noise(rng, CLOUDS), betas, source(rng, T, CLOUDS)
    drawn = shaped(student.ddpm_sample(*given), *CLOUDS).reshape(-1, 2)
    close(drawn.mean(0), mean.numpy(), atol=6 * (1 / len(drawn)) ** 0.5 + 0.05)
    close(np.cov(drawn.T), covariance.numpy(), atol=6 * (2 / len(drawn)) ** 0.5 + 0.05)


@check(points=0.5, of="ddpm_step", needs=a_step_with_noise)
def step_leaves_its_arguments(student, reference, rng):
    """ddpm_step does not modify its arguments"""
    given = noise(rng), 20, noise(rng), table(rng, 30), noise(rng)
    student.ddpm_step(*given)
    untouched()


@check(points=0.5, of="ddpm_sample", needs=the_walk)
def walk_leaves_its_arguments(student, reference, rng):
    """ddpm_sample does not modify x_T or the table"""
    given = network(), noise(rng), table(rng, 12), source(rng, 12)
    student.ddpm_sample(*given)
    untouched()
