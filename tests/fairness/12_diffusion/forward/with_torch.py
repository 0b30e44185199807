"""Torch in double precision for numpy arguments."""

import torch


def linear_betas(T, first=1e-4, last=0.02):
    return torch.cat([torch.zeros(1, dtype=torch.float64), torch.linspace(first, last, T, dtype=torch.float64)])


def alpha_bars(betas):
    return torch.cumprod(1 - torch.as_tensor(betas), dim=0)


def forward_step(x_prev, beta, eps):
    return (1 - beta) ** 0.5 * torch.as_tensor(x_prev, dtype=torch.float64) + beta**0.5 * torch.as_tensor(eps, dtype=torch.float64)


def look_up(alpha_bars, t, x):
    bar = torch.as_tensor(alpha_bars)[torch.as_tensor(t)]
    return bar.reshape(bar.shape + (1,) * (x.dim() - bar.dim()))


def noise_to(x0, t, eps, alpha_bars):
    x0, eps = torch.as_tensor(x0), torch.as_tensor(eps)
    bar = look_up(alpha_bars, t, x0)
    return bar.sqrt() * x0 + (1 - bar).sqrt() * eps


def predict_x0(x_t, t, eps, alpha_bars):
    x_t, eps = torch.as_tensor(x_t), torch.as_tensor(eps)
    bar = look_up(alpha_bars, t, x_t)
    return (x_t - (1 - bar).sqrt() * eps) / bar.sqrt()
