"""A class as far as it is graded. The gradebook is read once, and then only what was added: a page of ten thousand is as quick as of ten.

Of each result it holds what a table shows. It writes nothing, and shows what the grader gave: what a person decided beside that stands
in the report.
"""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

import msgspec

from autograder.explain import clean
from autograder.gradebook import Attempted, Gradebook
from autograder.grades.people import file_slug
from autograder.report.summary import ExerciseSummary

ON_A_PAGE = 100  # students
SLIPS = 12


class View(msgspec.Struct, frozen=True):
    """What a reader wants to see of the students: whose line has all these words, in which order, which page of them."""

    find: str = ""
    sort: str = ""  # an exercise, the lowest first; with a minus before it the highest; nothing is by name
    page: int = 1

    def query(self, **changed: object) -> str:
        """Write the view as the end of an address, with something changed."""
        told = msgspec.structs.asdict(msgspec.structs.replace(self, **changed))
        return urlencode({name: value for name, value in told.items() if value not in ("", 1)})


class Mark(msgspec.Struct, frozen=True):
    """What one student got in one exercise. Of several attempts the one with the highest `place` counts."""

    status: str
    score: float
    slips: tuple[str, ...]
    place: tuple[float, ...]


class Student(msgspec.Struct, frozen=True):
    """One line: a name that can be shown, where the feedback lies, and the marks by exercise."""

    name: str
    feedback: str
    marks: dict[str, Mark] = {}

    @property
    def slips(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(slip for mark in self.marks.values() for slip in mark.slips))

    def has(self, words: list[str]) -> bool:
        """Say whether all these words, in small letters, stand in the line."""
        line = " ".join((self.name, *(mark.status for mark in self.marks.values()), *self.slips)).replace("_", " ").casefold()
        return all(word in line for word in words)


class Class(msgspec.Struct, frozen=True):
    """What is known of a class by now, and the students that a view shows."""

    exercises: dict[str, ExerciseSummary]
    statuses: Counter[str]
    slips: tuple[tuple[str, int], ...]
    students: int
    found: int
    view: View
    pages: int
    shown: tuple[Student, ...]


class Roll:
    """The class of the gradebook at `path`, which may come later, its exercises in this order; the `best` attempt counts, or the last."""

    def __init__(self, path: Path, order: tuple[str, ...], *, best: bool = False):
        self._path, self._order, self._best, self._lock = path, order, best, threading.Lock()
        self._forget("")

    def look(self, view: View) -> Class:
        """Read what was added, and give what a view shows."""
        with self._lock:
            self._read()
            words = view.find.casefold().split()
            found = sorted((one for one in self._students.values() if not words or one.has(words)), key=lambda one: one.name.casefold())
            exercise = view.sort.removeprefix("-")
            if exercise in self._tallies:
                found.sort(key=lambda one: _height(one, exercise), reverse=view.sort.startswith("-"))
            pages = max(1, -(-len(found) // ON_A_PAGE))
            view = msgspec.structs.replace(view, page=min(max(1, view.page), pages))
            shown = found[(view.page - 1) * ON_A_PAGE : view.page * ON_A_PAGE]
            return self._as_class(view, len(found), pages, tuple(shown))

    def _as_class(self, view: View, found: int, pages: int, shown: tuple[Student, ...]) -> Class:
        named = sorted(self._tallies, key=lambda name: (self._order.index(name) if name in self._order else len(self._order), name))
        statuses = sum((one.statuses for one in self._tallies.values()), Counter[str]())
        tallies = {name: msgspec.structs.replace(self._tallies[name]) for name in named}
        slips = tuple(pair for pair in self._slips.most_common(SLIPS) if pair[1])
        return Class(tallies, statuses, slips, len(self._students), found, view, pages, shown)

    def _forget(self, run: str) -> None:
        self._run, self._since = run, (0, 0)
        self._students: dict[str, Student] = {}
        self._tallies: dict[str, ExerciseSummary] = {}
        self._slips: Counter[str] = Counter()

    def _read(self) -> None:
        if not self._path.is_file():
            self._forget("")
            return
        with Gradebook(self._path) as gradebook:
            run = gradebook.last_run() or ""
            if run != self._run:
                self._forget(run)
            self._since, added = gradebook.added(run, self._since)
            for number, attempted in added:
                self._add(number, attempted)

    def _add(self, number: int, attempted: Attempted) -> None:
        """Take in one attempt, in the place of one that counts less."""
        result = attempted.result
        slips = tuple(dict.fromkeys(check.misconception for check in result.checks if check.misconception))
        attempt = attempted.handed_in.attempt
        place = (result.status != "not_judged", result.score, -attempt) if self._best else (attempt, number)
        mark = Mark(result.status, result.score, slips, place)
        student = self._students.get(result.student)
        if student is None:
            student = self._students[result.student] = Student(clean(result.student, 80), f"{file_slug(result.student)}.html", {})
        before = student.marks.get(result.exercise)
        if before and before.place >= mark.place:
            return
        tally = self._tallies.setdefault(result.exercise, ExerciseSummary())
        tally.max_score = result.max_score
        if before:
            _count(tally, before, -1)
        _count(tally, mark, 1)
        self._slips.subtract(student.slips)  # each once for a student, in however many exercises it was made
        student.marks[result.exercise] = mark
        self._slips.update(student.slips)


def _count(tally: ExerciseSummary, mark: Mark, by: int) -> None:
    tally.statuses[mark.status] += by
    tally.total += by * mark.score if mark.status == "graded" else 0


def _height(student: Student, exercise: str) -> float:
    """Say how high a student stands in an exercise; below all scores where there is none."""
    mark = student.marks.get(exercise)
    return mark.score if mark and mark.status == "graded" else -1.0
