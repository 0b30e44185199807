"""Einsum throughout."""

import torch


def cross_attention(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    size = W_q.shape[1] // heads
    q = torch.einsum("bnd,dhk->bhnk", x, W_q.reshape(-1, heads, size))
    k = torch.einsum("ble,ehk->bhlk", text, W_k.reshape(-1, heads, size))
    v = torch.einsum("ble,ehk->bhlk", text, W_v.reshape(-1, heads, size))
    scores = torch.einsum("bhnk,bhlk->bhnl", q, k) * size**-0.5
    if mask is not None:
        scores = torch.where(mask[:, None, None, :], scores, torch.tensor(float("-inf")))
    read = torch.einsum("bhnl,bhlk->bhnk", torch.softmax(scores, dim=3), v)
    return torch.einsum("bhnk,hkd->bnd", read, W_o.reshape(heads, size, -1))
