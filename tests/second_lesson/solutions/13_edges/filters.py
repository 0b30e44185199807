"""The answer to filters.py."""

import numpy as np


def output_size(size, kernel, stride=1, padding=0):
    """Return at how many places a kernel fits into a row of `size` pixels."""
    return (size + 2 * padding - kernel) // stride + 1


def correlate(image, kernel):
    """Return the image filtered with the kernel, only where the whole kernel fits."""
    return np.einsum("ijab,ab->ij", np.lib.stride_tricks.sliding_window_view(image, kernel.shape), kernel)
