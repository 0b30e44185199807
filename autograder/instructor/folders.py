"""Where each student has a folder or an archive: how nbgrader, Sakai, GitHub Classroom and people by hand name them.

As in `platforms`, names are untrusted, and no submission is read.
"""

import hashlib
import os
import re
from contextlib import suppress
from datetime import datetime, tzinfo
from typing import Any, TypeGuard

import msgspec

from autograder.course.errors import UsageError
from autograder.course.model import HandedIn
from autograder.course.text import clean
from autograder.instructor.archives import ENDINGS, Archive, is_archive, open_inner
from autograder.instructor.file_tree import LARGEST_ZIP, FileTree, Subtree, Unreadable, joined, text_of, visible
from autograder.instructor.platforms import PLATFORMS, Platform, folders_of, moment, problem_of, student_names
from autograder.instructor.uploads import Student, Upload, is_clutter

# ---- nbgrader: submitted/STUDENT/ASSIGNMENT/, with the time in timestamp.txt


def is_nbgrader(tree: FileTree) -> bool:
    """Return whether this is an nbgrader course, or its folder of submissions: the exchange has put a time into most students' folders."""
    listed = {student: names for student in tree.names()[:100] if (names := tree.names(student))}
    timed = (any("timestamp.txt" in tree.names(joined(student, each)) for each in names) for student, names in listed.items())
    return tree.kind("submitted") == "folder" or 2 * sum(timed) > len(listed)


def nbgrader_students(tree: FileTree, lesson: str, zone: tzinfo | None) -> list[Student]:
    """Find each student's folder of the assignment. Raise `UsageError` if there are several assignments and none is the lesson."""
    if "submitted" in tree.names():
        tree = Subtree(tree, "submitted")
    folders = folders_of(tree)
    assignment = _assignment(tree, folders, lesson)
    return [
        Student(name, _nbgrader_uploads(tree, folder, assignment, zone), login=folder, is_named_freely=True)
        for folder, name in student_names(folders).items()
    ]


def _assignment(tree: FileTree, folders: list[str], lesson: str) -> str:
    assignments = sorted({name for folder in folders for name in visible(tree, folder)})
    if lesson in assignments or not assignments:
        return lesson
    if len(assignments) > 1:
        raise UsageError(f"`submitted` holds several assignments: {', '.join(assignments)}", f"rename the one to grade to {lesson}")
    return assignments[0]


def _nbgrader_uploads(tree: FileTree, student: str, assignment: str, zone: tzinfo | None) -> tuple[Upload, ...]:
    problem, folder = problem_of(tree, student), joined(student, assignment)
    if not problem and tree.kind(folder) == "none":
        return ()
    return (Upload(tree, folder, facts=HandedIn(at=None if problem else _nbgrader_time(tree, student, folder, zone)), problem=problem),)


def _nbgrader_time(tree: FileTree, student: str, folder: str, zone: tzinfo | None) -> datetime | None:
    """Read when it was submitted, as nbgrader's exchange wrote it: `%Y-%m-%d %H:%M:%S.%f %Z`, and in UTC if no zone is named."""
    try:
        text = tree.read(joined(folder, "timestamp.txt"), 1 << 10).decode("utf-8", errors="replace").strip()
    except Unreadable:
        return None
    named = re.search(r"[A-Za-z]|:\d\d(?:\.\d+)?\s*[+-]", text[11:])
    return moment(tree, text_of(student), text if named else f"{text} UTC", zone)


# ---- Sakai: ASSIGNMENT/LAST, FIRST(LOGIN)/Submission attachment(s)/FILE, with the time in timestamp.txt and what was typed beside it
# (sakaiproject/sakai, AssignmentServiceImpl: zipSubmissions)

_SAKAI_NAME = re.compile(r"(?P<name>.+?) ?\((?P<login>[^()]+)\)")
_SAKAI_FILES = "Submission attachment(s)"


def is_sakai(tree: FileTree) -> bool:
    return bool(_sakai_folders(_sakai_assignment(tree)))


def sakai_students(tree: FileTree, lesson: str, zone: tzinfo | None) -> list[Student]:
    """Find each student's attachments or, without any, what was typed into Sakai."""
    tree = _sakai_assignment(tree)
    found = []
    for folder in _sakai_folders(tree):
        parts = _SAKAI_NAME.fullmatch(text_of(folder))
        name, login = (parts["name"], parts["login"]) if parts else (text_of(folder), "")
        attached = joined(folder, _SAKAI_FILES)
        files = {one: joined(attached, one) for one in tree.names(attached)}
        files = files or {one: joined(folder, one) for one in tree.names(folder) if one.endswith("_submissionText.html")}
        upload = Upload(tree, files=files, facts=HandedIn(at=_sakai_time(tree, folder, zone)), problem=problem_of(tree, folder))
        found.append(Student(name, (upload,), login=login))
    return found


