"""Solutions to the practice questions that no exercise function computes: plain arithmetic on floats.

If the reference has the formula, it is called; the others are one line each. The wrong formulas that a learner may use instead are in
`misconceptions/practice.py`.
"""

from math import exp, sqrt

import numpy as np

from solutions.diffusion.forward import forward_step, noise_to, predict_x0


def two_steps(x0: float, beta1: float, beta2: float, eps1: float, eps2: float) -> float:
    """Return x_2 after two forward steps."""
    return float(forward_step(forward_step(x0, beta1, eps1), beta2, eps2))


def alpha_bar_of_two(beta1: float, beta2: float) -> float:
    """Return ᾱ_2."""
    return (1 - beta1) * (1 - beta2)


def merged_noise(beta1: float, beta2: float, eps1: float, eps2: float) -> float:
    """Return the single ε with which the jump from x_0 gives the x_2 of two steps."""
    return (sqrt((1 - beta2) * beta1) * eps1 + sqrt(beta2) * eps2) / sqrt(1 - alpha_bar_of_two(beta1, beta2))


def noise_factor(alpha_bar: float) -> float:
    """Return what multiplies ε in the jump."""
    return sqrt(1 - alpha_bar)


def lost_without_the_root(alpha_bar: float) -> float:
    """Return how much smaller the noise factor is if the root is forgotten."""
    return sqrt(1 - alpha_bar) - (1 - alpha_bar)


def squared_error(eps1: float, hat1: float, eps2: float, hat2: float, eps3: float, hat3: float) -> float:
    """Return the loss of an image with three pixels: the mean squared error of ε̂."""
    return ((eps1 - hat1) ** 2 + (eps2 - hat2) ** 2 + (eps3 - hat3) ** 2) / 3


def clean_estimate(x_t: float, eps_hat: float, alpha_bar: float) -> float:
    """Return x̂_0."""
    return float(predict_x0(x_t, 1, eps_hat, np.array([1, alpha_bar])))


def ddim_by_hand(x_t: float, eps_hat: float, alpha_bar_t: float, alpha_bar_s: float) -> float:
    """Return x_s, one DDIM step with η = 0 from t to an earlier s (Song et al. 2021, eq. 12)."""
    x0 = clean_estimate(x_t, eps_hat, alpha_bar_t)
    return float(noise_to(x0, 1, eps_hat, np.array([1, alpha_bar_s])))


def attention_weight(score1: float, score2: float, d: float) -> float:
    """Return the weight of the first of two tokens, from its query's dot products with both keys (Vaswani et al. 2017, eq. 1)."""
    return 1 / (1 + exp((score2 - score1) / sqrt(d)))


def guided_prediction(eps_uncond: float, eps_cond: float, w: float) -> float:
    """Return ε̂, in the convention where w = 0 is unconditional (`solutions.diffusion.guidance.guide`, without torch)."""
    return eps_uncond + w * (eps_cond - eps_uncond)


def landing(x: float, u1: float, u2: float, u3: float, c1: float, c2: float, c3: float, w: float) -> float:
    """Return the result of three steps that each subtract the guided prediction from ε_uncond = u and ε_cond = c."""
    for u, c in ((u1, c1), (u2, c2), (u3, c3)):
        x -= guided_prediction(u, c, w)
    return x


def our_w(their_w: float) -> float:
    """Return our w for the w of (1 + w)·ε_cond − w·ε_uncond."""
    return their_w + 1


def image_left(alpha_bar: float) -> float:
    """Return what multiplies the image in x_T."""
    return sqrt(alpha_bar)
