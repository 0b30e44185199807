"""The losses: what each of them predicts, and that they are one loss with different weights."""

import numpy as np
import pytest
import torch

from solutions.diffusion.forward import noise_to, predict_x0, v_from, x0_from_v
from solutions.diffusion.losses import CleanLoss, EvenCleanLoss, MinSnrLoss, NoiseLoss, VelocityLoss, eps_of
from solutions.diffusion.schedules import alpha_bars, cosine_betas, snr

BARS = alpha_bars(cosine_betas(1000))
G = torch.Generator().manual_seed(0)
X0, EPS = torch.rand(5, 1, 4, 4, generator=G, dtype=torch.float64) * 2 - 1, torch.randn(5, 1, 4, 4, generator=G, dtype=torch.float64)
STEPS = torch.tensor([1, 50, 400, 700, 950])
TARGETS = {
    NoiseLoss: lambda t: EPS,
    CleanLoss: lambda t: X0,
    VelocityLoss: lambda t: v_from(X0, t, EPS, BARS),
    MinSnrLoss: lambda t: v_from(X0, t, EPS, BARS),
    EvenCleanLoss: lambda t: X0,
}


@pytest.mark.parametrize("kind", TARGETS)
def test_the_right_answer_costs_nothing(kind):
    """A network that returns the target has loss 0; it receives x_t and t."""

    def network(x_t, t):
        torch.testing.assert_close(x_t, noise_to(X0, STEPS, EPS, BARS))
        return TARGETS[kind](t)

    assert kind(BARS)(network, X0, STEPS, EPS).item() == pytest.approx(0, abs=1e-20)


@pytest.mark.parametrize("kind", [NoiseLoss, CleanLoss, VelocityLoss])
def test_the_loss_is_a_mean_over_all_numbers(kind):
    """An error of 0.5 everywhere costs 0.25, whatever the image size."""
    assert kind(BARS)(lambda x, t: TARGETS[kind](t) + 0.5, X0, STEPS, EPS).item() == pytest.approx(0.25)


def test_the_losses_are_one_loss_with_different_weights():
    """An error of x̂_0 costs SNR times as much in ε, SNR + 1 times in v, min(SNR, γ) times in min-SNR, √SNR in [0.1, 2] times in the even one."""
    ratio = snr(BARS)
    for i, t in enumerate(STEPS.tolist()):
        one = slice(i, i + 1)
        x_t = noise_to(X0[one], t, EPS[one], BARS)
        off = v_from(X0[one], t, EPS[one], BARS) + 0.1
        steps = STEPS[one]
        in_x0 = ((x0_from_v(x_t, t, off, BARS) - X0[one]) ** 2).mean().item()
        in_eps = ((eps_of("v", off, x_t, t, BARS) - EPS[one]) ** 2).mean().item()
        in_v = VelocityLoss(BARS)(lambda x, t, off=off: off, X0[one], steps, EPS[one]).item()
        in_min_snr = MinSnrLoss(BARS, gamma=5.0)(lambda x, t, off=off: off, X0[one], steps, EPS[one]).item()
        assert in_eps == pytest.approx(ratio[t] * in_x0)
        assert in_v == pytest.approx((ratio[t] + 1) * in_x0)
        assert in_min_snr == pytest.approx(min(ratio[t], 5) * in_x0)
        clean = x0_from_v(x_t, t, off, BARS)
        in_even = EvenCleanLoss(BARS)(lambda x, t, clean=clean: clean, X0[one], steps, EPS[one]).item()
        assert in_even == pytest.approx(min(max(ratio[t] ** 0.5, 0.1), 2) * in_x0)


def test_min_snr_weights_are_finite_at_every_t():
    """γ / (SNR + 1) is 0 where the SNR is infinite; nowhere above 1."""
    weights = MinSnrLoss(BARS).weights()
    assert weights[0] == 0
    assert np.isfinite(weights).all()
    assert weights.max() < 1


@pytest.mark.parametrize("predicts", ["eps", "v", "x0"])
def test_every_prediction_turns_into_the_same_eps(predicts):
    """ε̂ is the noise, whichever of the three a perfect network predicts, and it gives x_0 back."""
    x_t = noise_to(X0, STEPS, EPS, BARS)
    said = {"eps": EPS, "v": v_from(X0, STEPS, EPS, BARS), "x0": X0}[predicts]
    got = eps_of(predicts, said, x_t, STEPS, BARS)
    torch.testing.assert_close(got, EPS)
    torch.testing.assert_close(predict_x0(x_t, STEPS, got, BARS), X0)


def test_an_unknown_prediction_is_refused():
    """The message lists the three choices."""
    with pytest.raises(ValueError) as error:
        eps_of("score", X0, X0, 1, BARS)
    assert str(error.value) == "a network can't predict `score`: choose eps, v or x0"
