import numpy as np


def linear_betas(T, first=1e-4, last=0.02):
    betas = np.zeros(T + 1)
    betas[1:] = np.linspace(first, last, T)
    return betas


def alpha_bars(betas):
    return np.cumprod(1 - betas)


def forward_step(x_prev, beta, eps):
    return np.sqrt(1 - beta) * x_prev + np.sqrt(beta) * eps


def noise_to(x0, t, eps, alpha_bars):
    # go there step by step
    s = 0
    x = x0
    while s < np.max(t):
        ratio = alpha_bars[s + 1] / alpha_bars[s]
        x = np.sqrt(ratio) * x + np.sqrt(1 - ratio) * eps
        # s += 1
    return x


def predict_x0(x_t, t, eps, alpha_bars):
    a = np.asarray(alpha_bars[t])
    a = a.reshape(a.shape + (1,) * (np.ndim(x_t) - 1)) if a.ndim else a
    return (x_t - np.sqrt(1 - a) * eps) / np.sqrt(a)
