"""Three families side by side: a VAE, a GAN and diffusion, matched in size, conditioning and training time.

Each model of `models/families.py` learns the ten classes of clothing for the same time on one thread, from three seeds. Then it draws 2,000
images by class, for Fréchet distance, coverage, recall and agreement, and 64 images for the timing. The comparison is between these
three small models, not between all VAEs and all GANs.
"""

import dataclasses
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure

from solutions.diffusion.data import CLASSES, batches, load_fashion
from solutions.diffusion.evaluate import evaluate
from solutions.diffusion.figures.theme import Theme
from solutions.diffusion.models.families import FAMILIES, STEPS, Family, W
from solutions.diffusion.store import SHIPPED
from solutions.diffusion.train import count, train

FILE = SHIPPED / "compare.json"
SEEDS = (0, 1, 2)
SHOWN = {"fd": "Fréchet distance", "coverage": "coverage", "recall": "recall", "seconds for 64": "seconds for 64 images"}


def compare(minutes: float = 1.0, file: Path = FILE, n: int = 2000, progress: bool = False) -> dict[str, Any]:
    """Train and measure every family with every seed, write the results and return them."""
    rows = {name: [train_and_measure(build, seed, minutes, n, progress) for seed in SEEDS] for name, build in FAMILIES.items()}
    setup = {"minutes": minutes, "threads": torch.get_num_threads(), "n": n, "seeds": list(SEEDS), "w": W, "steps": STEPS}
    results = {
        "command": f"python -m solutions.diffusion --threads {torch.get_num_threads()} compare --minutes {minutes:g}",
        "config": setup,
        "families": {name: summary(runs) for name, runs in rows.items()},
    }
    file.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return results


def train_and_measure(build: Callable[[], Family], seed: int, minutes: float, n: int, progress: bool = False) -> dict[str, float]:
    """Train one family with one seed and measure it."""
    torch.manual_seed(seed)
    family = build()
    data = batches(*load_fashion("train"), family.config.batch)
    config = dataclasses.replace(family.config, seed=seed)
    run = train(family.model, family.optimiser_steps, data, config, minutes=minutes, progress=progress)
    family.model.load_state_dict(run.ema)
    family.model.eval()
    found = evaluate(family.draw, n, seed)
    started = time.perf_counter()
    family.draw(torch.arange(64) % len(CLASSES), seed)
    took = time.perf_counter() - started
    return found | {"seconds for 64": took, "parameters": count(family.model), "steps": len(run.losses)}


def summary(runs: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return the mean and standard deviation of each measure over the seeds."""
    values = {key: [run[key] for run in runs] for key in runs[0]}
    return {key: {"mean": round(statistics.mean(v), 4), "std": round(statistics.stdev(v), 4)} for key, v in values.items()}


def table(results: dict[str, Any]) -> list[list[str]]:
    """Return the results as rows of cells, header first, each with its standard deviation over the seeds."""
    header = ["family", *SHOWN.values()]
    return [header, *([name, *(_cell(found[key]) for key in SHOWN)] for name, found in results["families"].items())]


def _cell(value: dict[str, float]) -> str:
    return f"{_number(value)} ± {value['std']:.{_digits(value)}f}"


def _number(value: dict[str, float]) -> str:
    return f"{value['mean']:.{_digits(value)}f}"


def _digits(value: dict[str, float]) -> int:
    return 1 if value["mean"] >= 10 else 3 if value["mean"] < 0.1 else 2


def plot(results: dict[str, Any], theme: Theme) -> Figure:
    """Draw one panel per measure with a labelled bar per family; error bars show one standard deviation."""
    figure = Figure(figsize=(10, 2.8), layout="constrained")
    panels, colours = figure.subplots(1, len(SHOWN)), [theme.orange, theme.green, theme.blue]
    for panel, (key, title) in zip(panels, SHOWN.items(), strict=True):
        found = [each[key] for each in results["families"].values()]
        means, stds = [f["mean"] for f in found], [f["std"] for f in found]
        bars = panel.bar(list(results["families"]), means, yerr=stds, color=colours, ecolor=theme.text, width=0.6)
        panel.bar_label(bars, [_number(f) for f in found], padding=2, fontsize=9)
        panel.set(title=title, ylim=(0, 1.15 * max(m + s for m, s in zip(means, stds, strict=True))))
        panel.title.set_fontsize(11)
    return figure


def plot_shipped(theme: Theme) -> Figure:
    """Draw the results measured for the lesson."""
    return plot(json.loads(FILE.read_text(encoding="utf-8")), theme)
