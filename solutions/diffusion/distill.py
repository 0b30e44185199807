"""Progressive distillation: a student learns to do in one step what its teacher does in two (Salimans & Ho 2022, algorithm 2).

    16 steps of `fashion.py` at w = 1, its best  ->  8  ->  4  ->  2  ->  1

In the paper each halving has a student of its own; here one network is told how many steps it has (as in Frans et al. 2024), starts each
halving from itself and goes on practising the earlier ones, so that one file of weights serves 8, 4, 2 and 1. It is sampled with plain
DDIM: neither network nor sampler is new, only the loss's target, and that is `two_steps_in_one`.
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
from solutions.diffusion.fashion import ALPHA_BARS, BETAS, T, wanted
from solutions.diffusion.fashion import network as teacher_network
from solutions.diffusion.forward import Array, at, noise_to, x0_from_v
from solutions.diffusion.guidance import guided
from solutions.diffusion.judge import Draw, judge
from solutions.diffusion.order import Impossible, Order, Training, follow, train_and_store
from solutions.diffusion.schedules import snr
from solutions.diffusion.store import SHIPPED, load_weights
from solutions.diffusion.train import Config, Turn
from solutions.diffusion.unet import UNet

NAME, STAGES = "distilled", (8, 4, 2, 1)
CONFIG = Config(steps=2400, batch=64, lr=5e-4, warmup=20, ema=0.99)  # of all halvings
SHARES = (1 / 6, 1 / 6, 1 / 6, 1 / 2)  # of each: the last is the hardest, x_0 from noise alone

Predict = Callable[[Tensor, Tensor], Tensor]  # (x_t, t) to x̂_0, one t per sample


def ddim_step(x_t: Tensor, t: Tensor, s: Tensor, x0: Tensor, alpha_bars: Array) -> Tensor:
    """Go from x_t to x_s by way of x̂_0 and no noise (Salimans & Ho 2022, eq. 8). # t and s: (B,)"""
    change: Tensor = at(alpha_bars**0.5, s, x_t) * x0 + _ratio(t, s, x_t, alpha_bars) * (x_t - at(alpha_bars**0.5, t, x_t) * x0)
    return change


def two_steps_in_one(predict: Predict, x_t: Tensor, t: Tensor, middle: Tensor, s: Tensor, alpha_bars: Array) -> Tensor:
    """Return the x_0 that takes one DDIM step from t to s to where `predict` gets in two, by way of `middle` (appendix G)."""
    x_middle = ddim_step(x_t, t, middle, predict(x_t, t), alpha_bars)
    x_s = ddim_step(x_middle, middle, s, predict(x_middle, middle), alpha_bars)
    ratio = _ratio(t, s, x_t, alpha_bars)
    target: Tensor = (x_s - ratio * x_t) / (at(alpha_bars**0.5, s, x_t) - ratio * at(alpha_bars**0.5, t, x_t))
    return target


def _ratio(t: Tensor, s: Tensor, x: Tensor, alpha_bars: Array) -> Tensor:
    """Return √(1 − ᾱ_s) / √(1 − ᾱ_t): what is left of the noise; 0 at s = 0. # (B, 1, ..., 1)"""
    ratio: Tensor = at((1 - alpha_bars) ** 0.5, s, x) / at((1 - alpha_bars) ** 0.5, t, x)
    return ratio


def network() -> UNet:
    """Return the teacher's network with one thing more to be told: how many steps it has, as one of STAGES."""
    return UNet(1, (48, 80), attend=(False, True), patch=2, num_classes=len(CLASSES), vector_dim=len(STAGES))


def told(stage: Tensor) -> Tensor:
    """Turn places in STAGES into vectors. # (B,) -> (B, len(STAGES))"""
    return F.one_hot(stage, len(STAGES)).float()


