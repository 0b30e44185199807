"""Zips as `course submit` packs them, one for each student, each named like its student; or one such zip alone.

The manifest is the student's word. It names no student here, for anybody could write another's name; its hashes only tell a
file that was changed on the way.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from autograder.course.errors import UsageError
from autograder.course.model import HandedIn
from autograder.course.text import clean
from autograder.instructor.file_tree import LARGEST_ZIP, Archive, Below, FileTree, Unreadable, joined, text_of
from autograder.instructor.uploads import Student, Upload

_ZIPS_WANTED = "a zip named like each student, as `course submit` packs it"
_MANIFEST = "manifest.json"


def zips_claims(tree: FileTree, lesson: str) -> bool:
    """Say whether there are zips here and no folders, or whether this is a student's zip itself."""
    names = [name for name in tree.names() if not name.startswith(".")]
    return _alone(tree, lesson) or (any(map(_is_zip, names)) and not any(tree.kind(name) == "folder" for name in names))


def zips_students(tree: FileTree, lesson: str) -> list[Student]:
    """Take every zip for a student. One that cannot be opened is a submission that cannot be read."""
    if _alone(tree, lesson) and isinstance(tree, Archive):
        tree.notes += _changed(tree, lesson)
        return [Student(text_of(tree.name)[: -len(".zip")], (Upload(tree),))]
    found = [name for name in tree.names() if _is_zip(name)]
    named = apart([name[: -len(".zip")] for name in found])
    return [Student(named[name[: -len(".zip")]], (_hand_in(tree, name, lesson),)) for name in found]


def _hand_in(tree: FileTree, name: str, lesson: str) -> Upload:
    """Open a zip for a moment, to compare what it says of itself; its files are read when it is graded."""
    try:
        archive = Archive(tree.read(name, LARGEST_ZIP), clean(name, 80))
    except Unreadable as error:
        return Upload(tree, files={}, problem=str(error))
    tree.notes += _changed(archive, lesson)
    return Upload(tree, files={name: name})


