"""Checks of forward.py: the schedule, one noising step, the jump from x_0 to any x_t, and the way back."""

import numpy as np

from autograder.api import check, close, expect, shaped, untouched


def images(rng, batch=4):
    """Draw images in [-1, 1] and noise of the same shape. All sizes are different, except for a batch of 9."""
    return rng.uniform(-1, 1, (batch, 2, 5, 9)), rng.standard_normal((batch, 2, 5, 9))


def table(rng, T=1000):
    """Draw a separate table of ᾱ, so that no other function's answer is given away."""
    return np.cumprod(np.r_[1, 1 - rng.uniform(0, 0.02, T)])


@check(points=1, of="linear_betas")
def starts_and_ends(student, reference, rng):
    """The schedule has T + 1 entries: 0, then from first to last"""
    T, first, last = int(rng.integers(5, 30)), float(rng.uniform(1e-4, 1e-2)), float(rng.uniform(0.05, 0.3))
    close(student.linear_betas(T, first, last), reference.linear_betas(T, first, last))


@check(points=1, of="linear_betas", needs=starts_and_ends)
def usual_schedule(student, reference):
    """The usual schedule of a thousand steps, with the defaults 0.0001 and 0.02"""
    close(student.linear_betas(1000), reference.linear_betas(1000), atol=1e-7)


@check(points=2, of="alpha_bars")
def multiplies_up(student, reference, rng):
    """ᾱ is the running product of 1 − β, and starts at 1"""
    for T in (6, 400):
        betas = np.r_[0, rng.uniform(0.001, 0.03, T)]
        close(student.alpha_bars(betas), reference.alpha_bars(betas))


@check(points=2, of="forward_step")
def by_hand(student, reference, rng):
    """The lesson's worked example: x = 0.8, β = 0.1, ε = −0.3"""
    close(student.forward_step(0.8, 0.1, -0.3), 0.664, atol=5e-4)
    others = float(rng.uniform(-1, 1)), float(rng.uniform(0.05, 0.5)), float(rng.uniform(-2, 2))  # 0.664 alone is no function
    close(student.forward_step(*others), reference.forward_step(*others))


@check(points=2, of="forward_step", needs=by_hand)
def a_batch_by_a_step(student, reference, rng):
    """One step on a batch of images, with little noise and with much"""
    x, eps = images(rng)
    for beta in (float(rng.uniform(0.01, 0.05)), float(rng.uniform(0.4, 0.6))):
        close(student.forward_step(x, beta, eps), reference.forward_step(x, beta, eps))
    # The variance of 5,000 normal numbers is 1 with a standard error of 0.02. Within 6 of these: a correct solution is outside in
    # fewer than 1 of 100 million runs.
    variance = np.var(shaped(student.forward_step(rng.standard_normal(5000), 0.3, rng.standard_normal(5000)), 5000))
    expect(abs(variance - 1) < 6 * (2 / 5000) ** 0.5, f"gave numbers of variance {variance:.2f}; an input of variance 1 must keep it")


@check(points=3, of="noise_to")
def in_the_middle(student, reference, rng):
    """The jump to t = 100 and t = 500, where a missing root or a missing bar shows"""
    x0, eps = images(rng)
    alpha_bars = table(rng)
    for t in (100, 500):
        close(student.noise_to(x0, t, eps, alpha_bars), reference.noise_to(x0, t, eps, alpha_bars))


@check(points=1, of="noise_to", needs=in_the_middle)
def at_the_ends(student, reference, rng):
    """t = 0 keeps the clean image, and t = T is also a row of the table"""
    x0, eps = images(rng)
    alpha_bars = table(rng, T=200)
    for t in (0, 1, 200):
        close(student.noise_to(x0, t, eps, alpha_bars), reference.noise_to(x0, t, eps, alpha_bars))


@check(points=2, of="noise_to", needs=in_the_middle)
def one_t_per_sample(student, reference, rng):
    """A batch where each sample has its own t, even if the batch is as large as the image is wide"""
    alpha_bars = table(rng)
    for batch in (9, 4):
        x0, eps = images(rng, batch)
        t = rng.integers(50, 900, batch)
        close(student.noise_to(x0, t, eps, alpha_bars), reference.noise_to(x0, t, eps, alpha_bars))


@check(points=2, of="predict_x0")
def the_way_back(student, reference, rng):
    """x_0 is recovered from x_t and its noise, at several t"""
    alpha_bars = table(rng)
    for t in (1, 100, 300):
        x_t, eps = images(rng)
        close(student.predict_x0(x_t, t, eps, alpha_bars), reference.predict_x0(x_t, t, eps, alpha_bars))


@check(points=2, of="predict_x0", needs=the_way_back)
def the_way_back_per_sample(student, reference, rng):
    """The way back for a batch where each sample has its own t"""
    alpha_bars = table(rng)
    for batch in (9, 4):
        x_t, eps = images(rng, batch)
        t = rng.integers(50, 400, batch)
        close(student.predict_x0(x_t, t, eps, alpha_bars), reference.predict_x0(x_t, t, eps, alpha_bars))


@check(points=0.5, of="alpha_bars", needs=multiplies_up)
def betas_stay(student, reference, rng):
    """alpha_bars does not modify its table"""
    betas = np.r_[0, rng.uniform(0.001, 0.03, 20)]
    student.alpha_bars(betas)
    untouched()


@check(points=0.5, of="forward_step", needs=a_batch_by_a_step)
def step_arguments_stay(student, reference, rng):
    """forward_step does not modify the images or the noise"""
    x, eps = images(rng)
    student.forward_step(x, 0.3, eps)
    untouched()


@check(points=0.5, of="noise_to", needs=in_the_middle)
def jump_arguments_stay(student, reference, rng):
    """noise_to does not modify the images, the noise or the table"""
    x0, eps = images(rng)
    alpha_bars = table(rng, T=300)
    student.noise_to(x0, 200, eps, alpha_bars)
    untouched()


@check(points=0.5, of="predict_x0", needs=the_way_back)
def back_arguments_stay(student, reference, rng):
    """predict_x0 does not modify the images, the noise or the table"""
    x_t, eps = images(rng)
    alpha_bars = table(rng, T=300)
    student.predict_x0(x_t, 200, eps, alpha_bars)
    untouched()
