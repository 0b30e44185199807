"""Rectified flow, the straight-line case of flow matching: from an image straight to noise (Liu et al. 2022, arXiv:2209.03003; Lipman et
al. 2022, arXiv:2210.02747), as trained for Stable Diffusion 3 (Esser et al. 2024, arXiv:2403.03206).

    x_t = (1 − t)·x_0 + t·ε        a network learns v = dx_t/dt = ε − x_0; sampling follows it from t = 1 to t = 0

Here t is a number from 0 (image) to 1 (noise), as in Esser et al.; Liu et al. and Lipman et al. count from noise to image. It is the
same model as the rest of this package, seen otherwise: `velocity_of` turns a network that was trained on a schedule of β into a velocity
on the straight path. Images may be numpy arrays or torch tensors.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from solutions.diffusion.forward import Array, predict_x0
from solutions.diffusion.samplers import Callback, EpsModel
from solutions.diffusion.schedules import Table

Velocity = Callable[[Array, float], Array]
FlowCallback = Callable[[float, Array, Array], None]


def straight(x0: Array, t: Array, eps: Array) -> Array:
    """Return x_t = (1 − t)·x_0 + t·ε, for one t or one per sample (Esser et al. 2024, section 3)."""
    t = t if np.ndim(t) == 0 else t.reshape(len(t), *[1] * (np.ndim(x0) - 1))
    return (1 - t) * x0 + t * eps


def flow_loss(network: nn.Module, x0: Tensor, t: Tensor, eps: Tensor, **condition: Any) -> Tensor:
    """‖(ε − x_0) − v̂(x_t, t)‖², called like the losses of `losses`, with t in (0, 1) (Liu et al. 2022, eq. 1). # (B, C, H, W), (B,)"""
    return torch.mean((eps - x0 - network(straight(x0, t, eps), t, **condition)) ** 2)


def logit_normal(n: int, generator: torch.Generator, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Draw t for training: the sigmoid of a normal number, so mostly in the middle (Esser et al. 2024, section 3.1). # (n,) in (0, 1)"""
    return torch.sigmoid(mean + std * torch.randn(n, generator=generator))


def euler_sample(velocity: Velocity, x: Array, times: Sequence[float], callback: FlowCallback | None = None) -> Array:
    """Follow the velocity from x at the first of `times` to the last, one call per step: x_s = x_t + (s − t)·v̂. # x: (B, ...)

    `callback(s, x, x0)` is called with every x_s reached and the x̂_0 = x_t − t·v̂ that it came from.
    """
    for t, s in pairwise(times):
        v = velocity(x, t)
        x0 = x - t * v
        x = x + (s - t) * v
        if callback:
            callback(s, x, x0)
    return x


def heun_sample(velocity: Velocity, x: Array, times: Sequence[float], callback: FlowCallback | None = None) -> Array:
    """Like `euler_sample`, but each step takes the mean of the velocities at both of its ends (Heun's method, of second order).

    That is two calls a step. A last step to t = 0 is Euler's, as in Karras et al. (2022, algorithm 1): no network is trained at t = 0.
    """
    for t, s in pairwise(times):
        v = velocity(x, t)
        x0 = x - t * v
        if s > 0:
            v = (v + velocity(x + (s - t) * v, s)) / 2
        x = x + (s - t) * v
        if callback:
            callback(s, x, x0)
    return x


def flow_times(alpha_bars: Table) -> Table:
    """Return the time on the straight path at which the signal-to-noise ratio is that of t = 0..T: √(1 − ᾱ_t) / `path_scale`.

    Both ratios are signal over noise: ((1 − time) / time)² = ᾱ_t / (1 − ᾱ_t).
    """
    return (1 - alpha_bars) ** 0.5 / path_scale(alpha_bars)  # type: ignore[no-any-return]  # `Array` is a table here


def path_scale(alpha_bar: Array) -> Array:
    """Return √ᾱ + √(1 − ᾱ): the x_t of a schedule, divided by it, is the straight path's x_t of the same x_0 and ε."""
    return alpha_bar**0.5 + (1 - alpha_bar) ** 0.5


def velocity_of(eps_model: EpsModel, alpha_bars: Table, clip: float | None = None) -> Velocity:
    """Return the velocity ε̂ − x̂_0 on the straight path of a model that was trained on a schedule; `clip` limits x̂_0, as in DDIM.

    The velocity is known at the `flow_times` of t = 1..T; for any other time it raises ValueError.
    """
    times = flow_times(alpha_bars)

    def velocity(x: Array, time: float) -> Array:
        found = np.flatnonzero(times == time)
        if not len(found) or not found[0]:
            raise ValueError(f"the velocity at time {time:g} is not known: choose one of flow_times(alpha_bars)[1:]")
        t = int(found[0])
        x_t = x * float(path_scale(alpha_bars[t]))
        x0 = predict_x0(x_t, t, eps_model(x_t, t), alpha_bars)
        x0 = x0 if clip is None else x0.clip(-clip, clip)
        return (x - x0) / float(time)  # = ε̂ − x̂_0, since x = (1 − time)·x̂_0 + time·ε̂

    return velocity


def heun_on_schedule(
    eps_model: EpsModel,
    x: Array,
    alpha_bars: Table,
    path: Sequence[int],
    *,
    clip: float | None = 1.0,
    callback: Callback | None = None,
) -> Array:
    """Step along `path`, called like the samplers of `samplers`, by `heun_sample` on the straight path. # x: (B, ...)"""
    times = [float(time) for time in flow_times(alpha_bars)[list(path)]]

    def on_step(time: float, x: Array, x0: Array) -> None:
        t = path[times.index(time)]
        if callback:
            callback(t, x * float(path_scale(alpha_bars[t])), x0)

    start = x / float(path_scale(alpha_bars[path[0]]))
    return heun_sample(velocity_of(eps_model, alpha_bars, clip), start, times, on_step)
