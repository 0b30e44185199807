"""The samplers against closed forms: Gaussian data, whose exact ε̂ is known."""

from itertools import pairwise

import numpy as np
import pytest

from solutions.diffusion.samplers import ddim_sample, ddpm_sample, dpm_sample, even_path
from solutions.diffusion.schedules import alpha_bars, cosine_betas, linear_betas, terminal_snr_zero

MEAN, COVARIANCE = np.array([0.6, -0.3]), np.array([[0.5, 0.2], [0.2, 0.3]])
BETAS = linear_betas(200, 5e-4, 0.1)  # the linear schedule in a fifth of the steps
BARS = alpha_bars(BETAS)


def exact(bars):
    """Return ε̂(x_t) for N(MEAN, COVARIANCE) data: √(1 − ᾱ)·(ᾱ·Σ + (1 − ᾱ)·I)⁻¹·(x_t − √ᾱ·μ), minus √(1 − ᾱ) times the score."""

    def eps_model(x, t):
        S = bars[t] * COVARIANCE + (1 - bars[t]) * np.eye(2)
        return np.sqrt(1 - bars[t]) * (x - np.sqrt(bars[t]) * MEAN) @ np.linalg.inv(S)

    return eps_model


def affine(sample):
    """Return mean and covariance of sample(x_T) over x_T ~ N(0, I). They are exact, since each step is affine for Gaussian data."""
    b = sample(np.zeros((1, 2)))[0]
    A = sample(np.eye(2)) - b
    return b, A.T @ A


@pytest.mark.parametrize("variance", ["small", "large"])
def test_ddpm_draws_the_data(variance):
    """20,000 samples have the data's mean and covariance, within 4 standard errors plus 0.02 for the finite number of steps."""
    rng = np.random.default_rng(0)
    x = ddpm_sample(exact(BARS), rng.standard_normal((20_000, 2)), BETAS, rng.standard_normal, clip=None, variance=variance)
    np.testing.assert_allclose(x.mean(0), MEAN, atol=0.02 + 4 * 0.71 / np.sqrt(20_000))
    np.testing.assert_allclose(np.cov(x.T), COVARIANCE, atol=0.02 + 4 * 0.71 / np.sqrt(20_000))


def test_ddim_draws_the_data_and_its_error_falls_with_its_steps():
    """Mean and covariance, exact in x_T, are off by less than 0.03 with 100 steps, and by about half as much with twice as many."""
    errors = []
    for steps in (25, 50, 100, 200):
        mean, covariance = affine(lambda x, n=steps: ddim_sample(exact(BARS), x, BARS, even_path(200, n), clip=None))
        errors.append(max(abs(mean - MEAN).max(), abs(covariance - COVARIANCE).max()))
    assert errors[2] < 0.03
    assert all(later < 0.62 * earlier for earlier, later in pairwise(errors))


def test_dpm_solver_is_of_second_order():
    """Over the same stretch of time, twice the steps halve DDIM's error and quarter DPM-Solver++'s, which is 8 times smaller to begin with."""
    bars, x, stop = alpha_bars(linear_betas(3200, 1e-4 / 3.2, 0.02 / 3.2)), np.array([[1.0, -0.5]]), 320
    expected = dpm_sample(exact(bars), x, bars, range(3200, stop - 1, -1), clip=None)
    paths = [[stop + round((3200 - stop) * i / n) for i in range(n, -1, -1)] for n in (9, 18, 36, 72)]
    ddim, dpm = ([abs(sample(exact(bars), x, bars, path, clip=None) - expected).max() for path in paths] for sample in (ddim_sample, dpm_sample))
    assert dpm[0] < ddim[0] / 7
    assert [earlier / later for earlier, later in pairwise(ddim)] == pytest.approx([2, 2, 2], rel=0.1)
    assert [earlier / later for earlier, later in pairwise(dpm)] == pytest.approx([4, 4, 4], rel=0.15)


