"""Run the public checks inside a notebook, without the course: this text goes into a locked cell, with what it uses of the engine.

A check is the same function as in the course, run and explained by the same code. The student's functions are those of the notebook, what
they raise is shown with its traceback, and all else is what a release records of an exercise. There is no wall here: nbgrader runs
everything in one process, and anyone who reads the recordings reads the right values of the published numbers. Scores that must be
trusted come from `course grade`.

Nothing that it uses of the engine may need more than the standard library and numpy (`notebook_shim.txt` stands in for the rest).
"""

import base64
import contextlib
import gzip
import inspect
import io
import json
import random
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from autograder.course.errors import CourseError
from autograder.course.model import Check
from autograder.grading.checks import Asked, CheckEnded, Player, Transcript, execute, executed_by, lent, run, target
from autograder.grading.coefficients import Formula
from autograder.grading.diagnosis import Cause, Diagnosis
from autograder.grading.feedback import failure, message, waiting
from autograder.grading.recorded import (
    Known,
    Recorded,
    RecordedMisconception,
    RecordedRewrites,
    Recordings,
    Replay,
    ReplayedAnswers,
    misconceptions_of,
)
from autograder.grading.reference import Answered, as_array, as_arrays, copied
from autograder.sandbox.guest.frameworks import loaded
from autograder.sandbox.guests import Outcome

EXERCISES: dict[str, "Exercise"] = {}
UNFINISHED = Outcome("raised")


class Exercise:
    """An exercise's checks with the published numbers, what was recorded of them, and what became of those that ran."""

    def __init__(self, checks: types.ModuleType, props: types.ModuleType, seeds: Mapping[str, int], recorded: Mapping[str, Any]):
        declared = [value.check for value in vars(checks).values() if isinstance(getattr(value, "check", None), Check)]
        self.checks, self.props, self.seeds = {check.id: check for check in declared}, props, seeds
        self.recordings, self.asked, self.sections = _recordings(recorded["recordings"]), recorded["asked"], recorded["sections"]
        self.answers = ReplayedAnswers(self.recordings, Path(), Path())
        replay = Replay(self.recordings, tuple(declared), self.answers)
        self.diagnosis = Diagnosis(misconceptions_of(self.recordings), replay)
        self.transcripts: dict[str, Transcript] = {}

    def passed(self, name: str) -> bool:
        return name in self.transcripts and self.transcripts[name].passed

    def about(self, function: str) -> list[Check]:
        """List the checks that call a function."""
        runs = self.recordings.runs
        return [one for one in self.checks.values() if function in {one.of, *(call.of for call in runs.get(one.id, {}).get("", ()))}]


