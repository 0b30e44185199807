"""Write what adds."""


def total(a, b=0.0):
    """Return the sum of two numbers."""
    raise NotImplementedError("your turn")
