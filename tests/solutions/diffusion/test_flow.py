"""Rectified flow: the straight path, its loss and its samplers, and that it is the diffusion model seen otherwise."""

import numpy as np
import pytest
import torch

from solutions.diffusion.flow import (
    euler_sample,
    flow_loss,
    flow_times,
    heun_on_schedule,
    heun_sample,
    logit_normal,
    path_scale,
    straight,
    velocity_of,
)
from solutions.diffusion.forward import noise_to, predict_x0
from solutions.diffusion.guidance import guided
from solutions.diffusion.models import fashion
from solutions.diffusion.models.classifier import load_classifier
from solutions.diffusion.samplers import ddim_sample, even_path
from solutions.diffusion.schedules import alpha_bars, cosine_betas, linear_betas, snr

BARS = alpha_bars(cosine_betas(1000))
G = torch.Generator().manual_seed(0)
X0, EPS = torch.rand(5, 1, 4, 4, generator=G, dtype=torch.float64) * 2 - 1, torch.randn(5, 1, 4, 4, generator=G, dtype=torch.float64)
TIMES = torch.tensor([0.01, 0.2, 0.5, 0.8, 0.99], dtype=torch.float64)


def gaussian_velocity(variance):
    """Return E[ε − x_0 | x_t] for N(0, variance) data: x_t·(t − (1 − t)·variance) / ((1 − t)²·variance + t²)."""
    return lambda x, t: x * (t - (1 - t) * variance) / ((1 - t) ** 2 * variance + t**2)


def test_the_path_is_straight_from_the_image_to_the_noise():
    """It is the image at t = 0, the noise at 1, halfway at 0.5; one t per sample runs along the batch."""
    assert torch.equal(straight(X0, 0, EPS), X0)
    assert torch.equal(straight(X0, 1, EPS), EPS)
    torch.testing.assert_close(straight(X0, 0.5, EPS), (X0 + EPS) / 2)
    each = [straight(x0, t.item(), eps) for x0, t, eps in zip(X0, TIMES, EPS, strict=True)]
    torch.testing.assert_close(straight(X0, TIMES, EPS), torch.stack(each))


def test_the_velocity_costs_nothing_and_any_error_its_mean_square():
    """A network that returns ε − x_0 has loss 0, one that is off by 0.5 has 0.25; it is called with x_t, t and the condition."""

    def network(x_t, t, labels):
        torch.testing.assert_close(x_t, straight(X0, TIMES, EPS))
        assert t is TIMES
        return EPS - X0 + labels

    assert flow_loss(network, X0, TIMES, EPS, labels=0.0).item() == 0
    assert flow_loss(network, X0, TIMES, EPS, labels=0.5).item() == pytest.approx(0.25)


def test_logit_normal_times_lie_around_their_median():
    """In (0, 1), the median at the sigmoid of the mean, and 68 per cent within one standard deviation on the scale of the logit."""
    t = logit_normal(20_000, torch.Generator().manual_seed(0), mean=0.5, std=0.8)
    assert 0 < t.min() < t.max() < 1
    assert t.median().item() == pytest.approx(1 / (1 + np.exp(-0.5)), abs=0.01)
    assert ((torch.logit(t) - 0.5).abs() < 0.8).double().mean().item() == pytest.approx(0.683, abs=0.01)


