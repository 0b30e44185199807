"""The figures made of boxes and arrows. See `catalogue`."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle
from torch import Tensor

from solutions.diffusion.figures.images import to_pixels
from solutions.diffusion.figures.theme import Theme
from solutions.diffusion.interface import SamplingConfig
from solutions.diffusion.models.emoji import model as emoji
from solutions.diffusion.models.emoji.text import tokens

Point = tuple[float, float]


def training_step(theme: Theme) -> Figure:
    """Draw what happens in one training step."""
    figure, axes = _canvas(9, 3.1)
    _box(axes, theme, (0.9, 2.5), "$x_0$\nan image")
    _box(axes, theme, (0.9, 1.5), "$t$\nany of 1..$T$")
    _box(axes, theme, (0.9, 0.5), "$\\varepsilon$\nnormal noise")
    _box(
        axes,
        theme,
        (3.4, 2.0),
        "$x_t=\\sqrt{\\bar{\\alpha}_t}\\,x_0+\\sqrt{1-\\bar{\\alpha}_t}\\,\\varepsilon$",
        width=2.4,
        edge=theme.blue,
    )
    _box(axes, theme, (6.0, 2.0), "U-Net\n$\\varepsilon_\\theta(x_t,t)$", width=1.2, edge=theme.orange)
    _box(axes, theme, (8.1, 1.2), "loss: mean of\n$(\\varepsilon-\\hat{\\varepsilon})^2$", edge=theme.green)
    for start, end in (((1.5, 2.5), (2.2, 2.2)), ((1.5, 1.5), (2.2, 1.9)), ((1.5, 0.6), (2.5, 1.65)), ((4.6, 2.0), (5.4, 2.0))):
        _arrow(axes, theme, start, end)
    _arrow(axes, theme, (1.5, 1.42), (5.6, 1.62), bend=0.12)
    _arrow(axes, theme, (6.6, 1.9), (7.5, 1.4))
    _arrow(axes, theme, (1.5, 0.42), (7.5, 0.9), bend=0.08)
    axes.text(7.15, 1.83, "$\\hat{\\varepsilon}$", size=13, color=theme.text)
    axes.text(4.5, 0.1, "the target is known: it was drawn", size=9.5, ha="center", color=theme.text)
    return figure


def latent_text_to_image(theme: Theme) -> Figure:
    """Draw the parts of a latent text-to-image system, with a caption, latents and an image of the emoji model."""
    model, prompt = emoji.trained(), "purple banana"
    z_T = torch.randn((1, *emoji.LATENT), generator=torch.Generator().manual_seed(0))  # as the sampler draws it
    z_0 = emoji.sample_latents(model, tokens([prompt]), SamplingConfig(seed=0))
    figure, axes = _canvas(9.6, 4.2)
    _box(axes, theme, (1.1, 3.6), f"“{prompt}”", width=1.9)
    _box(axes, theme, (3.5, 3.6), "text encoder", width=1.4, edge=theme.blue)
    _box(axes, theme, (6.0, 3.6), "tokens, one\nvector each", width=1.3)
    _picture(axes, theme, (1.1, 1.8), z_T[:, :3] / 2, "$z_T$: noise")
    axes.add_patch(FancyBboxPatch((2.35, 0.95), 3.95, 1.85, boxstyle="round,pad=0.02", fc="none", ec=theme.faint, ls="--"))
    _box(axes, theme, (3.4, 1.8), "U-Net, given $t$\n$\\hat{\\varepsilon}(z_t,t,$ text$)$", width=1.7, edge=theme.orange, height=0.9)
    _box(axes, theme, (5.4, 1.8), "sampler:\n$z_t\\to z_{t-1}$", width=1.4)
    _picture(axes, theme, (7.2, 1.8), z_0[:, :3] / 2, "$z_0$")
    _box(axes, theme, (8.75, 1.8), "VAE decoder", width=1.2, edge=theme.green)
    _picture(axes, theme, (8.75, 0.5), model.to_images(z_0), "")
    _box(axes, theme, (5.4, 0.3), "VAE encoder: image → $z_0$, in training only", width=3.6, height=0.42, edge=theme.green, dashed=True)
    for start, end in (((2.05, 3.6), (2.8, 3.6)), ((4.2, 3.6), (5.35, 3.6)), ((1.6, 1.8), (2.55, 1.8)), ((4.25, 1.8), (4.7, 1.8))):
        _arrow(axes, theme, start, end)
    for start, end in (((6.1, 1.8), (6.7, 1.8)), ((7.7, 1.8), (8.15, 1.8)), ((8.75, 1.48), (8.75, 0.98))):
        _arrow(axes, theme, start, end)
    _arrow(axes, theme, (5.7, 3.28), (3.8, 2.27), colour=theme.blue)
    axes.text(6.65, 2.75, "cross-attention: $K$ and $V$\nfrom words, $Q$ from places", size=9.5, color=theme.blue, va="center")
    _arrow(axes, theme, (5.4, 1.48), (3.4, 1.33), bend=-0.35)
    axes.text(2.45, 2.62, "$T$ times, or 20", size=9.5, color=theme.text)
    axes.text(0.3, 2.5, "guidance: run with\nand without the text,\nextrapolate by $w$", size=9.5, color=theme.orange)
    return figure


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.axis("off")
    return figure, axes


def _box(
    axes: Axes, theme: Theme, centre: Point, text: str, *, width: float = 1.2, height: float = 0.64, edge: str = "", dashed: bool = False
) -> None:
    x, y = centre
    shape = {"boxstyle": "round,pad=0.02,rounding_size=0.08", "linestyle": "--" if dashed else "-", "linewidth": 1.4}
    patch = FancyBboxPatch((x - width / 2, y - height / 2), width, height, facecolor=theme.box, edgecolor=edge or theme.faint, **shape)  # type: ignore[arg-type]
    axes.add_patch(patch)
    axes.text(x, y, text, ha="center", va="center", color=theme.text)


def _picture(axes: Axes, theme: Theme, centre: Point, image: Tensor, label: str, side: float = 0.9) -> None:
    """Show an image (1, C, H, W) in a frame, with a label below."""
    x, y = centre
    extent = (x - side / 2, x + side / 2, y - side / 2, y + side / 2)
    limits = axes.axis()
    axes.imshow(to_pixels(image)[0], extent=extent, interpolation="nearest", aspect="auto")
    axes.axis(limits)
    axes.add_patch(Rectangle(extent[::2], side, side, fill=False, edgecolor=theme.faint, linewidth=1.4))
    axes.text(x, extent[2] - 0.06, label, ha="center", va="top", color=theme.text)


def _arrow(axes: Axes, theme: Theme, start: Point, end: Point, *, bend: float = 0.0, colour: str = "") -> None:
    style = {"arrowstyle": "-|>", "color": colour or theme.text, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops={**style, "connectionstyle": f"arc3,rad={bend}"})