def _changed(archive: Archive, lesson: str) -> list[str]:
    """Say where an archive is not what its manifest says."""
    try:
        manifest: Any = msgspec.json.decode(archive.read(_MANIFEST, 1 << 16))
        files = {str(path): str(said["sha256"]) for path, said in manifest["files"].items()}
    except (Unreadable, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []
    other = clean(str(manifest.get("lesson")), 40)
    notes = [] if other == lesson else [f"{archive.name}: packed for the lesson `{other}`"]
    for path, said in list(files.items())[:100]:
        try:
            if hashlib.sha256(archive.read(path)).hexdigest() != said:
                notes.append(f"{archive.name}: `{clean(path, 80)}` was changed after it was packed")
        except Unreadable:
            notes.append(f"{archive.name}: `{clean(path, 80)}` is named in its manifest, and cannot be read")
    return notes


def _alone(tree: FileTree, lesson: str) -> bool:
    return isinstance(tree, Archive) and tree.kind(_MANIFEST) == "file"


def _is_zip(name: str) -> bool:
    return name.lower().endswith(".zip") and not name.startswith(".")


_FOLDER_WANTED = "a folder named like each student, with the files in it"


def folder_claims(tree: FileTree, lesson: str) -> bool:
    """Say whether there is a folder at all."""
    return bool(_folder_folders(tree))


def folder_students(tree: FileTree, lesson: str) -> list[Student]:
    """Take every folder for a student, also one that cannot be read; what is hidden is left alone."""
    named = apart(_folder_folders(tree))
    return [Student(named[folder], (Upload(tree, folder, problem=problem(tree, folder)),)) for folder in named]


def problem(tree: FileTree, folder: str) -> str:
    """Say why a student's folder as a whole cannot be read; nothing where it can."""
    if tree.kind(folder) == "link":
        return "the student's folder is a link, which is not followed"
    trouble = tree.trouble(folder)
    return f"the student's folder cannot be read: {trouble}" if trouble else ""


def apart(folders: list[str]) -> dict[str, str]:
    """Give each folder its student's name; where two would be the same text, the later ones get a hash behind it."""
    named: dict[str, str] = {}
    taken: set[str] = set()
    for folder in folders:
        name = text_of(folder)
        if name in taken:
            name = f"{name} ({hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]})"
        taken.add(name)
        named[folder] = name
    return named


def _folder_folders(tree: FileTree) -> list[str]:
    return [name for name in tree.names() if not name.startswith(".") and tree.kind(name) in ("folder", "link")]


_CANVAS_WANTED = "files named NAME_12345_67890_FILE, as Canvas hands them out"
_CANVAS_NAMED = re.compile(r"(?P<name>.+?)(?P<late>_LATE)?_(?P<id>\d+)_\d+_(?P<file>.+)")
_HIDDEN = re.compile(r"(?P<late>LATE_)?(?P<name>anon_(?P<id>[A-Za-z0-9]{5}))_\d+_(?P<file>.+)")
_AGAIN = re.compile(r"(?P<stem>.+?)-(?P<number>[1-9]\d{0,2})(?P<suffix>\.[A-Za-z]+)")


def canvas_claims(tree: FileTree, lesson: str) -> bool:
    """Say whether the files here are named as Canvas names them."""
    files = [name for name in tree.names() if not name.startswith(".") and tree.kind(name) != "folder"]
    return bool(files) and sum(bool(_match(name)) for name in files) * 2 > len(files)


def canvas_students(tree: FileTree, lesson: str) -> list[Student]:
    """Gather each student's files by number, and by attempt. What is not named so is left out with a line."""
    found: dict[str, dict[int, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    called: dict[str, str] = {}
    late: set[tuple[str, int]] = set()
    for path in tree.names():
        match = _match(path)
        if match is None:
            if not path.startswith("."):
                tree.notes.append(f"{text_of(path)}: not named as Canvas names files, so it is left out")
            continue
        number, name = _attempt(match["file"])
        found[match["id"]][number].setdefault(name, path)
        called[match["id"]] = text_of(match["name"])
        if match["late"]:
            late.add((match["id"], number))
    names = list(called.values())
    return [
        Student(
            name=called[id] if names.count(called[id]) == 1 else f"{called[id]} ({id})",
            uploads=tuple(Upload(tree, files=files, facts=HandedIn(n, late=(id, n) in late)) for n, files in sorted(attempts.items())),
            id=id,
            aliases=(called[id],),
        )
        for id, attempts in sorted(found.items(), key=lambda item: called[item[0]])
    ]


def _match(path: str) -> re.Match[str] | None:
    return _HIDDEN.fullmatch(path) or _CANVAS_NAMED.fullmatch(path)


def _attempt(file: str) -> tuple[int, str]:
    """Split a file's name into which attempt it is and the name it had."""
    match = _AGAIN.fullmatch(file)
    return (int(match["number"]) + 1, match["stem"] + match["suffix"]) if match else (1, file)


_CLASSROOM_WANTED = "a folder with `.git` in it for each student, as `gh classroom clone` leaves them"


def classroom_claims(tree: FileTree, lesson: str) -> bool:
    """Say whether every folder here is a clone."""
    folders = _classroom_folders(tree)
    return bool(folders) and all(tree.kind(f"{folder}/.git") in ("folder", "file") for folder in folders)


def classroom_students(tree: FileTree, lesson: str) -> list[Student]:
    """Take every clone for a student, named by what is left when the assignment's name is taken off."""
    folders = _classroom_folders(tree)
    start = _shared_start(folders)
    named = apart(folders)
    return [
        Student(
            name=named[folder].removeprefix(start) or named[folder],
            uploads=(Upload(tree, folder, problem=problem(tree, folder)),),
            login=folder.removeprefix(start),
            aliases=tuple("-".join(folder.split("-")[cut:]) for cut in range(1, folder.count("-") + 1)),
        )
        for folder in folders
    ]


def _classroom_folders(tree: FileTree) -> list[str]:
    return [name for name in tree.names() if not name.startswith(".") and tree.kind(name) == "folder"]


def _shared_start(folders: list[str]) -> str:
    """Find what all names begin with, up to a hyphen; of one name alone nothing is taken off."""
    if len(folders) < 2:
        return ""
    first, last = min(folders), max(folders)  # what these two share, all between them share
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[: first.rfind("-", 0, same) + 1]


_MOODLE_WANTED = "folders named NAME_123456_assignsubmission_file, as Moodle hands them out"
_MOODLE_NAMED = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?P<what>[a-z]+)_?(?P<file>.*)")


def moodle_claims(tree: FileTree, lesson: str) -> bool:
    """Say whether something here is named as Moodle names it."""
    return any(_MOODLE_NAMED.fullmatch(name) for name in tree.names())


def moodle_students(tree: FileTree, lesson: str) -> list[Student]:
    """Gather each student's files by participant number."""
    files: dict[str, dict[str, str]] = defaultdict(dict)
    called: dict[str, str] = {}
    for name in tree.names():
        match = _MOODLE_NAMED.fullmatch(name)
        if match is None:
            if not name.startswith("."):
                tree.notes.append(f"{text_of(name)}: not named as Moodle names submissions, so it is left out")
            continue
        called[match["id"]] = text_of(match["name"])
        if match["what"] != "file":
            files[match["id"]].update({})
        elif match["file"]:
            files[match["id"]].setdefault(match["file"], name)
        else:
            files[match["id"]].update({file: joined(name, file) for file in tree.names(name)})
    names = list(called.values())
    return [
        Student(
            name=called[id] if names.count(called[id]) == 1 else f"{called[id]} ({id})",
            uploads=(Upload(tree, files=own),),
            id=id,
            aliases=(called[id],),
        )
        for id, own in sorted(files.items(), key=lambda item: called[item[0]])
    ]


_NBGRADER_WANTED = "nbgrader's folder `submitted`, or the course that holds it"
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{6})?)\s*(\S*)\s*")


