"""Submissions as folders: one for each student, with the files in it or in a folder named like the lesson.

Nothing is followed: a link is no submission. What cannot be read is a submission too, with the reason in words, so that
one bad file never stops a class. Sources are read when they are asked for, so a large class costs no memory.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tokenize
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from autograder.errors import UsageError
from autograder.model import Submission

LARGEST = 6 << 20


def students(root: Path) -> list[Path]:
    """List the students' folders by name. Raise `UsageError` where there are none."""
    if not root.is_dir():
        raise UsageError(f"{root}: no such folder", "give the folder that holds one folder for each student")
    try:
        entries = [Path(entry.path) for entry in os.scandir(root) if not entry.name.startswith(".")]
    except OSError as error:
        raise UsageError(f"{root}: {error.strerror}", "make the folder readable, or run as a user who may read it") from None
    folders = sorted((path for path in entries if path.is_symlink() or path.is_dir()), key=lambda path: path.name)
    if not folders:
        raise UsageError(f"{root}: holds no student's folder", "put each student's files into a folder named like the student")
    return folders


def submissions(folder: Path, student: str, lesson: str, exercises: Iterable[str]) -> Iterator[Submission]:
    """Read one student's submissions, one for each exercise."""
    for exercise in exercises:
        yield _submission(folder, student, lesson, exercise)


def names(folders: Iterable[Path]) -> dict[Path, str]:
    """Give each folder its student's name; where two would be the same text, the later ones get a hash behind it."""
    named: dict[Path, str] = {}
    taken: set[str] = set()
    for folder in folders:
        name = student_name(folder)
        if name in taken:
            name = f"{name} ({hashlib.sha256(os.fsencode(folder.name)).hexdigest()[:8]})"
        taken.add(name)
        named[folder] = name
    return named


def problem(folder: Path) -> str:
    """Say why a student's folder as a whole cannot be read; nothing where it can."""
    if folder.is_symlink():
        return "the student's folder is a link, which is not followed"
    try:
        os.scandir(folder).close()
    except OSError as error:
        return f"the student's folder cannot be read: {error.strerror}"
    return ""


def student_name(folder: Path) -> str:
    """Give the student's name as text that every export can write: composed accents, no control characters."""
    text = os.fsencode(folder.name).decode("utf-8", errors="replace")
    return "".join(c if unicodedata.category(c)[0] != "C" else "�" for c in unicodedata.normalize("NFC", text))


def file_names(exercise: str, lesson: str) -> tuple[str, ...]:
    """Name the files in which an exercise may be handed in; the first that is there counts. The lesson's notebook holds all exercises."""
    return ("answers.yaml",) if exercise == "practice" else (f"{exercise}.py", f"{exercise}.ipynb", f"{lesson}.ipynb")


def _submission(folder: Path, student: str, lesson: str, exercise: str) -> Submission:
    names = file_names(exercise, lesson)
    try:
        if broken := problem(folder):
            raise _Unreadable(broken)
        path = next((p for place in (folder / lesson, folder) for name in names if _there(p := place / name)), None)
        if path is None:
            return Submission(student, lesson, exercise, names[0], None, None, "missing", f"no {' or '.join(names[:2])}")
        source = _read(path)
        _demand_text(path.name, source)
    except (_Unreadable, OSError) as error:
        why = str(error) if isinstance(error, _Unreadable) else f"{error.strerror}"
        return Submission(student, lesson, exercise, names[0], None, None, "unreadable", why)
    return Submission(student, lesson, exercise, path.name, source, hashlib.sha256(source).hexdigest(), "present")


class _Unreadable(Exception):
    """Why a file is not taken, in words for the student."""


def _there(path: Path) -> bool:
    if path.parent.is_symlink():
        raise _Unreadable(f"the folder {path.parent.name} is a link, which is not followed")
    return os.path.lexists(path)


def _read(path: Path) -> bytes:
    if path.is_symlink():
        raise _Unreadable(f"{path.name} is a link, which is not followed")
    if not stat.S_ISREG(path.lstat().st_mode):
        raise _Unreadable(f"{path.name} is not a file")
    opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(opened, "rb") as file:
        info = os.fstat(opened)
        if info.st_size > LARGEST:
            raise _Unreadable(f"{path.name} is larger than {LARGEST >> 20} MiB: clear the notebook's outputs, leave data out")
        return file.read(LARGEST + 1)


def _demand_text(name: str, source: bytes) -> None:
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(source).readline)[0] if name.endswith(".py") else "utf-8"
        text = source.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        raise _Unreadable(f"{name} is not text in UTF-8") from None
    if "\0" in text:
        raise _Unreadable(f"{name} is not text: it holds zero bytes")
