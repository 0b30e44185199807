"""Solution to exercises/12_diffusion/distill.py. The reference distils x̂_0 (`two_steps_in_one`); here the same is written for ε.

`distilled_by` does the same from the weights of two denoisers of props.py, because a check passes the reference only numbers.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from solutions.diffusion.forward import at, noise_to, predict_x0


def progressive_target(teacher: Any, x_t: Tensor, t: Any, t_mid: Any, t_end: Any, alpha_bars: Tensor) -> Tensor:
    """Return the ε whose single step equals the teacher's two."""
    with torch.no_grad():
        x_mid = step(teacher, x_t, t, t_mid, alpha_bars)
        x_end = step(teacher, x_mid, t_mid, t_end, alpha_bars)
    shrink = at(alpha_bars**0.5, t_end, x_t) / at(alpha_bars**0.5, t, x_t)
    noise = at((1 - alpha_bars) ** 0.5, t_end, x_t) - shrink * at((1 - alpha_bars) ** 0.5, t, x_t)
    target: Tensor = (x_end - shrink * x_t) / noise
    return target


def step(model: Any, x_t: Tensor, t: Any, s: Any, alpha_bars: Tensor) -> Tensor:
    """Return x_s, one DDIM step without noise."""
    eps = model(x_t, t)
    x_s: Tensor = noise_to(predict_x0(x_t, t, eps, alpha_bars), s, eps, alpha_bars)
    return x_s


def distill_step(student: Any, teacher: Any, optimizer: Any, x_t: Tensor, t: Any, t_mid: Any, t_end: Any, alpha_bars: Tensor) -> float:
    """Train the student for one step and return the error before it."""
    error = torch.mean((student(x_t, t) - progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars)) ** 2)
    optimizer.zero_grad()
    error.backward()
    optimizer.step()
    return error.item()


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
