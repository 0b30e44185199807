"""Checks of edges.py: the length of the derivatives, and an image that is filtered here."""

import numpy as np

from autograder.api import asked, check, close, expect

SHAPE = (7, 10)


def filtered(image, kernel):
    """Stand in for a filter: its result depends on every pixel of the image and on every value of the kernel."""
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    if image.shape != SHAPE or kernel.shape != (3, 3):
        raise ValueError(f"an image of shape {SHAPE} and a kernel of shape (3, 3)")
    return image[1:-1, 1:-1] * (kernel * np.arange(9).reshape(3, 3)).sum() + image[2:, 2:] * (kernel[0] ** 2).sum()


@check(points=2, of="strength")
def by_length(student, reference, rng):
    """Derivatives of both signs"""
    gx, gy = rng.standard_normal((2, 4, 5))
    close(student.strength(3.0, -4.0), reference.strength(3.0, -4.0))
    close(student.strength(gx, gy), reference.strength(gx, gy))


@check(points=3, of="edges", needs=by_length)
def both_directions(student, reference, rng):
    """An image, filtered in both directions"""
    image = rng.standard_normal(SHAPE)
    found = student.edges(image, filtered)
    expect(len(asked("filtered")) == 2, "did not call `filtered` twice, once for each direction")
    close(found, reference.edges(image, filtered))
