"""What a model's module is asked for: an `Order` of pictures or of a training, and how it is filled.

Each module named in `models` has `sample(order) -> Tensor` (n, C, H, W) in [-1, 1] and `train(training) -> None`. What can't be
done is refused with `Impossible`, in one line that names what is known.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from solutions.diffusion.refusals import Impossible as Impossible  # every module refuses with it
from solutions.diffusion.refusals import Interrupted
from solutions.diffusion.samplers import Callback, ddim_sample, ddpm_sample, even_path
from solutions.diffusion.schedules import Table, alpha_bars
from solutions.diffusion.store import SHIPPED, about_weights, add_figures, load_weights, save_weights
from solutions.diffusion.train import Config, DrawBatch, Turn, count
from solutions.diffusion.train import train as run_training


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
    """Weights, please: into `out`, by way of a checkpoint in `checkpoints`."""

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


def train_and_store(
    name: str,
    model: nn.Module,
    turns: list[Turn],
    draw_batch: DrawBatch,
    config: Config,
    training: Training,
    figures: Callable[[], dict[str, Any]] | None = None,
    bits: int = 16,
    before: Sequence[str] = (),
) -> None:
    """Train the model, leave it with its averaged weights as written, and write them as `name`, in `bits`, with their .json.

    `figures()` is called on the model as it was written, rounded, for what is to be said of it; `before` names the runs, kept in
    `training.out`, whose weights this one started from or needed, and their steps are noted. A finished run's checkpoint is removed; an
    interrupted one's is kept for the rerun, and its weights are not written.
    """
    checkpoint = training.checkpoints / f"{name}.checkpoint.pt"
    run = run_training(model, turns, draw_batch, config, checkpoint=checkpoint, minutes=training.minutes, progress=training.progress)
    if not run.finished:
        raise Interrupted(f"stopped after step {len(run.losses)}, saved in {checkpoint}: the same command goes on from there")
    last = run.losses[-100:]
    about = {
        "command": training.command,
        "config": asdict(config) | {"minutes": training.minutes},
        "before": {run: about_weights(run, training.out)["steps"] for run in before},
        "parameters": count(model),
        "threads": torch.get_num_threads(),
        "steps": len(run.losses),
        "seconds": round(run.seconds, 1),
        "loss": round(sum(last) / len(last), 5),
        "figures": {},
    }
    save_weights(name, run.ema, about, training.out, bits)
    model.load_state_dict(load_weights(name, training.out))
    model.eval()
    add_figures(name, figures() if figures else {}, training.out)
    checkpoint.unlink()
