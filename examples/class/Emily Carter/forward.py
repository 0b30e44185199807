import numpy as np


def linear_betas(T, first=1e-4, last=0.02):
    betas = np.zeros(T + 1)
    betas[1:] = np.linspace(first, last, T)
    return betas


def alpha_bars(betas):
    return np.cumprod(1 - betas)


def forward_step(x_prev, beta, eps)
    return np.sqrt(1 - beta) * x_prev + np.sqrt(beta) * eps


def noise_to(x0, t, eps, alpha_bars):
    a = alpha_bars[t]
    return np.sqrt(a) * x0 + np.sqrt(1 - a) * eps


# TODO predict_x0 after lunch
