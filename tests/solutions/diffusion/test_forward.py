"""The forward process against closed forms: hand-computed steps, composition, Bayes' rule, round trips."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from solutions.diffusion.forward import (
    at,
    eps_from_v,
    eps_from_x0,
    forward_step,
    noise_to,
    posterior,
    posterior_variances,
    predict_x0,
    v_from,
    x0_from_v,
)
from solutions.diffusion.schedules import alpha_bars, cosine_betas, linear_betas, terminal_snr_zero

BETAS = linear_betas(1000)
BARS = alpha_bars(BETAS)


@pytest.mark.parametrize(("x", "beta", "eps", "expected"), [(0.8, 0.1, -0.3, 0.664), (0.5, 0.04, 1.5, 0.790)])
def test_a_forward_step_is_what_the_lesson_computes_by_hand(x, beta, eps, expected):
    """The worked example and the practice question, to three decimals."""
    assert forward_step(x, beta, eps) == pytest.approx(expected, abs=5e-4)


def test_the_jump_is_the_steps_composed():
    """Tracking the coefficient of x_0 and the variance of the noise step by step gives √ᾱ_t and 1 − ᾱ_t at every t."""
    signal, variance = 1.0, 0.0
    for t in range(1, 1001):
        signal = forward_step(signal, BETAS[t], 0.0)
        variance = forward_step(np.sqrt(variance), BETAS[t], 0.0) ** 2 + forward_step(0.0, BETAS[t], 1.0) ** 2
        assert noise_to(1.0, t, 0.0, BARS) == pytest.approx(signal, rel=1e-12)
        assert noise_to(0.0, t, 1.0, BARS) ** 2 == pytest.approx(variance, rel=1e-9)


def test_the_posterior_is_bayes_rule():
    """Multiplying the densities q(x_t | x_{t−1}) and q(x_{t−1} | x_0) of x_{t−1} gives its mean and variance."""
    x0, x_t = 0.3, -0.7
    for t in (2, 3, 100, 500, 1000):
        precision = (1 - BETAS[t]) / BETAS[t] + 1 / (1 - BARS[t - 1])
        centre = (np.sqrt(1 - BETAS[t]) * x_t / BETAS[t] + np.sqrt(BARS[t - 1]) * x0 / (1 - BARS[t - 1])) / precision
        mean, variance = posterior(x_t, x0, t, BETAS, BARS)
        assert mean == pytest.approx(centre, rel=1e-10)
        assert variance == pytest.approx(1 / precision, rel=1e-10)


def test_the_posterior_at_one_is_the_clean_image():
    """At t = 1 the mean is x_0 and the variance is 0, by formula."""
    mean, variance = posterior(0.9, 0.2, 1, BETAS, BARS)
    assert mean == pytest.approx(0.2, abs=1e-12)
    assert variance == 0
    assert posterior_variances(BETAS, BARS)[:2].tolist() == [0, 0]


@pytest.mark.parametrize("bars", [BARS, alpha_bars(cosine_betas(1000))], ids=["linear", "cosine"])
def test_x0_eps_and_v_turn_into_each_other(bars):
    """Every conversion there and back returns the original, with one t per sample."""
    rng = np.random.default_rng(0)
    x0, eps, t = rng.uniform(-1, 1, (6, 2, 3)), rng.standard_normal((6, 2, 3)), np.array([1, 2, 50, 500, 900, 999])
    x_t, v = noise_to(x0, t, eps, bars), v_from(x0, t, eps, bars)
    np.testing.assert_allclose(predict_x0(x_t, t, eps, bars), x0, atol=1e-9)
    np.testing.assert_allclose(eps_from_x0(x_t, t, x0, bars), eps, atol=1e-9)
    np.testing.assert_allclose(x0_from_v(x_t, t, v, bars), x0, atol=1e-12)
    np.testing.assert_allclose(eps_from_v(x_t, t, v, bars), eps, atol=1e-12)


def test_at_zero_the_image_is_clean():
    """At t = 0, x_0 is unchanged, whatever the noise."""
    x0, eps = np.array([0.5, -1.0]), np.array([3.0, 4.0])
    np.testing.assert_array_equal(noise_to(x0, 0, eps, BARS), x0)
    np.testing.assert_array_equal(predict_x0(x0, 0, eps, BARS), x0)


def test_v_determines_the_image_where_nothing_of_it_is_left():
    """At ᾱ_T = 0, x_T is the noise, v is −x_0, and v alone gives x_0 back."""
    bars = alpha_bars(terminal_snr_zero(BETAS))
    x_T, v = noise_to(0.4, 1000, 1.7, bars), v_from(0.4, 1000, 1.7, bars)
    assert (x_T, v) == (1.7, -0.4)
    assert x0_from_v(x_T, 1000, v, bars) == 0.4


@pytest.mark.parametrize("shape", [(4, 3), (4, 4), (4, 2, 5, 4)], ids=str)
def test_one_t_per_sample_goes_along_the_batch(shape):
    """Even if the last axis is as long as the batch, each sample is noised as if it were alone."""
    rng = np.random.default_rng(1)
    x0, eps, t = rng.standard_normal(shape), rng.standard_normal(shape), np.array([0, 10, 500, 1000])
    alone = np.stack([noise_to(x0[i], int(t[i]), eps[i], BARS) for i in range(4)])
    np.testing.assert_array_equal(noise_to(x0, t, eps, BARS), alone)


def test_types_are_preserved():
    """Float, float32, float64 and torch are preserved; integers become floats."""
    assert type(noise_to(0.8, 5, -0.3, BARS)) is float
    assert type(forward_step(0.8, 0.1, -0.3)) is float
    assert type(predict_x0(0.8, 5, -0.3, BARS)) is float
    for dtype in (np.float32, np.float64):
        x = np.ones((2, 3), dtype)
        assert noise_to(x, 5, x, BARS).dtype == predict_x0(x, 5, x, BARS).dtype == forward_step(x, BETAS[5], x).dtype == dtype
    for kind in (torch.float32, torch.float64):
        y = torch.ones(2, 3, dtype=kind)
        t = torch.tensor([5, 6])
        assert noise_to(y, t, y, BARS).dtype == forward_step(y, BETAS[5], y).dtype == kind
        assert predict_x0(y, 5, y, torch.from_numpy(BARS)).dtype == kind
    np.testing.assert_allclose(noise_to(np.ones(3, int), 500, np.zeros(3), BARS), BARS[500] ** 0.5)
    assert noise_to(torch.ones(3, dtype=torch.int64), 500, torch.zeros(3), BARS)[0] == pytest.approx(BARS[500] ** 0.5)


def test_small_t_keeps_its_digits_in_float32():
    """The coefficient of the noise at t = 1 is 0.01 to seven digits, because 1 − ᾱ is computed in float64."""
    got = noise_to(torch.zeros(1), 1, torch.ones(1), BARS).item()
    assert got == pytest.approx(0.01, rel=1e-7)


def test_no_argument_is_changed():
    """Arrays passed in are unchanged afterwards."""
    x, eps, t, betas, bars = np.ones((2, 3)), np.full((2, 3), 2.0), np.array([3, 4]), BETAS.copy(), BARS.copy()
    for call in (noise_to, predict_x0, eps_from_x0, v_from, x0_from_v, eps_from_v):
        call(x, t, eps, bars)
    forward_step(x, 0.1, eps)
    posterior(x, eps, t, betas, bars)
    for got, expected in ((x, 1), (eps, 2), (t, [3, 4]), (betas, BETAS), (bars, BARS)):
        np.testing.assert_array_equal(got, np.broadcast_to(expected, got.shape))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: at(BARS, 1001, 0.0), IndexError, "t must be in 0..1000, got 1001..1001"),
        (lambda: at(BARS, -1, 0.0), IndexError, "t must be in 0..1000, got -1..-1"),
        (lambda: at(BARS, np.array([1, 2]), np.ones((3, 2))), ValueError, "t of shape (2,) is not one t per sample of x of shape (3, 2)"),
        (
            lambda: predict_x0(1.0, 1000, 1.0, alpha_bars(terminal_snr_zero(BETAS))),
            ValueError,
            "alpha_bars[t] is 0 at a given t: x_t holds nothing of x_0, so ε does not determine it (v does)",
        ),
        (
            lambda: eps_from_x0(1.0, 0, 1.0, BARS),
            ValueError,
            "alpha_bars[t] is 1 at a given t: x_t holds no noise, so x_0 does not determine ε",
        ),
        (
            lambda: posterior(1.0, 1.0, 0, BETAS, BARS),
            ValueError,
            "alpha_bars[t] is 1 at a given t: the image is clean, so no step precedes it",
        ),
    ],
)
def test_what_has_no_answer_is_refused(call, error, text):
    """The message says what is wrong with the given t."""
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value) == text


def test_the_formulas_take_no_torch():
    """The graded answers import them with numpy alone."""
    code = "import sys; import solutions.diffusion.forward, solutions.diffusion.schedules; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
