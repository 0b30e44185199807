"""Known misconceptions about forward.py: the code that a student with each of them would write, and the sentence that corrects it."""

import numpy as np

from autograder.api import misconception
from solutions.diffusion.forward import at

# ---- linear_betas


@misconception(of="linear_betas", section="forward-noising", card="steps-count-from-one")
def betas_without_the_zero(T, first=1e-4, last=0.02):
    """Your table has T entries. β_t is counted from t = 1 here, so entry 0 is a 0 and the table has T + 1 entries."""
    return np.linspace(first, last, T)


@misconception(of="linear_betas", section="forward-noising", card="steps-count-from-one")
def first_beta_at_zero(T, first=1e-4, last=0.02):
    """Your β grows from t = 0. Entry 0 stands for the clean image and is 0; `first` belongs to t = 1."""
    return np.linspace(first, last, T + 1)


@misconception(of="linear_betas", section="forward-noising", card="steps-count-from-one")
def betas_from_zero(T, first=1e-4, last=0.02):
    """You spaced the values from 0 to `last`. The leading 0 is separate: from t = 1 on, β runs from `first` to `last`."""
    return np.linspace(0, last, T + 1)


@misconception(of="linear_betas", section="forward-noising", card="steps-count-from-one")
def last_beta_never_reached(T, first=1e-4, last=0.02):
    """Your steps stop one short: `last` is β_T itself, so T values make T − 1 equal steps."""
    return np.r_[0, first + (last - first) * np.arange(T) / T]


@misconception(of="linear_betas", section="forward-noising", card="noise-scale")
def betas_linear_in_their_roots(T, first=1e-4, last=0.02):
    """You made the square roots of β evenly spaced, as Stable Diffusion's "scaled linear" schedule does. Here β itself is."""
    return np.r_[0, np.linspace(first**0.5, last**0.5, T) ** 2]


# ---- alpha_bars


@misconception(of="alpha_bars", section="jump-to-any-t", card="cumulative-product")
def sum_for_product(betas):
    """You summed the β_t. What is left of the image is multiplied at each step: ᾱ_t is the product of the (1 − β_t)."""
    return 1 - np.cumsum(betas)


@misconception(of="alpha_bars", section="jump-to-any-t", card="cumulative-product")
def sum_of_alphas(betas):
    """You summed the (1 − β_t). Each step multiplies what is left of the image: take their product."""
    return np.cumsum(1 - np.asarray(betas))


@misconception(of="alpha_bars", section="jump-to-any-t", card="cumulative-product")
def product_of_betas(betas):
    """You multiplied the β_t. The share of the image that stays is 1 − β_t: multiply those."""
    return np.cumprod(betas)


@misconception(of="alpha_bars", section="jump-to-any-t", card="alpha-bar")
def alpha_without_the_bar(betas):
    """You returned α_t = 1 − β_t, what one step keeps. ᾱ_t is what all steps up to t keep: the product of the α."""
    return 1 - np.asarray(betas)


@misconception(of="alpha_bars", section="jump-to-any-t", card="signal-and-noise")
def noise_share_for_signal_share(betas):
    """You returned 1 − ᾱ_t, the share of noise. ᾱ_t is the share of the image: it starts at 1 and falls."""
    return 1 - np.cumprod(1 - np.asarray(betas))


@misconception(of="alpha_bars", section="notation", card="alpha-bar")
def rooted_alpha_bar(betas):
    """You returned √ᾱ_t, which some courses call α_t. Here ᾱ_t is the product itself; its root is taken where it is used."""
    return np.cumprod(1 - np.asarray(betas)) ** 0.5


@misconception(of="alpha_bars", section="jump-to-any-t", card="steps-count-from-one")
def alpha_bars_without_the_one(betas):
    """You dropped entry 0. ᾱ_0 = 1 is the clean image, and the table is as long as that of β."""
    return np.cumprod(1 - np.asarray(betas)[1:])


# ---- forward_step


