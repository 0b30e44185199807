"""Solution to exercises/12_diffusion/ddim.py. Tables are in double precision until they meet an image, numpy's or torch's."""

from itertools import pairwise
from typing import Any

import numpy as np


def ddim_timesteps(T: int, steps: int) -> list[int]:
    """Return the t to visit, from T down, without 0."""
    return [T * i // steps for i in range(steps, 0, -1)]


def ddim_step(x_t: Any, t: int, t_prev: int, eps_hat: Any, alpha_bars: Any, eta: float, z: Any) -> Any:
    """Return x at t_prev."""
    alpha_bars = np.asarray(alpha_bars, np.float64)
    bar, bar_prev = alpha_bars[t], alpha_bars[t_prev]
    x0_hat = (x_t - (1 - bar) ** 0.5 * eps_hat) / bar**0.5
    sigma = eta * ((1 - bar_prev) / (1 - bar) * (1 - bar / bar_prev)) ** 0.5
    return bar_prev**0.5 * x0_hat + (1 - bar_prev - sigma**2) ** 0.5 * eps_hat + sigma * z


def ddim_sample(eps_model: Any, x_T: Any, alpha_bars: Any, steps: int, eta: float, draw_noise: Any) -> Any:
    """Return x_0."""
    x_t, T = x_T, len(alpha_bars) - 1
    for t, t_prev in pairwise([*ddim_timesteps(T, steps), 0]):
        x_t = ddim_step(x_t, t, t_prev, eps_model(x_t, t), alpha_bars, eta, draw_noise(t))
    return x_t
