"""Solution to exercises/12_diffusion/guidance.py. The table is in double precision until it meets an image."""

from typing import Any

import numpy as np
import torch
from torch import Tensor


def guided_eps(eps_uncond: Any, eps_cond: Any, w: float) -> Any:
    """Return the guided prediction."""
    return eps_uncond + w * (eps_cond - eps_uncond)


def drop_condition(tokens: Tensor, null: Any, p: float, u: Tensor) -> Tensor:
    """Return the captions, dropping those with u < p."""
    dropped = u < p
    return torch.where(dropped[:, None], torch.as_tensor(null), tokens)


def guided_sample(eps_model: Any, tokens: Tensor, null: Any, w: float, x_T: Tensor, alpha_bars: Tensor, steps: int) -> Any:
    """Return x_0."""
    x_t, T, alpha_bars = x_T, len(alpha_bars) - 1, np.asarray(alpha_bars, np.float64)
    nulls = torch.as_tensor(null).expand_as(tokens)
    for i in range(steps, 0, -1):
        t, t_prev = T * i // steps, T * (i - 1) // steps
        eps_uncond, eps_cond = eps_model(x_t, t, nulls), eps_model(x_t, t, tokens)
        eps_hat = guided_eps(eps_uncond, eps_cond, w)
        bar, bar_prev = alpha_bars[t], alpha_bars[t_prev]
        x0_hat = (x_t - (1 - bar) ** 0.5 * eps_hat) / bar**0.5
        x_t = bar_prev**0.5 * x0_hat + (1 - bar_prev) ** 0.5 * eps_hat
    return x_t
