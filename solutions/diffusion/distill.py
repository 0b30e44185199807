"""Progressive distillation: a student learns to do in one step what its teacher does in two (Salimans & Ho 2022, algorithm 2).

    16 steps of `fashion.py` at w = 1, its best  ->  8  ->  4  ->  2  ->  1

In the paper each halving has a student of its own; here one network is told how many steps it has (as in Frans et al. 2024), starts each
halving from itself and goes on practising the earlier ones: one file serves 8, 4, 2 and 1. Sampling is plain DDIM; only the target is new.
"""

import copy
import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from solutions.diffusion.data import CLASSES, batches, load_fashion
from solutions.diffusion.evaluate import Draw, judge
from solutions.diffusion.fashion import ALPHA_BARS, BETAS, T, trained, wanted
from solutions.diffusion.forward import Array, at, noise_to, x0_from_v
from solutions.diffusion.guidance import guided
from solutions.diffusion.interface import InvalidRequest, SamplingConfig, TrainingOptions, run_sampler, train_and_store
from solutions.diffusion.schedules import snr
from solutions.diffusion.store import load_weights
from solutions.diffusion.train import OptimiserStep, StepLoss, TrainingConfig
from solutions.diffusion.unet import UNet

NAME, STAGES = "distilled", (8, 4, 2, 1)
CONFIG = TrainingConfig(steps=2800, batch=64, lr=5e-4, warmup=20, ema=0.99)  # of all runs
RUNS = (  # name, place in STAGES of the newest, steps, whether the earlier ones are only kept
    ("distilled-8", 0, 400, False),
    ("distilled-4", 1, 400, False),
    ("distilled-2", 2, 400, False),
    ("distilled-1", 3, 900, False),
    (NAME, 3, 700, True),  # the last again, of a student that has practised 2 steps longer by then
)

Predict = Callable[[Tensor, Tensor], Tensor]  # (x_t, t) to x̂_0, one t per sample


def ddim_step(x_t: Tensor, t: Tensor, s: Tensor, x0: Tensor, alpha_bars: Array) -> Tensor:
    """Go from x_t to x_s by way of x̂_0 and no noise (Salimans & Ho 2022, eq. 8). # t and s: (B,)"""
    return at(alpha_bars**0.5, s, x_t) * x0 + _ratio(t, s, x_t, alpha_bars) * (x_t - at(alpha_bars**0.5, t, x_t) * x0)  # type: ignore[no-any-return]


def two_steps_in_one(predict: Predict, x_t: Tensor, t: Tensor, middle: Tensor, s: Tensor, alpha_bars: Array) -> Tensor:
    """Return the x_0 that takes one DDIM step from t to s to where `predict` gets in two, by way of `middle` (appendix G)."""
    x_middle = ddim_step(x_t, t, middle, predict(x_t, t), alpha_bars)
    x_s = ddim_step(x_middle, middle, s, predict(x_middle, middle), alpha_bars)
    ratio = _ratio(t, s, x_t, alpha_bars)
    return (x_s - ratio * x_t) / (at(alpha_bars**0.5, s, x_t) - ratio * at(alpha_bars**0.5, t, x_t))  # type: ignore[no-any-return]


def _ratio(t: Tensor, s: Tensor, x: Tensor, alpha_bars: Array) -> Tensor:
    """Return √(1 − ᾱ_s) / √(1 − ᾱ_t): what is left of the noise; 0 at s = 0. # (B, 1, ..., 1)"""
    return at((1 - alpha_bars) ** 0.5, s, x) / at((1 - alpha_bars) ** 0.5, t, x)  # type: ignore[no-any-return]


def network() -> UNet:
    """Return the teacher's network with one item more to be told: how many steps it has, as one of STAGES."""
    return UNet(1, (48, 80), attend=(False, True), patch=2, num_classes=len(CLASSES), vector_dim=len(STAGES))


def told(stage: Tensor) -> Tensor:
    """Turn places in STAGES into vectors. # (B,) -> (B, len(STAGES))"""
    return F.one_hot(stage, len(STAGES)).float()


