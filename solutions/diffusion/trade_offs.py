"""What the demo model reaches as w and the number of steps change: measured, and written into `weights/fashion.json`.

    python -m solutions.diffusion.trade_offs

takes about a quarter of an hour on one core. The curves of the lesson are drawn from what it wrote, and so are README's figures.
Pictures are compared with the 4,000 held out (coverage and recall with as many as are made).
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
from solutions.diffusion.measures import cost, quality
from solutions.diffusion.order import Order
from solutions.diffusion.store import SHIPPED, about_weights, add_figures

SCALES = (0.0, 1.0, 1.5, 2.0, 3.0, 5.0)
STEPS = (2, 5, 10, 20, 50)
N, N_DDPM, BEST = 2000, 500, 1.0


def draw_many(order: Order, n: int) -> tuple[Tensor, Tensor]:
    """Draw n pictures, the ten classes in turn, 250 at a time with a seed each. # (n, 1, 16, 16), (n,)"""
    labels = torch.arange(n) % len(CLASSES)
    net = fashion.trained(order.weights)
    parts = [fashion.draw_with(net, replace(order, seed=order.seed + k), labels[k : k + 250]) for k in range(0, n, 250)]
    return torch.cat(parts), labels


def measured(order: Order, n: int, timed: bool = False) -> dict[str, Any]:
    """Return the quality of n pictures drawn to order, and if `timed` what 64 of them cost."""
    pictures, labels = draw_many(order, n)
    return asdict(quality(pictures, load_fashion("test")[0], load_classifier(), labels)) | (seconds(order) if timed else {})


def floor() -> dict[str, Any]:
    """Return the quality of real pictures of the training set, measured as made ones are: what can't be beaten by much."""
    pictures, labels = load_fashion("train")
    return asdict(quality(pictures[:N], load_fashion("test")[0], load_classifier(), labels[:N]))


def seconds(order: Order, n: int = 64) -> dict[str, float]:
    """Return what n pictures cost when the weights are loaded: processor seconds and network calls."""
    net = fashion.trained(order.weights)
    took = cost(lambda: fashion.draw_with(net, order, torch.arange(n) % len(CLASSES)), net)
    return {"cpu_seconds": round(took.cpu_seconds, 3), "calls": took.calls}


def measure_all(folder: Path = SHIPPED) -> None:
    """Measure what isn't yet noted beside the weights, and note each figure as it comes."""
    orders_w = {f"{w:g}": Order(w=w, weights=folder) for w in SCALES}
    orders_steps = {str(steps): Order(w=BEST, steps=steps, weights=folder) for steps in STEPS}
    ddpm = Order(w=BEST, sampler="ddpm", weights=folder)
    _note("real against real", {str(N): floor}, folder)
    _note("by w, 20 ddim steps", {w: partial(measured, order, N) for w, order in orders_w.items()}, folder)
    _note(f"by ddim steps, w = {BEST:g}", {steps: partial(measured, order, N, True) for steps, order in orders_steps.items()}, folder)
    ddim = Order(w=BEST, weights=folder)  # beside ddpm, of as few pictures: distances of different n don't compare
    pair = {"1000": partial(measured, ddpm, N_DDPM, True), "20 of ddim": partial(measured, ddim, N_DDPM, True)}
    _note(f"ddpm, w = {BEST:g}", pair, folder)


def _note(name: str, figures: Mapping[str, Callable[[], Any]], folder: Path) -> None:
    for key, figure in figures.items():
        known = about_weights("fashion", folder)["figures"].get(name, {})
        if key not in known:
            add_figures("fashion", {name: known | {key: figure()}}, folder)


if __name__ == "__main__":
    torch.set_num_threads(1)
    measure_all()
