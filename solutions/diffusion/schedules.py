"""Noise schedules: β_t, ᾱ_t and the signal-to-noise ratio, as tables.

A table is a float64 array of length T + 1 and its index is the lesson's subscript: `betas[t]` is β_t for t = 1..T. Row 0 is the
clean image: `betas[0] = 0`, so `alpha_bars[0] = 1`. (diffusers and CS231n's
assignment call the first step t = 0: their t is ours minus 1.)

Nothing is noised here: that is `forward`. This module does not import torch, but `alpha_bars` and `snr` accept torch tables too.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.float64]  # (T + 1,), index = t


def linear_betas(T: int, first: float = 1e-4, last: float = 0.02) -> Table:
    """Return β_t rising linearly from `first` at t = 1 to `last` at t = T (Ho et al. 2020, section 4)."""
    _need(T, 1)
    return np.concatenate(([0.0], np.linspace(first, last, T)))


def cosine_betas(T: int, s: float = 0.008, most: float = 0.999) -> Table:
    """Return the β_t for which ᾱ_t falls like cos², each at most `most` (Nichol & Dhariwal 2021, eq. 17)."""
    _need(T, 1)
    f = np.cos((np.arange(T + 1) / T + s) / (1 + s) * np.pi / 2) ** 2
    return np.concatenate(([0.0], np.minimum(1 - f[1:] / f[:-1], most)))


def alpha_bars(betas: Any) -> Any:
    """Return ᾱ_t = (1 − β_1)···(1 − β_t), ᾱ_0 = 1: numpy in, numpy out; torch in, torch out."""
    return (1 - betas).cumprod(0)


def snr(alpha_bars: Any) -> Any:
    """Return the signal-to-noise ratio ᾱ_t / (1 − ᾱ_t), infinite at t = 0 (Kingma et al. 2021)."""
    with np.errstate(divide="ignore"):
        return alpha_bars / (1 - alpha_bars)


def terminal_snr_zero(betas: Table) -> Table:
    """Return a schedule rescaled so that x_T holds nothing of x_0; ᾱ_0 = 1 and ᾱ_1 stay the same (Lin et al. 2023, algorithm 1).

    √ᾱ_t is shifted and scaled over t = 1..T. Then β_T = 1: a network that predicts ε can't start at T, one that predicts v or x_0 can.
    """
    _need(len(betas) - 1, 2)
    roots = np.sqrt(alpha_bars(betas))
    roots[1:] = (roots[1:] - roots[-1]) * roots[1] / (roots[1] - roots[-1])
    changed = np.concatenate(([0.0], 1 - (roots[1:] / roots[:-1]) ** 2))
    changed[1] = betas[1]  # exactly as before, without rounding error
    return changed


def _need(steps: int, least: int) -> None:
    if steps < least:
        raise ValueError(f"T is {steps}: this schedule needs at least {least} step{'s' if least > 1 else ''}")
