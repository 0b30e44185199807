"""The optimizer's closure, numpy for the noisy images, flattened errors."""

import numpy as np
import torch


def noise_mse(eps_model, x0, t, eps, alpha_bars):
    bars = np.asarray(alpha_bars, dtype=np.float64)
    bar = np.broadcast_to(bars[np.asarray(t)], (len(x0),))[:, None, None, None]
    x_t = np.sqrt(bar) * np.asarray(x0) + np.sqrt(1 - bar) * np.asarray(eps)
    error = (eps_model(torch.tensor(x_t, dtype=torch.float32), t) - eps).flatten()
    return torch.dot(error, error) / error.numel()


def training_step(model, optimizer, x0, t, eps, alpha_bars):
    def closure():
        optimizer.zero_grad()
        loss = noise_mse(model, x0, t, eps, alpha_bars)
        loss.backward()
        return loss

    return float(optimizer.step(closure))
