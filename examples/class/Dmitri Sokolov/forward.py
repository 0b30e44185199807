import numpy as np


def linear_betas(T, first=1e-4, last=0.02):
    betas = np.linspace(first, last, T)
    return np.concatenate([[0.0], betas])


def alpha_bars(betas):
    return np.cumprod(1 - betas)


def forward_step(x_prev, beta, eps):
    # in place: no need for a second copy of the batch
    x_prev *= np.sqrt(1 - beta)
    x_prev += np.sqrt(beta) * eps
    return x_prev


def reshape_like(a, x):
    a = np.asarray(a)
    if a.ndim == 0:
        return a
    return a.reshape(a.shape + (1,) * (x.ndim - 1))


def noise_to(x0, t, eps, alpha_bars):
    a = reshape_like(alpha_bars[t], x0)
    return np.sqrt(a) * x0 + np.sqrt(1 - a) * eps


def predict_x0(x_t, t, eps, alpha_bars):
    a = reshape_like(alpha_bars[t], x_t)
    return (x_t - np.sqrt(1 - a) * eps) / np.sqrt(a)
