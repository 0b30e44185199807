from math import sqrt

import numpy as np


def linear_betas(T, first=1e-4, last=0.02):
    return np.hstack((0, np.linspace(first, last, T)))


def alpha_bars(betas):
    out = np.ones_like(betas)
    for t in range(1, len(betas)):
        out[t] = out[t - 1] * (1 - betas[t])
    return out


def forward_step(x_prev, beta, eps):
    """Add one step of noise."""
    return x_prev + sqrt(beta) * eps


def noise_to(x0, t, eps, alpha_bars):
    """Jump straight to step t."""
    t_is_batch = np.ndim(t) > 0
    ab = alpha_bars[t]
    if t_is_batch:
        ab = ab.reshape(ab.shape[0], *np.ones(x0.ndim - 1, dtype=int))
    return np.sqrt(ab) * x0 + np.sqrt(1 - ab) * eps


def predict_x0(x_t, t, eps, alpha_bars):
    """Undo noise_to: take away the noise that it added."""
    t_is_batch = np.ndim(t) > 0
    ab = alpha_bars[t]
    if t_is_batch:
        ab = ab.reshape(ab.shape[0], *np.ones(x_t.ndim - 1, dtype=int))
    return x_t - np.sqrt(1 - ab) * eps
