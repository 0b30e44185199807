"""DALL-E 3's point: the captions a model is trained on decide which prompts it understands (Betker et al. 2023).

The same small network is trained twice on the same images of one object: with terse captions as found on the web (`a circle`), and with
rich ones that say everything (`a small red circle`), a few of them left terse. Both models then get rich and terse prompts, and are
judged by what the prompt asks for. Only the captions differ. Only the results ship, not the weights.

    python -m solutions.diffusion.models.recaption
"""

import dataclasses
import json
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from solutions.diffusion.guidance import drop_condition
from solutions.diffusion.interface import SamplingConfig
from solutions.diffusion.losses import EvenCleanLoss
from solutions.diffusion.models.captioned import BETAS, SIZE, TextUNet, sample_images
from solutions.diffusion.models.text import LENGTH, tokens
from solutions.diffusion.prompt_adherence import adherence_shares
from solutions.diffusion.schedules import alpha_bars
from solutions.diffusion.shapes import Scene, draw, random_scene
from solutions.diffusion.store import SHIPPED
from solutions.diffusion.train import OptimiserStep, TrainingConfig, diffusion_loss, train

FILE = SHIPPED / "recaption.json"
CONFIG = TrainingConfig(steps=700, batch=32, lr=1.5e-3)
STILL_TERSE = 0.05  # share of the rich captions, so that the model can still handle terse prompts (section 3.1)


def terse(scene: Scene) -> Scene:
    """Leave out sizes and colours, as people do when they say what an image is of and not what it shows."""
    return Scene(tuple(dataclasses.replace(item, size=None, colour=None) for item in scene.objects), scene.relation)


def draw_batch(generator: torch.Generator, rich: float, batch: int = CONFIG.batch) -> tuple[Tensor, Tensor]:
    """Draw images and captions, rich with probability `rich`; the images do not depend on it. # (B, 3, SIZE, SIZE), (B, LENGTH)"""
    scenes = [random_scene(generator, count=1) for _ in range(batch)]
    images = draw(scenes, SIZE, generator)
    is_rich = torch.rand(batch, generator=generator) < rich
    return images, tokens([str(scene if full else terse(scene)) for scene, full in zip(scenes, is_rich, strict=True)])


def train_on(rich: float, config: TrainingConfig = CONFIG, progress: bool = False) -> TextUNet:
    """Train the network from scratch on captions of which a share `rich` is rich."""
    torch.manual_seed(config.seed)
    model = TextUNet(channels=(48, 48), attend=(True, True), patch=4)
    loss, null = EvenCleanLoss(alpha_bars(BETAS)), torch.zeros(LENGTH, dtype=torch.long)

    def step_loss(batch: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        return diffusion_loss(loss, model, batch[0], generator, ids=drop_condition(batch[1], null, 0.1, generator))

    run = train(model, [OptimiserStep(list(model.parameters()), step_loss)], partial(draw_batch, rich=rich), config, progress=progress)
    model.load_state_dict(run.ema)
    return model.eval()


def compare(config: TrainingConfig = CONFIG, n: int = 200, file: Path = FILE, progress: bool = False) -> dict[str, Any]:
    """Train both models, prompt both richly and tersely, and write and return the share of images with each attribute right."""
    rng = torch.Generator().manual_seed(1)
    scenes = [random_scene(rng, count=1) for _ in range(n)]
    prompts = {"rich": scenes, "terse": [terse(scene) for scene in scenes]}
    results: dict[str, Any] = {}
    for name, share in (("trained on terse", 0.0), ("trained on rich", 1 - STILL_TERSE)):
        model = train_on(share, config, progress)
        results[name] = {
            f"asked {kind}": adherence_shares(partial(sample_images, model), scenes, SamplingConfig(w=2))
            for kind, scenes in prompts.items()
        }
    command = "python -m solutions.diffusion.models.recaption"
    metadata = {"command": command, "config": dataclasses.asdict(config), "n": n, "w": 2, "metrics": results}
    file.write_text(json.dumps(metadata, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return results


if __name__ == "__main__":
    torch.set_num_threads(1)
    compare(progress=True)
