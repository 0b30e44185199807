"""What the lesson calls the numbers in its formulas: with it, the grader reads a student's formula off their results.

LINEAR names the functions whose result is a sum of their arguments, each times a factor, and those arguments; for a function with several
results, by the name of each. Where one of the arguments is a callback, the function walks: each image that it gives the callback, and its
result, is such a sum of the image before, the answers since, and the noise drawn. LETTERS are the paper's; a numbered one belongs to that
of several answers in one step.
"""

from typing import Any

import numpy as np

LINEAR = {
    "forward_step": ("x_prev", "eps"),
    "noise_to": ("x0", "eps"),
    "predict_x0": ("x_t", "eps"),
    "posterior": {"mean": ("x_t", "eps_hat"), "variance": ()},
    "ddpm_step": ("x_t", "eps_hat", "z"),
    "ddpm_sample": ("x_T", "eps_model", "draw_noise"),
    "ddim_step": ("x_t", "eps_hat", "z"),
    "ddim_sample": ("x_T", "eps_model", "draw_noise"),
    "guided_eps": ("eps_uncond", "eps_cond"),
    "guided_sample": ("x_T", "eps_model"),
    "latent_sample": ("z_T", "eps_model"),
    "noise_mse": ("x0", "eps", "eps_model"),
    "progressive_target": ("x_t", "teacher"),
}

LETTERS = {
    "x_prev": "x_{t−1}", "x0": "x_0", "x_t": "x_t", "x_T": "x_T", "z_T": "z_T", "eps": "ε", "eps_hat": "ε̂", "z": "z", "x": "x_t",
    "eps_uncond": "ε_uncond", "eps_cond": "ε_cond", "eps_model": "ε̂", "eps_model 1": "ε_uncond", "eps_model 2": "ε_cond",
    "teacher": "ε̂", "teacher 1": "the first ε̂", "teacher 2": "the second ε̂", "draw_noise": "z",
}  # fmt: skip


def quantities(given: dict[str, Any]) -> dict[str, Any]:
    """Name the numbers of a call: of what it was `given`, and in a walk of what the callback is given, now and (`t_next`) in the next step.

    The first one says where: "at t = 100". If each sample has its own t, they are arrays.
    """
    guidance = {"w": given["w"], "1 + w": 1 + given["w"], "1 − w": 1 - given["w"]} if "w" in given else {}
    if "beta" in given:
        beta = given["beta"]
        return {"β_t": beta, "√β_t": beta**0.5, "1 − β_t": 1 - beta, "√(1 − β_t)": (1 - beta) ** 0.5}
    if "t" not in given:
        return guidance
    betas = np.asarray(given["betas"], np.float64) if "betas" in given else None
    bars = np.asarray(given["alpha_bars"], np.float64) if betas is None else np.cumprod(1 - betas)
    t = np.asarray(given["t"])
    named = {"t": t, **_schedule("t", bars, t), **_schedule("{t−1}", bars, t - 1)}
    if np.max(t) + 1 < len(bars):
        named |= _schedule("{t+1}", bars, t + 1)
    if betas is not None:
        named |= _posterior(bars[t], bars[t - 1])
    if "t_prev" in given or "steps" in given:
        before = np.asarray(given.get("t_prev", given.get("t_next", 0)))
        named |= _schedule("prev", bars, before) | _ddim(bars[t], bars[before], given.get("eta"))
    return named | guidance


def _schedule(at: str, bars: Any, t: Any) -> dict[str, Any]:
    """Name the schedule at t; like in Python, −1 is the last entry."""
    bar = bars[t]
    one = np.where(t == 0, 1, bar / bars[t - 1])
    shares = {f"ᾱ_{at}": bar, f"1 − ᾱ_{at}": 1 - bar, f"α_{at}": one, f"β_{at}": 1 - one}
    return shares | {f"√({name})" if " " in name else f"√{name}": np.sqrt(share.clip(0)) for name, share in shares.items()}


def _posterior(bar: Any, before: Any) -> dict[str, Any]:
    """Name what the posterior needs besides."""
    beta = 1 - bar / before
    small = (1 - before) / (1 - bar) * beta
    return {"β̃_t": small, "√β̃_t": small**0.5, "β_t/√(1 − ᾱ_t)": beta / (1 - bar) ** 0.5, "β_t/(1 − ᾱ_t)": beta / (1 - bar)}


def _ddim(bar: Any, before: Any, eta: float | None) -> dict[str, Any]:
    """Name what a step of DDIM needs besides. ε̂ has two parts: it is taken out of x̂_0, and put back as far as the noise of t_prev."""
    inside = (before / bar * (1 - bar)) ** 0.5
    if eta is None:
        return {"(the step's factor of ε̂)": (1 - before) ** 0.5 - inside}
    variance = eta**2 * (1 - before) / (1 - bar) * (1 - bar / before)
    left = (1 - before - variance).clip(0)
    roots = {"√(1 − ᾱ_prev − σ²)": left**0.5, "√(1 − ᾱ_prev − σ²) − √ᾱ_prev·√(1 − ᾱ_t)/√ᾱ_t": left**0.5 - inside}
    return {"σ": variance**0.5, "σ²": variance, "1 − ᾱ_prev − σ²": left, **roots}
