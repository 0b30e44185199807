"""Files within a zip, as a tree. Nothing is extracted: a member is read into memory when it is asked for, up to a limit.

What an archive says of itself is a stranger's word. A size is believed only as a reason to refuse; names that lead out of the
archive, links, devices and names that stand twice are refused with a line; only plain and deflated members are read, because
the other methods unpack without a bound.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from pathlib import Path

from autograder.explain import clean
from autograder.intake.trees import LARGEST, Kind, Tree, Unreadable, demand_file, demand_size

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


def unwrapped(tree: Tree, keep: str) -> str:
    """Find the folder in which an archive's files lie: the root, or below folders that hold nothing but one folder (not `keep`)."""
    folder = ""
    for _ in range(DEEPEST):
        names = [name for name in tree.names(folder) if not name.startswith(".")]
        if len(names) != 1 or names[0] == keep or tree.kind(f"{folder}/{names[0]}".lstrip("/")) != "folder":
            return folder
        folder = f"{folder}/{names[0]}".lstrip("/")
    return folder
