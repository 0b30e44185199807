"""The teacher frozen temporarily, the target computed through the clean image, in place on copies."""

import torch


def _at(table, t, like):
    value = table[t]
    return value if value.dim() == 0 else value[(...,) + (None,) * (like.dim() - 1)]


def progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars):
    signal, noise = alpha_bars.double().sqrt(), (1 - alpha_bars.double()).sqrt()
    x = x_t.double().clone()
    here = t
    for there in (t_mid, t_end):
        with torch.inference_mode():
            eps = teacher(x.float(), here).clone().double()
        x = x - _at(noise, here, x) * eps
        x = x / _at(signal, here, x) * _at(signal, there, x)
        x = x + _at(noise, there, x) * eps
        here = there
    ratio = _at(noise, t_end, x) / _at(noise, t, x)
    clean = (x - ratio * x_t) / (_at(signal, t_end, x) - ratio * _at(signal, t, x))
    return ((x_t - _at(signal, t, x) * clean) / _at(noise, t, x)).float().clone()


def distill_step(student, teacher, optimizer, x_t, t, t_mid, t_end, alpha_bars):
    optimizer.zero_grad(set_to_none=True)
    learned = [p.requires_grad for p in teacher.parameters()]
    teacher.requires_grad_(False)
    error = student(x_t, t) - progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars)
    loss = torch.sum(error * error) / error.numel()
    loss.backward()
    optimizer.step()
    for p, learns in zip(teacher.parameters(), learned, strict=True):
        p.requires_grad_(learns)
    return float(loss)
