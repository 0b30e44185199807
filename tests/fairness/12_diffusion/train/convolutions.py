"""A plain convolutional network that knows nothing of tiles but their size: down by four, up by four, with a skip connection."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, c=32):
        super().__init__()
        self.table = nn.Embedding(1001, c)
        self.down1, self.down2 = nn.Conv2d(1, c // 2, 2, stride=2), nn.Conv2d(c // 2, c, 2, stride=2)
        self.mid = nn.Conv2d(c, c, 1)
        self.up1, self.up2 = nn.ConvTranspose2d(c, c // 2, 2, stride=2), nn.ConvTranspose2d(c, 1, 2, stride=2)
        self.past = nn.Embedding(1001, 1)

    def forward(self, x, t):
        t = torch.as_tensor(t).expand(x.size(0))
        when = self.table(t)[..., None, None]
        low = torch.relu(self.down1(x))
        h = torch.relu(self.down2(low) + when)
        h = h + torch.relu(self.mid(h) + when)
        h = torch.relu(self.up1(h))
        return self.up2(torch.cat([h, low], 1)) + self.past(t)[..., None, None] * x


def build_model():
    return Net()


def train(model, images, alpha_bars, steps):
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, 6e-3, total_steps=steps)
    model.train()
    for _ in range(steps):
        x0 = images[torch.randint(0, images.size(0), (64,))]
        t = torch.randint(1, alpha_bars.size(0), (64,))
        a = alpha_bars[t][:, None, None, None]
        e = torch.randn(x0.shape)
        l = torch.nn.functional.mse_loss(model(a.sqrt() * x0 + (1 - a).sqrt() * e, t), e)
        opt.zero_grad()
        l.backward()
        opt.step()
        sched.step()
    model.eval()
