"""What each result counts: lateness, extensions, overrides, which of several attempts, and the total by weights.

A result is what the grader found, and never changes. A `Grade` says what it counts, by `GradingRules`: the policy in course.yaml, the
roster, the overrides in the gradebook, and `OUT/extensions.csv`, which gives single students more time:

    student,due,exercise
    Ada Lovelace,2026-11-27 23:59+01:00,forward

`student` is a name, number, login or e-mail of the roster; a line without an exercise is for all of them, and one with a lesson in its
place for all of that lesson. Where several lessons are graded, an exercise is called LESSON/EXERCISE. Grades are computed whenever
they are needed and stored nowhere, so a changed policy, override or extension takes effect without grading again.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from difflib import get_close_matches
from itertools import groupby
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from autograder.course.model import HandedIn, Lesson, Notes, Override, Result
from autograder.course.policy import Policy, setting_of
from autograder.course.references import exercise_ids
from autograder.course.text import clean
from autograder.instructor.gradebook import Attempted, Gradebook, standing
from autograder.instructor.identity import similar_to
from autograder.instructor.overrides import Applied, Key, applied, cut_notes, final_points, in_force, read_extensions
from autograder.instructor.roster import Person

Sections = Mapping[str, Mapping[str, str]]  # the titles of sections by id, by lesson


class Grade(Struct, frozen=True):
    """What one result counts: `score` includes overrides of checks, `penalty` is for lateness, and `final` includes everything."""

    result: Result
    handed_in: HandedIn
    overrides: dict[str, Override]  # by check; the last of several
    score: float
    days_late: int
    penalty: float
    unknown: bool = False  # nothing says whether it was late
    kept: bool = False  # it is from before, because this time nothing was found
    whole: dict[str, Override] = {}  # overrides of the exercise, by kind
    cut: tuple[str, ...] = ()  # for the instructor: overrides that count less than was given
    notes: Notes = Notes()
    several: bool = False  # whether there are results of other lessons beside it

    @property
    def name(self) -> str:
        """What the exercise is called among all that are graded."""
        return name_of(self.result.lesson, self.result.exercise, several=self.several)

    @property
    def judged(self) -> bool:
        """False if a fault of ours left no result and nobody has overridden it: that is never a zero."""
        return self.result.status != "not_judged" or bool(self.overrides) or "points" in self.whole

    @property
    def final(self) -> float:
        return final_points(round(self.score - self.penalty, 2), self.result.max_score, self.whole)

    @property
    def excused(self) -> bool:
        return "excused" in self.whole


class StudentGrades(Struct, frozen=True):
    """One student's grades by the exercise's name, and the total in percent: None if anything was not judged. `percents` are the totals of
    the lessons. `passed` is None without a pass mark.

    What is excused does not count. If the student is `on_hold`, nothing may be given out.
    """

    person: Person
    grades: dict[str, Grade]
    percent: float | None
    passed: bool | None
    on_hold: bool = False
    percents: dict[str, float] = {}


class GradingRules(Struct, frozen=True):
    """Everything that decides what a result counts, read once."""

    policy: Policy
    people: dict[str, Person]
    overrides: dict[Key, dict[str, Override]]  # those in force, by student, lesson and exercise, then by check or kind
    extensions: dict[tuple[str, str], datetime]  # by student and exercise, or "" for all of theirs
    notes: tuple[str, ...] = ()  # lines of extensions.csv that were left out
    several: bool = False  # whether several lessons are graded
    decisions: int = 0  # how many were ever made: what was written with fewer is older than one of them

    def on_hold(self, student: str) -> bool:
        """Return whether nothing may be given out to a student."""
        return ":on_hold" in self.overrides.get((student, "", ""), {})

    def due(self, student: str, lesson: str, exercise: str) -> tuple[datetime | None, bool]:
        """Return when an exercise is due for a student, and whether that is an extension."""
        person, names = self.people.get(student), (name_of(lesson, exercise, several=True), exercise)
        told = next((person.due_of[name] for name in names if name in person.due_of), person.due) if person else None
        given = (self.extensions.get((student, name)) for name in (*names, lesson, ""))
        own = next((due for due in given if due), told)
        return own or setting_of(self.policy.due_of, lesson, exercise) or self.policy.due, own is not None

    def grade(self, attempt: Attempted) -> Grade:
        """Compute what an attempt counts."""
        result, handed_in = attempt.result, attempt.handed_in
        decided = self.overrides.get((result.student, "", ""), {}) | self.overrides.get(
            (result.student, result.lesson, result.exercise), {}
        )
        made = applied(decided.values(), result) if decided else Applied()
        graded = sum(check.points for check in result.checks if check.id in made.checks)
        score = result.score + sum(override.points for override in made.checks.values()) - graded
        days, late = self._days_late(result, handed_in), self.policy.late
        percent = min(late.most, late.percent * (days if late.per == "day" else 1)) if late and days else 0.0
        penalty, cut = round(score * percent / 100, 2), tuple(cut_notes(result, made, several=self.several))
        unknown = self.is_unknown(attempt)
        return Grade(
            result,
            handed_in,
            made.checks,
            round(score, 2),
            days,
            penalty,
            unknown,
            whole=made.whole,
            cut=cut,
            notes=attempt.notes,
            several=self.several,
        )

    def choose(self, attempts: list[Attempted]) -> Attempted:
        """Choose the attempt that counts: the last one, or the one with the highest grade and, of equals, the earliest."""
        found = standing(attempts)
        if self.policy.counts == "last":
            return found[-1]
        grades = [self.grade(one) for one in found]
        return found[max(range(len(found)), key=lambda place: (grades[place].judged, grades[place].final, -place))]

    def unmatched(self, students: Collection[str], lessons: Iterable[Lesson]) -> Iterator[str]:
        """Yield a line for each extension that matches no student or exercise: a typing error would cost a student points."""
        yield from self.notes
        names = {(lesson.id, one) for lesson in lessons for one in exercise_ids(lesson)}
        exercises = {name_of(*key, several=several) for key in names for several in (False, True)} | {lesson for lesson, _ in names}
        students = students | self.people.keys()
        for student, exercise in self.extensions:
            if student not in students:
                meant = similar_to(student, students, self.people)
                yield f"extensions.csv: no student `{clean(student, 60)}`{f'; did you mean {meant}?' if meant else ''}"
            elif exercise and exercise not in exercises:
                yield f"extensions.csv: no exercise `{clean(exercise, 60)}`, for {clean(student, 60)}{_suggestion(exercise, exercises)}"

    def _days_late(self, result: Result, handed_in: HandedIn) -> int:
        """Count the days begun after the due date. If only the platform says "late", it says how much or it is one day; with an extension
        it is none."""
        if handed_in.at is None and not handed_in.late:
            return 0
        due, extended = self.due(result.student, result.lesson, result.exercise)
        if handed_in.at is None or due is None:
            return max(1, math.ceil(handed_in.minutes_late / (24 * 60))) if handed_in.late and not extended else 0
        grace = timedelta(minutes=self.policy.late.grace_minutes if self.policy.late else 0)
        return days_late(handed_in.at, due, grace, zone_of(self.policy))

    def is_unknown(self, attempt: Attempted) -> bool:
        """Whether a late policy stands, and nothing says if an attempt was handed in on time."""
        result, handed_in = attempt.result, attempt.handed_in
        stands = self.policy.late is not None and self.due(result.student, result.lesson, result.exercise)[0] is not None
        return stands and handed_in.at is None and handed_in.late is None and result.status not in ("missing", "unrecognised")


def name_of(lesson: str, exercise: str, *, several: bool) -> str:
    """Return what an exercise is called: its own name or, where there are `several` lessons, with its lesson's."""
    return f"{lesson}/{exercise}" if several else exercise


