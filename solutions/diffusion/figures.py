"""The lesson's figures: `python -m solutions.diffusion figures` draws each of `FIGURES`, light and dark, as SVG.

    NAME-light.svg, NAME-dark.svg     the ground is clear, so a page's own shows; text is drawn as outlines
    plots.py      curves, from the formulas or from what `trade_offs` measured
    sheets.py     images, from the data and the shipped weights
    diagrams.py   boxes and arrows

The same code, weights and matplotlib give the same bytes. `FIGURES` says of each what it shows (caption) and what it looks like to
one who can't see it (alt).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from solutions.diffusion import compare, diagrams, plots, sheets
from solutions.diffusion.interface import InvalidRequest
from solutions.diffusion.theme import DARK, LIGHT, Theme


@dataclass(frozen=True)
class Drawing:
    """A figure of the lesson."""

    draw: Callable[[Theme], Figure]
    caption: str
    alt: str


FIGURES = {
    "forward-strip": Drawing(
        sheets.forward_strip,
        "The forward process on four images, by the jump from x_0 with DDPM's linear schedule. Half the variance is noise near t = 259.",
        "Four images of clothing, each in seven columns from t = 0 to t = 1000. Grainy at 50, gone at 500.",
    ),
    "schedules": Drawing(
        plots.schedules,
        "How much of the image is left: ᾱ_t, and the signal-to-noise ratio ᾱ_t/(1 − ᾱ_t), for the linear and the cosine schedule.",
        "Left: the linear schedule's ᾱ falls early and is near 0 from t = 600, the cosine's falls evenly. Right: both ratios, log scale.",
    ),
    "training-step": Drawing(
        diagrams.training_step,
        "One training step: draw an image, a t and a noise, mix them, ask the network for the noise, and take the mean squared error.",
        "Boxes x_0, t and ε lead into x_t; x_t and t lead into the U-Net; its answer ε̂ and ε meet in the loss.",
    ),
    "denoise-strip": Drawing(
        sheets.denoise_strip,
        "Four images come out of noise, DDIM in 20 steps. Under each x_t, what it is taken for at that moment: x̂_0.",
        "Four pairs of rows from noise at t = 950 to an image at 0. The estimates below are an image much earlier.",
    ),
    "samples": Drawing(
        sheets.samples,
        "The shipped model's first images, a row a class, none chosen: DDIM in 20 steps, w = 1.5, seed 0.",
        "Ten rows of twelve small grey images, from t-shirts, trousers and pullovers to sneakers, bags and ankle boots.",
    ),
    "guidance-grid": Drawing(
        sheets.guidance_grid,
        "The same noise under growing guidance. More w: surer of its class, and more alike.",
        "Five rows of bags and ankle boots at w = 0, 1, 1.5, 3 and 5. At 0 anything appears; at 5 all look like one typical image.",
    ),
    "guidance-curve": Drawing(
        plots.guidance_curve,
        "The trade-off, measured on 2,000 images: with w the class is right more often, and fewer of the real images are covered.",
        "Curves over w: the Fréchet distance is least near 1 and then rises; agreement rises towards 1; coverage falls.",
    ),
    "guidance-plane": Drawing(
        plots.guidance_plane,
        "Guidance in a plane, where the exact ε̂ is known: DDIM's ways from noise to the class of the filled dots (the other is hollow).",
        "Three panels. At w = 0 the ways end in both classes, at 1 in both clusters of one, at 4 crowded away from the other class.",
    ),
    "steps-curve": Drawing(
        plots.steps_curve,
        "Fréchet distance against DDIM's number of steps, one network for all, w = 1: from 20 steps on there is little to gain.",
        "A curve that falls steeply from 2 steps to 10, a little to 20 and hardly from there to 50.",
    ),
    "families": Drawing(
        compare.plot_shipped,
        "VAE, GAN and diffusion of one size, trained for the same short time from three seeds, measured on 2,000 images each.",
        "Four panels of three bars. Diffusion has the least Fréchet distance and the most coverage, and takes the most seconds by far.",
    ),
    "what-is-predicted": Drawing(
        plots.what_is_predicted,
        "ε, x_0 and v are one knowledge. Left: x_t and v are x_0 and ε turned by an angle. Right: what an error of x̂_0 costs in each loss.",
        "Left: a quarter circle from x_0 to ε with x_t on it and v at a right angle. Right: four weights over t on a log scale.",
    ),
    "latent-text-to-image": Drawing(
        diagrams.latent_text_to_image,
        "A latent text-to-image system: words steer, by cross-attention, a U-Net that denoises latents; a VAE decodes the last one.",
        "A prompt goes through a text encoder into the U-Net, which is repeated from noise z_T to z_0; a decoder turns z_0 into an image.",
    ),
}


def draw_figures(names: Sequence[str], out: Path) -> list[Path]:
    """Draw the figures so named, or all, into the folder `out`, and return the files."""
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        raise InvalidRequest(f"no figure `{unknown[0]}`: known are {', '.join(FIGURES)}")
    out.mkdir(parents=True, exist_ok=True)
    return [_write(FIGURES[name], theme, out / f"{name}-{theme.name}.svg") for name in names or FIGURES for theme in (LIGHT, DARK)]


def _write(drawing: Drawing, theme: Theme, path: Path) -> Path:
    """Draw one figure in one theme, without a date or a random name in the file."""
    style: Any = {"svg.hashsalt": path.stem, "svg.fonttype": "path", **theme.style()}
    with mpl.rc_context(style):
        drawing.draw(theme).savefig(
            path, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Title": drawing.caption}
        )
    return path
