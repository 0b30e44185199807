"""Misconceptions in edges.py."""

import numpy as np

from autograder.api import misconception

ACROSS = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])


@misconception(of="strength", section="edges", card="length")
def sum_of_derivatives(gx, gy):
    """You added the derivatives' sizes. The strength is their length, as of the sides of a triangle."""
    return np.abs(gx) + np.abs(gy)


@misconception(of="edges", section="edges", card="derivatives")
def one_direction_twice(image, filtered):
    """You measured from left to right twice. Turn the kernel for the change from top to bottom."""
    across = filtered(image, ACROSS)
    return np.sqrt(across**2 + filtered(image, ACROSS) ** 2)
