"""Annotations, the variance by hand, one latent decoded at a time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def latent_scale(latents: Tensor) -> Tensor:
    centred = latents - torch.mean(latents)
    return torch.sqrt(torch.mean(centred.square()))


def encode(vae: Any, x: Tensor, scale: float) -> Tensor:
    with torch.no_grad():
        return torch.div(vae.encode(x=x), scale)


def decode(vae: Any, z: Tensor, scale: float) -> Tensor:
    with torch.no_grad():
        return torch.cat([vae.decode(z=row) for row in torch.mul(z, scale).split(1)])


def step(z: Tensor, eps: Tensor, bar: float, bar_prev: float) -> Tensor:
    return bar_prev**0.5 * (z - (1 - bar) ** 0.5 * eps) / bar**0.5 + (1 - bar_prev) ** 0.5 * eps


def latent_sample(vae: Any, eps_model: Any, z_T: Tensor, alpha_bars: Tensor, steps: int, scale: float) -> Tensor:
    bars: list[float] = alpha_bars.tolist()
    t = len(bars) - 1
    z = z_T.clone()
    for left in reversed(range(steps)):
        t_prev = (len(bars) - 1) * left // steps
        z = step(z, eps=eps_model(z, t=t), bar=bars[t], bar_prev=bars[t_prev])
        t = t_prev
    return decode(vae=vae, z=z, scale=scale)
