"""Numpy in double precision; one call saved if w = 0 or w = 1."""

import numpy as np
import torch


def guided_eps(eps_uncond, eps_cond, w):
    eps_uncond, eps_cond = np.asarray(eps_uncond, dtype=np.float64), np.asarray(eps_cond, dtype=np.float64)
    return np.add(eps_uncond, np.multiply(w, np.subtract(eps_cond, eps_uncond)))


def drop_condition(tokens, null, p, u):
    return np.where(np.less(np.asarray(u), p)[:, np.newaxis], np.asarray(null), np.asarray(tokens))


def guided_sample(eps_model, tokens, null, w, x_T, alpha_bars, steps):
    tokens, bars = np.asarray(tokens), np.asarray(alpha_bars, dtype=np.float64)
    nulls = np.broadcast_to(np.asarray(null), tokens.shape).copy()
    x, T = np.asarray(x_T, dtype=np.float64), len(bars) - 1

    def ask(x, t, rows):
        return np.asarray(eps_model(torch.tensor(x, dtype=torch.float32), t, torch.tensor(rows)), dtype=np.float64)

    for i in reversed(range(steps)):
        t, s = T * (i + 1) // steps, T * i // steps
        if w == 0:
            eps = ask(x, t, nulls)
        elif w == 1:
            eps = ask(x, t, tokens)
        else:
            eps = guided_eps(ask(x, t, nulls), ask(x, t, tokens), w)
        x = np.sqrt(bars[s] / bars[t]) * (x - np.sqrt(1 - bars[t]) * eps) + np.sqrt(1 - bars[s]) * eps
    return x
