"""The exact answers: the posterior over a few images, its mean, and ε̂, against closed forms and against the samplers."""

import numpy as np
import pytest

from solutions.diffusion.exact import average_image, exact_eps, image_posterior
from solutions.diffusion.forward import posterior, predict_x0
from solutions.diffusion.samplers import ddpm_sample
from solutions.diffusion.schedules import alpha_bars, linear_betas

BETAS = linear_betas(1000)
BARS = alpha_bars(BETAS)
BLACK_OR_WHITE = [[-1.0], [1.0]]


@pytest.mark.parametrize("t", [1, 100, 500, 1000])
def test_of_two_opposite_pixels_the_posterior_is_a_sigmoid_and_its_mean_a_tanh(t):
    """P(1 | x_t) = 1 / (1 + exp(−2·√ᾱ·x_t / (1 − ᾱ))), and x̂_0 = tanh(√ᾱ·x_t / (1 − ᾱ))."""
    x = np.linspace(-2, 2, 9)[:, None]
    half = np.sqrt(BARS[t]) * x[:, 0] / (1 - BARS[t])
    np.testing.assert_allclose(image_posterior(x, BARS[t], BLACK_OR_WHITE)[:, 1], (1 + np.tanh(half)) / 2, atol=1e-12)
    np.testing.assert_allclose(average_image(x, BARS[t], BLACK_OR_WHITE)[:, 0], np.tanh(half), atol=1e-12)


def test_the_worked_reverse_step():
    """x_500 = 0.6 is white with 59 per cent, so x̂_0 = 0.18: neither of the images. The step's mean is 0.597."""
    white = image_posterior([0.6], BARS[500], BLACK_OR_WHITE)[1]
    x0 = average_image([0.6], BARS[500], BLACK_OR_WHITE)
    mean, variance = posterior(np.array([0.6]), x0, 500, BETAS, BARS)
    assert (white, x0[0], mean[0]) == pytest.approx((0.5903, 0.1805, 0.5970), abs=5e-5)
    assert 0 < variance < BETAS[500]


def test_the_average_image_is_what_the_exact_noise_gives():
    """E[x_0 | x_t] is the jump, solved with ε̂ = exact_eps, as for a network."""
    x, images = np.array([[0.3, -0.4], [1.0, 2.0]]), np.array([[0.5, 0.5], [-1.0, 0.2], [0.1, -0.9]])
    for t in (1, 300, 900):
        eps = exact_eps(x, BARS[t], images, std=0.0)
        np.testing.assert_allclose(predict_x0(x, t, eps, BARS), average_image(x, BARS[t], images), atol=1e-9)


def test_exact_noise_of_one_gaussian():
    """With one centre ε̂ = √(1 − ᾱ)·(x − √ᾱ·c) / (ᾱ·s² + 1 − ᾱ)."""
    x, centre = np.array([[0.3, -0.4], [1.0, 2.0]]), np.array([[0.5, 0.5]])
    expected = np.sqrt(0.7) * (x - np.sqrt(0.3) * centre) / (0.3 * 0.2**2 + 0.7)
    np.testing.assert_allclose(exact_eps(x, 0.3, centre, std=0.2), expected)


def test_many_steps_end_at_one_of_the_images():
    """DDPM with the exact ε̂ draws −1 or 1, each about as often, though each of its x̂_0 is an average."""
    rng = np.random.default_rng(0)
    x = ddpm_sample(lambda x, t: exact_eps(x, BARS[t], BLACK_OR_WHITE, std=0.0), rng.standard_normal((400, 1)), BETAS, rng.standard_normal)
    np.testing.assert_allclose(abs(x), 1, atol=1e-6)
    assert 160 < (x > 0).sum() < 240
