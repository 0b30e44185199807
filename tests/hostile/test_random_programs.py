"""Whatever somebody hands in is graded: never "not judged", never a crash, and no word of the machine's in a message."""

from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings

from autograder.course.model import Submission
from autograder.grading.rounds import Round
from autograder.instructor.pool import Grader, Settings
from autograder.sandbox.guest.walls import WALLS
from tests.hostile.arena import short_course
from tests.random_programs import forbidden, programs
from tests.shared import forked


@pytest.fixture(scope="module")
def grader(walls, tmp_path_factory):
    """A grader with all walls and a second for each submission."""
    course = short_course(tmp_path_factory.mktemp("random") / "course")
    launched = {profile: forked(profile) for profile in ("numpy", "torch")}
    with closing(Grader(Settings(str(course), Round("round-1", b"a secret"), WALLS), launched=launched)) as grader:
        yield grader


def is_graded_in_plain_words(grader, exercise, source):
    made = grader.grade(Submission("s", "12_diffusion", exercise, f"{exercise}.py", source.encode(errors="replace"), "0", "present"))
    assert (made.result.status, made.notes.fault) == ("graded", "")
    assert forbidden(source, [check.message for check in made.result.checks]) == []


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(source=programs("forward"))
def test_a_random_program_is_graded_and_told_in_plain_words(grader, source):
    is_graded_in_plain_words(grader, "forward", source)


@pytest.mark.slow
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(source=programs("guidance"))
def test_so_is_one_that_asks_a_network_whatever_it_likes(grader, source):
    is_graded_in_plain_words(grader, "guidance", source)
