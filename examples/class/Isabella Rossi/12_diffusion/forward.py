import numpy as np


def linear_betas(T, first=1e-4, last=0.02):
    betas = list(np.linspace(first, last, T))
    betas = [0] + betas
    return np.array(betas)


def alpha_bars(betas):
    # "cumulative": how much signal is left after all the steps so far
    return 1 - np.cumsum(betas)


def forward_step(x_prev, beta, eps):
    segnale = np.sqrt(1 - beta)
    rumore = np.sqrt(beta)
    return segnale * x_prev + rumore * eps


def noise_to(x0, t, eps, alpha_bars):
    a = np.array(alpha_bars)[t]
    if a.ndim == 1:
        # (B,) -> (B, 1, 1, 1)
        shape = [len(a)] + [1 for _ in x0.shape[1:]]
        a = a.reshape(shape)
    return np.sqrt(a) * x0 + np.sqrt(1 - a) * eps


def predict_x0(x_t, t, eps, alpha_bars):
    a = np.array(alpha_bars)[t]
    if a.ndim == 1:
        shape = [len(a)] + [1 for _ in x_t.shape[1:]]
        a = a.reshape(shape)
    x0 = x_t - np.sqrt(1 - a) * eps
    x0 = x0 / np.sqrt(a)
    return x0
