"""The forward process of a DDPM, typed."""
from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Values: TypeAlias = float | Floats
Steps: TypeAlias = int | npt.NDArray[np.int64]

FIRST: Final[float] = 1e-4
LAST: Final[float] = 0.02


def linear_betas(T: int, first: float = FIRST, last: float = LAST) -> Floats:
    betas: Floats = np.empty(T + 1, dtype=np.float64)
    betas[0] = 0.0
    betas[1:] = np.linspace(first, last, num=T)
    return betas


def alpha_bars(betas: Floats) -> Floats:
    alphas: Floats = 1.0 - betas
    return np.cumprod(alphas)


def forward_step(x_prev: Values, beta: float, eps: Values) -> Values:
    return (1.0 - beta) ** 0.5 * x_prev + beta**0.5 * eps


def _signal_and_noise(alpha_bars: Floats, t: Steps, ndim: int) -> tuple[Values, Values]:
    """Return √ᾱ_t and √(1 - ᾱ_t); for a batch of t as columns of shape (B, 1, ..., 1)."""
    abar: Floats = np.asarray(alpha_bars[t])
    if abar.ndim == 1:
        abar = np.expand_dims(abar, axis=tuple(range(1, ndim)))
    return np.sqrt(abar), np.sqrt(1.0 - abar)


def noise_to(x0: Values, t: Steps, eps: Values, alpha_bars: Floats) -> Values:
    signal, noise = _signal_and_noise(alpha_bars, t, np.ndim(x0))
    return signal * x0 + noise * eps


def predict_x0(x_t: Values, t: Steps, eps: Values, alpha_bars: Floats) -> Values:
    signal, noise = _signal_and_noise(alpha_bars, t, np.ndim(x_t))
    return (x_t - noise * eps) / signal
