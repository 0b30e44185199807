"""Solution to exercises/12_diffusion/ddpm.py. Tables are in double precision until they meet an image, numpy's or torch's."""

from typing import Any

import numpy as np


def posterior(x_t: Any, t: int, eps_hat: Any, betas: Any) -> tuple[Any, Any]:
    """Return the mean and the small variance of x_{t−1}."""
    betas = np.asarray(betas, np.float64)
    alpha_bars = np.cumprod(1 - betas)
    beta, bar, bar_prev = betas[t], alpha_bars[t], alpha_bars[t - 1]
    x0_hat = (x_t - (1 - bar) ** 0.5 * eps_hat) / bar**0.5
    mean = bar_prev**0.5 * beta / (1 - bar) * x0_hat + (1 - beta) ** 0.5 * (1 - bar_prev) / (1 - bar) * x_t
    return mean, (1 - bar_prev) / (1 - bar) * beta


def ddpm_step(x_t: Any, t: int, eps_hat: Any, betas: Any, z: Any) -> Any:
    """Return x_{t−1}."""
    mean, variance = posterior(x_t, t, eps_hat, betas)
    return mean + variance**0.5 * z


def ddpm_sample(eps_model: Any, x_T: Any, betas: Any, draw_noise: Any) -> Any:
    """Return x_0."""
    x_t, T = x_T, len(betas) - 1
    for t in range(T, 0, -1):
        x_t = ddpm_step(x_t, t, eps_model(x_t, t), betas, draw_noise(t))
    return x_t
