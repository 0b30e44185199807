"""The course's lesson as the clone has it, and as a student release has it."""

import pytest

from autograder.course.loading import read_course


@pytest.fixture(scope="session")
def clone(root):
    return read_course(root).lessons[0]


@pytest.fixture(scope="session")
def release(released):
    """The lesson as a release has it."""
    return read_course(released).lessons[0]
