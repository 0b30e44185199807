"""Checks of distill.py: the target of one step for two, and training steps towards it."""

from collections import Counter

import numpy as np
import torch

from autograder.api import asked, check, close, expect, rows, untouched

SHAPE = (4, 2, 5, 6)  # no two sizes are equal


def noise(rng, shape=SHAPE):
    return torch.from_numpy(rng.standard_normal(shape, np.float32))


def table(rng, T=60):
    return torch.from_numpy(np.cumprod(np.r_[1, 1 - rng.uniform(0.01, 0.05, T)]).astype(np.float32))


def path(rng, batch=4):
    """Draw t, t_mid and t_end for each sample, well apart."""
    return tuple(torch.from_numpy(rng.permutation(batch) * 2 + low) for low in (45, 25, 5))


def network():
    """Make a stand-in for a teacher: its noise for a row depends on that row and its t only."""

    def teacher(x, t):
        count = rows(x, *SHAPE[1:], most=12)
        if np.prod(np.shape(t)) not in (1, count):
            raise ValueError("t must be an integer, or one for each row of x")
        x, t = torch.as_tensor(x), torch.as_tensor(t).reshape(-1, 1, 1, 1)
        if (t != t.round()).any():
            raise ValueError("t must be an integer, or one for each row of x")
        return torch.sin(2 * x + 0.7 * t.to(x.dtype))

    return teacher


def weights_of_a_denoiser(rng, channels=2, width=8):
    """Draw weights for the denoiser in props.py."""
    shapes = {"conv_in.weight": (width, channels, 1, 1), "conv_in.bias": (width,), "time.weight": (width, 1), "time.bias": (width,),
              "conv_out.weight": (channels, width, 1, 1), "conv_out.bias": (channels,)}  # fmt: skip
    return {name: torch.from_numpy(0.5 * rng.standard_normal(shape, np.float32)) for name, shape in shapes.items()}


def denoiser(student, weights):
    model = student.props.denoiser()
    model.set_weights(weights)
    return model


def rows_asked(model):
    """Count the rows that a model was called with, by their t."""
    return Counter(int(t) for x, ts in asked(model) for t in np.broadcast_to(np.ravel(ts), len(x)))


@check(points=5, of="progressive_target")
def one_t_for_all(student, reference, rng):
    """The target at one t, with t_end above 0 and at 0"""
    for t, t_mid, t_end in ((50, 30, 10), (40, 20, 0)):
        given = network(), noise(rng), t, t_mid, t_end, table(rng)
        close(student.progressive_target(*given), reference.progressive_target(*given), atol=2e-4)


@check(points=3, of="progressive_target")
def one_t_per_sample(student, reference, rng):
    """The target if each sample has its own t, even if the batch is as large as the image is wide"""
    for batch in (6, 3):
        given = network(), noise(rng, (batch, 2, 5, 6)), *path(rng, batch), table(rng)
        close(student.progressive_target(*given), reference.progressive_target(*given), atol=2e-4)


@check(points=1, of="progressive_target", needs=(one_t_for_all, one_t_per_sample))
def the_teacher_takes_two_steps(student, reference, rng):
    """The teacher is called twice: at t and at t_mid"""
    student.progressive_target(network(), noise(rng), 48, 31, 9, table(rng))
    seen = [int(t) for _, ts in asked("teacher") for t in np.unique(np.asarray(ts))]
    expect(rows_asked("teacher") == {48: SHAPE[0], 31: SHAPE[0]}, f"called the teacher with t = {seen}; expected 48, then 31")


@check(points=5, of="distill_step")
def several_steps(student, reference, rng):
    """Each step changes the student's weights as gradient descent does, and returns the error before it"""
    model_weights, teacher_weights, alpha_bars = weights_of_a_denoiser(rng), weights_of_a_denoiser(rng), table(rng)
    model, teacher = denoiser(student, model_weights), denoiser(student, teacher_weights)
    optimizer = student.props.sgd(model, 0.1, 0.5)
    batches = [[noise(rng), *path(rng)] for _ in range(3)]
    errors, after = reference.distilled_by(model_weights, teacher_weights, 0.1, 0.5, batches, alpha_bars)
    for batch, error in zip(batches, errors, strict=True):
        close(student.distill_step(model, teacher, optimizer, *batch, alpha_bars), error, atol=2e-4)
    close(model.weights(), after, atol=2e-4)


@check(points=3, of="distill_step", needs=several_steps)
def the_teacher_stays(student, reference, rng):
    """The teacher does not learn, even from an optimizer that would train it too"""
    model_weights, teacher_weights, alpha_bars = weights_of_a_denoiser(rng), weights_of_a_denoiser(rng), table(rng)
    model, teacher = denoiser(student, model_weights), denoiser(student, teacher_weights)
    optimizer = student.props.sgd(model, 0.1, 0.0, teacher)
    batches = [[noise(rng), *path(rng)] for _ in range(3)]
    errors, after = reference.distilled_by(model_weights, teacher_weights, 0.1, 0.0, batches, alpha_bars)
    for batch, error in zip(batches, errors, strict=True):
        close(student.distill_step(model, teacher, optimizer, *batch, alpha_bars), error, atol=2e-4)
    close(model.weights(), after, atol=2e-4)


@check(points=1, of="progressive_target", needs=one_t_for_all)
def target_leaves_its_arguments(student, reference, rng):
    """progressive_target does not modify the images or the table"""
    student.progressive_target(network(), noise(rng), 50, 30, 10, table(rng))
    untouched()


@check(points=1, of="distill_step", needs=several_steps)
def step_leaves_its_batch(student, reference, rng):
    """distill_step does not modify the images or the table"""
    model, teacher = denoiser(student, weights_of_a_denoiser(rng)), denoiser(student, weights_of_a_denoiser(rng))
    student.distill_step(model, teacher, student.props.sgd(model, 0.1), noise(rng), *path(rng), table(rng))
    untouched()
