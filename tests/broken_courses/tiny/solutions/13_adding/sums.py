"""The answer to sums.py."""


def total(a, b=0.0):
    """Return the sum of two numbers."""
    return a + b
