"""Where submissions enter: a folder or a zip is opened, its kind detected or given, and its students matched with the roster.

`platforms` knows how each platform names its files. This module reads what has no platform: a folder, a clone or an archive for each
student. `roster` says who is in the class, and `uploads` reads the files. Nothing is graded here.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeGuard

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from autograder.course.errors import UsageError
from autograder.course.model import Submission
from autograder.course.student_files import Handout, Prefer
from autograder.course.text import clean
from autograder.instructor.archives import ENDINGS, Archive, is_archive, open_inner
from autograder.instructor.file_tree import LARGEST_ZIP, FileTree, Folder, Subtree, Unreadable, innermost, joined, text_of, visible
from autograder.instructor.platforms import PLATFORMS, Platform, folders_of, problem_of, student_names
from autograder.instructor.roster import Person, join
from autograder.instructor.uploads import Student, Upload, read_submissions


class ClassUploads(Struct):
    """What a class uploaded. `notes` grows while submissions are read: what was skipped, renamed or is not in the roster."""

    kind: str
    students: list[Student]
    people: list[Person]
    notes: list[str]
    missing: tuple[str, ...] = ()  # names in the roster without a submission

    def submissions(self, handout: Handout, exercises: list[str], *, every: bool, prefer: Prefer = "py") -> Iterator[Submission]:
        """Read the submissions one by one; with `every`, each attempt at an exercise and not only the last."""
        for student in self.students:
            yield from read_submissions(student, handout, exercises, self.notes.append, every=every, prefer=prefer)


def open_class(path: Path, lesson: str, kind: str | None = None, people: Sequence[Person] = ()) -> ClassUploads:
    """Open a class's folder or zip, and match it with the roster, if there is one. Raise `UsageError` if there is no class in it."""
    tree = _open_tree(path)
    detected, tree = _detect(tree, lesson) if kind is None else (kind, _root(tree, lesson, KINDS[kind]))
    platform = KINDS[detected]
    students = platform.students(tree, lesson) if platform.matches(tree) else []
    if detected == "folder" and len(students) == 1 and isinstance(tree, Folder):
        _doubt(tree, students[0].name, lesson)
    if not students:
        if kind in (None, "folder"):
            raise UsageError(f"{path}: no student's folder in it", "put each student's files into a folder named after the student")
        raise UsageError(f"{path}: no submissions from `{kind}` in it", f"give {platform.wanted}, or leave --from out")
    missing: tuple[str, ...] = ()
    if people:
        students, unmatched = join(students, people)
        tree.notes += unmatched
        missing = tuple(student.name for student in students if not student.uploads)
    return ClassUploads(detected, students, _merge_people(students, people), tree.notes, missing)


def open_folder(path: Path, student: str) -> Student:
    """Open one student's own folder."""
    return Student(student, (Upload(Folder(path)),))


def _open_tree(path: Path) -> FileTree:
    if path.is_dir():
        folder = Folder(path)
        if problem := folder.problem(""):
            raise UsageError(f"{path}: {problem}", "make the folder readable, or run this as a user who may read it")
        return folder
    if not path.is_file():
        raise UsageError(f"{path}: no such folder or zip", "give the folder that holds one folder for each student, or a platform's zip")
    try:
        opened = Archive(path, path.name)
        opened.notes += [f"`{one.file}` is skipped, because {one.why}" for one in opened.skipped]
        return opened
    except Unreadable:
        raise UsageError(f"{path}: neither a folder nor an intact zip", "download it again, or unpack it and give the folder") from None


def _detect(tree: FileTree, lesson: str) -> tuple[str, FileTree]:
    """Return the first platform that matches, here or, if it finds several students there, in the only folder that is here."""
    special = {name: platform for name, platform in KINDS.items() if platform is not FOLDER}
    for name, platform in special.items():
        if platform.matches(tree):
            return name, tree
    inner = Subtree(tree, innermost(tree, lesson))
    for name, platform in special.items():
        if platform is ZIPS and isinstance(tree, Folder):  # more likely one student who uploaded several
            continue
        if inner.folder and platform.matches(inner) and len(platform.students(inner, lesson)) > 1:
            return name, inner
    return "folder", _root(tree, lesson, FOLDER)


def _doubt(tree: FileTree, folder: str, lesson: str) -> None:
    """Note if the only folder holds nothing but folders: it may be the class, and they the students."""
    names = visible(tree, folder)
    if names and lesson not in names and all(tree.kind(joined(folder, name)) == "folder" for name in names):
        tree.notes.append(f"`{clean(folder, 80)}` holds only folders: if they are the students, give that folder")


def _root(tree: FileTree, lesson: str, platform: Platform) -> FileTree:
    """Return where a platform's files begin: here, or below folders that hold nothing but one folder, which a zip may have around them."""
    if platform is not FOLDER:
        return tree if platform.matches(tree) else Subtree(tree, innermost(tree, lesson))
    if not isinstance(tree, Archive):
        return tree
    folder = innermost(tree, lesson)
    names = visible(tree, folder)
    holds_students = names and lesson not in names and all(tree.kind(joined(folder, name)) == "folder" for name in names)
    return Subtree(tree, folder if holds_students else folder.rpartition("/")[0])


def _merge_people(students: list[Student], roster: Sequence[Person]) -> list[Person]:
    known = {person.student: person for person in roster}
    for student in students:
        if student.id or student.login:
            person = known.get(student.name, Person(student.name))
            known[student.name] = replace(person, id=person.id or student.id, login=person.login or student.login)
    return list(known.values())


# ---- a folder for each student


def folder_students(tree: FileTree, lesson: str) -> list[Student]:
    """Find a student for each folder, also one that cannot be read; note work that lies beside them."""
    names = student_names(folders_of(tree))
    for name in visible(tree):
        if tree.kind(name) == "file" and (is_archive(name) or name.lower().endswith((".py", ".ipynb", ".rar"))):
            tree.notes.append(f"`{text_of(name)}` lies beside the students' folders, so it is nobody's")
    return [Student(name, (Upload(tree, folder, problem=problem_of(tree, folder)),)) for folder, name in names.items()]


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


def zip_students(tree: FileTree, lesson: str) -> list[Student]:
    """Find a student for each archive; one that cannot be opened is an unreadable submission."""
    if _is_submission(tree):
        tree.notes += _manifest_notes(tree, lesson)
        return [Student(text_of(tree.name)[: -len(".zip")], (Upload(tree),))]
    names = student_names([name for name in visible(tree) if _is_packed(name)], _PACKED)
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


CLASSROOM = Platform(is_classroom, classroom_students, "a folder with `.git` in it for each student, as `gh classroom clone` makes")
FOLDER = Platform(lambda tree: bool(folders_of(tree)), folder_students, "a folder named after each student, with the files in it")
ZIPS = Platform(is_zips, zip_students, "a zip named after each student, as `course submit` packs it")
KINDS = {**PLATFORMS, "classroom": CLASSROOM, "zips": ZIPS, "folder": FOLDER}  # in the order in which they are tried
