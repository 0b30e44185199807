"""From noise to images: DDPM's ancestral sampling, DDIM and DPM-Solver++, each a plain function that can be read on its own.

A sampler takes `eps_model(x, t)`, which returns ε̂ of a whole batch at one integer t (with guidance and conditions built in, see
`guidance`), and `draw_noise(shape)`, its only source of randomness. Images may be numpy arrays or torch tensors. `callback(t, x, x0)`
is called with every x_t reached and the x̂_0 it came from. The output of networks that predict v is converted to ε̂ beforehand; where
ᾱ_T = 0 that loses x_0, so such schedules are rejected (`forward.predict_x0`).
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from solutions.diffusion.forward import Array, eps_from_x0, posterior, predict_x0
from solutions.diffusion.schedules import alpha_bars as alpha_bars_of

EpsModel = Callable[[Array, int], Array]
DrawNoise = Callable[[Any], Array]
Callback = Callable[[int, Array, Array], None]


def ddpm_sample(
    eps_model: EpsModel,
    x: Array,
    betas: Array,
    draw_noise: DrawNoise,
    *,
    clip: float | None = 1.0,
    variance: str = "small",
    callback: Callback | None = None,
) -> Array:
    """Step from x_T = `x` down to x_0, one t at a time (Ho et al. 2020, algorithm 2). # x: (B, ...)

    The mean is the posterior's at x̂_0, clipped to ±`clip` (None for latents). The variance is β̃_t ("small", exact for data at a single
    point) or β_t ("large", exact for N(0, 1) data). No noise is drawn at t = 1.
    """
    if variance not in ("small", "large"):
        raise ValueError(f"unknown variance `{variance}`: choose small (β̃_t) or large (β_t)")
    alpha_bars = alpha_bars_of(betas)
    for t in range(len(betas) - 1, 0, -1):
        x0 = predict_x0(x, t, eps_model(x, t), alpha_bars)
        x0 = x0 if clip is None else x0.clip(-clip, clip)
        x, small = posterior(x, x0, t, betas, alpha_bars)
        if t > 1:
            x = x + (small if variance == "small" else float(betas[t])) ** 0.5 * draw_noise(x.shape)
        if callback:
            callback(t - 1, x, x0)
    return x


def ddim_sample(
    eps_model: EpsModel,
    x: Array,
    alpha_bars: Array,
    path: Sequence[int],
    draw_noise: DrawNoise | None = None,
    *,
    eta: float = 0.0,
    clip: float | None = 1.0,
    callback: Callback | None = None,
) -> Array:
    """Step along `path`, say 1000, 950, ..., 0, from x at its first t (Song et al. 2021, eq. 12 and 16). # x: (B, ...)

    η = 0 draws no noise: the same x gives the same image, and the path can also be followed upwards. η = 1 on 1000, 999, ..., 0
    is DDPM with the small variance. Raise ValueError for an η above 0 without `draw_noise`.
    """
    if eta and draw_noise is None:
        raise ValueError(f"η is {eta:g}, and there is no source of noise: give draw_noise, or η = 0")
    for t, s in pairwise(path):
        eps = eps_model(x, t)
        x0 = predict_x0(x, t, eps, alpha_bars)
        if clip is not None and t > 0:
            x0 = x0.clip(-clip, clip)
            eps = eps_from_x0(x, t, x0, alpha_bars)  # keeps x = √ᾱ·x̂_0 + √(1 − ᾱ)·ε̂ after clipping
        a_t, a_s = float(alpha_bars[t]), float(alpha_bars[s])
        sigma = eta * ((1 - a_s) / (1 - a_t) * (1 - a_t / a_s)) ** 0.5 if eta else 0.0
        x = a_s**0.5 * x0 + (1 - a_s - sigma**2) ** 0.5 * eps
        if sigma and draw_noise:
            x = x + sigma * draw_noise(x.shape)
        if callback:
            callback(s, x, x0)
    return x


def dpm_sample(
    eps_model: EpsModel,
    x: Array,
    alpha_bars: Array,
    path: Sequence[int],
    *,
    clip: float | None = 1.0,
    callback: Callback | None = None,
) -> Array:
    """Step down along `path` like DDIM without noise, but with an error of second order: DPM-Solver++(2M). # x: (B, ...)

    The step is DDIM's, with an x̂_0 that is extrapolated from this call and the one before to the middle of the step on the scale of
    λ = ½·log SNR (Lu et al. 2022, arXiv:2211.01095, algorithm 2). The first step and a last one to t = 0, where λ is infinite, are
    plain DDIM.
    """
    previous, previous_h = None, 0.0
    for t, s in pairwise(path):
        x0 = predict_x0(x, t, eps_model(x, t), alpha_bars)
        x0 = x0 if clip is None else x0.clip(-clip, clip)
        h = _half_log_snr(alpha_bars[s]) - _half_log_snr(alpha_bars[t]) if s else math.inf
        estimate = x0 if previous is None or not s else x0 + h / (2 * previous_h) * (x0 - previous)
        a_s = float(alpha_bars[s])
        x = a_s**0.5 * estimate + (1 - a_s) ** 0.5 * eps_from_x0(x, t, estimate, alpha_bars)
        previous, previous_h = x0, h
        if callback:
            callback(s, x, x0)
    return x


def even_path(T: int, steps: int) -> list[int]:
    """Return T, ..., 0 in `steps` even strides: a path for `ddim_sample` that includes T ("trailing" in diffusers).

    Raise ValueError unless 1 <= steps <= T.
    """
    if not 1 <= steps <= T:
        raise ValueError(f"steps is {steps}: choose 1 to {T}")
    return [T * i // steps for i in range(steps, -1, -1)]


def _half_log_snr(alpha_bar: float) -> float:
    """Return λ = log(√ᾱ / √(1 − ᾱ)), the scale on which the samplers of Lu et al. take their steps."""
    return 0.5 * math.log(alpha_bar / (1 - alpha_bar))
