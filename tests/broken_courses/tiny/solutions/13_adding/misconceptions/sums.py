"""Misconceptions in sums.py."""

from autograder.api import misconception


@misconception(of="total", section="what-a-sum-is", card="sum")
def taken_away(a, b=0.0):
    """You took the second number away. A sum puts it on top."""
    return a - b


@misconception(of="total", section="what-a-sum-is", card="sum")
def second_forgotten(a, b=0.0):
    """You gave the first number back. A sum needs both."""
    return a
