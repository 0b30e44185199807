"""Latent diffusion: diffusion in the small latents of a VAE, told what to draw by cross-attention (Rombach et al. 2022).

Stable Diffusion's shape at our size. First a VAE learns to compress (16 x 16 pixels to 4 x 4 places of 8 numbers); then, with the VAE
frozen, a U-Net learns to denoise latents, reading the name of the class as a token. The VAE does not do the generating.

    image --VAE encoder--> z / scale --diffusion--> z / scale --VAE decoder--> image

The latents are divided by their measured spread, so that the schedule meets the unit variance it was made for, and x̂_0 is not
clipped: latents have no [-1, 1].
"""

import dataclasses
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from solutions.diffusion.data import CLASSES, SIDE, TRAIN, batches, load_fashion
from solutions.diffusion.evaluate import judge
from solutions.diffusion.fashion import wanted
from solutions.diffusion.guidance import drop_condition, guided
from solutions.diffusion.interface import SamplingConfig, TrainingOptions, run_sampler, train_and_store
from solutions.diffusion.losses import MinSnrLoss
from solutions.diffusion.schedules import alpha_bars, cosine_betas
from solutions.diffusion.store import load_weights
from solutions.diffusion.train import OptimiserStep, StepLoss, TrainingConfig, diffusion_loss
from solutions.diffusion.unet import UNet
from solutions.diffusion.vae import VAE, elbo_loss, reparametrise

NAME, VAE_NAME, T = "latent", "latent-vae", 1000
BETAS = cosine_betas(T)
VAE_CONFIG = TrainingConfig(steps=4000, batch=64, lr=2e-3)
CONFIG = TrainingConfig(steps=3500, batch=128, lr=2e-3)  # of both runs
RUNS = (("latent-first", 2000), (NAME, 1500))  # each lets the learning rate fall to 0
LATENT, WIDTH, NULL = (8, 4, 4), 64, len(CLASSES)  # shape of z, width of a token, the token of no class


class LatentDiffusion(nn.Module):
    """The VAE, the spread of its latents, the tokens, and the U-Net that predicts v in latents of unit spread."""

    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.vae = VAE(size=SIDE, width=48, latent=LATENT)
        self.register_buffer("scale", torch.ones(()))
        self.tokens = nn.Embedding(len(CLASSES) + 1, WIDTH)
        self.unet = UNet(LATENT[0], channels=(48, 48), attend=(True, True), context_dim=WIDTH)

    def forward(self, z_t: Tensor, t: Tensor, *, ids: Tensor) -> Tensor:
        """Predict v for latents of unit spread. # z_t: (B, *LATENT), t: (B,), ids: (B,) a class, or NULL"""
        return self.unet(z_t, t, context=self.tokens(ids)[:, None])  # type: ignore[no-any-return]

    def to_images(self, z: Tensor) -> Tensor:
        """Decode latents of unit spread. # (B, *LATENT) -> (B, 1, SIDE, SIDE)"""
        return self.vae.decode(z * self.scale).clamp(-1, 1)


def vae_loss(vae: VAE, x: Tensor, generator: torch.Generator) -> Tensor:
    """Return squared error with a KL so faint that it only keeps latents near 0 and of size about 1."""
    x_hat, mean, logvar = vae(x, torch.randn((len(x), *vae.latent), generator=generator))
    return elbo_loss(x, x_hat, mean, logvar, beta=1e-4)


@torch.no_grad()
def measure_latents(model: LatentDiffusion, images: Tensor) -> tuple[Tensor, Tensor]:
    """Encode all images to (mean, log variance), each (N, *LATENT), and set the model's `scale` to the spread of their samples."""
    parts = [model.vae.encode(part) for part in torch.split(images, 500)]
    mean, logvar = (torch.cat(half) for half in zip(*parts, strict=True))
    model.scale.copy_(reparametrise(mean, logvar, torch.randn(mean.shape, generator=torch.Generator().manual_seed(0))).std())
    return mean, logvar


