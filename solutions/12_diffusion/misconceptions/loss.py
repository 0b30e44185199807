"""Known misconceptions about loss.py: the code that a student with each of them would write, and the sentence that corrects it."""

import torch

from autograder.api import misconception
from solutions.diffusion.forward import at, noise_to

# ---- noise_mse


def _loss(eps_model, x0, t, eps, alpha_bars, *, told=lambda t: t, error=lambda hat, eps, x0: torch.mean((eps - hat) ** 2)):
    return error(eps_model(noise_to(x0, t, eps, alpha_bars), told(t)), eps, x0)


@misconception(of="noise_mse", section="reverse-direction", card="simple-loss")
def gradient_cut_off(eps_model, x0, t, eps, alpha_bars):
    """You cut off the gradient: no .detach(), .item(), torch.no_grad() or numpy on the way from the prediction to the loss."""
    return _loss(eps_model, x0, t, eps, alpha_bars).detach()


@misconception(of="noise_mse", section="reverse-direction", card="mean-not-sum")
def sum_for_mean(eps_model, x0, t, eps, alpha_bars):
    """You summed the squares. A sum grows with the image's size, and the gradient with it: take the mean."""
    return _loss(eps_model, x0, t, eps, alpha_bars, error=lambda hat, eps, x0: torch.sum((eps - hat) ** 2))


@misconception(of="noise_mse", section="reverse-direction", card="mean-not-sum")
def sum_over_each_image(eps_model, x0, t, eps, alpha_bars):
    """You summed the squares in each image and averaged only over the batch. Average over the pixels too."""
    return _loss(eps_model, x0, t, eps, alpha_bars, error=lambda hat, eps, x0: torch.sum((eps - hat) ** 2) / len(x0))


@misconception(of="noise_mse", section="reverse-direction", card="what-is-predicted")
def compared_with_the_image(eps_model, x0, t, eps, alpha_bars):
    """You compared the prediction with x_0. The network predicts the noise: compare it with ε."""
    return _loss(eps_model, x0, t, eps, alpha_bars, error=lambda hat, eps, x0: torch.mean((x0 - hat) ** 2))


@misconception(of="noise_mse", section="reverse-direction", card="simple-loss")
def absolute_error(eps_model, x0, t, eps, alpha_bars):
    """You averaged the absolute errors. The loss is the mean of their squares."""
    return _loss(eps_model, x0, t, eps, alpha_bars, error=lambda hat, eps, x0: torch.mean((eps - hat).abs()))


@misconception(of="noise_mse", section="reverse-direction", card="simple-loss")
def root_taken(eps_model, x0, t, eps, alpha_bars):
    """You took a root at the end. The loss is the mean squared error itself."""
    return _loss(eps_model, x0, t, eps, alpha_bars, error=lambda hat, eps, x0: torch.mean((eps - hat) ** 2) ** 0.5)


@misconception(of="noise_mse", section="reverse-direction", card="what-is-predicted")
def compared_with_the_scaled_noise(eps_model, x0, t, eps, alpha_bars):
    """You compared with the scaled noise in x_t, √(1−ᾱ_t)·ε. The target is ε itself, with variance 1 at every t."""
    scaled = at((1 - alpha_bars) ** 0.5, t, x0) * eps
    return torch.mean((scaled - eps_model(noise_to(x0, t, eps, alpha_bars), t)) ** 2)


@misconception(of="noise_mse", section="reverse-direction", card="loss-weights")
def weighted_by_the_noise(eps_model, x0, t, eps, alpha_bars):
    """You weighted each t by 1 − ᾱ_t. The simple loss has no weights: every t counts the same."""
    weight = at(1 - alpha_bars, t, x0)
    return torch.mean(weight * (eps - eps_model(noise_to(x0, t, eps, alpha_bars), t)) ** 2)


@misconception(of="noise_mse", section="reverse-direction", card="network-inputs")
def clean_image_shown(eps_model, x0, t, eps, alpha_bars):
    """You gave the model the clean image. Its input is x_t: the image with the noise in it."""
    return torch.mean((eps - eps_model(x0, t)) ** 2)


