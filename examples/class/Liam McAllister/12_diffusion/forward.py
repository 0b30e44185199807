"""Liam McAllister - forward diffusion. Finally got noise_to to round trip!! (see bottom)"""
import numpy as np


def linear_betas(T, first=1e-4, last=0.02):
    betas = np.linspace(first, last, T)
    betas = np.insert(betas, 0, 0.0)
    return betas


def alpha_bars(betas):
    alphas = 1 - betas
    return np.cumprod(alphas)


def forward_step(x_prev, beta, eps):
    # shrink by (1 - beta), noise has std sqrt(beta)
    return (1 - beta) * x_prev + np.sqrt(beta) * eps


def noise_to(x0, t, eps, alpha_bars):
    abar = np.array(alpha_bars[t])
    #print("abar", abar.shape, "x0", x0.shape)
    for _ in range(np.ndim(x0) - 1):
        if abar.ndim > 0:
            abar = abar[..., np.newaxis]
    return np.sqrt(abar) * x0 + np.sqrt(1 - abar) * eps


def predict_x0(x_t, t, eps, alpha_bars):
    abar = np.array(alpha_bars[t])
    for _ in range(np.ndim(x_t) - 1):
        if abar.ndim > 0:
            abar = abar[..., np.newaxis]
    return (x_t - np.sqrt(1 - abar) * eps) / np.sqrt(abar)


# quick test
rng = np.random.default_rng(1)
_x0, _eps = rng.uniform(-1, 1, (2, 3)), rng.normal(size=(2, 3))
_ab = alpha_bars(linear_betas(100))
print("round trip error", abs(predict_x0(noise_to(_x0, 50, _eps, _ab), 50, _eps, _ab) - _x0).max())
