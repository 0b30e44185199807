"""Known misconceptions about the functions of `solutions/12_diffusion/practice.py`: a wrong formula and the sentence that corrects it."""

from math import exp, sqrt

from autograder.api import misconception


@misconception(of="two_steps", section="one-step-by-hand", card="noise-scale")
def beta_as_factor_twice(x0, beta1, beta2, eps1, eps2):
    """You scaled both noises by β. β is a variance: multiply ε by its square root, in each step."""
    x1 = sqrt(1 - beta1) * x0 + beta1 * eps1
    return sqrt(1 - beta2) * x1 + beta2 * eps2


@misconception(of="two_steps", section="one-step-by-hand", card="signal-root")
def no_root_on_signal_twice(x0, beta1, beta2, eps1, eps2):
    """You scaled the pixel by 1 − β. That is its share of the variance: the pixel is multiplied by √(1 − β), in each step."""
    x1 = (1 - beta1) * x0 + sqrt(beta1) * eps1
    return (1 - beta2) * x1 + sqrt(beta2) * eps2


@misconception(of="two_steps", section="one-step-by-hand", card="off-by-one")
def first_beta_again(x0, beta1, beta2, eps1, eps2):
    """You used β_1 in the second step too. The step that ends at t = 2 uses β_2."""
    x1 = sqrt(1 - beta1) * x0 + sqrt(beta1) * eps1
    return sqrt(1 - beta1) * x1 + sqrt(beta1) * eps2


@misconception(of="two_steps", section="one-step-by-hand", card="forward-formula")
def second_step_from_x0(x0, beta1, beta2, eps1, eps2):
    """You started the second step from x_0. It starts from x_1, where the first step ended."""
    return sqrt(1 - beta2) * x0 + sqrt(beta2) * eps2


@misconception(of="alpha_bar_of_two", section="jump-to-any-t", card="cumulative-product")
def betas_summed(beta1, beta2):
    """You subtracted the sum of the β. The steps multiply: ᾱ_2 = (1 − β_1)(1 − β_2)."""
    return 1 - (beta1 + beta2)


@misconception(of="alpha_bar_of_two", section="jump-to-any-t", card="cumulative-product")
def betas_multiplied(beta1, beta2):
    """You multiplied the β. What stays of the image is 1 − β in each step: multiply those."""
    return beta1 * beta2


@misconception(of="alpha_bar_of_two", section="jump-to-any-t", card="alpha-bar")
def last_alpha_alone(beta1, beta2):
    """You gave α_2, what the second step keeps. ᾱ_2 is what both steps keep: α_1 · α_2."""
    return 1 - beta2


@misconception(of="alpha_bar_of_two", section="jump-to-any-t", card="signal-and-noise")
def share_of_noise(beta1, beta2):
    """You gave 1 − ᾱ_2, the noise's share of the variance. ᾱ_2 is the image's share."""
    return 1 - (1 - beta1) * (1 - beta2)


@misconception(of="alpha_bar_of_two", section="notation", card="alpha-elsewhere")
def root_taken_early(beta1, beta2):
    """You gave √ᾱ_2, the image's factor. ᾱ_2 itself is the product without a root."""
    return sqrt((1 - beta1) * (1 - beta2))


@misconception(of="merged_noise", section="jump-to-any-t", card="why-one-jump")
def noises_added(beta1, beta2, eps1, eps2):
    """You added the two ε. Each has its own factor, √(α_2 β_1) and √β_2; the sum is then divided by √(1 − ᾱ_2)."""
    return eps1 + eps2


@misconception(of="merged_noise", section="jump-to-any-t", card="why-one-jump")
def noises_averaged(beta1, beta2, eps1, eps2):
    """You averaged the two ε. The average of two independent ones of unit variance has variance 1/2, and their factors are not equal."""
    return (eps1 + eps2) / 2


