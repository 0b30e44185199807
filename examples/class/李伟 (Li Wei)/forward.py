import functools

import numpy as np


def 只读(function):          # "read only": numpy complains loudly if I write into an argument
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        def view(a):
            if isinstance(a, np.ndarray):
                a = a.view()
                a.flags.writeable = False
            return a
        return function(*map(view, args), **{k: view(v) for k, v in kwargs.items()})
    return wrapper


def batched(function):
    """Let a function that is written for single samples take a whole batch with one t each.

    f(x, t, eps, alpha_bars) -> stack of f(x[i], t[i], eps[i], alpha_bars)
    """
    @functools.wraps(function)
    def wrapper(x, t, eps, alpha_bars):
        if np.ndim(t) == 0:
            return function(x, t, eps, alpha_bars)
        return np.stack([function(x_i, t_i, eps_i, alpha_bars) for x_i, t_i, eps_i in zip(x, t, eps)])
    return wrapper


@只读
def linear_betas(T, first=1e-4, last=0.02):
    return np.pad(np.linspace(first, last, T), (1, 0))


@只读
def alpha_bars(betas):
    return np.exp(np.cumsum(np.log1p(-np.asarray(betas))))   # product = exp of the sum of logs


@只读
def forward_step(x_prev, beta, eps):
    return np.sqrt(1 - beta) * x_prev + np.sqrt(beta) * eps


@只读
@batched
def noise_to(x0, t, eps, alpha_bars):
    return np.sqrt(alpha_bars[t]) * x0 + np.sqrt(1 - alpha_bars[t]) * eps


@只读
@batched
def predict_x0(x_t, t, eps, alpha_bars):
    return (x_t - np.sqrt(1 - alpha_bars[t]) * eps) / np.sqrt(alpha_bars[t])
