"""Checks of filters.py: sizes, and images that are larger in one direction."""

from autograder.api import check, close


@check(points=1, of="output_size")
def without_padding(student, reference):
    """A kernel of 3 in 7 pixels"""
    close(student.output_size(7, 3), reference.output_size(7, 3))


@check(points=2, of="output_size", needs=without_padding)
def with_stride_and_padding(student, reference):
    """Strides of 2 and 3, and paddings of 1 and 2"""
    for sizes in ((7, 3, 2, 1), (12, 5, 3, 2), (20, 4, 1, 3)):
        close(student.output_size(*sizes), reference.output_size(*sizes))


@check(points=4, of="correlate")
def any_image(student, reference, rng):
    """An image and a kernel that is not symmetric"""
    image, kernel = rng.standard_normal((6, 9)), rng.standard_normal((3, 2))
    close(student.correlate(image, kernel), reference.correlate(image, kernel))
