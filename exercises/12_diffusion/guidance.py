"""Exercise `guidance`: make the network obey its caption, with no other network's help.

Write the three functions. Images are float32 torch tensors, captions are rows of integers (tokens); what you return may be made with
torch or with numpy. Never change an argument in place: work on a copy. Nothing is clamped here.

Counting is the lesson's: alpha_bars[t] is ᾱ_t for t = 0..T and alpha_bars[0] = 1; x_T is noise, x_0 the clean image.
Guidance is the lesson's too: w = 0 ignores the caption, w = 1 is plain conditional. (CS231n's w is ours minus 1.)
"""

import torch  # noqa: F401  (for you)


def guided_eps(eps_uncond, eps_cond, w):
    """Return the guided prediction: from ε_uncond, w times the way to ε_cond.

    eps_uncond, eps_cond: floats, or tensors of one shape. w: a float, at least 0.
    """
    raise NotImplementedError("guided_eps")


def drop_condition(tokens, null, p, u):
    """Return the captions for one training step, some of them dropped: row i becomes null where u[i] < p, and stays elsewhere.

    tokens: integer tensor (B, L). null: one token's id, or a whole row (L,). p: a float from 0 to 1. u: tensor (B,), uniform
    in [0, 1). So each row is dropped with probability p, and the network learns to do without a caption too.
    """
    raise NotImplementedError("drop_condition")


def guided_sample(eps_model, tokens, null, w, x_T, alpha_bars, steps):
    """Return x_0 for these captions: DDIM without noise (η = 0), the predicted noise guided at each step.

    eps_model(x, t, tokens): the predicted noise of x's shape; t is an integer, or one per row of x; tokens has a row for each
    row of x. Rows do not see each other, so both predictions may be asked for in one call.
    tokens, null, w: as above; the unconditional prediction is given null in tokens' shape.
    x_T: tensor (B, ...). alpha_bars: the table of length T + 1. The steps visit t = T · i // steps for i = steps, ..., 1, then 0:
    x̂_0 = (x_t − √(1−ᾱ_t) · ε̂) / √ᾱ_t and x_prev = √ᾱ_prev · x̂_0 + √(1−ᾱ_prev) · ε̂.
    """
    raise NotImplementedError("guided_sample")
