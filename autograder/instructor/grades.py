"""What each result counts: lateness, extensions, overrides, which of several attempts, and the total by weights.

A result is what the grader found, and never changes. A `Grade` says what it counts, by `GradingRules`: the policy in course.yaml, the
roster, the overrides in the gradebook, and `OUT/extensions.csv`, which gives single students more time:

    student,due,exercise
    Ada Lovelace,2026-11-27 23:59+01:00,forward

`student` is a name, number, login or e-mail of the roster; a line without an exercise is for all of them. Grades are computed whenever
they are needed and stored nowhere, so a changed policy, override or extension takes effect without grading again.
"""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from difflib import get_close_matches
from itertools import groupby
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from autograder.course.errors import UsageError
from autograder.course.model import HandedIn, Notes, Override, Policy, Result
from autograder.course.text import clean, number
from autograder.instructor.gradebook import Attempted, Gradebook, standing
from autograder.instructor.identity import former_name, similar_to
from autograder.instructor.overrides import Key, applied, cut_notes, final_points, in_force
from autograder.instructor.roster import WHO, Person, known_as, read_table, read_time_cell


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
    """One student's grades by exercise, and the total in percent: None if anything was not judged. `passed` is None without a pass mark.

    What is excused does not count. If the student is `on_hold`, nothing may be given out.
    """

    person: Person
    grades: dict[str, Grade]
    percent: float | None
    passed: bool | None
    on_hold: bool = False


class GradingRules(Struct, frozen=True):
    """Everything that decides what a result counts, read once."""

    policy: Policy
    people: dict[str, Person]
    overrides: dict[Key, dict[str, Override]]  # those in force, by student, lesson and exercise, then by check or kind
    extensions: dict[tuple[str, str], datetime]  # by student and exercise, or "" for all of theirs
    notes: tuple[str, ...] = ()  # lines of extensions.csv that were left out

    def on_hold(self, student: str) -> bool:
        """Return whether nothing may be given out to a student."""
        return ":on_hold" in self.overrides.get((student, "", ""), {})

    def due(self, student: str, exercise: str) -> tuple[datetime | None, bool]:
        """Return when an exercise is due for a student, and whether that is an extension."""
        person = self.people.get(student)
        told = person.due_of.get(exercise, person.due) if person else None
        own = self.extensions.get((student, exercise)) or self.extensions.get((student, "")) or told
        return own or self.policy.due_of.get(exercise) or self.policy.due, own is not None

    def grade(self, attempt: Attempted) -> Grade:
        """Compute what an attempt counts."""
        result, handed_in = attempt.result, attempt.handed_in
        decided = self.overrides.get((result.student, "", ""), {}) | self.overrides.get(
            (result.student, result.lesson, result.exercise), {}
        )
        made = applied(decided.values(), result)
        graded = {check.id: check.points for check in result.checks}
        score = result.score + sum(override.points - graded.get(override.check, 0) for override in made.checks.values())
        days, late = self._days_late(result.student, result.exercise, handed_in), self.policy.late
        percent = min(late.most, late.percent * (days if late.per == "day" else 1)) if late and days else 0.0
        penalty, cut = round(score * percent / 100, 2), tuple(cut_notes(result, made))
        unknown = self.is_unknown(attempt)
        return Grade(
            result, handed_in, made.checks, round(score, 2), days, penalty, unknown, whole=made.whole, cut=cut, notes=attempt.notes
        )

    def choose(self, attempts: list[Attempted]) -> Attempted:
        """Choose the attempt that counts: the last one, or the one with the highest grade and, of equals, the earliest."""
        found = standing(attempts)
        if self.policy.counts == "last":
            return found[-1]
        grades = [self.grade(one) for one in found]
        return found[max(range(len(found)), key=lambda place: (grades[place].judged, grades[place].final, -place))]

    def unmatched(self, students: Collection[str], exercises: Collection[str]) -> Iterator[str]:
        """Yield a line for each extension that matches no student or exercise: a typing error would cost a student points."""
        yield from self.notes
        students = students | self.people.keys()
        for student, exercise in self.extensions:
            if student not in students:
                meant = similar_to(student, students, self.people)
                yield f"extensions.csv: no student `{clean(student, 60)}`{f'; did you mean {meant}?' if meant else ''}"
            elif exercise and exercise not in exercises:
                yield f"extensions.csv: no exercise `{clean(exercise, 60)}`, for {clean(student, 60)}{_suggestion(exercise, exercises)}"

    def _days_late(self, student: str, exercise: str, handed_in: HandedIn) -> int:
        """Count the days begun after the due date. If only the platform says "late", it says how much or it is one day; with an extension
        it is none."""
        due, extended = self.due(student, exercise)
        if handed_in.at is None or due is None:
            return max(1, math.ceil(handed_in.minutes_late / (24 * 60))) if handed_in.late and not extended else 0
        grace = timedelta(minutes=self.policy.late.grace_minutes if self.policy.late else 0)
        return days_late(handed_in.at, due, grace, zone_of(self.policy))

    def is_unknown(self, attempt: Attempted) -> bool:
        """Whether a late policy stands, and nothing says if an attempt was handed in on time."""
        result, handed_in = attempt.result, attempt.handed_in
        stands = self.policy.late is not None and self.due(result.student, result.exercise)[0] is not None
        return stands and handed_in.at is None and handed_in.late is None and result.status not in ("missing", "unrecognised")


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
    overrides = in_force(gradebook.overrides(), people)
    notes: list[str] = []
    extensions = read_extensions(out / "extensions.csv", people, zone_of(policy), notes)
    return GradingRules(policy, people, overrides, extensions, tuple(notes))