def train(training: TrainingOptions) -> None:
    """Train the VAE on a quarter of the time, unless its weights are there; then diffusion in its latents, in two runs."""
    if not (training.out / f"{VAE_NAME}.safetensors").exists():
        train_vae(dataclasses.replace(training, minutes=training.minutes and training.minutes / 4))
    torch.manual_seed(CONFIG.seed)
    model = LatentDiffusion()
    model.vae.load_state_dict(load_weights(VAE_NAME, training.out))
    optimiser_steps = [OptimiserStep([*model.unet.parameters(), *model.tokens.parameters()], loss_on(model, *load_fashion("train")))]
    for name, steps in RUNS:
        if name != NAME and (training.out / f"{name}.safetensors").exists():
            model.load_state_dict(load_weights(name, training.out))
            continue
        part = dataclasses.replace(training, minutes=training.minutes and training.minutes * 3 / 4 * steps / CONFIG.steps)
        config = dataclasses.replace(CONFIG, steps=steps)
        figures, before = (partial(measure, model), (VAE_NAME, RUNS[0][0])) if name == NAME else (None, ())
        train_and_store(name, model, optimiser_steps, draw_rows, config, part, figures, 8, before)


def loss_on(model: LatentDiffusion, images: Tensor, labels: Tensor) -> StepLoss:
    """Return the loss of a step, in latents drawn from what the images are encoded to; sets the model's scale. # of rows (B,)"""
    loss, (mean, logvar) = MinSnrLoss(alpha_bars(BETAS)), measure_latents(model, images)

    def step_loss(rows: Tensor, generator: torch.Generator) -> Tensor:
        z = reparametrise(mean[rows], logvar[rows], torch.randn(mean[rows].shape, generator=generator)) / model.scale
        ids = drop_condition(labels[rows], torch.tensor(NULL), 0.1, generator)
        return diffusion_loss(loss, model, z, generator, ids=ids)

    return step_loss


def draw_rows(generator: torch.Generator) -> Tensor:
    """Draw which images a step learns from. # (batch,)"""
    return torch.randint(TRAIN, (CONFIG.batch,), generator=generator)


def measure(model: LatentDiffusion) -> dict[str, Any]:
    """Judge what is drawn at some w; and, for what the VAE alone costs, true images sent through it."""
    truth, labels = load_fashion("train")
    through = {int(c): truth[labels == c] for c in range(len(CLASSES))}

    def copy(labels: Tensor, seed: int) -> Tensor:
        x = torch.stack([through[c][(seed + n) // len(CLASSES)] for n, c in enumerate(labels.tolist())])
        return model.vae.decode(model.vae.encode(x)[0]).clamp(-1, 1)

    by_w = {f"{w:g}": judge(lambda labels, seed, w=w: paint(model, labels, SamplingConfig(w=w, seed=seed))) for w in (1.0, 1.5, 2.0)}  # type: ignore[misc]
    return {"scale": round(model.scale.item(), 3), "through the vae": judge(copy), "by w": by_w}


def train_vae(training: TrainingOptions) -> None:
    """Train the autoencoder alone, on images without their classes."""
    torch.manual_seed(VAE_CONFIG.seed)
    vae = VAE(size=SIDE, width=48, latent=LATENT)
    optimiser_steps = [OptimiserStep(list(vae.parameters()), lambda batch, generator: vae_loss(vae, batch[0], generator))]
    train_and_store(VAE_NAME, vae, optimiser_steps, batches(*load_fashion("train"), VAE_CONFIG.batch), VAE_CONFIG, training, bits=8)


def sample(config: SamplingConfig) -> Tensor:
    """Draw the prompt's class, or each class in turn: (n, 1, SIDE, SIDE)."""
    model = LatentDiffusion()
    model.load_state_dict(load_weights(NAME, config.weights))
    return paint(model.eval(), wanted(config.prompt, config.n), config)


def paint(model: LatentDiffusion, ids: Tensor, config: SamplingConfig) -> Tensor:
    """Draw one image for each class in ids (N,)."""
    w = 1.5 if config.w is None else config.w
    eps_model = guided(model, alpha_bars(BETAS), MinSnrLoss.predicts, {"ids": ids}, {"ids": torch.full_like(ids, NULL)}, w)
    z = run_sampler(config, eps_model, (len(ids), *LATENT), BETAS, clip=None)
    with torch.no_grad():
        return model.to_images(z)
