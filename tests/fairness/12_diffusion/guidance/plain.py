"""The formulas as written, with two model calls."""

import torch


def guided_eps(eps_uncond, eps_cond, w):
    return eps_uncond + w * (eps_cond - eps_uncond)


def drop_condition(tokens, null, p, u):
    out = tokens.clone()
    out[u < p] = null
    return out


def guided_sample(eps_model, tokens, null, w, x_T, alpha_bars, steps):
    nothing = torch.zeros_like(tokens) + null
    T = len(alpha_bars) - 1
    x = x_T
    for i in range(steps, 0, -1):
        t, s = T * i // steps, T * (i - 1) // steps
        eps = guided_eps(eps_model(x, t, nothing), eps_model(x, t, tokens), w)
        x0 = (x - (1 - alpha_bars[t]).sqrt() * eps) / alpha_bars[t].sqrt()
        x = alpha_bars[s].sqrt() * x0 + (1 - alpha_bars[s]).sqrt() * eps
    return x
