"""What the network is asked to predict, and how its error is weighed: one small class a method, all of one shape.

    loss = MinSnrLoss(alpha_bars)(network, x0, t, eps, labels=labels)

x0 and eps are (B, C, H, W), t is (B,) in 1..T, the rest is the network's condition. Each loss is a mean over all numbers of the
batch, so it doesn't depend on the image's size. Drawing t and ε is `train`'s business; `eps_of` optimiser_steps what was learned into
the ε̂ that samplers take.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from solutions.diffusion.forward import Array, at, eps_from_v, eps_from_x0, noise_to, v_from
from solutions.diffusion.schedules import Table, snr


@dataclass(frozen=True)
class NoiseLoss:
    """‖ε − ε̂(x_t, t)‖², the lesson's loss (Ho et al. 2020, eq. 14)."""

    alpha_bars: Table
    predicts: ClassVar[str] = "eps"

    def __call__(self, network: nn.Module, x0: Tensor, t: Tensor, eps: Tensor, **condition: Any) -> Tensor:
        x_t = noise_to(x0, t, eps, self.alpha_bars)
        return torch.mean((eps - network(x_t, t, **condition)) ** 2)


@dataclass(frozen=True)
class CleanLoss:
    """‖x_0 − x̂_0(x_t, t)‖²: the image itself is predicted (Salimans & Ho 2022, section 4)."""

    alpha_bars: Table
    predicts: ClassVar[str] = "x0"

    def __call__(self, network: nn.Module, x0: Tensor, t: Tensor, eps: Tensor, **condition: Any) -> Tensor:
        x_t = noise_to(x0, t, eps, self.alpha_bars)
        return torch.mean((x0 - network(x_t, t, **condition)) ** 2)


@dataclass(frozen=True)
class VelocityLoss:
    """‖v − v̂(x_t, t)‖²: ε where there is little noise, −x_0 where there is little else (Salimans & Ho 2022, appendix D)."""

    alpha_bars: Table
    predicts: ClassVar[str] = "v"

    def __call__(self, network: nn.Module, x0: Tensor, t: Tensor, eps: Tensor, **condition: Any) -> Tensor:
        x_t = noise_to(x0, t, eps, self.alpha_bars)
        return torch.mean((v_from(x0, t, eps, self.alpha_bars) - network(x_t, t, **condition)) ** 2)


@dataclass(frozen=True)
class MinSnrLoss:
    """`VelocityLoss` weighed by min(SNR_t, γ) / (SNR_t + 1): easy t count for less (Hang et al. 2023, section 3.4)."""

    alpha_bars: Table
    gamma: float = 5.0
    predicts: ClassVar[str] = "v"

    def __call__(self, network: nn.Module, x0: Tensor, t: Tensor, eps: Tensor, **condition: Any) -> Tensor:
        x_t = noise_to(x0, t, eps, self.alpha_bars)
        error = (v_from(x0, t, eps, self.alpha_bars) - network(x_t, t, **condition)) ** 2
        return torch.mean(at(self.weights(), t, x0) * error)

    def weights(self) -> Table:
        """Return the weight of each t, γ / ∞ = 0 at t = 0. # (T + 1,)"""
        ratio: Table = snr(self.alpha_bars)
        return ratio.clip(max=self.gamma) / (ratio + 1)


@dataclass(frozen=True)
class EvenCleanLoss:
    """`CleanLoss` weighed by √SNR_t between 1/10 and 2, about 1 over the error that is left at t, so that every t counts alike.

    Karras et al. (2024, "Analyzing and Improving the Training Dynamics of Diffusion Models") learn such a weight; here it is a formula.
    """

    alpha_bars: Table
    predicts: ClassVar[str] = "x0"

    def __call__(self, network: nn.Module, x0: Tensor, t: Tensor, eps: Tensor, **condition: Any) -> Tensor:
        x_t = noise_to(x0, t, eps, self.alpha_bars)
        return torch.mean(at(self.weights(), t, x0) * (x0 - network(x_t, t, **condition)) ** 2)

    def weights(self) -> Table:
        """Return the weight of each t. # (T + 1,)"""
        return snr(self.alpha_bars).clip(0.01, 4) ** 0.5  # type: ignore[no-any-return]


def eps_of(predicts: str, output: Tensor, x_t: Tensor, t: int | Tensor, alpha_bars: Array) -> Tensor:
    """Return the ε̂ that a network's `output` at x_t amounts to; it `predicts` "eps", "v" or "x0", else ValueError."""
    if predicts == "v":
        return eps_from_v(x_t, t, output, alpha_bars)  # type: ignore[no-any-return]  # `Array` is a tensor here
    if predicts == "x0":
        return eps_from_x0(x_t, t, output, alpha_bars)  # type: ignore[no-any-return]
    if predicts == "eps":
        return output
    raise ValueError(f"a network can't predict `{predicts}`: known are eps, v, x0")
