"""What a class understood, in numbers: scores, misconceptions, shared errors, and how hard each check was, and how it discriminates."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable
from math import sqrt
from statistics import fmean
from typing import Any

from msgspec import Struct, field

from autograder.course.model import STATUSES, Unused
from autograder.grading import feedback
from autograder.instructor.gradebook import Attempted
from autograder.instructor.grades import Grade, StudentGrades, name_of
from autograder.instructor.roster import file_slug

FEWEST = 2  # students of a group
MISCONCEPTIONS = 8  # shown before "and so many more"


class Group(Struct, frozen=True):
    """Students who made the same mistake in a `function`: what one of its checks said, and the `idea` that explains it, if one does."""

    exercise: str
    function: str
    students: tuple[str, ...]
    words: str
    idea: str = ""
    lesson: str = ""

    @property
    def file(self) -> str:
        """The exercise's own id, which is the last part of its name."""
        return self.exercise.rpartition("/")[2]


def groups(attempts: Iterable[Attempted | Grade], *, several: bool = False) -> list[Group]:
    """Group attempts by mistakes that no misconception describes, the largest group first. One student is no group.

    Two make the same mistake if one idea explains both, or if they returned the same wrong values in every call. If there are `several`
    lessons, exercises are called by theirs too.
    """
    found: dict[tuple[str, str, str, str, str], list[tuple[str, str]]] = defaultdict(list)
    for attempt in attempts:
        said = {failure.function: feedback.message(failure) for failure in reversed(attempt.notes.failures.values()) if failure.call}
        ideas = {check.diagnosis.of: check.diagnosis.sentence for check in attempt.result.checks if check.diagnosis}
        for function, shared in attempt.notes.shared_errors.items():
            idea = ideas.get(function, "")
            key = attempt.result.lesson, attempt.result.exercise, function, idea, "" if idea else shared
            found[key].append((attempt.result.student, said.get(function, "")))
    made = [
        Group(name_of(lesson, exercise, several=several), function, tuple(sorted(student for student, _ in own)), own[0][1], idea, lesson)
        for (lesson, exercise, function, idea, _), own in found.items()
        if len(own) >= FEWEST
    ]
    return sorted(made, key=lambda group: (-len(group.students), group.exercise, group.function, group.students))


BINS = 10
SLOWEST = 10
HELPED = 20
FEW_PERCENT = 50.0  # students below this need help, if the policy has no pass mark


class CheckMeasure(Struct):
    """One check over the class: how many students had which reason, points for it, and score of the exercise."""

    exercise: str
    id: str
    title: str
    max_points: float
    counts: Counter[tuple[str, float, float]] = field(default_factory=Counter)

    @property
    def reasons(self) -> Counter[str]:
        found = Counter[str]()
        for (reason, _, _), students in self.counts.items():
            found[reason] += students
        return found

    @property
    def difficulty(self) -> float:
        """The share of its points that the class earned."""
        points = [points for _, points, _ in self.counts]
        return fmean(points, self.counts.values()) / self.max_points if self.max_points else 0.0

    @property
    def discrimination(self) -> float | None:
        """The correlation of its points with the rest of the exercise's; None if one of the two is the same for all."""
        points = [points for _, points, _ in self.counts]
        rest = [round(score - points, 6) for _, points, score in self.counts]  # equal rests stay equal
        if len({*points}) < 2 or len({*rest}) < 2:
            return None
        return self._product(points, rest) / sqrt(self._product(points, points) * self._product(rest, rest))

    def _product(self, some: list[float], others: list[float]) -> float:
        """Return the covariance of two values over the class."""
        weights = [*self.counts.values()]
        mean, other_mean = fmean(some, weights), fmean(others, weights)
        return fmean([(one - mean) * (other - other_mean) for one, other in zip(some, others, strict=True)], weights)


class MisconceptionCount(Struct):
    """One misconception in one exercise: how many students have it, and where to reread."""

    exercise: str
    id: str
    section: str
    students: int = 0
    lesson: str = ""


class ExerciseMeasure(Struct):
    """One exercise over the class: `total` adds the scores that count, and `bins` counts them by tenths of the points."""

    lesson: str = ""
    max_score: float = 0.0
    total: float = 0.0
    statuses: Counter[str] = field(default_factory=Counter)
    bins: list[int] = field(default_factory=lambda: [0] * BINS)
    full: int = 0

    def count(self, status: str, points: float, by: int = 1) -> None:
        """Count a result of this status, and the points that it counts; -1 takes it back."""
        self.statuses[status] += by
        if status == "graded":
            self.total += by * points
            self.bins[_bin_of(points, self.max_score)] += by
            self.full += by * (bool(self.max_score) and points >= self.max_score)

    @property
    def graded(self) -> int:
        return self.statuses["graded"]

    @property
    def mean(self) -> float:
        """The mean score of the submissions that were judged."""
        return self.total / self.graded if self.graded else 0.0


class Row(Struct, frozen=True):
    """One student in the table. `marks` are misconceptions, and reasons other than a wrong value; `made` are the keys of misconceptions."""

    student: str
    file: str
    percent: float | None
    passed: bool | None
    scores: dict[str, float | None]
    missing: tuple[str, ...]
    unrecognised: tuple[str, ...]
    marks: tuple[str, ...]
    late: bool
    made: tuple[tuple[str, str], ...] = ()


