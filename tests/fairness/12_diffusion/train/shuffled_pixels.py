"""The pixels of a tile become channels; one-by-one convolutions do the rest. Each epoch is shuffled, and t is stratified over a batch."""

import math

import torch
from torch import nn


def embed(t, dim=24):
    frequency = torch.exp(-math.log(1000.0) * torch.linspace(0, 1, dim // 2))
    return torch.cat([(t[:, None] * frequency).sin(), (t[:, None] * frequency).cos()], dim=1)


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.conv, self.time = nn.GroupNorm(4, width), nn.Conv2d(width, width, 1), nn.Linear(24, width)

    def forward(self, h, e):
        return h + self.conv(nn.functional.silu(self.norm(h) + self.time(e)[:, :, None, None]))


class Quilter(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.first, self.last = nn.Conv2d(16, width, 1), nn.Conv2d(width, 16, 1)
        self.blocks = nn.ModuleList(Block(width) for _ in range(2))
        self.gain = nn.Linear(24, 1)

    def forward(self, x, t):
        e = embed(torch.as_tensor(t, dtype=torch.float32).expand(x.shape[0]))
        tiles = x.unfold(2, 4, 4).unfold(3, 4, 4).reshape(x.shape[0], 2, 2, 16).permute(0, 3, 1, 2)
        h = self.first(tiles)
        for block in self.blocks:
            h = block(h, e)
        out = self.last(h) + self.gain(e)[:, :, None, None] * tiles
        return out.permute(0, 2, 3, 1).reshape(-1, 2, 2, 4, 4).permute(0, 1, 3, 2, 4).reshape(x.shape)


def build_model():
    return Quilter()


def train(model, images, alpha_bars, steps):
    top = len(alpha_bars) - 1
    optimizer = torch.optim.RAdam(model.parameters(), lr=5e-3)
    done = 0
    while done < steps:
        for batch in torch.randperm(len(images)).split(100):
            if done == steps:
                break
            done += 1
            x0 = images[batch]
            t = ((torch.rand(1) + torch.arange(len(x0)) / len(x0)) % 1 * top).long() + 1
            eps = torch.randn_like(x0)
            signal, noise = alpha_bars[t].sqrt().reshape(-1, 1, 1, 1), (1 - alpha_bars[t]).sqrt().reshape(-1, 1, 1, 1)
            loss = ((model(signal * x0 + noise * eps, t) - eps) ** 2).mean()
            model.zero_grad()
            loss.backward()
            for group in optimizer.param_groups:
                group["lr"] = 5e-3 * (0.5 + 0.5 * math.cos(math.pi * done / steps)) + 1e-5
            optimizer.step()
