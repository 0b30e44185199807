"""Known misconceptions about ddim.py: the code that a student with each of them would write, and the sentence that corrects it."""

from itertools import pairwise

from autograder.api import misconception
from solutions.diffusion.forward import predict_x0
from solutions.diffusion.samplers import ddim_sample as walk

# ---- ddim_timesteps


@misconception(of="ddim_timesteps", section="faster", card="which-t-asked")
def grid_with_the_zero(T, steps):
    """Your grid contains 0. There the image is clean and the network is not called: 0 is only where the last step ends."""
    return [T * i // steps for i in range(steps, -1, -1)]


@misconception(of="ddim_timesteps", section="faster", card="two-directions")
def grid_upwards(T, steps):
    """Your grid rises. Sampling starts from noise, at T, and goes down."""
    return [T * i // steps for i in range(1, steps + 1)]


@misconception(of="ddim_timesteps", section="notation", card="counting-elsewhere")
def grid_counted_from_zero(T, steps):
    """Your grid is one too low, as if t were counted from 0. Here noise has t = T, and the first noising step t = 1."""
    return [T * i // steps - 1 for i in range(steps, 0, -1)]


@misconception(of="ddim_timesteps", section="faster", card="which-t-asked")
def grid_that_misses_T(T, steps):
    """Your grid does not start at T. x_T has the noise level of T, and a network given a lower t removes too little of it."""
    return [T * i // steps for i in range(steps - 1, -1, -1)]


@misconception(of="ddim_timesteps", section="faster", card="more-steps")
def grid_rounded_to_nearest(T, steps):
    """You rounded to the nearest integer. Other implementations may; here you round down: T · i // steps."""
    return [int(T * i / steps + 0.5) for i in range(steps, 0, -1)]


@misconception(of="ddim_timesteps", section="faster", card="more-steps")
def grid_by_whole_strides(T, steps):
    """You go down by the integer stride T // steps. If steps does not divide T, the last step gets too long: use T · i // steps."""
    return [T - (T // steps) * i for i in range(steps)]


@misconception(of="ddim_timesteps", section="faster", card="which-t-asked")
def grid_of_strides_from_one(T, steps):
    """You counted up from 1 in strides, as the DDIM paper's code does. Here x_T has the noise level of T, so the grid starts at T."""
    return [1 + i * (T // steps) for i in range(steps)][::-1]


@misconception(of="ddim_timesteps", section="faster", card="more-steps")
def grid_from_T_to_one(T, steps):
    """You spread the steps from T to 1. Here they are multiples of T / steps, so that the step to 0 is like the others."""
    return [int(T - i * (T - 1) / max(1, steps - 1)) for i in range(steps)]


# ---- ddim_step


def _sigma(a_t, a_s, eta):
    return eta * ((1 - a_s) / (1 - a_t) * (1 - a_t / a_s)) ** 0.5


def _bars(alpha_bars, t, s):
    return float(alpha_bars[t]), float(alpha_bars[s])


def _towards(x_t, a_t, a_s, eps, sigma, z, noise=None):
    """Take a step; `noise` multiplies ε̂, by default the correct factor."""
    x0 = (x_t - (1 - a_t) ** 0.5 * eps) / a_t**0.5
    return a_s**0.5 * x0 + (max(0.0, 1 - a_s - sigma**2) ** 0.5 if noise is None else noise) * eps + sigma * z


@misconception(of="ddim_step", section="faster", card="ddim-under-the-root")
def noise_on_top(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    """You added the fresh noise on top of all of ε̂. Together they have variance 1 − ᾱ_prev: ε̂ gets √(1 − ᾱ_prev − σ²)."""
    a_t, a_s = _bars(alpha_bars, t, t_prev)
    return _towards(x_t, a_t, a_s, eps_hat, _sigma(a_t, a_s, eta), z, (1 - a_s) ** 0.5)


@misconception(of="ddim_step", section="faster", card="ddim-under-the-root")
def sigma_not_squared(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    """You subtracted σ under the root. The terms there are variances: subtract σ², or the root may be of a negative number."""
    a_t, a_s = _bars(alpha_bars, t, t_prev)
    sigma = _sigma(a_t, a_s, eta)
    inside = 1 - a_s - sigma
    return _towards(x_t, a_t, a_s, eps_hat, sigma, z, inside**0.5 if inside >= 0 else float("nan"))


@misconception(of="ddim_step", section="faster", card="ddim-eta")
def sigma_without_its_root(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    """Your σ is η times a variance. σ is a standard deviation: take the root of the product first."""
    a_t, a_s = _bars(alpha_bars, t, t_prev)
    return _towards(x_t, a_t, a_s, eps_hat, eta * (1 - a_s) / (1 - a_t) * (1 - a_t / a_s), z)


@misconception(of="ddim_step", section="generating", card="variance-or-deviation")
def noise_times_variance(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    """You multiplied z by σ². z has variance 1, and what a step adds has variance σ²: multiply it by σ."""
    a_t, a_s = _bars(alpha_bars, t, t_prev)
    sigma = _sigma(a_t, a_s, eta)
    return _towards(x_t, a_t, a_s, eps_hat, sigma, sigma * z)


@misconception(of="ddim_step", section="faster", card="ddim-eta")
def eta_upside_down(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    """Your η is the wrong way round. η = 0 draws no noise and gives one image per x_T; η = 1 is DDPM."""
    a_t, a_s = _bars(alpha_bars, t, t_prev)
    return _towards(x_t, a_t, a_s, eps_hat, _sigma(a_t, a_s, 1 - eta), z)


@misconception(of="ddim_step", section="faster", card="ddim-eta")
def never_any_noise(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    """You left η out: your step is right for η = 0 and draws no noise for any other."""
    a_t, a_s = _bars(alpha_bars, t, t_prev)
    return _towards(x_t, a_t, a_s, eps_hat, 0.0, z)


@misconception(of="ddim_step", section="faster", card="ddim-eta")
def always_all_the_noise(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    """You left η out of σ: your step draws as much noise as DDPM, whatever η is."""
    a_t, a_s = _bars(alpha_bars, t, t_prev)
    return _towards(x_t, a_t, a_s, eps_hat, _sigma(a_t, a_s, 1), z)


@misconception(of="ddim_step", section="generating", card="which-variance")
def sigma_of_the_large_variance(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    """Under your root stands 1 − ᾱ_t/ᾱ_prev alone, the large variance β. Use the small one here: times (1−ᾱ_prev)/(1−ᾱ_t)."""
    a_t, a_s = _bars(alpha_bars, t, t_prev)
    return _towards(x_t, a_t, a_s, eps_hat, eta * (1 - a_t / a_s) ** 0.5, z)


@misconception(of="ddim_step", section="faster", card="ddim-same-network")
def noise_not_put_back(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    """You left ε̂ out of the result. At t_prev the image still contains noise: put √(1 − ᾱ_prev − σ²) of ε̂ back."""
    a_t, a_s = _bars(alpha_bars, t, t_prev)
    return _towards(x_t, a_t, a_s, eps_hat, _sigma(a_t, a_s, eta), z, 0.0)


@misconception(of="ddim_step", section="faster", card="rescale-estimate")
def noised_from_x_t(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    """You scaled x_t where x̂_0 belongs. Estimate the clean image first, then noise it to t_prev."""
    a_t, a_s = _bars(alpha_bars, t, t_prev)
    sigma = _sigma(a_t, a_s, eta)
    return a_s**0.5 * x_t + max(0.0, 1 - a_s - sigma**2) ** 0.5 * eps_hat + sigma * z


@misconception(of="ddim_step", section="faster", card="which-t-asked")
def old_noise_level_kept(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    """You put back the noise of t. At t_prev there is less of it: 1 − ᾱ_prev − σ² stands under the root."""
    a_t, a_s = _bars(alpha_bars, t, t_prev)
    sigma = _sigma(a_t, a_s, eta)
    return _towards(x_t, a_t, a_s, eps_hat, sigma, z, max(0.0, 1 - a_t - sigma**2) ** 0.5)


@misconception(of="ddim_step", section="faster", card="signal-root")
def put_back_without_roots(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    """You mixed image and noise with ᾱ_prev and 1 − ᾱ_prev − σ². These are variances: both need a root."""
    a_t, a_s = _bars(alpha_bars, t, t_prev)
    sigma = _sigma(a_t, a_s, eta)
    return a_s * predict_x0(x_t, t, eps_hat, alpha_bars) + (1 - a_s - sigma**2) * eps_hat + sigma * z


@misconception(of="ddim_step", section="faster", card="which-t-asked")
def only_one_t_down(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    """You went to t − 1. DDIM may skip: the step ends at t_prev, however far that is."""
    a_t, a_s = _bars(alpha_bars, t, t - 1)
    return _towards(x_t, a_t, a_s, eps_hat, _sigma(a_t, a_s, eta), z)


@misconception(of="ddim_step", section="forward-noising", card="off-by-one")
def bars_counted_from_zero(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    """You looked up alpha_bars[t − 1]. The index is the lesson's subscript here: ᾱ_t is alpha_bars[t], and alpha_bars[0] = 1."""
    a_t, a_s = _bars(alpha_bars, t - 1, max(0, t_prev - 1))
    return _towards(x_t, a_t, a_s, eps_hat, _sigma(a_t, a_s, eta), z)


@misconception(of="ddim_step", section="generating", card="what-to-clamp")
def estimate_clamped(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    """You clamped x̂_0 to [−1, 1]. That helps with pixels, but here nothing is clamped: the step must hold for latents too."""
    a_t, a_s = _bars(alpha_bars, t, t_prev)
    sigma = _sigma(a_t, a_s, eta)
    x0 = predict_x0(x_t, t, eps_hat, alpha_bars).clip(-1, 1)
    return a_s**0.5 * x0 + max(0.0, 1 - a_s - sigma**2) ** 0.5 * eps_hat + sigma * z


@misconception(of="ddim_step", section="generating", card="what-to-clamp")
def result_clamped(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    """You clamped the result to [−1, 1]. It is a noisy image and may lie outside; here nothing is clamped."""
    a_t, a_s = _bars(alpha_bars, t, t_prev)
    return _towards(x_t, a_t, a_s, eps_hat, _sigma(a_t, a_s, eta), z).clip(-1, 1)


# ---- ddim_sample


def _walk(eps_model, x, alpha_bars, path, eta, draw_noise, *, told=lambda t, s: t, drawn=lambda t, s: t, after=lambda x: x):
    for t, s in pairwise(path):
        eps, z = eps_model(x, told(t, s)), draw_noise(drawn(t, s))
        x = walk(lambda x, t: eps, x, alpha_bars, [t, s], lambda shape: z, eta=eta, clip=None)  # noqa: B023
        x = after(x)
    return x


def _path(alpha_bars, steps):
    T = len(alpha_bars) - 1
    return [T * i // steps for i in range(steps, -1, -1)]


@misconception(of="ddim_sample", section="generating", card="which-t-asked")
def told_where_it_goes(eps_model, x_T, alpha_bars, steps, eta, draw_noise):
    """You gave the network t_prev. It needs the noise level of the image it gets, which is t."""
    return _walk(eps_model, x_T, alpha_bars, _path(alpha_bars, steps), eta, draw_noise, told=lambda t, s: s)


@misconception(of="ddim_sample", section="generating", card="which-t-asked")
def told_one_too_low(eps_model, x_T, alpha_bars, steps, eta, draw_noise):
    """You gave the network t − 1. Here t counts from 1, and x_t goes in together with t itself."""
    return _walk(eps_model, x_T, alpha_bars, _path(alpha_bars, steps), eta, draw_noise, told=lambda t, s: t - 1)


@misconception(of="ddim_sample", section="faster", card="last-step")
def stopped_before_zero(eps_model, x_T, alpha_bars, steps, eta, draw_noise):
    """You stopped at the last t of the grid. One step is missing, from there to 0, which removes the last of the noise."""
    return _walk(eps_model, x_T, alpha_bars, _path(alpha_bars, steps)[:-1], eta, draw_noise)


@misconception(of="ddim_sample", section="generating", card="why-not-one-step")
def asked_only_once(eps_model, x_T, alpha_bars, steps, eta, draw_noise):
    """You called the network once and used its output in all steps. Call it in each step, on the image reached so far."""
    eps = eps_model(x_T, len(alpha_bars) - 1)
    return _walk(lambda x, t: eps, x_T, alpha_bars, _path(alpha_bars, steps), eta, draw_noise)


@misconception(of="ddim_sample", section="generating", card="network-inputs")
def asked_about_the_first_image(eps_model, x_T, alpha_bars, steps, eta, draw_noise):
    """You gave the network x_T in each step. Give it the image that the previous step reached."""
    return _walk(lambda x, t: eps_model(x_T, t), x_T, alpha_bars, _path(alpha_bars, steps), eta, draw_noise)


@misconception(of="ddim_sample", section="generating", card="why-not-one-step")
def jumped_in_one_step(eps_model, x_T, alpha_bars, steps, eta, draw_noise):
    """You jumped from x_T to x_0 in one step. That estimate is a blur: go through the grid, step by step."""
    return _walk(eps_model, x_T, alpha_bars, [len(alpha_bars) - 1, 0], eta, draw_noise)


@misconception(of="ddim_sample", section="faster", card="more-steps")
def every_t_visited(eps_model, x_T, alpha_bars, steps, eta, draw_noise):
    """You visited every t from T to 1. DDIM goes in `steps` strides: through the t of ddim_timesteps(T, steps)."""
    return _walk(eps_model, x_T, alpha_bars, list(range(len(alpha_bars) - 1, -1, -1)), eta, draw_noise)


@misconception(of="ddim_sample", section="faster", card="ddim-eta")
def sampled_without_eta(eps_model, x_T, alpha_bars, steps, eta, draw_noise):
    """You did not pass η on: your sampler is deterministic for every η. η = 1 adds fresh noise in each step but the last."""
    return _walk(eps_model, x_T, alpha_bars, _path(alpha_bars, steps), 0.0, draw_noise)


@misconception(of="ddim_sample", section="generating", card="why-fresh-noise")
def one_noise_for_all_steps(eps_model, x_T, alpha_bars, steps, eta, draw_noise):
    """You drew noise once and used it in all steps. Each step but the last needs fresh noise, drawn for the t that it starts from."""
    return _walk(eps_model, x_T, alpha_bars, _path(alpha_bars, steps), eta, draw_noise, drawn=lambda t, s: len(alpha_bars) - 1)


@misconception(of="ddim_sample", section="generating", card="off-by-one")
def noise_of_the_next_t(eps_model, x_T, alpha_bars, steps, eta, draw_noise):
    """You drew the noise for t_prev. Call draw_noise with the t that the step starts from."""
    return _walk(eps_model, x_T, alpha_bars, _path(alpha_bars, steps), eta, draw_noise, drawn=lambda t, s: s)


@misconception(of="ddim_sample", section="generating", card="what-to-clamp")
def clamped_on_the_way(eps_model, x_T, alpha_bars, steps, eta, draw_noise):
    """You clamped x_t to [−1, 1] after each step. It contains noise and may lie outside: leave it as it is."""
    return _walk(eps_model, x_T, alpha_bars, _path(alpha_bars, steps), eta, draw_noise, after=lambda x: x.clip(-1, 1))
