"""Annotations, keyword calls, noise drawn only where it is needed, the reference's sums in another order."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import torch
from torch import Tensor


def ddim_timesteps(T: int, steps: int) -> list[int]:
    grid: list[int] = []
    for i in range(steps):
        grid.insert(0, (i + 1) * T // steps)
    return grid


def deviation(bar: float, bar_prev: float, eta: float) -> float:
    return eta * math.sqrt((1 - bar_prev) / (1 - bar)) * math.sqrt(1 - bar / bar_prev)


def ddim_step(x_t: Tensor, t: int, t_prev: int, eps_hat: Tensor, alpha_bars: Tensor, eta: float, z: Tensor | None) -> Tensor:
    bar, bar_prev = alpha_bars[t].item(), alpha_bars[t_prev].item()
    sigma = deviation(bar, bar_prev, eta)
    scale = math.sqrt(bar_prev / bar)
    on_eps = math.sqrt(max(0.0, 1 - bar_prev - sigma * sigma)) - scale * math.sqrt(1 - bar)
    out = scale * x_t + on_eps * eps_hat
    return out if z is None or sigma == 0 else torch.add(out, z, alpha=sigma)


@torch.no_grad()
def ddim_sample(
    eps_model: Callable[..., Tensor], x_T: Tensor, alpha_bars: Tensor, steps: int, eta: float, draw_noise: Callable[[int], Tensor]
) -> Tensor:
    grid = [*ddim_timesteps(T=alpha_bars.shape[0] - 1, steps=steps), 0]
    x = x_T.clone()
    for t, t_prev in itertools.pairwise(grid):
        z = draw_noise(t) if eta > 0 and t_prev > 0 else None
        x = ddim_step(x_t=x, t=t, t_prev=t_prev, eps_hat=eps_model(x=x, t=t), alpha_bars=alpha_bars, eta=eta, z=z)
    return x
