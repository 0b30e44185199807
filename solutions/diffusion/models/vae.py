"""A variational autoencoder: from images to a distribution over small latents, and back (Kingma & Welling 2013).

With a latent vector and a full KL term a VAE is a generator in its own right. This one has a latent *image* and a very small KL term, as
the VAE of Stable Diffusion has: it only compresses, and diffusion generates in its latent space (`latent.py`; Rombach et al. 2022).
"""

import math

from torch import Tensor, nn
from torch.nn import functional as F


def kl(mean: Tensor, logvar: Tensor) -> Tensor:
    """Return KL(N(mean, e^logvar) ‖ N(0, 1)) of each row of (B, ...), summed over its latents: (B,). Kingma & Welling, appendix B."""
    return 0.5 * (mean**2 + logvar.exp() - 1 - logvar).flatten(1).sum(dim=1)


def reparametrise(mean: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    """Sample z = μ + σ·ε, so that gradients reach μ and σ (Kingma & Welling, section 2.4)."""
    return mean + (0.5 * logvar).exp() * eps


def elbo_loss(x: Tensor, x_hat: Tensor, mean: Tensor, logvar: Tensor, *, beta: float) -> Tensor:
    """Return the squared error plus β times the KL, both per pixel, so independent of image and batch size (Kingma & Welling, eq. 3).

    Per pixel, and up to a constant for fixed σ, the negative ELBO of a Gaussian decoder of variance σ² is this over 2σ², with β = 2σ². So β
    is not a free parameter: it says how precisely the decoder claims to know a pixel (Higgins et al. 2017 treat it as a tuning parameter).
    """
    pixels = math.prod(x.shape[1:])
    return F.mse_loss(x_hat, x) + beta * kl(mean, logvar).mean() / pixels


class Residual(nn.Module):
    """Twice GroupNorm, SiLU and convolution, with a residual connection."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)
        self.norm1, self.norm2 = nn.GroupNorm(8, width), nn.GroupNorm(8, width)

    def forward(self, h: Tensor) -> Tensor:
        """Return a tensor of the same shape. # (B, C, H, W)"""
        inside = self.conv1(F.silu(self.norm1(h)))
        return h + self.conv2(F.silu(self.norm2(inside)))  # type: ignore[no-any-return]


class VAE(nn.Module):
    """Encoder and decoder with two halvings and doublings (one by folding 2 x 2 pixels); `latent` is the shape of z, (D, S/4, S/4)."""

    def __init__(self, *, channels: int = 1, width: int = 32, latent: tuple[int, int, int]) -> None:
        super().__init__()
        self.latent = latent
        self.conv_in = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4 * channels, width, 3, padding=1))  # (B, C, S/2, S/2)
        self.down = nn.Sequential(Residual(width), nn.Conv2d(width, width, 3, stride=2, padding=1), Residual(width))  # (B, C, S/4, S/4)
        self.to_latent = nn.Conv2d(width, 2 * latent[0], 1)
        self.from_latent = nn.Conv2d(latent[0], width, 1)
        self.up = nn.Sequential(
            Residual(width), nn.Upsample(scale_factor=2), nn.Conv2d(width, width, 3, padding=1), Residual(width)
        )  # (B, C, S/2, S/2)
        last = nn.Conv2d(width, 4 * channels, 3, padding=1)
        self.out = nn.Sequential(nn.GroupNorm(8, width), nn.SiLU(), last, nn.PixelShuffle(2))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of q(z | x), each (B, *latent), for images (B, C, S, S) in [-1, 1]."""
        mean, logvar = self.to_latent(self.down(self.conv_in(x))).chunk(2, dim=1)
        return mean, logvar.clamp(-20, 10)

    def decode(self, z: Tensor) -> Tensor:
        """Return the mean image (B, C, S, S) for latents z (B, *latent)."""
        return self.out(self.up(self.from_latent(z)))  # type: ignore[no-any-return]

    def forward(self, x: Tensor, eps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstruct x through z = μ + σ·ε: return the image, the mean and the log variance."""
        mean, logvar = self.encode(x)
        return self.decode(reparametrise(mean, logvar, eps)), mean, logvar
