"""Where each place of an image looks for a word: the weights of the cross-attention layers, as one image for each token.

Nothing is changed in the network: it is watched while it runs (Hertz et al. 2022, section 3.1, show such maps, averaged as here).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from solutions.diffusion.unet import Attention


@contextmanager
def attention_seen(network: nn.Module) -> Iterator[list[Tensor]]:
    """Collect the maps of every cross-attention layer while the network runs, in a list that the caller may empty. # each (B, M, h, w)"""
    seen: list[Tensor] = []

    def watch(layer: Attention, given: tuple[Any, ...], _: Tensor) -> None:
        if len(given) > 1 and given[1] is not None:
            seen.append(layer.maps(given[0], given[1]))

    hooks = [layer.register_forward_hook(watch) for layer in network.modules() if isinstance(layer, Attention)]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def mean_map(maps: list[Tensor]) -> Tensor:
    """Return the mean of maps of several sizes, each enlarged to the largest. # (B, M, h, w) each -> (B, M, H, W)"""
    side = max(each.shape[-1] for each in maps)
    return torch.stack([F.interpolate(each, scale_factor=float(side // each.shape[-1])) for each in maps]).mean(dim=0)
