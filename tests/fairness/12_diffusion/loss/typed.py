"""Annotations, keyword calls, the library's loss, gradients cleared after the step, a tensor returned."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def coefficients(alpha_bars: Tensor, t: Tensor | int, like: Tensor) -> tuple[Tensor, Tensor]:
    bars = alpha_bars.double()[t]
    shape = bars.shape + (1,) * (like.dim() - bars.dim()) if bars.dim() else ()
    return bars.sqrt().to(like.dtype).view(shape), torch.sqrt(1 - bars).to(like.dtype).view(shape)


def noise_mse(eps_model: nn.Module, x0: Tensor, t: Tensor | int, eps: Tensor, alpha_bars: Tensor) -> Tensor:
    signal, noise = coefficients(alpha_bars=alpha_bars, t=t, like=x0)
    return F.mse_loss(input=eps_model(torch.addcmul(signal * x0, noise, eps), t), target=eps, reduction="mean")


def training_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, x0: Tensor, t: Tensor | int, eps: Tensor, alpha_bars: Tensor
) -> Tensor:
    model.train()
    loss = noise_mse(eps_model=model, x0=x0, t=t, eps=eps, alpha_bars=alpha_bars)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.detach()
