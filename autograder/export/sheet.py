"""What every export is given: the exercises as columns, and each student with what their results count."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from msgspec import Struct

from autograder.errors import UsageError
from autograder.explain import clean
from autograder.gradebook import Gradebook
from autograder.grades.counting import Rules, Standing, revealed, standings
from autograder.model import Policy


class Column(Struct, frozen=True):
    """One exercise. `title` is what the platform calls it."""

    lesson: str
    exercise: str
    title: str
    max_score: float


class Sheet(Struct, frozen=True):
    """A class as exports see it. `rows` reads it anew each time, student by student; `policy` reveals what it does now."""

    columns: tuple[Column, ...]
    rows: Callable[[], Iterator[Standing]]
    policy: Policy
    sections: Mapping[str, str]
    by_hand: Mapping[str, float]  # questions that a person marks, by the name of their cell in the notebook


def sheet_of(gradebook: Gradebook, run: str, rules: Rules, titles: Mapping[str, str], sections: Mapping[str, str],
             by_hand: Mapping[str, float]) -> Sheet:  # fmt: skip
    """Make a sheet of a run. Raise `UsageError` for a title of an exercise that was not graded."""
    most: dict[tuple[str, str], float] = {}
    for standing in standings(gradebook, run, rules):
        for grade in standing.grades.values():
            most.setdefault((grade.result.lesson, grade.result.exercise), grade.result.max_score)
    unknown = next((name for name in titles if name not in {exercise for _, exercise in most}), None)
    if unknown is not None:
        known = ", ".join(exercise for _, exercise in most)
        raise UsageError(f"no exercise `{clean(unknown, 40)}` was graded here", f"give a title for one of: {known}")
    columns = tuple(Column(lesson, exercise, titles.get(exercise, exercise), score) for (lesson, exercise), score in most.items())
    now = Policy(reveal=revealed(rules.policy, datetime.now(UTC)))
    return Sheet(columns, lambda: standings(gradebook, run, rules), now, sections, by_hand)


def unjudged(standing: Standing) -> list[str]:
    """Name what was not judged of a student, in words for the instructor; an export leaves it empty and never writes a zero."""
    return [f"{clean(standing.person.student, 60)}: {name} was not judged" for name, one in standing.grades.items() if not one.judged]
