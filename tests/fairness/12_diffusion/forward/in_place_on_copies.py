"""In place, but on its own copies; tables by running products."""

import numpy as np


def linear_betas(T, first=1e-4, last=0.02):
    betas = np.zeros(T + 1)
    betas[1:] = np.linspace(first, last, num=T)
    return betas


def alpha_bars(betas):
    bars = 1 - betas
    for t in range(1, len(bars)):
        bars[t] *= bars[t - 1]
    return bars


def forward_step(x_prev, beta, eps):
    out = np.array(x_prev, dtype=float)
    out *= np.sqrt(1 - beta)
    out += np.sqrt(beta) * np.asarray(eps)
    return out


def _shaped(bar, x):
    return np.reshape(bar, np.shape(bar) + (1,) * (np.ndim(x) - np.ndim(bar)))


def noise_to(x0, t, eps, alpha_bars):
    bar = _shaped(alpha_bars[t], x0)
    out = x0.copy()
    out *= bar**0.5
    out += (1 - bar) ** 0.5 * eps
    return out


def predict_x0(x_t, t, eps, alpha_bars):
    bar = _shaped(alpha_bars[t], x_t)
    out = x_t.copy()
    out -= (1 - bar) ** 0.5 * eps
    out /= bar**0.5
    return out
