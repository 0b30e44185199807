"""Solution to exercises/12_diffusion/train.py: a network that processes a quilt tile by tile, and the lesson's training loop."""

import torch
from torch import Tensor, nn

from solutions.diffusion.forward import noise_to
from solutions.diffusion.unet import timestep_embedding

WIDTH, TIME_DIM = 64, 32


class Tiles(nn.Module):
    """Predict ε̂ of a quilt: encode each tile, condition it on t, decode it, and add its share of x."""

    def __init__(self) -> None:
        super().__init__()
        self.encode, self.time = nn.Conv2d(1, WIDTH, 4, stride=4), nn.Linear(TIME_DIM, WIDTH)
        self.hidden, self.decode = nn.Conv2d(WIDTH, WIDTH, 1), nn.ConvTranspose2d(WIDTH, 1, 4, stride=4)
        self.shares = nn.Linear(TIME_DIM, 2)

    def forward(self, x: Tensor, t: Tensor | int) -> Tensor:
        """Predict. # x: (B, 1, 8, 8), t: (B,) or one integer"""
        emb = timestep_embedding(torch.as_tensor(t).expand(len(x)), TIME_DIM)
        h = nn.functional.silu(self.encode(x) + self.time(emb)[:, :, None, None])  # (B, WIDTH, 2, 2)
        h = h + nn.functional.silu(self.hidden(h))
        of_x, of_h = self.shares(emb)[:, :, None, None, None].unbind(1)  # (B, 1, 1, 1)
        eps: Tensor = of_x * x + of_h * self.decode(h)
        return eps


def build_model() -> nn.Module:
    """Return an untrained network."""
    return Tiles()


def train(model: nn.Module, images: Tensor, alpha_bars: Tensor, steps: int) -> None:
    """Train with the simple loss and Adam, with a learning rate that falls to 0."""
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        x0 = images[torch.randint(len(images), (64,))]
        t, eps = torch.randint(1, len(alpha_bars), (64,)), torch.randn(64, 1, 8, 8)
        loss = torch.mean((model(noise_to(x0, t, eps, alpha_bars), t) - eps) ** 2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
