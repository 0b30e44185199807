"""What the network predicts, and how its error is weighted: one small class per method, all with the same interface.

    loss = MinSnrLoss(alpha_bars)(network, x0, t, eps, labels=labels)

x0 and eps are (B, C, H, W), t is (B,) in 1..T; the remaining arguments are the network's condition. Each loss is a mean over all
elements of the batch, so it doesn't depend on the image size. `train` draws t and ε; `eps_of` converts the network's output into the
ε̂ that samplers need.
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
    """‖x_0 − x̂_0(x_t, t)‖²: the network predicts the image itself (Salimans & Ho 2022, section 4)."""

    alpha_bars: Table
    predicts: ClassVar[str] = "x0"

    def __call__(self, network: nn.Module, x0: Tensor, t: Tensor, eps: Tensor, **condition: Any) -> Tensor:
        x_t = noise_to(x0, t, eps, self.alpha_bars)
        return torch.mean((x0 - network(x_t, t, **condition)) ** 2)


@dataclass(frozen=True)
class VelocityLoss:
    """‖v − v̂(x_t, t)‖²: close to ε at little noise and to −x_0 at much (Salimans & Ho 2022, appendix D)."""

    alpha_bars: Table
    predicts: ClassVar[str] = "v"

    def __call__(self, network: nn.Module, x0: Tensor, t: Tensor, eps: Tensor, **condition: Any) -> Tensor:
        x_t = noise_to(x0, t, eps, self.alpha_bars)
        return torch.mean((v_from(x0, t, eps, self.alpha_bars) - network(x_t, t, **condition)) ** 2)


@dataclass(frozen=True)
class MinSnrLoss:
    """`VelocityLoss` weighted by min(SNR_t, γ) / (SNR_t + 1) (Hang et al. 2023, section 3.4).

    The weight falls at both ends: at small t, where the SNR is above γ, and towards T, where the SNR and with it the weight go to 0. So a
    network that was trained with it has hardly learned t = T, where sampling starts.
    """

    alpha_bars: Table
    gamma: float = 5.0
    predicts: ClassVar[str] = "v"

    def __call__(self, network: nn.Module, x0: Tensor, t: Tensor, eps: Tensor, **condition: Any) -> Tensor:
        x_t = noise_to(x0, t, eps, self.alpha_bars)
        error = (v_from(x0, t, eps, self.alpha_bars) - network(x_t, t, **condition)) ** 2
        return torch.mean(at(self.weights(), t, x0) * error)

    def weights(self) -> Table:
        """Return the weight of each t; at t = 0 it is γ / ∞ = 0. # (T + 1,)"""
        ratio: Table = snr(self.alpha_bars)
        return ratio.clip(max=self.gamma) / (ratio + 1)


@dataclass(frozen=True)
class EvenCleanLoss:
    """`CleanLoss` weighted by √SNR_t, clipped to [1/10, 2]: about 1 over the remaining error at t, so that every t counts the same.

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
    """Return ε̂ from a network's `output` at x_t, which `predicts` "eps", "v" or "x0"; raise ValueError for anything else."""
    if predicts == "v":
        return eps_from_v(x_t, t, output, alpha_bars)  # type: ignore[no-any-return]  # `Array` is a tensor here
    if predicts == "x0":
        return eps_from_x0(x_t, t, output, alpha_bars)  # type: ignore[no-any-return]
    if predicts == "eps":
        return output
    raise ValueError(f"a network can't predict `{predicts}`: choose eps, v or x0")
