"""Lesson 12, forward process."""
import numpy as np


def linear_betas(T, first=1e-4, last=0.02):
    """betas[0] = 0, betas[1..T] from first to last"""
    return np.r_[0, np.linspace(first, last, T)]


def alphabars(betas):
    """running product of the alphas"""
    return np.cumprod(1 - betas)


def forward_step(x_prev, beta, eps):
    """one step"""
    return np.sqrt(1 - beta) * x_prev + np.sqrt(beta) * eps


def noise_to(x0, t, eps, alpha_bars):
    """many steps at once"""
    a = np.asarray(alpha_bars[t])
    a = a.reshape(a.shape + (1,) * max(np.ndim(x0) - 1, 0)) if a.ndim else a
    return np.sqrt(a) * x0 + np.sqrt(1 - a) * eps

# predict_x0: did not get to this one, sorry
