import torch
import numpy as np


def linear_betas(T, first=1e-4, last=0.02):
    betas = torch.zeros(T + 1, dtype=torch.float64)
    betas[1:] = torch.linspace(first, last, T, dtype=torch.float64)
    return betas


def alpha_bars(betas):
    # the amount of noise in the picture after t steps
    betas = torch.as_tensor(betas)
    return 1 - torch.cumprod(1 - betas, dim=0)


def forward_step(x_prev, beta, eps):
    return np.sqrt(1 - beta) * x_prev + np.sqrt(beta) * eps


def noise_to(x0, t, eps, alpha_bars):
    abar = np.asarray(alpha_bars)[t]
    if np.ndim(abar) == 1:
        abar = abar.reshape(-1, *(1,) * (x0.ndim - 1))
    return np.sqrt(abar) * x0 + np.sqrt(1 - abar) * eps


def predict_x0(x_t, t, eps, alpha_bars):
    abar = np.asarray(alpha_bars)[t]
    if np.ndim(abar) == 1:
        abar = abar.reshape(-1, *(1,) * (x_t.ndim - 1))
    return (x_t - np.sqrt(1 - abar) * eps) / np.sqrt(abar)
