"""Known misconceptions about guidance.py: the code that a student with each of them would write, and the sentence that corrects it."""

import torch

from autograder.api import misconception
from solutions.diffusion.guidance import guide
from solutions.diffusion.samplers import ddim_sample

# ---- guided_eps


@misconception(of="guided_eps", section="guidance", card="guidance-other-convention")
def other_convention(eps_uncond, eps_cond, w):
    """You used (1 + w)·ε_cond − w·ε_uncond, another paper's convention: its w is ours minus 1. Here w = 0 is unconditional."""
    return (1 + w) * eps_cond - w * eps_uncond


@misconception(of="guided_eps", section="guidance", card="guidance-formula")
def away_from_the_condition(eps_uncond, eps_cond, w):
    """You went away from the condition: your difference is ε_uncond − ε_cond. It must be ε_cond − ε_uncond."""
    return eps_uncond + w * (eps_uncond - eps_cond)


@misconception(of="guided_eps", section="guidance", card="guidance-ends")
def roles_swapped(eps_uncond, eps_cond, w):
    """You swapped the two predictions. At w = 0 only ε_uncond must remain, at w = 1 only ε_cond."""
    return guide(eps_cond, eps_uncond, w)


@misconception(of="guided_eps", section="guidance", card="guidance-formula")
def condition_multiplied(eps_uncond, eps_cond, w):
    """You multiplied ε_cond by w. What is multiplied is the difference that the condition makes, ε_cond − ε_uncond."""
    return w * eps_cond


@misconception(of="guided_eps", section="guidance", card="guidance-formula")
def condition_added(eps_uncond, eps_cond, w):
    """You added w·ε_cond to ε_uncond. Only the difference that the condition makes is added, or the noise is counted twice."""
    return eps_uncond + w * eps_cond


@misconception(of="guided_eps", section="guidance", card="guidance-formula")
def difference_alone(eps_uncond, eps_cond, w):
    """You returned only the difference. Add it to ε_uncond: the predicted noise must still be removed."""
    return w * (eps_cond - eps_uncond)


# ---- drop_condition


def _dropped(tokens, null, drop):
    return torch.where(drop[:, None], torch.as_tensor(null), tokens)


@misconception(of="drop_condition", section="guidance", card="condition-dropout")
def never_dropped(tokens, null, p, u):
    """You dropped no caption. Without the null token in training the network never learns the unconditional prediction."""
    return tokens.clone()


@misconception(of="drop_condition", section="guidance", card="condition-dropout")
def kept_with_probability_p(tokens, null, p, u):
    """You kept rows with probability p. p is the share that is dropped: null goes where u < p."""
    return _dropped(tokens, null, u >= p)


@misconception(of="drop_condition", section="guidance", card="condition-dropout")
def all_or_none_dropped(tokens, null, p, u):
    """You decided once for the whole batch. Each row has its own u, which decides whether it is dropped."""
    return _dropped(tokens, null, (u[:1] < p).expand(len(u)))


@misconception(of="drop_condition", section="guidance", card="condition-dropout")
def zeros_for_null(tokens, null, p, u):
    """You replaced dropped captions by zeros. 0 may be a word: use the given null token."""
    return _dropped(tokens, 0, u < p)


@misconception(of="drop_condition", section="guidance", card="condition-dropout")
def only_the_first_token_dropped(tokens, null, p, u):
    """You replaced only the first token of a dropped caption. The rest still says what to draw: the whole row must become null."""
    out = tokens.clone()
    out[u < p, 0] = torch.as_tensor(null).reshape(-1)[0]
    return out


@misconception(of="drop_condition", section="guidance", card="condition-dropout")
def rows_left_out(tokens, null, p, u):
    """You removed the dropped rows from the batch. The image stays; only its caption becomes null."""
    return tokens[u >= p]


@misconception(of="drop_condition", section="guidance", card="condition-dropout")
def the_first_rows_dropped(tokens, null, p, u):
    """You dropped the first p·B rows. Which rows are dropped is random: row i if u[i] < p."""
    return _dropped(tokens, null, torch.arange(len(u)) < round(p * len(u)))


# ---- guided_sample


