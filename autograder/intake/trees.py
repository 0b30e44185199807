"""Files below a root, by relative paths with `/` between names. A folder of the disk here; `archives` gives a zip the same shape.

No link is followed, at no step of a path, and what is no plain file is not opened.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from pathlib import Path
from typing import Literal, Protocol

LARGEST = 6 << 20  # bytes of one file that is graded

Kind = Literal["file", "folder", "link", "other", "none"]


class Unreadable(Exception):
    """Why a file is not taken, in words for the student."""


class Tree(Protocol):
    """What a source reads. The root itself is the path ""."""

    notes: list[str]  # what was left out or renamed, a line each

    def names(self, folder: str = "") -> list[str]:
        """List what lies in a folder, by name; nothing where there is no such folder or it cannot be read."""

    def kind(self, path: str) -> Kind:
        """Say what lies at a path. Below a link nothing lies."""

    def trouble(self, folder: str) -> str:
        """Say why a folder cannot be listed; nothing where it can."""

    def read(self, path: str, most: int = LARGEST) -> bytes:
        """Read a file whole. Raise `Unreadable` with words that begin with its name."""


class Folder:
    """A folder of the disk."""

    def __init__(self, root: Path):
        self.root = root
        self.notes: list[str] = []

    def names(self, folder: str = "") -> list[str]:
        if folder and self.kind(folder) != "folder":
            return []
        try:
            return sorted(os.listdir(self.root / folder))
        except OSError:
            return []

    def kind(self, path: str) -> Kind:
        place, mode = os.fspath(self.root), 0
        try:
            for name in path.split("/"):
                if stat.S_ISLNK(mode):
                    return "none"
                place = os.path.join(place, name)
                mode = os.lstat(place).st_mode
        except OSError:
            return "none"
        return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "link" if stat.S_ISLNK(mode) else "other"

    def trouble(self, folder: str) -> str:
        try:
            os.scandir(self.root / folder).close()
        except OSError as error:
            return str(error.strerror)
        return ""

    def read(self, path: str, most: int = LARGEST) -> bytes:
        name = path.rpartition("/")[2]
        demand_file(name, self.kind(path))
        try:
            opened = os.open(self.root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise Unreadable(f"{name} cannot be read: {error.strerror}") from None
        with open(opened, "rb") as file:
            demand_size(name, os.fstat(opened).st_size, most)
            return file.read(most + 1)


class Below:
    """A folder of a tree, as a tree."""

    def __init__(self, tree: Tree, folder: str):
        self.tree, self.folder = tree, folder
        self.notes = tree.notes

    def names(self, folder: str = "") -> list[str]:
        return self.tree.names(joined(self.folder, folder))

    def kind(self, path: str) -> Kind:
        return self.tree.kind(joined(self.folder, path))

    def trouble(self, folder: str) -> str:
        return self.tree.trouble(joined(self.folder, folder))

    def read(self, path: str, most: int = LARGEST) -> bytes:
        return self.tree.read(joined(self.folder, path), most)


def joined(*parts: str) -> str:
    """Put a path together, leaving empty parts out."""
    return "/".join(part for part in parts if part)


def demand_file(name: str, kind: Kind) -> None:
    """Raise `Unreadable` for what is no plain file."""
    if kind == "link":
        raise Unreadable(f"{name} is a link, which is not followed")
    if kind != "file":
        raise Unreadable(f"{name} is not a file")


def demand_size(name: str, size: int, most: int) -> None:
    """Raise `Unreadable` for what is larger than may be."""
    if size > most:
        advice = "clear the notebook's outputs, leave data out" if most == LARGEST else "leave data out"
        raise Unreadable(f"{name} is larger than {most >> 20} MiB: {advice}")


def text_of(name: str) -> str:
    """Give a name as text that every export can write: composed accents, no control characters."""
    text = os.fsencode(name).decode("utf-8", errors="replace")
    return "".join(c if unicodedata.category(c)[0] != "C" else "�" for c in unicodedata.normalize("NFC", text))
