"""Latent diffusion: diffusion in the small latent space of a VAE, conditioned by cross-attention (Rombach et al. 2022).

This is Stable Diffusion in miniature. First a VAE learns to compress (16 x 16 pixels to 4 x 4 positions of 8 numbers); then, with the
VAE frozen, a U-Net learns to denoise latents, reading the class as a token. The VAE does not do the generating.

    image --VAE encoder--> z / scale --diffusion--> z / scale --VAE decoder--> image

The latents are divided by their measured standard deviation, so that they have the unit variance that the schedule was made for. x̂_0
is not clipped: latents are not limited to [-1, 1].
"""

import dataclasses
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from solutions.diffusion.data import CLASSES, TRAIN, batches, load_fashion
from solutions.diffusion.evaluate import SampleByLabel, evaluate
from solutions.diffusion.guidance import drop_condition, guided
from solutions.diffusion.interface import SamplingConfig, TrainingOptions, run_sampler, train_and_store
from solutions.diffusion.losses import VelocityLoss
from solutions.diffusion.models.fashion import labels_for
from solutions.diffusion.models.vae import VAE, elbo_loss, reparametrise
from solutions.diffusion.schedules import alpha_bars, cosine_betas
from solutions.diffusion.store import SHIPPED, load_weights
from solutions.diffusion.train import OptimiserStep, StepLoss, TrainingConfig, diffusion_loss
from solutions.diffusion.unet import UNet

NAME, VAE_NAME, T = "latent", "latent-vae", 1000
BETAS = cosine_betas(T)
VAE_CONFIG = TrainingConfig(steps=4000, batch=64, lr=2e-3)
CONFIG = TrainingConfig(steps=8500, batch=128, lr=2e-3)  # both runs together
RUNS = (("latent-first", 6000), (NAME, 2500))  # in each run the learning rate falls to 0
LATENT, WIDTH, NULL = (8, 4, 4), 64, len(CLASSES)  # shape of z, width of a token, the token for "no class"


class HasLatents(Protocol):
    """A model with an autoencoder, and the number by which its latents are divided."""

    vae: VAE
    scale: Tensor

    def to_images(self, z: Tensor) -> Tensor:
        """Decode latents of unit variance."""


class LatentDiffusion(nn.Module):
    """The VAE, the standard deviation of its latents, the class tokens, and the U-Net that predicts v in latents of unit variance."""

    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.vae = VAE(width=48, latent=LATENT)
        self.register_buffer("scale", torch.ones(()))
        self.tokens = nn.Embedding(len(CLASSES) + 1, WIDTH)
        self.unet = UNet(LATENT[0], channels=(48, 48), attend=(True, True), context_dim=WIDTH)

    def forward(self, z_t: Tensor, t: Tensor, *, ids: Tensor) -> Tensor:
        """Predict v for latents of unit variance. # z_t: (B, *LATENT), t: (B,), ids: (B,) a class, or NULL"""
        return self.unet(z_t, t, context=self.tokens(ids)[:, None])  # type: ignore[no-any-return]

    def to_images(self, z: Tensor) -> Tensor:
        """Decode latents of unit variance. # (B, *LATENT) -> (B, 1, SIDE, SIDE)"""
        return self.vae.decode(z * self.scale).clamp(-1, 1)


def vae_loss(vae: VAE, x: Tensor, generator: torch.Generator) -> Tensor:
    """Return the squared error plus a KL term so small that it only keeps latents near 0 and of size about 1."""
    x_hat, mean, logvar = vae(x, torch.randn((len(x), *vae.latent), generator=generator))
    return elbo_loss(x, x_hat, mean, logvar, beta=1e-4)


@torch.no_grad()
def measure_latents(model: HasLatents, images: Tensor) -> tuple[Tensor, Tensor]:
    """Encode all images to (mean, log variance), each (N, *LATENT), and set the model's `scale` to the standard deviation of samples."""
    parts = [model.vae.encode(part) for part in torch.split(images, 500)]
    mean, logvar = (torch.cat(half) for half in zip(*parts, strict=True))
    model.scale.copy_(reparametrise(mean, logvar, torch.randn(mean.shape, generator=torch.Generator().manual_seed(0))).std())
    return mean, logvar


