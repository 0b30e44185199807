"""Solution to exercises/12_diffusion/latent.py, with the reference implementation's sampler.

The functions `..._by` do the same from the weights of an autoencoder of props.py, because a check passes the reference only numbers.
"""

from pathlib import Path
from typing import Any

import torch
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


def encode_by(weights: dict[str, Tensor], x: Tensor, scale: float) -> Tensor:
    """Return `encode` for an autoencoder with these weights."""
    with torch.no_grad():
        return encode(_vae(weights), x, scale)


def decode_by(weights: dict[str, Tensor], z: Tensor, scale: float) -> Tensor:
    """Return `decode` for an autoencoder with these weights."""
    with torch.no_grad():
        return decode(_vae(weights), z, scale)


def sample_by(weights: dict[str, Tensor], eps_model: Any, z_T: Tensor, alpha_bars: Tensor, steps: int, scale: float) -> Tensor:
    """Return `latent_sample` for an autoencoder with these weights."""
    with torch.no_grad():
        return latent_sample(_vae(weights), eps_model, z_T, alpha_bars, steps, scale)


def _vae(weights: dict[str, Tensor]) -> Any:
    from autograder.api import load_module

    vae = load_module(Path(__file__).parents[2] / "exercises" / "12_diffusion" / "props.py").vae()
    vae.to(weights["up.bias"].dtype).load_state_dict(weights)
    return vae