def test_dpm_solver_takes_the_papers_steps():
    """Algorithm 2 of Lu et al., as it stands there: x_i = σ_i/σ_{i−1}·x_{i−1} − α_i·(e^{−h_i} − 1)·D_i, in α, σ, λ, h and r."""
    path, x = [200, 150, 90, 20], np.array([[1.0, -0.5]])
    alpha, sigma = np.sqrt(BARS[path]), np.sqrt(1 - BARS[path])
    h = np.diff(np.log(alpha / sigma))  # h[i - 1] is the paper's h_i
    expected, clean = x, []
    for i in range(1, len(path)):
        clean.append((expected - sigma[i - 1] * exact(BARS)(expected, path[i - 1])) / alpha[i - 1])
        D = clean[-1]
        if i > 1:
            r = h[i - 2] / h[i - 1]
            D = (1 + 1 / (2 * r)) * clean[-1] - 1 / (2 * r) * clean[-2]
        expected = sigma[i] / sigma[i - 1] * expected - alpha[i] * (np.exp(-h[i - 1]) - 1) * D
    np.testing.assert_allclose(dpm_sample(exact(BARS), x, BARS, path, clip=None), expected, rtol=1e-9)


def test_dpm_solver_draws_the_data_in_fewer_calls():
    """In 20 steps the data's mean and covariance are off by less than 0.01, where DDIM needs more than 100."""
    bars = alpha_bars(cosine_betas(1000))
    errors = []
    for sample, steps in ((dpm_sample, 20), (ddim_sample, 100)):
        mean, covariance = affine(lambda x, f=sample, n=steps: f(exact(bars), x, bars, even_path(999, n), clip=None))
        errors.append(max(abs(mean - MEAN).max(), abs(covariance - COVARIANCE).max()))
    assert errors[0] < 0.01 < errors[1]


def test_dpm_solver_in_one_or_two_steps_is_ddim():
    """There is nothing to extrapolate from in the first step, and nothing to extrapolate to in one that ends at t = 0."""
    x = np.random.default_rng(1).standard_normal((5, 2))
    for path in ([200, 0], [200, 90, 0], [200, 60]):
        np.testing.assert_allclose(dpm_sample(exact(BARS), x, BARS, path), ddim_sample(exact(BARS), x, BARS, path), atol=1e-12)


def test_ddim_with_eta_draws_the_data():
    """η = 0.5 on 100 steps: the data's mean and covariance within 0.04."""
    rng = np.random.default_rng(0)
    x = ddim_sample(exact(BARS), rng.standard_normal((20_000, 2)), BARS, even_path(200, 100), rng.standard_normal, eta=0.5, clip=None)
    np.testing.assert_allclose(x.mean(0), MEAN, atol=0.04)
    np.testing.assert_allclose(np.cov(x.T), COVARIANCE, atol=0.04)


def test_ddim_with_eta_one_is_ddpm():
    """Along every t and with the same noise, η = 1 gives the same images as DDPM with the small variance."""
    x = np.random.default_rng(1).standard_normal((5, 2))
    ddpm = ddpm_sample(exact(BARS), x, BETAS, np.random.default_rng(2).standard_normal, clip=None)
    ddim = ddim_sample(exact(BARS), x, BARS, range(200, -1, -1), np.random.default_rng(2).standard_normal, eta=1.0, clip=None)
    np.testing.assert_allclose(ddim, ddpm, atol=1e-9)


def test_one_point_is_recovered_in_any_number_of_steps():
    """If the data is one point, x̂_0 is that point at every t, so one step is enough."""
    point = np.array([0.3, -0.8])

    def eps_model(x, t):
        return (x - np.sqrt(BARS[t]) * point) / np.sqrt(1 - BARS[t])

    x = np.random.default_rng(3).standard_normal((4, 2))
    for steps in (1, 2, 7):
        for sample in (ddim_sample, dpm_sample):
            np.testing.assert_allclose(sample(eps_model, x, BARS, even_path(200, steps)), np.tile(point, (4, 1)), atol=1e-9)


def test_ddim_upwards_inverts_ddim_downwards():
    """From an image up to x_T and back down, the error is below 0.02 with 200 steps of the cosine schedule, 4 times smaller than with 50."""
    bars = alpha_bars(cosine_betas(200))
    x0 = np.array([[0.9, 0.1], [-0.5, 0.4]])
    errors = []
    for steps in (50, 199):
        down = even_path(199, steps)  # ᾱ_200 is nearly 0
        x_T = ddim_sample(exact(bars), x0, bars, down[::-1], clip=None)
        errors.append(abs(ddim_sample(exact(bars), x_T, bars, down, clip=None) - x0).max())
    assert errors[1] < 0.02
    assert errors[1] < errors[0] / 3


