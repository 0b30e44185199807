"""The figures that are curves, computed from the formulas or from what `trade_offs` measured. See `catalogue`."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from solutions.diffusion.exact import ONE_PIXEL, TWO_PIXELS, average_image, exact_eps, image_posterior
from solutions.diffusion.figures.theme import Theme
from solutions.diffusion.forward import Array
from solutions.diffusion.guidance import guide
from solutions.diffusion.losses import MinSnrLoss
from solutions.diffusion.samplers import ddim_sample, ddpm_sample, even_path
from solutions.diffusion.schedules import alpha_bars, cosine_betas, linear_betas, snr
from solutions.diffusion.store import weights_metadata

T = 1000


def schedules(theme: Theme) -> Figure:
    """Draw ᾱ_t and the signal-to-noise ratio of two schedules."""
    figure, (left, right) = _panels(2)
    for name, betas, colour in (("linear", linear_betas(T), theme.blue), ("cosine", cosine_betas(T), theme.orange)):
        bars = alpha_bars(betas)
        left.plot(bars, color=colour, label=name)
        right.plot(np.arange(1, T + 1), snr(bars)[1:], color=colour, label=name)
    _name(left, "what is left of the image", "$t$", "$\\bar{\\alpha}_t$")
    _name(right, "signal-to-noise ratio", "$t$", "$\\bar{\\alpha}_t\\,/\\,(1-\\bar{\\alpha}_t)$")
    right.set_yscale("log")
    right.axhline(1, color=theme.faint, linewidth=1)
    left.legend()
    return figure


def what_is_predicted(theme: Theme) -> Figure:
    """Draw x_0, ε, x_t and v as directions, and the weight of an error of x̂_0 in four losses."""
    figure, (left, right) = _panels(2)
    angle = np.radians(35)
    arc = np.linspace(0, np.pi / 2, 50)
    left.plot(np.cos(arc), np.sin(arc), color=theme.faint, linewidth=1)
    x_t, v = (np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))
    ends = {"$x_0$": (1.0, 0.0), "$\\varepsilon$": (0.0, 1.0), "$x_t$": x_t, "$v$": v}
    for (text, (x, y)), colour in zip(ends.items(), (theme.text, theme.text, theme.blue, theme.orange), strict=True):
        left.annotate("", (x, y), (0, 0), arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 2, "shrinkA": 0, "shrinkB": 0})
        left.text(1.13 * x, 1.13 * y, text, color=colour, size=15, ha="center", va="center")
    left.text(0.3, 0.08, "$\\phi$", color=theme.blue, size=13)
    left.text(0.62, 0.95, "$\\cos\\phi=\\sqrt{\\bar{\\alpha}_t}$")
    left.set(xlim=(-0.8, 1.3), ylim=(-0.15, 1.25), aspect="equal")
    left.axis("off")
    bars = alpha_bars(cosine_betas(T))
    ratio, t = snr(bars)[1:], np.arange(1, T + 1)
    least = MinSnrLoss(bars).weights()[1:] * (ratio + 1)
    weights = {"$\\varepsilon$: SNR": ratio, "$v$: SNR + 1": ratio + 1, "min(SNR, 5)": least, "$x_0$: 1": np.ones(T)}
    for (name, weight), colour in zip(weights.items(), (theme.blue, theme.orange, theme.green, theme.text), strict=True):
        right.plot(t, weight, color=colour, label=name, linestyle="--" if "min" in name else "-")
    right.set_yscale("log")
    right.set_ylim(1e-4, 1e5)
    right.legend(loc="upper right", fontsize=9.5)
    _name(right, "weight of the same error of $\\hat{x}_0$", "$t$ (cosine schedule)", "weight")
    return figure


def guidance_curve(theme: Theme) -> Figure:
    """Draw the Fréchet distance, and coverage and class accuracy, over w."""
    found = weights_metadata("fashion")["metrics"]["by w, 20 ddim steps"]
    w = [float(each) for each in found]
    figure, (left, right) = _panels(2)
    left.plot(w, [each["fd"] for each in found.values()], "o-", color=theme.blue)
    _name(left, "Fréchet distance (lower is better)", "guidance $w$", "")
    left.set_yscale("log")
    left.set_ylim(2, 100)
    left.set_yticks([2, 5, 10, 20, 50, 100], ["2", "5", "10", "20", "50", "100"])
    left.minorticks_off()
    right.plot(w, [each["agreement"] for each in found.values()], "o-", color=theme.orange, label="class accuracy")
    right.plot(w, [each["coverage"] for each in found.values()], "s-", color=theme.green, label="coverage")
    _name(right, "sure of its class, or diverse", "guidance $w$", "")
    right.set_ylim(0, 1.02)
    right.legend(loc="lower right")
    return figure


def steps_curve(theme: Theme) -> Figure:
    """Draw the Fréchet distance over the number of DDIM steps."""
    found = weights_metadata("fashion")["metrics"]["by ddim steps, w = 1"]
    figure = Figure(figsize=(4.8, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.plot([int(each) for each in found], [each["fd"] for each in found.values()], "o-", color=theme.blue)
    axes.set_xscale("log")
    axes.set_xticks([int(each) for each in found], list(found))
    axes.minorticks_off()
    axes.set_ylim(0)
    _name(axes, "quality against steps", "DDIM steps", "Fréchet distance")
    return figure


def one_dimension(theme: Theme) -> Figure:
    """Draw two images of one pixel, black and white: which of them a noisy value came from, the average x̂_0, and the way back."""
    betas = linear_betas(T)
    bars, images, x_t, shown = alpha_bars(betas), np.array(ONE_PIXEL), 0.6, 500
    figure, (left, middle, right) = _panels(3, size=(10, 3.2))
    x, variance = np.linspace(-3.5, 3.5, 400), 1 - bars[shown]
    for image, colour, name in ((-1, theme.text, "black"), (1, theme.orange, "white")):
        density = np.exp(-((x - bars[shown] ** 0.5 * image) ** 2) / (2 * variance)) / (2 * np.pi * variance) ** 0.5
        left.plot(x, density, color=colour, label=name)
    left.axvline(x_t, color=theme.blue, linewidth=1, linestyle="--")
    black, white = image_posterior([x_t], bars[shown], images)
    left.text(x_t + 0.1, 0.49, f"$x_t$ = {x_t}: white\n{white:.2f}, black {black:.2f}", color=theme.blue, size=9.5, va="top")
    left.set_ylim(0, 0.5)
    left.legend(loc="upper left", fontsize=9.5)
    _name(left, f"how likely each $x_t$ is, $t$ = {shown}", "$x_t$", "density, given the image")
    for t, line in ((900, ":"), (shown, "-"), (100, "--")):
        middle.plot(x, average_image(x[:, None], bars[t], images), line, color=theme.blue, label=f"$t$ = {t}")
    middle.plot(x_t, average_image([x_t], bars[shown], images), "o", color=theme.orange)
    middle.legend(loc="upper left", fontsize=9.5)
    _name(middle, "their average, $\\hat{x}_0$", "$x_t$", "$P$(white) − $P$(black)")
    rng = np.random.default_rng(2)
    ways = [rng.standard_normal((16, 1))]

    def eps_model(x: Array, t: int) -> Array:
        return exact_eps(x, bars[t], images, std=0.0)

    ddpm_sample(eps_model, ways[0], betas, rng.standard_normal, callback=lambda t, x, x0: ways.append(x))
    right.plot(np.arange(T, -1, -4), np.hstack(ways).T[::4], color=theme.blue, linewidth=0.6, alpha=0.7)
    right.invert_xaxis()
    _name(right, "many steps commit to one", "$t$", "$x_t$")
    return figure


def one_step(theme: Theme) -> Figure:
    """Draw one forward step of a pixel as arrows: the signal shrinks, noise moves it; and the results of two mistakes."""
    x, beta, eps = 0.8, 0.1, -0.3
    signal, unrooted = (1 - beta) ** 0.5 * x, (1 - beta) * x
    result, noise_mistake, signal_mistake = signal + beta**0.5 * eps, signal + beta * eps, unrooted + beta**0.5 * eps
    rows = (
        (0.0, x, "$x$ = 0.8", theme.text, "-"),
        (0.0, signal, f"shrunk to {signal:.3f}", theme.text, "-"),
        (signal, result, f"noise moves it to {result:.3f}", theme.blue, "-"),
        (signal, noise_mistake, f"with $\\beta$ for $\\sqrt{{\\beta}}$: {noise_mistake:.3f}", theme.orange, "--"),
        (unrooted, signal_mistake, f"with $1-\\beta$ for its root: {signal_mistake:.3f}", theme.orange, "--"),
    )
    figure, axes = _panels(1, size=(7, 2.8))
    for row, (start, end, words, colour, line) in enumerate(rows):
        axes.plot([start, end], [-row, -row], line, color=colour)
        axes.plot(end, -row, "o", color=colour)
        axes.text(0.84, -row, words, color=colour, size=9.5, va="center")
    axes.set(xlim=(0, 1.2), ylim=(-4.6, 0.6))
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8])
    axes.set_yticks([])
    _name(axes, "", "the pixel's value", "")
    return figure


def average(theme: Theme) -> Figure:
    """Draw how likely each x_t is if an image of one pixel is black or white, at three t, and the average of both at one x_t."""
    bars, x_t, x = alpha_bars(linear_betas(T)), 0.6, np.linspace(-3, 3, 601)
    figure, panels = _panels(3, size=(9, 2.6))
    for axes, t in zip(panels, (900, 500, 100), strict=True):
        for (image,), colour, name in zip(ONE_PIXEL, (theme.text, theme.orange), ("if black", "if white"), strict=True):
            axes.plot(x, np.exp(-((x - bars[t] ** 0.5 * image) ** 2) / (2 * (1 - bars[t]))), color=colour, label=name)
        axes.axvline(x_t, ymax=0.72, color=theme.blue, linewidth=1, linestyle="--")
        black, white = image_posterior([x_t], bars[t], ONE_PIXEL)
        found = average_image([x_t], bars[t], ONE_PIXEL)[0]
        axes.set_ylim(0, 1.9)
        axes.set_yticks([])
        axes.text(0.98, 0.97, f"white {white:.2f}, black {black:.2f}\naverage {found:.2f}", transform=axes.transAxes, color=theme.blue,
                  size=9.5, ha="right", va="top")  # fmt: skip
        _name(axes, f"$t$ = {t}", "$x_t$", "")
    panels[0].legend(loc="upper left", fontsize=9.5)
    return figure


def field(theme: Theme) -> Figure:
    """Draw a plane of images of two pixels, five of them possible: from each x_t an arrow towards the average, and ways back from noise."""
    bars, images = alpha_bars(linear_betas(T)), np.array(TWO_PIXELS)
    grid = np.stack(np.meshgrid(np.linspace(-2, 2, 9), np.linspace(-2, 2, 9)), axis=-1).reshape(-1, 2)

    def eps_model(x: Array, t: int) -> Array:
        return exact_eps(x, bars[t], images, std=0.0)

    ways = [np.random.default_rng(6).standard_normal((12, 2))]
    ddim_sample(eps_model, ways[0], bars, even_path(T, 100), clip=None, callback=lambda t, x, x0: ways.append(x))
    figure, panels = _panels(3, size=(9, 3.4))
    for axes, t in zip(panels, (600, 200, 10), strict=True):
        axes.quiver(*grid.T, *-eps_model(grid, t).T, color=theme.faint, angles="xy", pivot="tail", width=0.006)
        axes.plot(*np.moveaxis(np.stack(ways)[: 101 - t // 10], -1, 0), color=theme.blue, linewidth=1)
        axes.scatter(*ways[100 - t // 10].T, s=16, color=theme.blue, zorder=3)
        axes.scatter(*images.T, s=50, color=theme.orange, zorder=2)
        axes.set(title=f"$t$ = {t}", xlim=(-2.4, 2.4), ylim=(-2.4, 2.4), aspect="equal")
        axes.axis("off")
    return figure


def guidance_plane(theme: Theme) -> Figure:
    """Draw DDIM trajectories under guidance between two classes of two clusters each, with their exact ε̂."""
    bars = alpha_bars(cosine_betas(T - 1))[:T]  # T − 1 steps: ᾱ_T itself is nearly 0
    ours, other = np.array([[-0.9, 0.1], [-0.1, 0.9]]), np.array([[0.1, -0.9], [0.9, -0.1]])
    start = np.random.default_rng(5).standard_normal((40, 2))
    figure, panels = _panels(3, size=(9, 3.4))
    for axes, w in zip(panels, (0, 1, 4), strict=True):
        trajectory = [start]

        def eps_model(x: Array, t: int, w: float = w) -> Array:
            return guide(exact_eps(x, bars[t], np.vstack([ours, other])), exact_eps(x, bars[t], ours), w)

        def record(t: int, x: Array, x0: Array, trajectory: list[Array] = trajectory) -> None:
            trajectory.append(x)

        ddim_sample(eps_model, start, bars, even_path(T - 2, 60), clip=None, callback=record)
        points = np.stack(trajectory)  # (61, 40, 2)
        axes.plot(points[:, :, 0], points[:, :, 1], color=theme.blue, linewidth=0.6, alpha=0.6)
        axes.scatter(*points[-1].T, s=14, color=theme.orange, zorder=2)
        axes.scatter(*ours.T, s=40, color=theme.text, zorder=3)
        axes.scatter(*other.T, s=40, facecolors="none", edgecolors=theme.text, linewidths=1.5, zorder=3)
        axes.set(title=f"$w$ = {w}", xlim=(-2.4, 2.4), ylim=(-2.4, 2.4), aspect="equal", xticks=[], yticks=[])
        axes.axis("off")
    return figure


def _panels(count: int, size: tuple[float, float] = (8, 3.2)) -> tuple[Figure, Any]:
    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(1, count)


def _name(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.grid(True)
