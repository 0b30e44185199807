"""The embedding as a bias; frequencies by a power."""

import torch
from torch import nn


def timestep_embedding(t, dim, max_period=10000):
    half = dim // 2
    angles = torch.outer(t.float(), max_period ** (-torch.arange(half) / half))
    return torch.cat((torch.cos(angles), torch.sin(angles)), dim=-1)


class ConditionedBlock(nn.Module):
    def __init__(self, channels, dim):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.to_bias = nn.Linear(dim, channels)

    def forward(self, x, emb):
        return x + torch.relu(self.conv(x) + self.to_bias(emb)[..., None, None]) - 0.1 * x
