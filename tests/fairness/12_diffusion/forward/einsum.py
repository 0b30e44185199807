"""Annotations, einsum, and logarithms for the product."""

from __future__ import annotations

import numpy as np


def linear_betas(T: int, first: float = 1e-4, last: float = 0.02) -> np.ndarray:
    steps = np.arange(T) / max(T - 1, 1)
    return np.append([0.0], (1 - steps) * first + steps * last)


def alpha_bars(betas: np.ndarray) -> np.ndarray:
    return np.exp(np.cumsum(np.log1p(-betas)))


def forward_step(x_prev: np.ndarray | float, beta: float, eps: np.ndarray | float) -> np.ndarray | float:
    signal, noise = np.sqrt([1 - beta, beta])
    return np.add(np.multiply(signal, x_prev), np.multiply(noise, eps))


def _each(t: int | np.ndarray, table: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.broadcast_to(table[t], (len(x),))


def noise_to(x0: np.ndarray, t: int | np.ndarray, eps: np.ndarray, alpha_bars: np.ndarray) -> np.ndarray:
    bar = _each(t, alpha_bars, x0)
    return np.einsum("b,b...->b...", np.sqrt(bar), x0) + np.einsum("b,b...->b...", np.sqrt(1 - bar), eps)


def predict_x0(x_t: np.ndarray, t: int | np.ndarray, eps: np.ndarray, alpha_bars: np.ndarray) -> np.ndarray:
    bar = _each(t, alpha_bars, x_t)
    return np.einsum("b,b...->b...", bar**-0.5, x_t - np.einsum("b,b...->b...", np.sqrt(1 - bar), eps))