@misconception(of="merged_noise", section="jump-to-any-t", card="why-one-jump")
def noises_as_equals(beta1, beta2, eps1, eps2):
    """You gave both ε the same weight, 1/√2. Their factors are √(α_2 β_1) and √β_2, divided by √(1 − ᾱ_2)."""
    return (eps1 + eps2) / sqrt(2)


@misconception(of="merged_noise", section="jump-to-any-t", card="signal-root")
def first_noise_not_shrunk(beta1, beta2, eps1, eps2):
    """You kept the first noise at full size. The second step shrinks all of x_1, including its noise: the factor is √(α_2 β_1)."""
    return (sqrt(beta1) * eps1 + sqrt(beta2) * eps2) / sqrt(1 - (1 - beta1) * (1 - beta2))


@misconception(of="merged_noise", section="jump-to-any-t", card="noise-root")
def not_brought_to_unit_variance(beta1, beta2, eps1, eps2):
    """You gave the whole noise in x_2. The jump multiplies ε by √(1 − ᾱ_2), so divide by that."""
    return sqrt((1 - beta2) * beta1) * eps1 + sqrt(beta2) * eps2


@misconception(of="noise_factor", section="jump-to-any-t", card="noise-root")
def noise_factor_without_root(alpha_bar):
    """You gave 1 − ᾱ_t. That is the noise's variance: its factor is the root."""
    return 1 - alpha_bar


@misconception(of="noise_factor", section="jump-to-any-t", card="signal-and-noise")
def image_factor_for_noise(alpha_bar):
    """You gave √ᾱ_t, the image's factor. The noise's is √(1 − ᾱ_t)."""
    return sqrt(alpha_bar)


@misconception(of="lost_without_the_root", section="jump-to-any-t", card="signal-and-noise")
def lost_on_the_image(alpha_bar):
    """You compared √ᾱ_t with ᾱ_t, which belong to the image. The question is about the noise: √(1 − ᾱ_t) and 1 − ᾱ_t."""
    return sqrt(alpha_bar) - alpha_bar


@misconception(of="lost_without_the_root", section="jump-to-any-t", card="noise-root")
def wrong_factor_itself(alpha_bar):
    """You gave the wrong factor, 1 − ᾱ_t. Subtract it from the right one, √(1 − ᾱ_t)."""
    return 1 - alpha_bar


@misconception(of="squared_error", section="reverse-direction", card="mean-not-sum")
def sum_for_mean(eps1, hat1, eps2, hat2, eps3, hat3):
    """You summed the squares. The loss is their mean: divide by the number of pixels."""
    return (eps1 - hat1) ** 2 + (eps2 - hat2) ** 2 + (eps3 - hat3) ** 2


@misconception(of="squared_error", section="reverse-direction", card="simple-loss")
def absolute_errors(eps1, hat1, eps2, hat2, eps3, hat3):
    """You averaged the absolute errors. The loss averages their squares."""
    return (abs(eps1 - hat1) + abs(eps2 - hat2) + abs(eps3 - hat3)) / 3


@misconception(of="squared_error", section="reverse-direction", card="simple-loss")
def root_of_the_loss(eps1, hat1, eps2, hat2, eps3, hat3):
    """You took the root at the end. The loss is the mean squared error itself."""
    return sqrt(((eps1 - hat1) ** 2 + (eps2 - hat2) ** 2 + (eps3 - hat3) ** 2) / 3)


@misconception(of="squared_error", section="reverse-direction", card="simple-loss")
def signed_errors(eps1, hat1, eps2, hat2, eps3, hat3):
    """You averaged the differences with their signs, so that they partly cancel. Square each one first."""
    return (eps1 - hat1 + eps2 - hat2 + eps3 - hat3) / 3


@misconception(of="clean_estimate", section="reverse-direction", card="rescale-estimate")
def estimate_not_rescaled(x_t, eps_hat, alpha_bar):
    """You removed the noise and stopped. What is left is √ᾱ_t · x_0: divide by √ᾱ_t."""
    return x_t - sqrt(1 - alpha_bar) * eps_hat


