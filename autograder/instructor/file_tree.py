"""Files below a root, by relative paths with `/` between names. A folder of the disk here; `archives` gives a zip the same shape.

No link is followed, at no step of a path, and what is no plain file is not opened.
"""

from __future__ import annotations

import io
import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from pathlib import Path
from typing import Literal, Protocol

from autograder.course.text import clean

LARGEST = 6 << 20  # bytes of one file that is graded

Kind = Literal["file", "folder", "link", "other", "none"]


class Unreadable(Exception):
    """Why a file is not taken, in words for the student."""


class FileTree(Protocol):
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

    def __init__(self, tree: FileTree, folder: str):
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


LARGEST_ZIP = 20 << 20  # bytes of a student's archive
MOST_LISTED = 1 << 20  # bytes of its list of members, some ten thousand
DEEPEST, LONGEST = 16, 400
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError, struct.error, OverflowError)
_DRIVE = re.compile(r"[A-Za-z]:")


class Archive:
    """A zip, opened for reading. Raise `Unreadable` where it is none."""

    def __init__(self, source: Path | bytes, name: str):
        if isinstance(source, bytes):
            _demand_short_list(source, name)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source)
        except _DAMAGED:
            raise Unreadable(f"{name} is no zip, or is damaged") from None
        self.name = name
        self.notes: list[str] = []
        self._members: dict[str, zipfile.ZipInfo] = {}
        self._twice: set[str] = set()
        self._folders: dict[str, set[str]] = {"": set()}
        for member in self._zip.infolist():
            self._take(member)

    def _take(self, member: zipfile.ZipInfo) -> None:
        try:
            path = member_path(member)
        except ValueError as error:
            self.notes.append(f"{self.name}: {error}")
            return
        if not path:
            return
        if not member.is_dir():
            if path in self._members:
                self.notes.append(f"{self.name}: `{clean(path, 80)}` stands twice, so neither is taken")
                self._twice.add(path)
            self._members[path] = member
        *above, name = path.split("/")
        for depth in range(len(above)):
            self._folders.setdefault("/".join(above[:depth]), set()).add(above[depth])
        self._folders.setdefault("/".join(above), set()).add(name)
        if member.is_dir():
            self._folders.setdefault(path, set())

    def names(self, folder: str = "") -> list[str]:
        return sorted(self._folders.get(folder, ()))

    def kind(self, path: str) -> Kind:
        if path in self._folders:
            return "folder"
        if path not in self._members:
            return "none"
        mode = self._members[path].external_attr >> 16
        if stat.S_ISLNK(mode):
            return "link"
        return "file" if stat.S_IFMT(mode) in (0, stat.S_IFREG) else "other"

    def trouble(self, folder: str) -> str:
        return ""

    def read(self, path: str, most: int = LARGEST) -> bytes:
        name = clean(path.rpartition("/")[2], 80)
        demand_file(name, self.kind(path))
        member = self._members[path]
        if path in self._twice:
            raise Unreadable(f"{name} stands twice in {self.name}: pack it again")
        if member.flag_bits & 0x1:
            raise Unreadable(f"{name} is locked with a password in {self.name}")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Unreadable(f"{name} is packed in a way that is not read: pack {self.name} as a plain zip")
        demand_size(name, member.file_size, most)
        try:
            with self._zip.open(member) as file:
                data = file.read(most + 1)
                if file.read(1):  # also makes zipfile compare the checksum
                    raise zipfile.BadZipFile
        except _DAMAGED:
            raise Unreadable(f"{name} is damaged in {self.name}: pack it again") from None
        return data


def member_path(member: zipfile.ZipInfo) -> str:
    """Give where a member lies within its archive; nothing for what systems add. Raise `ValueError` where it may not lie."""
    raw = member.orig_filename
    shown = f"`{clean(raw, 80)}`"
    if not member.flag_bits & 0x800:
        raw = _guessed(raw)
    raw = raw.replace("\\", "/")
    parts = [part for part in raw.split("/") if part not in ("", ".")]
    if raw.startswith("/") or ".." in parts or _DRIVE.match(raw) or "\0" in raw:
        raise ValueError(f"{shown} leads out of the archive, so it is not taken")
    if len(parts) > DEEPEST or len(raw) > LONGEST:
        raise ValueError(f"{shown} has too long a name, so it is not taken")
    return "" if parts[:1] == ["__MACOSX"] else "/".join(parts)


def _guessed(name: str) -> str:
    """Read a name that does not say its encoding: most who leave that out write UTF-8, and zipfile takes it for a DOS code page."""
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


def _demand_short_list(source: bytes, name: str) -> None:
    """Refuse an archive whose list of members is long, before zipfile builds an object of each."""
    end = source.rfind(b"PK\x05\x06")
    if end < 0 or len(source) < end + 22:
        raise Unreadable(f"{name} is no zip, or is damaged")
    listed = struct.unpack_from("<L", source, end + 12)[0]
    if listed > MOST_LISTED or source.find(b"PK\x06\x07", max(0, end - 20), end) >= 0:
        raise Unreadable(f"{name} lists too many files")


def unwrapped(tree: FileTree, keep: str) -> str:
    """Find the folder in which an archive's files lie: the root, or below folders that hold nothing but one folder (not `keep`)."""
    folder = ""
    for _ in range(DEEPEST):
        names = [name for name in tree.names(folder) if not name.startswith(".")]
        if len(names) != 1 or names[0] == keep or tree.kind(f"{folder}/{names[0]}".lstrip("/")) != "folder":
            return folder
        folder = f"{folder}/{names[0]}".lstrip("/")
    return folder
