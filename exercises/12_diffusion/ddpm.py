"""Exercise `ddpm`: from noise to an image one t at a time, by the posterior of the forward process.

Write the three functions. Images and noise are float32 torch tensors, and so is the table `betas`; what you return may be made with
torch or with numpy. Never change an argument in place: work on a copy. Nothing is clamped here.

Counting is the lesson's: betas[t] is β_t for t = 1..T and betas[0] = 0, so that ᾱ_0 = 1 and x_0 is the clean image. Every t is one
Python integer. (diffusers and CS231n count from 0: their t is ours minus 1.)
"""

import torch  # noqa: F401  (for you)


def posterior(x_t, t, eps_hat, betas):
    """Return mean and variance of x_{t−1}, given x_t and the noise that was predicted in it (Ho et al. 2020, eq. 6 and 7).

    x̂_0 = (x_t − √(1−ᾱ_t) · ε̂) / √ᾱ_t
    mean = √ᾱ_{t−1} · β_t / (1−ᾱ_t) · x̂_0 + √(1−β_t) · (1−ᾱ_{t−1}) / (1−ᾱ_t) · x_t
    variance: β̃_t = (1−ᾱ_{t−1}) / (1−ᾱ_t) · β_t, the small one of the two that are in use (the large one is β_t)

    x_t, eps_hat: tensors of one shape. t: an integer, 1 ≤ t ≤ T. Returns (mean, variance): the mean has x_t's shape, the
    variance is one number, 0 at t = 1.
    """
    # TODO: ᾱ_t is not given: multiply it up from the betas.
    raise NotImplementedError("posterior")


def ddpm_step(x_t, t, eps_hat, betas, z):
    """Return x_{t−1}: a draw from the posterior, made with the standard normal noise z.

    x_t, t, eps_hat, betas: as in `posterior`. z: a tensor of x_t's shape; it is given at t = 1 too.
    """
    # TODO: the variance is not yet what z is multiplied by.
    raise NotImplementedError("ddpm_step")


def ddpm_sample(eps_model, x_T, betas, draw_noise):
    """Return x_0, going from x_T down one t at a time (Ho et al. 2020, algorithm 2).

    eps_model(x, t): the predicted noise of x's shape; t is an integer, or one per row of x.
    draw_noise(t): the standard normal noise for the step from t to t − 1, of x's shape.
    x_T: tensor (B, ...). betas: the table of length T + 1.
    """
    # TODO: a loop over t. Which t is the first, which the last?
    raise NotImplementedError("ddpm_sample")
