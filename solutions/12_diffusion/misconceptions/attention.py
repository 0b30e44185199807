"""Known misconceptions about attention.py: the code that a student with each of them would write, and the sentence that corrects it."""

import math

from autograder.api import misconception


def _split(y, heads):
    return y.unflatten(2, (heads, -1)).transpose(1, 2)


def _interleaved(y, heads):
    return y.unflatten(2, (-1, heads)).permute(0, 3, 1, 2)


def _weights(scores, seen):
    return (scores if seen is None else scores.masked_fill(~seen, -math.inf)).softmax(-1)


def _join(seen):
    return seen.transpose(1, 2).flatten(2)


def _attend(x, text, W_q, W_k, W_v, W_o, heads, mask, *, scale=None, weights=_weights, split=_split, values=None, join=_join, out=True):
    """Compute attention with one part replaced."""
    q, k, v = (split(y, heads) for y in (x @ W_q, text @ W_k, text @ W_v if values is None else values))
    scores = q @ k.transpose(-2, -1) / (math.sqrt(k.shape[-1]) if scale is None else scale)
    seen = join(weights(scores, None if mask is None else mask[:, None, None, :]) @ v)
    return seen @ W_o if out else seen


@misconception(of="cross_attention", section="text-to-image", card="attention-scale")
def scores_not_scaled(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    """You did not divide the scores by √k, the root of the width of one head's keys. Without that, the softmax all but picks one token."""
    return _attend(x, text, W_q, W_k, W_v, W_o, heads, mask, scale=1)


@misconception(of="cross_attention", section="text-to-image", card="attention-scale")
def scaled_without_root(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    """You divided the scores by k. The root of k is enough: their standard deviation grows like √k."""
    return _attend(x, text, W_q, W_k, W_v, W_o, heads, mask, scale=W_q.shape[1] // heads)


@misconception(of="cross_attention", section="text-to-image", card="attention-scale")
def scaled_by_all_columns(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    """You divided by the root of all columns. Each head has its own k of them: divide by √k."""
    return _attend(x, text, W_q, W_k, W_v, W_o, heads, mask, scale=math.sqrt(W_q.shape[1]))


@misconception(of="cross_attention", section="text-to-image", card="attention-scale")
def scaled_by_the_image_features(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    """You divided by the root of d, the size of an image position. What counts is the size of one head's queries and keys: √k."""
    return _attend(x, text, W_q, W_k, W_v, W_o, heads, mask, scale=math.sqrt(x.shape[-1]))


@misconception(of="cross_attention", section="text-to-image", card="attention-rows")
def softmax_over_places(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    """Your softmax runs over the image positions. It should run over the tokens, so that each position's weights sum to 1."""
    return _attend(x, text, W_q, W_k, W_v, W_o, heads, mask, weights=lambda scores, seen: (
        scores if seen is None else scores.masked_fill(~seen, -math.inf)).softmax(-2))  # fmt: skip


@misconception(of="cross_attention", section="text-to-image", card="attention-rows")
def no_softmax(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    """You used the scores as weights. A softmax makes them positive, with a sum of 1 over the tokens."""
    return _attend(x, text, W_q, W_k, W_v, W_o, heads, mask,
                   weights=lambda scores, seen: scores if seen is None else scores.masked_fill(~seen, 0.0))  # fmt: skip


@misconception(of="cross_attention", section="text-to-image", card="attention-scale")
def columns_interleaved(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    """You gave the heads alternating columns. Each head has k neighbouring columns: split into (heads, k), not (k, heads)."""
    return _attend(x, text, W_q, W_k, W_v, W_o, heads, mask, split=_interleaved)


@misconception(of="cross_attention", section="text-to-image", card="attention-scale")
def heads_cut_without_a_swap(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    """You reshaped to (B, heads, N, k) at once, which mixes positions with columns. Split to (B, N, heads, k), then swap the middle two."""
    return _attend(x, text, W_q, W_k, W_v, W_o, heads, mask, split=lambda y, heads: y.reshape(len(y), heads, y.shape[1], -1))


@misconception(of="cross_attention", section="text-to-image", card="attention-scale")
def heads_joined_without_a_swap(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    """You reshaped (B, heads, N, k) to (B, N, heads·k) at once, which mixes heads with positions. Swap the middle two axes back first."""
    return _attend(x, text, W_q, W_k, W_v, W_o, heads, mask, join=lambda seen: seen.reshape(len(seen), seen.shape[2], -1))


@misconception(of="cross_attention", section="text-to-image", card="query-key-value")
def heads_averaged(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    """You averaged the heads. Each head reads something of its own: put their columns side by side, and let W_o mix them."""
    return _attend(x, text, W_q, W_k, W_v, W_o, heads, mask, join=lambda seen: seen.mean(1).repeat(1, 1, heads))


@misconception(of="cross_attention", section="text-to-image", card="query-key-value")
def heads_added_up(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    """You added up the heads. Each head reads something of its own: put their columns side by side, and let W_o mix them."""
    return _attend(x, text, W_q, W_k, W_v, W_o, heads, mask, join=lambda seen: seen.sum(1).repeat(1, 1, heads))


@misconception(of="cross_attention", section="text-to-image", card="attention-scale")
def heads_not_split(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    """You did not split into heads: one score, over all columns, decides for all. Each head has its own columns, scores and softmax."""
    return _attend(x, text, W_q, W_k, W_v, W_o, 1, mask)


@misconception(of="cross_attention", section="text-to-image", card="attention-rows")
def mask_upside_down(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    """You hid the tokens where the mask is True. Here True means that a token may be attended to."""
    return _attend(x, text, W_q, W_k, W_v, W_o, heads, None if mask is None else ~mask)


@misconception(of="cross_attention", section="text-to-image", card="attention-rows")
def mask_ignored(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    """You did not use the mask. Padding tokens must get no weight."""
    return _attend(x, text, W_q, W_k, W_v, W_o, heads, None)


@misconception(of="cross_attention", section="text-to-image", card="attention-rows")
def masked_after_the_softmax(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    """You hid tokens after the softmax, so the remaining weights no longer sum to 1. Hide them in the scores, with −∞."""
    return _attend(x, text, W_q, W_k, W_v, W_o, heads, mask,
                   weights=lambda scores, seen: scores.softmax(-1) if seen is None else scores.softmax(-1) * seen)  # fmt: skip


@misconception(of="cross_attention", section="text-to-image", card="attention-rows")
def hidden_scores_set_to_zero(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    """You set hidden scores to 0. The exponential of 0 is 1, a weight like any other: only −∞ gives no weight."""
    return _attend(x, text, W_q, W_k, W_v, W_o, heads, mask,
                   weights=lambda scores, seen: (scores if seen is None else scores * seen).softmax(-1))  # fmt: skip


@misconception(of="cross_attention", section="text-to-image", card="attention-rows")
def mask_added(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    """You added the mask to the scores, so hidden tokens keep a weight. Their scores must be −∞: then the softmax gives them none."""
    return _attend(x, text, W_q, W_k, W_v, W_o, heads, mask,
                   weights=lambda scores, seen: (scores if seen is None else scores + seen.to(scores.dtype)).softmax(-1))  # fmt: skip


@misconception(of="cross_attention", section="text-to-image", card="query-key-value")
def keys_for_values(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    """You averaged the keys. Keys only decide where to look; what is read there is the values, text @ W_v."""
    return _attend(x, text, W_q, W_k, W_v, W_o, heads, mask, values=text @ W_k)


@misconception(of="cross_attention", section="text-to-image", card="query-key-value")
def keys_and_values_swapped(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    """You swapped keys and values: W_k makes what queries are compared with, W_v what is read."""
    return _attend(x, text, W_q, W_v, W_k, W_o, heads, mask)


@misconception(of="cross_attention", section="text-to-image", card="query-key-value")
def image_added(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    """You added x to the result. The residual connection belongs to the block around the attention; return only what was read."""
    return x + _attend(x, text, W_q, W_k, W_v, W_o, heads, mask)


@misconception(of="cross_attention", section="text-to-image", card="query-key-value")
def heads_left_side_by_side(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    """You left out W_o. It maps the concatenated heads back to the image's d features."""
    return _attend(x, text, W_q, W_k, W_v, W_o, heads, mask, out=False)


@misconception(of="cross_attention", section="text-to-image", card="attention-rows")
def softmax_without_care(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    """Your exponentials overflow for large scores. Subtract the largest score of each row first, or use the library's softmax."""

    def weights(scores, seen):
        raised = scores.exp() if seen is None else scores.exp() * seen
        return raised / raised.sum(-1, keepdim=True)

    return _attend(x, text, W_q, W_k, W_v, W_o, heads, mask, weights=weights)
