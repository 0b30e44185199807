import numpy as np


def linear_betas(T, first=1e-4, last=0.02):
    return np.concatenate([np.zeros(1), np.linspace(first, last, T)])


def alpha_bars(betas):
    return np.cumprod(1.0 - betas)


def forward_step(x_prev, beta, eps):
    return np.sqrt(1.0 - beta) * x_prev + np.sqrt(beta) * eps


def get(alpha_bars, t, x):
    """alpha bar of step t. Python counts from 0, so step t is at index t - 1"""
    ab = np.asarray(alpha_bars[t - 1])
    return ab.reshape(ab.shape + (1,) * (np.ndim(x) - 1)) if ab.ndim else ab


def noise_to(x0, t, eps, alpha_bars):
    ab = get(alpha_bars, t, x0)
    return np.sqrt(ab) * x0 + np.sqrt(1 - ab) * eps


def predict_x0(x_t, t, eps, alpha_bars):
    ab = get(alpha_bars, t, x_t)
    return (x_t - np.sqrt(1 - ab) * eps) / np.sqrt(ab)
