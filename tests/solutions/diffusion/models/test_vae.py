"""The VAE's terms against closed forms, and a test that it learns."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from solutions.diffusion.models.vae import VAE, elbo_loss, kl, reparametrise


def test_kl_is_that_of_two_normals() -> None:
    """Against torch.distributions, an independent closed form, in float64; 0 only for the prior itself."""
    mean, logvar = torch.randn(2, 3, 4, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = kl_divergence(Normal(mean, (logvar / 2).exp()), Normal(0.0, 1.0)).sum(dim=(1, 2, 3))
    torch.testing.assert_close(kl(mean, logvar), expected)
    assert kl(torch.zeros(1, 5), torch.zeros(1, 5)).item() == 0


def test_reparametrised_samples_have_the_given_mean_and_std() -> None:
    """μ = 2, σ = 0.5 over 100,000 draws, within five standard errors."""
    eps = torch.randn(100_000, generator=torch.Generator().manual_seed(0))
    z = reparametrise(torch.tensor(2.0), torch.tensor(0.25).log(), eps)
    assert z.mean().item() == pytest.approx(2, abs=5 * 0.5 / 316)
    assert z.std().item() == pytest.approx(0.5, abs=5 * 0.5 / 447)


def test_loss_does_not_depend_on_the_image_size() -> None:
    """An error of 1 everywhere and a KL of 1/2 per pixel give 1 + β/2, at 8 and at 16 px (a sum instead of a mean would not)."""
    for size in (8, 16):
        x, mean = torch.zeros(3, 1, size, size), torch.ones(3, size * size)
        assert elbo_loss(x, x + 1, mean, torch.zeros_like(mean), beta=0.1).item() == pytest.approx(1.05)


@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_hold_on_the_way_in_and_out(channels: int) -> None:
    """Each side of the latent is a quarter of the image's."""
    vae = VAE(channels=channels, width=8, latent=(4, 4, 4))
    x = torch.zeros(2, channels, 16, 16)
    x_hat, mean, logvar = vae(x, torch.zeros(2, 4, 4, 4))
    assert x_hat.shape == x.shape
    assert mean.shape == logvar.shape == (2, 4, 4, 4)


def test_it_learns_to_copy_two_images() -> None:
    """After sixty steps on two images the error is below a tenth."""
    torch.manual_seed(0)
    vae = VAE(width=8, latent=(2, 2, 2))
    x = torch.sign(torch.randn(2, 1, 8, 8))
    optimiser = torch.optim.Adam(vae.parameters(), lr=1e-2)
    losses = []
    for _ in range(60):
        x_hat, mean, logvar = vae(x, torch.randn(2, 2, 2, 2))
        loss = elbo_loss(x, x_hat, mean, logvar, beta=1e-3)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 10
