"""Solution to exercises/12_diffusion/forward.py, for floats and numpy. The reference implementation's own functions take torch, too."""

from typing import Any

import numpy as np


def linear_betas(T: int, first: float = 1e-4, last: float = 0.02) -> Any:
    """Return the table of β_t."""
    return np.concatenate(([0.0], np.linspace(first, last, T)))


def alpha_bars(betas: Any) -> Any:
    """Return the table of ᾱ_t."""
    return np.cumprod(1 - betas)


def forward_step(x_prev: Any, beta: Any, eps: Any) -> Any:
    """Return x_t after one step."""
    return (1 - beta) ** 0.5 * x_prev + beta**0.5 * eps


def noise_to(x0: Any, t: Any, eps: Any, alpha_bars: Any) -> Any:
    """Return x_t."""
    bar = per_sample(alpha_bars[t], x0)
    return bar**0.5 * x0 + (1 - bar) ** 0.5 * eps


def predict_x0(x_t: Any, t: Any, eps: Any, alpha_bars: Any) -> Any:
    """Return x_0."""
    bar = per_sample(alpha_bars[t], x_t)
    return (x_t - (1 - bar) ** 0.5 * eps) / bar**0.5


def per_sample(values: Any, x: Any) -> Any:
    """Shape one value per sample to multiply x. # (B,) -> (B, 1, 1, ...)"""
    return values if np.ndim(values) == 0 else values.reshape(-1, *[1] * (np.ndim(x) - 1))
