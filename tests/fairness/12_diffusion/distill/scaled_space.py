"""In x/√ᾱ, where a DDIM step is a straight line; double precision; annotations and keyword calls."""

from __future__ import annotations

from torch import Tensor, nn


def slope(alpha_bars: Tensor, t: Tensor | int, batch: int) -> tuple[Tensor, Tensor]:
    bars = alpha_bars.double()[t].expand(batch).view(batch, 1, 1, 1)
    return bars.sqrt(), ((1 - bars) / bars).sqrt()


def progressive_target(
    teacher: nn.Module, x_t: Tensor, t: Tensor | int, t_mid: Tensor | int, t_end: Tensor | int, alpha_bars: Tensor
) -> Tensor:
    (root, start), (root_mid, middle), (_, end) = (slope(alpha_bars, each, len(x_t)) for each in (t, t_mid, t_end))
    first = teacher(x_t, t).detach().double()
    y = x_t / root + (middle - start) * first
    second = teacher((y * root_mid).float(), t_mid).detach().double()
    return (((middle - start) * first + (end - middle) * second) / (end - start)).float()


def distill_step(student, teacher, optimizer, x_t, t, t_mid, t_end, alpha_bars) -> Tensor:
    target = progressive_target(teacher=teacher, x_t=x_t, t=t, t_mid=t_mid, t_end=t_end, alpha_bars=alpha_bars)
    loss = nn.functional.mse_loss(student(x_t, t), target)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.detach()
