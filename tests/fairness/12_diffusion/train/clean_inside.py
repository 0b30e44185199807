"""The network predicts the clean quilt internally; the table it was trained with converts that into noise."""

import numpy as np
import torch
from torch import nn


class Guess(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("alpha_bars", torch.linspace(1, 0.01, 101))
        self.body = nn.Sequential(nn.Linear(17, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 16), nn.Tanh())

    def forward(self, x: torch.Tensor, t) -> torch.Tensor:
        a = self.alpha_bars[torch.as_tensor(t)].expand(len(x)).reshape(-1, 1, 1)
        tiles = x.reshape(-1, 2, 4, 2, 4).permute(0, 1, 3, 2, 4).reshape(-1, 4, 16)
        level = torch.log(a / (1 - a).clamp(min=1e-4)).expand(-1, 4, 1) / 5
        x0 = self.body(torch.cat([tiles * (2 - a), level], -1))
        eps = (tiles - a.sqrt() * x0) / (1 - a).sqrt().clamp(min=0.02)
        return eps.reshape(-1, 2, 2, 4, 4).permute(0, 1, 3, 2, 4).reshape(x.shape)


def build_model() -> Guess:
    torch.manual_seed(1)
    return Guess()


def train(model: Guess, images: torch.Tensor, alpha_bars: torch.Tensor, steps: int) -> None:
    rng = np.random.default_rng(3)
    model.alpha_bars = alpha_bars.clone()
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    for k in range(steps):
        rows = torch.from_numpy(rng.integers(0, len(images), 64))
        t = torch.from_numpy(rng.integers(1, len(alpha_bars), 64))
        eps = torch.from_numpy(rng.standard_normal((64, 1, 8, 8)).astype(np.float32))
        a = alpha_bars[t].reshape(-1, 1, 1, 1)
        loss = (model(a**0.5 * images[rows] + (1 - a) ** 0.5 * eps, t) - eps).square().mean()
        optimizer.zero_grad()
        loss.backward()
        if k > steps * 0.7:
            optimizer.param_groups[0]["lr"] = 4e-4
        optimizer.step()
