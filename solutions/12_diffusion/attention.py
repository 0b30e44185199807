"""Solution to exercises/12_diffusion/attention.py."""

import math

from torch import Tensor


def cross_attention(
    x: Tensor, text: Tensor, W_q: Tensor, W_k: Tensor, W_v: Tensor, W_o: Tensor, heads: int, mask: Tensor | None = None
) -> Tensor:
    """Return what each position of the image reads from the text."""
    q, k, v = split(x @ W_q, heads), split(text @ W_k, heads), split(text @ W_v, heads)
    scores = q @ k.transpose(-2, -1) / k.shape[-1] ** 0.5  # (B, heads, N, L)
    if mask is not None:
        scores = scores.masked_fill(~mask[:, None, None, :], -math.inf)
    read = scores.softmax(-1) @ v  # (B, heads, N, k)
    return read.transpose(1, 2).flatten(2) @ W_o


def split(y: Tensor, heads: int) -> Tensor:
    """Split the columns into heads. # (B, M, heads·k) -> (B, heads, M, k)"""
    return y.unflatten(2, (heads, -1)).transpose(1, 2)
