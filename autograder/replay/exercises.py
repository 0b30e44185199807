"""One exercise's recordings: what the reference answers to each call of its checks, and what each known slip gave there.

A call is found by its function and its likeness, so a recording made on one machine is found on another. Only the published
numbers are known.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cached_property
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any

import msgspec

from autograder.diagnosis import Evidence
from autograder.errors import CourseError, Finding
from autograder.model import Check, Exercise, Misconception
from autograder.recordings import Answered, likeness, load_module
from autograder.replay.values import read_gz, unpack

FORMAT = 1


class Slip(msgspec.Struct, frozen=True):
    """A known slip without its function: whom it is about, and what is told."""

    id: str
    of: str
    sentence: str
    section: str
    card: str


class Known(msgspec.Struct, frozen=True):
    """One call of a run with the reference or a slip in the student's place. `given` is the likeness of its arguments."""

    function: str
    of: str
    given: str
    kind: str
    value: msgspec.Raw


class Recorded(msgspec.Struct, frozen=True):
    """What the reference answers to one call, and how far from it a right answer may lie."""

    value: msgspec.Raw
    atol: float
    rtol: float


class Recordings(msgspec.Struct, frozen=True):
    """All that a release knows of one exercise.

    parameters: each function's, by name. answers: by function, then by likeness. runs: by check, then by slip ("" is the
    reference), the calls in order. checks: the hash of the files that were recorded.
    """

    exercise: str
    checks: str
    parameters: dict[str, list[str]]
    answers: dict[str, dict[str, Recorded]]
    slips: list[Slip]
    runs: dict[str, dict[str, list[Known]]]
    format: int = FORMAT


def fingerprint(exercise: Exercise) -> str:
    """Hash what is asked of an exercise: its checks, and the props."""
    props = exercise.starter.parent / "props.py"
    text = exercise.checks.read_bytes() + (props.read_bytes() if props.is_file() else b"")
    return hashlib.sha256(text.replace(b"\r\n", b"\n")).hexdigest()


def read_recordings(exercise: Exercise) -> Recordings:
    """Read an exercise's recordings. Raise `CourseError` where they cannot be, or are not of these checks."""
    try:
        recordings = read_gz(exercise.recordings, Recordings)
    except (OSError, EOFError, ValueError) as error:
        raise _unusable(exercise, f"these recordings cannot be read: {error}") from None
    if recordings.format != FORMAT:
        raise _unusable(exercise, f"these recordings are of format {recordings.format}, and {FORMAT} is read here")
    if recordings.checks != fingerprint(exercise):
        raise _unusable(exercise, f"these recordings belong to another checks/{exercise.checks.name} or props.py")
    return recordings


def _unusable(exercise: Exercise, problem: str) -> CourseError:
    return CourseError([Finding(exercise.recordings, None, problem, "take the release as it was handed out, or build it again")])


class ReplayedAnswers:
    """Stands in the place of `recordings.Answers`: gives out what was recorded, and computes nothing."""

    def __init__(self, recordings: Recordings, path: Path, props: Path):
        self.props = props if props.is_file() else None
        self._recordings, self._path = recordings, path
        self._known: dict[tuple[str, str], Answered] = {}

    @cached_property
    def _props(self) -> Any:
        return load_module(self.props) if self.props else None

    def function(self, name: str) -> Callable[..., Any]:
        """Give something with the signature of a function, which cannot be called. Raise `AttributeError` where there is none."""
        if name.startswith("props."):
            return getattr(self._props, name.removeprefix("props."))  # type: ignore[no-any-return]
        if name not in self._recordings.parameters:
            raise AttributeError(name)
        return _signed(name, self._recordings.parameters[name])

    def answer(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Answered:
        """Give what the reference answered to this call. Raise `CourseError` where it was not asked when the release was built."""
        key = name, likeness((args, kwargs)).hex()
        if key not in self._known:
            try:
                recorded = self._recordings.answers[name][key[1]]
            except KeyError:
                problem = f"no answer of `{name}` to these numbers was recorded: a student release knows the published numbers only"
                raise CourseError([Finding(self._path, None, problem, "grade in a clone of the course, with its solutions")]) from None
            self._known[key] = Answered(unpack(msgspec.json.decode(recorded.value)), recorded.atol, recorded.rtol)
        return self._known[key]


def _signed(name: str, parameters: list[str]) -> Callable[..., Any]:
    def unknown(*args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"`{name}` is recorded: there is no code of it in a student release")

    unknown.__dict__["__signature__"] = Signature([Parameter(one, Parameter.POSITIONAL_OR_KEYWORD) for one in parameters])
    return unknown


def slips_of(recordings: Recordings) -> tuple[Misconception, ...]:
    """Give the known slips, each with a function that cannot be called."""
    return tuple(
        Misconception(slip.id, slip.of, slip.sentence, slip.section, slip.card, _signed(slip.id, recordings.parameters.get(slip.of, [])))
        for slip in recordings.slips
    )


def known_calls(recordings: Recordings) -> Callable[[Check, Misconception | None, str], list[Evidence]]:
    """Give the function that tells what a slip (or, with None, the reference) gave in the calls about `of` in a check."""
    read: dict[tuple[str, str, str], list[Evidence]] = {}

    def known(check: Check, slip: Misconception | None, of: str) -> list[Evidence]:
        key = check.id, slip.id if slip else "", of
        if key not in read:
            calls = recordings.runs.get(check.id, {}).get(key[1], [])
            read[key] = [_evidence(call) for call in calls if call.of == of]
        return read[key]

    return known


def _evidence(call: Known) -> Evidence:
    return Evidence(bytes.fromhex(call.given), call.kind, unpack(msgspec.json.decode(call.value)))
