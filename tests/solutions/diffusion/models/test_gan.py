"""The GAN's losses at their extremes, and what spectral normalisation guarantees."""

import math

import pytest
import torch

from solutions.diffusion.models.gan import Discriminator, Generator, discriminator_loss, generate, generator_loss, saturating_generator_loss


def test_uncertain_discriminator_has_loss_two_log_two() -> None:
    """Logits 0 everywhere: D = 1/2, the value of the game at its equilibrium (Goodfellow et al. 2014, section 4)."""
    assert discriminator_loss(torch.zeros(4), torch.zeros(4)).item() == pytest.approx(2 * math.log(2))


def test_certain_discriminator_has_no_loss() -> None:
    """Right and certain costs 0; wrong and certain costs the logits."""
    sure = torch.full((4,), 50.0)
    assert discriminator_loss(sure, -sure).item() == pytest.approx(0, abs=1e-6)
    assert discriminator_loss(-sure, sure).item() == pytest.approx(100)


def test_caught_generator_learns_only_from_the_non_saturating_loss() -> None:
    """Where D is certain of the fake, the minimax loss has slope 0 and the non-saturating loss has slope −1."""
    slopes = []
    for loss in (generator_loss, saturating_generator_loss):
        logit = torch.tensor([-30.0], requires_grad=True)
        loss(logit).backward()
        slopes.append(logit.grad.item())
    assert slopes == pytest.approx([-1, 0], abs=1e-6)


def test_both_generator_losses_push_the_same_way() -> None:
    """For both losses, a higher logit always costs less."""
    logits = torch.linspace(-5, 5, 11)
    for loss in (generator_loss, saturating_generator_loss):
        values = torch.stack([loss(logit.view(1)) for logit in logits])
        assert (values.diff() < 0).all()


def test_spectral_norm_keeps_a_layer_from_stretching() -> None:
    """A weight scaled by a hundred still stretches no vector by more than about 1; without normalisation it does."""
    stretch = {}
    for spectral in (True, False):
        torch.manual_seed(0)
        layer = Discriminator(width=8, spectral=spectral).logit
        raw = layer.parametrizations.weight.original if spectral else layer.weight
        with torch.no_grad():
            raw.mul_(100)
            for _ in range(20):
                layer(torch.randn(1, 8))  # each training pass refines the estimate of the largest singular value
            stretch[spectral] = torch.linalg.matrix_norm(layer.weight, ord=2).item()
    assert stretch[True] == pytest.approx(1, abs=0.01)
    assert stretch[False] > 10


def test_images_are_in_range_and_follow_class_and_seed() -> None:
    """The same noise with another class gives another image."""
    torch.manual_seed(0)
    generator = Generator(width=8).eval()
    one, other = (generate(generator, torch.tensor([c, c]), torch.Generator().manual_seed(0)) for c in (1, 2))
    assert one.shape == (2, 1, 16, 16)
    assert one.abs().max() <= 1
    assert not torch.equal(one, other)
