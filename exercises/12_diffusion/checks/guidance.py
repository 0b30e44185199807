"""Checks of guidance.py: the guided prediction, dropped captions, and sampling under guidance."""

import numpy as np
import torch

from autograder.api import asked, check, close, expect, rows, untouched

SHAPE = (5, 2, 3, 4)  # no two sizes are equal
LENGTH = 6  # of a caption


def noise(rng, shape=SHAPE):
    return torch.from_numpy(rng.standard_normal(shape, np.float32))


def captions(rng, count=SHAPE[0]):
    """Draw captions of tokens 1..19, never 0 and never 20 or above."""
    return torch.from_numpy(rng.integers(1, 20, (count, LENGTH)))


def table(rng, T):
    return torch.from_numpy(np.cumprod(np.r_[1, 1 - rng.uniform(0.01, 0.05, T)]).astype(np.float32))


def network():
    """Make a stand-in for a network: its noise for a row depends on that row, its t and its caption only."""

    def eps_model(x, t, tokens):
        count = rows(x, *SHAPE[1:], most=2 * SHAPE[0])
        if np.prod(np.shape(t)) not in (1, count):
            raise ValueError("t must be an integer, or one for each row of x")
        if rows(tokens, LENGTH, most=count) < count:
            raise ValueError("tokens must have one row for each row of x")
        x, t, tokens = torch.as_tensor(x), torch.as_tensor(t).reshape(-1), torch.as_tensor(tokens)
        if (t != t.round()).any() or tokens.is_floating_point():
            raise ValueError("t and the tokens must be integers")
        caption = (tokens.to(x.dtype) * torch.arange(1, LENGTH + 1)).sum(1) * 0.37
        return torch.sin(2 * x + (0.7 * t.to(x.dtype) + caption).reshape(-1, 1, 1, 1))

    return eps_model


def captions_shown():
    """List each (t, caption) that the model was called with."""
    seen = []
    for _, t, tokens in asked("eps_model"):
        captions = np.asarray(tokens)
        seen += [(int(one), tuple(map(int, row))) for one, row in zip(np.broadcast_to(np.ravel(t), len(captions)), captions, strict=True)]
    return seen


@check(points=2, of="guided_eps")
def the_known_ends(student, reference, rng):
    """w = 0 gives the unconditional prediction, w = 1 the conditional one"""
    uncond, cond = float(rng.uniform(0, 1)), float(rng.uniform(2, 3))
    for w, expected in ((0.0, uncond), (1.0, cond)):
        close(student.guided_eps(torch.tensor(uncond), torch.tensor(cond), w), expected)


@check(points=3, of="guided_eps")
def between_and_beyond(student, reference, rng):
    """Guided predictions for a batch, between the two and beyond"""
    for w in (0.0, 0.4, 1.0, 7.5):
        given = noise(rng), noise(rng), w
        close(student.guided_eps(*given), reference.guided_eps(*given), atol=1e-5)


@check(points=3, of="drop_condition")
def some_captions_dropped(student, reference, rng):
    """Exactly the rows with u < p become null"""
    for p, first in ((0.1, 0.5), (0.6, 0.3)):  # the first row is kept once and dropped once
        u = torch.from_numpy(np.r_[first, rng.permutation(np.linspace(0.02, 0.98, 11))].astype(np.float32))
        given = captions(rng, 12), 20, p, u
        close(student.drop_condition(*given), reference.drop_condition(*given))


@check(points=1, of="drop_condition", needs=some_captions_dropped)
def none_and_all(student, reference, rng):
    """p = 0 drops no caption, not even one with u = 0, and p = 1 drops all of them"""
    u = torch.from_numpy(np.r_[0, rng.uniform(0, 0.99, 4)].astype(np.float32))
    for p in (0.0, 1.0):
        given = captions(rng), 20, p, u
        close(student.drop_condition(*given), reference.drop_condition(*given))


@check(points=2, of="drop_condition", needs=some_captions_dropped)
def a_row_for_null(student, reference, rng):
    """null may be a whole row of tokens, even with as many captions as tokens"""
    for count in (9, LENGTH):
        null = torch.from_numpy(rng.integers(20, 30, LENGTH))
        given = captions(rng, count), null, 0.45, torch.from_numpy(rng.permutation(np.linspace(0.03, 0.97, count)).astype(np.float32))
        close(student.drop_condition(*given), reference.drop_condition(*given))


@check(points=4, of="guided_sample")
def sampled_under_guidance(student, reference, rng):
    """From x_T to x_0 with captions and w above 1"""
    T = int(rng.integers(40, 50))
    given = network(), captions(rng), 20, 2.5, noise(rng), table(rng, T), 6
    close(student.guided_sample(*given), reference.guided_sample(*given), atol=5e-4)


@check(points=1, of="guided_sample")
def without_and_with_caption(student, reference, rng):
    """w = 0 samples without captions, w = 1 with them and without guidance"""
    for w in (0.0, 1.0):
        given = network(), captions(rng), 20, w, noise(rng), table(rng, 30), 4
        close(student.guided_sample(*given), reference.guided_sample(*given), atol=5e-4)


@check(points=2, of="guided_sample", needs=sampled_under_guidance)
def null_is_shown(student, reference, rng):
    """The model is called with each caption, and with null instead, at each t of the grid; null is a whole row here"""
    tokens, null = captions(rng), torch.from_numpy(rng.integers(20, 30, LENGTH))
    given = network(), tokens, null, 3.0, noise(rng), table(rng, 40), 7
    close(student.guided_sample(*given), reference.guided_sample(*given), atol=5e-4)
    seen, ts = captions_shown(), [40 * i // 7 for i in range(7, 0, -1)]
    null_row = tuple(null.tolist())
    expect({t for t, row in seen if row == null_row} == set(ts), "did not call the model with the null row at each t of the grid")
    expect({t for t, row in seen if row == tuple(tokens[0].tolist())} == set(ts), "did not call it with the captions at each t of the grid")
    expect(len(seen) == 2 * len(tokens) * len(ts), f"called the model on {len(seen)} rows; expected {2 * len(tokens) * len(ts)}")


@check(points=0.5, of="drop_condition", needs=some_captions_dropped)
def captions_stay(student, reference, rng):
    """drop_condition does not modify the captions"""
    given = captions(rng), 20, 0.7, torch.from_numpy(rng.permutation(np.linspace(0.05, 0.95, 5)).astype(np.float32))
    student.drop_condition(*given)
    untouched()


@check(points=0.5, of="guided_eps", needs=between_and_beyond)
def predictions_stay(student, reference, rng):
    """guided_eps does not modify the predictions"""
    given = noise(rng), noise(rng), 3.0
    student.guided_eps(*given)
    untouched()


@check(points=1, of="guided_sample", needs=sampled_under_guidance)
def sampling_leaves_its_arguments(student, reference, rng):
    """guided_sample does not modify the captions, x_T or the table"""
    given = network(), captions(rng), 20, 1.5, noise(rng), table(rng, 20), 3
    student.guided_sample(*given)
    untouched()