@misconception(of="forward_step", section="one-step-by-hand", card="noise-scale")
def beta_as_standard_deviation(x_prev, beta, eps):
    """You scaled the noise by β. β is the noise's variance: multiply ε by its square root."""
    return (1 - beta) ** 0.5 * x_prev + beta * eps


@misconception(of="forward_step", section="one-step-by-hand", card="signal-root")
def missing_root_on_signal(x_prev, beta, eps):
    """You scaled the image by 1 − β. Its variance should be multiplied by 1 − β: multiply the image by the square root."""
    return (1 - beta) * x_prev + beta**0.5 * eps


@misconception(of="forward_step", section="one-step-by-hand", card="signal-root")
def signal_untouched(x_prev, beta, eps):
    """You added noise and left the image as it was. Multiply it by √(1−β), or the variance would grow at each step."""
    return x_prev + beta**0.5 * eps


@misconception(of="forward_step", section="one-step-by-hand", card="noise-scale")
def no_roots_in_the_step(x_prev, beta, eps):
    """You scaled by 1 − β and β. These are variances: image and noise are multiplied by their square roots."""
    return (1 - beta) * x_prev + beta * eps


@misconception(of="forward_step", section="one-step-by-hand", card="signal-and-noise")
def step_roots_swapped(x_prev, beta, eps):
    """You swapped the two roots: √β belongs to the noise, √(1−β) to the image."""
    return beta**0.5 * x_prev + (1 - beta) ** 0.5 * eps


@misconception(of="forward_step", section="one-step-by-hand", card="noise-scale")
def noise_taken_away(x_prev, beta, eps):
    """You subtracted the noise. Forward steps add it: √(1−β)·x + √β·ε, whatever the sign of ε."""
    return (1 - beta) ** 0.5 * x_prev - beta**0.5 * eps


# ---- noise_to


def _jump(x0, t, eps, alpha_bars, signal, noise):
    bar = at(alpha_bars, t, x0)
    return signal(bar) * x0 + noise(bar) * eps


@misconception(of="noise_to", section="jump-to-any-t", card="noise-root")
def missing_root_on_noise(x0, t, eps, alpha_bars):
    """You scaled the noise by 1 − ᾱ_t. That is its variance: multiply ε by the square root."""
    return _jump(x0, t, eps, alpha_bars, lambda bar: bar**0.5, lambda bar: 1 - bar)


@misconception(of="noise_to", section="jump-to-any-t", card="signal-root")
def missing_root_on_image(x0, t, eps, alpha_bars):
    """You scaled the image by ᾱ_t. That is its share of the variance: multiply x_0 by the square root."""
    return _jump(x0, t, eps, alpha_bars, lambda bar: bar, lambda bar: (1 - bar) ** 0.5)


@misconception(of="noise_to", section="jump-to-any-t", card="noise-root")
def no_roots_in_the_jump(x0, t, eps, alpha_bars):
    """You scaled by ᾱ_t and 1 − ᾱ_t. These are variances: image and noise are multiplied by their square roots."""
    return _jump(x0, t, eps, alpha_bars, lambda bar: bar, lambda bar: 1 - bar)


@misconception(of="noise_to", section="jump-to-any-t", card="signal-and-noise")
def jump_roots_swapped(x0, t, eps, alpha_bars):
    """You swapped the two roots: √ᾱ_t belongs to the image, √(1−ᾱ_t) to the noise."""
    return _jump(x0, t, eps, alpha_bars, lambda bar: (1 - bar) ** 0.5, lambda bar: bar**0.5)


@misconception(of="noise_to", section="jump-to-any-t", card="signal-and-noise")
def one_root_for_both(x0, t, eps, alpha_bars):
    """You scaled the noise by √ᾱ_t too. The squares of the two factors must add up to 1: the noise gets √(1−ᾱ_t)."""
    return _jump(x0, t, eps, alpha_bars, lambda bar: bar**0.5, lambda bar: bar**0.5)


