"""Прямой процесс (forward process), упражнение 12"""
import numpy as np


def linear_betas(T, first=1e-4, last=0.02):
    step = (last - first) / (T - 1) if T > 1 else 0
    return np.array([0.0] + [first + i * step for i in range(T)])


def alpha_bars(betas):
    alphas = 1 - betas
    bars = [alphas[0]]
    for a in alphas[1:]:
        bars.append(bars[-1] * a)
    return np.array(bars)


def forward_step(x_prev, beta, eps):
    return np.sqrt(1.0 - beta) * x_prev + np.sqrt(beta) * eps


def noise_to(x0, t, eps, alpha_bars):
    """x_t from x_0 in one jump."""
    if np.ndim(t) == 1:
        # каждой картинке своё t
        return np.array([noise_to(x0[i], int(t[i]), eps[i], alpha_bars) for i in range(len(t))])
    c = np.sqrt(alpha_bars[t])
    return c * x0 + c * eps


def predict_x0(x_t, t, eps, alpha_bars):
    if np.ndim(t) == 1:
        return np.array([predict_x0(x_t[i], int(t[i]), eps[i], alpha_bars) for i in range(len(t))])
    return (x_t - np.sqrt(1 - alpha_bars[t]) * eps) / np.sqrt(alpha_bars[t])
