"""Chunks for heads, a large negative number for the mask, in-place sums on its own tensors."""

import torch


def cross_attention(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    queries = torch.matmul(x, W_q).chunk(heads, dim=-1)
    keys = torch.matmul(text, W_k).chunk(heads, dim=-1)
    values = torch.matmul(text, W_v).chunk(heads, dim=-1)
    read = []
    for q, k, v in zip(queries, keys, values, strict=True):
        scores = torch.bmm(q, k.transpose(1, 2))
        scores /= q.size(-1) ** 0.5
        if mask is not None:
            scores += (1.0 - mask.float()).unsqueeze(1) * -1e9
        scores -= scores.amax(dim=-1, keepdim=True)
        weights = scores.exp_()
        weights /= weights.sum(dim=-1, keepdim=True)
        read.append(weights @ v)
    return torch.cat(read, dim=-1) @ W_o
