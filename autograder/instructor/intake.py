"""START HERE for where submissions come from: a folder or a zip, of a kind that is told or told apart.

`platforms` knows the kinds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from autograder.course.errors import UsageError
from autograder.course.model import Person, Submission
from autograder.instructor.file_tree import Archive, Below, FileTree, Folder, Unreadable, joined, unwrapped
from autograder.instructor.platforms import FOLDER, PLATFORMS, ZIPS, Platform
from autograder.instructor.roster import join, read_roster
from autograder.instructor.uploads import Student, Upload, submissions


class Class(Struct):
    """A class as it was handed in. `notes` grows while submissions are read: what was refused, renamed or is not in the roster."""

    kind: str
    students: list[Student]
    people: list[Person]
    notes: list[str]
    missing: tuple[str, ...] = ()  # who is in the roster and handed nothing in

    def submissions(self, lesson: str, exercises: list[str], *, every: bool) -> Iterator[Submission]:
        """Read the submissions one by one; with `every`, each attempt at an exercise and not only the last."""
        for student in self.students:
            yield from submissions(student, lesson, exercises, self.notes.append, every=every)


def open_class(path: Path, lesson: str, kind: str | None = None, roster: Path | None = None, known: Sequence[Person] = ()) -> Class:
    """Open what a platform handed out; `known` is a roster that was read before. Raise `UsageError` where there is no class in it."""
    tree = _opened(path)
    people = read_roster(roster) if roster else list(known)
    chosen, tree = _detected(tree, lesson) if kind is None else (kind, _within(tree, lesson, PLATFORMS[kind]))
    source = PLATFORMS[chosen]
    students: list[Student] = source.students(tree, lesson) if source.claims(tree, lesson) else []
    if not students:
        raise _nobody(path, kind)
    notes = tree.notes
    missing: tuple[str, ...] = ()
    if people:
        students, more = join(students, people)
        notes += more
        missing = tuple(student.name for student in students if not student.uploads)
    return Class(chosen, students, _people(students, people), notes, missing)


def _people(students: list[Student], roster: list[Person]) -> list[Person]:
    """Put together what the roster and the platform know of the class."""
    known = {person.student: person for person in roster}
    for one in students:
        if one.id or one.login:
            person = known.get(one.name, Person(one.name))
            known[one.name] = replace(person, id=person.id or one.id, login=person.login or one.login)
    return list(known.values())


def open_folder(path: Path, student: str) -> Student:
    """Open one student's own folder."""
    return Student(student, (Upload(Folder(path)),))


def _opened(path: Path) -> FileTree:
    if path.is_dir():
        trouble = Folder(path).trouble("")
        if trouble:
            raise UsageError(f"{path}: {trouble}", "make the folder readable, or run as a user who may read it")
        return Folder(path)
    if not path.is_file():
        raise UsageError(f"{path}: no such folder or zip", "give the folder that holds one folder for each student, or a platform's zip")
    try:
        return Archive(path, path.name)
    except Unreadable:
        raise UsageError(f"{path}: no folder and no zip, or a damaged one", "download it again, or unpack it and give the folder") from None


def _detected(tree: FileTree, lesson: str) -> tuple[str, FileTree]:
    """Find the kind that takes this for its own: here, or, where it finds several students there, in the one folder that is here."""
    special = {name: source for name, source in PLATFORMS.items() if source is not FOLDER}
    for name, source in special.items():
        if source.claims(tree, lesson):
            return name, tree
    within = Below(tree, unwrapped(tree, lesson))
    for name, source in special.items():
        if source is ZIPS and isinstance(tree, Folder):  # rather one student who handed in several
            continue
        if within.folder and source.claims(within, lesson) and len(source.students(within, lesson)) > 1:
            return name, within
    return "folder", _within(tree, lesson, FOLDER)


def _within(tree: FileTree, lesson: str, source: Platform) -> FileTree:
    """Give the place that a kind takes for its own: here, or below folders that hold nothing but one folder."""
    if source is not FOLDER:
        return tree if source.claims(tree, lesson) else Below(tree, unwrapped(tree, lesson))
    return Below(tree, _above_students(tree, lesson)) if isinstance(tree, Archive) else tree


def _above_students(tree: FileTree, lesson: str) -> str:
    """Find the folder that holds the students' folders in a zip, which may pack folders around it."""
    place = ""
    while len(names := tree.names(place)) == 1:
        below = joined(place, names[0])
        within = tree.names(below)
        if not within or lesson in within or any(tree.kind(joined(below, name)) != "folder" for name in within):
            break
        place = below
    return place


def _nobody(path: Path, kind: str | None) -> UsageError:
    if kind in (None, "folder"):
        return UsageError(f"{path}: holds no student's folder", "put each student's files into a folder named like the student")
    return UsageError(f"{path}: holds nothing of the kind `{kind}`", f"give {PLATFORMS[kind].wanted}, or leave --from out")
