"""The exact answer, where it is known: data that are a few images, all equally likely, or small Gaussian clouds around them.

A network approximates what is computed here: the *average* of the images that could have led to x_t, each weighted by how likely it is.
An image is a vector of D numbers; with D = 1 all of it fits into a drawing (`figures.plots.one_dimension`), with D = 2 nearly.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

ONE_PIXEL = [[-1.0], [1.0]]  # images of one pixel: black and white
TWO_PIXELS = [[-0.9, -0.8], [0.9, 0.75], [-0.65, 0.85], [-0.2, 0.6], [0.85, -0.6]]  # images of two


def image_posterior(x_t: ArrayLike, a_bar: float, images: ArrayLike, std: float = 0.0) -> Floats:
    """Return p(x_0 = image | x_t) of each of K equally likely images, at ᾱ_t = `a_bar` (Bayes' rule). # (..., D), (K, D) -> (..., K)

    With a `std` the images are the centres of clouds, and the result is the share of each cloud.
    """
    off = np.asarray(x_t)[..., None, :] - np.sqrt(a_bar) * np.asarray(images)  # (..., K, D)
    logs = -(off**2).sum(-1) / (2 * (a_bar * std**2 + 1 - a_bar))
    likely: Floats = np.exp(logs - logs.max(-1, keepdims=True))
    likely /= likely.sum(-1, keepdims=True)
    return likely


def average_image(x_t: ArrayLike, a_bar: float, images: ArrayLike) -> Floats:
    """Return E[x_0 | x_t], the x̂_0 of a perfect network: the average of the images, weighted by `image_posterior`. # (..., D)"""
    return image_posterior(x_t, a_bar, images) @ np.asarray(images, dtype=np.float64)


def exact_eps(x: ArrayLike, a_bar: float, centres: ArrayLike, std: float = 0.12) -> Floats:
    """Return ε̂ for a mixture of equal isotropic Gaussians: −√(1 − ᾱ) times the score of the noised density. # (N, D), (K, D) -> (N, D)"""
    shares = image_posterior(x, a_bar, centres, std)  # (N, K)
    off = np.asarray(x) - np.sqrt(a_bar) * shares @ np.asarray(centres)
    scaled: Floats = np.sqrt(1 - a_bar) * off / (a_bar * std**2 + 1 - a_bar)
    return scaled
