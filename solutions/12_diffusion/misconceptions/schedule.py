"""Known misconceptions about schedule.py: the code that a student with each of them would write, and the sentence that corrects it."""

import numpy as np

from autograder.api import misconception

# ---- cosine_betas


def _f(T, s):
    return np.cos((np.arange(T + 1) / T + s) / (1 + s) * np.pi / 2) ** 2


def _betas(f, most):
    return np.r_[0, np.minimum(1 - f[1:] / f[:-1], most)]


@misconception(of="cosine_betas", section="forward-noising", card="steps-count-from-one")
def cosine_without_the_zero(T, s=0.008, most=0.999):
    """Your table has T entries. β_t is counted from t = 1 here, so entry 0 is a 0 and the table has T + 1 entries."""
    return _betas(_f(T, s), most)[1:]


@misconception(of="cosine_betas", section="jump-to-any-t", card="signal-and-noise")
def cosine_not_squared(T, s=0.008, most=0.999):
    """You left out the square. √ᾱ_t, the image's factor, falls like the cosine; ᾱ_t falls like its square."""
    return _betas(_f(T, s) ** 0.5, most)


@misconception(of="cosine_betas", section="jump-to-any-t", card="where-to-test")
def offset_forgotten(T, s=0.008, most=0.999):
    """You left out s. Without the offset the first steps add almost no noise, and the network learns little from them."""
    return _betas(_f(T, 0), most)


@misconception(of="cosine_betas", section="jump-to-any-t", card="terminal-snr")
def offset_not_divided_out(T, s=0.008, most=0.999):
    """You added s but did not divide by 1 + s. Then the cosine passes its zero before t = T, and after it f rises again."""
    return _betas(np.cos((np.arange(T + 1) / T + s) * np.pi / 2) ** 2, most)


@misconception(of="cosine_betas", section="jump-to-any-t", card="alpha-bar")
def cosine_itself_returned(T, s=0.008, most=0.999):
    """You returned ᾱ_t, the square of a falling cosine. Return β_t, one for each step: 1 − f(t) / f(t−1)."""
    return _f(T, s) / _f(T, s)[0]


@misconception(of="cosine_betas", section="jump-to-any-t", card="alpha-bar")
def alpha_for_beta(T, s=0.008, most=0.999):
    """You returned f(t) / f(t−1), which is α_t, what a step keeps. β_t is what it removes: 1 − α_t."""
    f = _f(T, s)
    return np.r_[0, np.minimum(f[1:] / f[:-1], most)]


@misconception(of="cosine_betas", section="jump-to-any-t", card="cumulative-product")
def difference_for_ratio(T, s=0.008, most=0.999):
    """You took the differences of f. ᾱ_t is a product, so one step is a ratio: 1 − f(t) / f(t−1)."""
    f = _f(T, s)
    return np.r_[0, np.minimum(f[:-1] - f[1:], most)]


@misconception(of="cosine_betas", section="jump-to-any-t", card="zero-terminal-snr")
def never_cut_off(T, s=0.008, most=0.999):
    """You did not cap β at `most`. The last β of the cosine is 1: then nothing of the image is left, and ε̂ no longer determines x_0."""
    return _betas(_f(T, s), 1)


@misconception(of="cosine_betas", section="jump-to-any-t", card="zero-terminal-snr")
def cut_off_from_below(T, s=0.008, most=0.999):
    """You raised each β to at least `most`. It is an upper bound: take the smaller of the two."""
    f = _f(T, s)
    return np.r_[0, np.maximum(1 - f[1:] / f[:-1], most)]


# ---- snr


@misconception(of="snr", section="jump-to-any-t", card="signal-and-noise")
def noise_over_signal(alpha_bars):
    """You divided noise by signal. The ratio is the image's share over the noise's, ᾱ_t / (1 − ᾱ_t), and falls with t."""
    with np.errstate(divide="ignore"):
        return (1 - alpha_bars) / alpha_bars


@misconception(of="snr", section="jump-to-any-t", card="noise-root")
def ratio_of_factors(alpha_bars):
    """You divided the factors √ᾱ_t and √(1−ᾱ_t). The signal-to-noise ratio is a ratio of variances: no roots."""
    with np.errstate(divide="ignore"):
        return (alpha_bars / (1 - alpha_bars)) ** 0.5


