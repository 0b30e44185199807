"""The measures on point sets whose distances are known."""

import numpy as np
import pytest
import torch

from solutions.diffusion.measures import cost, coverage, frechet_distance, recall

rng = np.random.default_rng(0)


def gaussian(mean, root, n=500):
    """Return n points whose mean is exactly `mean` and whose covariance is exactly root·rootᵀ."""
    x = rng.standard_normal((n, len(mean)))
    x = x - x.mean(0)
    return x @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T))).T @ np.transpose(root) + mean


def test_frechet_distance_is_its_closed_form():
    """If the covariances commute, it is ‖μ_1 − μ_2‖² + Σ (σ_1 − σ_2)²."""
    optimiser_step = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    real = gaussian(np.array([0.0, 1.0, 2.0]), optimiser_step @ np.diag([1.0, 2.0, 3.0]))
    generated = gaussian(np.array([0.5, 1.0, 0.0]), optimiser_step @ np.diag([2.0, 2.0, 0.5]))
    assert frechet_distance(real, generated) == pytest.approx(0.25 + 4 + 1 + 0 + 6.25)


def test_frechet_distance_does_not_care_which_is_which():
    """Even if the covariances don't commute. A set is at distance 0 from itself."""
    real, generated = gaussian(np.zeros(2), [[1, 0], [0.9, 0.2]]), gaussian(np.ones(2), [[0.3, 0.1], [0, 2]])
    assert frechet_distance(real, generated) == pytest.approx(frechet_distance(generated, real))
    assert frechet_distance(real, real) == pytest.approx(0, abs=1e-6)


def test_coverage_and_recall_of_a_twin_are_nearly_whole():
    """Two samples of one Gaussian cover more than nine tenths of each other."""
    real, generated = rng.standard_normal((2, 1000, 3))
    assert coverage(real, generated) > 0.9
    assert recall(real, generated) > 0.9


def test_coverage_sees_a_lost_half():
    """If one of two distant clusters is never generated, coverage and recall are about a half."""
    real = rng.standard_normal((1000, 3)) + np.repeat([[0.0], [50.0]], 500, axis=0)
    generated = rng.standard_normal((1000, 3))
    assert coverage(real, generated) == pytest.approx(0.5, abs=0.03)
    assert recall(real, generated) == pytest.approx(0.5, abs=0.05)


def test_coverage_by_hand():
    """On a line at 0, 1, 2, 10 with k = 1, an image at 1.5 is within the neighbour distance of 1, 2 and 10, but not of 0."""
    real = np.array([[0.0], [1.0], [2.0], [10.0]])
    assert coverage(real, np.array([[1.5], [9.0]]), k=1) == 0.75
    assert recall(real, np.array([[1.5], [9.0]]), k=1) == 1.0


def test_cost_counts_the_calls_of_the_network():
    """Only calls made while sampling count."""
    net = torch.nn.Linear(1, 1)
    took = cost(lambda: [net(torch.ones(1, 1)) for _ in range(7)], net)
    net(torch.ones(1, 1))
    assert took.calls == 7
    assert took.seconds > 0
