"""Solution to exercises/12_diffusion/loss.py.

`trained_by` and `gradients_by` do the same from the weights of a denoiser of props.py, because a check passes the reference only numbers.
"""

from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor


def noise_mse(eps_model: Any, x0: Tensor, t: Any, eps: Tensor, alpha_bars: Tensor) -> Tensor:
    """Return the loss of one batch."""
    bar = per_sample(alpha_bars[t], x0)
    x_t = bar**0.5 * x0 + (1 - bar) ** 0.5 * eps
    loss: Tensor = ((eps - eps_model(x_t, t)) ** 2).mean()
    return loss


def training_step(model: Any, optimizer: Any, x0: Tensor, t: Any, eps: Tensor, alpha_bars: Tensor) -> float:
    """Take one optimizer step and return the loss before it."""
    loss = noise_mse(model, x0, t, eps, alpha_bars)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def per_sample(values: Any, x: Any) -> Any:
    """Shape one value per sample to multiply x. # (B,) -> (B, 1, 1, 1)"""
    return values.reshape(-1, *[1] * (np.ndim(x) - 1))


def trained_by(weights: dict[str, Tensor], lr: float, momentum: float, batches: list[list[Tensor]], alpha_bars: Tensor) -> Any:
    """Return the losses of training a denoiser with these weights on batches (x_0, t, ε), and its weights afterwards."""
    props, model = _denoiser(weights)
    optimizer = props.sgd(model, lr, momentum)
    losses = [training_step(model, optimizer, x0, t, eps, alpha_bars) for x0, t, eps in batches]
    return losses, {name: value.detach().clone() for name, value in model.state_dict().items()}


def gradients_by(weights: dict[str, Tensor], x0: Tensor, t: Any, eps: Tensor, alpha_bars: Tensor) -> Any:
    """Return the gradient of the loss by each parameter of a denoiser with these weights."""
    props, model = _denoiser(weights)
    return props.gradients_of(noise_mse, model, x0, t, eps, alpha_bars)


def _denoiser(weights: dict[str, Tensor]) -> Any:
    from autograder.api import load_module

    props = load_module(Path(__file__).parents[2] / "exercises" / "12_diffusion" / "props.py")
    model = props.denoiser().to(weights["conv_out.bias"].dtype)
    model.load_state_dict(weights)
    return props, model
