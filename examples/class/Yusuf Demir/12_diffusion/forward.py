# Yusuf Demir, lesson 12
from numpy import array, cumprod, linspace, ndim, ones, sqrt, zeros


def linear_betas(T, first=1e-4, last=0.02):
    b = zeros(T + 1)
    b[1:] = linspace(first, last, T)
    return b


def alpha_bars(betas):
    return cumprod(ones(len(betas)) - array(betas))


def forward_step(x_prev, beta, eps):
    return sqrt(1 - beta) * x_prev + sqrt(beta) * eps


def expand(a, x):
    while ndim(a) > 0 and ndim(a) < ndim(x):
        a = a[..., None]
    return a


def noise_to(x0, t, eps, alpha_bars):
    ab = expand(alpha_bars[t], x0)
    return sqrt(1 - ab) * x0 + sqrt(ab) * eps


def predict_x0(x_t, t, eps, alpha_bars):
    ab = expand(alpha_bars[t], x_t)
    return (x_t - sqrt(1 - ab) * eps) / sqrt(ab)