def _sample(eps_of, x_T, alpha_bars, steps, *, told=lambda t: t, path=None, clip=None):
    T = len(alpha_bars) - 1
    path = path or [T * i // steps for i in range(steps, -1, -1)]
    return ddim_sample(lambda x, t: eps_of(x, told(t)), x_T, alpha_bars, path, clip=clip)


def _both(eps_model, tokens, null, combine):
    nothing = torch.as_tensor(null).expand_as(tokens)
    return lambda x, t: combine(eps_model(x, t, nothing), eps_model(x, t, tokens))


@misconception(of="guided_sample", section="guidance", card="condition-dropout")
def null_never_shown(eps_model, tokens, null, w, x_T, alpha_bars, steps):
    """Your samples ignore w, as if there were no guidance. Each step needs a second prediction, with null as the caption."""
    return _sample(_both(eps_model, tokens, tokens, lambda u, c: guide(u, c, w)), x_T, alpha_bars, steps)


@misconception(of="guided_sample", section="guidance", card="condition-dropout")
def zeros_shown_for_null(eps_model, tokens, null, w, x_T, alpha_bars, steps):
    """You gave the model zeros as the empty caption. It was trained with the null token: use that."""
    return _sample(_both(eps_model, tokens, 0, lambda u, c: guide(u, c, w)), x_T, alpha_bars, steps)


@misconception(of="guided_sample", section="guidance", card="guidance-other-convention")
def sampled_in_the_other_convention(eps_model, tokens, null, w, x_T, alpha_bars, steps):
    """You sampled with (1 + w)·ε_cond − w·ε_uncond, another paper's convention: its w is ours minus 1."""
    return _sample(_both(eps_model, tokens, null, lambda u, c: guide(u, c, w + 1)), x_T, alpha_bars, steps)


@misconception(of="guided_sample", section="guidance", card="guidance-ends")
def sampled_with_roles_swapped(eps_model, tokens, null, w, x_T, alpha_bars, steps):
    """You passed the two predictions in the wrong order: the one with null comes first, the one with the captions second."""
    return _sample(_both(eps_model, tokens, null, lambda u, c: guide(c, u, w)), x_T, alpha_bars, steps)


@misconception(of="guided_sample", section="guidance", card="guidance-formula")
def sampled_away_from_the_condition(eps_model, tokens, null, w, x_T, alpha_bars, steps):
    """Your sampler goes away from the captions: the difference must be ε_cond − ε_uncond."""
    return _sample(_both(eps_model, tokens, null, lambda u, c: guide(u, c, -w)), x_T, alpha_bars, steps)


@misconception(of="guided_sample", section="guidance", card="guidance-formula")
def guided_images(eps_model, tokens, null, w, x_T, alpha_bars, steps):
    """You sampled twice and guided the finished images. Guidance acts on ε̂, in each step."""
    nothing = torch.as_tensor(null).expand_as(tokens)
    ends = [_sample(lambda x, t: eps_model(x, t, given), x_T, alpha_bars, steps) for given in (nothing, tokens)]  # noqa: B023
    return guide(*ends, w)


@misconception(of="guided_sample", section="generating", card="which-t-asked")
def told_one_too_low(eps_model, tokens, null, w, x_T, alpha_bars, steps):
    """You gave the network t − 1. Here t counts from 1, and x_t goes in together with t itself."""
    eps_of = _both(eps_model, tokens, null, lambda u, c: guide(u, c, w))
    return _sample(eps_of, x_T, alpha_bars, steps, told=lambda t: t - 1)


@misconception(of="guided_sample", section="faster", card="more-steps")
def every_t_visited(eps_model, tokens, null, w, x_T, alpha_bars, steps):
    """You visited every t from T to 1. Go in `steps` strides: t = T · i // steps."""
    eps_of = _both(eps_model, tokens, null, lambda u, c: guide(u, c, w))
    return _sample(eps_of, x_T, alpha_bars, steps, path=list(range(len(alpha_bars) - 1, -1, -1)))


@misconception(of="guided_sample", section="generating", card="what-to-clamp")
def estimate_clamped(eps_model, tokens, null, w, x_T, alpha_bars, steps):
    """You clamped x̂_0 to [−1, 1]. That helps with pixels, but here nothing is clamped: the sampler must serve latents too."""
    return _sample(_both(eps_model, tokens, null, lambda u, c: guide(u, c, w)), x_T, alpha_bars, steps, clip=1.0)
