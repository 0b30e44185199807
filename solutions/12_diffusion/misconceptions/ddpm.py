"""Known misconceptions about ddpm.py: the code that a student with each of them would write, and the sentence that corrects it."""

import numpy as np

from autograder.api import misconception
from solutions.diffusion.forward import posterior as posterior_of_x0
from solutions.diffusion.forward import posterior_variances, predict_x0
from solutions.diffusion.schedules import alpha_bars


def _tables(betas):
    betas = np.asarray(betas, np.float64)
    return betas, alpha_bars(betas)


def _right(x_t, t, eps_hat, betas):
    betas, bars = _tables(betas)
    return posterior_of_x0(x_t, predict_x0(x_t, t, eps_hat, bars), t, betas, bars)


def _small(t, betas):
    return posterior_variances(*_tables(betas))[t]


# ---- posterior


@misconception(of="posterior", section="generating", card="which-variance")
def large_variance(x_t, t, eps_hat, betas):
    """You gave β_t as the variance. Both β_t and β̃_t are in use; use the small one here, β̃_t, which is 0 at t = 1."""
    return _right(x_t, t, eps_hat, betas)[0], float(betas[t])


@misconception(of="posterior", section="generating", card="variance-or-deviation")
def deviation_for_variance(x_t, t, eps_hat, betas):
    """You gave the standard deviation. Return the variance: its root is taken in the step."""
    return _right(x_t, t, eps_hat, betas)[0], _small(t, betas) ** 0.5


@misconception(of="posterior", section="generating", card="which-variance")
def variance_upside_down(x_t, t, eps_hat, betas):
    """Your fraction in the variance is upside down. β̃_t is smaller than β_t: (1−ᾱ_{t−1}) is on top, (1−ᾱ_t) below."""
    table, bars = _tables(betas)
    with np.errstate(divide="ignore"):
        return _right(x_t, t, eps_hat, betas)[0], table[t] * (1 - bars[t]) / (1 - bars[t - 1])


@misconception(of="posterior", section="generating", card="which-variance")
def variance_without_beta(x_t, t, eps_hat, betas):
    """You left β_t out of the variance: it is β_t times (1−ᾱ_{t−1}) / (1−ᾱ_t)."""
    _, bars = _tables(betas)
    return _right(x_t, t, eps_hat, betas)[0], (1 - bars[t - 1]) / (1 - bars[t])


@misconception(of="posterior", section="generating", card="why-not-one-step")
def clean_estimate_for_mean(x_t, t, eps_hat, betas):
    """Your mean is x̂_0, where the last step ends. But for the last, a step goes only part of the way: the mean mixes x̂_0 and x_t."""
    _, bars = _tables(betas)
    return predict_x0(x_t, t, eps_hat, bars), _small(t, betas)


def _by_eps(x_t, t, eps_hat, betas, mean):
    table, bars = _tables(betas)
    return mean(x_t, eps_hat, table[t], bars[t]), _small(t, betas)


@misconception(of="posterior", section="generating", card="what-is-predicted")
def noise_scaled_by_beta(x_t, t, eps_hat, betas):
    """You subtracted β_t · ε̂. ε̂ is all the noise since x_0, of which a step removes β_t/√(1−ᾱ_t)."""
    return _by_eps(x_t, t, eps_hat, betas, lambda x, e, b, bar: (x - b * e) / (1 - b) ** 0.5)


@misconception(of="posterior", section="generating", card="signal-root")
def mean_not_rescaled(x_t, t, eps_hat, betas):
    """You subtracted the noise but did not divide by √(1−β_t). The forward step shrank the image; the reverse step undoes that."""
    return _by_eps(x_t, t, eps_hat, betas, lambda x, e, b, bar: x - b / (1 - bar) ** 0.5 * e)


@misconception(of="posterior", section="generating", card="alpha-bar")
def mean_rescaled_by_alpha_bar(x_t, t, eps_hat, betas):
    """You divided by √ᾱ_t. This is one step, so it undoes the shrinking of one step: divide by √α_t = √(1−β_t)."""
    return _by_eps(x_t, t, eps_hat, betas, lambda x, e, b, bar: (x - b / (1 - bar) ** 0.5 * e) / bar**0.5)


