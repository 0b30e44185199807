"""A generative adversarial network: a generator learns against a discriminator that learns to tell its images from real ones.

Goodfellow et al. 2014, with what has stabilised GANs since: the non-saturating loss (same paper, section 3), spectral normalisation
of the discriminator (Miyato et al. 2018) and class conditioning by projection (Miyato & Koyama 2018). One pass from noise to image: no
likelihood, no schedule, and no guarantee that every kind of image is generated.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Return −log D(x) − log(1 − D(G(z))) for logits (B,): 2·log 2 if D can't tell, 0 if it always can (Goodfellow et al., eq. 1)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def generator_loss(fake: Tensor) -> Tensor:
    """Return −log D(G(z)), the non-saturating loss: its gradient is largest where D is most certain of the fake (section 3)."""
    return F.softplus(-fake).mean()


def saturating_generator_loss(fake: Tensor) -> Tensor:
    """Return log(1 − D(G(z))), the minimax loss: its gradient vanishes where D is certain of the fake (eq. 1). For comparison only."""
    return -F.softplus(fake).mean()


class Generator(nn.Module):
    """Map noise z (B, latent) and a class to an image (B, channels, size, size) in [-1, 1]."""

    def __init__(self, *, size: int = 16, channels: int = 1, width: int = 48, latent: int = 64, classes: int = 10) -> None:
        super().__init__()
        self.latent = latent
        self.label = nn.Embedding(classes, latent)
        self.project = nn.Sequential(nn.Linear(2 * latent, width * (size // 4) ** 2), nn.Unflatten(1, (width, size // 4, size // 4)))
        self.up = nn.Sequential(*_grow(width), *_grow(width), nn.Conv2d(width, channels, 3, padding=1), nn.Tanh())

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        """Generate images of the classes `label` (B,)."""
        return self.up(self.project(torch.cat([z, self.label(label)], dim=1)))  # type: ignore[no-any-return]


class Discriminator(nn.Module):
    """Map an image and a class to a logit (B,), high for images that look real. `spectral=False` shows what the normalisation is for."""

    def __init__(self, *, channels: int = 1, width: int = 48, classes: int = 10, spectral: bool = True) -> None:
        super().__init__()
        norm = spectral_norm if spectral else _identity
        self.convs = nn.Sequential(
            norm(nn.Conv2d(channels, width, 3, padding=1)), nn.LeakyReLU(0.2),
            norm(nn.Conv2d(width, width, 4, stride=2, padding=1)), nn.LeakyReLU(0.2),
            norm(nn.Conv2d(width, width, 4, stride=2, padding=1)), nn.LeakyReLU(0.2),
            norm(nn.Conv2d(width, width, 3, padding=1)), nn.LeakyReLU(0.2),
        )  # (B, width, S/4, S/4)  # fmt: skip
        self.logit = norm(nn.Linear(width, 1))
        self.label = norm(nn.Embedding(classes, width))

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """Judge images x (B, C, S, S) of the claimed classes `label` (B,)."""
        h = self.convs(x).sum(dim=(2, 3))  # (B, width)
        return self.logit(h).squeeze(1) + (h * self.label(label)).sum(dim=1)  # type: ignore[no-any-return]


def _grow(width: int) -> list[nn.Module]:
    """Double the resolution. # (B, width, S, S) -> (B, width, 2·S, 2·S)"""
    return [
        nn.BatchNorm2d(width), nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(width, width, 3, padding=1),
        nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(),
    ]  # fmt: skip


def _identity(layer: nn.Module) -> nn.Module:
    return layer


@torch.no_grad()
def generate(generator: Generator, label: Tensor, rng: torch.Generator) -> Tensor:
    """Generate one image for each class in `label` (B,)."""
    z = torch.randn((len(label), generator.latent), generator=rng)
    return generator(z, label)  # type: ignore[no-any-return]
