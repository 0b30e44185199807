"""The command line: python -m solutions.diffusion sample | train | denoise | calls | figures | widgets | export-onnx | emoji-*.

Only this file prints and exits. Exit codes: 0 done, 1 not finished or missing, 2 an unknown or impossible request.
"""

import atexit
import gc
import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # no spinning is slow on an idle machine, long spinning on a busy one

import click

from solutions.diffusion.errors import Interrupted, InvalidRequest
from solutions.diffusion.models.registry import find
from solutions.diffusion.options import BUILD, PATH, require_finite, sampling_config, sampling_options


@click.group()
@click.option("--threads", type=click.IntRange(1), help="number of torch threads [default: torch's own choice]")
def main(threads: int | None) -> None:
    """Generate images by denoising, and train the models that do it."""
    atexit.register(gc.freeze)  # to look through all of torch at the end takes nearly half a second
    if threads:
        import torch

        torch.set_num_threads(threads)


@main.command()
@sampling_options
@click.option("--n", default=64, show_default=True, help="how many images")
@click.option("--out", default=BUILD / "grid.png", show_default=True, type=PATH, help="a .png")
def sample(model: str, n: int, out: Path, **options: Any) -> None:
    """Sample images and save them as a grid."""
    started = time.perf_counter()
    with reported_errors():
        config = sampling_config(n, out, **options)
        images = find(model, draws=True).sample(config)
        from solutions.diffusion.figures.images import grid, save_png

        save_png(grid(images, columns=math.ceil(n**0.5)), out)
    click.echo(f"{out}: {n} image{'s' if n > 1 else ''} in {time.perf_counter() - started:.1f} s")


@main.command()
@sampling_options
@click.option("--n", default=4, show_default=True, help="how many images")
@click.option("--frames", default=9, show_default=True, type=click.IntRange(2), help="columns of the strip")
@click.option("--out", default=BUILD / "denoise.png", show_default=True, type=PATH, help="a .png; the .gif goes next to it")
def denoise(model: str, n: int, frames: int, out: Path, **options: Any) -> None:
    """Show how images emerge from noise, as a strip (x_t above the x̂_0 that is made from it) and as an animation."""
    with reported_errors():
        from solutions.diffusion.figures.frames import animation, strip
        from solutions.diffusion.figures.images import save_gif, save_png

        seen: list[Any] = []
        find(model, draws=True).sample(sampling_config(n, out, callback=lambda *step: seen.append(step), **options))
        save_png(strip(seen, frames), out)
        save_gif(animation(seen), out.with_suffix(".gif"))
    click.echo(f"{out}, {out.with_suffix('.gif')}: {len(seen)} steps")


@main.command()
@click.argument("model")
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="how long to train [default: the model's own number of steps]")
@click.option("--out", default=BUILD, show_default=True, type=PATH, help="folder for the weights")
def train(model: str, minutes: float | None, out: Path) -> None:
    """Train MODEL from scratch. Ctrl-C saves a checkpoint; the same command resumes from it."""
    with reported_errors():
        module = find(model)
        from solutions.diffusion.interface import TrainingOptions

        command = f"python -m solutions.diffusion train {model}" + (f" --minutes {minutes:g}" if minutes else "") + f" --out {out}"
        module.train(TrainingOptions(minutes=minutes, out=out, progress=True, command=command))
    click.echo(out / f"{model}.safetensors")


@main.command()
@click.option("--n", default=500, show_default=True, type=click.IntRange(100, 4000), help="images to evaluate per row")
@click.option("--weights", type=PATH, help="folder with the weights [default: the shipped ones]")
def calls(n: int, weights: Path | None) -> None:
    """Measure the fashion model's quality over network calls, by sampler. The numbers go into the weights' .json."""
    with reported_errors():
        from solutions.diffusion.store import SHIPPED, add_metrics
        from solutions.diffusion.trade_offs import calls_table, quality_over_calls

        folder = weights or SHIPPED
        measured = quality_over_calls(n, folder)
        add_metrics("fashion", measured, folder)
        _print_table(calls_table(measured))


@main.command()
@click.argument("names", nargs=-1)
@click.option("--out", default=Path("lessons/12_diffusion/figures"), show_default=True, type=PATH, help="folder for the figures")
def figures(names: tuple[str, ...], out: Path) -> None:
    """Draw the lesson's figures (all, or only NAMES) for light and dark pages."""
    with reported_errors():
        from solutions.diffusion.figures.catalogue import draw_figures

        for path in draw_figures(names, out):
            click.echo(path)


