"""Each tile is a token of 16 numbers; a small MLP predicts the noise of each, given t. AdamW, and averaged weights at the end."""

import copy
import math

import torch
import torch.nn.functional as F


class Tokens(torch.nn.Module):
    def __init__(self, width=96):
        super().__init__()
        self.enter = torch.nn.Linear(16, width)
        self.when = torch.nn.Sequential(torch.nn.Linear(16, width), torch.nn.SiLU(), torch.nn.Linear(width, 2 * width))
        self.middle = torch.nn.Linear(width, width)
        self.leave = torch.nn.Linear(width, 16)
        self.skip = torch.nn.Linear(16, 1)

    def forward(self, x, t):
        t = torch.as_tensor(t).reshape(-1).float() * torch.ones(x.shape[0])
        angles = t[:, None] * torch.exp(torch.arange(8) * (-math.log(10000) / 8))
        code = torch.cat([torch.sin(angles), torch.cos(angles)], -1)
        scale, shift = self.when(code)[:, None].chunk(2, -1)
        tokens = F.unfold(x, 4, stride=4).transpose(1, 2)
        h = F.gelu(self.enter(tokens) * (1 + scale) + shift)
        h = h + F.gelu(self.middle(h))
        out = self.leave(h) + self.skip(code)[:, None] * tokens
        return F.fold(out.transpose(1, 2), 8, 4, stride=4)


def build_model():
    return Tokens()


def train(model, images, alpha_bars, steps):
    mean = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, betas=(0.9, 0.99), weight_decay=1e-4)
    T = alpha_bars.shape[0] - 1
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 4e-3 * min(1.0, (step + 1) / 50) * max(0.02, 1 - step / steps)
        pick = torch.randperm(images.shape[0])[:32]
        t = torch.randint(low=1, high=T + 1, size=(len(pick),))
        noise = torch.randn_like(images[pick])
        a = alpha_bars[t].view(-1, 1, 1, 1)
        noisy = torch.sqrt(a) * images[pick] + torch.sqrt(1 - a) * noise
        optimizer.zero_grad(set_to_none=True)
        F.mse_loss(model(noisy, t), noise).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            for slow, fast in zip(mean.parameters(), model.parameters(), strict=True):
                slow.lerp_(fast, 1 - 0.98)
    model.load_state_dict(mean.state_dict())
