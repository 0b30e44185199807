"""Annotations, keyword calls, and in-place sums on its own copies."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def alpha_bar(betas: Tensor, t: int) -> Tensor:
    return torch.exp(torch.log1p(-betas[: t + 1].double()).sum())


def posterior(x_t: Tensor, t: int, eps_hat: Tensor, betas: Tensor) -> tuple[Tensor, float]:
    now, before, beta = alpha_bar(betas, t), alpha_bar(betas, t - 1), betas[t].double()
    mean = x_t.clone().double()
    mean -= torch.sqrt(1 - now) * eps_hat
    mean /= torch.sqrt(now)
    mean *= torch.sqrt(before) * beta / (1 - now)
    mean += torch.sqrt(1 - beta) * (1 - before) / (1 - now) * x_t
    return mean.float(), max(0.0, ((1 - before) / (1 - now) * beta).item())


def ddpm_step(x_t: Tensor, t: int, eps_hat: Tensor, betas: Tensor, z: Tensor) -> Tensor:
    mean, variance = posterior(x_t=x_t, t=t, eps_hat=eps_hat, betas=betas)
    mean += variance**0.5 * z
    return mean


@torch.inference_mode()
def ddpm_sample(eps_model: Callable[..., Tensor], x_T: Tensor, betas: Tensor, draw_noise: Callable[[int], Tensor]) -> Tensor:
    x = x_T.clone()
    for step in range(betas.numel() - 1):
        t = betas.numel() - 1 - step
        x = ddpm_step(x_t=x, t=t, eps_hat=eps_model(x, t=t), betas=betas, z=draw_noise(t))
    return x
