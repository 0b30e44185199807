"""Solution to exercises/12_diffusion/timestep.py. The reference's embedding has no `max_period`, so it is written out here."""

import math

import torch
from torch import Tensor

from solutions.diffusion.unet import ResBlock


def timestep_embedding(t: Tensor, dim: int, max_period: float = 10000) -> Tensor:
    """Return cosines and sines of t. # (B,) -> (B, dim)"""
    frequencies = torch.exp(-math.log(max_period) * torch.arange(dim // 2) / (dim // 2))  # (dim/2,)
    angles = t.float()[:, None] * frequencies  # (B, dim/2)
    return torch.cat([angles.cos(), angles.sin()], dim=1)


class ConditionedBlock(ResBlock):
    """The reference's residual block with equal input and output channels."""

    def __init__(self, channels: int, dim: int):
        super().__init__(channels, channels, dim)
