"""A block of linear layers over channels, with a layer norm and a running count; waves in a loop."""

import math

import torch
from torch import nn


def timestep_embedding(t, dim, max_period=10000):
    half = dim // 2
    rows = []
    for one in t.tolist():
        angles = [one * math.exp(-math.log(max_period) * k / half) for k in range(half)]
        rows.append([math.cos(a) for a in angles] + [math.sin(a) for a in angles])
    return torch.tensor(rows)


class ConditionedBlock(nn.Module):
    def __init__(self, channels, dim):
        super().__init__()
        self.first = nn.Linear(channels + dim, 2 * channels)
        self.norm = nn.LayerNorm(2 * channels)
        self.second = nn.Linear(2 * channels, channels)
        self.register_buffer("asked", torch.zeros((), dtype=torch.long))

    def forward(self, x, emb):
        self.asked += 1
        places = x.flatten(2).transpose(1, 2)
        told = emb[:, None, :].expand(-1, places.shape[1], -1)
        h = torch.tanh(self.norm(self.first(torch.cat([places, told], dim=2))))
        return x + self.second(h).transpose(1, 2).reshape(x.shape)
