"""Exercise `ddim`: from noise to an image in few steps, with the same network.

Write the three functions. Images and noise are float32 torch tensors, and so is the table `alpha_bars`; what you return may be made
with torch or with numpy. Never change an argument in place: work on a copy. Nothing is clamped here.

Counting is the lesson's: alpha_bars[t] is ᾱ_t for t = 0..T and alpha_bars[0] = 1; x_T is noise, x_0 the clean image. Every t is one
Python integer. (diffusers and CS231n count from 0: their t is ours minus 1.)
"""

import torch  # noqa: F401  (for you)


def ddim_timesteps(T, steps):
    """Return the t that DDIM visits, from T downwards: the list of T · i // steps for i = steps, ..., 1.

    T, steps: integers, 1 ≤ steps ≤ T. The list has `steps` entries: it begins with T, and 0 is not in it.
    """
    # TODO: one list.
    raise NotImplementedError("ddim_timesteps")


def ddim_step(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    """Return x at t_prev, one DDIM step from x_t (Song et al. 2021, eq. 12 and 16).

    x̂_0 = (x_t − √(1−ᾱ_t) · ε̂) / √ᾱ_t
    σ = η · √( (1−ᾱ_prev) / (1−ᾱ_t) · (1 − ᾱ_t/ᾱ_prev) )
    x_prev = √ᾱ_prev · x̂_0 + √(1 − ᾱ_prev − σ²) · ε̂ + σ · z

    x_t, eps_hat, z: tensors of one shape. t, t_prev: integers, 0 ≤ t_prev < t ≤ T. eta: 0 (no noise) to 1 (as much as DDPM).
    """
    # TODO: three lines, one for each formula.
    raise NotImplementedError("ddim_step")


def ddim_sample(eps_model, x_T, alpha_bars, steps, eta, draw_noise):
    """Return x_0, going from x_T through the t of `ddim_timesteps` in `steps` DDIM steps.

    eps_model(x, t): the predicted noise of x's shape; t is an integer, or one per row of x.
    draw_noise(t): the standard normal noise for the step that leaves t, of x's shape.
    x_T: tensor (B, ...). alpha_bars: the table of length T + 1, with ᾱ_T > 0.
    """
    # TODO: each t goes to the next one in the list; the last goes to 0.
    raise NotImplementedError("ddim_sample")