@misconception(of="clean_estimate", section="reverse-direction", card="rescale-estimate")
def all_of_eps_taken_off(x_t, eps_hat, alpha_bar):
    """You subtracted all of ε̂. x_t contains √(1 − ᾱ_t) of it: scale the noise before you subtract it."""
    return (x_t - eps_hat) / sqrt(alpha_bar)


@misconception(of="clean_estimate", section="reverse-direction", card="noise-root")
def estimate_without_root_on_noise(x_t, eps_hat, alpha_bar):
    """You subtracted (1 − ᾱ_t) · ε̂. 1 − ᾱ_t is the noise's variance: x_t contains √(1 − ᾱ_t) · ε̂."""
    return (x_t - (1 - alpha_bar) * eps_hat) / sqrt(alpha_bar)


@misconception(of="clean_estimate", section="reverse-direction", card="rescale-estimate")
def estimate_divided_without_root(x_t, eps_hat, alpha_bar):
    """You divided by ᾱ_t. The image was multiplied by its square root: divide by √ᾱ_t."""
    return (x_t - sqrt(1 - alpha_bar) * eps_hat) / alpha_bar


@misconception(of="ddim_by_hand", section="faster", card="ddim-same-network")
def noise_not_put_back(x_t, eps_hat, alpha_bar_t, alpha_bar_s):
    """You left the noise out. x_s is still a noisy image: put √(1 − ᾱ_s) · ε̂ back."""
    return sqrt(alpha_bar_s) * (x_t - sqrt(1 - alpha_bar_t) * eps_hat) / sqrt(alpha_bar_t)


@misconception(of="ddim_by_hand", section="faster", card="rescale-estimate")
def noised_from_x_t(x_t, eps_hat, alpha_bar_t, alpha_bar_s):
    """You noised x_t once more. Go through x̂_0: x_s = √ᾱ_s · x̂_0 + √(1 − ᾱ_s) · ε̂."""
    return sqrt(alpha_bar_s) * x_t + sqrt(1 - alpha_bar_s) * eps_hat


@misconception(of="ddim_by_hand", section="faster", card="which-t-asked")
def old_noise_level_kept(x_t, eps_hat, alpha_bar_t, alpha_bar_s):
    """You put the noise of t back. At s there is less of it: √(1 − ᾱ_s) · ε̂."""
    x0 = (x_t - sqrt(1 - alpha_bar_t) * eps_hat) / sqrt(alpha_bar_t)
    return sqrt(alpha_bar_s) * x0 + sqrt(1 - alpha_bar_t) * eps_hat


@misconception(of="ddim_by_hand", section="faster", card="noise-root")
def put_back_without_roots(x_t, eps_hat, alpha_bar_t, alpha_bar_s):
    """You mixed with ᾱ_s and 1 − ᾱ_s. Both factors are roots, as in the jump."""
    x0 = (x_t - sqrt(1 - alpha_bar_t) * eps_hat) / sqrt(alpha_bar_t)
    return alpha_bar_s * x0 + (1 - alpha_bar_s) * eps_hat


@misconception(of="attention_weight", section="text-to-image", card="attention-scale")
def scores_not_scaled(score1, score2, d):
    """You left the dot products unscaled. Divide them by √d before the exponential."""
    return 1 / (1 + exp(score2 - score1))


@misconception(of="attention_weight", section="text-to-image", card="attention-scale")
def scaled_by_d(score1, score2, d):
    """You divided the dot products by d. The root of d is enough: their standard deviation grows like √d."""
    return 1 / (1 + exp((score2 - score1) / d))


@misconception(of="attention_weight", section="text-to-image", card="attention-rows")
def shares_of_the_scores(score1, score2, d):
    """You took each score's share of the sum. Softmax takes the exponential of each score first."""
    return score1 / (score1 + score2)


@misconception(of="attention_weight", section="text-to-image", card="attention-rows")
def the_other_tokens_weight(score1, score2, d):
    """You gave the second token's weight. The two weights sum to 1; the first token has the larger score."""
    return 1 / (1 + exp((score1 - score2) / sqrt(d)))


