"""Torch in double precision for numpy arguments."""

import torch


def cosine_betas(T, s=0.008, most=0.999):
    t = torch.linspace(0, T, T + 1, dtype=torch.float64)
    f = torch.cos((t / T + s) / (1 + s) * torch.pi / 2).square()
    betas = torch.zeros(T + 1, dtype=torch.float64)
    betas[1:] = (1 - f[1:] / f[:-1]).clamp(max=most)
    return betas


def snr(alpha_bars):
    bars = torch.as_tensor(alpha_bars)
    return bars / (1 - bars)


def terminal_snr_zero(betas):
    roots = torch.as_tensor(betas).neg().add(1).cumprod(0).sqrt()
    first, last = roots[1].clone(), roots[-1].clone()
    stretched = (roots[1:] - last) * (first / (first - last))
    bars = torch.cat([torch.ones(1, dtype=torch.float64), stretched**2])
    return torch.cat([torch.zeros(1, dtype=torch.float64), 1 - bars[1:] / bars[:-1]])
