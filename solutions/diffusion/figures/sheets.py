"""The figures that show images: from the data, and sampled with the shipped weights. See `catalogue`."""

from collections.abc import Callable

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from solutions.diffusion.data import CLASSES, load_fashion
from solutions.diffusion.edit import inpaint, sdedit
from solutions.diffusion.figures.frames import Step, own_estimates
from solutions.diffusion.figures.images import to_pixels
from solutions.diffusion.figures.theme import Theme
from solutions.diffusion.forward import noise_to
from solutions.diffusion.guidance import guided
from solutions.diffusion.interface import SamplingConfig
from solutions.diffusion.models import fashion
from solutions.diffusion.models.emoji import model as emoji
from solutions.diffusion.models.emoji.text import tokens
from solutions.diffusion.samplers import EpsModel, even_path
from solutions.diffusion.schedules import alpha_bars, linear_betas
from solutions.diffusion.store import SHIPPED

CELL = 0.62  # inches: an image and the gap after it
SHOWN = (9, 3, 8, 0)  # ankle boot, dress, bag, t-shirt: the classes of the strips
SKETCHES = {  # by class, boxes of one grey: top, bottom, left, right
    9: [(2, 12, 4, 8), (9, 13, 4, 15)],
    3: [(1, 7, 6, 10), (7, 15, 4, 12)],
    8: [(3, 7, 4, 5), (3, 7, 11, 12), (2, 3, 4, 12), (7, 14, 1, 15)],
    0: [(2, 14, 4, 12), (2, 6, 1, 15)],
}


def forward_strip(theme: Theme) -> Figure:
    """Draw four real images at seven t."""
    images, labels = load_fashion("test")
    x0 = torch.stack([images[labels == label][3] for label in SHOWN])
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(0))
    bars, steps = alpha_bars(linear_betas(1000)), (0, 50, 100, 250, 500, 750, 1000)
    columns = [noise_to(x0, t, eps, bars) for t in steps]
    return sheet(theme, torch.stack(columns, dim=1), [f"$t$ = {t}" for t in steps])


def denoise_strip(theme: Theme) -> Figure:
    """Draw four images as they emerge from noise, each x_t above its own x̂_0; at t = T the exact one, which is the mean of the class."""
    seen: list[Step] = []
    config = SamplingConfig(seed=3, w=1.0, callback=lambda t, x, x0: seen.append((t, x, x0)))
    end = fashion.sample_classes(config, torch.tensor(SHOWN))
    images, labels = load_fashion("train")
    means = torch.stack([images[labels == label].mean(0) for label in SHOWN])
    steps = [(fashion.T, _noise(config.seed)(end.shape), means), *own_estimates(seen)]
    chosen = [steps[i] for i in (0, 1, 4, 8, 12, 15, 17, 20)]
    both = torch.stack([torch.stack([x, x0]) for _, x, x0 in chosen])  # (columns, 2, N, 1, 16, 16)
    rows = both.permute(2, 1, 0, 3, 4, 5).flatten(0, 1)
    return sheet(theme, rows, [f"$t$ = {t}" for t, _, _ in chosen], ["$x_t$", "$\\hat{x}_0$"] * len(SHOWN))