def _sakai_assignment(tree: FileTree) -> FileTree:
    """Return the tree that holds the students: this one, or that of the only folder in it."""
    folders = folders_of(tree)
    return Subtree(tree, folders[0]) if len(folders) == 1 and not _sakai_folders(tree) else tree


def _sakai_folders(tree: FileTree) -> list[str]:
    return [folder for folder in folders_of(tree, ("folder",)) if tree.kind(joined(folder, _SAKAI_FILES)) == "folder"]


def _sakai_time(tree: FileTree, folder: str, zone: tzinfo | None) -> datetime | None:
    """Read when it was submitted: 20261120225811123, in the server's zone."""
    with suppress(Unreadable):
        digits = tree.read(joined(folder, "timestamp.txt"), 1 << 10).decode("utf-8", errors="replace").strip()
        if parts := re.fullmatch(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\d*", digits):
            year, month, day, hour, minute, second = parts.groups()
            return moment(tree, text_of(folder), f"{year}-{month}-{day} {hour}:{minute}:{second}", zone)
    return None


# ---- a folder for each student


def folder_students(tree: FileTree, lesson: str, zone: tzinfo | None) -> list[Student]:
    """Find a student for each folder, also one that cannot be read; note work that lies beside them."""
    names = student_names(folders_of(tree))
    for name in visible(tree):
        if tree.kind(name) == "file" and (is_archive(name) or name.lower().endswith((".py", ".ipynb", ".rar"))):
            tree.notes.append(f"`{text_of(name)}` lies beside the students' folders, so it is nobody's")
    for name in tree.names():
        if name.startswith(".") and tree.kind(name) == "folder" and not is_clutter(name):
            tree.notes.append(f"`{text_of(name)}` is hidden, so it is no student's folder: take the dot off if it is")
    uploads = {folder: (Upload(tree, folder, problem=problem_of(tree, folder)),) for folder in names}
    return [Student(name, uploads[folder], is_named_freely=True) for folder, name in names.items()]


# ---- GitHub Classroom: ASSIGNMENT-LOGIN, a clone for each student; git is never run in it


def is_classroom(tree: FileTree) -> bool:
    """Return whether most folders are clones: a single one, or one that lacks, does not decide how the whole class is read."""
    folders = folders_of(tree, ("folder",))[:100]
    return 2 * sum(tree.kind(f"{folder}/.git") in ("folder", "file") for folder in folders) > len(folders)


def classroom_students(tree: FileTree, lesson: str, zone: tzinfo | None) -> list[Student]:
    """Find a student for each clone, named by what follows the assignment's name."""
    folders = folders_of(tree, ("folder",))
    shared = os.path.commonprefix(folders) if len(folders) > 1 else ""  # noqa: RUF071 (by letters, as meant)
    prefix = shared[: shared.rfind("-") + 1]
    return [
        Student(
            name=name.removeprefix(prefix) or name,
            uploads=(Upload(tree, folder, problem=problem_of(tree, folder)),),
            login=folder.removeprefix(prefix),
            is_named_freely=True,
            aliases=tuple("-".join(folder.split("-")[cut:]) for cut in range(1, folder.count("-") + 1)),
        )
        for folder, name in student_names(folders).items()
    ]


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


def zip_students(tree: FileTree, lesson: str, zone: tzinfo | None) -> list[Student]:
    """Find a student for each archive; one that cannot be opened is an unreadable submission."""
    if _is_submission(tree):
        tree.notes += _manifest_notes(tree, lesson)
        return [Student(text_of(tree.name)[: -len(".zip")], (Upload(tree),), is_named_freely=True)]
    names = student_names([name for name in visible(tree) if _is_packed(name)], _PACKED)
    for file in names:
        with suppress(Unreadable):
            tree.notes += _manifest_notes(open_inner(tree, file, LARGEST_ZIP), lesson)
    return [Student(name, (Upload(tree, files={file: file}),), is_named_freely=True) for file, name in names.items()]


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


NBGRADER = Platform(is_nbgrader, nbgrader_students, "nbgrader's folder `submitted`, or the course that holds it")
SAKAI = Platform(is_sakai, sakai_students, "folders named LAST, FIRST(LOGIN), as in Sakai's download")
CLASSROOM = Platform(is_classroom, classroom_students, "a folder with `.git` in it for each student, as `gh classroom clone` makes")
FOLDER = Platform(lambda tree: bool(folders_of(tree)), folder_students, "a folder named after each student, with the files in it")
ZIPS = Platform(is_zips, zip_students, "a zip named after each student, as `course submit` packs it")
KINDS = {  # in the order in which they are tried
    **PLATFORMS,
    "sakai": SAKAI,
    "nbgrader": NBGRADER,
    "classroom": CLASSROOM,
    "zips": ZIPS,
    "folder": FOLDER,
}
