"""The training loop: gradient steps, an average of the weights, and checkpoints that resume exactly.

A checkpoint is written every minute and on Ctrl-C; a rerun resumes from it and ends as an uninterrupted run of as many steps would. All
randomness comes from one generator, which is passed to the losses. Apart from `diffusion_loss`, nothing here is specific to diffusion.
`store` writes the final weights.
"""

import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm  # type: ignore[import-untyped]  # its stubs are another package

from solutions.diffusion.checkpoint import Optimisers, resume, save

State = dict[str, Tensor]
StepLoss = Callable[[Any, torch.Generator], Tensor]  # (batch, generator) -> a 0-d tensor
DrawBatch = Callable[[torch.Generator], Any]


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained. The learning rate rises to `lr` over `warmup` steps, then falls along a half cosine to 0 at the end."""

    steps: int
    batch: int = 64
    lr: float = 2e-3
    warmup: int = 100
    weight_decay: float = 0.01
    adam: tuple[float, float] = (0.9, 0.99)
    clip: float = 1.0  # of the gradient's norm
    ema: float = 0.999
    seed: int = 0
    bfloat16: bool = False  # compute the loss in bfloat16, where the processor is faster at it


@dataclass(frozen=True)
class OptimiserStep:
    """One optimiser's part of a training step: a loss, and the parameters it updates. A cascade has two."""

    parameters: list[nn.Parameter]
    loss: StepLoss


@dataclass(frozen=True)
class Run:
    """The result of training: the averaged weights, the summed losses of each step, and the time taken."""

    ema: State
    losses: list[float]
    seconds: float
    finished: bool


def train(
    model: nn.Module,
    optimiser_steps: list[OptimiserStep],
    draw_batch: DrawBatch,
    config: TrainingConfig,
    *,
    checkpoint: Path | None = None,
    minutes: float | None = None,
    progress: bool = False,
) -> Run:
    """Train the model for `config.steps` steps, or for as many as fit into `minutes`, and return the run.

    The model keeps its last weights; `run.ema` holds the averaged ones, for `load_state_dict`. Raise InvalidRequest if the checkpoint has
    another configuration. After Ctrl-C the run is returned saved but not `finished`.
    """
    generator = torch.Generator().manual_seed(config.seed)
    optimisers = [
        torch.optim.AdamW(optimiser_step.parameters, betas=config.adam, weight_decay=config.weight_decay, fused=True)
        for optimiser_step in optimiser_steps
    ]
    state: dict[str, Any] = {"config": asdict(config), "step": 0, "seconds": 0.0, "losses": []}
    ema = {name: value.clone() for name, value in model.state_dict().items()}
    if checkpoint and checkpoint.exists():
        state = resume(checkpoint, state["config"], model, ema, optimisers, generator)
    total = config.steps if minutes is None else 60 * minutes
    with _interrupts() as interrupts, tqdm(total=round(total), disable=not progress, unit="step" if minutes is None else "s") as bar:
        last_save = time.monotonic()
        while (done := state["step"] if minutes is None else state["seconds"]) < total and not interrupts:
            bar.update(int(done) - bar.n)
            started = time.perf_counter()
            rate = config.lr * min(1, (state["step"] + 1) / config.warmup) * (1 + math.cos(math.pi * done / total)) / 2
            state["losses"].append(_step(optimiser_steps, optimisers, rate, config, draw_batch(generator), generator))
            _average(ema, model, min(config.ema, (state["step"] + 1) / (state["step"] + 10)))
            state["step"] += 1
            state["seconds"] += time.perf_counter() - started
            if state["step"] % 10 == 0:
                bar.set_postfix(loss=f"{sum(state['losses'][-100:]) / len(state['losses'][-100:]):.4f}")
            if checkpoint and time.monotonic() - last_save > 60:
                save(checkpoint, state, model, ema, optimisers, generator)
                last_save = time.monotonic()
        bar.update(round(total) - bar.n if not interrupts else 0)
    if checkpoint:
        save(checkpoint, state, model, ema, optimisers, generator)
    return Run(ema, state["losses"], state["seconds"], finished=done >= total)


def diffusion_loss(loss: Callable[..., Tensor], network: nn.Module, x0: Tensor, generator: torch.Generator, **condition: Any) -> Tensor:
    """Return `loss` at one t in 1..T and one ε per sample, drawn from the generator (Ho et al. 2020, algorithm 1). # x0: (B, ...)"""
    T = len(loss.alpha_bars) - 1  # type: ignore[attr-defined]  # every loss of `losses` has the table
    t = torch.randint(1, T + 1, (len(x0),), generator=generator)
    eps = torch.randn(x0.shape, generator=generator)
    return loss(network, x0, t, eps, **condition)


def count(model: nn.Module) -> int:
    """Return the number of the model's parameters."""
    return sum(parameter.numel() for parameter in model.parameters())


def _step(
    optimiser_steps: list[OptimiserStep],
    optimisers: Optimisers,
    rate: float,
    config: TrainingConfig,
    batch: Any,
    generator: torch.Generator,
) -> float:
    total = 0.0
    fast = config.bfloat16 and torch.backends.cpu.get_cpu_capability() == "AVX512"
    for optimiser_step, optimiser in zip(optimiser_steps, optimisers, strict=True):
        optimiser.param_groups[0]["lr"] = rate
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=fast):
            loss = optimiser_step.loss(batch, generator)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(optimiser_step.parameters, config.clip)
        optimiser.step()
        total += loss.item()
    return total


@torch.no_grad()
def _average(ema: State, model: nn.Module, decay: float) -> None:
    for name, value in model.state_dict().items():
        ema[name].lerp_(value, 1 - decay) if value.is_floating_point() else ema[name].copy_(value)


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Yield a list that Ctrl-C appends to, so that no step is cut short; a second Ctrl-C interrupts as usual."""
    signals: list[int] = []

    def ask(number: int, _: Any) -> None:
        signals.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield signals
    finally:
        signal.signal(signal.SIGINT, before)
