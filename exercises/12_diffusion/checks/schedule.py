"""Checks of schedule.py: the cosine schedule, the signal-to-noise ratio, and a schedule that ends in pure noise."""

import numpy as np

from autograder.api import check, close, untouched

# The tolerances leave ten times the errors of the same formulas in float32, which is torch's own default.


@check(points=3, of="cosine_betas")
def falls_like_a_cosine(student, reference, rng):
    """The cosine schedule has T + 1 entries: 0, then the ratios of a squared cosine"""
    for T in (int(rng.integers(6, 12)), int(rng.integers(20, 40))):
        s = float(rng.uniform(0.02, 0.2))
        close(student.cosine_betas(T, s, 0.95), reference.cosine_betas(T, s, 0.95), atol=3e-5)


@check(points=2, of="cosine_betas", needs=falls_like_a_cosine)
def none_above_the_most(student, reference, rng):
    """No β of the cosine schedule exceeds the given maximum"""
    T, most = int(rng.integers(12, 30)), float(rng.uniform(0.3, 0.6))
    close(student.cosine_betas(T, 0.01, most), reference.cosine_betas(T, 0.01, most), atol=3e-5)


@check(points=2, of="cosine_betas", needs=falls_like_a_cosine)
def usual_cosine(student, reference):
    """The usual cosine schedule, with the defaults s = 0.008 and β at most 0.999"""
    for T, atol in ((1, 1e-6), (20, 1e-5), (1000, 3e-4)):
        close(student.cosine_betas(T), reference.cosine_betas(T), atol=atol)


@check(points=3, of="snr")
def signal_over_noise(student, reference, rng):
    """The signal-to-noise ratio at t = 1..T, and infinity for the clean image"""
    alpha_bars = np.cumprod(np.r_[1, 1 - rng.uniform(0.1, 0.4, 9)])
    close(student.snr(alpha_bars), reference.snr(alpha_bars), atol=1e-12, rtol=1e-5)


@check(points=1.5, of="snr", needs=signal_over_noise)
def nearly_clean_and_nearly_gone(student, reference, rng):
    """The ratio for a nearly clean and a nearly vanished image, by relative error"""
    alpha_bars = np.cumprod(np.r_[1, 1 - rng.uniform(0.001, 0.02, 1000)])
    close(student.snr(alpha_bars), reference.snr(alpha_bars), atol=1e-12, rtol=2e-4)


@check(points=4, of="terminal_snr_zero")
def ends_in_pure_noise(student, reference, rng):
    """A short schedule is shifted and rescaled so that ᾱ_T is 0"""
    for T in (int(rng.integers(4, 9)), int(rng.integers(20, 40))):
        betas = np.r_[0, np.sort(rng.uniform(0.02, 0.15, T))]
        close(student.terminal_snr_zero(betas), reference.terminal_snr_zero(betas), atol=1e-5)


@check(points=1.5, of="terminal_snr_zero", needs=ends_in_pure_noise)
def two_steps_are_enough(student, reference, rng):
    """The shortest schedule that can be rescaled has two steps"""
    betas = np.r_[0, rng.uniform(0.1, 0.4, 2)]
    close(student.terminal_snr_zero(betas), reference.terminal_snr_zero(betas), atol=1e-5)


@check(points=2, of="terminal_snr_zero", needs=ends_in_pure_noise)
def the_usual_schedule_stretched(student, reference, rng):
    """DDPM's schedule of a thousand steps, rescaled to end in pure noise"""
    betas = np.r_[0, np.linspace(1e-4, float(rng.uniform(0.015, 0.025)), 1000)]
    close(student.terminal_snr_zero(betas), reference.terminal_snr_zero(betas), atol=5e-5)


@check(points=0.5, of="snr", needs=signal_over_noise)
def ratio_leaves_its_table(student, reference, rng):
    """snr does not modify its table"""
    alpha_bars = np.cumprod(np.r_[1, 1 - rng.uniform(0.1, 0.4, 9)])
    student.snr(alpha_bars)
    untouched()


@check(points=0.5, of="terminal_snr_zero", needs=ends_in_pure_noise)
def stretching_leaves_its_table(student, reference, rng):
    """terminal_snr_zero does not modify its table"""
    betas = np.r_[0, np.sort(rng.uniform(0.02, 0.15, 12))]
    student.terminal_snr_zero(betas)
    untouched()