@pytest.mark.parametrize(("sample", "factor"), [(euler_sample, 2), (heun_sample, 4)])
def test_twice_the_steps_halve_eulers_error_and_quarter_heuns(sample, factor):
    """For N(0, 4) data the way from x at t = 1 to 0.1 is x times the ratio of the standard deviations at both ends, exactly."""
    expected = np.sqrt(0.9**2 * 4 + 0.1**2)
    errors = [abs(sample(gaussian_velocity(4), 1.0, np.linspace(1, 0.1, n + 1)) - expected) for n in (20, 40, 80)]
    assert errors[0] / errors[1] == pytest.approx(factor, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(factor, rel=0.1)


def test_one_image_is_reached_in_one_step():
    """If the data is one image, the velocity is constant along each path: one step of either sampler ends there."""
    for sample in (euler_sample, heun_sample):
        np.testing.assert_allclose(sample(lambda x, t: (x - 0.3) / t, np.array([2.0, -1.0]), [1.0, 0.0]), 0.3, atol=1e-12)


def test_heun_calls_twice_a_step_and_never_at_0():
    """The callback receives each time reached, and the x̂_0 that its step began with."""
    asked, reached = [], []
    heun_sample(lambda x, t: asked.append(t) or x, 1.0, [1.0, 0.5, 0.0], lambda t, x, x0: reached.append((t, x0)))
    assert asked == [1.0, 0.5, 0.5]
    assert reached == [(0.5, 0.0), (0.0, 0.625 * 0.5)]


def test_heun_on_a_schedule_is_called_and_reports_as_ddim_does():
    """For one image x̂_0 is that image at every t of the path, and each x_t reached lies between it and the noise, as DDIM's does."""
    x, path, seen = np.array([[2.0, -1.0]]), [1000, 400, 0], {ddim_sample: [], heun_on_schedule: []}

    def eps_model(x, t):
        return (x - np.sqrt(BARS[t]) * 0.3) / np.sqrt(1 - BARS[t])

    for sample, steps in seen.items():
        end = sample(eps_model, x, BARS, path, callback=lambda *step, to=steps: to.append(step))
        np.testing.assert_allclose(end, 0.3, atol=1e-9)
    assert [t for t, _, _ in seen[heun_on_schedule]] == [400, 0]
    for expected, got in zip(*seen.values(), strict=True):
        np.testing.assert_allclose(got[1:], expected[1:], atol=1e-9)


def test_the_schedules_path_is_the_straight_one_rescaled():
    """x_t / path_scale is (1 − time)·x_0 + time·ε at the time with the same signal-to-noise ratio, from time 0 to nearly 1."""
    times = flow_times(BARS)
    assert times[0] == 0
    assert times[-1] == pytest.approx(1, abs=1e-4)
    assert (np.diff(times) > 0).all()
    np.testing.assert_allclose(((1 - times[1:]) / times[1:]) ** 2, snr(BARS)[1:], rtol=1e-9)
    for t in (0, 1, 400, 1000):
        torch.testing.assert_close(noise_to(X0, t, EPS, BARS) / path_scale(BARS[t]), straight(X0, times[t], EPS))


def test_the_converted_velocity_is_that_of_the_data():
    """The exact ε̂ of N(0, 4) data under a schedule, converted, is the velocity of the same data on the straight path."""
    bars, x = alpha_bars(linear_betas(1000)), np.array([-2.0, 0.5, 3.0])
    velocity = velocity_of(lambda x, t: np.sqrt(1 - bars[t]) * x / (bars[t] * 4 + 1 - bars[t]), bars)
    for time in flow_times(bars)[[1, 100, 500, 1000]]:
        np.testing.assert_allclose(velocity(x, time), gaussian_velocity(4)(x, time), rtol=1e-9)


def test_eulers_steps_on_the_straight_path_are_those_of_ddim():
    """The same network from the same noise gives the same images, with and without clipping: DDIM is Euler's method."""
    rng = np.random.default_rng(0)
    A, x, path = rng.standard_normal((3, 3)), rng.standard_normal((4, 3)), even_path(1000, 7)

    def eps_model(x, t):
        return np.tanh(x @ A + t / 1000)

    for clip in (None, 1.0):
        euler = euler_sample(velocity_of(eps_model, BARS, clip), x / path_scale(BARS[1000]), flow_times(BARS)[path])
        np.testing.assert_allclose(euler, ddim_sample(eps_model, x, BARS, path, clip=clip), atol=1e-9)


@pytest.fixture(scope="module")
def eps_model():
    """The shipped network of clothing, for the classes 0..9."""
    return guided(fashion.trained(), fashion.ALPHA_BARS, "v", {"labels": torch.arange(10)})


def test_the_shipped_network_converted_estimates_the_same_image(eps_model):
    """x_t − time·v̂ on the straight path is the schedule's x̂_0, in float32."""
    bars, times = fashion.ALPHA_BARS, flow_times(fashion.ALPHA_BARS)
    velocity, x = velocity_of(eps_model, bars), torch.randn(10, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    for t in (1, 100, 500, 900):
        z = x / float(path_scale(bars[t]))
        torch.testing.assert_close(z - float(times[t]) * velocity(z, times[t]), predict_x0(x, t, eps_model(x, t), bars), atol=2e-5, rtol=1e-5)


def test_the_shipped_network_converted_draws_the_same_clothing(eps_model):
    """Euler's ten steps on the straight path give DDIM's images within 1/1000, and the classifier assigns Heun's to the classes as well."""
    bars, path = fashion.ALPHA_BARS, even_path(1000, 10)
    x, velocity = torch.randn(10, 1, 16, 16, generator=torch.Generator().manual_seed(0)), velocity_of(eps_model, bars, clip=1.0)
    z, times = x / float(path_scale(bars[1000])), flow_times(bars)[path].tolist()
    euler, ddim = euler_sample(velocity, z, times), ddim_sample(eps_model, x, bars, path)
    torch.testing.assert_close(euler, ddim, atol=1e-3, rtol=0)
    classes = load_classifier()(torch.cat([euler, heun_sample(velocity, z, times)]))[1].argmax(1).view(2, 10)
    assert ((classes == torch.arange(10)).sum(1) >= 8).all()


@pytest.mark.parametrize("time", [0.0, 0.123])
def test_a_time_that_the_network_was_not_trained_at_is_refused(time):
    """Full text."""
    with pytest.raises(ValueError) as error:
        velocity_of(lambda x, t: x, BARS)(X0, time)
    assert str(error.value) == f"the velocity at time {time:g} is not known: choose one of flow_times(alpha_bars)[1:]"
