"""A small classifier of emoji by name. It measures generated images, and its feature maps are the perceptual term of the VAE's loss.

It is trained on the emoji as they are drawn, shifted, scaled, blurred and with noise on them: one class per emoji, 1,377 in all. It never
sees a generated image. Since the VAE was trained against its lower layers, a name that it recognises is evidence, not proof: look, too.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from solutions.diffusion.data import batches
from solutions.diffusion.interface import TrainingOptions, train_and_store
from solutions.diffusion.models.emoji.data import load_emoji
from solutions.diffusion.store import SHIPPED, load_weights
from solutions.diffusion.train import OptimiserStep, TrainingConfig

NAME, FEATURES, WIDTHS = "emoji-classifier", 128, (32, 64, 96)
CONFIG = TrainingConfig(steps=1500, batch=96, lr=2e-3)


class EmojiClassifier(nn.Module):
    """Four convolutions, 128 features, one class per emoji."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        first, second, third = WIDTHS
        self.conv1 = nn.Conv2d(3, first, 3, padding=1)
        self.conv2 = nn.Conv2d(first, second, 3, padding=1)
        self.conv3 = nn.Conv2d(second, third, 3, padding=1)
        self.conv4 = nn.Conv2d(third, third, 3, padding=1)
        self.features = nn.Linear(third * 4 * 4, FEATURES)
        self.classes = nn.Linear(FEATURES, classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return features and logits. # (B, 3, 32, 32) -> (B, 128), (B, classes)"""
        last = F.relu(self.conv4(self.maps(x)[-1]))  # (B, 96, 8, 8)
        features = F.relu(self.features(F.max_pool2d(last, 2).flatten(1)))  # (B, 128)
        return features, self.classes(features)

    def maps(self, x: Tensor) -> list[Tensor]:
        """Return the feature maps that images are compared by. # (B, 32, 32, 32), (B, 64, 16, 16), (B, 96, 8, 8)"""
        fine = F.relu(self.conv1(x))
        middle = F.relu(self.conv2(F.max_pool2d(fine, 2)))
        return [fine, middle, F.relu(self.conv3(F.max_pool2d(middle, 2)))]


def perceptual_distance(classifier: EmojiClassifier, x: Tensor, y: Tensor) -> Tensor:
    """Return the mean over maps and positions of ‖x̂ − ŷ‖² between unit feature vectors (Zhang et al. 2018, eq. 1, without weights)."""
    pairs = zip(classifier.maps(x), classifier.maps(y), strict=True)
    apart = [(F.normalize(a, dim=1, eps=1e-3) - F.normalize(b, dim=1, eps=1e-3)).square().sum(dim=1).mean() for a, b in pairs]
    return torch.stack(apart).mean()


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """Scale and shift each image a little on white, blur every second one, and add noise. # (B, 3, S, S) -> (B, 3, S, S)

    The scale varies little, and nothing is mirrored: "black large square" and "pointing left" have to keep their names.
    """
    B, side = len(images), images.shape[-1]
    transform = torch.zeros(B, 2, 3)
    transform[:, 0, 0] = transform[:, 1, 1] = 0.98 + 0.12 * torch.rand(B, generator=generator)  # smaller, up to 1.1 times
    transform[:, :, 2] = 4 / side * (2 * torch.rand(B, 2, generator=generator) - 1)  # up to 2 pixels
    grid = F.affine_grid(transform, list(images.shape), align_corners=False)
    moved = F.grid_sample(images - 1, grid, align_corners=False) + 1  # outside is 0, and white is 1
    moved[::2] = F.avg_pool2d(moved[::2], 3, stride=1, padding=1, count_include_pad=False)
    return moved + 0.2 * torch.rand(B, 1, 1, 1, generator=generator) * torch.randn(moved.shape, generator=generator)


def train(options: TrainingOptions) -> None:
    """Train from scratch; write the averaged weights and the share of emoji recognised as they are drawn and when augmented."""
    torch.manual_seed(CONFIG.seed)
    plain, _ = load_emoji()
    net = EmojiClassifier(len(plain.captions))

    def step_loss(batch: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        return F.cross_entropy(net(augment(batch[0], generator))[1], batch[1], label_smoothing=0.05)

    def accuracy() -> dict[str, float]:
        augmented = augment(plain.images, torch.Generator().manual_seed(1))
        return {"as drawn": recognised(net, plain.images, plain.emoji), "augmented": recognised(net, augmented, plain.emoji)}

    optimiser_steps = [OptimiserStep(list(net.parameters()), step_loss)]
    train_and_store(NAME, net, optimiser_steps, batches(plain.images, plain.emoji, CONFIG.batch), CONFIG, options, accuracy, 8)


@torch.no_grad()
def recognised(net: EmojiClassifier, images: Tensor, emoji: Tensor) -> float:
    """Return the share of images whose most probable name is that of the given emoji. # (N, 3, 32, 32), (N,)"""
    right: Tensor = net(images)[1].argmax(1) == emoji
    return round(right.double().mean().item(), 4)


def load_classifier(folder: Path = SHIPPED) -> EmojiClassifier:
    """Return the classifier with its trained weights."""
    net = EmojiClassifier(len(load_emoji()[0].captions))
    net.load_state_dict(load_weights(NAME, folder))
    return net.eval()
