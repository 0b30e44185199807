"""What is not as it was from one run to another: whose points, by which checks."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from heapq import merge
from itertools import groupby
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from autograder.course.errors import UsageError
from autograder.course.model import CheckResult, Course
from autograder.grading.rounds import CacheKeys, find_round
from autograder.instructor.grade import Request, Run, alone, choose, open_pool, refuse_readable, storing
from autograder.instructor.gradebook import Gradebook
from autograder.instructor.grades import Grade, Rules, grades, read_rules
from autograder.instructor.intake import open_class
from autograder.instructor.outputs import write_files
from autograder.instructor.worker import Settings

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


class Regraded(Struct, frozen=True):
    """What grading again gives: how many were compared, what changes, what could not be judged, and whether it was written."""

    compared: int
    changes: tuple[Change, ...]
    faults: tuple[str, ...]
    graded: int
    interrupted: bool
    written: bool


def regrade(course: Course, out: Path, submissions: Path | None, walls: tuple[str, ...], workers: int,
            progress: Callable[[int, int], None], *, apply: bool, afresh: bool) -> Regraded:  # fmt: skip
    """Grade again what the last run into OUT graded; with `apply`, take it into the gradebook when all is there.

    `submissions` is where these lie now, if not where they lay. Raise `UsageError` for what cannot be graded again.
    """
    with storing(out), alone(out), Gradebook(out / "gradebook.sqlite") as book, _beside(out) as folder:
        before = _last(book, out)
        asked = _asked(book, before, out, submissions)
        copy = folder / "gradebook.sqlite"
        book.copy_to(copy)
        with Gradebook(copy) as beside:
            run, interrupted = _again(
                course, replace(asked, out=out, walls=walls, workers=workers, afresh=afresh), beside, before, progress
            )
            rules = read_rules(out, beside, course.policy)
            changes = tuple(compare(beside, before, run.name, rules))
        written = apply and not interrupted and not run.faults
        if written:
            book.adopt(copy, run.name)
            write_files(out, course, book, run.name, read_rules(out, book, course.policy))
    counted = run.summary.results
    return Regraded(counted, changes, tuple(run.faults), counted - run.taken, interrupted, written)


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """Make a folder for the copy. OUT is this command's alone, so one that is there was left by a command that was killed."""
    folder = out / "private" / "regrade"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _last(book: Gradebook, out: Path) -> str:
    run = book.last_run()
    if run is None:
        raise UsageError(f"{out}: nothing was graded into this folder", "run `course grade` first, with this --out")
    return run


def _asked(book: Gradebook, run: str, out: Path, submissions: Path | None) -> Request:
    asked = book.request(run, Request)
    if asked is None:
        raise UsageError(f"{out}: it is not written what was graded here", "run `course grade` once more, with this --out")
    place = submissions or asked.submissions
    if not place.exists():
        raise UsageError(f"{place}: the submissions are no longer there", "say where they are: `course regrade OUT SUBMISSIONS`")
    return replace(asked, submissions=place)


def _again(course: Course, asked: Request, book: Gradebook, before: str, progress: Callable[[int, int], None]) -> tuple[Run, bool]:
    """Grade into the copy, with the numbers of the run before."""
    lesson, exercises = choose(course, asked)
    known = tuple(book.people().values()) if asked.roster else ()
    handed_in = open_class(asked.submissions, lesson.id, asked.kind, known=known)
    refuse_readable({"course": course.root, "submissions": asked.submissions, "results": asked.out})
    first = next(book.results(before), None)
    if first is None:
        raise UsageError(f"{asked.out}: the last run graded nothing", "run `course grade` again, with this --out")
    chosen = find_round(asked.out, first.round)
    every = course.policy.counts == "best"
    expected = len(exercises) * sum(max(1, len(one.uploads)) if every else 1 for one in handed_in.students)
    settings = Settings(str(course.root), chosen, asked.walls)
    run = Run(book, CacheKeys(course, chosen, asked.walls), lambda done: progress(done, expected), afresh=asked.afresh)
    book.begin(run.name, replace(asked, afresh=False))
    return run, run.grade(handed_in.submissions(lesson.id, exercises, every=every), settings, open_pool(asked, settings))