def samples(theme: Theme) -> Figure:
    """Draw the first twelve images of each class."""
    images = fashion.sample_classes(SamplingConfig(seed=0), torch.arange(120) // 12)
    return sheet(theme, images.view(10, 12, 1, 16, 16), [], list(CLASSES))


def guidance_grid(theme: Theme) -> Figure:
    """Draw the same noise for two classes at five w."""
    scales, labels = (0.0, 1.0, 1.5, 3.0, 5.0), torch.tensor([8] * 6 + [9] * 6)
    rows = [fashion.sample_classes(SamplingConfig(seed=4, w=w), labels) for w in scales]
    return sheet(theme, torch.stack(rows), [], [f"$w$ = {w:g}" for w in scales])


def emoji_grid(theme: Theme) -> Figure:
    """Draw emoji from their names, the last two in colours that were held out of training, from the same noise at three w."""
    model, scales = emoji.trained(), (1.0, 3.0, 5.0)
    ids = tokens(list(emoji.SHOWN))
    rows = [emoji.sample_images(model, ids, SamplingConfig(w=w, seed=0)) for w in scales]
    return sheet(theme, torch.stack(rows), [name.replace(" ", "\n") for name in emoji.SHOWN], [f"$w$ = {w:g}" for w in scales])


def sdedit_grid(theme: Theme) -> Figure:
    """Draw four sketches made of boxes, and what SDEdit makes of them from four t on."""
    sketches, starts = torch.full((len(SKETCHES), 1, 16, 16), -1.0), (300, 500, 700, 900)
    for sketch, boxes in zip(sketches, SKETCHES.values(), strict=True):
        for top, bottom, left, right in boxes:
            sketch[0, top:bottom, left:right] = 0.2
    eps_model, draw_noise = clothing(torch.tensor(list(SKETCHES))), _noise(1)
    columns = [sdedit(eps_model, sketches, fashion.ALPHA_BARS, even_path(t, 20), draw_noise) for t in starts]
    return sheet(theme, torch.stack([sketches, *columns], dim=1), ["sketch", *(f"$t$ = {t}" for t in starts)])


def inpainting_grid(theme: Theme) -> Figure:
    """Draw four real images, what is kept of them, and three ways to fill in the rest."""
    images, labels = load_fashion("test")
    x0 = torch.stack([images[labels == label][3] for label in SHOWN])
    known = torch.ones(16, 16)
    known[:, 8:] = 0
    eps_model, draw_noise = clothing(torch.tensor(SHOWN)), _noise(0)
    filled = [inpaint(eps_model, x0, known, fashion.ALPHA_BARS, even_path(fashion.T, 20), draw_noise) for _ in range(3)]
    return sheet(theme, torch.stack([x0, known * x0, *filled], dim=1), ["image", "kept", "filled in", "again", "again"])


def clothing(labels: Tensor, w: float = 1.5) -> EpsModel:
    """Return the shipped network's ε̂ for one class per image, by default with the guidance that `sample` uses."""
    null = torch.full_like(labels, fashion.NULL)
    return guided(fashion.trained(SHIPPED), fashion.ALPHA_BARS, "v", {"labels": labels}, {"labels": null}, w=w)


def _noise(seed: int) -> Callable[[tuple[int, ...]], Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return lambda shape: torch.randn(shape, generator=generator)


def sheet(theme: Theme, rows: Tensor, column_labels: list[str], row_labels: list[str] | None = None, left: float = 0.95) -> Figure:
    """Lay images out in a grid with labels above and to the left, where they have so many inches. # rows: (R, C, 1, 16, 16)"""
    R, C, side = rows.shape[0], rows.shape[1], rows.shape[-1]
    cell, gap = 96, 6
    scale = cell // side
    tiles = to_pixels(rows.flatten(0, 1)).repeat(scale, 1).repeat(scale, 2).reshape(R, C, cell, cell, 3)
    canvas = np.zeros((R * (cell + gap), C * (cell + gap), 4), np.uint8)  # transparent between the images
    for r in range(R):
        for c in range(C):
            y, x = r * (cell + gap), c * (cell + gap)
            canvas[y : y + cell, x : x + cell] = np.dstack([tiles[r, c], np.full((cell, cell), 255, np.uint8)])
    lines = max((1 + text.count("\n") for text in column_labels), default=0)
    left, above = (left if row_labels else 0.05), (0.15 + 0.15 * lines if lines else 0.05)  # inches
    wide, high = C * CELL, R * CELL
    figure = Figure(figsize=(left + wide, above + high))
    axes = figure.add_axes((left / (left + wide), 0, wide / (left + wide), high / (above + high)))
    axes.imshow(canvas, interpolation="none")
    axes.axis("off")
    for c, text in enumerate(column_labels):
        axes.text(c * (cell + gap) + cell / 2, -12, text, ha="center", va="bottom", color=theme.text, size=9.5 if lines == 1 else 8.5)
    for r, text in enumerate(row_labels or []):
        axes.text(-12, r * (cell + gap) + cell / 2, text, ha="right", va="center", color=theme.text)
    return figure
