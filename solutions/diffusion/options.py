"""The options shared by every command that samples, and the `SamplingConfig` they describe."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from solutions.diffusion.errors import InvalidRequest
from solutions.diffusion.models.registry import MODELS

if TYPE_CHECKING:
    from solutions.diffusion.interface import SamplingConfig

PATH = click.Path(path_type=Path)
BUILD = Path("build/diffusion")
SAMPLING_OPTIONS = [
    click.option("--model", default="fashion", show_default=True, help="one of: " + ", ".join(n for n, m in MODELS.items() if m.draws)),
    click.option("--prompt", help="what to draw [default: a mix of everything]"),
    click.option("--steps", type=int, help="sampler steps [default: the model's own number]"),
    click.option("--w", type=float, help="guidance scale: 0 unconditional, 1 plain conditional [default: the model's own]"),
    click.option("--sampler", default="ddim", show_default=True, help="ddim, ddpm, dpm++ or heun"),
    click.option("--eta", default=0.0, show_default=True, help="noise added by ddim: 0 none, 1 as much as ddpm"),
    click.option("--seed", default=0, show_default=True, help="the same seed gives the same images"),
    click.option("--weights", type=PATH, help="folder with the weights [default: the shipped ones]"),
]


def sampling_options(command: Any) -> Any:
    """Add the sampling options to a command."""
    for option in reversed(SAMPLING_OPTIONS):
        command = option(command)
    return command


def sampling_config(n: int, out: Path, weights: Path | None, **options: Any) -> "SamplingConfig":
    """Return the config. Raise InvalidRequest for values that no model supports."""
    if not 1 <= n <= 4096:
        raise InvalidRequest(f"cannot draw {n} images: choose 1 to 4096")
    if out.suffix != ".png":
        raise InvalidRequest(f"`{out}` is not a .png file")
    if not 0 <= options["eta"] <= 1:
        raise InvalidRequest(f"eta is {options['eta']:g}: choose 0 to 1")
    if options["w"] is not None:
        require_finite(options["w"])
    from solutions.diffusion.interface import SamplingConfig
    from solutions.diffusion.store import SHIPPED

    return SamplingConfig(n=n, weights=weights or SHIPPED, **options)


def require_finite(w: float) -> None:
    """Raise InvalidRequest for a guidance scale that is no number or infinite."""
    if not math.isfinite(w):
        raise InvalidRequest(f"w is {w:g}: choose a finite number")