@misconception(of="posterior", section="generating", card="what-is-predicted")
def all_noise_taken_away(x_t, t, eps_hat, betas):
    """You removed all of the noise in x_t. A step removes only the part that this step had added: β_t/√(1−ᾱ_t) of ε̂."""
    return _by_eps(x_t, t, eps_hat, betas, lambda x, e, b, bar: (x - (1 - bar) ** 0.5 * e) / (1 - b) ** 0.5)


@misconception(of="posterior", section="generating", card="noise-root")
def noise_divided_without_root(x_t, t, eps_hat, betas):
    """You divided by 1 − ᾱ_t where its root belongs: a step removes β_t/√(1−ᾱ_t) of ε̂."""
    return _by_eps(x_t, t, eps_hat, betas, lambda x, e, b, bar: (x - b / (1 - bar) * e) / (1 - b) ** 0.5)


@misconception(of="posterior", section="generating", card="alpha-bar")
def alpha_for_alpha_bar(x_t, t, eps_hat, betas):
    """You used α_t where ᾱ_t belongs. The noise in x_t comes from all steps since x_0: take the product of the (1 − β)."""
    return _by_eps(x_t, t, eps_hat, betas, lambda x, e, b, bar: (x - b**0.5 * e) / (1 - b) ** 0.5)


@misconception(of="posterior", section="generating", card="what-to-clamp")
def estimate_clamped(x_t, t, eps_hat, betas):
    """You clamped x̂_0 to [−1, 1]. That helps with pixels, but here nothing is clamped: the step must hold for latents too."""
    table, bars = _tables(betas)
    return posterior_of_x0(x_t, predict_x0(x_t, t, eps_hat, bars).clip(-1, 1), t, table, bars)


@misconception(of="posterior", section="reverse-direction", card="what-is-predicted")
def noise_taken_for_image(x_t, t, eps_hat, betas):
    """You used the prediction as if it were x̂_0. The network predicts ε: compute x̂_0 from it first."""
    table, bars = _tables(betas)
    return posterior_of_x0(x_t, eps_hat, t, table, bars)


@misconception(of="posterior", section="forward-noising", card="off-by-one")
def tables_counted_from_zero(x_t, t, eps_hat, betas):
    """You looked up entry t − 1. The index is the lesson's subscript here: β_t is betas[t], and betas[0] = 0."""
    table, bars = _tables(betas)
    s = max(t - 1, 1)
    mean = (x_t - float(table[t - 1] / (1 - bars[s]) ** 0.5) * eps_hat) / float((1 - table[t - 1]) ** 0.5)
    return mean, (1 - bars[max(t - 2, 0)]) / (1 - bars[s]) * table[t - 1]


# ---- ddpm_step


@misconception(of="ddpm_step", section="generating", card="variance-or-deviation")
def noise_times_variance(x_t, t, eps_hat, betas, z):
    """You multiplied z by the variance. It needs the standard deviation: take the root of β̃_t."""
    mean, variance = _right(x_t, t, eps_hat, betas)
    return mean + variance * z


@misconception(of="ddpm_step", section="generating", card="which-variance")
def noise_of_the_large_variance(x_t, t, eps_hat, betas, z):
    """You multiplied z by √β_t, the root of the large variance. Use the small one here: √β̃_t, which is 0 at t = 1."""
    return _right(x_t, t, eps_hat, betas)[0] + float(betas[t]) ** 0.5 * z


@misconception(of="ddpm_step", section="generating", card="last-step")
def noise_at_the_last_step(x_t, t, eps_hat, betas, z):
    """You added noise in the last step. At t = 1 the variance is 0: x_0 is the clean image, and the noise would stay in it."""
    return _right(x_t, t, eps_hat, betas)[0] + _small(max(t, 2), betas) ** 0.5 * z


@misconception(of="ddpm_step", section="generating", card="why-fresh-noise")
def mean_without_noise(x_t, t, eps_hat, betas, z):
    """You returned the mean. DDPM's step is random: it adds √β̃_t · z."""
    return _right(x_t, t, eps_hat, betas)[0]


@misconception(of="ddpm_step", section="generating", card="variance-or-deviation")
def noise_not_scaled(x_t, t, eps_hat, betas, z):
    """You added all of z. It has variance 1, but the step needs β̃_t: multiply z by its root."""
    return _right(x_t, t, eps_hat, betas)[0] + (z if t > 1 else 0)


@misconception(of="ddpm_step", section="generating", card="why-fresh-noise")
def predicted_noise_for_fresh(x_t, t, eps_hat, betas, z):
    """You added ε̂ again instead of z. A step adds fresh noise, not the predicted noise."""
    mean, variance = _right(x_t, t, eps_hat, betas)
    return mean + variance**0.5 * eps_hat


