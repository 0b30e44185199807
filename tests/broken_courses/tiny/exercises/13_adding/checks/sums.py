"""What is asked of sums.py."""

from autograder.api import check, close


@check(points=1, of="total")
def by_hand(student, reference):
    """Adds two numbers."""
    close(student.total(1.5, 2.25), reference.total(1.5, 2.25))