def train(options: TrainingOptions) -> None:
    """Train the VAE for a quarter of the time, unless its weights exist already; then the diffusion in its latents, in two runs."""
    if not (options.out / f"{VAE_NAME}.safetensors").exists():
        train_vae(dataclasses.replace(options, minutes=options.minutes and options.minutes / 4))
    torch.manual_seed(CONFIG.seed)
    model = LatentDiffusion()
    model.vae.load_state_dict(load_weights(VAE_NAME, options.out))
    optimiser_steps = [OptimiserStep([*model.unet.parameters(), *model.tokens.parameters()], loss_on(model, *load_fashion("train")))]
    for name, steps in RUNS:
        if name != NAME and (options.out / f"{name}.safetensors").exists():
            model.load_state_dict(load_weights(name, options.out))
            continue
        part = dataclasses.replace(options, minutes=options.minutes and options.minutes * 3 / 4 * steps / CONFIG.steps)
        config = dataclasses.replace(CONFIG, steps=steps)
        metrics, previous_runs = (partial(measure, model), (VAE_NAME, RUNS[0][0])) if name == NAME else (None, ())
        train_and_store(name, model, optimiser_steps, draw_rows, config, part, metrics, 8, previous_runs)


def loss_on(model: LatentDiffusion, images: Tensor, labels: Tensor) -> StepLoss:
    """Return the loss of a training step on latents sampled from the encoded images; sets the model's scale. # of rows (B,)"""
    loss, (mean, logvar) = VelocityLoss(alpha_bars(BETAS)), measure_latents(model, images)

    def step_loss(rows: Tensor, generator: torch.Generator) -> Tensor:
        z = reparametrise(mean[rows], logvar[rows], torch.randn(mean[rows].shape, generator=generator)) / model.scale
        ids = drop_condition(labels[rows], torch.tensor(NULL), 0.1, generator)
        return diffusion_loss(loss, model, z, generator, ids=ids)

    return step_loss


def draw_rows(generator: torch.Generator) -> Tensor:
    """Draw the indices of the training images of a batch. # (batch,)"""
    return torch.randint(TRAIN, (CONFIG.batch,), generator=generator)


def measure(model: LatentDiffusion) -> dict[str, Any]:
    """Evaluate samples at several w, and real images passed through the VAE alone, to see what the VAE costs."""
    x, labels = load_fashion("train")
    by_class = {int(c): x[labels == c] for c in range(len(CLASSES))}

    def reconstruct(labels: Tensor, seed: int) -> Tensor:
        chosen = torch.stack([by_class[c][(seed + n) // len(CLASSES)] for n, c in enumerate(labels.tolist())])
        return model.vae.decode(model.vae.encode(chosen)[0]).clamp(-1, 1)

    def sampler(w: float) -> SampleByLabel:
        return lambda labels, seed: sample_images(model, labels, SamplingConfig(w=w, seed=seed))

    by_w = {f"{w:g}": evaluate(sampler(w)) for w in (1.0, 1.5, 2.0)}
    return {"scale": round(model.scale.item(), 3), "through the vae": evaluate(reconstruct), "by w": by_w}


def train_vae(options: TrainingOptions) -> None:
    """Train the autoencoder alone, on images without their classes."""
    torch.manual_seed(VAE_CONFIG.seed)
    vae = VAE(width=48, latent=LATENT)
    optimiser_steps = [OptimiserStep(list(vae.parameters()), lambda batch, generator: vae_loss(vae, batch[0], generator))]
    train_and_store(VAE_NAME, vae, optimiser_steps, batches(*load_fashion("train"), VAE_CONFIG.batch), VAE_CONFIG, options, bits=8)


def trained(folder: Path = SHIPPED) -> LatentDiffusion:
    """Return the model with its trained weights."""
    model = LatentDiffusion()
    model.load_state_dict(load_weights(NAME, folder))
    return model.eval()


def sample(config: SamplingConfig) -> Tensor:
    """Sample the prompt's class, or each class in turn. # (n, 1, SIDE, SIDE)"""
    model = trained(config.weights)
    return sample_images(model, labels_for(config.prompt, config.n), decoding(config, model))


def decoding(config: SamplingConfig, model: HasLatents) -> SamplingConfig:
    """Return the config with a callback that is called with decoded images instead of latents."""
    callback = config.callback
    if callback is None:
        return config
    return dataclasses.replace(config, callback=lambda t, z_t, z_0: callback(t, model.to_images(z_t), model.to_images(z_0)))


@torch.no_grad()
def sample_images(model: LatentDiffusion, ids: Tensor, config: SamplingConfig) -> Tensor:
    """Sample one image for each class in ids; a callback sees latents. # (N,) -> (N, 1, SIDE, SIDE)"""
    w = 1.5 if config.w is None else config.w
    eps_model = guided(model, alpha_bars(BETAS), VelocityLoss.predicts, {"ids": ids}, {"ids": torch.full_like(ids, NULL)}, w)
    return model.to_images(run_sampler(config, eps_model, (len(ids), *LATENT), BETAS, clip=None))
