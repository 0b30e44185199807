"""The formulas as written, with one t for all or one per sample."""

import torch


def shaped(table, t, x):
    return table[torch.as_tensor(t)].reshape(-1, *[1] * (x.dim() - 1))


def ddim(x, eps, t, s, alpha_bars):
    a, b = shaped(alpha_bars, t, x), shaped(alpha_bars, s, x)
    return b.sqrt() * (x - (1 - a).sqrt() * eps) / a.sqrt() + (1 - b).sqrt() * eps


@torch.no_grad()
def progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars):
    middle = ddim(x_t, teacher(x_t, t), t, t_mid, alpha_bars)
    end = ddim(middle, teacher(middle, t_mid), t_mid, t_end, alpha_bars)
    a, b = shaped(alpha_bars, t, x_t), shaped(alpha_bars, t_end, x_t)
    return (end - (b / a).sqrt() * x_t) / ((1 - b).sqrt() - (b / a).sqrt() * (1 - a).sqrt())


def distill_step(student, teacher, optimizer, x_t, t, t_mid, t_end, alpha_bars):
    target = progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars)
    loss = ((student(x_t, t) - target) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
