"""The platforms that submissions come from: how each is recognised, and how those without a learning platform's names lay out theirs.

A `Platform` recognises a tree by the names in it and finds the students. It reads no submission and knows no roster; `intake` chooses
it, and `uploads` reads what it found. All names are untrusted. To add a platform, write a section here or in `downloads`, and an entry
in `PLATFORMS`.
"""

import hashlib
import os
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeGuard
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from autograder.course.errors import UsageError
from autograder.course.model import HandedIn
from autograder.course.text import clean
from autograder.instructor.archives import ENDINGS, Archive, is_archive, open_inner
from autograder.instructor.downloads import (
    BLACKBOARD_NAME,
    BRIGHTSPACE_NAME,
    GRADESCOPE_LIST,
    MOODLE_NAME,
    blackboard_students,
    brightspace_students,
    canvas_students,
    folders_of,
    gradescope_students,
    is_canvas,
    moodle_students,
    problem_of,
)
from autograder.instructor.file_tree import LARGEST_ZIP, FileTree, Subtree, Unreadable, joined, text_of, visible
from autograder.instructor.uploads import Student, Upload


class Platform(Struct, frozen=True):
    """One platform: whether a tree is its download, the students in it, and words for what it reads."""

    matches: Callable[[FileTree], bool]
    students: Callable[[FileTree, str], list[Student]]  # of a tree, for a lesson
    wanted: str


# ---- a folder for each student


def folder_students(tree: FileTree, lesson: str) -> list[Student]:
    """Find a student for each folder, also one that cannot be read; note work that lies beside them."""
    names = _student_names(folders_of(tree))
    for name in visible(tree):
        if tree.kind(name) == "file" and (is_archive(name) or name.lower().endswith((".py", ".ipynb", ".rar"))):
            tree.notes.append(f"`{text_of(name)}` lies beside the students' folders, so it is nobody's")
    return [Student(name, (Upload(tree, folder, problem=problem_of(tree, folder)),)) for folder, name in names.items()]


def _student_names(entries: list[str], endings: tuple[str, ...] = ()) -> dict[str, str]:
    """Name the student of each entry, without such an ending; the later of two equal names get a hash after them."""
    names: dict[str, str] = {}
    used: set[str] = set()
    for entry in entries:
        ending = next((each for each in endings if entry.lower().endswith(each)), "")
        name = text_of(entry[: len(entry) - len(ending)])
        if name in used:
            name = f"{name} ({hashlib.sha256(os.fsencode(entry)).hexdigest()[:8]})"
        used.add(name)
        names[entry] = name
    return names


# ---- an archive for each student, as `course submit` packs it, or one such zip alone
#
# A manifest is the student's claim. It names no student here, because anybody can write another's name; its hashes only show that a
# file was changed after packing.

_MANIFEST = "manifest.json"
_PACKED = (".tar.gz", ".tar.bz2", ".tar.xz", *ENDINGS, ".rar")


def is_zips(tree: FileTree) -> bool:
    """Return whether there are archives and no folders, or whether this is a student's zip itself."""
    names = visible(tree)
    return _is_submission(tree) or (any(map(_is_packed, names)) and not any(tree.kind(name) == "folder" for name in names))


def zip_students(tree: FileTree, lesson: str) -> list[Student]:
    """Find a student for each archive; one that cannot be opened is an unreadable submission."""
    if _is_submission(tree):
        tree.notes += _manifest_notes(tree, lesson)
        return [Student(text_of(tree.name)[: -len(".zip")], (Upload(tree),))]
    names = _student_names([name for name in visible(tree) if _is_packed(name)], _PACKED)
    for file in names:
        with suppress(Unreadable):
            tree.notes += _manifest_notes(open_inner(tree, file, LARGEST_ZIP), lesson)
    return [Student(name, (Upload(tree, files={file: file}),)) for file, name in names.items()]


def _is_submission(tree: FileTree) -> TypeGuard[Archive]:
    return isinstance(tree, Archive) and tree.kind(_MANIFEST) == "file"


def _is_packed(name: str) -> bool:
    return name.lower().endswith(_PACKED)


