"""The line below a failure repeats it: for every starter, and for a misconception of every function, it is run and compared."""

import sys
from functools import cache

import numpy as np
import pytest
import torch

from autograder.course.loading import read_course
from autograder.grading.attempt import PUBLIC, load_materials
from autograder.grading.checks import executed_by, run, seed_of
from autograder.grading.comparison import difference
from autograder.grading.reference import load_module
from autograder.learner.repro import line, reach
from bench.diagnosis import right
from bench.natural import KNOWN, MORE
from tests.courses import ROOT

COURSE = read_course(ROOT)
EXERCISES = {exercise.id: exercise for exercise in COURSE.lessons[0].exercises}
MATERIALS = cache(lambda name: load_materials(EXERCISES[name]))
FILE = """
from pathlib import Path
from autograder.grading.reference import load_module
globals().update((name, value) for name, value in vars(load_module(Path({answer!r}))).items() if name[0] != "_")
{of} = load_module(Path({misconceptions!r})).{misconception}
"""


pytestmark = pytest.mark.usefixtures("one_thread")


def files(exercise, misconceptions):
    """Yield what a student may have written: the starter, and for each function everything right but that."""
    yield exercise.starter.read_text()
    for misconception in {misconception.of: misconception for misconception in misconceptions}.values():
        yield FILE.format(answer=str(exercise.answer), misconceptions=str(exercise.misconceptions), of=misconception.of, misconception=misconception.id)


def failures(materials, source, workspace):
    """Write a file, run the public checks on it in this process, and yield each that fails, with its line."""
    name = materials.exercise.id
    (workspace.folder / f"{name}.py").write_text(source)
    sys.modules.pop(name, None)
    module = load_module(workspace.folder / f"{name}.py")

    def function_of(asked):
        return materials.answers.function(asked) if asked.startswith("props.") else getattr(module, asked)

    for check in materials.checks:
        transcript = run(check, executed_by(function_of), materials.answers, seed_of(PUBLIC, name, check.id))
        if not transcript.passed:
            yield check, transcript, line(name, check.id, transcript, materials.answers.function, workspace.hidden, reach(workspace, name, workspace.folder / f"{name}.py"))


def repeated(python):
    """Run a line; give what it prints as a value, or what it raises."""
    printed = []
    try:
        exec(python, {"print": printed.append})
    except Exception as error:
        return type(error).__name__
    (value,) = printed
    return value


def is_what_was_seen(value, transcript):
    """Say whether a line gave what the check saw: the exception, the wrong value, the changed argument, or the check's words."""
    failed = transcript.first_failure
    called = transcript.calls[failed.call] if failed else transcript.calls[-1]
    if called.outcome.raised:
        return value == called.outcome.raised.kind
    if called.outcome.changed and isinstance(value, bool | np.bool_ | torch.Tensor):
        return not value
    if failed and isinstance(value, str):
        return failed.words in value
    return difference(value, called.outcome.value, 1e-6, 1e-5, nan_equal=True) == ""


NATURAL = [name for name, one in {**KNOWN, **MORE}.items() if one.exercise in ("schedule", "ddim")] + ["noise_mse: t along the last axis"]


@pytest.mark.parametrize("mistake", [name for name in NATURAL if "own" not in name])  # a draw of one's own is another one each time
def test_the_line_of_a_mistake_gives_the_values_of_its_message(mistake, workspace, monkeypatch):
    """Also if the check would raise after the comparison that is told."""
    monkeypatch.chdir(workspace.folder)
    monkeypatch.syspath_prepend(str(workspace.folder))
    wrong = {**KNOWN, **MORE}[mistake]
    materials = MATERIALS(wrong.exercise)
    tried = [(repeated(python), made) for _, made, python in failures(materials, right(materials.exercise, wrong.style) + wrong.source, workspace)]
    sys.modules.pop(wrong.exercise, None)
    assert tried
    assert all(is_what_was_seen(*one) for one in tried)


@pytest.mark.parametrize("name", [name for name in EXERCISES if name not in COURSE.policy.limits_of])  # a training is held elsewhere
def test_every_failure_is_repeated_by_its_line(name, workspace, monkeypatch):
    monkeypatch.chdir(workspace.folder)
    monkeypatch.syspath_prepend(str(workspace.folder))
    materials, tried = MATERIALS(name), 0
    for source in files(EXERCISES[name], materials.misconceptions):
        for check, transcript, python in failures(materials, source, workspace):
            value = repeated(python)
            assert is_what_was_seen(value, transcript), f"{check.id}: {python} gave {value!r}"
            tried += 1
        sys.modules.pop(name, None)
    assert tried > len(materials.checks)
