"""Ask a text-to-image model for captions of each kind, and count the images that match them (`checker.py`).

There are three kinds: one object as in training, objects with a held-out combination, and two objects. `captioned`, `cascade` and
`unclip` are all evaluated this way. By chance, an image of a random scene matches a caption of one object in 1 of 24 cases, and a
caption of two in 1 of 864.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from solutions.diffusion.checker import adherence
from solutions.diffusion.interface import SamplingConfig
from solutions.diffusion.models.text import tokens
from solutions.diffusion.shapes import UNSEEN, Scene, random_scene

SampleByCaption = Callable[[Tensor, SamplingConfig], Tensor]  # (tokens (N, LENGTH), config) to images (N, 3, S, S)


def captions_by_kind(n: int, seed: int = 1) -> dict[str, list[Scene]]:
    """Draw n captions of each kind: one object, held-out objects, two objects."""
    rng = torch.Generator().manual_seed(seed)
    unseen = sorted(UNSEEN, key=str)
    return {
        "one": [random_scene(rng, count=1) for _ in range(n)],
        "unseen": [Scene((unseen[k % len(unseen)],)) for k in range(n)],
        "two": [random_scene(rng, count=2) for _ in range(n)],
    }


def measure(draw: SampleByCaption, n: int = 100, scales: tuple[float, ...] = (1, 2, 4)) -> dict[str, Any]:
    """Measure the share of images with each attribute right, by kind of caption and guidance w (DDIM, 20 steps)."""
    return {
        f"adherence, {kind}": {f"w={w:g}": adherence_shares(draw, scenes, SamplingConfig(w=w)) for w in scales}
        for kind, scenes in captions_by_kind(n).items()
    }


def adherence_shares(draw: SampleByCaption, scenes: list[Scene], config: SamplingConfig) -> dict[str, float]:
    """Sample one image for each scene's caption and return the share with each attribute right."""
    ids = tokens([str(scene) for scene in scenes])
    images = [draw(ids[k : k + 100], dataclasses.replace(config, seed=config.seed + k)) for k in range(0, len(ids), 100)]
    return {name: round(share, 3) for name, share in adherence(torch.cat(images), scenes).items()}
