"""The demo model: ten kinds of clothing at 16 px, sampled by class, with classifier-free guidance.

It predicts v under the cosine schedule, every t weighted alike: min-SNR weights would leave it untrained at T, where sampling starts.
Everything specific to clothing is here; the building blocks are in the modules it imports.
"""

from pathlib import Path

import torch
from torch import Tensor

from solutions.diffusion.data import CLASSES, batches, load_fashion
from solutions.diffusion.guidance import drop_condition, guided
from solutions.diffusion.interface import InvalidRequest, SamplingConfig, TrainingOptions, run_sampler, train_and_store
from solutions.diffusion.losses import VelocityLoss
from solutions.diffusion.schedules import alpha_bars, cosine_betas
from solutions.diffusion.store import SHIPPED, load_weights
from solutions.diffusion.train import OptimiserStep, TrainingConfig, diffusion_loss
from solutions.diffusion.unet import UNet

T = 1000
BETAS = cosine_betas(T)
ALPHA_BARS = alpha_bars(BETAS)
DROPPED = 0.1  # how often the class is dropped in training
CONFIG = TrainingConfig(steps=8000, lr=2e-3)
NULL = len(CLASSES)  # the label for "no class"


def network() -> UNet:
    """Return the untrained U-Net: 8 x 8 and 4 x 4 positions, since 2 x 2 pixels are folded into channels."""
    return UNet(1, (48, 80), attend=(False, True), patch=2, num_classes=len(CLASSES))


def train(options: TrainingOptions) -> None:
    """Train from scratch and write the averaged weights."""
    torch.manual_seed(CONFIG.seed)
    net, loss = network(), VelocityLoss(ALPHA_BARS)

    def step_loss(batch: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        x0, labels = batch
        given = drop_condition(labels, torch.tensor(NULL), DROPPED, generator)
        return diffusion_loss(loss, net, x0, generator, labels=given)

    optimiser_steps = [OptimiserStep(list(net.parameters()), step_loss)]
    train_and_store("fashion", net, optimiser_steps, batches(*load_fashion("train"), CONFIG.batch), CONFIG, options)


def sample(config: SamplingConfig) -> Tensor:
    """Sample the prompt's class, or all ten in turn without a prompt. # (n, 1, 16, 16) in [-1, 1]"""
    return sample_classes(config, labels_for(config.prompt, config.n))


def sample_classes(config: SamplingConfig, labels: Tensor) -> Tensor:
    """Sample one image per label, with the weights that the config names. # (n,) -> (n, 1, 16, 16) in [-1, 1]"""
    return sample_images(trained(config.weights), labels, config)


def trained(folder: Path = SHIPPED) -> UNet:
    """Return the U-Net with its trained weights."""
    net = network()
    net.load_state_dict(load_weights("fashion", folder))
    return net.eval()


def sample_images(net: UNet, labels: Tensor, config: SamplingConfig) -> Tensor:
    """Sample one image per label with the given network. # (n,) -> (n, 1, 16, 16) in [-1, 1]"""
    null = torch.full_like(labels, NULL)
    w = 1.5 if config.w is None else config.w
    eps_model = guided(net, ALPHA_BARS, "v", {"labels": labels}, {"labels": null}, w)
    return run_sampler(config, eps_model, (len(labels), 1, 16, 16), BETAS)


def labels_for(prompt: str | None, n: int) -> Tensor:
    """Return n labels: the class that the prompt names, or 0, 1, ..., 9, 0, ... without a prompt. # (n,)"""
    if not prompt:
        return torch.arange(n) % len(CLASSES)
    name = prompt.strip().lower()
    if name not in CLASSES:
        raise InvalidRequest(f"unknown class `{prompt}`: choose from {', '.join(CLASSES)}")
    return torch.full((n,), CLASSES.index(name))
