"""The recordings of a lesson's questions: fifty variants of each, what is right there, what each slip gives, and the working.

They stand in the place of the functions that answer the questions in a clone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from autograder.errors import CourseError, Finding
from autograder.model import Misconception, Question
from autograder.questions import Functions
from autograder.replay.exercises import FORMAT
from autograder.replay.values import read_gz

Number = int | float  # a whole number stays one: it may be an index
Values = list[tuple[list[Number], float]]  # arguments, and what a function gives for them


class SlipValues(msgspec.Struct, frozen=True):
    """A known slip of a question's function, and what it gives."""

    id: str
    of: str
    sentence: str
    section: str
    card: str
    values: Values


class WorkingLines(msgspec.Struct, frozen=True):
    """The working of one question with one set of numbers."""

    numbers: dict[str, Number]
    lines: list[str]


class PracticeRecordings(msgspec.Struct, frozen=True):
    """All that a release knows of a lesson's questions, but for the keys. `working` goes by a question's place."""

    variants: dict[str, list[dict[str, Number]]]
    values: dict[str, Values]
    slips: dict[str, list[SlipValues]]
    working: dict[str, list[WorkingLines]]
    format: int = FORMAT


def place(question: Question) -> str:
    """Name a question or a part of one by its id and its line, since a part's id is its whole's affair."""
    return f"{question.id}:{question.line}"


def replayed_functions(path: Path) -> Functions:
    """Give what was recorded as functions. Raise `CourseError` where it cannot be read."""
    try:
        recorded = read_gz(path, PracticeRecordings)
    except (OSError, EOFError, ValueError) as error:
        fix = "take the release as it was handed out, or build it again"
        raise CourseError([Finding(path, None, f"these recordings cannot be read: {error}", fix)]) from None
    slips = {name: [_misconception(slip, path) for slip in own] for name, own in recorded.slips.items()}
    working = {where: {_key(each.numbers): tuple(each.lines) for each in all_} for where, all_ in recorded.working.items()}

    def reference(name: str) -> Callable[..., float]:
        return _looked_up(name, recorded.values.get(name, []), path)

    def misconceptions(name: str) -> Sequence[Misconception]:
        return slips.get(name, [])

    def lines(question: Question, numbers: Mapping[str, float]) -> tuple[str, ...]:
        return working.get(place(question), {}).get(_key(numbers), ())

    return Functions(reference, misconceptions, recorded.variants, lines)


def _misconception(slip: SlipValues, path: Path) -> Misconception:
    return Misconception(slip.id, slip.of, slip.sentence, slip.section, slip.card, _looked_up(slip.id, slip.values, path))


def _key(numbers: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(numbers.items()))


def _looked_up(name: str, values: Values, path: Path) -> Callable[..., float]:
    known = {tuple(arguments): value for arguments, value in values}

    def function(*arguments: Any) -> float:
        if arguments not in known:
            problem = f"no answer of `{name}` to these numbers was recorded: a student release knows fifty variants of a question"
            raise CourseError([Finding(path, None, problem, "answer one of them, or mark in a clone of the course")])
        return known[arguments]

    return function