def train(training: TrainingOptions) -> None:
    """Halve the steps four times, and go on with the last; each run but that one is kept as `distilled-8`, ..."""
    teacher, student = trained(), network()
    student.load_state_dict(teacher.state_dict(), strict=False)
    for part in student.vector.parameters():  # type: ignore[union-attr]  # so that it starts as the teacher
        torch.nn.init.zeros_(part)
    data = batches(*load_fashion("train"), CONFIG.batch)
    for name, newest, steps, keep in RUNS:
        if name != NAME and (training.out / f"{name}.safetensors").exists():
            student.load_state_dict(load_weights(name, training.out))
            continue
        optimiser_step = OptimiserStep(
            list(student.parameters()), halving_loss(student, copy.deepcopy(student).eval(), teacher, newest, keep)
        )
        figures, before = (partial(measure, student), [run[0] for run in RUNS[:-1]]) if name == NAME else (None, [])
        part = dataclasses.replace(training, minutes=training.minutes and training.minutes * steps / CONFIG.steps)
        train_and_store(name, student, [optimiser_step], data, dataclasses.replace(CONFIG, steps=steps), part, figures, 8, before)


def measure(student: UNet) -> dict[str, Any]:
    """Judge the student at each number of steps."""

    def drawer(steps: int) -> Draw:
        return lambda labels, seed: draw(student, labels, SamplingConfig(steps=steps, seed=seed))

    return {"by steps": {f"{steps}": judge(drawer(steps)) for steps in STAGES}}


def halving_loss(student: UNet, before: UNet, teacher: UNet, newest: int, keep: bool = False) -> StepLoss:
    """Return the loss of one halving: half of each batch practises the newest stage, half any stage so far.

    The squared error of x̂_0 is weighed by max(SNR, 1), at most 25 (section 4). With `keep`, the earlier stages don't practise halving
    but giving the x̂_0 they gave before (Li & Hoiem 2016, "Learning without Forgetting"). # of (B, 1, 16, 16), (B,)
    """

    def step_loss(batch: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        x0, labels = batch
        stage = torch.randint(newest + 1, labels.shape, generator=generator)
        stage[::2] = newest
        stride = T // torch.tensor(STAGES)[stage]  # (B,)
        t = stride * (1 + (torch.rand(len(x0), generator=generator) * (T // stride)).long())  # a multiple of the stride, up to T
        x_t = noise_to(x0, t, torch.randn(x0.shape, generator=generator), ALPHA_BARS)

        def predict(x: Tensor, t: Tensor) -> Tensor:
            x_hat, first = torch.empty_like(x), stage == 0  # these learn from the teacher, others from the student as it was, a stage back
            if first.any():
                x_hat[first] = x0_from_v(x[first], t[first], teacher(x[first], t[first], labels=labels[first]), ALPHA_BARS)
            if not first.all():
                rest = {"labels": labels[~first], "vector": told(stage[~first] - 1)}
                x_hat[~first] = x0_from_v(x[~first], t[~first], before(x[~first], t[~first], **rest), ALPHA_BARS)
            return x_hat.clamp(-1, 1)

        with torch.no_grad():
            target = two_steps_in_one(predict, x_t, t, t - stride // 2, t - stride, ALPHA_BARS)
            if keep:
                given = x0_from_v(x_t, t, before(x_t, t, labels=labels, vector=told(stage)), ALPHA_BARS)
                target = torch.where((stage < newest).view(-1, 1, 1, 1), given, target)
        x_hat = x0_from_v(x_t, t, student(x_t, t, labels=labels, vector=told(stage)), ALPHA_BARS)
        return torch.mean(at(snr(ALPHA_BARS).clip(1, 25), t, x0) * (x_hat - target) ** 2)

    return step_loss


def sample(config: SamplingConfig) -> Tensor:
    """Draw the prompt's class, or each in turn, in 1, 2, 4 or 8 steps. # (n, 1, 16, 16) in [-1, 1]"""
    student = network()
    student.load_state_dict(load_weights(NAME, config.weights))
    return draw(student.eval(), wanted(config.prompt, config.n), config)


def draw(student: UNet, labels: Tensor, config: SamplingConfig) -> Tensor:
    """Draw one image for each label. # (n,) -> (n, 1, 16, 16)"""
    steps = config.steps or 4
    if steps not in STAGES:
        raise InvalidRequest(f"{steps} steps: known are {', '.join(map(str, STAGES))}, for which `{NAME}` was distilled")
    if config.w is not None or config.sampler != "ddim":
        raise InvalidRequest(f"`{NAME}` has w = 1 and its sampler (ddim) distilled in: leave --w and --sampler out")
    stage = torch.full_like(labels, STAGES.index(steps))
    eps_model = guided(student, ALPHA_BARS, "v", {"labels": labels, "vector": told(stage)})
    return run_sampler(dataclasses.replace(config, steps=steps), eps_model, (len(labels), 1, 16, 16), BETAS)