def test_ddim_without_eta_draws_no_noise():
    """η = 0 is a function of x_T: it needs no source of noise."""
    x = np.ones((2, 2))
    once, again = (ddim_sample(exact(BARS), x, BARS, even_path(200, 10)) for _ in range(2))
    np.testing.assert_array_equal(once, again)


def test_no_noise_at_the_last_step():
    """DDPM draws T − 1 times, and so does DDIM with η = 1; neither draws at t = 1."""
    draws = []

    def draw_noise(shape):
        draws.append(shape)
        return np.zeros(shape)

    ddpm_sample(exact(BARS), np.zeros((3, 2)), BETAS, draw_noise)
    assert draws == [(3, 2)] * 199
    draws.clear()
    ddim_sample(exact(BARS), np.zeros((3, 2)), BARS, range(200, -1, -1), draw_noise, eta=1.0)
    assert draws == [(3, 2)] * 199


def test_the_model_is_asked_at_every_t_of_the_path_but_zero():
    """DDPM calls the model at T..1, DDIM along its path. The callback receives each t reached and ends at 0 with the returned image."""
    asked, reached = [], []

    def eps_model(x, t):
        asked.append(t)
        return np.zeros_like(x)

    end = ddim_sample(eps_model, np.ones((1, 2)), BARS, [200, 120, 7, 0], callback=lambda t, x, x0: reached.append((t, x)))
    assert asked == [200, 120, 7]
    assert [t for t, _ in reached] == [120, 7, 0]
    assert reached[-1][1] is end
    asked.clear()
    ddpm_sample(eps_model, np.ones((1, 2)), BETAS, np.zeros)
    assert asked == list(range(200, 0, -1))


def test_clipping_holds_the_estimate_and_not_the_noisy_image():
    """A wild ε̂ leaves x̂_0 within ±1; x_t itself may exceed it."""
    x_T = np.random.default_rng(0).standard_normal((9, 2))
    draw_noise = np.random.default_rng(1).standard_normal
    path = even_path(200, 20)
    for walk in (
        lambda callback: ddpm_sample(_wild, x_T, BETAS, draw_noise, callback=callback),
        lambda callback: ddim_sample(_wild, x_T, BARS, path, callback=callback),
        lambda callback: dpm_sample(_wild, x_T, BARS, path, callback=callback),
    ):
        seen: list = []
        end = walk(lambda *call, to=seen: to.append(call))
        assert abs(end).max() <= 1 + 1e-9
        assert max(abs(x0).max() for _, _, x0 in seen) <= 1
        assert max(abs(x).max() for _, x, _ in seen) > 1


def _wild(x, t):
    return -9 * x


def test_a_path_has_even_strides_and_both_ends():
    """T comes first, 0 last, and what is between is rounded down, as in the exercise."""
    assert even_path(1000, 4) == [1000, 750, 500, 250, 0]
    assert even_path(10, 3) == [10, 6, 3, 0]
    assert even_path(5, 5) == [5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: even_path(1000, 0), "steps is 0: choose 1 to 1000"),
        (lambda: even_path(1000, 1001), "steps is 1001: choose 1 to 1000"),
        (
            lambda: ddim_sample(exact(BARS), np.ones((1, 2)), BARS, [200, 0], eta=1.0),
            "η is 1, and there is no source of noise: give draw_noise, or η = 0",
        ),
        (
            lambda: ddpm_sample(exact(BARS), np.ones((1, 2)), BETAS, np.zeros, variance="tiny"),
            "unknown variance `tiny`: choose small (β̃_t) or large (β_t)",
        ),
        (
            lambda: ddpm_sample(lambda x, t: x, np.ones((1, 2)), terminal_snr_zero(BETAS), np.zeros),
            "alpha_bars[t] is 0 at a given t: x_t holds nothing of x_0, so ε does not determine it (v does)",
        ),
    ],
)
def test_what_a_sampler_cannot_do_is_refused(call, text):
    """The message lists the valid choices."""
    with pytest.raises(ValueError) as error:
        call()
    assert str(error.value) == text
