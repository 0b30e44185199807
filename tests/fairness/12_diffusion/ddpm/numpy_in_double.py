"""Numpy in double precision throughout; all tables computed up front."""

import numpy as np
import torch


class Tables:
    def __init__(self, betas):
        self.betas = np.asarray(betas, dtype=np.float64)
        self.bars = np.cumprod(1 - self.betas)
        before = np.r_[1.0, self.bars[:-1]]
        with np.errstate(all="ignore"):
            self.variance = np.nan_to_num((1 - before) / (1 - self.bars) * self.betas)


def posterior(x_t, t, eps_hat, betas):
    tables = Tables(betas)
    x, eps, bar, beta = np.asarray(x_t, dtype=float), np.asarray(eps_hat, dtype=float), tables.bars[t], tables.betas[t]
    x0 = (x - np.sqrt(1 - bar) * eps) / np.sqrt(bar)
    mean = (np.sqrt(tables.bars[t - 1]) * beta * x0 + np.sqrt(1 - beta) * (1 - tables.bars[t - 1]) * x) / (1 - bar)
    return [mean, tables.variance[t]]


def ddpm_step(x_t, t, eps_hat, betas, z):
    mean, variance = posterior(x_t, t, eps_hat, betas)
    return mean + np.sqrt(variance) * np.asarray(z)


def ddpm_sample(eps_model, x_T, betas, draw_noise):
    x = np.asarray(x_T, dtype=float)
    for t in range(len(betas) - 1, 0, -1):
        x = ddpm_step(x, t, eps_model(torch.as_tensor(x, dtype=torch.float32), t), betas, draw_noise(t))
    return x
