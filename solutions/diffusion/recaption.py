"""DALL-E 3's point: the captions a model is trained on decide what it can be asked (Betker et al. 2023).

The same small network learns the same images of one item twice: under terse captions as the web has them (`a circle`), and under
rich ones that say all there is (`a small red circle`), a few left terse. Both are then asked richly and tersely, and judged by what was
asked. Only the captions differ; nothing here is shipped but the figures.

    python -m solutions.diffusion.recaption
"""

import dataclasses
import json
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from solutions.diffusion.captioned import BETAS, SIZE, TextUNet, paint
from solutions.diffusion.guidance import drop_condition
from solutions.diffusion.interface import SamplingConfig
from solutions.diffusion.losses import EvenCleanLoss
from solutions.diffusion.prompt_adherence import judged
from solutions.diffusion.schedules import alpha_bars
from solutions.diffusion.shapes import Scene, draw, random_scene
from solutions.diffusion.store import SHIPPED
from solutions.diffusion.text import LENGTH, tokens
from solutions.diffusion.train import OptimiserStep, TrainingConfig, diffusion_loss, train

FILE = SHIPPED / "recaption.json"
CONFIG = TrainingConfig(steps=700, batch=32, lr=1.5e-3)
STILL_TERSE = 0.05  # of the rich captions, so that the model is not lost when asked tersely (section 3.1)


def terse(scene: Scene) -> Scene:
    """Leave out sizes and colours, as people do who write what an image is of and not what it shows."""
    return Scene(tuple(dataclasses.replace(item, size=None, colour=None) for item in scene.objects), scene.relation)


def draw_batch(generator: torch.Generator, rich: float, batch: int = CONFIG.batch) -> tuple[Tensor, Tensor]:
    """Draw images and captions, rich with probability `rich`: the images are the same for any. # (B, 3, SIZE, SIZE), (B, LENGTH)"""
    scenes = [random_scene(generator, count=1) for _ in range(batch)]
    images = draw(scenes, SIZE, generator)
    told = torch.rand(batch, generator=generator) < rich
    return images, tokens([str(scene if full else terse(scene)) for scene, full in zip(scenes, told, strict=True)])


def train_on(rich: float, config: TrainingConfig = CONFIG, progress: bool = False) -> TextUNet:
    """Train the network from nothing under captions of which the share `rich` is rich."""
    torch.manual_seed(config.seed)
    model = TextUNet(channels=(48, 48), attend=(True, True), patch=4)
    loss, null = EvenCleanLoss(alpha_bars(BETAS)), torch.zeros(LENGTH, dtype=torch.long)

    def step_loss(batch: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        return diffusion_loss(loss, model, batch[0], generator, ids=drop_condition(batch[1], null, 0.1, generator))

    run = train(model, [OptimiserStep(list(model.parameters()), step_loss)], partial(draw_batch, rich=rich), config, progress=progress)
    model.load_state_dict(run.ema)
    return model.eval()


def compare(config: TrainingConfig = CONFIG, n: int = 200, file: Path = FILE, progress: bool = False) -> dict[str, Any]:
    """Train both, ask both richly and tersely, write and return the share of images with each attribute right."""
    rng = torch.Generator().manual_seed(1)
    meant = [random_scene(rng, count=1) for _ in range(n)]
    asked = {"rich": meant, "terse": [terse(scene) for scene in meant]}
    figures: dict[str, Any] = {}
    for name, share in (("trained on terse", 0.0), ("trained on rich", 1 - STILL_TERSE)):
        model = train_on(share, config, progress)
        figures[name] = {f"asked {kind}": judged(partial(paint, model), scenes, SamplingConfig(w=2)) for kind, scenes in asked.items()}
    command = "python -m solutions.diffusion.recaption"
    about = {"command": command, "config": dataclasses.asdict(config), "n": n, "w": 2, "metrics": figures}
    file.write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return figures


if __name__ == "__main__":
    torch.set_num_threads(1)
    compare(progress=True)