def train(training: Training) -> None:
    """Halve the steps four times; each halving is a run of its own, kept as `distilled-8`, ... until the last."""
    teacher = teacher_network()
    teacher.load_state_dict(load_weights("fashion", SHIPPED))
    student = network()
    student.load_state_dict(teacher.state_dict(), strict=False)
    torch.nn.init.zeros_(student.vector.weight)  # type: ignore[union-attr]  # so that it starts as the teacher
    torch.nn.init.zeros_(student.vector.bias)  # type: ignore[union-attr]
    data = batches(*load_fashion("train"), CONFIG.batch)
    for newest, steps in enumerate(STAGES):
        name = NAME if steps == 1 else f"{NAME}-{steps}"
        if (training.out / f"{name}.safetensors").exists() and steps > 1:
            student.load_state_dict(load_weights(name, training.out))
            continue
        turn = Turn(list(student.parameters()), halving_loss(student, copy.deepcopy(student).eval(), teacher.eval(), newest))
        figures, share = partial(measure, student) if steps == 1 else None, SHARES[newest]
        part = dataclasses.replace(training, minutes=training.minutes and training.minutes * share)
        config = dataclasses.replace(CONFIG, steps=round(CONFIG.steps * share))
        train_and_store(name, student, [turn], data, config, part, figures, bits=8)


def measure(student: UNet) -> dict[str, Any]:
    """Judge the student at each number of steps."""

    def drawer(steps: int) -> Draw:
        return lambda labels, seed: draw(student, labels, Order(steps=steps, seed=seed))

    return {"by steps": {str(steps): judge(drawer(steps)) for steps in STAGES}}


def halving_loss(student: UNet, before: UNet, teacher: UNet, newest: int) -> Callable[[tuple[Tensor, Tensor], torch.Generator], Tensor]:
    """Return the loss of one halving: half of each batch practises the newest stage, half any stage so far.

    The squared error of x̂_0 is weighed by max(SNR, 1), at most 25 (section 4).
    """

    def step_loss(batch: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        x0, labels = batch
        stage = torch.randint(newest + 1, labels.shape, generator=generator)
        stage[::2] = newest
        stride = T // torch.tensor(STAGES)[stage]  # (B,)
        t = stride * (1 + (torch.rand(len(x0), generator=generator) * (T // stride)).long())  # a multiple of the stride, up to T
        x_t = noise_to(x0, t, torch.randn(x0.shape, generator=generator), ALPHA_BARS)

        def predict(x: Tensor, t: Tensor) -> Tensor:
            first = stage == 0  # they learn from the teacher, the others from the student as it was, one stage back
            x_hat = torch.empty_like(x)
            if first.any():
                x_hat[first] = x0_from_v(x[first], t[first], teacher(x[first], t[first], labels=labels[first]), ALPHA_BARS)
            if not first.all():
                rest = {"labels": labels[~first], "vector": told(stage[~first] - 1)}
                x_hat[~first] = x0_from_v(x[~first], t[~first], before(x[~first], t[~first], **rest), ALPHA_BARS)
            return x_hat.clamp(-1, 1)

        with torch.no_grad():
            target = two_steps_in_one(predict, x_t, t, t - stride // 2, t - stride, ALPHA_BARS)
        x_hat = x0_from_v(x_t, t, student(x_t, t, labels=labels, vector=told(stage)), ALPHA_BARS)
        return torch.mean(at(snr(ALPHA_BARS).clip(1, 25), t, x0) * (x_hat - target) ** 2)

    return step_loss


def sample(order: Order) -> Tensor:
    """Draw the prompt's class, or each in turn, in 1, 2, 4 or 8 steps. # (n, 1, 16, 16) in [-1, 1]"""
    student = network()
    student.load_state_dict(load_weights(NAME, order.weights))
    return draw(student.eval(), wanted(order.prompt, order.n), order)


def draw(student: UNet, labels: Tensor, order: Order) -> Tensor:
    """Draw one picture for each label. # (n,) -> (n, 1, 16, 16)"""
    steps = order.steps or 4
    if steps not in STAGES:
        raise Impossible(f"{steps} steps: known are {', '.join(map(str, STAGES))}, for which `{NAME}` was distilled")
    if order.w is not None or order.sampler != "ddim":
        raise Impossible(f"`{NAME}` has w = 1 and its sampler (ddim) distilled in: leave --w and --sampler out")
    stage = torch.full_like(labels, STAGES.index(steps))
    eps_model = guided(student, ALPHA_BARS, "v", {"labels": labels, "vector": told(stage)})
    return follow(dataclasses.replace(order, steps=steps), eps_model, (len(labels), 1, 16, 16), BETAS)
