"""The grades of a class, live while it is graded. Until something is decided, only additions are read, so size does not matter.

Read-only; `deciding` adds what a person decides. The columns of exercises show what the grader gave, and all else is what counts.
"""

import secrets
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from autograder.course.files import refuse_others
from autograder.course.loading import read_course, read_policy
from autograder.course.policy import Policy
from autograder.course.text import clean
from autograder.instructor.grade import GRADEBOOK
from autograder.instructor.gradebook import Attempted, Gradebook
from autograder.instructor.grades import GradingRules, StudentGrades, name_of, read_rules, student_grades
from autograder.instructor.measures import MISCONCEPTIONS, ExerciseMeasure, MisconceptionCount, most_frequent
from autograder.instructor.roster import file_slug
from autograder.web import deciding, written
from autograder.web.live import changed, streamed
from autograder.web.pages import Frame, fragment, page, shown
from autograder.web.written import Report

ON_A_PAGE = 100  # students
PERCENT = "%"  # no exercise is called so


class View(msgspec.Struct, frozen=True):
    """Which students to show: a search for words, a sort order and a page."""

    find: str = ""
    sort: str = ""  # an exercise or percent, lowest first, or highest first with a leading minus; empty: by name
    page: int = 1

    def query(self, **changed: object) -> str:
        """Return the view as a query string, with some values changed."""
        told = msgspec.structs.asdict(msgspec.structs.replace(self, **changed))
        return urlencode({name: value for name, value in told.items() if value not in ("", 1)})


class Mark(msgspec.Struct, frozen=True):
    """One student's result in one exercise, and what it `counts`. Of several attempts the one with the highest `place` counts."""

    status: str
    score: float
    counts: float
    misconceptions: tuple[str, ...]
    place: tuple[float, ...]
    before: str = ""  # the hash of its file, if an earlier run found it: graded again, that counts
    endings: tuple[str, ...] = ()  # reasons other than a wrong value, as in the report


class Student(msgspec.Struct, frozen=True):
    """One row: a clean name, the file name of the feedback, the marks by exercise, and the name in results."""

    name: str
    feedback: str
    marks: dict[str, Mark] = {}
    own_name: str = ""

    @property
    def query(self) -> str:
        return urlencode({"name": self.own_name})

    @property
    def made(self) -> set[tuple[str, str]]:
        """The misconceptions that are counted, each with its exercise."""
        return {(exercise, one) for exercise, mark in self.marks.items() if mark.status == "graded" for one in mark.misconceptions}

    @property
    def misconceptions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(misconception for mark in self.marks.values() for misconception in mark.misconceptions))

    @property
    def endings(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(ending for mark in self.marks.values() for ending in mark.endings))

    def has(self, words: list[str]) -> bool:
        """Whether the row contains all these case-folded words."""
        told = (self.name, *(mark.status for mark in self.marks.values()), *self.misconceptions, *self.endings)
        line = " ".join(told).replace("_", " ").casefold()
        return all(word in line for word in words)


class Class(msgspec.Struct, frozen=True):
    """A class so far, and the students that a view shows."""

    exercises: dict[str, ExerciseMeasure]
    statuses: Counter[str]
    misconceptions: list[MisconceptionCount]
    students: int
    found: int
    view: View
    pages: int
    shown: tuple[Student, ...]


