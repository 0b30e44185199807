"""No norm, four times as wide inside, and the scale as an exponential: its values are in the thousands."""

import math

import torch
from torch import nn


def timestep_embedding(t, dim, max_period=10000):
    rates = torch.tensor([math.exp(-math.log(max_period) * k / (dim // 2)) for k in range(dim // 2)])
    waves = t.reshape(-1, 1).to(rates) * rates
    return torch.hstack([waves.cos(), waves.sin()])


class ConditionedBlock(nn.Module):
    def __init__(self, channels, dim):
        super().__init__()
        wide = 4 * channels
        self.widen, self.narrow = nn.Conv2d(channels, wide, 3, padding=1), nn.Conv2d(wide, channels, 3, padding=1)
        self.told = nn.Linear(dim, 2 * wide)

    def forward(self, x, emb):
        scale, shift = self.told(emb)[:, :, None, None].chunk(2, dim=1)
        return x + self.narrow(nn.functional.silu(self.widen(x) * scale.exp() + shift))
