"""Every exercise of every lesson, found by folder: starters fail, answers pass, and each misconception is named as itself."""

from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from autograder.course.loading import read_course
from autograder.course.model import Check, Submission
from autograder.course.policy import Limits, limits_for
from autograder.grading.attempt import Materials, attempt, load_materials
from autograder.grading.checks import Transcript, executed_by, load_checks, run
from autograder.grading.diagnosis import load_misconceptions
from autograder.grading.reference import Answers, load_module
from tests.bundle import bundle
from tests.courses import CLONE, OWN
from tests.shared import SharedSandbox

COURSE = read_course(CLONE)
EXERCISES = {f"{lesson.id}/{exercise.id}": exercise for lesson in COURSE.lessons for exercise in lesson.exercises}
OWN_EXERCISES = [name for name, exercise in EXERCISES.items() if exercise.lesson == OWN]
MISCONCEPTIONS = [(name, misconception.id) for name, exercise in EXERCISES.items() for misconception in load_misconceptions(exercise.misconceptions)]
FAIR = sorted((CLONE / "tests" / "fairness").glob("*/*/*.py"))


pytestmark = pytest.mark.usefixtures("one_thread")


def some_seeds() -> range:
    """Return a few seeds, and twenty in `make fuzz`."""
    return range(max(4, settings().max_examples // 100))


@cache
def materials(name: str) -> Materials:
    return load_materials(EXERCISES[name])


def play(checks: tuple[Check, ...], path: Path, name: str, seed: int) -> dict[str, Transcript]:
    """Run all checks with a file of ours in the student's place, in this process."""
    torch.manual_seed(0)  # as a guest's is
    answers = materials(name).answers
    player = executed_by(Answers(load_module(path), answers.props).function)
    return {check.id: run(check, player, answers, seed) for check in checks}


@pytest.fixture(scope="module")
def grade():
    """Give a function that grades a source as a submission: what it lost, and the misconceptions that were named."""
    with ExitStack() as open_sandboxes:
        sandboxes: dict[Limits, SharedSandbox] = {}

        def graded(name: str, source: str) -> tuple[list[str], set[str | None]]:
            lesson, _, exercise = name.partition("/")
            limits = limits_for(COURSE.policy, lesson, exercise)
            if limits not in sandboxes:
                sandboxes[limits] = open_sandboxes.enter_context(SharedSandbox(limits))
            submission = Submission("tester", lesson, exercise, f"{exercise}.py", source.encode(), None, "present")
            checks = attempt(submission, materials(name), sandboxes[limits], b"a secret").checks
            lost = [f"{check.id}: {check.message}" for check in checks if check.outcome != "passed"]
            return lost, {check.misconception for check in checks} - {None}

        yield graded


@pytest.mark.parametrize("name", EXERCISES)
def test_a_starter_fails_every_check(name):
    """An untouched starter earns nothing."""
    executed = play(materials(name).checks, EXERCISES[name].starter, name, 0)
    assert [check for check, transcript in executed.items() if transcript.passed] == []


@pytest.mark.seeded
@pytest.mark.parametrize("name", [name for name, exercise in EXERCISES.items() if exercise.id not in COURSE.policy.limits_of])
def test_an_answer_passes_with_every_seed(name):
    """The course's own answer never fails a check, whatever the numbers. A whole training is held behind the wall, and by `course lint`."""
    for seed in some_seeds():
        executed = play(load_checks(EXERCISES[name].checks), EXERCISES[name].answer, name, seed)
        assert {check: transcript.first_failure for check, transcript in executed.items() if not transcript.passed} == {}


@pytest.mark.parametrize("name", OWN_EXERCISES)
def test_a_check_waits_for_no_other_function(name):
    """So a wrong function hides nothing of another one; but whoever cannot ask a model for an answer cannot draw with it.

    Other lessons may decide otherwise.
    """
    checks = {check.id: check for check in materials(name).checks}
    across = [(check.id, need) for check in checks.values() for need in check.needs if checks[need].of != check.of]
    assert across == ([("draws_new_quilts", "answers_in_shape")] if materials(name).exercise.id == "train" else [])


@pytest.mark.parametrize("name", EXERCISES)
def test_an_answer_earns_all_points_behind_the_wall(name, grade):
    """The course's own answer, as a submission."""
    assert grade(name, bundle(EXERCISES[name].answer)) == ([], set())


@pytest.mark.seeded
@pytest.mark.parametrize(("name", "misconception"), MISCONCEPTIONS)
def test_a_misconception_is_named_as_itself_with_every_seed(name, misconception):
    """A misconception fails a check, and is told its own sentence and no other."""
    diagnosis = materials(name).diagnosis
    made = next(one for one in diagnosis.misconceptions if one.id == misconception)
    for seed in some_seeds():
        seeds = {check.id: seed for check in diagnosis.checks}
        executed, own = {}, {check.id: check for check in diagnosis.checks if check.of == made.of}
        for check in own.values():  # what they need of other functions passes, since those are right
            if all(need in executed and executed[need].passed for need in check.needs if need in own):
                executed[check.id] = diagnosis.reruns.rerun(check, seed, made)
        failed = [check for check in diagnosis.checks if check.id in executed and not executed[check.id].passed]
        assert failed, f"no check fails with seed {seed}"
        assert any(check.of == made.of for check in failed)
        named = diagnosis.name(made.of, executed, seeds)
        assert named is not None, f"nothing is named with seed {seed}"
        assert named.id == misconception


@pytest.mark.parametrize(("name", "misconception"), MISCONCEPTIONS)
def test_a_misconception_is_named_behind_the_wall(name, misconception, grade):
    """The same misconception, as a submission."""
    of = next(one.of for one in materials(name).misconceptions if one.id == misconception)
    lost, named = grade(name, bundle(EXERCISES[name].answer, EXERCISES[name].misconceptions, {of: misconception}))
    assert lost
    assert named == {misconception}


@pytest.mark.parametrize("path", FAIR, ids=lambda path: "/".join(path.with_suffix("").parts[-3:]))
def test_a_right_solution_in_another_style_gets_all_points(path, grade):
    """How a right answer is written costs nothing."""
    assert grade("/".join(path.parts[-3:-1]), path.read_text()) == ([], set())


@pytest.mark.parametrize("name", OWN_EXERCISES)
def test_every_exercise_has_four_styles(name):
    """At least four right solutions in different styles stand for fairness."""
    assert len([path for path in FAIR if "/".join(path.parts[-3:-1]) == name]) >= 4
