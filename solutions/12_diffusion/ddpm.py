"""Solution to exercises/12_diffusion/ddpm.py, with the reference implementation's posterior."""

from typing import Any

import numpy as np

from solutions.diffusion.forward import posterior as posterior_of_x0
from solutions.diffusion.forward import predict_x0
from solutions.diffusion.schedules import alpha_bars


def posterior(x_t: Any, t: int, eps_hat: Any, betas: Any) -> tuple[Any, Any]:
    """Return the mean and the small variance of x_{t−1}."""
    table = np.asarray(betas, np.float64)
    bars = alpha_bars(table)
    return posterior_of_x0(x_t, predict_x0(x_t, t, eps_hat, bars), t, table, bars)


def ddpm_step(x_t: Any, t: int, eps_hat: Any, betas: Any, z: Any) -> Any:
    """Return x_{t−1}."""
    mean, variance = posterior(x_t, t, eps_hat, betas)
    return mean + variance**0.5 * z


def ddpm_sample(eps_model: Any, x_T: Any, betas: Any, draw_noise: Any) -> Any:
    """Return x_0."""
    x = x_T
    for t in range(len(betas) - 1, 0, -1):
        x = ddpm_step(x, t, eps_model(x, t), betas, draw_noise(t))
    return x
