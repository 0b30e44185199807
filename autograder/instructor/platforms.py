"""The platforms that submissions come from: how each names the files of its download.

A `Platform` recognises a tree by the names in it and finds the students. It reads no submission and knows no roster; `intake` chooses
it, and `uploads` reads what it found. All names are untrusted. To add a platform, write a section and an entry in `PLATFORMS`.
"""

import hashlib
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeGuard
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from autograder.course.errors import UsageError
from autograder.course.model import HandedIn
from autograder.course.text import clean
from autograder.instructor.file_tree import LARGEST_ZIP, Archive, FileTree, Subtree, Unreadable, joined, text_of, visible
from autograder.instructor.uploads import Student, Upload


class Platform(Struct, frozen=True):
    """One platform: whether a tree is its download, the students in it, and words for what it reads."""

    matches: Callable[[FileTree], bool]
    students: Callable[[FileTree, str], list[Student]]  # of a tree, for a lesson
    wanted: str


# ---- a folder for each student


def folder_students(tree: FileTree, lesson: str) -> list[Student]:
    """Find a student for each folder, also one that cannot be read."""
    names = _student_names(_folders(tree))
    return [Student(name, (Upload(tree, folder, problem=_problem(tree, folder)),)) for folder, name in names.items()]


def _folders(tree: FileTree, kinds: tuple[str, ...] = ("folder", "link")) -> list[str]:
    return [name for name in visible(tree) if tree.kind(name) in kinds]


def _problem(tree: FileTree, folder: str) -> str:
    """Return why a student's folder cannot be read at all, or ""."""
    if tree.kind(folder) == "link":
        return "the student's folder is a link, which is not followed"
    return f"the student's folder cannot be read: {problem}" if (problem := tree.problem(folder)) else ""


def _student_names(entries: list[str], suffix: int = 0) -> dict[str, str]:
    """Name the student of each entry, without its last `suffix` letters; the later of two equal names get a hash after them."""
    names: dict[str, str] = {}
    used: set[str] = set()
    for entry in entries:
        name = text_of(entry[: len(entry) - suffix])
        if name in used:
            name = f"{name} ({hashlib.sha256(os.fsencode(entry)).hexdigest()[:8]})"
        used.add(name)
        names[entry] = name
    return names


# ---- a zip for each student, as `course submit` packs it, or one such zip alone
#
# A manifest is the student's claim. It names no student here, because anybody can write another's name; its hashes only show that a
# file was changed after packing.

_MANIFEST = "manifest.json"


def is_zips(tree: FileTree) -> bool:
    """Return whether there are zips and no folders, or whether this is a student's zip itself."""
    names = visible(tree)
    return _is_submission(tree) or (any(map(_is_zip, names)) and not any(tree.kind(name) == "folder" for name in names))


def zip_students(tree: FileTree, lesson: str) -> list[Student]:
    """Find a student for each zip. A zip that cannot be opened is an unreadable submission."""
    if _is_submission(tree):
        tree.notes += _manifest_notes(tree, lesson)
        return [Student(text_of(tree.name)[: -len(".zip")], (Upload(tree),))]
    names = _student_names([name for name in visible(tree) if _is_zip(name)], len(".zip"))
    return [Student(name, (_zip_upload(tree, file, lesson),)) for file, name in names.items()]


def _is_submission(tree: FileTree) -> TypeGuard[Archive]:
    return isinstance(tree, Archive) and tree.kind(_MANIFEST) == "file"


def _is_zip(name: str) -> bool:
    return name.lower().endswith(".zip")


def _zip_upload(tree: FileTree, name: str, lesson: str) -> Upload:
    """Open a zip briefly to check its manifest; its files are read when it is graded."""
    try:
        archive = Archive(tree.read(name, LARGEST_ZIP), clean(name, 80))
    except Unreadable as error:
        return Upload(tree, files={}, problem=str(error))
    tree.notes += _manifest_notes(archive, lesson)
    return Upload(tree, files={name: name})


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


# ---- Canvas: NAME_12345_67890_FILE, with a late mark and the attempt's number; anonymous grading hides the name

_CANVAS_NAME = re.compile(r"(?P<name>.+?)(?P<late>_LATE)?_(?P<id>\d+)_\d+_(?P<file>.+)")
_CANVAS_ANONYMOUS = re.compile(r"(?P<late>LATE_)?(?P<name>anon_(?P<id>[A-Za-z0-9]{5}))_\d+_(?P<file>.+)")
_CANVAS_ATTEMPT = re.compile(r"(?P<stem>.+?)-(?P<number>[1-9]\d{0,2})(?P<suffix>\.[A-Za-z]+)")


def is_canvas(tree: FileTree) -> bool:
    """Return whether most files are named as Canvas names them."""
    files = [name for name in visible(tree) if tree.kind(name) != "folder"]
    return bool(files) and sum(bool(_canvas_match(name)) for name in files) * 2 > len(files)