def read_extensions(path: Path, people: Mapping[str, Person], zone: tzinfo | None, notes: list[str]) -> dict[tuple[str, str], datetime]:
    """Read due dates by student and exercise, "" for all; a line that cannot be read is noted. Raise `UsageError` if it is no such list."""
    if not path.exists():
        return {}
    table = read_table(path)
    if "due" not in table.columns or not table.columns & WHO:
        raise UsageError(f"{path}:1: no columns `student` and `due`", "begin it with a line of column names: student,due,exercise")
    known = known_as(people)
    extensions = {}
    for line, cells in table.rows:
        student = next((cells[column] for column in cells if column in WHO), "")
        due = read_time_cell(f"{path.name}:{line}", cells.get("due", ""), zone, notes, day_ends=True)
        if due and student:
            meant = known.get(student.casefold(), student)
            extensions[meant, cells.get("exercise", "")] = due
            if meant in people and former_name(student, meant, people):
                notes.append(f"{path.name}:{line}: `{clean(student, 60)}` is taken for {clean(meant, 60)}, who had that name before")
        elif not due and not cells.get("due"):
            notes.append(f"{path.name}:{line}: no due time for `{clean(student, 60)}`, so the line is left out")
    return extensions


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
    """Return a student's grades by exercise, and of these the maximum points of each check, over the class, by lesson and exercise."""
    own: dict[str, Grade] = {}
    most: dict[tuple[str, str], dict[str, float]] = {}
    for grade in grades(gradebook, run, rules):
        checks = most.setdefault((grade.result.lesson, grade.result.exercise), {})
        checks.update({each.id: each.max_points for each in grade.result.checks})
        if grade.result.student == student:
            own[grade.result.exercise] = grade
    return own, {key: checks for key, checks in most.items() if key[1] in own}


def student_grades(gradebook: Gradebook, run: str, rules: GradingRules, only: Collection[str] = (),
                   among: tuple[str, str] | None = None) -> Iterator[StudentGrades]:  # fmt: skip
    """Yield each student's grades and total, by student; with `only`, of these exercises; `among` as in `Gradebook.attempts`."""
    shown = (grade for grade in grades(gradebook, run, rules, among) if not only or grade.result.exercise in only)
    for student, own in groupby(shown, key=lambda grade: grade.result.student):
        total = _total(rules.people.get(student, Person(student)), own, rules.policy)
        yield replace(total, on_hold=rules.on_hold(student))


