"""Exercise: the forward process. Amara Okafor

I wrote everything with plain loops first so that I could follow the indices from the lesson,
and it was fast enough so I left it like that.
"""
import math

import numpy as np


def linear_betas(T, first=1e-4, last=0.02):
    betas = np.zeros(T + 1)            # betas[0] stays 0
    for t in range(1, T + 1):
        if T == 1:
            betas[t] = first
        else:
            betas[t] = first + (last - first) * (t - 1) / (T - 1)
    return betas


def alpha_bars(betas):
    result = []
    product = 1.0
    for beta in betas:
        product = product * (1.0 - beta)
        result.append(product)
    return np.array(result)


def forward_step(x_prev, beta, eps):
    keep = math.sqrt(1 - beta)
    add = math.sqrt(beta)
    return keep * x_prev + add * eps


def noise_to(x0, t, eps, alpha_bars):
    # one t for everything
    if np.ndim(t) == 0:
        a = alpha_bars[t]
        return math.sqrt(a) * x0 + math.sqrt(1 - a) * eps

    # one t per sample: do the samples one after the other
    noisy = np.zeros(x0.shape)
    for i in range(len(x0)):
        a = alpha_bars[t[i]]
        noisy[i] = math.sqrt(a) * x0[i] + math.sqrt(1 - a) * eps[i]
    return noisy


def predict_x0(x_t, t, eps, alpha_bars):
    if np.ndim(t) == 0:
        a = alpha_bars[t]
        return (x_t - math.sqrt(1 - a) * eps) / math.sqrt(a)

    clean = np.zeros(x_t.shape)
    for i in range(len(x_t)):
        a = alpha_bars[t[i]]
        clean[i] = (x_t[i] - math.sqrt(1 - a) * eps[i]) / math.sqrt(a)
    return clean
