"""A VAE, a GAN and a diffusion model of equal size and with the same class labels: what `compare.py` compares.

Each has about 160 thousand parameters (the GAN's two networks together). They differ in what a training step is, and in how an image
is drawn: one pass of a decoder, one pass of a generator, or many calls of a denoiser.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from solutions.diffusion.data import CLASSES
from solutions.diffusion.evaluate import SampleByLabel
from solutions.diffusion.guidance import drop_condition, guided
from solutions.diffusion.interface import SamplingConfig, run_sampler
from solutions.diffusion.losses import MinSnrLoss
from solutions.diffusion.models import gan, vae
from solutions.diffusion.models.fashion import ALPHA_BARS, BETAS, NULL
from solutions.diffusion.train import OptimiserStep, TrainingConfig, diffusion_loss
from solutions.diffusion.unet import UNet

STEPS, W = 20, 1.5  # how the diffusion model samples
FOREVER = 10**9  # steps; training ends after the given minutes instead


@dataclass(frozen=True)
class Family:
    """An untrained model with its optimiser steps and its sampling function."""

    model: nn.Module
    optimiser_steps: list[OptimiserStep]
    draw: SampleByLabel
    config: TrainingConfig


def vae_family() -> Family:
    """Return a VAE whose latent is a vector; β is twice the variance that its decoder assumes for a pixel (σ = 0.16)."""
    model = vae.VAE(size=16, width=32, latent=(40,), classes=len(CLASSES))

    def loss(batch: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        x, label = batch
        eps = torch.randn((len(x), *model.latent), generator=generator)
        return vae.elbo_loss(x, *model(x, eps, label), beta=0.05)

    def draw(labels: Tensor, seed: int) -> Tensor:
        return vae.generate(model, labels, len(labels), torch.Generator().manual_seed(seed))

    return Family(model, [OptimiserStep(list(model.parameters()), loss)], draw, TrainingConfig(FOREVER, lr=2e-3))


def gan_family() -> Family:
    """Return a GAN: a generator and a discriminator, trained in alternation."""
    model = nn.ModuleDict({"generator": gan.Generator(width=34), "discriminator": gan.Discriminator(width=34)})
    G, D = model["generator"], model["discriminator"]

    def fake(labels: Tensor, generator: torch.Generator) -> Tensor:
        return G(torch.randn((len(labels), 64), generator=generator), labels)  # type: ignore[no-any-return]

    def discriminator_step_loss(batch: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        x, labels = batch
        with torch.no_grad():
            generated = fake(labels, generator)
        return gan.discriminator_loss(D(x, labels), D(generated, labels))

    def generator_step_loss(batch: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        return gan.generator_loss(D(fake(batch[1], generator), batch[1]))

    def draw(labels: Tensor, seed: int) -> Tensor:
        return gan.generate(G, labels, torch.Generator().manual_seed(seed))  # type: ignore[arg-type]

    optimiser_steps = [
        OptimiserStep(list(D.parameters()), discriminator_step_loss, lr_scale=2.0),
        OptimiserStep(list(G.parameters()), generator_step_loss),
    ]
    return Family(model, optimiser_steps, draw, TrainingConfig(FOREVER, lr=5e-4, adam=(0.5, 0.99), weight_decay=0.0, clip=100.0))


def diffusion_family() -> Family:
    """Return a small U-Net that predicts v, sampled with DDIM and guidance."""
    model, loss_of = UNet(1, (24, 24), attend=(False, True), patch=2, num_classes=len(CLASSES), emb_dim=64), MinSnrLoss(ALPHA_BARS)

    def loss(batch: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        labels = drop_condition(batch[1], torch.tensor(NULL), 0.1, generator)
        return diffusion_loss(loss_of, model, batch[0], generator, labels=labels)

    def draw(labels: Tensor, seed: int) -> Tensor:
        eps_model = guided(model, ALPHA_BARS, "v", {"labels": labels}, {"labels": torch.full_like(labels, NULL)}, W)
        return run_sampler(SamplingConfig(seed=seed, steps=STEPS), eps_model, (len(labels), 1, 16, 16), BETAS)

    return Family(model, [OptimiserStep(list(model.parameters()), loss)], draw, TrainingConfig(FOREVER, lr=2e-3))


FAMILIES: dict[str, Callable[[], Family]] = {"VAE": vae_family, "GAN": gan_family, "diffusion": diffusion_family}
