"""Annotations, its own small functions, keyword calls."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.float64]


def squared_cosine(fraction: Table, offset: float) -> Table:
    return np.square(np.cos(0.5 * np.pi * (fraction + offset) / (1.0 + offset)))


def betas_of(bars: Table) -> Table:
    return np.insert(1.0 - bars[1:] / bars[:-1], 0, 0.0)


def cosine_betas(T: int, s: float = 0.008, most: float = 0.999) -> Table:
    return np.clip(betas_of(bars=squared_cosine(fraction=np.linspace(0.0, 1.0, T + 1), offset=s)), a_min=None, a_max=most)


def snr(alpha_bars: Table) -> Table:
    with np.errstate(divide="ignore"):
        return np.divide(alpha_bars, 1.0 - alpha_bars)


def terminal_snr_zero(betas: Table) -> Table:
    roots = np.sqrt(np.multiply.accumulate(1.0 - betas))
    first, last = roots[1], roots[-1]
    return betas_of(bars=np.concatenate([[1.0], (roots[1:] - last) ** 2 * (first / (first - last)) ** 2]))
