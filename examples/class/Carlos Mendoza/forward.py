import numpy as np


def linear_betas(T, first=1e-4, last=0.02):
    betas = np.zeros(T + 1)
    betas[1:] = np.linspace(first, last, T)
    return betas


def alpha_bars(betas):
    return np.cumprod(1 - betas)


def forward_step(x_prev, beta, eps):
    # keep a bit less of the picture, add noise of strength beta
    return np.sqrt(1 - beta) * x_prev + beta * eps


def noise_to(x0, t, eps, alpha_bars):
    a = alpha_bars[t]
    if isinstance(t, np.ndarray):
        a = a.reshape([-1] + [1] * (x0.ndim - 1))
    return np.sqrt(a) * x0 + np.sqrt(1 - a) * eps


def predict_x0(x_t, t, eps, alpha_bars):
    # solve noise_to for x0
    a = alpha_bars[t]
    if isinstance(t, np.ndarray):
        a = a.reshape([-1] + [1] * (x_t.ndim - 1))
    return (x_t - np.sqrt(1 - a) * eps) / np.sqrt(a)
