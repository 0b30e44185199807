"""A submission's key changes with everything that has a say in its result, and with nothing else."""

import shutil

import pytest
from msgspec.structs import replace

from autograder.course.loading import read_course
from autograder.course.model import HandedIn, Submission
from autograder.course.policy import Limits
from autograder.grading.rounds import JUDGING, CacheKeys, Round
from tests.courses import ROOT
from tests.test_architecture import FLOOR

ROUND = Round("round-1", b"secret")
ONE = Submission("Ada", "12_diffusion", "forward", "forward.py", b"x", "1234", "present")
PRACTICE = replace(ONE, exercise="practice", name="answers.yaml")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of the course that may be written in."""
    root = tmp_path_factory.mktemp("course")
    for name in ("exercises", "solutions", "lessons"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("weights", "figures", "__pycache__"))
    shutil.copy(ROOT / "course.yaml", root)
    return read_course(root)


def key(course, submission=ONE, chosen=ROUND, walls=("landlock",)):
    return CacheKeys(course, chosen, walls).key(submission)


CHANGES = {
    "the file": {"submission": replace(ONE, sha256="5678")},
    "its name": {"submission": replace(ONE, name="forward.ipynb")},
    "that it is missing": {"submission": replace(ONE, status="missing", sha256=None, source=None)},
    "which attempt it is": {"submission": replace(ONE, handed_in=HandedIn(2))},
    "the exercise": {"submission": replace(ONE, exercise="ddpm")},
    "the round's secret": {"chosen": Round("round-1", b"another")},
    "the round's name": {"chosen": Round("round-2", b"secret")},
    "the walls": {"walls": ()},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES.keys())
def test_the_key_changes_with(course, changes):
    assert key(course, **changes) != key(course)


def test_the_key_does_not_know_the_student(course):
    """Whose it is stands beside it: the same name in another class is another gradebook."""
    assert key(course, replace(ONE, student="Bo")) == key(course)


@pytest.mark.parametrize("submission", [ONE, PRACTICE], ids=["code", "answers"])
@pytest.mark.parametrize("name", ["solutions/12_diffusion/forward.py", "solutions/12_diffusion/misconceptions/forward.py", "solutions/diffusion/forward.py"])
def test_the_key_changes_with_a_file_that_judges(course, submission, name):
    before = key(course, submission)
    written = (course.root / name).read_bytes()
    try:
        (course.root / name).write_bytes(written + b"# changed\n")
        assert key(course, submission) != before
    finally:
        (course.root / name).write_bytes(written)
    assert key(course, submission) == before


@pytest.mark.parametrize("name", ["exercises/12_diffusion/checks/ddpm.py", "lessons/12_diffusion/lesson.md", "solutions/diffusion/README.md"])
def test_the_key_stays_with_what_has_no_say(course, name):
    before = key(course)
    written = (course.root / name).read_bytes()
    (course.root / name).write_bytes(written + b"# changed\n")
    assert key(course) == before
    (course.root / name).write_bytes(written)


def test_the_limits_of_the_exercise_have_a_say_and_those_of_others_have_none(course):
    other = replace(course, policy=replace(course.policy, limits_of={"forward": Limits(call_seconds=9)}))
    assert key(other) != key(course)
    assert key(other, replace(ONE, exercise="ddpm")) == key(course, replace(ONE, exercise="ddpm"))
    assert key(replace(course, policy=replace(course.policy, reveal="nothing"))) == key(course)


def test_the_key_does_not_know_when_it_was_handed_in(course):
    assert key(course, replace(ONE, handed_in=HandedIn(late=True))) == key(course)


def test_every_package_that_an_attempt_may_use_is_among_those_that_judge():
    assert set(JUDGING) == {package for package in FLOOR if FLOOR[package] <= FLOOR["grading"]}