def nbgrader_claims(tree: FileTree, lesson: str) -> bool:
    """Say whether this is an nbgrader course, or where it keeps what was submitted."""
    if "submitted" in tree.names() and tree.kind("submitted") == "folder":
        return True
    return any("timestamp.txt" in tree.names(joined(student, each)) for student in tree.names() for each in tree.names(student))


def nbgrader_students(tree: FileTree, lesson: str) -> list[Student]:
    """Take each student's folder of the assignment. Raise `UsageError` where it is not clear which assignment is meant."""
    if "submitted" in tree.names():
        tree = Below(tree, "submitted")
    folders = [name for name in tree.names() if not name.startswith(".") and tree.kind(name) in ("folder", "link")]
    assignment = _assignment(tree, folders, lesson)
    named = apart(folders)
    return [Student(named[folder], _hand_ins(tree, folder, assignment), login=folder) for folder in folders]


def _assignment(tree: FileTree, folders: list[str], lesson: str) -> str:
    found = sorted({each for folder in folders for each in tree.names(folder) if not each.startswith(".")})
    if lesson in found or not found:
        return lesson
    if len(found) > 1:
        raise UsageError(f"`submitted` holds several assignments: {', '.join(found)}", f"rename the one that is meant to {lesson}")
    return found[0]


def _hand_ins(tree: FileTree, folder: str, assignment: str) -> tuple[Upload, ...]:
    broken, own = problem(tree, folder), joined(folder, assignment)
    if not broken and tree.kind(own) == "none":
        return ()
    return (Upload(tree, own, facts=HandedIn(at=None if broken else _time(tree, own)), problem=broken),)


def _time(tree: FileTree, folder: str) -> datetime | None:
    """Read when it was handed in; None where that is not written, or not so that it can be read."""
    try:
        match = _TIME.match(tree.read(joined(folder, "timestamp.txt"), 1 << 10).decode("ascii"))
        if match is None:
            return None
        zone = UTC if match[2] in ("", "UTC") else ZoneInfo(match[2])
        return datetime.fromisoformat(match[1]).replace(tzinfo=zone).astimezone(UTC)
    except (Unreadable, ValueError, OSError, KeyError):
        return None


class Platform(Struct, frozen=True):
    """One kind of place that submissions come from: whether a tree is of this kind, the students in it, and the words for what it reads."""

    claims: Callable[[FileTree, str], bool]
    students: Callable[[FileTree, str], list[Student]]
    wanted: str


FOLDER = Platform(folder_claims, folder_students, _FOLDER_WANTED)
ZIPS = Platform(zips_claims, zips_students, _ZIPS_WANTED)
PLATFORMS = {  # in the order in which they are tried
    "moodle": Platform(moodle_claims, moodle_students, _MOODLE_WANTED),
    "canvas": Platform(canvas_claims, canvas_students, _CANVAS_WANTED),
    "classroom": Platform(classroom_claims, classroom_students, _CLASSROOM_WANTED),
    "nbgrader": Platform(nbgrader_claims, nbgrader_students, _NBGRADER_WANTED),
    "zips": ZIPS,
    "folder": FOLDER,
}
