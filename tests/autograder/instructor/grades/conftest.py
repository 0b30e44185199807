"""A small course."""

from pathlib import Path

import pytest

from autograder.course.loading import read_course

TINY = Path(__file__).parents[3] / "broken_courses" / "tiny"


@pytest.fixture(scope="session")
def course_of_tiny():
    return read_course(TINY)
