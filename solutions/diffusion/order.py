"""What a model's module is asked for: an `Order` of pictures or of a training, and how an order of pictures is filled.

Each module named in `models` has `sample(order) -> Tensor` (n, C, H, W) in [-1, 1] and `train(training) -> None`. What can't be
done is refused with `Impossible`, in one line that names what is known.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from solutions.diffusion.samplers import Callback, ddim_sample, ddpm_sample, even_path
from solutions.diffusion.schedules import Table, alpha_bars
from solutions.diffusion.store import SHIPPED


class Impossible(ValueError):
    """What is asked for can't be done; the message is one line that names what is known."""


@dataclass(frozen=True)
class Order:
    """Pictures, please. None leaves the choice to the model."""

    prompt: str | None = None
    n: int = 64
    steps: int | None = None
    w: float | None = None
    sampler: str = "ddim"
    eta: float = 0.0
    seed: int = 0
    weights: Path = SHIPPED
    callback: Callback | None = None


@dataclass(frozen=True)
class Training:
    """Weights, please: into `out`, by way of checkpoints in `checkpoints`."""

    minutes: float | None = None
    out: Path = Path("build/diffusion")
    checkpoints: Path = Path("build/diffusion")
    progress: bool = False
    command: str = ""


def follow(
    order: Order,
    eps_model: Callable[[Tensor, int], Tensor],
    shape: tuple[int, ...],
    betas: Table,
    *,
    steps: int = 20,
    clip: float | None = 1.0,
) -> Tensor:
    """Return what the ordered sampler makes of noise drawn with the order's seed; `steps` is for an order that names none. # shape"""
    generator = torch.Generator().manual_seed(order.seed)
    T, wanted = len(betas) - 1, order.steps

    def draw_noise(shape: tuple[int, ...]) -> Tensor:
        return torch.randn(shape, generator=generator)

    if order.sampler == "ddpm":
        if wanted not in (None, T):
            raise Impossible(f"ddpm walks all {T} steps, not {wanted}: leave --steps out, or use --sampler ddim")
        return ddpm_sample(eps_model, draw_noise(shape), betas, draw_noise, clip=clip, callback=order.callback)  # type: ignore[no-any-return]
    if order.sampler == "ddim":
        wanted = steps if wanted is None else wanted
        if not 1 <= wanted <= T:
            raise Impossible(f"{wanted} steps: known are 1 to {T}")
        path, bars = even_path(T, wanted), alpha_bars(betas)
        return ddim_sample(eps_model, draw_noise(shape), bars, path, draw_noise, eta=order.eta, clip=clip, callback=order.callback)  # type: ignore[no-any-return]
    raise Impossible(f"no sampler `{order.sampler}`: known are ddim, ddpm")
