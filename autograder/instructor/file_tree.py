"""Files below a root, by relative paths with `/` between names: a folder on disk or an archive (see `archives`), read in the same way.

All of it is untrusted. No link is followed at any step of a path, only regular files are opened, nothing is unpacked to disk, and every
read has a limit. What the files mean is decided elsewhere: `platforms` knows whose they are, `uploads` which exercise they answer.
"""

import os
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol

LARGEST = 6 << 20  # bytes of one file that is graded
LARGEST_NOTEBOOK = 48 << 20  # bytes of a notebook with its outputs
LARGEST_ZIP = 20 << 20  # bytes of a student's archive
DEEPEST = 16  # folders above a file

Kind = Literal["file", "folder", "link", "other", "none"]


class Unreadable(Exception):
    """Why a file cannot be used, in words for the student."""


class FileTree(Protocol):
    """The files that an upload is read from. The root itself is the path ""."""

    notes: list[str]  # what was skipped or renamed, one line each

    def names(self, folder: str = "") -> list[str]:
        """List the names in a folder, sorted; an empty list if the folder does not exist or cannot be read."""

    def kind(self, path: str) -> Kind:
        """Return what is at a path. Nothing is below a link."""

    def problem(self, folder: str) -> str:
        """Return why a folder cannot be listed, or ""."""

    def time(self, path: str) -> float:
        """Return when a file was changed, as a timestamp; 0 if that is not known."""

    def read(self, path: str, most: int = LARGEST) -> bytes:
        """Read a whole file. Raise `Unreadable` with words that begin with its name."""


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Folder:
    """A folder on disk, which its students may be changing: a path is opened step by step, each name in the folder before it.

    So no link is followed, not even one that takes the place of a folder or a file while it is read.
    """

    def __init__(self, root: Path):
        self.root, self.notes = root, list[str]()

    @cached_property
    def _top(self) -> dict[str, Kind]:
        """What lies at the top, read once: of a large class it is asked for again and again."""
        try:
            with os.scandir(self.root) as found:
                return {one.name: _kind(one.stat(follow_symlinks=False).st_mode) for one in found}
        except OSError:
            return {}

    @contextmanager
    def _opened(self, folder: str) -> Iterator[int]:
        here = os.open(self.root, _FOLDER)
        try:
            for name in folder.split("/") if folder else ():
                below = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
                os.close(here)
                here = below
            yield here
        finally:
            os.close(here)

    def _status(self, path: str) -> os.stat_result | None:
        """Return what is known of a path, if there is something; of a link itself."""
        folder, _, name = path.rpartition("/")
        try:
            with self._opened(folder) as here:
                return os.stat(name, dir_fd=here, follow_symlinks=False) if name else os.fstat(here)
        except OSError:
            return None

    def names(self, folder: str = "") -> list[str]:
        if not folder:
            return sorted(self._top)
        try:
            with self._opened(folder) as here:
                return sorted(os.listdir(here))
        except OSError:
            return []

    def kind(self, path: str) -> Kind:
        if path in self._top:
            return self._top[path]
        found = self._status(path)
        return _kind(found.st_mode) if found else "none"

    def problem(self, folder: str) -> str:
        try:
            with self._opened(folder):
                return ""
        except OSError as error:
            return str(error.strerror)

    def time(self, path: str) -> float:
        found = self._status(path)
        return found.st_mtime if found else 0.0

    def read(self, path: str, most: int = LARGEST) -> bytes:
        folder, _, name = path.rpartition("/")
        require_file(name, self.kind(path))  # before it is opened: opening a device may do something
        try:
            with self._opened(folder) as here:
                opened = os.open(name, _FILE, dir_fd=here)
        except OSError as error:
            raise Unreadable(f"{name} cannot be read: {error.strerror}") from None
        try:
            found = os.fstat(opened)
            require_file(name, _kind(found.st_mode))
            require_size(name, found.st_size, most)
            with open(opened, "rb", closefd=False) as file:
                data = file.read(most + 1)
        finally:
            os.close(opened)
        require_size(name, len(data), most)
        return data


def _kind(mode: int) -> Kind:
    return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "link" if stat.S_ISLNK(mode) else "other"


class Subtree:
    """A folder of a tree, as a tree."""

    def __init__(self, tree: FileTree, folder: str):
        self.tree, self.folder, self.notes = tree, folder, tree.notes

    def names(self, folder: str = "") -> list[str]:
        return self.tree.names(joined(self.folder, folder))

    def kind(self, path: str) -> Kind:
        return self.tree.kind(joined(self.folder, path))

    def problem(self, folder: str) -> str:
        return self.tree.problem(joined(self.folder, folder))

    def time(self, path: str) -> float:
        return self.tree.time(joined(self.folder, path))

    def read(self, path: str, most: int = LARGEST) -> bytes:
        return self.tree.read(joined(self.folder, path), most)


def joined(*parts: str) -> str:
    """Join parts of a path, leaving out empty ones."""
    return "/".join(part for part in parts if part)


def visible(tree: FileTree, folder: str = "") -> list[str]:
    """List the names in a folder that don't begin with a dot."""
    return [name for name in tree.names(folder) if not name.startswith(".")]


def innermost(tree: FileTree, keep: str) -> str:
    """Return the folder that holds the files: the root, or below folders that hold nothing but one folder (not `keep`)."""
    folder = ""
    for _ in range(DEEPEST):
        names = visible(tree, folder)
        if len(names) != 1 or names[0] == keep or tree.kind(joined(folder, names[0])) != "folder":
            break
        folder = joined(folder, names[0])
    return folder


def text_of(name: str) -> str:
    """Return a file name as text that every export can write: composed accents, no control characters."""
    if name.isascii() and name.isprintable():  # nearly all, and a class may have 100,000
        return name
    text = os.fsencode(name).decode("utf-8", errors="replace")
    return "".join(c if unicodedata.category(c)[0] != "C" else "�" for c in unicodedata.normalize("NFC", text))


def require_file(name: str, kind: Kind) -> None:
    """Raise `Unreadable` for anything but a regular file."""
    if kind == "link":
        raise Unreadable(f"{name} is a link, which is not followed")
    if kind != "file":
        raise Unreadable(f"{name} is not a file")


def require_size(name: str, size: int, most: int) -> None:
    """Raise `Unreadable` for a file of more than `most` bytes."""
    if size > most:
        advice = "clear the notebook's outputs, leave data out" if most in (LARGEST, LARGEST_NOTEBOOK) else "leave data out"
        raise Unreadable(f"{name} is larger than {most >> 20} MiB: {advice}")
