"""Loops over rows, lists, keyword calls, and one image at a time."""

import math

import torch


def guided_eps(eps_uncond, eps_cond, w):
    change = eps_cond - eps_uncond
    return eps_uncond + change * w


def drop_condition(tokens, null, p, u):
    null_row = null.tolist() if hasattr(null, "tolist") else [null] * tokens.shape[1]
    rows = []
    for row, chance in zip(tokens.tolist(), u.tolist(), strict=True):
        rows.append(null_row if chance < p else row)
    return rows


def _step(x, eps, bar, bar_prev):
    x0 = (x - math.sqrt(1 - bar) * eps) / math.sqrt(bar)
    return math.sqrt(bar_prev) * x0 + math.sqrt(1 - bar_prev) * eps


def guided_sample(eps_model, tokens, null, w, x_T, alpha_bars, steps):
    bars = alpha_bars.tolist()
    nulls = torch.tensor(drop_condition(tokens, null, 2.0, torch.zeros(len(tokens))))
    images = []
    for i in range(len(x_T)):
        x = x_T[i : i + 1]
        for k in range(steps, 0, -1):
            t, t_prev = (len(bars) - 1) * k // steps, (len(bars) - 1) * (k - 1) // steps
            without = eps_model(x, t=t, tokens=nulls[i : i + 1])
            with_caption = eps_model(x=x, t=t, tokens=tokens[i : i + 1])
            x = _step(x, guided_eps(without, with_caption, w), bars[t], bars[t_prev])
        images.append(x)
    return torch.cat(images)