@main.command()
@click.argument("model")
@click.argument("prompts", nargs=-1)
@click.option("--seed", default=0, show_default=True, help="the noise that all begin with")
@click.option("--out", default=Path("docs/images/film.png"), show_default=True, type=PATH, help="an animated .png")
def film(model: str, prompts: tuple[str, ...], seed: int, out: Path) -> None:
    """Draw the README's animation: what MODEL makes of one noise for each of PROMPTS. The last frame goes next to it."""
    with reported_errors():
        from solutions.diffusion.figures import film as films

        films.save_film(films.film(model, prompts, seed), out)
    click.echo(out)


@main.command()
@click.option("--out", default=Path("lessons/12_diffusion/widgets"), show_default=True, type=PATH, help="folder for the data")
def widgets(out: Path) -> None:
    """Write the data of the lesson's widgets: images, measurements and recorded runs of the sampler."""
    from solutions.diffusion.widgets import write

    for path in write(out):
        click.echo(path)


@main.command()
@click.argument("names", nargs=-1)
@click.option("--weights", type=PATH, help="folder with the weights [default: the shipped ones]")
@click.option("--out", default=Path("lessons/12_diffusion/widgets/models"), show_default=True, type=PATH, help="folder for the models")
def export_onnx(names: tuple[str, ...], weights: Path | None, out: Path) -> None:
    """Write the models that the lesson's page runs itself (all that have weights, or only NAMES), as ONNX graphs in scripts."""
    with reported_errors():
        from solutions.diffusion.drawings import there
        from solutions.diffusion.onnx_export import write
        from solutions.diffusion.store import SHIPPED

        folder = weights or SHIPPED
        for name in names or there(folder):
            for path in write(name, out, folder):
                click.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


@main.command()
def emoji_data() -> None:
    """Render the emoji that the emoji model learns from, from Debian's font and Unicode's names."""
    with reported_errors():
        from solutions.diffusion.models.emoji.data import FILE, make_files

        click.echo(f"{FILE}: {make_files()} emoji")


@main.command()
@click.argument("prompts", nargs=-1, required=True)
@click.option("--w", "scales", multiple=True, type=float, default=(1.0, 3.0, 5.0), show_default=True, help="guidance scales, a row each")
@click.option("--seed", default=0, show_default=True, help="the same seed gives the same images")
@click.option("--weights", type=PATH, help="folder with the weights [default: the shipped ones]")
@click.option("--out", default=BUILD / "emoji.png", show_default=True, type=PATH, help="a .png")
def emoji_grid(prompts: tuple[str, ...], scales: tuple[float, ...], seed: int, weights: Path | None, out: Path) -> None:
    """Draw an emoji for each of PROMPTS, from the same noise at several w: a column for each prompt, a row for each w."""
    with reported_errors():
        import torch

        model = find("emoji")
        from solutions.diffusion.figures.images import grid, save_png

        prompt, columns = ",".join(prompts), sum(1 + each.count(",") for each in prompts)  # a prompt with a comma is two
        configs = [sampling_config(columns, out, weights, eta=0, w=w, seed=seed, prompt=prompt) for w in scales]
        save_png(grid(torch.cat([model.sample(config) for config in configs]), columns, cell=96), out)
    click.echo(out)


@main.command()
@click.option("--w", "scales", multiple=True, type=float, default=(1.0, 2.0, 3.0, 5.0), show_default=True, help="guidance scales")
@click.option("--weights", type=PATH, help="folder with the weights [default: the shipped ones]")
def emoji_measure(scales: tuple[float, ...], weights: Path | None) -> None:
    """Measure the emoji model: names recognised, unseen colour–noun pairs and copies. The numbers go into the weights' .json."""
    with reported_errors():
        from solutions.diffusion.models.emoji.classifier import load_classifier
        from solutions.diffusion.models.emoji.measures import measure, table
        from solutions.diffusion.models.emoji.model import NAME, trained
        from solutions.diffusion.store import SHIPPED, add_metrics

        for w in scales:
            require_finite(w)
        folder = weights or SHIPPED
        measured = measure(trained(folder), load_classifier(folder), scales)
        add_metrics(NAME, measured, folder)
        _print_table(table(measured))


@contextmanager
def reported_errors() -> Iterator[None]:
    """Turn an error into one line on standard error and an exit code: 2 for an invalid request, 1 for unfinished or missing work."""
    try:
        yield
    except InvalidRequest as error:
        _end(f"error: {error}", 2)
    except Interrupted as error:
        _end(f"{error}", 1)
    except OSError as error:  # no such weights, or nowhere to write
        _end(f"error: {error}", 1)


def _print_table(rows: list[list[str]]) -> None:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _end(line: str, code: int) -> None:
    click.echo(line, err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