@misconception(of="noise_to", section="jump-to-any-t", card="alpha-bar")
def alpha_for_alpha_bar(x0, t, eps, alpha_bars):
    """You used α_t of the single step t. The jump from x_0 needs ᾱ_t, the product of all steps up to t."""
    alphas = np.r_[1, alpha_bars[1:] / alpha_bars[:-1]]
    return _jump(x0, t, eps, alphas, lambda a: a**0.5, lambda a: (1 - a) ** 0.5)


@misconception(of="noise_to", section="jump-to-any-t", card="cumulative-product")
def multiplied_up_twice(x0, t, eps, alpha_bars):
    """You took the product of the table again. alpha_bars[t] already is the product of all steps up to t."""
    return _jump(x0, t, eps, np.cumprod(alpha_bars), lambda bar: bar**0.5, lambda bar: (1 - bar) ** 0.5)


@misconception(of="noise_to", section="forward-noising", card="off-by-one")
def jump_counted_from_zero(x0, t, eps, alpha_bars):
    """You looked up alpha_bars[t − 1]. The index is the lesson's subscript here: ᾱ_t is alpha_bars[t], and alpha_bars[0] = 1."""
    shifted = np.roll(alpha_bars, 1)  # Python's index −1 is the last entry, so t = 0 gives ᾱ_T
    return _jump(x0, t, eps, shifted, lambda bar: bar**0.5, lambda bar: (1 - bar) ** 0.5)


@misconception(of="noise_to", section="forward-noising", card="off-by-one")
def jump_one_too_far(x0, t, eps, alpha_bars):
    """You looked up alpha_bars[t + 1]. The index is the lesson's subscript here: ᾱ_t is alpha_bars[t]."""
    return _jump(x0, np.asarray(t) + 1, eps, alpha_bars, lambda bar: bar**0.5, lambda bar: (1 - bar) ** 0.5)


@misconception(of="noise_to", section="jump-to-any-t", card="batch-of-steps")
def t_along_the_width(x0, t, eps, alpha_bars):
    """Your one t per sample was lined up with the last axis, the width. Give ᾱ_t the shape (B, 1, 1, ...) to align it with the batch."""
    bar = alpha_bars[t]
    return bar**0.5 * x0 + (1 - bar) ** 0.5 * eps


@misconception(of="noise_to", section="jump-to-any-t", card="batch-of-steps")
def one_t_for_the_batch(x0, t, eps, alpha_bars):
    """You used the first sample's t for the whole batch. Each sample has its own t: look up all of them."""
    return _jump(x0, int(np.ravel(t)[0]), eps, alpha_bars, lambda bar: bar**0.5, lambda bar: (1 - bar) ** 0.5)


# ---- predict_x0


def _back(x_t, t, eps, alpha_bars, undo):
    return undo(x_t, eps, at(alpha_bars, t, x_t))


@misconception(of="predict_x0", section="reverse-direction", card="rescale-estimate")
def never_divided(x_t, t, eps, alpha_bars):
    """You removed the noise and stopped. What is left is √ᾱ_t · x_0: divide by √ᾱ_t."""
    return _back(x_t, t, eps, alpha_bars, lambda x, e, bar: x - (1 - bar) ** 0.5 * e)


@misconception(of="predict_x0", section="reverse-direction", card="rescale-estimate")
def noise_not_scaled(x_t, t, eps, alpha_bars):
    """You subtracted all of ε. x_t contains √(1−ᾱ_t) of it: scale the noise before you subtract it."""
    return _back(x_t, t, eps, alpha_bars, lambda x, e, bar: (x - e) / bar**0.5)


@misconception(of="predict_x0", section="reverse-direction", card="noise-root")
def back_without_root_on_noise(x_t, t, eps, alpha_bars):
    """You subtracted (1 − ᾱ_t) · ε. 1 − ᾱ_t is the noise's variance: x_t contains √(1−ᾱ_t) · ε."""
    return _back(x_t, t, eps, alpha_bars, lambda x, e, bar: (x - (1 - bar) * e) / bar**0.5)


