"""A gate per channel, and the embedding tiled over the image; keyword arguments and a table of waves."""

import torch
from torch import nn


def timestep_embedding(t, dim, max_period=10000):
    table = torch.empty(len(t), dim)
    for k in range(dim // 2):
        angle = t.double() / max_period ** (2 * k / dim)
        table[:, k] = angle.cos()
        table[:, dim // 2 + k] = angle.sin()
    return table


class ConditionedBlock(nn.Module):
    def __init__(self, channels, dim):
        nn.Module.__init__(self)
        self.layers = nn.ModuleDict({"mix": nn.Conv2d(channels + dim, channels, 1), "gate": nn.Linear(dim, channels, bias=False)})

    def forward(self, x, emb):
        tiled = emb.unsqueeze(-1).unsqueeze(-1).repeat(1, 1, *x.shape[2:])
        mixed = self.layers["mix"](input=torch.cat([x, tiled], dim=1))
        return mixed * torch.sigmoid(self.layers["gate"](emb)).view(*x.shape[:2], 1, 1)
