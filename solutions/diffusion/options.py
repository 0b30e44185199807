"""The options that every command which draws has in common, and the order they amount to."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from solutions.diffusion.errors import InvalidRequest
from solutions.diffusion.models import MODELS

if TYPE_CHECKING:
    from solutions.diffusion.interface import SamplingConfig

PATH = click.Path(path_type=Path)
BUILD = Path("build/diffusion")
ASKED = [
    click.option("--model", default="fashion", show_default=True, help="one of: " + ", ".join(n for n, m in MODELS.items() if m.draws)),
    click.option("--prompt", help="what to draw; without it, of everything"),
    click.option("--steps", type=int, help="steps of the sampler; the model's own number, unless named"),
    click.option("--w", type=float, help="guidance: 0 unconditional, 1 plain conditional; the model's own, unless named"),
    click.option("--sampler", default="ddim", show_default=True, help="ddim or ddpm"),
    click.option("--eta", default=0.0, show_default=True, help="ddim's own noise: 0 none, 1 as much as ddpm"),
    click.option("--seed", default=0, show_default=True, help="the same seed gives the same images"),
    click.option("--weights", type=PATH, help="folder of weights; the shipped ones, unless named"),
]


def asked(command: Any) -> Any:
    """Give a command the options of an order."""
    for option in reversed(ASKED):
        command = option(command)
    return command


def sampling_config(n: int, out: Path, weights: Path | None, **asks: Any) -> "SamplingConfig":
    """Return the order, with what no model can do refused."""
    if not 1 <= n <= 4096:
        raise InvalidRequest(f"{n} images: known are 1 to 4096")
    if out.suffix != ".png":
        raise InvalidRequest(f"`{out}` is no image file: known is .png")
    if not 0 <= asks["eta"] <= 1:
        raise InvalidRequest(f"eta {asks['eta']:g}: known are 0 to 1")
    if asks["w"] is not None and not math.isfinite(asks["w"]):
        raise InvalidRequest(f"w {asks['w']:g}: known are finite numbers")
    from solutions.diffusion.interface import SamplingConfig
    from solutions.diffusion.store import SHIPPED

    return SamplingConfig(n=n, weights=weights or SHIPPED, **asks)
