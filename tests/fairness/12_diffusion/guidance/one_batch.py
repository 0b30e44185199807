"""Both predictions in one call, the captions first, with one t for each row."""

from __future__ import annotations

import torch
from torch import Tensor


def guided_eps(eps_uncond: Tensor | float, eps_cond: Tensor | float, w: float) -> Tensor | float:
    return (1 - w) * eps_uncond + w * eps_cond


def drop_condition(tokens: Tensor, null: int | Tensor, p: float, u: Tensor) -> Tensor:
    nulls = torch.as_tensor(null, dtype=tokens.dtype).broadcast_to(tokens.shape)
    drop = torch.lt(u, p).to(tokens.dtype).unsqueeze(1)
    return drop * nulls + (1 - drop) * tokens


@torch.no_grad()
def guided_sample(eps_model, tokens: Tensor, null: int | Tensor, w: float, x_T: Tensor, alpha_bars: Tensor, steps: int) -> Tensor:
    nulls = drop_condition(tokens=tokens, null=null, p=1.0, u=torch.zeros(len(tokens)))
    both = torch.cat([tokens, nulls])
    signal, noise = alpha_bars.double().sqrt(), (1 - alpha_bars.double()).sqrt()
    x, last = x_T.clone(), alpha_bars.numel() - 1
    grid = [last * i // steps for i in range(steps + 1)]
    while len(grid) > 1:
        t = grid.pop()
        told = torch.full((2 * len(x),), t, dtype=torch.long)
        eps_cond, eps_uncond = eps_model(torch.cat([x, x]), told, both).chunk(2)
        eps = guided_eps(eps_uncond, eps_cond, w)
        x = (signal[grid[-1]] / signal[t] * (x - noise[t] * eps) + noise[grid[-1]] * eps).float()
    return x
