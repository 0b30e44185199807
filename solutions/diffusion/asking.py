"""The options that every command which draws has in common, and the order they amount to."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from solutions.diffusion.models import MODELS
from solutions.diffusion.refusals import Impossible

if TYPE_CHECKING:
    from solutions.diffusion.order import Order

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


def order_of(n: int, out: Path, weights: Path | None, **asks: Any) -> "Order":
    """Return the order, with what no model can do refused."""
    if not 1 <= n <= 4096:
        raise Impossible(f"{n} pictures: known are 1 to 4096")
    if out.suffix != ".png":
        raise Impossible(f"`{out}` is no picture file: known is .png")
    if not 0 <= asks["eta"] <= 1:
        raise Impossible(f"eta {asks['eta']:g}: known are 0 to 1")
    if asks["w"] is not None and not math.isfinite(asks["w"]):
        raise Impossible(f"w {asks['w']:g}: known are finite numbers")
    from solutions.diffusion.order import Order
    from solutions.diffusion.store import SHIPPED

    return Order(n=n, weights=weights or SHIPPED, **asks)
