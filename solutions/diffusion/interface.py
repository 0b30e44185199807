"""What a model's module is asked for: an `SamplingConfig` of images or of a training, and how it is filled.

Each module named in `models` has `sample(config) -> Tensor` (n, C, H, W) in [-1, 1] and `train(training) -> None`. What can't be
done is refused with `InvalidRequest`, in one line that names what is known.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from solutions.diffusion.errors import Interrupted
from solutions.diffusion.errors import InvalidRequest as InvalidRequest  # every module refuses with it
from solutions.diffusion.samplers import Callback, ddim_sample, ddpm_sample, even_path
from solutions.diffusion.schedules import Table, alpha_bars
from solutions.diffusion.store import SHIPPED, add_metrics, load_weights, save_weights, weights_metadata
from solutions.diffusion.train import DrawBatch, OptimiserStep, TrainingConfig, count
from solutions.diffusion.train import train as run_training


@dataclass(frozen=True)
class SamplingConfig:
    """Images, please. None leaves the choice to the model."""

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
class TrainingOptions:
    """Weights, please: into `out`, by way of a checkpoint in `checkpoints`."""

    minutes: float | None = None
    out: Path = Path("build/diffusion")
    checkpoints: Path = Path("build/diffusion")
    progress: bool = False
    command: str = ""


def run_sampler(
    config: SamplingConfig,
    eps_model: Callable[[Tensor, int], Tensor],
    shape: tuple[int, ...],
    betas: Table,
    *,
    steps: int = 20,
    clip: float | None = 1.0,
) -> Tensor:
    """Return what the ordered sampler makes of noise drawn with the order's seed; `steps` is for an order that names none. # shape"""
    generator = torch.Generator().manual_seed(config.seed)
    T, wanted = len(betas) - 1, config.steps

    def draw_noise(shape: tuple[int, ...]) -> Tensor:
        return torch.randn(shape, generator=generator)

    if config.sampler == "ddpm":
        if wanted not in (None, T):
            raise InvalidRequest(f"ddpm walks all {T} steps, not {wanted}: leave --steps out, or use --sampler ddim")
        return ddpm_sample(eps_model, draw_noise(shape), betas, draw_noise, clip=clip, callback=config.callback)  # type: ignore[no-any-return]
    if config.sampler == "ddim":
        wanted = steps if wanted is None else wanted
        if not 1 <= wanted <= T:
            raise InvalidRequest(f"{wanted} steps: known are 1 to {T}")
        path, bars = even_path(T, wanted), alpha_bars(betas)
        return ddim_sample(eps_model, draw_noise(shape), bars, path, draw_noise, eta=config.eta, clip=clip, callback=config.callback)  # type: ignore[no-any-return]
    raise InvalidRequest(f"no sampler `{config.sampler}`: known are ddim, ddpm")


def train_and_store(
    name: str,
    model: nn.Module,
    optimiser_steps: list[OptimiserStep],
    draw_batch: DrawBatch,
    config: TrainingConfig,
    training: TrainingOptions,
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
    run = run_training(
        model, optimiser_steps, draw_batch, config, checkpoint=checkpoint, minutes=training.minutes, progress=training.progress
    )
    if not run.finished:
        raise Interrupted(f"stopped after step {len(run.losses)}, saved in {checkpoint}: the same command goes on from there")
    last = run.losses[-100:]
    about = {
        "command": training.command,
        "config": asdict(config) | {"minutes": training.minutes},
        "previous_runs": {run: weights_metadata(run, training.out)["steps"] for run in before},
        "parameters": count(model),
        "threads": torch.get_num_threads(),
        "steps": len(run.losses),
        "seconds": round(run.seconds, 1),
        "loss": round(sum(last) / len(last), 5),
        "metrics": {},
    }
    save_weights(name, run.ema, about, training.out, bits)
    model.load_state_dict(load_weights(name, training.out))
    model.eval()
    add_metrics(name, figures() if figures else {}, training.out)
    checkpoint.unlink()
