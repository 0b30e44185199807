"""Loops over samples and plain lists for tables."""

import math


def linear_betas(T, first=1e-4, last=0.02):
    if T == 1:
        return [0.0, first]
    return [0.0] + [first + (last - first) * i / (T - 1) for i in range(T)]


def alpha_bars(betas):
    bars, bar = [], 1.0
    for beta in betas:
        bar = bar * (1 - beta)
        bars.append(bar)
    return bars


def forward_step(x_prev, beta, eps):
    return math.sqrt(1 - beta) * x_prev + math.sqrt(beta) * eps


def noise_to(x0, t, eps, alpha_bars):
    if hasattr(t, "__len__"):
        return [noise_to(x, int(one), e, alpha_bars) for x, one, e in zip(x0, t, eps, strict=True)]
    return math.sqrt(alpha_bars[t]) * x0 + math.sqrt(1 - alpha_bars[t]) * eps


def predict_x0(x_t, t, eps, alpha_bars):
    if hasattr(t, "__len__"):
        return [predict_x0(x, int(one), e, alpha_bars) for x, one, e in zip(x_t, t, eps, strict=True)]
    return (x_t - math.sqrt(1 - alpha_bars[t]) * eps) / math.sqrt(alpha_bars[t])
