"""Classifier-free guidance: drop the condition now and then in training, push away from the unconditional prediction in sampling.

`guide` is the formula; `guided` wraps a network into the `eps_model` that a sampler expects. w = 0 is unconditional, w = 1 plain
conditional (in CS231n's assignment w is ours minus 1).
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from solutions.diffusion.forward import Array
from solutions.diffusion.losses import eps_of

Condition = Mapping[str, Tensor]  # what a U-Net takes besides x and t, each (B, ...): labels, context, mask, vector, extra


def guide(eps_uncond: Array, eps_cond: Array, w: float) -> Array:
    """Return ε̂ = ε_uncond + w·(ε_cond − ε_uncond) (Ho & Salimans 2022, eq. 6, whose w is ours minus 1)."""
    return eps_uncond + w * (eps_cond - eps_uncond)


def drop_condition(condition: Tensor, null: Tensor, p: float, generator: torch.Generator) -> Tensor:
    """Return `condition` with each sample replaced by `null` with probability p (Ho & Salimans 2022, algorithm 1). # (B, ...)

    `null` is one sample, or broadcasts over the batch. To drop tensors that belong together (tokens and their mask), call `kept` once
    and use `torch.where`.
    """
    keep = kept(len(condition), p, generator)
    return torch.where(keep.view(-1, *[1] * (condition.dim() - 1)), condition, null)


def kept(batch: int, p: float, generator: torch.Generator) -> Tensor:
    """Draw which samples keep their condition; each is dropped with probability p. # (B,) bool"""
    return torch.rand(batch, generator=generator) >= p


def guided(
    network: nn.Module,
    alpha_bars: Array,
    predicts: str,
    condition: Condition | None = None,
    null: Condition | None = None,
    w: float = 1.0,
) -> Callable[[Tensor, int], Tensor]:
    """Return `eps_model(x, t)`: the network's ε̂ under `condition`, guided away from `null` by w.

    The network predicts "eps", "v" or "x0". It is called once on a doubled batch; with w = 1 or without `null`, only the conditional
    half is computed, with w = 0 only the unconditional one. Both conditions cover the whole batch and have the same keys.
    """
    condition = condition or {}
    if null is not None and w == 0:
        condition, null = null, None
    both = None if null is None or w == 1 else {key: torch.cat([null[key], condition[key]]) for key in condition}

    @torch.no_grad()
    def eps_model(x: Tensor, t: int) -> Tensor:
        if both is None:
            return _eps(x, t, condition)
        eps_uncond, eps_cond = _eps(torch.cat([x, x]), t, both).chunk(2)
        return guide(eps_uncond, eps_cond, w)  # type: ignore[no-any-return]  # `Array` is a tensor here

    def _eps(x: Tensor, t: int, given: Condition) -> Tensor:
        steps = torch.full((len(x),), t, device=x.device)  # (B,)
        return eps_of(predicts, network(x, steps, **given), x, t, alpha_bars)

    return eps_model
