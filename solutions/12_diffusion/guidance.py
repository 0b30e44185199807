"""Solution to exercises/12_diffusion/guidance.py, with the reference implementation's formula and sampler."""

from typing import Any

import torch
from torch import Tensor

from solutions.diffusion.guidance import guide
from solutions.diffusion.samplers import ddim_sample


def guided_eps(eps_uncond: Any, eps_cond: Any, w: float) -> Any:
    """Return the guided prediction."""
    return guide(eps_uncond, eps_cond, w)


def drop_condition(tokens: Tensor, null: Any, p: float, u: Tensor) -> Tensor:
    """Return the captions, dropping those with u < p."""
    return torch.where((u < p)[:, None], torch.as_tensor(null), tokens)


def guided_sample(eps_model: Any, tokens: Tensor, null: Any, w: float, x_T: Tensor, alpha_bars: Tensor, steps: int) -> Any:
    """Return x_0."""
    nothing = torch.as_tensor(null).expand_as(tokens)
    T = len(alpha_bars) - 1

    def eps_of(x: Tensor, t: int) -> Any:
        return guide(eps_model(x, t, nothing), eps_model(x, t, tokens), w)

    return ddim_sample(eps_of, x_T, alpha_bars, [T * i // steps for i in range(steps, -1, -1)], clip=None)
