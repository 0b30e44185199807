"""Solution to exercises/12_diffusion/schedule.py."""

from typing import Any

import numpy as np


def cosine_betas(T: int, s: float = 0.008, most: float = 0.999) -> Any:
    """Return the table of β_t."""
    f = np.cos((np.arange(T + 1) / T + s) / (1 + s) * np.pi / 2) ** 2
    return np.concatenate(([0.0], np.minimum(1 - f[1:] / f[:-1], most)))


def snr(alpha_bars: Any) -> Any:
    """Return the signal-to-noise ratio."""
    with np.errstate(divide="ignore"):
        return alpha_bars / (1 - alpha_bars)


def terminal_snr_zero(betas: Any) -> Any:
    """Return the β_t of the rescaled schedule."""
    roots = np.cumprod(1 - betas) ** 0.5
    roots[1:] = (roots[1:] - roots[-1]) * roots[1] / (roots[1] - roots[-1])
    return np.concatenate(([0.0], 1 - (roots[1:] / roots[:-1]) ** 2))
