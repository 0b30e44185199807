"""Sums."""


def total(a, b):
    """Return the sum of two numbers."""
    return a + b
