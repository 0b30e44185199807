"""Scale and shift after a normalisation, initially zero; numpy for the waves."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


def timestep_embedding(t: Tensor, dim: int, max_period: float = 10000) -> np.ndarray:
    half = dim // 2
    frequencies = np.exp(-np.log(max_period) * np.arange(half) / half)
    angles = np.asarray(t, dtype=np.float64)[:, None] * frequencies[None, :]
    return np.hstack([np.cos(angles), np.sin(angles)])


class ConditionedBlock(nn.Module):
    def __init__(self, channels: int, dim: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(4, channels)
        self.film = nn.Sequential(nn.SiLU(), nn.Linear(dim, 2 * channels))
        self.out = nn.Conv2d(channels, channels, kernel_size=3, padding="same")
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        scale, shift = torch.chunk(self.film(emb).reshape(len(x), -1, 1, 1), 2, dim=1)
        return x + self.out(F.silu((1 + scale) * self.norm(x) + shift))
