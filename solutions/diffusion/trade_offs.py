"""What the demo model reaches as w and the number of steps change: measured, and written into `weights/fashion.json`.

    python -m solutions.diffusion.trade_offs

takes about a quarter of an hour on one core. The curves of the lesson are drawn from what it wrote, and so are README's figures.
Pictures are compared with the 4,000 held out (coverage and recall with as many as are made).
"""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from solutions.diffusion import fashion
from solutions.diffusion.classifier import load_classifier
from solutions.diffusion.data import CLASSES, load_fashion
from solutions.diffusion.measures import cost, quality
from solutions.diffusion.order import Order
from solutions.diffusion.store import SHIPPED, add_figures

SCALES = (0.0, 1.0, 1.5, 2.0, 3.0, 5.0)
STEPS = (2, 5, 10, 20, 50)
N, N_DDPM, BEST = 2000, 300, 1.5


def draw_many(order: Order, n: int) -> tuple[Tensor, Tensor]:
    """Draw n pictures, the ten classes in turn, 250 at a time with a seed each. # (n, 1, 16, 16), (n,)"""
    labels = torch.arange(n) % len(CLASSES)
    net = fashion.trained(order.weights)
    parts = [fashion.draw_with(net, replace(order, seed=order.seed + k), labels[k : k + 250]) for k in range(0, n, 250)]
    return torch.cat(parts), labels


def measured(order: Order, n: int) -> dict[str, Any]:
    """Return the quality of n pictures drawn to order."""
    pictures, labels = draw_many(order, n)
    return asdict(quality(pictures, load_fashion("test")[0], load_classifier(), labels))


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
    """Measure everything and note it beside the weights, as it comes."""
    add_figures("fashion", {"real against real": floor()}, folder)
    by_w: dict[str, Any] = {}
    for w in SCALES:
        by_w[f"{w:g}"] = measured(Order(w=w, weights=folder), N)
        add_figures("fashion", {"by w, 20 ddim steps": by_w}, folder)
    by_steps: dict[str, Any] = {}
    for steps in STEPS:
        order = Order(w=BEST, steps=steps, weights=folder)
        by_steps[str(steps)] = by_w[f"{BEST:g}"] | seconds(order) if steps == 20 else measured(order, N) | seconds(order)
        add_figures("fashion", {f"by ddim steps, w = {BEST:g}": by_steps}, folder)
    order = Order(w=BEST, sampler="ddpm", weights=folder)
    add_figures("fashion", {f"ddpm, 1000 steps, w = {BEST:g}": measured(order, N_DDPM) | seconds(order)}, folder)


if __name__ == "__main__":
    torch.set_num_threads(1)
    measure_all()
