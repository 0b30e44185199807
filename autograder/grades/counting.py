"""From an attempt to what it counts by the course's policy, and from these to a student's whole.

What a person decided for a check takes the place of the grader's points; lateness then takes its share of the sum.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Literal

from msgspec import Struct

from autograder.gradebook import Attempted, Gradebook
from autograder.grades.extensions import read_extensions
from autograder.model import HandedIn, Override, Person, Policy, Result


class Grade(Struct, frozen=True):
    """What one result counts. `score` is with what was decided, `penalty` what lateness takes of it."""

    result: Result
    handed_in: HandedIn
    decided: dict[str, Override]  # by check; of several the last
    score: float
    days_late: int
    penalty: float

    @property
    def judged(self) -> bool:
        """False where a fault of ours left no result, which is never a zero, and nobody has decided either."""
        return self.result.status != "not_judged" or bool(self.decided)

    @property
    def final(self) -> float:
        return round(self.score - self.penalty, 2)


class Standing(Struct, frozen=True):
    """One student's exercises, and the whole in percent; None where something was not judged. `passed` is None without a pass mark."""

    person: Person
    grades: dict[str, Grade]
    percent: float | None
    passed: bool | None


class Rules(Struct, frozen=True):
    """All that says what a result counts, read once."""

    policy: Policy
    people: dict[str, Person]
    decided: dict[tuple[str, str, str], dict[str, Override]]  # by student, lesson, exercise
    extensions: dict[tuple[str, str], datetime]  # by student and exercise, or "" for all of theirs

    def due(self, student: str, exercise: str) -> tuple[datetime | None, bool]:
        """Give until when this may be handed in, and whether that is more time than others have."""
        person = self.people.get(student)
        own = self.extensions.get((student, exercise)) or self.extensions.get((student, "")) or (person.due if person else None)
        return own or self.policy.due_of.get(exercise) or self.policy.due, own is not None

    def grade(self, attempted: Attempted) -> Grade:
        """Say what an attempt counts."""
        result, handed_in = attempted.result, attempted.handed_in
        decided = self.decided.get((result.student, result.lesson, result.exercise), {})
        graded = {check.id: check.points for check in result.checks}
        score = result.score + sum(one.points - graded.get(one.check, 0) for one in decided.values())
        days = self._days_late(result.student, result.exercise, handed_in)
        return Grade(result, handed_in, decided, round(score, 2), days, self._penalty(score, days))

    def choose(self, attempts: list[Attempted]) -> Attempted:
        """Choose the attempt that counts: the last, or the one that counts most, of equals the earlier."""
        latest = {one.handed_in.attempt: one for one in attempts}  # of two gradings of an attempt the later
        if self.policy.counts == "last":
            return latest[max(latest)]
        grades = {number: self.grade(one) for number, one in latest.items()}
        return latest[max(grades, key=lambda number: (grades[number].judged, grades[number].final, -number))]

    def _days_late(self, student: str, exercise: str, handed_in: HandedIn) -> int:
        """Count the days begun after the time that holds. Where only the platform says "late", it is one, unless there was more time."""
        due, extended = self.due(student, exercise)
        if handed_in.at is None or due is None:
            return int(handed_in.late and not extended)
        grace = timedelta(minutes=self.policy.late.grace_minutes if self.policy.late else 0)
        return max(0, math.ceil((handed_in.at - due - grace) / timedelta(days=1)))

    def _penalty(self, score: float, days: int) -> float:
        late = self.policy.late
        if late is None or days == 0:
            return 0.0
        percent = min(late.most, late.percent * (days if late.per == "day" else 1))
        return round(score * percent / 100, 2)


def read_rules(out: Path, gradebook: Gradebook, policy: Policy) -> Rules:
    """Read what says what results count. Raise `UsageError` for an extension that cannot be."""
    people = gradebook.people()
    decided: dict[tuple[str, str, str], dict[str, Override]] = {}
    for one in gradebook.overrides():
        decided.setdefault((one.student, one.lesson, one.exercise), {})[one.check] = one
    return Rules(policy, people, decided, read_extensions(out / "extensions.csv", people))


def grades(gradebook: Gradebook, run: str, rules: Rules) -> Iterator[Grade]:
    """Give what each result of a run counts, by student, lesson and exercise."""
    for attempts in gradebook.attempts(run):
        yield rules.grade(rules.choose(attempts))


def standings(gradebook: Gradebook, run: str, rules: Rules) -> Iterator[Standing]:
    """Give each student's exercises and whole, by student."""
    for student, own in groupby(grades(gradebook, run, rules), key=lambda grade: grade.result.student):
        yield standing(rules.people.get(student, Person(student)), own, rules.policy)


def standing(person: Person, own: Iterable[Grade], policy: Policy) -> Standing:
    """Put a student's exercises together by their weights; an exercise without one weighs what its points are."""
    by_exercise = {grade.result.exercise: grade for grade in own}
    weights = {name: policy.weights.get(name, grade.result.max_score) for name, grade in by_exercise.items()}
    whole = sum(weights.values())
    if not whole or not all(grade.judged for grade in by_exercise.values()):
        return Standing(person, by_exercise, None, None)
    shares = {name: grade.final / grade.result.max_score if grade.result.max_score else 0.0 for name, grade in by_exercise.items()}
    percent = round(100 * sum(weights[name] * share for name, share in shares.items()) / whole, 2)
    return Standing(person, by_exercise, percent, percent >= policy.pass_mark if policy.pass_mark is not None else None)


def revealed(policy: Policy, now: datetime) -> Literal["all", "titles", "nothing"]:
    """Say what students may see at this time."""
    return policy.reveal if policy.reveal_from is None or now >= policy.reveal_from else "nothing"
