"""The forward process: noise an image by one step or by a jump, and convert between ε, x_0 and v.

Each formula is written once, here. Floats in, floats out; numpy in, numpy out; torch in, torch out: `Array` below stands for any of
the three, and torch is never imported. `t` is one integer, or one per sample (along x's first axis). Tables come from `schedules`
(index = t = 0..T) and stay float64 until they meet x: √(1 − ᾱ_t) in float32 would lose three digits at small t.

No argument is modified. Nothing is learned here: the network is in `unet`, the reverse process in `samplers`.
"""

from typing import Any

import numpy as np

Array = Any  # a float, a numpy array or a torch tensor: the result has the type of the first image argument


def at(table: Array, t: Array, x: Array) -> Array:
    """Return `table[t]` with the type, dtype and device of x, shaped to multiply it.

    One t per sample gives (B, 1, ..., 1). Raise IndexError for a t outside the table, ValueError for a t that is neither a single
    integer nor one per sample.
    """
    steps, table = _numpy(t), _numpy(table)
    if steps.size and (steps.min() < 0 or steps.max() >= len(table)):
        raise IndexError(f"t must be in 0..{len(table) - 1}, got {steps.min()}..{steps.max()}")
    if steps.ndim and (steps.ndim > 1 or np.ndim(x) == 0 or len(steps) != len(x)):
        raise ValueError(f"t of shape {steps.shape} is not one t per sample of x of shape {tuple(np.shape(x))}")
    value = table[steps]
    return _like(value.reshape(value.shape + (1,) * (np.ndim(x) - 1)) if steps.ndim else value, x)


def forward_step(x_prev: Array, beta: Array, eps: Array) -> Array:
    """Return x_t = √(1 − β_t)·x_{t−1} + √β_t·ε (Ho et al. 2020, eq. 2)."""
    beta = float(beta) if np.ndim(beta) == 0 else beta
    return (1 - beta) ** 0.5 * x_prev + beta**0.5 * eps


def noise_to(x0: Array, t: Array, eps: Array, alpha_bars: Array) -> Array:
    """Return x_t = √ᾱ_t·x_0 + √(1 − ᾱ_t)·ε, the jump from x_0 to any t (Ho et al. 2020, eq. 4)."""
    return at(alpha_bars**0.5, t, x0) * x0 + at((1 - alpha_bars) ** 0.5, t, x0) * eps


def predict_x0(x_t: Array, t: Array, eps: Array, alpha_bars: Array) -> Array:
    """Return x̂_0 = (x_t − √(1 − ᾱ_t)·ε) / √ᾱ_t, the jump solved for x_0 (Ho et al. 2020, eq. 15); x_t itself at t = 0.

    Raise ValueError where ᾱ_t = 0: there x_t holds nothing of x_0, and neither does ε.
    """
    _refuse(alpha_bars, t, 0, "x_t holds nothing of x_0, so ε does not determine it (v does)")
    return (x_t - at((1 - alpha_bars) ** 0.5, t, x_t) * eps) / at(alpha_bars**0.5, t, x_t)


def eps_from_x0(x_t: Array, t: Array, x0: Array, alpha_bars: Array) -> Array:
    """Return ε = (x_t − √ᾱ_t·x_0) / √(1 − ᾱ_t). Raise ValueError at t = 0, where x_t holds no noise."""
    _refuse(alpha_bars, t, 1, "x_t holds no noise, so x_0 does not determine ε")
    return (x_t - at(alpha_bars**0.5, t, x_t) * x0) / at((1 - alpha_bars) ** 0.5, t, x_t)


def v_from(x0: Array, t: Array, eps: Array, alpha_bars: Array) -> Array:
    """Return v = √ᾱ_t·ε − √(1 − ᾱ_t)·x_0, what the shipped networks predict (Salimans & Ho 2022, section 4)."""
    return at(alpha_bars**0.5, t, x0) * eps - at((1 - alpha_bars) ** 0.5, t, x0) * x0


def x0_from_v(x_t: Array, t: Array, v: Array, alpha_bars: Array) -> Array:
    """Return x_0 = √ᾱ_t·x_t − √(1 − ᾱ_t)·v, which divides by nothing and so holds at every t (Salimans & Ho 2022, appendix D)."""
    return at(alpha_bars**0.5, t, x_t) * x_t - at((1 - alpha_bars) ** 0.5, t, x_t) * v


def eps_from_v(x_t: Array, t: Array, v: Array, alpha_bars: Array) -> Array:
    """Return ε = √(1 − ᾱ_t)·x_t + √ᾱ_t·v (Salimans & Ho 2022, appendix D)."""
    return at((1 - alpha_bars) ** 0.5, t, x_t) * x_t + at(alpha_bars**0.5, t, x_t) * v


def posterior_variances(betas: Array, alpha_bars: Array) -> Array:
    """Return the table of β̃_t = (1 − ᾱ_{t−1}) / (1 − ᾱ_t)·β_t, "fixed small" (Ho et al. 2020, eq. 7); β̃_0 = β̃_1 = 0."""
    betas, alpha_bars = _numpy(betas), _numpy(alpha_bars)
    small = np.zeros(len(betas))
    small[1:] = (1 - alpha_bars[:-1]) / (1 - alpha_bars[1:]) * betas[1:]
    return small


def posterior(x_t: Array, x0: Array, t: Array, betas: Array, alpha_bars: Array) -> tuple[Array, Array]:
    """Return mean and variance of q(x_{t−1} | x_t, x_0), t = 1..T (Ho et al. 2020, eq. 6 and 7).

    mean = √ᾱ_{t−1}·β_t/(1 − ᾱ_t)·x_0 + √(1 − β_t)·(1 − ᾱ_{t−1})/(1 − ᾱ_t)·x_t. The variance is β̃_t, 0 at t = 1, shaped to multiply x_t.
    """
    _refuse(alpha_bars, t, 1, "the image is clean, so no step precedes it")
    betas, alpha_bars = _numpy(betas), _numpy(alpha_bars)
    of_x0, of_xt = np.zeros(len(betas)), np.zeros(len(betas))
    of_x0[1:] = alpha_bars[:-1] ** 0.5 * betas[1:] / (1 - alpha_bars[1:])
    of_xt[1:] = (1 - betas[1:]) ** 0.5 * (1 - alpha_bars[:-1]) / (1 - alpha_bars[1:])
    return at(of_x0, t, x_t) * x0 + at(of_xt, t, x_t) * x_t, at(posterior_variances(betas, alpha_bars), t, x_t)


def _refuse(alpha_bars: Array, t: Array, value: float, why: str) -> None:
    """Raise ValueError if ᾱ_t is `value` for any of the given t."""
    if np.any(at(alpha_bars, t, np.empty(np.shape(_numpy(t)))) == value):
        raise ValueError(f"alpha_bars[t] is {value} at a given t: {why}")


def _numpy(value: Array) -> Array:
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)


def _like(value: Array, x: Array) -> Array:
    """Return the float64 `value` with the type of x; integer images count as float images."""
    if hasattr(x, "new_tensor"):  # a torch tensor, recognised without importing torch
        return (x if x.is_floating_point() else x / 1).new_tensor(value)
    if hasattr(x, "dtype"):
        return value.astype(x.dtype if x.dtype.kind == "f" else np.float64)[()]
    return float(value)