def _manifest_notes(archive: Archive, lesson: str) -> list[str]:
    """List where an archive differs from its manifest."""
    try:
        manifest: Any = msgspec.json.decode(archive.read(_MANIFEST, 1 << 16))
        files = {str(path): str(entry["sha256"]) for path, entry in manifest["files"].items()}
    except (Unreadable, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []
    other = clean(str(manifest.get("lesson")), 40)
    notes = [] if other == lesson else [f"{archive.name}: packed for the lesson `{other}`"]
    for path, sha256 in list(files.items())[:100]:
        try:
            if hashlib.sha256(archive.read(path)).hexdigest() != sha256:
                notes.append(f"{archive.name}: `{clean(path, 80)}` was changed after it was packed")
        except Unreadable:
            notes.append(f"{archive.name}: `{clean(path, 80)}` is in the manifest, but cannot be read")
    return notes


# ---- GitHub Classroom: ASSIGNMENT-LOGIN, a clone for each student; git is never run in it


def is_classroom(tree: FileTree) -> bool:
    """Return whether every folder is a clone."""
    folders = folders_of(tree, ("folder",))
    return bool(folders) and all(tree.kind(f"{folder}/.git") in ("folder", "file") for folder in folders)


def classroom_students(tree: FileTree, lesson: str) -> list[Student]:
    """Find a student for each clone, named by what follows the assignment's name."""
    folders = folders_of(tree, ("folder",))
    shared = os.path.commonprefix(folders) if len(folders) > 1 else ""  # noqa: RUF071 (by letters, as meant)
    prefix = shared[: shared.rfind("-") + 1]
    return [
        Student(
            name=name.removeprefix(prefix) or name,
            uploads=(Upload(tree, folder, problem=problem_of(tree, folder)),),
            login=folder.removeprefix(prefix),
            aliases=tuple("-".join(folder.split("-")[cut:]) for cut in range(1, folder.count("-") + 1)),
        )
        for folder, name in _student_names(folders).items()
    ]


# ---- nbgrader: submitted/STUDENT/ASSIGNMENT/, with the time in timestamp.txt

_NBGRADER_TIME = re.compile(r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{6})?)\s*(\S*)\s*")


def is_nbgrader(tree: FileTree) -> bool:
    """Return whether this is an nbgrader course, or its folder of submissions."""
    if tree.kind("submitted") == "folder":
        return True
    return any("timestamp.txt" in tree.names(joined(student, each)) for student in tree.names() for each in tree.names(student))


def nbgrader_students(tree: FileTree, lesson: str) -> list[Student]:
    """Find each student's folder of the assignment. Raise `UsageError` if there are several assignments and none is the lesson."""
    if "submitted" in tree.names():
        tree = Subtree(tree, "submitted")
    folders = folders_of(tree)
    assignment = _assignment(tree, folders, lesson)
    return [Student(name, _nbgrader_uploads(tree, folder, assignment), login=folder) for folder, name in _student_names(folders).items()]


def _assignment(tree: FileTree, folders: list[str], lesson: str) -> str:
    assignments = sorted({name for folder in folders for name in visible(tree, folder)})
    if lesson in assignments or not assignments:
        return lesson
    if len(assignments) > 1:
        raise UsageError(f"`submitted` holds several assignments: {', '.join(assignments)}", f"rename the one to grade to {lesson}")
    return assignments[0]


def _nbgrader_uploads(tree: FileTree, student: str, assignment: str) -> tuple[Upload, ...]:
    problem, folder = problem_of(tree, student), joined(student, assignment)
    if not problem and tree.kind(folder) == "none":
        return ()
    return (Upload(tree, folder, facts=HandedIn(at=None if problem else _nbgrader_time(tree, folder)), problem=problem),)


def _nbgrader_time(tree: FileTree, folder: str) -> datetime | None:
    """Read when it was submitted; None if there is no readable time."""
    try:
        match = _NBGRADER_TIME.match(tree.read(joined(folder, "timestamp.txt"), 1 << 10).decode("ascii"))
        if match is None:
            return None
        zone = UTC if match[2] in ("", "UTC") else ZoneInfo(match[2])
        return datetime.fromisoformat(match[1]).replace(tzinfo=zone).astimezone(UTC)
    except (Unreadable, ValueError, OSError, KeyError):
        return None


FOLDER = Platform(lambda tree: bool(folders_of(tree)), folder_students, "a folder named after each student, with the files in it")
ZIPS = Platform(is_zips, zip_students, "a zip named after each student, as `course submit` packs it")


def _any_name(pattern: re.Pattern[str]) -> Callable[[FileTree], bool]:
    return lambda tree: any(map(pattern.fullmatch, tree.names()))


PLATFORMS = {  # in the order in which they are tried
    "gradescope": Platform(
        lambda tree: tree.kind(GRADESCOPE_LIST) == "file",
        gradescope_students,
        f"the folder with {GRADESCOPE_LIST}, as in Gradescope's export of submissions",
    ),
    "moodle": Platform(_any_name(MOODLE_NAME), moodle_students, "folders named NAME_123456_assignsubmission_file, as in Moodle's download"),
    "brightspace": Platform(
        _any_name(BRIGHTSPACE_NAME),
        brightspace_students,
        "folders named 12345-67890 - NAME - Sep 24, 2026 926 PM, as in Brightspace's download",
    ),
    "blackboard": Platform(
        _any_name(BLACKBOARD_NAME),
        blackboard_students,
        "files named ASSIGNMENT_LOGIN_attempt_2026-11-20-22-58-11_FILE, as in Blackboard's download",
    ),
    "canvas": Platform(is_canvas, canvas_students, "files named NAME_12345_67890_FILE, as in Canvas's download"),
    "classroom": Platform(is_classroom, classroom_students, "a folder with `.git` in it for each student, as `gh classroom clone` makes"),
    "nbgrader": Platform(is_nbgrader, nbgrader_students, "nbgrader's folder `submitted`, or the course that holds it"),
    "zips": ZIPS,
    "folder": FOLDER,
}
