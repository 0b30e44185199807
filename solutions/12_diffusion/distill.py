"""Solution to exercises/12_diffusion/distill.py. The reference distils x̂_0 (`two_steps_in_one`); here the same is written for ε.

`distilled_by` does the same from the weights of two denoisers of props.py, because a check passes the reference only numbers.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor


def progressive_target(teacher: Any, x_t: Tensor, t: Any, t_mid: Any, t_end: Any, alpha_bars: Tensor) -> Tensor:
    """Return the ε whose single step equals the teacher's two."""
    bar, bar_end = per_sample(alpha_bars[t], x_t), per_sample(alpha_bars[t_end], x_t)
    with torch.no_grad():
        x_mid = ddim_step(x_t, t, t_mid, teacher(x_t, t), alpha_bars)
        x_end = ddim_step(x_mid, t_mid, t_end, teacher(x_mid, t_mid), alpha_bars)
    shrink = (bar_end / bar) ** 0.5
    return (x_end - shrink * x_t) / ((1 - bar_end) ** 0.5 - shrink * (1 - bar) ** 0.5)


def ddim_step(x_t: Tensor, t: Any, s: Any, eps: Tensor, alpha_bars: Tensor) -> Tensor:
    """Return x_s, without noise."""
    bar, bar_s = per_sample(alpha_bars[t], x_t), per_sample(alpha_bars[s], x_t)
    x0_hat = (x_t - (1 - bar) ** 0.5 * eps) / bar**0.5
    return bar_s**0.5 * x0_hat + (1 - bar_s) ** 0.5 * eps


def per_sample(values: Any, x: Any) -> Any:
    """Shape one value per sample to multiply x. # (B,) -> (B, 1, 1, 1)"""
    return values.reshape(-1, *[1] * (np.ndim(x) - 1))


def distill_step(student: Any, teacher: Any, optimizer: Any, x_t: Tensor, t: Any, t_mid: Any, t_end: Any, alpha_bars: Tensor) -> float:
    """Train the student for one step and return the error before it."""
    target = progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars)
    error = ((student(x_t, t) - target) ** 2).mean()
    optimizer.zero_grad()
    error.backward()
    optimizer.step()
    return float(error.item())


def distilled_by(
    student: dict[str, Tensor], teacher: dict[str, Tensor], lr: float, momentum: float, batches: list[list[Any]], alpha_bars: Tensor
) -> Any:
    """Return the errors of distilling on batches (x_t, t, t_mid, t_end), and the student's weights afterwards."""
    from autograder.api import load_module

    props = load_module(Path(__file__).parents[2] / "exercises" / "12_diffusion" / "props.py")
    models = [props.denoiser().to(weights["conv_out.bias"].dtype) for weights in (student, teacher)]
    for model, weights in zip(models, (student, teacher), strict=True):
        model.load_state_dict(weights)
    optimizer = props.sgd(models[0], lr, momentum)
    errors = [distill_step(*models, optimizer, *batch, alpha_bars) for batch in batches]
    return errors, {name: value.detach().clone() for name, value in models[0].state_dict().items()}
