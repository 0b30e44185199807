"""The data of the lesson's widgets, written by `python -m solutions.diffusion widgets`.

data/images.js      four real images, for the noise slider
data/posterior.js   the possible images of one and of two pixels (`exact`)
recorded/           recorded runs of the sampler (`live`), frame by frame, for pages without a running model

Each is a script that provides JSON, since a page that is opened as a file may load scripts but no data.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from solutions.diffusion.data import CLASSES, load_fashion
from solutions.diffusion.exact import ONE_PIXEL, TWO_PIXELS
from solutions.diffusion.figures.images import to_pixels
from solutions.diffusion.figures.sheets import SHOWN
from solutions.diffusion.live import Frame, run

BOOTS = {"model": "fashion", "prompt": "ankle boot", "sampler": "ddim", "steps": 20, "w": 1.5, "seed": 0}
SQUARE = {"model": "shapes", "prompt": "a small red circle above a large blue square", "sampler": "ddim", "steps": 20, "w": 3, "seed": 0}
BANANA = {"model": "emoji", "prompt": "purple banana", "sampler": "ddim", "steps": 20, "w": 3, "seed": 0}
RECORDED: dict[str, dict[str, Any]] = {
    "purple-banana": BANANA,
    "rocket": {**BANANA, "prompt": "rocket"},
    "boots": BOOTS,
    "boots-seed-1": {**BOOTS, "seed": 1},
    "boots-seed-2": {**BOOTS, "seed": 2},
    "boots-w0": {**BOOTS, "w": 0},
    "boots-w1": {**BOOTS, "w": 1},
    "boots-w5": {**BOOTS, "w": 5},
    "boots-5-steps": {**BOOTS, "steps": 5},
    "boots-ddpm": {**BOOTS, "sampler": "ddpm", "steps": 1000},
    "bags": {**BOOTS, "prompt": "bag"},
    "dresses": {**BOOTS, "prompt": "dress", "seed": 3},
    "circle-above-square": SQUARE,
    "circle-above-square-w1": {**SQUARE, "w": 1},
}
KEPT = {"emoji": 10, "fashion": 40, "shapes": 10}  # frames kept per recording


def write(folder: Path) -> Iterator[Path]:
    """Write all the data into `folder`, and yield each file once it is written."""
    for name in ("data", "recorded"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    yield provide(folder / "data" / "images.js", images())
    yield provide(folder / "data" / "posterior.js", {"one_pixel": ONE_PIXEL, "two_pixels": TWO_PIXELS})
    for name, request in RECORDED.items():
        yield provide(folder / "recorded" / f"{name}.js", {"request": request, "frames": record(request)})
    yield provide(folder / "recorded" / "index.js", RECORDED)


def images() -> list[dict[str, Any]]:
    """Return the four images of the lesson's strips, as bytes from black to white. # each (16, 16)"""
    x, labels = load_fashion("test")
    chosen = torch.stack([x[labels == label][3] for label in SHOWN])
    grey = to_pixels(chosen)[..., 0]
    pixels = [base64.b64encode(each.tobytes()).decode() for each in grey]
    return [{"name": CLASSES[label], "side": 16, "pixels": own} for label, own in zip(SHOWN, pixels, strict=True)]


def record(request: dict[str, Any]) -> list[Frame]:
    """Return the frames of a run, thinned out if there are many; the last frame is always kept."""
    frames: list[Frame] = []
    run(request, frames.append)
    most = min(KEPT[request["model"]], len(frames))
    return [frames[round((i + 1) * len(frames) / most) - 1] for i in range(most)]


def provide(path: Path, data: Any) -> Path:
    """Write a script that provides the data to a page."""
    path.write_text(f"course.provide({json.dumps(data, ensure_ascii=False, separators=(',', ':'))});\n", encoding="utf-8")
    return path
