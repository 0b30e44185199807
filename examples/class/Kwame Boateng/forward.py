import numpy as np


def linear_betas(T, first=1e-4, last=0.02):
    """Return betas with betas[0] = 0 and betas[1..T] evenly spaced from first to last."""
    return np.insert(np.linspace(first, last, T), 0, 0)


def alpha_bars(betas):
    """alpha = 1 - beta, so alpha_bar[0] = 1 as it should be"""
    return 1 - betas


def forward_step(x_prev, beta, eps):
    alpha = 1 - beta
    return alpha**0.5 * x_prev + (1 - alpha)**0.5 * eps


def noise_to(x0, t, eps, alpha_bars):
    if np.ndim(t):
        # add axes at the end: (B,) -> (B, 1, 1, ..)
        abar = alpha_bars[t][(slice(None),) + (None,) * (np.ndim(x0) - 1)]
    else:
        abar = alpha_bars[t]
    return np.sqrt(abar) * x0 + np.sqrt(1 - abar) * eps


def predict_x0(x_t, t, eps, alpha_bars):
    if np.ndim(t):
        abar = alpha_bars[t][(slice(None),) + (None,) * (np.ndim(x_t) - 1)]
    else:
        abar = alpha_bars[t]
    return (x_t - np.sqrt(1 - abar) * eps) / np.sqrt(abar)
