"""The lesson's figures: `python -m solutions.diffusion figures` draws each of `FIGURES`, light and dark, as SVG.

    NAME-light.svg, NAME-dark.svg     the background is transparent; text is drawn as outlines
    plots         curves, from the formulas or from what `trade_offs` measured
    sheets        images, from the data and the shipped weights
    mistakes      images of the lesson's DDPM, right and with one mistake
    diagrams      boxes and arrows
    letters       the fonts of text and formulas: those of the pages

The same code, weights and matplotlib give the same bytes. Each entry of `FIGURES` has a caption and a text description (alt).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from solutions.diffusion.figures import diagrams, mistakes, plots, sheets
from solutions.diffusion.figures.theme import DARK, LIGHT, Theme
from solutions.diffusion.interface import InvalidRequest


@dataclass(frozen=True)
class LessonFigure:
    """A figure of the lesson: how to draw it, its caption and its alt text."""

    draw: Callable[[Theme], Figure]
    caption: str
    alt: str
    rows: tuple[str, ...] = ()  # of a sheet: what a page calls each, to show it alone (FIGURE.svg#ROW)


FIGURES = {
    "forward-strip": LessonFigure(
        sheets.forward_strip,
        "The forward process on four images: jumps with DDPM's linear schedule. At about t = 259 half of an image's variance is left.",
        "Four images of clothing, each in seven columns from t = 0 to t = 1000. They are grainy at 50 and gone at 500.",
    ),
    "schedules": LessonFigure(
        plots.schedules,
        "How much of the image is left: ᾱ_t and the signal-to-noise ratio ᾱ_t/(1 − ᾱ_t), for the linear and the cosine schedule.",
        "Left: linear ᾱ falls early and is near 0 from t = 600, cosine ᾱ falls evenly. Right: both ratios, log scale.",
    ),
    "one-dimension": LessonFigure(
        plots.one_dimension,
        "Two images of one pixel, black (−1) and white (1). At t = 500, x_t = 0.6 may have come from either; x̂_0 is their average, 0.18.",
        "Two wide bells that overlap; the average over x_t, flat at t = 900 and a step at t = 100; sixteen ways from noise to −1 or 1.",
    ),
    "one-step": LessonFigure(
        plots.one_step,
        "A pixel of 0.8 in one step with β = 0.1 and ε = −0.3: it shrinks, noise moves it, and what two mistakes make of it.",
        "Five arrows over a line of values: 0.8, shrunk to 0.759, moved to 0.664, and dashed the two mistakes, 0.729 and 0.625.",
    ),
    "average": LessonFigure(
        plots.average,
        "One pixel, black or white, at three t. At x_t = 0.6 it could be either at first, and is white in the end: the average follows.",
        "Three panels of two bells over x_t. They are nearly one at t = 900 and far apart at 100; the average at 0.6 goes from 0.01 to 1.",
    ),
    "field": LessonFigure(
        plots.field,
        "Images of two pixels, five of them possible. The arrows point against the exact ε̂; the lines are DDIM's ways back from noise.",
        "Three planes: at t = 600 all arrows point to the middle, at 10 to the nearest of five dots, to which lines from noise have led.",
    ),
    "training-step": LessonFigure(
        diagrams.training_step,
        "One training step: draw an image, a t and a noise, mix them, let the network predict the noise, and take the mean squared error.",
        "Boxes x_0, t and ε lead into x_t; x_t and t lead into the U-Net; its prediction ε̂ and ε meet in the loss.",
    ),
    "denoise-strip": LessonFigure(
        sheets.denoise_strip,
        "Four images emerge from noise, DDIM in 20 steps, w = 1. Below each x_t is its x̂_0; at t = 1000 the exact one, the class mean.",
        "Four pairs of rows from noise at t = 1000 to an image at 0. The lower rows, the estimates, are a blur and then soon an image.",
    ),
    "samples": LessonFigure(
        sheets.samples,
        "The first images of the shipped model, one row per class, not hand-picked: DDIM in 20 steps, w = 1.5, seed 0.",
        "Ten rows of twelve small grey images, from t-shirts, trousers and pullovers to sneakers, bags and ankle boots.",
    ),
    "guidance-grid": LessonFigure(
        sheets.guidance_grid,
        "The same noise under increasing guidance. With larger w the class is clearer and the images are more alike.",
        "Five rows of bags and ankle boots at w = 0, 1, 1.5, 3 and 5. The larger w, the more the bags look alike, and the boots.",
    ),
    "guidance-curve": LessonFigure(
        plots.guidance_curve,
        "The trade-off, measured on 2,000 images: from w = 1 on the class is right more often and fewer real images are covered.",
        "Curves over w: the Fréchet distance is lowest near 1 and then rises; class accuracy rises towards 1; coverage is highest at 1.",
    ),
    "guidance-plane": LessonFigure(
        plots.guidance_plane,
        "Guidance in a plane, where the exact ε̂ is known: DDIM trajectories to the class of the filled dots (the other is hollow).",
        "Three panels. At w = 0 trajectories end in both classes, at 1 in both clusters of one, at 4 crowded away from the other class.",
    ),
    "steps-curve": LessonFigure(
        plots.steps_curve,
        "Fréchet distance against the number of DDIM steps, same network, w = 1: beyond 20 steps there is little to gain.",
        "A curve that falls steeply from 2 steps to 10, a little to 20, and hardly at all from there to 50.",
    ),
    "emoji": LessonFigure(
        sheets.emoji_grid,
        "What the emoji model draws for eight captions at three w, seed 0. It never saw the last two in training.",
        "Three rows of eight small images in colour: heart, banana, rocket, cat, octopus, sunflower, and two fruits in unusual colours.",
    ),
    "mistakes": LessonFigure(
        mistakes.mistakes,
        "DDPM in 50 steps, right and with one mistake, from the same noise. Numbers: the root mean square difference from the first row.",
        "Eight rows of clothing. The second looks like the first, the next four are whiter or greyer, and the last two are full of noise.",
        ("right", *mistakes.MISTAKES),
    ),
    "sdedit": LessonFigure(
        sheets.sdedit_grid,
        "SDEdit: a sketch is noised to t and denoised, given its class. The larger t, the less of it is kept. DDIM, w = 1.5, seed 1.",
        "Four rows: a boot, a dress, a bag and a t-shirt made of grey boxes; then clothing, close to them from 300 and free from 900.",
    ),
    "inpainting": LessonFigure(
        sheets.inpainting_grid,
        "Inpainting: the left half of an image is kept, and the right half is filled in three times. Model of clothing, w = 1.5, seed 0.",
        "Four rows: a whole image, its left half, and three completions whose left halves are the same and whose right halves fit them.",
    ),
    "what-is-predicted": LessonFigure(
        plots.what_is_predicted,
        "ε, x_0 and v are equivalent. Left: x_t and v are x_0 and ε rotated. Right: the weight of an error of x̂_0 in each loss.",
        "Left: a quarter circle from x_0 to ε with x_t on it and v at a right angle. Right: four weights over t on a log scale.",
    ),
    "latent-text-to-image": LessonFigure(
        diagrams.latent_text_to_image,
        "A latent text-to-image system: words steer a U-Net by cross-attention while it denoises latents; a VAE decodes the result.",
        "A prompt goes through a text encoder into the U-Net, which is repeated from noise z_T to z_0; a decoder turns z_0 into an image.",
    ),
}


def draw_figures(names: Sequence[str], out: Path) -> list[Path]:
    """Draw the named figures, or all of them, into the folder `out` and return the files."""
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        raise InvalidRequest(f"unknown figure `{unknown[0]}`: choose from {', '.join(FIGURES)}")
    out.mkdir(parents=True, exist_ok=True)
    return [_write(FIGURES[name], theme, out / f"{name}-{theme.name}.svg") for name in names or FIGURES for theme in (LIGHT, DARK)]


def _write(figure: LessonFigure, theme: Theme, path: Path) -> Path:
    """Draw one figure in one theme; the file contains no date and no random id."""
    style: Any = {"svg.hashsalt": path.stem, "svg.fonttype": "path", **theme.style()}
    with mpl.rc_context(style):
        figure.draw(theme).savefig(path, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Title": figure.caption})
    if figure.rows:
        svg = path.read_text(encoding="utf-8")
        path.write_text(svg.replace(" <metadata>", _views(figure.rows, svg) + " <metadata>", 1), encoding="utf-8", newline="\n")
    return path


def _views(rows: tuple[str, ...], svg: str) -> str:
    """Return a view of each row of a sheet, which ends with the last one."""
    wide, high = (float(re.search(rf' {name}="([0-9.]+)pt"', svg)[1]) for name in ("width", "height"))  # type: ignore[index]
    row = 72 * sheets.CELL
    tops = (high - (len(rows) - place) * row for place in range(len(rows)))
    return "".join(f' <view id="{name}" viewBox="0 {top:.2f} {wide:g} {row:g}"/>\n' for name, top in zip(rows, tops, strict=True))