class ClassView:
    """The class in the gradebook at `path`, which may not exist yet. `policy` reads how it is graded."""

    def __init__(self, path: Path, order: Sequence[str], policy: Callable[[], Policy] = Policy):
        self._path, self._order, self._policy, self._lock = path, order, policy, threading.Lock()
        self._forget()

    def look(self, view: View, percents: Mapping[str, float] | None = None) -> Class:
        """Read what was added, and return what the view shows. `percents` are what it may be sorted by, by the name in results."""
        with self._lock:
            self._read()
            words = view.find.casefold().split()
            whole = " ".join(words)  # a mistake's whole name means those who made it, and not who made others with these words
            meant = {key for key in self._made if whole in _names(*key)}
            some = (one for one in self._students.values() if (meant & one.made if meant else one.has(words)))
            found = sorted(some, key=lambda one: one.name.casefold())
            column = view.sort.removeprefix("-")
            if column == PERCENT and percents is not None:
                found.sort(key=lambda one: percents.get(one.own_name, -1.0), reverse=view.sort.startswith("-"))
            elif column in self._tallies:
                found.sort(key=lambda one: _height(one, column), reverse=view.sort.startswith("-"))
            pages = max(1, -(-len(found) // ON_A_PAGE))
            view = msgspec.structs.replace(view, page=min(max(1, view.page), pages))
            shown = found[(view.page - 1) * ON_A_PAGE : view.page * ON_A_PAGE]
            named = sorted(self._tallies, key=lambda name: (self._order.index(name) if name in self._order else len(self._order), name))
            statuses = sum((one.statuses for one in self._tallies.values()), Counter[str]())
            tallies = {name: msgspec.structs.replace(self._tallies[name], bins=[*self._tallies[name].bins]) for name in named}
            misconceptions = most_frequent(MisconceptionCount(*key, "", many) for key, many in self._made.items())
            return Class(tallies, statuses, misconceptions, len(self._students), len(found), view, pages, tuple(shown))

    def of_file(self, name: str) -> str | None:
        """Return the student whose feedback is in a file of this name."""
        with self._lock:
            self._read()
            return next((student for student, one in self._students.items() if one.feedback == name), None)

    def _forget(self, run: str = "", dropped: Collection[str] = (), rules: GradingRules | None = None) -> None:
        self._run, self._dropped, self._since = run, set(dropped), (0, 0)
        self._rules = rules or GradingRules(Policy(), {}, {}, {})
        self._students: dict[str, Student] = {}
        self._tallies: dict[str, ExerciseMeasure] = {}
        self._made: Counter[tuple[str, str]] = Counter()  # students by exercise and misconception

    def _read(self) -> None:
        if not self._path.is_file():
            self._forget()
            return
        with Gradebook(self._path) as gradebook:
            run, dropped = gradebook.last_run() or "", gradebook.dropped()
            rules = read_rules(self._path.parent, gradebook, self._policy())
            if (run, dropped, rules) != (self._run, self._dropped, self._rules):
                self._forget(run, dropped, rules)
            self._since, added = gradebook.added(run, self._since)
            for number, attempted in added:
                self._add(number, attempted)

    def _add(self, number: int, attempted: Attempted) -> None:
        """Add one attempt, replacing one that counts less."""
        result, grade = attempted.result, self._rules.grade(attempted)
        exercise = grade.name
        misconceptions = tuple(dict.fromkeys(check.misconception for check in result.checks if check.misconception))
        reasons = [check.reason for check in result.checks if not check.misconception]
        attempt = attempted.handed_in.attempt
        order = (not attempted.found_by, 0 if attempted.found_by else attempt, number)
        better = (grade.judged, grade.final, -attempt) if self._rules.policy.counts == "best" else ()
        mark = Mark(
            result.status,
            result.score,
            grade.final,
            misconceptions,
            (attempted.is_work, *better, *order),
            result.sha256 or "" if attempted.found_by else "",
            tuple(dict.fromkeys(reason for reason in reasons if reason not in (None, "wrong", "needs"))),
        )
        student = self._students.get(result.student)
        if student is None:
            student = self._students[result.student] = Student(
                clean(result.student, 80), f"{file_slug(result.student)}.html", {}, result.student
            )
        before = student.marks.get(exercise)
        is_again = before and before.before and before.before == result.sha256 and not attempted.found_by
        if before and before.place >= mark.place and not is_again:
            return
        tally = self._tallies.setdefault(exercise, ExerciseMeasure())
        tally.max_score = result.max_score
        for one, by in ((before, -1), (mark, 1)):
            if one:
                tally.count(one.status, one.counts, by)
        made = student.made
        student.marks[exercise] = mark
        self._made += Counter(student.made - made)
        self._made -= Counter(made - student.made)  # what nobody has any more goes


def _height(student: Student, exercise: str) -> float:
    mark = student.marks.get(exercise)
    return mark.counts if mark and mark.status == "graded" else -1.0


def _names(exercise: str, misconception: str) -> tuple[str, str]:
    """Return what a mistake is called in a search: everywhere, and in one exercise."""
    name = misconception.replace("_", " ").casefold()
    return name, f"{name} in {exercise.casefold()}"


PAUSE = 1.0  # seconds between two reads of the gradebook


def routes(out: Path, root: Path, frame: Frame) -> list[BaseRoute]:
    """Return the routes of the grades in `out`, which may not exist yet. The course is in `root`."""
    refuse_others(out)
    exercises = [(lesson.id, one.id) for lesson in read_course(root).lessons for one in lesson.exercises]
    order = [name_of(*key, several=several) for several in (False, True) for key in exercises]
    class_view = ClassView(out / "gradebook.sqlite", order, partial(read_policy, root))
    changes = partial(changed, [out / name for name in ("gradebook.sqlite", "gradebook.sqlite-wal", "report.html")], PAUSE)
    report, secret = Report(out, root), secrets.token_urlsafe(18)
    return [
        Route("/grades.html", shown(frame, lambda request: _page(out, root, class_view, frame, request, report=report, secret=secret))),
        Route("/grades-events", streamed(lambda request: changes())),
        *deciding.routes(out, root, frame, report, secret),
        *written.routes(out, root, frame, report, secret, class_view.of_file),
    ]


def _page(out: Path, root: Path, class_view: ClassView, frame: Frame, request: Request, **told: Any) -> str:
    asked = request.query_params
    number = asked.get("page", "")
    view = View(asked.get("find", "")[:200], asked.get("sort", "")[:200], int(number) if number.isascii() and number.isdigit() else 1)
    percents = percents_of(out, root) if view.sort.removeprefix("-") == PERCENT else None
    found = class_view.look(view, percents)
    summary = fragment("class.html", frame=frame, found=found, ticks=ticks, most=MISCONCEPTIONS, **told)
    with_feedback = {one.feedback for one in found.shown if (out / "feedback" / one.feedback).is_file()}
    counts = counting(out, root, found.shown)
    students = fragment("students.html", frame=frame, found=found, view=found.view, told=with_feedback, counting=counts)
    parts = {"class": summary, "students": students}
    return parts.get(request.headers.get("x-part", "")) or page(frame, "grades", "Grades", **parts, view=found.view, folder=out.name)


def ticks(most: int) -> range:
    """Return the counts beside a histogram whose highest bar is `most`: two to four, from 0, at steps of 1, 2 or 5 times a power of ten."""
    step = next(step for power in count() for step in (10**power, 2 * 10**power, 5 * 10**power) if 3 * step >= most)
    return range(0, max(1, most) + step, step)


def percents_of(out: Path, root: Path) -> dict[str, float]:
    """Return the percent of everybody who has one, by the name in results."""
    if not (out / GRADEBOOK).is_file():
        return {}
    with Gradebook(out / GRADEBOOK) as gradebook:
        rules, run = read_rules(out, gradebook, read_policy(root)), gradebook.last_run() or ""
        return {one.person.student: one.percent for one in student_grades(gradebook, run, rules) if one.percent is not None}


def counting(out: Path, root: Path, shown: Sequence[Student]) -> dict[str, StudentGrades]:
    """Return what counts of these students' results, with lateness and overrides, by the name in results."""
    if not shown:
        return {}
    with Gradebook(out / GRADEBOOK) as gradebook:
        rules, run = read_rules(out, gradebook, read_policy(root)), gradebook.last_run() or ""
        own = (student_grades(gradebook, run, rules, among=(one.own_name, one.own_name)) for one in shown)
        return {one.person.student: one for each in own for one in each}
