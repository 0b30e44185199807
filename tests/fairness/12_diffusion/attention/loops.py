"""Numpy in double precision, one row and one head at a time, tokens selected by the mask."""

import numpy as np


def softmax(scores):
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def cross_attention(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    x, text, W_q, W_k, W_v, W_o = (np.asarray(each, dtype=np.float64) for each in (x, text, W_q, W_k, W_v, W_o))
    size = W_q.shape[1] // heads
    out = np.zeros_like(x)
    for b in range(len(x)):
        words = text[b] if mask is None else text[b][np.asarray(mask[b])]
        for h in range(heads):
            own = slice(h * size, (h + 1) * size)
            weights = softmax((x[b] @ W_q[:, own]) @ (words @ W_k[:, own]).T / np.sqrt(size))
            out[b] += weights @ (words @ W_v[:, own]) @ W_o[own]
    return out