class Recording:
    """The reference's answers to one run of a check, in the order in which they were asked for: the last bits of numbers don't matter."""

    props: Path | None = None

    def __init__(self, exercise: Exercise, check: Check):
        self.function = exercise.answers.function
        self._answers, self._asked = exercise.answers, iter(exercise.asked[check.id])

    def answer(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Answered:
        return self._answers.recorded(*next(self._asked))


class NotebookRun:
    """The checks that call one function, run on the functions of this notebook: what its mistake is looked for in.

    `first` is a check that ran already, with its transcript.
    """

    def __init__(self, exercise: Exercise, namespace: dict[str, Any], first: Check):
        self.checks, self.seeds = tuple(exercise.checks.values()), exercise.seeds
        self._exercise, self._namespace = exercise, namespace
        self.transcripts = {name: one for name, one in exercise.transcripts.items() if name == first.id}
        for check in exercise.about(first.of):
            if check is not first and all(exercise.passed(need) or self._passed(need) for need in check.needs):
                self.transcripts[check.id] = self._run(check)

    @property
    def source(self) -> bytes:
        """The names that the student's functions use: what is looked for in a source is one of these."""
        return " ".join(name for check in self.checks for name in _reached(check.of, self._namespace)).encode()

    def _passed(self, name: str) -> bool:
        return name in self.transcripts and self.transcripts[name].passed

    def _run(self, check: Check) -> Transcript:
        player = executed_by(_functions(self._namespace, self._exercise.props))
        with contextlib.redirect_stdout(io.StringIO()):
            return run(check, player, Recording(self._exercise, check), self.seeds[check.id])

    def tried(self, check: Check) -> bool:
        return check.id in self.transcripts

    def transcript(self, check: Check) -> Transcript:
        return self.transcripts[check.id]

    def wrong_function_used_by(self, function: str) -> str:
        """Name the first function that this one uses and that failed a check of its own; an empty text if there is none."""
        known = {**self._exercise.transcripts, **self.transcripts}
        wrong = [check.of for check in self.checks if check.id in known and known[check.id].strayed]
        used = _reached(function, self._namespace)
        return next((one for one in wrong if one in used and function not in _reached(one, self._namespace)), "")

    def again(self, checks: list[Check], wrong: str = "") -> list[Transcript]:
        """Run checks again, perhaps with the reference's answers in place of a `wrong` function's; none if one was not recorded."""
        if not wrong:
            return [self._run(check) for check in checks]
        own, unknown = self._namespace[wrong], []

        def reference(*args: Any, **kwargs: Any) -> Any:
            try:
                return self._exercise.answers.value(wrong, args, kwargs)
            except CourseError as error:
                unknown.append(error)
                raise

        self._namespace[wrong] = reference
        try:
            made = [self._run(check) for check in checks]
        finally:
            self._namespace[wrong] = own
        return [] if unknown else made


def load(exercise: str, checks: str, seeds: dict[str, int], recorded: str, props: str = "") -> None:
    """Take an exercise's checks, their published seeds and what was recorded of them."""
    modules = {}
    for name, text in (("props", props), ("checks", checks)):
        module = modules[name] = types.ModuleType(f"course_{exercise}_{name}")
        sys.modules[module.__name__] = module
        exec(compile(text, f"{exercise} {name}", "exec"), module.__dict__)
    EXERCISES[exercise] = Exercise(modules["checks"], modules["props"], seeds, json.loads(gzip.decompress(base64.b64decode(recorded))))


def _recordings(read: dict[str, Any]) -> Recordings:
    """Build recordings from JSON's types."""
    answers = {name: {key: Recorded(**one) for key, one in own.items()} for name, own in read["answers"].items()}
    runs = {name: {by: [Known(**call) for call in calls] for by, calls in own.items()} for name, own in read["runs"].items()}
    formulas = {name: [[one and Formula(**one) for one in sums] for sums in calls] for name, calls in read["formulas"].items()}
    rewrites = {of: RecordedRewrites(**own) for of, own in read["rewrites"].items()}
    misconceptions = [RecordedMisconception(**one) for one in read["misconceptions"]]
    built = {"answers": answers, "runs": runs, "formulas": formulas, "rewrites": rewrites, "misconceptions": misconceptions}
    return Recordings(**{**read, **built})


def play(exercise: str, name: str, namespace: dict[str, Any]) -> float:
    """Run one check on the functions of this notebook and return its points; raise AssertionError, saying why, if it earns none."""
    part = EXERCISES[exercise]
    check = part.checks[name]
    part.transcripts.pop(name, None)
    for need in check.needs:
        if not part.passed(need):
            raise AssertionError(waiting(part.checks[need]))
    random.seed(0)
    np.random.seed(0)
    for framework in loaded():
        framework.seed()
    transcript = part.transcripts[name] = Transcript(ended=UNFINISHED)
    with contextlib.suppress(CheckEnded):
        execute(check, _player(namespace, part.props), Recording(part, check), part.seeds[name], transcript)
    transcript.ended = None
    if transcript.passed:
        return float(check.points)
    words = "\n".join(_words(part, check, transcript, namespace))
    if transcript.share <= 0:
        raise AssertionError(words)
    print(words)
    return float(round(check.points * transcript.share, 2))


def _words(part: Exercise, check: Check, transcript: Transcript, namespace: dict[str, Any]) -> Iterator[str]:
    """Say what went wrong, what it shows and what to read again, as the course does."""
    if transcript.first_failure is None:
        yield "it compares nothing"
        return
    cause = _cause(part, check, namespace)
    told = failure(check, transcript, part.answers.function, numbers=True)
    yield message(replace(told, uses=cause.uses, perhaps=cause.perhaps), cause.idea)
    if cause.misconception:
        yield f"Reread: {part.sections[cause.misconception.section]}"


def _cause(part: Exercise, check: Check, namespace: dict[str, Any]) -> Cause:
    """Find out why a function is wrong; nothing is known if this processor's numbers are not those that were recorded."""
    tried = NotebookRun(part, namespace, check)
    failed = [one for one in tried.checks if one.of == check.of and tried.tried(one) and not tried.transcript(one).passed]
    with contextlib.suppress(CourseError):
        known = part.diagnosis.known(failed, tried, rewrites=False)
        return part.diagnosis.explained(failed, known, tried, tried)[check.of]
    return Cause()


def _functions(namespace: dict[str, Any], props: types.ModuleType) -> Callable[[str], Callable[..., Any]]:
    """Let the functions of this notebook be the student's; with "props." in front of the name, those of the props."""

    def function_of(name: str) -> Callable[..., Any]:
        own, found = name.removeprefix("props."), namespace if name == name.removeprefix("props.") else vars(props)
        if own not in found:
            raise NameError(f"there is no function `{own}`: run the cell that defines it")
        return found[own]  # type: ignore[no-any-return]

    return function_of


def _player(namespace: dict[str, Any], props: types.ModuleType) -> Player:
    """Play the student with the functions of this notebook, and let what they raise pass."""
    function_of = _functions(namespace, props)

    def player(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], questions: list[Asked]) -> Outcome:
        function, given = target(name, lent(args, questions, function_of), function_of)
        named = lent(kwargs, questions, function_of)
        before = as_arrays(copied([*given, *named.values()]))
        value = function(*given, **named)
        names = [*list(inspect.signature(function).parameters)[: len(given)], *named]
        after = zip(names, before, [*given, *named.values()], strict=False)
        changed = tuple(argument for argument, was, now in after if isinstance(was, np.ndarray) and not _same(was, as_array(now)))
        return Outcome("returned", value=copied(as_arrays(value)), changed=changed)

    return player


def _same(was: Any, now: Any) -> bool:
    return bool(np.array_equal(was, now, equal_nan=was.dtype.kind == "f"))


def _reached(name: str, namespace: Mapping[str, Any]) -> set[str]:
    """Collect the names that a function uses, and those that the functions behind them use."""
    found: set[str] = set()
    left = [name]
    while left:
        code = getattr(namespace.get(left.pop()), "__code__", None)
        new = (_names(code) if code else set()) - found
        found |= new
        left += new
    return found


def _names(code: types.CodeType) -> set[str]:
    return set(code.co_names).union(*(_names(part) for part in code.co_consts if isinstance(part, types.CodeType)))
