"""How well does a model draw clothing? 2,000 images, the ten classes in turn, against the 4,000 held out.

One way of measuring for latents, students and the families of `compare.py`, as `trade_offs.py` measures the demo model.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from solutions.diffusion.classifier import load_classifier
from solutions.diffusion.data import CLASSES, load_fashion
from solutions.diffusion.measures import quality

Draw = Callable[[Tensor, int], Tensor]  # (labels (n,), seed) to images (n, 1, 16, 16)


@torch.no_grad()
def judge(draw: Draw, n: int = 2000, seed: int = 0) -> dict[str, Any]:
    """Draw n images, 250 at a time, and return their Fréchet distance, coverage, recall and agreement."""
    labels = torch.arange(n) % len(CLASSES)
    made = torch.cat([draw(labels[k : k + 250], 1000 * seed + k) for k in range(0, n, 250)])
    return asdict(quality(made, load_fashion("test")[0], load_classifier(), labels))
