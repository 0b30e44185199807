"""Solution to exercises/12_diffusion/latent.py. The table is in double precision until it meets an image."""

from typing import Any

import numpy as np
from torch import Tensor


def latent_scale(latents: Tensor) -> Tensor:
    """Return the standard deviation of the latents."""
    return latents.std(correction=0)


def encode(vae: Any, x: Tensor, scale: float) -> Tensor:
    """Return latents of unit variance."""
    z: Tensor = vae.encode(x) / scale
    return z


def decode(vae: Any, z: Tensor, scale: float) -> Tensor:
    """Return images."""
    x: Tensor = vae.decode(z * scale)
    return x


def latent_sample(vae: Any, eps_model: Any, z_T: Tensor, alpha_bars: Tensor, steps: int, scale: float) -> Tensor:
    """Return images sampled in latent space."""
    z, T = z_T, len(alpha_bars) - 1
    for i in range(steps, 0, -1):
        t, t_prev = T * i // steps, T * (i - 1) // steps
        z = ddim_step(z, t, t_prev, eps_model(z, t), alpha_bars)
    return decode(vae, z, scale)


def ddim_step(z_t: Tensor, t: int, t_prev: int, eps: Tensor, alpha_bars: Any) -> Any:
    """Return z at t_prev, without noise."""
    alpha_bars = np.asarray(alpha_bars, np.float64)
    bar, bar_prev = alpha_bars[t], alpha_bars[t_prev]
    z0_hat = (z_t - (1 - bar) ** 0.5 * eps) / bar**0.5
    return bar_prev**0.5 * z0_hat + (1 - bar_prev) ** 0.5 * eps
