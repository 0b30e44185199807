"""DDPM's block: the embedding as a bias between a convolution and a group norm, here of 8 groups."""

import torch
from torch import nn


def timestep_embedding(t, dim, max_period=10000):
    k = torch.arange(dim // 2)
    angles = t[:, None] / max_period ** (k / (dim // 2))
    return torch.cat([angles.cos(), angles.sin()], dim=1)


class ConditionedBlock(nn.Module):
    def __init__(self, channels, dim):
        super().__init__()
        self.first = nn.Sequential(nn.GroupNorm(8, channels), nn.SiLU(), nn.Conv2d(channels, channels, 3, padding=1))
        self.of_t = nn.Sequential(nn.SiLU(), nn.Linear(dim, channels))
        self.second = nn.Sequential(nn.GroupNorm(8, channels), nn.SiLU(), nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, x, emb):
        return x + self.second(self.first(x) + self.of_t(emb)[:, :, None, None])
