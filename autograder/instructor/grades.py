"""Who has more time: `OUT/extensions.csv`, which is read again whenever grades are counted.

    student,due,exercise
    Ada Lovelace,2026-11-27 23:59+01:00,forward

`student` is a name, number, login or e-mail as the roster has it; without an exercise the time holds for all of them.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from itertools import groupby
from pathlib import Path
from typing import Literal

from msgspec import Struct

from autograder.course.errors import UsageError
from autograder.course.model import CheckResult, HandedIn, Override, Person, Policy, Result
from autograder.course.text import clean
from autograder.instructor.gradebook import Attempted, Gradebook
from autograder.instructor.roster import known_as

COLUMNS = ("student", "due", "exercise")


def read_extensions(path: Path, people: Mapping[str, Person]) -> dict[tuple[str, str], datetime]:
    """Read extensions by student and exercise, "" for all. Raise `UsageError` with the line of what cannot be."""
    if not path.exists():
        return {}
    try:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error):
        raise UsageError(f"{path}: not a CSV in UTF-8", f"begin it with a line of column names: {','.join(COLUMNS)}") from None
    header = [cell.strip().casefold() for cell in rows[0]] if rows else []
    if not {"student", "due"} <= set(header):
        raise UsageError(f"{path}:1: no columns `student` and `due`", f"begin it with a line of column names: {','.join(COLUMNS)}")
    known = known_as(people)
    found = {}
    for line, row in enumerate(rows[1:], 2):
        said = {column: cell.strip() for column, cell in zip(header, row, strict=False)}
        if any(said.values()):
            who = said.get("student", "")
            found[known.get(who.casefold(), who), said.get("exercise", "")] = _moment(path, line, said.get("due", ""))
    return found


def unmet(extensions: Iterable[tuple[str, str]], students: Collection[str], exercises: Collection[str]) -> Iterator[str]:
    """Say of each extension that meets nobody here, or no exercise, whom or what it names: a typing error would cost a student."""
    for student, exercise in extensions:
        if student not in students:
            yield f"extensions.csv: nobody here is `{clean(student, 60)}`{_meant(student, students)}"
        elif exercise and exercise not in exercises:
            yield f"extensions.csv: no exercise `{clean(exercise, 60)}`, of {clean(student, 60)}{_meant(exercise, exercises)}"


def _meant(word: str, known: Collection[str]) -> str:
    small = {one.casefold(): one for one in sorted(known)}
    close = get_close_matches(word.casefold(), small, n=1)
    return f"; did you mean {clean(small[close[0]], 60)}?" if close else ""


def _moment(path: Path, line: int, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UsageError(f"{path}:{line}: `{clean(text, 40)}` is no time with its zone", "write it like 2026-11-27 23:59+01:00")
    return moment


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


def decide(graded: Iterable[Grade], checks: dict[str, dict[str, float]], student: str, wanted: str, points: float, reason: str) -> Override:
    """Make out which check of which exercise is meant, and decide it.

    `graded` is what the student has, `checks` the most points of each check by exercise. Raise `UsageError` for what cannot be.
    """
    results = {grade.result.exercise: grade.result for grade in graded}
    exercise, check = _decision(wanted, {name: own for name, own in checks.items() if name in results})
    most = checks[exercise][check]
    if not 0 <= points <= most:
        raise UsageError(f"{points:g} points for `{check}`, which has {most:g}", f"give from 0 to {most:g}")
    if not reason.strip():
        raise UsageError("no reason is given", 'say why, for the student and for later: --reason "..."')
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    return Override(student, results[exercise].lesson, exercise, check, points, clean(reason), made_at)


def _decision(wanted: str, checks: dict[str, dict[str, float]]) -> tuple[str, str]:
    """Find EXERCISE.CHECK, or the one exercise that has a check of this name."""
    exercise, _, check = wanted.rpartition(".")
    found = [(name, check) for name, own in checks.items() if check in own and exercise in ("", name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"several exercises have a check `{check}`", f"say which: {', '.join('.'.join(each) for each in found)}")
    known = [f"{name}.{each}" for name, own in checks.items() for each in own]
    close = get_close_matches(wanted, known, n=3, cutoff=0.4) or known[:8]
    raise UsageError(f"no check `{wanted}` was graded for this student", f"choose one as EXERCISE.CHECK: {', '.join(close)}")


def most_points(checks: Iterable[CheckResult]) -> dict[str, float]:
    """Give the most points of each check."""
    return {check.id: check.max_points for check in checks}


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
