"""The release as a folder: what is copied, what is recorded, and nothing of `solutions/`.

It is built beside its place and moved there when it is whole, so that a run that was broken off leaves the earlier one.
"""

from __future__ import annotations

import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

import msgspec

from autograder.attempt import functions_of, load_materials
from autograder.content import demand_solutions, read_course
from autograder.errors import UsageError
from autograder.model import Course, Lesson
from autograder.questions import VARIANTS
from autograder.release.record import record_exercise, write_recordings

MARK = "release.json"
NOT_FOR_STUDENTS = shutil.ignore_patterns("__pycache__", "*.pyc", ".*", "_*", "answers.yaml")


class Release(msgspec.Struct, frozen=True):
    """What `release.json` says of a release: the form of its recordings, the version of the course, how many variants."""

    version: str
    lessons: tuple[str, ...]
    variants: int = VARIANTS
    format: int = 1


class Built(msgspec.Struct, frozen=True):
    """What came of building a release: how much of everything is in it."""

    place: Path
    exercises: int
    slips: int
    questions: int
    cards: int
    bytes: int


def build(root: Path, out: Path) -> Built:
    """Build a release of the course at `root` as the folder `out`.

    Raise `UsageError` where `root` is itself a release, or `out` holds anything but an earlier one.
    """
    course = read_course(root)
    demand_solutions(root)
    refuse_taken(out, (MARK,))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror}", "choose a folder that can be written with --out") from None
    try:
        slips = _fill(course, beside / "new")
        _put(beside / "new", out, beside / "old")
    finally:
        shutil.rmtree(beside)
    lessons = course.lessons
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    counts = [sum(len(own) for own in each) for each in zip(*((x.exercises, x.questions, x.cards) for x in lessons), strict=True)]
    return Built(out, counts[0], slips, counts[1], counts[2], size)


def refuse_taken(out: Path, marks: tuple[str, ...]) -> None:
    """Raise `UsageError` where `out` is a file, or a folder with something in it that was not made here (then it has a mark)."""
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not any((out / mark).is_file() for mark in marks)):
        raise UsageError(f"{out}: there is something else already", "choose a folder that is new or empty with --out")


def _put(new: Path, out: Path, old: Path) -> None:
    if out.exists():
        out.rename(old)
    new.rename(out)


def _fill(course: Course, into: Path) -> int:
    """Copy and record all that students get; return how many slips were recorded."""
    into.mkdir()
    shutil.copyfile(course.root / "course.yaml", into / "course.yaml")
    slips = sum(_fill_lesson(course.root, lesson, into) for lesson in course.lessons)
    release = Release(version("denoising-course"), tuple(lesson.id for lesson in course.lessons))
    (into / MARK).write_bytes(msgspec.json.format(msgspec.json.encode(release)) + b"\n")
    return slips


def _fill_lesson(root: Path, lesson: Lesson, into: Path) -> int:
    for folder in ("lessons", "exercises"):
        shutil.copytree(root / folder / lesson.id, into / folder / lesson.id, ignore=NOT_FOR_STUDENTS)
    recorded = [(exercise, record_exercise(load_materials(exercise))) for exercise in lesson.exercises]
    write_recordings(into, lesson, recorded, functions_of(root, lesson))
    return sum(len(own.slips) for _, own in recorded)
