"""Checks of ddim.py: the grid of t, one step with and without noise, and sampling from x_T to x_0."""

from collections import Counter

import numpy as np
import torch

from autograder.api import asked, check, close, expect, rows, untouched

SHAPE = (5, 2, 3, 4)  # no two sizes are equal


def noise(rng, shape=SHAPE):
    return torch.from_numpy(rng.standard_normal(shape, np.float32))


def table(rng, T):
    """Draw a separate table of ᾱ, far enough from 0 and from 1 to be precise in float32."""
    return torch.from_numpy(np.cumprod(np.r_[1, 1 - rng.uniform(0.01, 0.05, T)]).astype(np.float32))


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


def source(rng, T):
    """Make a source of noise that always returns the same noise for the step starting at t."""
    drawn = noise(rng, (T + 1, *SHAPE))

    def draw_noise(t):
        return drawn[int(np.unique(t).item())]  # one t, or the same for each row

    return draw_noise


def grid(T, steps):
    return [T * i // steps for i in range(steps, 0, -1)]


def rows_asked(model):
    """Count the rows that a model was called with, by their t."""
    return Counter(int(t) for x, ts in asked(model) for t in np.broadcast_to(np.ravel(ts), len(x)))


def steps_asked():
    """List the t that the model was called with, in order."""
    return [int(t) for _, ts in asked("eps_model") for t in np.unique(np.asarray(ts))]


@check(points=2, of="ddim_timesteps")
def the_grid(student, reference, rng):
    """The grid of t, even if the number of steps does not divide T"""
    for T, steps in ((20, 4), (int(rng.integers(50, 56)), 7), (int(rng.integers(89, 96)), 8)):
        close(student.ddim_timesteps(T, steps), reference.ddim_timesteps(T, steps))


@check(points=1, of="ddim_timesteps", needs=the_grid)
def one_step_and_all(student, reference, rng):
    """The grid of a single step, and the grid of all T steps"""
    T = int(rng.integers(10, 30))
    close(student.ddim_timesteps(T, 1), reference.ddim_timesteps(T, 1))
    close(student.ddim_timesteps(T, T), reference.ddim_timesteps(T, T))


@check(points=3, of="ddim_step")
def without_noise(student, reference, rng):
    """One step with η = 0, short and long"""
    alpha_bars = table(rng, 60)
    for t, t_prev in ((40, 39), (55, 30)):
        given = noise(rng), t, t_prev, noise(rng), alpha_bars, 0.0, noise(rng)
        close(student.ddim_step(*given), reference.ddim_step(*given), atol=2e-5)


@check(points=1, of="ddim_step", needs=without_noise)
def to_the_clean_image(student, reference, rng):
    """The last step, to t = 0, gives the estimate of the clean image for any η"""
    alpha_bars = table(rng, 60)
    for t, eta in ((6, 0.0), (12, 1.0)):
        given = noise(rng), t, 0, noise(rng), alpha_bars, eta, noise(rng)
        close(student.ddim_step(*given), reference.ddim_step(*given), atol=2e-5)


@check(points=3, of="ddim_step")
def with_some_noise(student, reference, rng):
    """One step with η between 0 and 1"""
    alpha_bars = table(rng, 60)
    for eta, t, t_prev in ((0.4, 50, 20), (0.8, 30, 29)):
        given = noise(rng), t, t_prev, noise(rng), alpha_bars, eta, noise(rng)
        close(student.ddim_step(*given), reference.ddim_step(*given), atol=2e-5)


@check(points=1, of="ddim_step", needs=without_noise)
def as_much_noise_as_ddpm(student, reference, rng):
    """One step with η = 1, which equals DDPM's step"""
    given = noise(rng), 45, 44, noise(rng), table(rng, 60), 1.0, noise(rng)
    close(student.ddim_step(*given), reference.ddim_step(*given), atol=2e-5)


@check(points=4, of="ddim_sample")
def the_walk(student, reference, rng):
    """From x_T to x_0 in a few steps with η = 0"""
    T = int(rng.integers(50, 56))
    given = network(), noise(rng), table(rng, T), 7, 0.0, source(rng, T)
    close(student.ddim_sample(*given), reference.ddim_sample(*given), atol=2e-4)


@check(points=1, of="ddim_sample", needs=the_walk)
def the_model_is_asked_for_the_grid(student, reference, rng):
    """The model is called once for each t of the grid"""
    T = int(rng.integers(50, 56))
    given = network(), noise(rng), table(rng, T), 8, 0.0, source(rng, T)
    close(student.ddim_sample(*given), reference.ddim_sample(*given), atol=2e-4)
    seen = steps_asked()
    words = f"called the model with t = {', '.join(map(str, seen[:12]))}; expected one call for each t of the grid"
    expect(rows_asked("eps_model") == dict.fromkeys(grid(T, 8), SHAPE[0]), words)


@check(points=2, of="ddim_sample")
def the_walk_with_noise(student, reference, rng):
    """Sampling with η > 0, each step with the noise of the t it starts from"""
    T = int(rng.integers(50, 54))
    given = network(), noise(rng), table(rng, T), 6, 0.7, source(rng, T)
    close(student.ddim_sample(*given), reference.ddim_sample(*given), atol=2e-4)


@check(points=0.5, of="ddim_step", needs=without_noise)
def step_leaves_its_arguments(student, reference, rng):
    """ddim_step does not modify its arguments"""
    given = noise(rng), 50, 30, noise(rng), table(rng, 60), 0.5, noise(rng)
    student.ddim_step(*given)
    untouched()


@check(points=0.5, of="ddim_sample", needs=the_walk)
def walk_leaves_its_arguments(student, reference, rng):
    """ddim_sample does not modify x_T or the table"""
    given = network(), noise(rng), table(rng, 30), 5, 0.5, source(rng, 30)
    student.ddim_sample(*given)
    untouched()
