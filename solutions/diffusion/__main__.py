"""The command: python -m solutions.diffusion sample | train | denoise | compare | figures.

Only this file prints and exits. 0 is done, 1 not finished, 2 something unknown or impossible was asked for.
"""

import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # on a busy machine threads that spin are twice as slow; read when torch loads

import click

from solutions.diffusion.models import MODELS

PATH = click.Path(path_type=Path)
BUILD = Path("build/diffusion")
ASKED = [
    click.option("--model", default="fashion", show_default=True, help="one of: " + ", ".join(n for n, m in MODELS.items() if m.draws)),
    click.option("--prompt", help="what to draw; without it, of everything"),
    click.option("--steps", type=int, help="steps of the sampler; the model's own number, unless named"),
    click.option("--w", type=float, help="guidance: 0 unconditional, 1 plain conditional; the model's own, unless named"),
    click.option("--sampler", default="ddim", show_default=True, help="ddim or ddpm"),
    click.option("--eta", default=0.0, show_default=True, help="ddim's own noise: 0 none, 1 as much as ddpm"),
    click.option("--seed", default=0, show_default=True, help="the same seed gives the same pictures"),
    click.option("--weights", type=PATH, help="folder of weights; the shipped ones, unless named"),
]


def asked(command: Any) -> Any:
    """Give a command the options of an order."""
    for option in reversed(ASKED):
        command = option(command)
    return command


@click.group()
@click.option("--threads", type=click.IntRange(1), help="threads for torch; it chooses, unless told")
def main(threads: int | None) -> None:
    """Generate pictures by denoising, and train what does it."""
    if threads:
        import torch

        torch.set_num_threads(threads)


@main.command()
@asked
@click.option("--n", default=64, show_default=True, help="how many pictures")
@click.option("--out", default=BUILD / "grid.png", show_default=True, type=PATH, help="a .png")
def sample(model: str, n: int, out: Path, **asks: Any) -> None:
    """Draw a grid of pictures."""
    started = time.perf_counter()
    with refusals():
        order = _order(n, out, **asks)
        pictures = _module(model, draws=True).sample(order)
    from solutions.diffusion.pictures import grid, save_png

    save_png(grid(pictures, columns=math.ceil(n**0.5)), out)
    click.echo(f"{out}: {n} pictures in {time.perf_counter() - started:.1f} s")


@main.command()
@asked
@click.option("--n", default=4, show_default=True, help="how many pictures")
@click.option("--frames", default=9, show_default=True, type=click.IntRange(2), help="columns of the strip")
@click.option("--out", default=BUILD / "denoise.png", show_default=True, type=PATH, help="a .png; the .gif is put beside it")
def denoise(model: str, n: int, frames: int, out: Path, **asks: Any) -> None:
    """Show pictures come out of noise: a strip (x_t above what it is taken for, x̂_0) and an animation."""
    with refusals():
        from solutions.diffusion.frames import animation, strip
        from solutions.diffusion.pictures import save_gif, save_png

        seen: list[Any] = []
        _module(model, draws=True).sample(_order(n, out, callback=lambda *step: seen.append(step), **asks))
        save_png(strip(seen, frames), out)
        save_gif(animation(seen), out.with_suffix(".gif"))
    click.echo(f"{out}, {out.with_suffix('.gif')}: {len(seen)} steps")


@main.command()
@click.argument("model")
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="how long; else the model's own number of steps")
@click.option("--out", default=BUILD, show_default=True, type=PATH, help="folder for the weights")
def train(model: str, minutes: float | None, out: Path) -> None:
    """Train MODEL from nothing. Ctrl-C saves, the same command goes on."""
    with refusals():
        module = _module(model)
        from solutions.diffusion.order import Training

        command = f"python -m solutions.diffusion train {model}" + (f" --minutes {minutes:g}" if minutes else "") + f" --out {out}"
        module.train(Training(minutes=minutes, out=out, progress=True, command=command))
    click.echo(out / f"{model}.safetensors")


@main.command()
@click.option("--minutes", default=1.0, show_default=True, type=click.FloatRange(min=0, min_open=True), help="training of each model")
@click.option("--n", default=2000, show_default=True, type=click.IntRange(100, 4000), help="pictures measured of each")
@click.option("--shipped", is_flag=True, help="train nothing: show what was measured for the lesson")
@click.option("--out", default=BUILD / "compare.svg", show_default=True, type=PATH, help="the plot; the figures go into a .json beside it")
def compare(minutes: float, n: int, shipped: bool, out: Path) -> None:
    """Train VAE, GAN and diffusion alike, three seeds each, and compare them."""
    import json

    from solutions.diffusion import compare as families

    if not shipped:
        out.parent.mkdir(parents=True, exist_ok=True)
        families.compare(minutes, out.with_suffix(".json"), n, progress=True)
    figures = json.loads((families.FILE if shipped else out.with_suffix(".json")).read_text(encoding="utf-8"))
    rows = families.table(figures)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    out.parent.mkdir(parents=True, exist_ok=True)
    families.plot(figures, out)
    click.echo(out)


@main.command()
@click.argument("names", nargs=-1)
@click.option("--out", default=Path("lessons/12_diffusion/figures"), show_default=True, type=PATH, help="folder for the figures")
def figures(names: tuple[str, ...], out: Path) -> None:
    """Draw the lesson's figures, all or the NAMES given, light and dark."""
    with refusals():
        from solutions.diffusion.figures import draw_figures

        for path in draw_figures(names, out):
            click.echo(path)


@contextmanager
def refusals() -> Iterator[None]:
    """End with one line on standard error: code 2 for what can't be done, 1 for what isn't finished or missing."""
    from solutions.diffusion.order import Impossible, Interrupted

    try:
        yield
    except Impossible as refusal:
        _end(f"error: {refusal}", 2)
    except Interrupted as end:
        _end(f"{end}", 1)
    except FileNotFoundError as missing:
        _end(f"error: {missing}", 1)


def _end(line: str, code: int) -> None:
    click.echo(line, err=True)
    sys.exit(code)


def _order(n: int, out: Path, weights: Path | None, **asks: Any) -> Any:
    """Return the order, with what no model can do refused."""
    from solutions.diffusion.order import Impossible, Order
    from solutions.diffusion.store import SHIPPED

    if not 1 <= n <= 4096:
        raise Impossible(f"{n} pictures: known are 1 to 4096")
    if out.suffix != ".png":
        raise Impossible(f"`{out}` is no picture file: known is .png")
    return Order(n=n, weights=weights or SHIPPED, **asks)


def _module(name: str, draws: bool = False) -> Any:
    """Return the module of the model so named."""
    from solutions.diffusion.order import Impossible

    known = [each for each, model in MODELS.items() if model.draws or not draws]
    if name not in known:
        raise Impossible(f"no model `{name}`: known are {', '.join(known)}")
    return import_module(MODELS[name].module)


if __name__ == "__main__":
    main()