# ---- ddpm_sample


def _walk(eps_model, x, betas, draw_noise, ts, *, told=lambda t: t, drawn=lambda t: t, strength=1.0, after=lambda x: x):
    for t in ts:
        mean, variance = _right(x, t, eps_model(x, told(t)), betas)
        x = after(mean + strength * variance**0.5 * draw_noise(drawn(t)))
    return x


def _down(betas):
    return range(len(betas) - 1, 0, -1)


@misconception(of="ddpm_sample", section="generating", card="which-t-asked")
def told_one_too_low(eps_model, x_T, betas, draw_noise):
    """You gave the network t − 1. It gets x_t together with t: the first call is with T, the last with 1."""
    return _walk(eps_model, x_T, betas, draw_noise, _down(betas), told=lambda t: t - 1)


@misconception(of="ddpm_sample", section="generating", card="last-step")
def stopped_at_one(eps_model, x_T, betas, draw_noise):
    """You stopped at x_1. One step is missing: from t = 1 to the clean image."""
    return _walk(eps_model, x_T, betas, draw_noise, range(len(betas) - 1, 1, -1))


@misconception(of="ddpm_sample", section="generating", card="which-t-asked")
def started_below_T(eps_model, x_T, betas, draw_noise):
    """You left out t = T. The table has T + 1 entries, and the last one belongs to the first step: x_T to x_{T−1}."""
    return _walk(eps_model, x_T, betas, draw_noise, range(len(betas) - 2, 0, -1))


@misconception(of="ddpm_sample", section="generating", card="two-directions")
def walked_upwards(eps_model, x_T, betas, draw_noise):
    """You went from t = 1 to T. That is the forward direction; sampling starts from noise, at T, and goes down."""
    return _walk(eps_model, x_T, betas, draw_noise, range(1, len(betas)))


@misconception(of="ddpm_sample", section="generating", card="why-fresh-noise")
def one_noise_for_all_steps(eps_model, x_T, betas, draw_noise):
    """You drew noise once and used it in all steps. Each step but the last needs fresh noise: draw it for each t."""
    return _walk(eps_model, x_T, betas, draw_noise, _down(betas), drawn=lambda t: len(betas) - 1)


@misconception(of="ddpm_sample", section="generating", card="off-by-one")
def noise_of_the_next_t(eps_model, x_T, betas, draw_noise):
    """You drew the noise for t − 1. Call draw_noise with the t that the step starts from."""
    return _walk(eps_model, x_T, betas, draw_noise, _down(betas), drawn=lambda t: t - 1)


@misconception(of="ddpm_sample", section="generating", card="why-fresh-noise")
def never_any_noise(eps_model, x_T, betas, draw_noise):
    """You added no noise. DDPM draws from a distribution in each step; only the last step adds none."""
    return _walk(eps_model, x_T, betas, draw_noise, _down(betas), strength=0.0)


@misconception(of="ddpm_sample", section="generating", card="last-step")
def noise_in_the_result(eps_model, x_T, betas, draw_noise):
    """You added noise in the last step too. It would stay in the image: at t = 1 add none."""
    return _walk(eps_model, x_T, betas, draw_noise, _down(betas)) + float(betas[1]) ** 0.5 * draw_noise(1)


@misconception(of="ddpm_sample", section="generating", card="why-not-one-step")
def asked_only_once(eps_model, x_T, betas, draw_noise):
    """You called the network once and used its output in all steps. Call it in each step, on the image reached so far."""
    eps = eps_model(x_T, len(betas) - 1)
    return _walk(lambda x, t: eps, x_T, betas, draw_noise, _down(betas))


@misconception(of="ddpm_sample", section="generating", card="network-inputs")
def asked_about_the_first_image(eps_model, x_T, betas, draw_noise):
    """You gave the network x_T in each step. Give it the image that the previous step reached."""
    return _walk(lambda x, t: eps_model(x_T, t), x_T, betas, draw_noise, _down(betas))


@misconception(of="ddpm_sample", section="generating", card="what-to-clamp")
def clamped_on_the_way(eps_model, x_T, betas, draw_noise):
    """You clamped x_t to [−1, 1] after each step. It contains noise and may lie outside: leave it as it is."""
    return _walk(eps_model, x_T, betas, draw_noise, _down(betas), after=lambda x: x.clip(-1, 1))
