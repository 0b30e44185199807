"""Submissions judged in this process, without guests: functions of ours stand in for the student's, so that hundreds take seconds."""

import types
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from autograder.course.model import Submission
from autograder.course.policy import Limits
from autograder.grading import attempt as story
from autograder.grading.attempt import PUBLIC, Attempt, Materials
from autograder.grading.checks import executed_by
from autograder.grading.submission_run import RETURNED, SubmissionRun


def judged(materials: Materials, function_of: Callable[[str], Callable[..., Any]], secret: bytes = PUBLIC, source: bytes = b"") -> Attempt:
    """Judge functions, by their names, as a submission with this text."""

    class InProcess(SubmissionRun):
        def _ready(self) -> Any:
            return RETURNED

        @property
        def _call(self) -> Any:
            return executed_by(function_of)

    exercise = materials.exercise
    submission = Submission("", exercise.lesson, exercise.id, f"{exercise.id}.py", source, None, "present")
    with patch.object(story, "SubmissionRun", InProcess):
        return story.attempt(submission, materials, SimpleNamespace(limits=Limits()), secret)  # type: ignore[arg-type]


def judged_source(materials: Materials, source: str, secret: bytes = PUBLIC) -> Attempt:
    """Judge a student's file."""
    module = types.ModuleType("student")
    exec(compile(source, "student.py", "exec"), module.__dict__)

    def function_of(name: str) -> Callable[..., Any]:
        return materials.answers.function(name) if name.startswith("props.") else getattr(module, name)

    return judged(materials, function_of, secret, source.encode())
