"""Checks of attention.py: image positions attend to text tokens, with one or several heads, with and without a mask."""

import numpy as np
import torch

from autograder.api import check, close, untouched


def given(rng, *, heads, positions=5, tokens=4, size=3, scale=1.0):
    """Draw an image, a text and weights; all other sizes are different."""
    batch, d, e = 2, 7, 6
    shapes = (batch, positions, d), (batch, tokens, e), (d, heads * size), (e, heads * size), (e, heads * size), (heads * size, d)
    x, text, *weights = (torch.from_numpy(rng.standard_normal(shape, np.float32)) for shape in shapes)
    return scale * x, text, *(weight * 0.6 for weight in weights), heads


def masked(rng, tokens):
    """Draw a mask that hides a different number of tokens in each row."""
    hidden = np.zeros((2, tokens), bool)
    hidden[0, rng.permutation(tokens)[: tokens // 2]] = True
    hidden[1, rng.permutation(tokens)[:1]] = True
    return torch.from_numpy(~hidden)


@check(points=5, of="cross_attention")
def one_head(student, reference, rng):
    """One head: each position's weights over the tokens sum to 1, even with as many positions as tokens"""
    for positions in (5, 4):
        args = given(rng, heads=1, positions=positions)
        close(student.cross_attention(*args), reference.cross_attention(*args), atol=2e-5)


@check(points=5, of="cross_attention", needs=one_head)
def several_heads(student, reference, rng):
    """Several heads, each with its own columns and its own softmax"""
    for heads, size in ((2, 8), (4, 4), (3, 5)):
        args = given(rng, heads=heads, size=size)
        close(student.cross_attention(*args), reference.cross_attention(*args), atol=2e-5)


@check(points=5, of="cross_attention", needs=one_head)
def with_a_mask(student, reference, rng):
    """Masked tokens get no weight, and the other weights still sum to 1"""
    for heads, tokens in ((1, 6), (1, 5)):
        args = (*given(rng, heads=heads, tokens=tokens), masked(rng, tokens))
        close(student.cross_attention(*args), reference.cross_attention(*args), atol=2e-5)


@check(points=2, of="cross_attention", needs=(several_heads, with_a_mask))
def mask_and_heads(student, reference, rng):
    """A mask and several heads at once, even with as many heads as batch rows, tokens or positions"""
    for heads in (2, 4, 5):
        args = (*given(rng, heads=heads), masked(rng, 4))
        close(student.cross_attention(*args), reference.cross_attention(*args), atol=2e-5)


@check(points=2, of="cross_attention", needs=one_head)
def large_scores(student, reference, rng):
    """Scores in the hundreds do not overflow"""
    args = given(rng, heads=1, scale=150.0)
    close(student.cross_attention(*args), reference.cross_attention(*args), atol=2e-3)


@check(points=1, of="cross_attention", needs=one_head)
def arguments_stay(student, reference, rng):
    """cross_attention does not modify its arguments"""
    args = (*given(rng, heads=1), masked(rng, 4))
    student.cross_attention(*args)
    untouched()
