"""The mean written with ε̂ instead of x̂_0, and no noise drawn in the last step."""

from math import sqrt

import torch


def posterior(x_t, t, eps_hat, betas):
    alphas = 1 - betas
    bar, before = alphas[: t + 1].prod().item(), alphas[:t].prod().item()
    beta = betas[t].item()
    mean = (x_t - beta / sqrt(1 - bar) * eps_hat) / sqrt(1 - beta)
    return mean, 0.0 if t == 1 else beta * (1 - before) / (1 - bar)


def ddpm_step(x_t, t, eps_hat, betas, z):
    mean, variance = posterior(x_t, t, eps_hat, betas)
    return mean if t == 1 else mean + sqrt(variance) * z


def ddpm_sample(eps_model, x_T, betas, draw_noise):
    t, x = len(betas) - 1, x_T
    while t:
        z = draw_noise(t) if t > 1 else torch.zeros_like(x)
        x = ddpm_step(x, t, eps_model(x, torch.tensor([t] * len(x))), betas, z)
        t -= 1
    return x
