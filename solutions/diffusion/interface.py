"""What every model's module implements, and the code they share.

Each module listed in `models.registry` has `sample(config) -> Tensor` (n, C, H, W) in [-1, 1] and `train(options) -> None`. A request that
cannot be met raises `InvalidRequest`, with one line that lists the valid choices.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from solutions.diffusion.errors import Interrupted
from solutions.diffusion.errors import InvalidRequest as InvalidRequest  # every module raises it
from solutions.diffusion.flow import heun_on_schedule
from solutions.diffusion.samplers import Callback, ddim_sample, ddpm_sample, dpm_sample, even_path
from solutions.diffusion.schedules import Table, alpha_bars
from solutions.diffusion.store import SHIPPED, add_metrics, load_weights, save_weights, weights_metadata
from solutions.diffusion.train import DrawBatch, OptimiserStep, TrainingConfig, count
from solutions.diffusion.train import train as run_training

SAMPLERS = ("ddim", "ddpm", "dpm++", "heun")


@dataclass(frozen=True)
class SamplingConfig:
    """What to sample and how. None leaves the choice to the model."""

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
    """How long to train, and where to write the weights (`out`) and the checkpoints."""

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
    """Sample from noise of this shape, drawn with the config's seed; `steps` is the default number of steps. # shape"""
    generator = torch.Generator().manual_seed(config.seed)
    T, chosen = len(betas) - 1, config.steps

    def draw_noise(shape: tuple[int, ...]) -> Tensor:
        return torch.randn(shape, generator=generator)

    if config.sampler not in SAMPLERS:
        raise InvalidRequest(f"unknown sampler `{config.sampler}`: choose from {', '.join(SAMPLERS)}")
    if config.eta and config.sampler != "ddim":
        raise InvalidRequest(f"eta is for ddim, not for {config.sampler}: omit --eta")
    x, callback = draw_noise(shape), config.callback
    if config.sampler == "ddpm":
        if chosen not in (None, T):
            raise InvalidRequest(f"ddpm always takes {T} steps, not {chosen}: omit --steps, or choose another --sampler")
        return ddpm_sample(eps_model, x, betas, draw_noise, clip=clip, callback=callback)  # type: ignore[no-any-return]
    chosen = steps if chosen is None else chosen
    if not 1 <= chosen <= T:
        raise InvalidRequest(f"cannot sample in {chosen} steps: choose 1 to {T}")
    path, bars = even_path(T, chosen), alpha_bars(betas)
    if config.sampler == "dpm++":
        return dpm_sample(eps_model, x, bars, path, clip=clip, callback=callback)  # type: ignore[no-any-return]
    if config.sampler == "heun":
        return heun_on_schedule(eps_model, x, bars, path, clip=clip, callback=callback)  # type: ignore[no-any-return]
    return ddim_sample(eps_model, x, bars, path, draw_noise, eta=config.eta, clip=clip, callback=callback)  # type: ignore[no-any-return]


def train_and_store(
    name: str,
    model: nn.Module,
    optimiser_steps: list[OptimiserStep],
    draw_batch: DrawBatch,
    config: TrainingConfig,
    options: TrainingOptions,
    metrics: Callable[[], dict[str, Any]] | None = None,
    bits: int = 16,
    previous_runs: Sequence[str] = (),
) -> None:
    """Train the model, write its averaged weights as `name` (in `bits`, with a .json), and load them back into it.

    `metrics()` is called with those rounded weights loaded, and its result goes into the .json. `previous_runs` names earlier runs
    in `options.out` whose weights this one started from; their steps are recorded. The checkpoint of a finished run is deleted. An
    interrupted run keeps its checkpoint, so that it can be resumed, and writes no weights.
    """
    checkpoint = options.checkpoints / f"{name}.checkpoint.pt"
    run = run_training(
        model, optimiser_steps, draw_batch, config, checkpoint=checkpoint, minutes=options.minutes, progress=options.progress
    )
    if not run.finished:
        raise Interrupted(f"stopped after step {len(run.losses)}, saved in {checkpoint}: run the same command to resume")
    last = run.losses[-100:]
    metadata = {
        "command": options.command,
        "config": asdict(config) | {"minutes": options.minutes},
        "previous_runs": {run: weights_metadata(run, options.out)["steps"] for run in previous_runs},
        "parameters": count(model),
        "threads": torch.get_num_threads(),
        "steps": len(run.losses),
        "seconds": round(run.seconds, 1),
        "loss": round(sum(last) / len(last), 5),
        "metrics": {},
    }
    save_weights(name, run.ema, metadata, options.out, bits)
    model.load_state_dict(load_weights(name, options.out))
    model.eval()
    add_metrics(name, metrics() if metrics else {}, options.out)
    checkpoint.unlink()