@misconception(of="predict_x0", section="reverse-direction", card="rescale-estimate")
def divided_without_root(x_t, t, eps, alpha_bars):
    """You divided by ᾱ_t. The image was multiplied by its square root: divide by √ᾱ_t."""
    return _back(x_t, t, eps, alpha_bars, lambda x, e, bar: (x - (1 - bar) ** 0.5 * e) / bar)


@misconception(of="predict_x0", section="reverse-direction", card="rescale-estimate")
def divided_too_early(x_t, t, eps, alpha_bars):
    """You divided only x_t by √ᾱ_t. Subtract the noise first, then divide what remains."""
    return _back(x_t, t, eps, alpha_bars, lambda x, e, bar: x / bar**0.5 - (1 - bar) ** 0.5 * e)


@misconception(of="predict_x0", section="reverse-direction", card="rescale-estimate")
def multiplied_for_divided(x_t, t, eps, alpha_bars):
    """You multiplied by √ᾱ_t. The jump multiplied x_0 by it; the way back divides."""
    return _back(x_t, t, eps, alpha_bars, lambda x, e, bar: (x - (1 - bar) ** 0.5 * e) * bar**0.5)


@misconception(of="predict_x0", section="reverse-direction", card="rescale-estimate")
def noise_added_again(x_t, t, eps, alpha_bars):
    """You added the noise once more. The jump added √(1−ᾱ_t) · ε; the way back subtracts it."""
    return _back(x_t, t, eps, alpha_bars, lambda x, e, bar: (x + (1 - bar) ** 0.5 * e) / bar**0.5)


@misconception(of="predict_x0", section="reverse-direction", card="signal-and-noise")
def back_roots_swapped(x_t, t, eps, alpha_bars):
    """You swapped the two roots: subtract √(1−ᾱ_t) · ε, then divide by √ᾱ_t."""
    return _back(x_t, t, eps, alpha_bars, lambda x, e, bar: (x - bar**0.5 * e) / (1 - bar) ** 0.5)


@misconception(of="predict_x0", section="forward-noising", card="off-by-one")
def back_counted_from_zero(x_t, t, eps, alpha_bars):
    """You looked up alpha_bars[t − 1]. The index is the lesson's subscript here: ᾱ_t is alpha_bars[t]."""
    return _back(x_t, np.asarray(t) - 1, eps, alpha_bars, lambda x, e, bar: (x - (1 - bar) ** 0.5 * e) / bar**0.5)


@misconception(of="predict_x0", section="jump-to-any-t", card="alpha-bar")
def back_with_alpha(x_t, t, eps, alpha_bars):
    """You used α_t of the single step t. x_t came from x_0 by a jump, so the way back needs ᾱ_t."""
    alphas = np.r_[1, alpha_bars[1:] / alpha_bars[:-1]]
    return _back(x_t, t, eps, alphas, lambda x, e, a: (x - (1 - a) ** 0.5 * e) / a**0.5)


@misconception(of="predict_x0", section="jump-to-any-t", card="batch-of-steps")
def back_along_the_width(x_t, t, eps, alpha_bars):
    """Your one t per sample was lined up with the last axis, the width. Give ᾱ_t the shape (B, 1, 1, ...) to align it with the batch."""
    bar = alpha_bars[t]
    return (x_t - (1 - bar) ** 0.5 * eps) / bar**0.5


@misconception(of="predict_x0", section="jump-to-any-t", card="batch-of-steps")
def back_with_one_t(x_t, t, eps, alpha_bars):
    """You used the first sample's t for the whole batch. Each sample has its own t: look up all of them."""
    return _back(x_t, int(np.ravel(t)[0]), eps, alpha_bars, lambda x, e, bar: (x - (1 - bar) ** 0.5 * e) / bar**0.5)