class Measures(Struct):
    """All measures of a class."""

    exercises: dict[str, ExerciseMeasure] = field(default_factory=dict)
    checks: dict[tuple[str, str], CheckMeasure] = field(default_factory=dict)
    misconceptions: dict[tuple[str, str], MisconceptionCount] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    slow: list[tuple[float, str, str]] = field(default_factory=list)  # seconds, student, exercise; the slowest first
    not_judged: list[tuple[str, str]] = field(default_factory=list)
    unknown_times: int = 0  # results of which nothing says whether they were late, though it matters
    cut: list[str] = field(default_factory=list)  # overrides that count less than was given
    kept: list[tuple[str, str]] = field(default_factory=list)  # student and exercise of which an earlier attempt counts
    unused: list[tuple[str, Unused]] = field(default_factory=list)  # files that were handed in and not taken, by student

    @property
    def results(self) -> int:
        return sum(one.statuses.total() for one in self.exercises.values())

    def count(self, status: str) -> int:
        """Return the number of results with a status."""
        return sum(one.statuses[status] for one in self.exercises.values())

    @property
    def mean_percent(self) -> float | None:
        known = [row.percent for row in self.rows if row.percent is not None]
        return sum(known) / len(known) if known else None

    def by_misconceptions(self) -> list[MisconceptionCount]:
        """Return the misconceptions, the most frequent first."""
        return most_frequent(self.misconceptions.values())

    def by_difficulty(self) -> list[CheckMeasure]:
        """Return the checks, the hardest first."""
        return sorted(self.checks.values(), key=lambda check: check.difficulty)

    def in_need(self, mark: float | None) -> list[Row]:
        """Return the students below the pass mark, the lowest first."""
        below = [row for row in self.rows if row.percent is not None and row.percent < (FEW_PERCENT if mark is None else mark)]
        return sorted(below, key=lambda row: (row.percent, row.student))

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints of it."""
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for (exercise, name), one in sorted(self.misconceptions.items()):
            found[exercise][name] = one.students
        exercises = [
            {"lesson": one.lesson, "exercise": name.rpartition("/")[2], "mean": round(one.mean, 4), "max_score": one.max_score,
             "statuses": dict(one.statuses), "misconceptions": found[name]}
            for name, one in sorted(self.exercises.items())
        ]  # fmt: skip
        return {"results": self.results, "statuses": {status: self.count(status) for status in STATUSES}, "exercises": exercises}


def measure(students: Iterable[StudentGrades], exercises: Iterable[str] = ()) -> Measures:
    """Measure a class; `exercises` is the order of the exercises."""
    made = Measures()
    for student in students:
        for grade in student.grades.values():
            _exercise(made, grade)
        made.rows.append(_row(student))
        unused = dict.fromkeys(one for grade in student.grades.values() for one in grade.handed_in.unused)
        made.unused += [(student.person.student, one) for one in unused]
    order = list(exercises)
    made.exercises = dict(sorted(made.exercises.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order)))
    return made


def most_frequent(counts: Iterable[MisconceptionCount]) -> list[MisconceptionCount]:
    """Return these misconceptions, the most frequent first; of equals, by exercise and id."""
    return sorted(counts, key=lambda one: (-one.students, one.exercise, one.id))


def _bin_of(points: float, most: float) -> int:
    """Return which tenth of an exercise's points these are in, from 0 on."""
    return min(BINS - 1, max(0, int(points / most * BINS))) if most else 0


def _exercise(made: Measures, grade: Grade) -> None:
    result = grade.result
    name = grade.name
    one = made.exercises.setdefault(name, ExerciseMeasure(result.lesson))
    one.max_score = max(one.max_score, result.max_score)
    one.count(result.status, grade.final)
    made.unknown_times += grade.unknown
    made.cut += grade.cut
    if grade.kept and grade.result.status not in ("missing", "unrecognised"):
        made.kept.append((result.student, name))
    if result.status == "not_judged":
        made.not_judged.append((result.student, name))
    if result.status != "graded":
        return
    seconds = sum(check.seconds for check in result.checks)
    if len(made.slow) < SLOWEST or seconds >= made.slow[-1][0]:
        made.slow = heapq.nlargest(SLOWEST, [*made.slow, (seconds, result.student, name)])
    for check in result.checks:
        key = name, check.id
        if key not in made.checks:
            made.checks[key] = CheckMeasure(*key, check.title, check.max_points)
        made.checks[key].counts[check.reason or check.outcome, check.points, result.score] += 1
    for known, section in {check.misconception: check.section or "" for check in result.checks if check.misconception}.items():
        counted = MisconceptionCount(name, known, section, lesson=result.lesson)
        made.misconceptions.setdefault((name, known), counted).students += 1


def _row(student: StudentGrades) -> Row:
    name, grades = student.person.student, student.grades
    scores = {
        name: grade.final if grade.result.status == "graded" or grade.overrides or grade.whole else None for name, grade in grades.items()
    }
    missing, unrecognised = (
        tuple(name for name, grade in grades.items() if grade.result.status == status and not grade.excused)
        for status in ("missing", "unrecognised")
    )
    found = (check.misconception or check.reason for grade in grades.values() for check in grade.result.checks)
    decided = (kind for grade in grades.values() for kind in grade.whole if kind in ("excused", "on_hold"))
    marks = tuple(dict.fromkeys(mark for mark in (*found, *decided) if mark not in (None, "", "wrong", "needs")))
    late = any(grade.days_late for grade in grades.values())
    made = ((name, check.misconception) for name, grade in grades.items() for check in grade.result.checks if check.misconception)
    return Row(
        name, file_slug(name), student.percent, student.passed, scores, missing, unrecognised, marks, late, tuple(dict.fromkeys(made))
    )
