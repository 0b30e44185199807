"""What the demo model reaches as w and the number of steps change: measured, and written into `weights/fashion.json`.

    python -m solutions.diffusion.trade_offs

takes about a quarter of an hour on one core. The curves of the lesson are drawn from what it wrote, and so are README's figures.
Images are compared with the 4,000 held out (coverage and recall with as many as are made).
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from solutions.diffusion import fashion
from solutions.diffusion.classifier import load_classifier
from solutions.diffusion.data import CLASSES, load_fashion
from solutions.diffusion.interface import SamplingConfig
from solutions.diffusion.measures import cost, quality
from solutions.diffusion.store import SHIPPED, add_metrics, weights_metadata

SCALES = (0.0, 1.0, 1.5, 2.0, 3.0, 5.0)
STEPS = (2, 5, 10, 20, 50)
N, N_DDPM, BEST = 2000, 500, 1.0


def draw_many(config: SamplingConfig, n: int) -> tuple[Tensor, Tensor]:
    """Draw n images, the ten classes in turn, 250 at a time with a seed each. # (n, 1, 16, 16), (n,)"""
    labels = torch.arange(n) % len(CLASSES)
    net = fashion.trained(config.weights)
    parts = [fashion.draw_with(net, replace(config, seed=config.seed + k), labels[k : k + 250]) for k in range(0, n, 250)]
    return torch.cat(parts), labels


def measured(config: SamplingConfig, n: int, timed: bool = False) -> dict[str, Any]:
    """Return the quality of n images drawn to config, and if `timed` what 64 of them cost."""
    images, labels = draw_many(config, n)
    return asdict(quality(images, load_fashion("test")[0], load_classifier(), labels)) | (seconds(config) if timed else {})


def floor() -> dict[str, Any]:
    """Return the quality of real images of the training set, measured as made ones are: what can't be beaten by much."""
    images, labels = load_fashion("train")
    return asdict(quality(images[:N], load_fashion("test")[0], load_classifier(), labels[:N]))


def seconds(config: SamplingConfig, n: int = 64) -> dict[str, float]:
    """Return what n images cost when the weights are loaded: processor seconds and network calls."""
    net = fashion.trained(config.weights)
    took = cost(lambda: fashion.draw_with(net, config, torch.arange(n) % len(CLASSES)), net)
    return {"cpu_seconds": round(took.cpu_seconds, 3), "calls": took.calls}


def measure_all(folder: Path = SHIPPED) -> None:
    """Measure what isn't yet noted beside the weights, and note each figure as it comes."""
    configs_w = {f"{w:g}": SamplingConfig(w=w, weights=folder) for w in SCALES}
    configs_steps = {str(steps): SamplingConfig(w=BEST, steps=steps, weights=folder) for steps in STEPS}
    ddpm = SamplingConfig(w=BEST, sampler="ddpm", weights=folder)
    _note("real against real", {str(N): floor}, folder)
    _note("by w, 20 ddim steps", {w: partial(measured, config, N) for w, config in configs_w.items()}, folder)
    _note(f"by ddim steps, w = {BEST:g}", {steps: partial(measured, config, N, True) for steps, config in configs_steps.items()}, folder)
    ddim = SamplingConfig(w=BEST, weights=folder)  # beside ddpm, of as few images: distances of different n don't compare
    pair = {"1000": partial(measured, ddpm, N_DDPM, True), "20 of ddim": partial(measured, ddim, N_DDPM, True)}
    _note(f"ddpm, w = {BEST:g}", pair, folder)


def _note(name: str, figures: Mapping[str, Callable[[], Any]], folder: Path) -> None:
    for key, figure in figures.items():
        known = weights_metadata("fashion", folder)["metrics"].get(name, {})
        if key not in known:
            add_metrics("fashion", {name: known | {key: figure()}}, folder)


if __name__ == "__main__":
    torch.set_num_threads(1)
    measure_all()