@misconception(of="guided_prediction", section="guidance", card="guidance-other-convention")
def other_convention(eps_uncond, eps_cond, w):
    """You used (1 + w)·ε_cond − w·ε_uncond, another paper's convention. Here w = 0 is unconditional: ε_uncond + w·(ε_cond − ε_uncond)."""
    return (1 + w) * eps_cond - w * eps_uncond


@misconception(of="guided_prediction", section="guidance", card="guidance-formula")
def away_from_the_condition(eps_uncond, eps_cond, w):
    """You took ε_uncond − ε_cond. Guidance goes towards the condition: the difference is ε_cond − ε_uncond."""
    return eps_uncond - w * (eps_cond - eps_uncond)


@misconception(of="guided_prediction", section="guidance", card="guidance-ends")
def roles_swapped(eps_uncond, eps_cond, w):
    """You swapped the two predictions. At w = 0 only ε_uncond must remain, at w = 1 only ε_cond."""
    return eps_cond + w * (eps_uncond - eps_cond)


@misconception(of="guided_prediction", section="guidance", card="guidance-formula")
def condition_multiplied(eps_uncond, eps_cond, w):
    """You multiplied ε_cond by w. What is multiplied is the difference that the condition makes, ε_cond − ε_uncond."""
    return w * eps_cond


def _landing(x, us, cs, step):
    for u, c in zip(us, cs, strict=True):
        x -= step(u, c)
    return x


@misconception(of="landing", section="guidance", card="guidance-other-convention")
def landing_in_the_other_convention(x, u1, u2, u3, c1, c2, c3, w):
    """You used (1 + w)·ε_cond − w·ε_uncond, another paper's convention: its w is ours minus 1, so you landed where our w + 1 does."""
    return _landing(x, (u1, u2, u3), (c1, c2, c3), lambda u, c: other_convention(u, c, w))


@misconception(of="landing", section="guidance", card="guidance-formula")
def landing_away_from_the_condition(x, u1, u2, u3, c1, c2, c3, w):
    """You took ε_uncond − ε_cond and went away from the condition. The difference is ε_cond − ε_uncond."""
    return _landing(x, (u1, u2, u3), (c1, c2, c3), lambda u, c: away_from_the_condition(u, c, w))


@misconception(of="landing", section="generating", card="what-is-predicted")
def noise_added(x, u1, u2, u3, c1, c2, c3, w):
    """You added the predictions. They say which noise is in the point: each step subtracts it."""
    return _landing(x, (u1, u2, u3), (c1, c2, c3), lambda u, c: -(u + w * (c - u)))


@misconception(of="landing", section="generating", card="why-not-one-step")
def stopped_after_one_step(x, u1, u2, u3, c1, c2, c3, w):
    """You stopped after the first step. Three steps are taken, each with its own two predictions."""
    return x - (u1 + w * (c1 - u1))


@misconception(of="our_w", section="guidance", card="guidance-other-convention")
def conventions_taken_for_one(their_w):
    """You kept the number. In their formula w = 0 already is plain conditional; in ours that is w = 1: add 1."""
    return their_w


@misconception(of="our_w", section="guidance", card="guidance-other-convention")
def converted_the_wrong_way(their_w):
    """You subtracted 1. Their w is ours minus 1, so ours is theirs plus 1."""
    return their_w - 1


@misconception(of="image_left", section="jump-to-any-t", card="terminal-snr")
def image_left_without_root(alpha_bar):
    """You gave ᾱ_T, the image's share of the variance. Its factor is the root, which is much larger."""
    return alpha_bar


@misconception(of="image_left", section="jump-to-any-t", card="signal-and-noise")
def noise_for_image_left(alpha_bar):
    """You gave √(1 − ᾱ_T), the noise's factor. The image's is √ᾱ_T."""
    return sqrt(1 - alpha_bar)
