"""What is not as it was from one run to another: whose points, by which checks."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import groupby

from msgspec import Struct

from autograder.gradebook import Gradebook
from autograder.grades.counting import Grade, Rules, grades
from autograder.model import CheckResult

Named = tuple[str, str, str]  # student, lesson, exercise


class Moved(Struct, frozen=True):
    """One check that earns other points than before. `decided` says that a person's points hold all the same."""

    check: str
    before: float
    after: float
    message: str
    decided: bool


class Change(Struct, frozen=True):
    """One student's exercise that is not as it was; `before` or `after` is None where there was or is none."""

    student: str
    exercise: str
    before: float | None
    after: float | None
    moved: tuple[Moved, ...]
    anew: bool = False  # another file was handed in than the one that was graded

    @property
    def by(self) -> float:
        return round((self.after or 0) - (self.before or 0), 2)


def compare(book: Gradebook, before: str, after: str, rules: Rules) -> Iterator[Change]:
    """Give each student's exercise whose points, file or checks are not as they were, by student, lesson and exercise."""
    runs = (_in_order(book, run, rules, which) for which, run in enumerate((before, after)))
    for _, same in groupby(merge(*runs, key=lambda one: one[:2]), key=lambda one: one[0]):
        both = {which: grade for _, which, grade in same}
        change = _change(both.get(0), both.get(1))
        if change.before != change.after or change.moved or change.anew:
            yield change


def _in_order(book: Gradebook, run: str, rules: Rules, which: int) -> Iterator[tuple[Named, int, Grade]]:
    for grade in grades(book, run, rules):
        yield _named(grade), which, grade


def _named(grade: Grade) -> Named:
    return grade.result.student, grade.result.lesson, grade.result.exercise


def _change(old: Grade | None, new: Grade | None) -> Change:
    one = new or old
    assert one is not None
    anew = bool(old and new and old.result.sha256 != new.result.sha256)
    return Change(one.result.student, one.result.exercise, _counts(old), _counts(new), tuple(_moved(old, new)), anew)


def _counts(grade: Grade | None) -> float | None:
    return grade.final if grade and grade.judged else None


def _moved(old: Grade | None, new: Grade | None) -> Iterator[Moved]:
    """Give the checks that earn other points, also those that only one of the two has."""
    if old is None or new is None:
        return
    earlier = {check.id: check for check in old.result.checks}
    later = {check.id: check for check in new.result.checks}
    for name in dict.fromkeys([*earlier, *later]):
        was, now = _points(earlier.get(name)), _points(later.get(name))
        if was != now:
            words = later[name].message if name in later else "there is no such check any more"
            yield Moved(name, was, now, words, name in new.decided)


def _points(check: CheckResult | None) -> float:
    return check.points if check else 0.0
