"""How well does a model draw clothing? Compare 2,000 images, cycling through the ten classes, with the 4,000 of the test set.

Latent diffusion and the distilled students are measured this way; `trade_offs.py` measures the demo model.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from solutions.diffusion.data import CLASSES, load_fashion
from solutions.diffusion.measures import quality
from solutions.diffusion.models.classifier import load_classifier

SampleByLabel = Callable[[Tensor, int], Tensor]  # (labels (n,), seed) to images (n, 1, 16, 16)


@torch.no_grad()
def evaluate(draw: SampleByLabel, n: int = 2000, seed: int = 0) -> dict[str, Any]:
    """Draw n images, 250 at a time, and return their Fréchet distance, coverage, recall and agreement."""
    labels = torch.arange(n) % len(CLASSES)
    generated = torch.cat([draw(labels[k : k + 250], 1000 * seed + k) for k in range(0, n, 250)])
    return asdict(quality(generated, load_fashion("test")[0], load_classifier(), labels))