def _total(person: Person, own: Iterable[Grade], policy: Policy) -> StudentGrades:
    """Weigh a student's exercises; one that the policy does not name weighs as much as its points."""
    grades = {grade.result.exercise: grade for grade in own}
    counted = {name: grade for name, grade in grades.items() if not grade.excused}
    weights = {name: policy.weights.get(name, grade.result.max_score) for name, grade in counted.items()}
    whole = sum(weights.values())
    if not whole or not all(grade.judged for grade in counted.values()):
        return StudentGrades(person, grades, None, None)
    shares = {name: grade.final / grade.result.max_score if grade.result.max_score else 0.0 for name, grade in counted.items()}
    percent = round(100 * sum(weights[name] * share for name, share in shares.items()) / whole, 2)
    return StudentGrades(person, grades, percent, percent >= policy.pass_mark if policy.pass_mark is not None else None)


def revealed(policy: Policy, now: datetime) -> Literal["all", "titles", "nothing"]:
    """Return how much feedback students may see at this time."""
    return policy.reveal if policy.reveal_from is None or now >= policy.reveal_from else "nothing"


class Column(Struct, frozen=True):
    """One exercise of an export. `title` is the platform's name for it."""

    lesson: str
    exercise: str
    title: str
    max_score: float


class Sheet(Struct, frozen=True):
    """A class as exports see it. `rows` reads it again each time, student by student; `policy` has what is revealed now.

    Of students who are on hold, `rows` has no grades.
    """

    columns: tuple[Column, ...]
    rows: Callable[[], Iterator[StudentGrades]]
    policy: Policy
    sections: Mapping[str, str]
    by_hand: Mapping[str, float]  # points of questions that a person marks, by the name of their notebook cell


def sheet_of(gradebook: Gradebook, run: str, rules: GradingRules, titles: Mapping[str, str], sections: Mapping[str, str],
             by_hand: Mapping[str, float], only: Collection[str] = ()) -> Sheet:  # fmt: skip
    """Make a sheet of a run, with `only` of these exercises. Raise `UsageError` for one, or a title of one, that was not graded."""
    most = {(grade.result.lesson, grade.result.exercise): grade.result.max_score for grade in grades(gradebook, run, rules)}
    known = [exercise for _, exercise in most]
    unknown = next((name for name in (*titles, *only) if name not in known), None)
    if unknown is not None:
        raise UsageError(f"no exercise `{clean(unknown, 40)}` was graded here", f"name one of: {', '.join(known)}")
    shown = {key: score for key, score in most.items() if not only or key[1] in only}
    columns = tuple(Column(lesson, exercise, titles.get(exercise, exercise), score) for (lesson, exercise), score in shown.items())
    now = Policy(reveal=revealed(rules.policy, datetime.now(UTC)), missing=rules.policy.missing)

    def rows() -> Iterator[StudentGrades]:
        for student in student_grades(gradebook, run, rules, only):
            yield replace(student, grades={}, percent=None, passed=None) if student.on_hold else student

    return Sheet(columns, rows, now, sections, by_hand)


def points_cell(grade: Grade | None, sheet: Sheet) -> str:
    """Return what counts, as an export shows it: nothing for what was not judged or is excused, and for missing work as the policy says."""
    if grade is None or not grade.judged or grade.excused:
        return ""
    is_blank = sheet.policy.missing == "blank" and grade.result.status == "missing" and not (grade.overrides or grade.whole)
    return "" if is_blank else number(grade.final)


def unjudged(student: StudentGrades) -> list[str]:
    """List what of a student an export leaves empty, for the instructor: what was not judged, which is never a zero, and all if on hold."""
    name = clean(student.person.student, 60)
    held = [f"{name}: on hold"] if student.on_hold else []
    return held + [f"{name}: {one} was not judged" for one, grade in student.grades.items() if not (grade.judged or grade.excused)]
