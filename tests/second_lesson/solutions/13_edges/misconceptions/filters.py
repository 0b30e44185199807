"""Misconceptions in filters.py."""

import numpy as np

from autograder.api import misconception


@misconception(of="output_size", section="filters", card="output-size")
def padding_on_one_side(size, kernel, stride=1, padding=0):
    """You counted the padding once. It is added on both sides."""
    return (size + padding - kernel) // stride + 1


@misconception(of="output_size", section="filters", card="output-size")
def first_place_forgotten(size, kernel, stride=1, padding=0):
    """You counted the moves of the kernel. The place at which it begins counts too."""
    return (size + 2 * padding - kernel) // stride


@misconception(of="correlate", section="filters", card="flip")
def kernel_turned(image, kernel):
    """You turned the kernel around, which makes it a convolution. A correlation lays the kernel on the image as it is."""
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.einsum("ijab,ab->ij", windows, kernel[::-1, ::-1])