def zone_of(policy: Policy) -> ZoneInfo | None:
    """Return the course's time zone, if it has one."""
    return ZoneInfo(policy.time_zone) if policy.time_zone else None


def days_late(at: datetime, due: datetime, grace: timedelta, zone: tzinfo | None = None) -> int:
    """Count the days begun after a due time, by the course's clock: a day in which the clock changes is one day.

    A due time that ends in :59 includes that minute.
    """
    whole = due.minute == 59 and not due.second
    last = due + grace + (timedelta(seconds=59, microseconds=999_999) if whole else timedelta())
    if at <= last:
        return 0
    place = zone or due.tzinfo
    over = at.astimezone(place).replace(tzinfo=None) - last.astimezone(place).replace(tzinfo=None)
    return max(1, math.ceil(over / timedelta(days=1)))


def read_rules(out: Path, gradebook: Gradebook, policy: Policy) -> GradingRules:
    """Read everything that decides what results count. Raise `UsageError` if extensions.csv is no list of extensions."""
    people = gradebook.people()
    decisions = gradebook.overrides()
    notes: list[str] = []
    extensions = read_extensions(out / "extensions.csv", people, zone_of(policy), notes)
    several = has_several_lessons(gradebook, gradebook.last_run() or "")
    return GradingRules(policy, people, in_force(decisions, people), extensions, tuple(notes), several, len(decisions))


