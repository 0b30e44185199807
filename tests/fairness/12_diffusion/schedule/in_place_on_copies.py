"""In place, but on its own arrays; a cosine from the double angle."""

import numpy as np


def cosine_betas(T, s=0.008, most=0.999):
    angle = (np.arange(T + 1, dtype=float) / T + s) / (1 + s)
    f = (1 + np.cos(np.pi * angle)) / 2
    betas = np.zeros_like(f)
    for t in range(1, T + 1):
        betas[t] = 1 - f[t] / f[t - 1]
        if betas[t] > most:
            betas[t] = most
    return betas


def snr(alpha_bars):
    noise = 1 - np.array(alpha_bars)
    out = np.array(alpha_bars)
    out[1:] /= noise[1:]
    out[0] = np.inf
    return out


def terminal_snr_zero(betas):
    bars = np.cumprod(1 - betas.copy())
    roots = np.sqrt(bars)
    keep = roots[1].copy()
    roots[1:] -= roots[-1].copy()
    roots[1:] *= keep / roots[1].copy()
    new = betas.copy()
    new[2:] = 1 - (roots[2:] / roots[1:-1]) ** 2
    return new
