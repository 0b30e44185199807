# forward.py -- Mai
# Everything in float32, because that's what the network will get anyway (and it halves the memory).
import numpy as np

F = np.float32


def linear_betas(T, first=1e-4, last=0.02):
    betas = np.zeros(T + 1, dtype=F)
    betas[1:] = np.linspace(first, last, T, dtype=F)
    return betas


def alpha_bars(betas):
    # accumulate in float64, otherwise 1000 multiplications eat the last digits; round once at the end
    return np.cumprod(1.0 - np.asarray(betas, dtype=np.float64)).astype(F)


def forward_step(x_prev, beta, eps):
    x_prev, beta, eps = F(x_prev), F(beta), F(eps)
    return np.sqrt(1 - beta) * x_prev + np.sqrt(beta) * eps


def coefficients(t, alpha_bars, ndim):
    """sqrt(abar_t), sqrt(1 - abar_t), ready to multiply a batch.

    1 - abar has to happen *before* the cast: at t = 1 float32 only keeps 3 digits of 1e-4.
    """
    a = np.asarray(alpha_bars, dtype=np.float64)[np.asarray(t)]
    if a.ndim:
        a = a.reshape((-1,) + (1,) * (ndim - 1))
    return np.sqrt(a).astype(F), np.sqrt(1 - a).astype(F)


def noise_to(x0, t, eps, alpha_bars):
    x0, eps = F(x0), F(eps)
    signal, noise = coefficients(t, alpha_bars, x0.ndim)
    return signal * x0 + noise * eps


def predict_x0(x_t, t, eps, alpha_bars):
    x_t, eps = F(x_t), F(eps)
    signal, noise = coefficients(t, alpha_bars, x_t.ndim)
    return (x_t - noise * eps) / signal
