"""A small classifier of clothing images: the feature extractor of `measures`. It never sees a generated image in training.

Its 64 features before the last layer stand in for Inception's in the Fréchet distance (Heusel et al. 2017). The price: results
compare only with those measured with these same weights.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from solutions.diffusion.data import CLASSES, batches, load_fashion
from solutions.diffusion.interface import TrainingOptions, train_and_store
from solutions.diffusion.store import SHIPPED, load_weights
from solutions.diffusion.train import OptimiserStep, TrainingConfig

CONFIG = TrainingConfig(steps=2500, batch=128, lr=2e-3)


class Classifier(nn.Module):
    """Three convolutions, 64 features, ten classes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.conv3 = nn.Conv2d(64, 64, 3, padding=1)
        self.features = nn.Linear(64 * 4 * 4, 64)
        self.classes = nn.Linear(64, len(CLASSES))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return features and logits. # (B, 1, 16, 16) -> (B, 64), (B, 10)"""
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (B, 32, 8, 8)
        x = F.relu(self.conv3(F.relu(self.conv2(x))))  # (B, 64, 8, 8)
        features = F.relu(self.features(F.max_pool2d(x, 2).flatten(1)))  # (B, 64)
        return features, self.classes(features)


def train(options: TrainingOptions) -> None:
    """Train from scratch; write the averaged weights and their accuracy on the test images."""
    torch.manual_seed(CONFIG.seed)
    net = Classifier()

    def step_loss(batch: tuple[Tensor, Tensor], _: torch.Generator) -> Tensor:
        return F.cross_entropy(net(batch[0])[1], batch[1])

    def accuracy() -> dict[str, float]:
        x, labels = load_fashion("test")
        with torch.no_grad():
            return {"accuracy_test": round((net(x)[1].argmax(1) == labels).float().mean().item(), 4)}

    optimiser_steps = [OptimiserStep(list(net.parameters()), step_loss)]
    train_and_store("classifier", net, optimiser_steps, batches(*load_fashion("train"), CONFIG.batch), CONFIG, options, accuracy)


def load_classifier(folder: Path = SHIPPED) -> Classifier:
    """Return the classifier with its trained weights."""
    net = Classifier()
    net.load_state_dict(load_weights("classifier", folder))
    return net.eval()
