"""Solution to exercises/12_diffusion/attention.py, with the reference implementation's single-head attention."""

from torch import Tensor

from solutions.diffusion.unet import attention


def cross_attention(
    x: Tensor, text: Tensor, W_q: Tensor, W_k: Tensor, W_v: Tensor, W_o: Tensor, heads: int, mask: Tensor | None = None
) -> Tensor:
    """Return what each position of the image reads from the text."""
    q, k, v = (split(y, heads) for y in (x @ W_q, text @ W_k, text @ W_v))
    seen = attention(q, k, v, None if mask is None else mask[:, None, None, :])  # (B, heads, N, k)
    return seen.transpose(1, 2).flatten(2) @ W_o


def split(y: Tensor, heads: int) -> Tensor:
    """Split the columns into heads. # (B, M, heads·k) -> (B, heads, M, k)"""
    return y.unflatten(2, (heads, -1)).transpose(1, 2)
