"""The formulas as written, in torch and single precision."""

import torch


def posterior(x_t, t, eps_hat, betas):
    bars = torch.cumprod(1 - betas, dim=0)
    x0 = (x_t - (1 - bars[t]).sqrt() * eps_hat) / bars[t].sqrt()
    on_x0 = bars[t - 1].sqrt() * betas[t] / (1 - bars[t])
    on_x_t = (1 - betas[t]).sqrt() * (1 - bars[t - 1]) / (1 - bars[t])
    return on_x0 * x0 + on_x_t * x_t, (1 - bars[t - 1]) / (1 - bars[t]) * betas[t]


def ddpm_step(x_t, t, eps_hat, betas, z):
    mean, variance = posterior(x_t, t, eps_hat, betas)
    return mean + variance.sqrt() * z


def ddpm_sample(eps_model, x_T, betas, draw_noise):
    x = x_T
    for t in reversed(range(1, len(betas))):
        x = ddpm_step(x, t, eps_model(x, t), betas, draw_noise(t))
    return x
