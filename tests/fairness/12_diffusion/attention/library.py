"""The library's own attention."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def to_heads(y: Tensor, heads: int) -> Tensor:
    batch, length, width = y.shape
    return y.view(batch, length, heads, width // heads).permute(0, 2, 1, 3)


def cross_attention(
    x: Tensor, text: Tensor, W_q: Tensor, W_k: Tensor, W_v: Tensor, W_o: Tensor, heads: int, mask: Tensor | None = None
) -> Tensor:
    allowed = None if mask is None else mask.unsqueeze(1).unsqueeze(1)
    q, k, v = to_heads(x @ W_q, heads), to_heads(text @ W_k, heads), to_heads(text @ W_v, heads)
    read = F.scaled_dot_product_attention(query=q, key=k, value=v, attn_mask=allowed)
    return read.permute(0, 2, 1, 3).reshape(x.shape[0], x.shape[1], -1) @ W_o
