"""Files below a root, by relative paths with `/` between names: a folder on disk or a zip, read in the same way.

All of it is untrusted. No link is followed at any step of a path, only regular files are opened, nothing is unpacked to disk, and every
read has a limit. What the files mean is decided elsewhere: `platforms` knows whose they are, `uploads` which exercise they answer.
"""

import io
import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Literal, Protocol

from autograder.course.text import clean

LARGEST = 6 << 20  # bytes of one file that is graded
LARGEST_ZIP = 20 << 20  # bytes of a student's archive
MOST_LISTED = 1 << 20  # bytes of its list of members, some ten thousand
DEEPEST, LONGEST = 16, 400  # folders above a member, and characters of its path
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError, struct.error, OverflowError)
_DRIVE = re.compile(r"[A-Za-z]:")

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

    def read(self, path: str, most: int = LARGEST) -> bytes:
        """Read a whole file. Raise `Unreadable` with words that begin with its name."""


class Folder:
    """A folder on disk."""

    def __init__(self, root: Path):
        self.root, self.notes = root, list[str]()

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

    def problem(self, folder: str) -> str:
        try:
            os.scandir(self.root / folder).close()
        except OSError as error:
            return str(error.strerror)
        return ""

    def read(self, path: str, most: int = LARGEST) -> bytes:
        name = path.rpartition("/")[2]
        _require_file(name, self.kind(path))
        try:
            opened = os.open(self.root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise Unreadable(f"{name} cannot be read: {error.strerror}") from None
        with open(opened, "rb") as file:
            _require_size(name, os.fstat(opened).st_size, most)
            return file.read(most + 1)


class Archive:
    """A zip, opened for reading. Raise `Unreadable` if it is not one."""

    def __init__(self, source: Path | bytes, name: str):
        if isinstance(source, bytes):
            _require_short_list(source, name)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source)
        except _DAMAGED:
            raise Unreadable(f"{name} is not a zip file, or is damaged") from None
        self.name, self.notes = name, list[str]()
        self._members: dict[str, zipfile.ZipInfo] = {}
        self._duplicates: set[str] = set()
        self._folders: dict[str, set[str]] = {"": set()}
        for member in self._zip.infolist():
            self._add(member)

    def _add(self, member: zipfile.ZipInfo) -> None:
        try:
            path = _member_path(member)
        except ValueError as error:
            self.notes.append(f"{self.name}: {error}")
            return
        if not path:
            return
        if not member.is_dir():
            if path in self._members:
                self.notes.append(f"{self.name}: `{clean(path, 80)}` is in the archive twice, so neither copy is used")
                self._duplicates.add(path)
            self._members[path] = member
        parts = path.split("/")
        for depth, name in enumerate(parts):
            self._folders.setdefault("/".join(parts[:depth]), set()).add(name)
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

    def problem(self, folder: str) -> str:
        return ""

    def read(self, path: str, most: int = LARGEST) -> bytes:
        name = clean(path.rpartition("/")[2], 80)
        _require_file(name, self.kind(path))
        member = self._members[path]
        if path in self._duplicates:
            raise Unreadable(f"{name} is in {self.name} twice: pack it again")
        if member.flag_bits & 0x1:
            raise Unreadable(f"{name} is protected by a password in {self.name}")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Unreadable(f"{name} is compressed in an unsupported way: pack {self.name} as a plain zip")
        _require_size(name, member.file_size, most)
        try:
            with self._zip.open(member) as file:
                data = file.read(most + 1)
                if file.read(1):  # also makes zipfile compare the checksum
                    raise zipfile.BadZipFile
        except _DAMAGED:
            raise Unreadable(f"{name} is damaged in {self.name}: pack it again") from None
        return data


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
    text = os.fsencode(name).decode("utf-8", errors="replace")
    return "".join(c if unicodedata.category(c)[0] != "C" else "�" for c in unicodedata.normalize("NFC", text))


def _require_file(name: str, kind: Kind) -> None:
    if kind == "link":
        raise Unreadable(f"{name} is a link, which is not followed")
    if kind != "file":
        raise Unreadable(f"{name} is not a file")


def _require_size(name: str, size: int, most: int) -> None:
    if size > most:
        advice = "clear the notebook's outputs, leave data out" if most == LARGEST else "leave data out"
        raise Unreadable(f"{name} is larger than {most >> 20} MiB: {advice}")


def _require_short_list(source: bytes, name: str) -> None:
    """Refuse an archive with a long list of members before zipfile builds an object for each."""
    end = source.rfind(b"PK\x05\x06")
    if end < 0 or len(source) < end + 22:
        raise Unreadable(f"{name} is not a zip file, or is damaged")
    listed = struct.unpack_from("<L", source, end + 12)[0]
    if listed > MOST_LISTED or source.find(b"PK\x06\x07", max(0, end - 20), end) >= 0:
        raise Unreadable(f"{name} contains too many files")


def _member_path(member: zipfile.ZipInfo) -> str:
    """Return a member's path in its archive, or "" for what macOS adds. Raise `ValueError` for a path that is not allowed."""
    raw = member.orig_filename
    shown = f"`{clean(raw, 80)}`"
    if not member.flag_bits & 0x800:  # no declared encoding: zipfile assumes code page 437, but most programs write UTF-8
        with suppress(UnicodeError):
            raw = raw.encode("cp437").decode("utf-8")
    raw = raw.replace("\\", "/")
    parts = [part for part in raw.split("/") if part not in ("", ".")]
    if raw.startswith("/") or ".." in parts or _DRIVE.match(raw) or "\0" in raw:
        raise ValueError(f"{shown} points outside the archive, so it is skipped")
    if len(parts) > DEEPEST or len(raw) > LONGEST:
        raise ValueError(f"{shown} has too long a path, so it is skipped")
    return "" if parts[:1] == ["__MACOSX"] else "/".join(parts)
