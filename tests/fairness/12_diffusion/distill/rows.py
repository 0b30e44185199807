"""The arithmetic row by row in numpy, the models called on whole batches, the optimizer's closure."""

import numpy as np
import torch


def each(t, batch):
    return [int(one) for one in np.broadcast_to(np.asarray(t), (batch,))]


def progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars):
    bars = np.asarray(alpha_bars, dtype=np.float64)
    signal, noise = np.sqrt(bars), np.sqrt(1 - bars)

    def go(x, eps, ts, ends):
        rows = [
            signal[s] * (x[i] - noise[a] * eps[i]) / signal[a] + noise[s] * eps[i] for i, (a, s) in enumerate(zip(ts, ends, strict=True))
        ]
        return np.stack(rows)

    batch = len(x_t)
    ts, mids, ends = each(t, batch), each(t_mid, batch), each(t_end, batch)
    x = np.asarray(x_t, dtype=np.float64)
    with torch.no_grad():
        middle = go(x, np.asarray(teacher(x_t, t)), ts, mids)
        end = go(middle, np.asarray(teacher(torch.tensor(middle, dtype=torch.float32), t_mid)), mids, ends)
    target = np.empty_like(x)
    for i, (a, s) in enumerate(zip(ts, ends, strict=True)):
        ratio = signal[s] / signal[a]
        target[i] = (end[i] - ratio * x[i]) / (noise[s] - ratio * noise[a])
    return torch.tensor(target, dtype=torch.float32)


def distill_step(student, teacher, optimizer, x_t, t, t_mid, t_end, alpha_bars):
    target = progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars)

    def closure():
        optimizer.zero_grad()
        loss = (student(x_t, t) - target).pow(2).mean()
        loss.backward()
        return loss

    return float(optimizer.step(closure))
