"""The command: python -m solutions.diffusion sample | train | denoise | compare | figures.

Only this file prints and exits. 0 is done, 1 not finished, 2 something unknown or impossible was asked for.
"""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # on a busy machine threads that spin are twice as slow; read when torch loads

import click

from solutions.diffusion.models import MODELS

Weights = click.option("--weights", type=click.Path(path_type=Path), help="folder of weights; those shipped, unless named")


@click.group()
@click.option("--threads", type=click.IntRange(1), help="threads for torch; it chooses unless told")
def main(threads: int | None) -> None:
    """Generate pictures by denoising, and train what does it."""
    if threads:
        import torch

        torch.set_num_threads(threads)


@main.command()
@click.argument("model")
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="how long; else the model's own number of steps")
@click.option("--out", default=Path("build/diffusion"), show_default=True, type=click.Path(path_type=Path), help="folder for the weights")
def train(model: str, minutes: float | None, out: Path) -> None:
    """Train MODEL from nothing. Ctrl-C saves, the same command goes on."""
    module = _module(model)
    from solutions.diffusion.order import Training

    command = f"python -m solutions.diffusion train {model}" + (f" --minutes {minutes:g}" if minutes else "")
    module.train(Training(minutes=minutes, out=out, progress=True, command=command))
    click.echo(f"{out / model}.safetensors")


def _module(name: str, draws: bool = False) -> Any:
    """Return the module of the model so named."""
    known = [each for each, model in MODELS.items() if model.draws or not draws]
    if name not in known:
        from solutions.diffusion.order import Impossible

        raise Impossible(f"no model `{name}`: known are {', '.join(known)}")
    return import_module(MODELS[name].module)


if __name__ == "__main__":
    main()
