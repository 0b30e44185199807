import numpy as np


def linear_betas(T, first=1e-4, last=0.02):
    """β_1..β_T evenly spaced, with a 0 in front so that betas[t] is β_t."""
    return np.concatenate(([0.0], np.linspace(first, last, T)))


def alpha_bars(betas):
    """ᾱ_t, with ᾱ_0 = 1 for free because β_0 = 0."""
    return np.cumprod(1 - np.asarray(betas))


def forward_step(x_prev, beta, eps):
    return np.sqrt(1 - beta) * x_prev + np.sqrt(beta) * eps


def _per_sample(table, t, x):
    """Look up table[t]; if t has one entry per sample, reshape to (B, 1, 1, ...) so it broadcasts over the batch axis."""
    a = np.asarray(table)[t]
    return a.reshape(a.shape + (1,) * (np.ndim(x) - a.ndim)) if np.ndim(t) else a


def noise_to(x0, t, eps, alpha_bars):
    a = _per_sample(alpha_bars, t, x0)
    return np.sqrt(a) * x0 + np.sqrt(1 - a) * eps


def predict_x0(x_t, t, eps, alpha_bars):
    a = _per_sample(alpha_bars, t, x_t)
    return (x_t - np.sqrt(1 - a) * eps) / np.sqrt(a)
