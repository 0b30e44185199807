"""The formulas as written."""

import torch


def noise_mse(eps_model, x0, t, eps, alpha_bars):
    bar = alpha_bars[torch.as_tensor(t)].reshape(-1, 1, 1, 1)
    x_t = bar.sqrt() * x0 + (1 - bar).sqrt() * eps
    return ((eps - eps_model(x_t, t)) ** 2).mean()


def training_step(model, optimizer, x0, t, eps, alpha_bars):
    optimizer.zero_grad()
    loss = noise_mse(model, x0, t, eps, alpha_bars)
    loss.backward()
    optimizer.step()
    return loss.item()
