"""Known misconceptions about distill.py: the code that a student with each of them would write, and the sentence that corrects it."""

import torch

from autograder.api import misconception
from solutions.diffusion.forward import at, noise_to, predict_x0

# ---- progressive_target


def _step(eps, x_t, t, s, alpha_bars, clip=None):
    x0 = predict_x0(x_t, t, eps, alpha_bars)
    return noise_to(x0 if clip is None else x0.clip(-clip, clip), s, eps, alpha_bars)


def _end(teacher, x_t, t, t_mid, t_end, alpha_bars, *, told=lambda t, t_mid: t_mid, shown=lambda x_t, x_mid: x_mid, clip=None):
    """Return x at t_end after the teacher's two steps, with one part replaced."""
    x_mid = _step(teacher(x_t, t), x_t, t, t_mid, alpha_bars, clip)
    eps = teacher(shown(x_t, x_mid), told(t, t_mid))
    return _step(eps, x_mid, t_mid, t_end, alpha_bars, clip)


def _solved(x_end, x_t, t, t_end, alpha_bars):
    shrink = at(alpha_bars**0.5, t_end, x_t) / at(alpha_bars**0.5, t, x_t)
    noise = at((1 - alpha_bars) ** 0.5, t_end, x_t) - shrink * at((1 - alpha_bars) ** 0.5, t, x_t)
    return (x_end - shrink * x_t) / noise


def _target(teacher, x_t, t, t_mid, t_end, alpha_bars, **exchanged):
    with torch.no_grad():
        return _solved(_end(teacher, x_t, t, t_mid, t_end, alpha_bars, **exchanged), x_t, t, t_end, alpha_bars)


@misconception(of="progressive_target", section="faster", card="distillation")
def first_noise(teacher, x_t, t, t_mid, t_end, alpha_bars):
    """You returned the teacher's ε̂ at t. That leads where one of its steps does; the target replaces two."""
    return teacher(x_t, t)


@misconception(of="progressive_target", section="faster", card="distillation")
def second_noise(teacher, x_t, t, t_mid, t_end, alpha_bars):
    """You returned the teacher's ε̂ at t_mid. The student starts from x_t: solve its one step for the ε that ends where two steps do."""
    return teacher(_step(teacher(x_t, t), x_t, t, t_mid, alpha_bars), t_mid)


@misconception(of="progressive_target", section="faster", card="distillation")
def noises_averaged(teacher, x_t, t, t_mid, t_end, alpha_bars):
    """You averaged the teacher's two ε̂. They don't count equally: solve the one step for ε instead."""
    eps = teacher(x_t, t)
    return (eps + teacher(_step(eps, x_t, t, t_mid, alpha_bars), t_mid)) / 2


@misconception(of="progressive_target", section="faster", card="distillation")
def end_for_target(teacher, x_t, t, t_mid, t_end, alpha_bars):
    """You returned the image at t_end. The student predicts noise: return the ε whose step leads there."""
    return _end(teacher, x_t, t, t_mid, t_end, alpha_bars)


@misconception(of="progressive_target", section="faster", card="velocity")
def clean_image_for_target(teacher, x_t, t, t_mid, t_end, alpha_bars):
    """You returned the x̂_0 whose step leads to t_end, as the paper's students predict. Here the student predicts ε."""
    return predict_x0(x_t, t, _target(teacher, x_t, t, t_mid, t_end, alpha_bars), alpha_bars)


@misconception(of="progressive_target", section="generating", card="which-t-asked")
def second_step_told_t(teacher, x_t, t, t_mid, t_end, alpha_bars):
    """You gave the teacher t in its second step too. By then it gets x at t_mid, and so t_mid."""
    return _target(teacher, x_t, t, t_mid, t_end, alpha_bars, told=lambda t, t_mid: t)


@misconception(of="progressive_target", section="faster", card="distillation")
def second_step_shown_x_t(teacher, x_t, t, t_mid, t_end, alpha_bars):
    """You gave the teacher x_t in its second step too. It continues from where its first step ended."""
    return _target(teacher, x_t, t, t_mid, t_end, alpha_bars, shown=lambda x_t, x_mid: x_t)


@misconception(of="progressive_target", section="generating", card="what-to-clamp")
def estimates_clamped(teacher, x_t, t, t_mid, t_end, alpha_bars):
    """You clamped the teacher's x̂_0 to [−1, 1]. Here nothing is clamped."""
    return _target(teacher, x_t, t, t_mid, t_end, alpha_bars, clip=1)


# ---- distill_step


def _distil(student, optimizer, target, x_t, t, *, clear=True, step=True, error_of=torch.nn.functional.mse_loss):
    error = error_of(student(x_t, t), target)
    if clear:
        optimizer.zero_grad()
    error.backward()
    if step:
        optimizer.step()
    return error.item()


@misconception(of="distill_step", section="faster", card="distillation")
def taught_a_single_step(student, teacher, optimizer, x_t, t, t_mid, t_end, alpha_bars):
    """You taught the student the teacher's ε̂ at t: it becomes a copy, and no faster. Its target is the ε of two steps in one."""
    return _distil(student, optimizer, teacher(x_t, t).detach(), x_t, t)


@misconception(of="distill_step", section="faster", card="distillation")
def taught_by_itself(student, teacher, optimizer, x_t, t, t_mid, t_end, alpha_bars):
    """You made the target with the student. The teacher takes the two steps."""
    return _distil(student, optimizer, _target(student, x_t, t, t_mid, t_end, alpha_bars), x_t, t)


@misconception(of="distill_step", section="faster", card="distillation")
def teacher_learns_too(student, teacher, optimizer, x_t, t, t_mid, t_end, alpha_bars):
    """Gradients flow into your teacher. It should not learn: make the target under torch.no_grad()."""
    target = _solved(_end(teacher, x_t, t, t_mid, t_end, alpha_bars), x_t, t, t_end, alpha_bars)
    return _distil(student, optimizer, target, x_t, t)


@misconception(of="distill_step", section="reverse-direction", card="simple-loss")
def gradients_left_over(student, teacher, optimizer, x_t, t, t_mid, t_end, alpha_bars):
    """You did not clear the gradients. `backward` adds to what is there: without zero_grad each step includes all earlier ones."""
    return _distil(student, optimizer, _target(teacher, x_t, t, t_mid, t_end, alpha_bars), x_t, t, clear=False)


@misconception(of="distill_step", section="reverse-direction", card="simple-loss")
def never_stepped(student, teacher, optimizer, x_t, t, t_mid, t_end, alpha_bars):
    """Your student did not change. Gradients only say where to go; optimizer.step(), after backward(), goes there."""
    return _distil(student, optimizer, _target(teacher, x_t, t, t_mid, t_end, alpha_bars), x_t, t, step=False)


@misconception(of="distill_step", section="reverse-direction", card="mean-not-sum")
def sum_for_mean(student, teacher, optimizer, x_t, t, t_mid, t_end, alpha_bars):
    """You summed the squares. A sum grows with the image's size, and the gradient with it: take the mean."""
    target = _target(teacher, x_t, t, t_mid, t_end, alpha_bars)
    return _distil(student, optimizer, target, x_t, t, error_of=lambda hat, eps: ((hat - eps) ** 2).sum())
