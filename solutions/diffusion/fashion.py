"""The demo model: ten kinds of clothing at 16 px, drawn by class, with classifier-free guidance.

Predicts v under the cosine schedule, weighed by min-SNR, so that the almost clean t, which are easy, count for less. Everything
that makes it a model of clothing is here; the parts are in the files it imports.
"""

from pathlib import Path

import torch
from torch import Tensor

from solutions.diffusion.data import CLASSES, batches, load_fashion
from solutions.diffusion.guidance import drop_condition, guided
from solutions.diffusion.interface import InvalidRequest, SamplingConfig, TrainingOptions, run_sampler, train_and_store
from solutions.diffusion.losses import MinSnrLoss
from solutions.diffusion.schedules import alpha_bars, cosine_betas
from solutions.diffusion.store import SHIPPED, load_weights
from solutions.diffusion.train import OptimiserStep, TrainingConfig, diffusion_loss
from solutions.diffusion.unet import UNet

T = 1000
BETAS = cosine_betas(T)
ALPHA_BARS = alpha_bars(BETAS)
DROPPED = 0.1  # how often a class is hidden in training
CONFIG = TrainingConfig(steps=8000, lr=2e-3)
NULL = len(CLASSES)  # the label that says nothing


def network() -> UNet:
    """Return the untrained U-Net: 8x8 and 4x4 places, since 2 x 2 pixels are folded into channels."""
    return UNet(1, (48, 80), attend=(False, True), patch=2, num_classes=len(CLASSES))


def train(training: TrainingOptions) -> None:
    """Train from nothing and write the averaged weights."""
    torch.manual_seed(CONFIG.seed)
    net, loss = network(), MinSnrLoss(ALPHA_BARS)

    def step_loss(batch: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        x0, labels = batch
        told = drop_condition(labels, torch.tensor(NULL), DROPPED, generator)
        return diffusion_loss(loss, net, x0, generator, labels=told)

    optimiser_steps = [OptimiserStep(list(net.parameters()), step_loss)]
    train_and_store("fashion", net, optimiser_steps, batches(*load_fashion("train"), CONFIG.batch), CONFIG, training)


def sample(config: SamplingConfig) -> Tensor:
    """Draw the class of the prompt, or all ten in turn without one. # (n, 1, 16, 16) in [-1, 1]"""
    return draw(config, wanted(config.prompt, config.n))


def draw(config: SamplingConfig, labels: Tensor) -> Tensor:
    """Draw one image for each label. # (n,) -> (n, 1, 16, 16) in [-1, 1]"""
    return draw_with(trained(config.weights), config, labels)


def trained(folder: Path = SHIPPED) -> UNet:
    """Return the U-Net with its trained weights."""
    net = network()
    net.load_state_dict(load_weights("fashion", folder))
    return net.eval()


def draw_with(net: UNet, config: SamplingConfig, labels: Tensor) -> Tensor:
    """Draw one image for each label with a network at hand. # (n,) -> (n, 1, 16, 16) in [-1, 1]"""
    null = torch.full_like(labels, NULL)
    w = 1.5 if config.w is None else config.w
    eps_model = guided(net, ALPHA_BARS, "v", {"labels": labels}, {"labels": null}, w)
    return run_sampler(config, eps_model, (len(labels), 1, 16, 16), BETAS)


def wanted(prompt: str | None, n: int) -> Tensor:
    """Return n labels: of the class that the prompt names, or 0, 1, ..., 9, 0, ... without a prompt. # (n,)"""
    if not prompt:
        return torch.arange(n) % len(CLASSES)
    name = prompt.strip().lower()
    if name not in CLASSES:
        raise InvalidRequest(f"`{prompt}` is not drawn here: known are {', '.join(CLASSES)}")
    return torch.full((n,), CLASSES.index(name))
