"""How the quality of the demo model depends on w and on the number of steps; the results go into `weights/fashion.json`.

    python -m solutions.diffusion.trade_offs

This takes about a quarter of an hour on one core. The lesson's curves and the README's numbers come from what it wrote. Images are
compared with the 4,000 of the test set (coverage and recall with as many as are generated).
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from solutions.diffusion.data import CLASSES, SIDE, load_fashion
from solutions.diffusion.forward import x0_from_v
from solutions.diffusion.interface import SamplingConfig
from solutions.diffusion.measures import cost, quality, std_over_noise
from solutions.diffusion.models import fashion
from solutions.diffusion.models.classifier import load_classifier
from solutions.diffusion.store import SHIPPED, add_metrics, weights_metadata

SCALES = (0.0, 1.0, 1.5, 2.0, 3.0, 5.0)
STEPS = (2, 5, 10, 20, 50)
N, N_DDPM, BEST = 2000, 500, 1.0
BY_CALLS = {"ddim": (5, 10, 20), "dpm++": (5, 10, 20), "heun": (3, 5, 10)}  # steps; two calls in each of Heun's but the last
CALLS = f"by sampler and calls, w = {BEST:g}"


def sample_many(config: SamplingConfig, n: int) -> tuple[Tensor, Tensor]:
    """Sample n images, the ten classes in turn, 250 at a time with a seed each. # (n, 1, 16, 16), (n,)"""
    labels = torch.arange(n) % len(CLASSES)
    net = fashion.trained(config.weights)
    parts = [fashion.sample_images(net, labels[k : k + 250], replace(config, seed=config.seed + k)) for k in range(0, n, 250)]
    return torch.cat(parts), labels


def measure(config: SamplingConfig, n: int, timed: bool = False) -> dict[str, Any]:
    """Return the quality of n images sampled with the config and, if `timed`, what 64 of them cost."""
    images, labels = sample_many(config, n)
    return asdict(quality(images, load_fashion("test")[0], load_classifier(), labels)) | (sampling_cost(config) if timed else {})


def real_baseline() -> dict[str, Any]:
    """Return the quality of real training images, measured like generated ones: a bound that is hard to beat."""
    images, labels = load_fashion("train")
    return asdict(quality(images[:N], load_fashion("test")[0], load_classifier(), labels[:N]))


def sampling_cost(config: SamplingConfig, n: int = 64) -> dict[str, float]:
    """Return the cost of n images once the weights are loaded: CPU seconds and network calls."""
    net = fashion.trained(config.weights)
    took = cost(lambda: fashion.sample_images(net, torch.arange(n) % len(CLASSES), config), net)
    return {"cpu_seconds": round(took.cpu_seconds, 3), "calls": took.calls}


def copies(n: int = N_DDPM, folder: Path = SHIPPED) -> dict[str, Any]:
    """Return how near n generated images are to their nearest training image, and n images of the test set to theirs.

    The distance is the root mean square over the pixels: its median for both, and the share of the generated images that are nearer than
    all but one per cent of the test images.
    """
    training, real = load_fashion("train")[0].flatten(1), load_fashion("test")[0][:n].flatten(1)
    generated = sample_many(SamplingConfig(w=BEST, weights=folder), n)[0].flatten(1)
    near, real_near = (torch.cdist(images, training).amin(1) / training.shape[1] ** 0.5 for images in (generated, real))
    share = (near < real_near.quantile(0.01)).float().mean()
    medians = {"generated": near.median().item(), "test": real_near.median().item()}
    return {"n": n} | {name: round(value, 4) for name, value in medians.items()} | {"nearer": round(share.item(), 4)}


@torch.no_grad()
def std_at_T(seeds: int = 64, folder: Path = SHIPPED) -> float:
    """Return how much x̂_0 at T depends on the noise, the class given."""
    labels = torch.arange(len(CLASSES)).repeat_interleave(seeds)
    x_T = torch.randn((len(labels), 1, SIDE, SIDE), generator=torch.Generator().manual_seed(0))
    v = fashion.trained(folder)(x_T, torch.full_like(labels, fashion.T), labels=labels)
    return round(std_over_noise(x0_from_v(x_T, fashion.T, v, fashion.ALPHA_BARS), seeds), 4)


def quality_over_calls(n: int = N_DDPM, folder: Path = SHIPPED) -> dict[str, Any]:
    """Return the quality of n images by sampler and number of network calls, as metrics for the weights' .json."""
    configs = [SamplingConfig(w=BEST, sampler=sampler, steps=steps, weights=folder) for sampler in BY_CALLS for steps in BY_CALLS[sampler]]
    found: dict[str, dict[str, Any]] = {sampler: {} for sampler in BY_CALLS}
    for config in configs:
        found[config.sampler][str(sampling_cost(config, 1)["calls"])] = measure(config, n)
    return {CALLS: found}


def calls_table(metrics: Mapping[str, Any]) -> list[list[str]]:
    """Return what `quality_over_calls` measured as rows of text, with a head."""
    rows = [[sampler, calls, each] for sampler, by_calls in metrics[CALLS].items() for calls, each in by_calls.items()]
    head = ["sampler", "network calls", "Fréchet distance", "coverage", "class accuracy"]
    return [head, *([sampler, calls, f"{q['fd']:.1f}", f"{q['coverage']:.2f}", f"{q['agreement']:.2f}"] for sampler, calls, q in rows)]


def measure_all(folder: Path = SHIPPED) -> None:
    """Measure whatever is not yet recorded next to the weights, and record each result as it comes."""
    configs_w = {f"{w:g}": SamplingConfig(w=w, weights=folder) for w in SCALES}
    configs_steps = {str(steps): SamplingConfig(w=BEST, steps=steps, weights=folder) for steps in STEPS}
    ddpm = SamplingConfig(w=BEST, sampler="ddpm", weights=folder)
    _record("std of x0 at T", {"64 seeds": partial(std_at_T, folder=folder)}, folder)
    _record("nearest training image, w = 1", {"20 ddim steps": partial(copies, folder=folder)}, folder)
    _record("real against real", {str(N): real_baseline}, folder)
    _record("by w, 20 ddim steps", {w: partial(measure, config, N) for w, config in configs_w.items()}, folder)
    _record(f"by ddim steps, w = {BEST:g}", {steps: partial(measure, config, N, True) for steps, config in configs_steps.items()}, folder)
    ddim = SamplingConfig(w=BEST, weights=folder)  # next to ddpm, with as few images: distances for different n don't compare
    pair = {"1000": partial(measure, ddpm, N_DDPM, True), "20 of ddim": partial(measure, ddim, N_DDPM, True)}
    _record(f"ddpm, w = {BEST:g}", pair, folder)


def _record(name: str, measurements: Mapping[str, Callable[[], Any]], folder: Path) -> None:
    for key, measurement in measurements.items():
        known = weights_metadata("fashion", folder)["metrics"].get(name, {})
        if key not in known:
            add_metrics("fashion", {name: known | {key: measurement()}}, folder)


if __name__ == "__main__":
    torch.set_num_threads(1)
    measure_all()
