"""Checks of timestep.py: the embedding of t, and a block conditioned on an embedding."""

import numpy as np
import torch

from autograder.api import check, close, expect, shaped, untouched

CHANNELS = 16  # with 8, a norm of 8 groups would take a bias out again, as DDPM's own block adds it
MOST_WEIGHTS = 2_000_000  # what is sent back is as large as what came


def steps(rng, batch, most):
    return torch.from_numpy(rng.choice(np.arange(1, most), batch, replace=False))


def drawn(rng, *shape):
    return torch.from_numpy(rng.standard_normal(shape, np.float32))


def weights_of(block):
    """Read the block's weights, in the order of their names."""
    weights = block.weights()
    count = sum(np.size(value) for value in weights.values())
    if count > MOST_WEIGHTS:
        raise ValueError(f"{count:,} weights, where {MOST_WEIGHTS:,} can be drawn anew")
    return {name: torch.as_tensor(value) for name, value in sorted(weights.items())}


def anew(weights, rng):
    """Draw random weights in the place of these, because a layer that starts at zero would hide what it does."""
    return {
        name: 0.4 * drawn(rng, *value.shape) if value.is_floating_point() and "running" not in name else value
        for name, value in weights.items()
    }


def called_once(student, rng):
    """Build a block and call it: some layers get their weights at the first call."""
    block = student.ConditionedBlock(CHANNELS, 12)
    block(drawn(rng, 2, CHANNELS, 4, 6), drawn(rng, 2, 12))
    return block


def randomised(student, rng):
    block = called_once(student, rng)
    block.set_weights(anew(weights_of(block), rng))
    return block


def change(block, first, second):
    """Return the difference between what a block makes of two pairs of images and embeddings."""
    one, other = (shaped(block(x, emb), *x.shape) for x, emb in (first, second))
    return other - one


def rows_without(difference):
    """Count the rows that do not differ."""
    return int((np.abs(difference).reshape(len(difference), -1).max(1) <= 1e-4).sum())


@check(points=4, of="timestep_embedding")
def cosines_then_sines(student, reference, rng):
    """Cosines, then sines, at falling frequencies"""
    for batch, dim in ((5, 8), (3, 6), (4, 4)):
        t = steps(rng, batch, 30)
        close(student.timestep_embedding(t, dim), reference.timestep_embedding(t, dim), atol=1e-3)


@check(points=2, of="timestep_embedding", needs=cosines_then_sines)
def the_usual_size(student, reference, rng):
    """The usual size, for t up to 1000, and for a batch with as many t as frequencies"""
    for batch, dim in ((16, 128), (32, 64)):
        t = steps(rng, batch, 1000)
        close(student.timestep_embedding(t, dim), reference.timestep_embedding(t, dim), atol=1e-3)


@check(points=2, of="timestep_embedding")
def another_longest_period(student, reference, rng):
    """Another longest period than 10000"""
    for period in (100, 2000):
        t = steps(rng, 6, 200)
        close(student.timestep_embedding(t, 10, period), reference.timestep_embedding(t, 10, period), atol=1e-3)


@check(points=1, of="timestep_embedding", needs=cosines_then_sines)
def a_single_t(student, reference, rng):
    """A batch of one t, and t = 0"""
    t = steps(rng, 1, 900)
    close(student.timestep_embedding(t, 16), reference.timestep_embedding(t, 16), atol=1e-3)
    close(student.timestep_embedding(torch.tensor([0]), 2), reference.timestep_embedding(torch.tensor([0]), 2), atol=1e-3)


@check(points=0.5, of="timestep_embedding", needs=cosines_then_sines)
def steps_stay(student, reference, rng):
    """timestep_embedding does not modify t"""
    t = steps(rng, 5, 900)
    student.timestep_embedding(t, 12)
    untouched()


@check(points=2, of="ConditionedBlock")
def keeps_the_shape(student, reference, rng):
    """The block returns an image of its input's shape"""
    for channels, dim, batch, height, width in ((8, 12, 3, 4, 6), (16, 5, 2, 7, 5)):
        block = student.ConditionedBlock(channels, dim)
        got = np.shape(block(drawn(rng, batch, channels, height, width), drawn(rng, batch, dim)))
        expect(got == (batch, channels, height, width), f"gave shape {got}; expected {(batch, channels, height, width)}")


@check(points=3, of="ConditionedBlock", needs=keeps_the_shape)
def hears_the_embedding(student, reference, rng):
    """The same image with another embedding gives another result, in each row, and the block learns which"""
    block = called_once(student, rng)
    weights, changes = weights_of(block), []
    x, emb, other = drawn(rng, 5, CHANNELS, 4, 6), drawn(rng, 5, 12), drawn(rng, 5, 12)
    for _ in range(2):
        block.set_weights(anew(weights, rng))
        changes.append(change(block, (x, emb), (x, other)))
    same = rows_without(changes[0])
    expect(same == 0, f"gave the same result for two embeddings in {same} of 5 rows")
    learned = rows_without(changes[1] - changes[0]) == 0
    expect(learned, "changes with the embedding as before if its weights are others: there is nothing to learn")


@check(points=2, of="ConditionedBlock", needs=keeps_the_shape)
def sees_the_image(student, reference, rng):
    """Another image with the same embedding gives another result, in each row"""
    block = randomised(student, rng)
    x, emb = drawn(rng, 5, CHANNELS, 4, 6), drawn(rng, 5, 12)
    same = rows_without(change(block, (x, emb), (x + drawn(rng, 5, CHANNELS, 4, 6), emb)))
    expect(same == 0, f"gave the same result for two images in {same} of 5 rows")


@check(points=3, of="ConditionedBlock", needs=hears_the_embedding)
def rows_stand_alone(student, reference, rng):
    """A row's result does not depend on the other rows, even if the batch is as large as the image is wide"""
    block = randomised(student, rng)
    x, emb = drawn(rng, 6, CHANNELS, 6, 6), drawn(rng, 6, 12)
    together = shaped(block(x, emb), *x.shape)
    rounding = 1e-4 + 1e-5 * np.abs(together).max()  # batches of other sizes are summed in other orders
    for few in (slice(2, 3), slice(3, 6)):
        apart = np.abs(shaped(block(x[few], emb[few]), *x[few].shape) - together[few])
        expect(bool((apart < rounding).all()), "gave a different result for a row with other rows in the batch")


@check(points=1, of="ConditionedBlock", needs=keeps_the_shape)
def equal_weights_answer_equally(student, reference, rng):
    """Two blocks with the same weights give the same result, and so does one block called twice"""
    first, second = called_once(student, rng), called_once(student, rng)
    weights = anew(weights_of(first), rng)
    expect(len(weights) > 0, "has no weights: there is nothing to learn")
    for block in (first, second):
        block.set_weights(weights)
    x, emb = drawn(rng, 3, CHANNELS, 4, 6), drawn(rng, 3, 12)
    answer = first(x, emb)
    close(first(x, emb), np.asarray(answer), atol=1e-5)
    close(second(x, emb), np.asarray(answer), atol=1e-5)
