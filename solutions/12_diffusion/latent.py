"""Solution to exercises/12_diffusion/latent.py, with the reference implementation's sampler."""

from typing import Any

from torch import Tensor

from solutions.diffusion.samplers import ddim_sample


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
    T = len(alpha_bars) - 1
    z_0 = ddim_sample(eps_model, z_T, alpha_bars, [T * i // steps for i in range(steps, -1, -1)], clip=None)
    return decode(vae, z_0, scale)