def canvas_students(tree: FileTree, lesson: str) -> list[Student]:
    """Group the files by student number and attempt."""
    files: dict[str, dict[int, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    names: dict[str, str] = {}
    late: set[tuple[str, int]] = set()
    for path, match in _matching(tree, _canvas_match, "not named like a file from Canvas"):
        numbered = _CANVAS_ATTEMPT.fullmatch(match["file"])
        attempt, name = (int(numbered["number"]) + 1, numbered["stem"] + numbered["suffix"]) if numbered else (1, match["file"])
        files[match["id"]][attempt].setdefault(name, path)
        names[match["id"]] = text_of(match["name"])
        if match["late"]:
            late.add((match["id"], attempt))
    uploads = {
        id: tuple(Upload(tree, files=own, facts=HandedIn(n, late=(id, n) in late)) for n, own in sorted(attempts.items()))
        for id, attempts in files.items()
    }
    return _numbered_students(names, uploads)


def _canvas_match(path: str) -> re.Match[str] | None:
    return _CANVAS_ANONYMOUS.fullmatch(path) or _CANVAS_NAME.fullmatch(path)


def _matching(tree: FileTree, match: Callable[[str], re.Match[str] | None], why: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Yield the names that match; note each other one that is not hidden."""
    for name in tree.names():
        if found := match(name):
            yield name, found
        elif not name.startswith("."):
            tree.notes.append(f"{text_of(name)}: {why}, so it is skipped")


def _numbered_students(names: Mapping[str, str], uploads: Mapping[str, tuple[Upload, ...]]) -> list[Student]:
    """Make the students of a platform that numbers them, by name; a shared name gets the number after it."""
    often = Counter(names.values())
    return [
        Student(name if often[name] == 1 else f"{name} ({id})", uploads[id], id, aliases=(name,))
        for id, name in sorted(names.items(), key=lambda item: item[1])
    ]


# ---- Moodle: NAME_123456_assignsubmission_file_, a folder or the start of a file's name

_MOODLE_NAME = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?P<what>[a-z]+)_?(?P<file>.*)")


def moodle_students(tree: FileTree, lesson: str) -> list[Student]:
    """Group the files by participant number."""
    files: dict[str, dict[str, str]] = defaultdict(dict)
    names: dict[str, str] = {}
    for name, match in _matching(tree, _MOODLE_NAME.fullmatch, "not named like a submission from Moodle"):
        own = files[match["id"]]
        names[match["id"]] = text_of(match["name"])
        if match["what"] == "file" and match["file"]:
            own.setdefault(match["file"], name)
        elif match["what"] == "file":
            own.update({file: joined(name, file) for file in tree.names(name)})
    return _numbered_students(names, {id: (Upload(tree, files=own),) for id, own in files.items()})


# ---- GitHub Classroom: ASSIGNMENT-LOGIN, a clone for each student; git is never run in it


def is_classroom(tree: FileTree) -> bool:
    """Return whether every folder is a clone."""
    folders = _folders(tree, ("folder",))
    return bool(folders) and all(tree.kind(f"{folder}/.git") in ("folder", "file") for folder in folders)


def classroom_students(tree: FileTree, lesson: str) -> list[Student]:
    """Find a student for each clone, named by what follows the assignment's name."""
    folders = _folders(tree, ("folder",))
    shared = os.path.commonprefix(folders) if len(folders) > 1 else ""  # noqa: RUF071 (by letters, as meant)
    prefix = shared[: shared.rfind("-") + 1]
    return [
        Student(
            name=name.removeprefix(prefix) or name,
            uploads=(Upload(tree, folder, problem=_problem(tree, folder)),),
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
    folders = _folders(tree)
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
    problem, folder = _problem(tree, student), joined(student, assignment)
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


FOLDER = Platform(lambda tree: bool(_folders(tree)), folder_students, "a folder named after each student, with the files in it")
ZIPS = Platform(is_zips, zip_students, "a zip named after each student, as `course submit` packs it")
PLATFORMS = {  # in the order in which they are tried
    "moodle": Platform(
        lambda tree: any(map(_MOODLE_NAME.fullmatch, tree.names())),
        moodle_students,
        "folders named NAME_123456_assignsubmission_file, as in Moodle's download",
    ),
    "canvas": Platform(is_canvas, canvas_students, "files named NAME_12345_67890_FILE, as in Canvas's download"),
    "classroom": Platform(is_classroom, classroom_students, "a folder with `.git` in it for each student, as `gh classroom clone` makes"),
    "nbgrader": Platform(is_nbgrader, nbgrader_students, "nbgrader's folder `submitted`, or the course that holds it"),
    "zips": ZIPS,
    "folder": FOLDER,
}