@misconception(of="noise_mse", section="jump-to-any-t", card="noise-root")
def missing_root_on_noise(eps_model, x0, t, eps, alpha_bars):
    """You scaled the noise by 1 − ᾱ_t. That is its variance: multiply ε by the square root."""
    x_t = at(alpha_bars**0.5, t, x0) * x0 + at(1 - alpha_bars, t, x0) * eps
    return torch.mean((eps - eps_model(x_t, t)) ** 2)


@misconception(of="noise_mse", section="jump-to-any-t", card="signal-and-noise")
def noise_added_unscaled(eps_model, x0, t, eps, alpha_bars):
    """You added ε to the image. Image and noise are scaled by √ᾱ_t and √(1−ᾱ_t), so that t says how much of each is there."""
    return torch.mean((eps - eps_model(x0 + eps, t)) ** 2)


@misconception(of="noise_mse", section="jump-to-any-t", card="batch-of-steps")
def t_along_the_width(eps_model, x0, t, eps, alpha_bars):
    """Your one t per sample was lined up with the last axis, the width. Give ᾱ_t the shape (B, 1, 1, 1) to align it with the batch."""
    bar = alpha_bars[t]
    return torch.mean((eps - eps_model(bar**0.5 * x0 + (1 - bar) ** 0.5 * eps, t)) ** 2)


@misconception(of="noise_mse", section="forward-noising", card="off-by-one")
def told_one_too_low(eps_model, x0, t, eps, alpha_bars):
    """You gave the model t − 1. Here t counts from 1, and x_t goes in together with t itself."""
    return _loss(eps_model, x0, t, eps, alpha_bars, told=lambda t: t - 1)


@misconception(of="noise_mse", section="reverse-direction", card="timestep-told")
def told_a_single_t(eps_model, x0, t, eps, alpha_bars):
    """You gave the model the first sample's t for the whole batch. Each sample has its own t: pass all of them."""
    return _loss(eps_model, x0, t, eps, alpha_bars, told=lambda t: torch.as_tensor(t).reshape(-1)[0])


# ---- training_step


def _step(model, optimizer, x0, t, eps, alpha_bars, *, clear=True, step=True, loss_of=_loss):
    loss = loss_of(model, x0, t, eps, alpha_bars)
    if clear:
        optimizer.zero_grad()
    loss.backward()
    if step:
        optimizer.step()
    return loss.item()


@misconception(of="training_step", section="reverse-direction", card="simple-loss")
def gradients_left_over(model, optimizer, x0, t, eps, alpha_bars):
    """You did not clear the gradients. `backward` adds to what is there: without zero_grad each step includes all earlier ones."""
    return _step(model, optimizer, x0, t, eps, alpha_bars, clear=False)


@misconception(of="training_step", section="reverse-direction", card="simple-loss")
def never_stepped(model, optimizer, x0, t, eps, alpha_bars):
    """Your model did not change. Gradients only say where to go; call optimizer.step() after backward(), before clearing them."""
    return _step(model, optimizer, x0, t, eps, alpha_bars, step=False)


@misconception(of="training_step", section="reverse-direction", card="mean-not-sum")
def trained_on_the_sum(model, optimizer, x0, t, eps, alpha_bars):
    """You trained on the sum of the squares. The gradient then grows with the image's size: train on the mean."""
    return _step(model, optimizer, x0, t, eps, alpha_bars, loss_of=sum_for_mean)


@misconception(of="training_step", section="reverse-direction", card="what-is-predicted")
def trained_on_the_image(model, optimizer, x0, t, eps, alpha_bars):
    """You trained the model to predict x_0. Its target is the noise ε."""
    return _step(model, optimizer, x0, t, eps, alpha_bars, loss_of=compared_with_the_image)


@misconception(of="training_step", section="reverse-direction", card="simple-loss")
def loss_after_the_step(model, optimizer, x0, t, eps, alpha_bars):
    """You returned the loss after the step. Return the loss from before it, which needs no second call of the model."""
    _step(model, optimizer, x0, t, eps, alpha_bars)
    return _loss(model, x0, t, eps, alpha_bars).item()


@misconception(of="training_step", section="reverse-direction", card="simple-loss")
def stepped_twice(model, optimizer, x0, t, eps, alpha_bars):
    """You took two steps with one gradient. One call of optimizer.step() is one update."""
    loss = _step(model, optimizer, x0, t, eps, alpha_bars)
    optimizer.step()
    return loss
