"""Sums divided by hand, gradients by torch.autograd.grad, in place on copies."""

import torch


def noise_mse(eps_model, x0, t, eps, alpha_bars):
    noisy = x0.clone()
    for i in range(len(noisy)):
        bar = alpha_bars[int(t[i]) if hasattr(t, "shape") else t].item()
        noisy[i] *= bar**0.5
        noisy[i] += (1 - bar) ** 0.5 * eps[i]
    difference = eps - eps_model(noisy, t=t)
    return torch.sum(difference * difference) / difference.numel()


def training_step(model, optimizer, x0, t, eps, alpha_bars):
    loss = noise_mse(model, x0, t, eps, alpha_bars)
    parameters = list(model.parameters())
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = gradient
    optimizer.step()
    for parameter in parameters:
        parameter.grad = None
    return float(loss.detach())
