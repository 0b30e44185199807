"""SDEdit and inpainting: what is kept is exact, and what is sampled follows the data's distribution."""

import numpy as np
import pytest
import torch

from solutions.diffusion.edit import inpaint, sdedit
from solutions.diffusion.samplers import even_path
from solutions.diffusion.schedules import alpha_bars, linear_betas

BARS = alpha_bars(linear_betas(200, 5e-4, 0.1))  # the linear schedule in a fifth of the steps
COVARIANCE = np.array([[1.0, 0.8], [0.8, 1.0]])


def gaussian(covariance):
    """Return the exact ε̂ of N(0, covariance) data."""

    def eps_model(x, t):
        return np.sqrt(1 - BARS[t]) * x @ np.linalg.inv(BARS[t] * covariance + (1 - BARS[t]) * np.eye(len(covariance)))

    return eps_model


def test_sdedit_from_0_returns_the_image_and_from_T_forgets_it():
    """From t = 0 the image comes back exactly. From T two images give nearly the same, as √ᾱ_T = 0.006 of them is left."""
    rng, pair = np.random.default_rng(0), (np.ones((1, 2)), -np.ones((1, 2)))
    np.testing.assert_array_equal(sdedit(gaussian(COVARIANCE), pair[0], BARS, [0], rng.standard_normal), pair[0])
    ends = [sdedit(gaussian(COVARIANCE), x, BARS, even_path(200, 50), np.random.default_rng(1).standard_normal, clip=None) for x in pair]
    np.testing.assert_allclose(*ends, atol=0.03)


def test_sdedit_keeps_coarse_structure_and_resamples_detail():
    """Where the data varies much (std 1), most of an image is kept; where it varies little (std 0.1), most is sampled anew.

    The correlation with the image is √ᾱ·std / √(ᾱ·std² + 1 − ᾱ), and it falls as the start rises.
    """
    rng, std = np.random.default_rng(0), np.array([1.0, 0.1])
    image, before = std * rng.standard_normal((4000, 2)), np.ones(2)
    for start in (20, 40, 80):
        end = sdedit(gaussian(np.diag(std**2)), image, BARS, range(start, -1, -1), rng.standard_normal, clip=None)
        kept = [np.corrcoef(image[:, i], end[:, i])[0, 1] for i in range(2)]
        expected = np.sqrt(BARS[start]) * std / np.sqrt(BARS[start] * std**2 + 1 - BARS[start])
        np.testing.assert_allclose(kept, expected, atol=0.06)
        assert kept[0] > kept[1] + 0.2
        assert (expected < before).all()
        before = expected


@pytest.mark.parametrize("repeats", [1, 3])
def test_inpainting_keeps_the_known_part_exactly(repeats):
    """Where `known` is 1, every number of the result is the image's, to the last bit; elsewhere none is."""
    generator = torch.Generator().manual_seed(0)
    image, known = torch.rand(2, 1, 4, 4, generator=generator) * 2 - 1, torch.zeros(4, 4)
    known[:, :2] = 1

    def draw_noise(shape):
        return torch.randn(shape, generator=generator)

    filled = inpaint(lambda x, t: 0.5 * x, image, known, BARS, even_path(200, 10), draw_noise, repeats=repeats)
    assert torch.equal(filled[..., :2], image[..., :2])
    assert not torch.isclose(filled[..., 2:], image[..., 2:]).any()


def test_inpainting_fits_the_known_part_if_steps_are_repeated():
    """Of N(0, Σ) data with correlation 0.8 and a first number of 1, the second is N(0.8, 0.36); without repeats it stays nearer to 0."""
    image, known, means = np.tile([1.0, 0.0], (2000, 1)), np.array([1.0, 0.0]), []
    for repeats in (1, 4, 10):
        draw_noise = np.random.default_rng(0).standard_normal
        filled = inpaint(gaussian(COVARIANCE), image, known, BARS, range(200, -1, -1), draw_noise, repeats=repeats, clip=None)[:, 1]
        means.append(filled.mean())
    assert means[0] < 0.6 < means[1] < means[2]
    assert (means[2], filled.var()) == pytest.approx((0.8, 0.36), abs=0.07)
