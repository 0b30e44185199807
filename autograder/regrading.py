"""`course regrade` without the printing: all that the last run graded, graded again, and what that changes, before anything is written.

The work is done in a copy of the gradebook. What is unchanged on unchanged grounds is taken over there, so that a mended check costs
only its exercise. Only with `apply`, and only when all is there, the new run is taken into the gradebook.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from autograder.bulk import Settings
from autograder.errors import UsageError
from autograder.filing import write_files
from autograder.gradebook import Gradebook
from autograder.grades.changes import Change, compare
from autograder.grades.counting import read_rules
from autograder.grading import Request, choose, open_crew, refuse_readable
from autograder.grounds import Grounds
from autograder.intake.source import open_class
from autograder.model import Course
from autograder.rounds import find_round
from autograder.running import Run, alone, storing


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
    expected = len(exercises) * sum(max(1, len(one.hand_ins)) if every else 1 for one in handed_in.students)
    settings = Settings(str(course.root), chosen, asked.walls)
    run = Run(book, Grounds(course, chosen, asked.walls), lambda done: progress(done, expected), afresh=asked.afresh)
    book.begin(run.name, replace(asked, afresh=False))
    return run, run.grade(handed_in.submissions(lesson.id, exercises, every=every), settings, open_crew(asked, settings))