def has_several_lessons(gradebook: Gradebook, run: str) -> bool:
    """Whether there are results of several lessons in a run."""
    return len({lesson for lesson, _ in gradebook.listed(run)}) > 1


def _suggestion(word: str, known: Collection[str]) -> str:
    names = {name.casefold(): name for name in sorted(known)}
    close = get_close_matches(word.casefold(), names, n=1)
    return f"; did you mean {clean(names[close[0]], 60)}?" if close else ""


def grades(gradebook: Gradebook, run: str, rules: GradingRules, among: tuple[str, str] | None = None) -> Iterator[Grade]:
    """Yield what each result of a run counts, by student, lesson and exercise; `among` as in `Gradebook.attempts`."""
    for attempts in gradebook.attempts(run, among):
        own = [one for one in attempts if not one.found_by]
        newest = max((one.handed_in for one in attempts if one.handed_in.origin), key=lambda one: one.attempt, default=None)
        chosen = rules.choose(attempts)
        if newest and newest.attempt > chosen.handed_in.attempt:  # feedback goes there, whichever counts
            chosen = replace(chosen, handed_in=replace(chosen.handed_in, origin=newest.origin))
        grade = rules.grade(chosen)
        yield replace(grade, kept=True) if own and len(own) < len(attempts) and not any(one.is_work for one in own) else grade


def grades_of(student: str, gradebook: Gradebook, run: str,
              rules: GradingRules) -> tuple[dict[str, Grade], dict[tuple[str, str], dict[str, float]]]:  # fmt: skip
    """Return a student's grades by the exercise's name, and of these, by lesson and exercise, the maximum points of each check."""
    own: dict[str, Grade] = {}
    most: dict[tuple[str, str], dict[str, float]] = {}
    for grade in grades(gradebook, run, rules):
        checks = most.setdefault((grade.result.lesson, grade.result.exercise), {})
        checks.update({each.id: each.max_points for each in grade.result.checks})
        if grade.result.student == student:
            own[grade.name] = grade
    return own, {key: checks for key, checks in most.items() if name_of(*key, several=rules.several) in own}


def student_grades(gradebook: Gradebook, run: str, rules: GradingRules, only: Collection[str] = (),
                   among: tuple[str, str] | None = None) -> Iterator[StudentGrades]:  # fmt: skip
    """Yield each student's grades and total; with `only`, of the exercises of these names; `among` as in `Gradebook.attempts`."""
    shown = (grade for grade in grades(gradebook, run, rules, among) if not only or grade.name in only)
    for student, own in groupby(shown, key=lambda grade: grade.result.student):
        total = _total(rules.people.get(student, Person(student)), own, rules.policy)
        yield replace(total, on_hold=rules.on_hold(student))


def _total(person: Person, own: Iterable[Grade], policy: Policy) -> StudentGrades:
    """Weigh a student's exercises in each lesson, and the lessons; what the policy does not name weighs as much as its points."""
    grades = {grade.name: grade for grade in own}
    lessons: dict[str, list[Grade]] = defaultdict(list)
    for grade in grades.values():
        if not grade.excused:
            lessons[grade.result.lesson].append(grade)
    if not all(grade.judged for counted in lessons.values() for grade in counted):
        return StudentGrades(person, grades, None, None)
    totals = {lesson: _lesson_total(counted, policy) for lesson, counted in lessons.items()}
    weights = {lesson: policy.lesson_weights.get(lesson, weight) for lesson, (weight, _) in totals.items() if weight}
    if not (whole := sum(weights.values())):
        return StudentGrades(person, grades, None, None)
    percent = round(100 * sum(weight * totals[lesson][1] for lesson, weight in weights.items()) / whole, 2)
    passed = percent >= policy.pass_mark if policy.pass_mark is not None else None
    return StudentGrades(person, grades, percent, passed, percents={lesson: round(100 * totals[lesson][1], 2) for lesson in weights})


def _lesson_total(counted: Iterable[Grade], policy: Policy) -> tuple[float, float]:
    """Return how much the exercises of a lesson weigh together, and the share of it that a student has."""
    whole = earned = 0.0
    for grade in counted:
        result = grade.result
        weight = setting_of(policy.weights, result.lesson, result.exercise)
        weight = result.max_score if weight is None else weight
        whole += weight
        earned += weight * grade.final / result.max_score if result.max_score else 0.0
    return whole, earned / whole if whole else 0.0


def revealed(policy: Policy, now: datetime) -> Literal["all", "titles", "nothing"]:
    """Return how much feedback students may see at this time."""
    return policy.reveal if policy.reveal_from is None or now >= policy.reveal_from else "nothing"