@misconception(of="snr", section="jump-to-any-t", card="noise-root")
def root_on_the_noise_only(alpha_bars):
    """You took the root of the noise's share only. Both shares are variances: ᾱ_t over 1 − ᾱ_t."""
    with np.errstate(divide="ignore"):
        return alpha_bars / (1 - alpha_bars) ** 0.5


@misconception(of="snr", section="notation", card="signal-and-noise")
def logarithm_of_the_ratio(alpha_bars):
    """You returned the logarithm, which some papers call λ_t. Return the ratio itself."""
    with np.errstate(divide="ignore"):
        return np.log(alpha_bars / (1 - alpha_bars))


@misconception(of="snr", section="jump-to-any-t", card="alpha-bar")
def ratio_of_one_step(alpha_bars):
    """You used α_t of the single step t. How much of the image is left after t steps is ᾱ_t, the given table."""
    alphas = np.r_[1, alpha_bars[1:] / alpha_bars[:-1]]
    with np.errstate(divide="ignore"):
        return alphas / (1 - alphas)


@misconception(of="snr", section="jump-to-any-t", card="signal-and-noise")
def share_for_ratio(alpha_bars):
    """You returned ᾱ_t, the image's share of the total. The ratio compares it with the noise's share: divide by 1 − ᾱ_t."""
    return alpha_bars * 1.0


# ---- terminal_snr_zero


def _back_to_betas(roots):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.r_[0, 1 - (roots[1:] / roots[:-1]) ** 2]


def _roots(betas):
    return np.cumprod(1 - betas) ** 0.5


@misconception(of="terminal_snr_zero", section="jump-to-any-t", card="zero-terminal-snr")
def shifted_not_stretched(betas):
    """You shifted the roots but did not rescale them. Then x_1 is noisier than before: multiply so that √ᾱ_1 stays the same."""
    roots = _roots(betas)
    return _back_to_betas(np.r_[1, roots[1:] - roots[-1]])


@misconception(of="terminal_snr_zero", section="jump-to-any-t", card="signal-root")
def alpha_bars_stretched(betas):
    """You shifted and rescaled ᾱ_t. Shift and rescale its root √ᾱ_t instead, the image's factor."""
    bars = np.cumprod(1 - betas)
    return _back_to_betas(np.r_[1, (bars[1:] - bars[-1]) * bars[1] / (bars[1] - bars[-1])] ** 0.5)


@misconception(of="terminal_snr_zero", section="jump-to-any-t", card="zero-terminal-snr")
def last_beta_set_to_one(betas):
    """You only set β_T to 1, so the rest of the image vanishes in one step. Shift and rescale all of √ᾱ_t instead."""
    return np.r_[betas[:-1], 1.0]


@misconception(of="terminal_snr_zero", section="jump-to-any-t", card="steps-count-from-one")
def stretched_from_the_clean_image(betas):
    """You rescaled from t = 0. ᾱ_0 = 1 is the clean image and stays anyway; √ᾱ_1 must keep its value."""
    roots = _roots(betas)
    return _back_to_betas((roots - roots[-1]) / (1 - roots[-1]))


@misconception(of="terminal_snr_zero", section="jump-to-any-t", card="steps-count-from-one")
def stretched_to_one(betas):
    """You rescaled until √ᾱ_1 was 1, like the clean image's. Multiply by the old √ᾱ_1 too, so that the first step stays the same."""
    roots = _roots(betas)
    return _back_to_betas(np.r_[1, (roots[1:] - roots[-1]) / (roots[1] - roots[-1])])


@misconception(of="terminal_snr_zero", section="jump-to-any-t", card="alpha-bar")
def new_alpha_bars_returned(betas):
    """You returned the new ᾱ_t. Return the β_t that lead to them."""
    roots = _roots(betas)
    return np.r_[1, (roots[1:] - roots[-1]) * roots[1] / (roots[1] - roots[-1])] ** 2


@misconception(of="terminal_snr_zero", section="jump-to-any-t", card="signal-root")
def roots_not_squared_back(betas):
    """You took β from the ratios of the roots. α_t is the ratio of neighbouring ᾱ, so square the roots first."""
    roots = _roots(betas)
    roots = np.r_[1, (roots[1:] - roots[-1]) * roots[1] / (roots[1] - roots[-1])]
    return np.r_[0, 1 - roots[1:] / roots[:-1]]
