"""Archives that students pack: zip, tar (plain or compressed) and 7z, read in memory as a tree of files.

All of it is untrusted. Nothing is unpacked to disk, no link is followed, a path that points elsewhere is left out, and every size and
number has a limit. What an archive is, its first bytes say and not its name. A 7z is repacked by a process of its own, with limits on
its time and memory, because its reader has none.
"""

import bz2
import gzip
import io
import lzma
import re
import resource
import stat
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from msgspec import Struct

from autograder.course.model import Unused
from autograder.course.text import clean
from autograder.instructor.file_tree import DEEPEST, LARGEST, FileTree, Kind, Unreadable, require_file, require_size

ENDINGS = (".zip", ".tar", ".tgz", ".gz", ".tbz", ".tbz2", ".bz2", ".txz", ".xz", ".7z")
LARGEST_UNPACKED = 64 << 20  # bytes of a tar
MOST_LISTED = 1 << 20  # bytes of a zip's list of members, some ten thousand
MOST_MEMBERS = 10_000
LONGEST = 400  # characters of a member's path
SECONDS, MEMORY = 20, 1 << 30  # of the process that reads a 7z
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError, struct.error, OverflowError,
            tarfile.TarError, lzma.LZMAError, MemoryError)  # fmt: skip
_DRIVE = re.compile(r"[A-Za-z]:")
_COMPRESSED: dict[bytes, Callable[[bytes], bytes]] = {
    b"\x1f\x8b": lambda data: gzip.GzipFile(fileobj=io.BytesIO(data)).read(LARGEST_UNPACKED + 1),
    b"BZh": lambda data: bz2.BZ2File(io.BytesIO(data)).read(LARGEST_UNPACKED + 1),
    b"\xfd7zXZ\0": lambda data: lzma.LZMADecompressor(memlimit=MEMORY // 8).decompress(data, max_length=LARGEST_UNPACKED + 1),
}


class NotOpened(Unreadable):
    """An archive of a kind that is not opened here, which may be in order: a clause that says why, and what to do."""

    def __init__(self, name: str, why: str):
        super().__init__(f"{name} was not opened, because {why}: pack a zip")
        self.why, self.fix = why, "hand in a zip, or the files themselves"


class _Member(Struct):
    """One file in an archive; `read` gets at most so many bytes, and may raise anything in `_DAMAGED`."""

    path: str  # as the archive has it
    kind: Kind
    size: int
    read: Callable[[int], bytes]
    time: float = 0.0
    problem: str = ""  # why it cannot be read: the rest of a sentence that begins with its name


class Archive:
    """An archive, opened for reading. Raise `Unreadable` if it is damaged, too large or of no known kind.

    `skipped` are members that are left out for their path, or because two have the same; `held` is how many bytes it keeps in memory.
    """

    def __init__(self, source: Path | bytes, name: str):
        self.name, self.skipped, self.notes = name, list[Unused](), list[str]()
        plain = source if isinstance(source, Path) else _decompressed(source, name)
        self.held = 0 if isinstance(plain, Path) else len(plain)
        self._members: dict[str, _Member] = {}
        self._duplicates: set[str] = set()
        self._folders: dict[str, set[str]] = {"": set()}
        for member in _members(plain, name, decompressed=plain is not source):
            self._add(member)

    def _add(self, member: _Member) -> None:
        try:
            path = _checked_path(member.path)
        except ValueError as error:
            self.skipped.append(Unused(f"{self.name}/{clean(member.path, 80)}", str(error)))
            return
        if not path:
            return
        if member.kind != "folder":
            if path in self._members:
                self.skipped.append(Unused(f"{self.name}/{clean(path, 80)}", "it is in the archive twice, so neither copy is used"))
                self._duplicates.add(path)
            self._members[path] = member
        parts = path.split("/")
        for depth, name in enumerate(parts):
            self._folders.setdefault("/".join(parts[:depth]), set()).add(name)
        if member.kind == "folder":
            self._folders.setdefault(path, set())

    def names(self, folder: str = "") -> list[str]:
        return sorted(self._folders.get(folder, ()))

    def kind(self, path: str) -> Kind:
        if path in self._folders:
            return "folder"
        return self._members[path].kind if path in self._members else "none"

    def problem(self, folder: str) -> str:
        return ""

    def time(self, path: str) -> float:
        return self._members[path].time if path in self._members else 0.0

    def read(self, path: str, most: int = LARGEST) -> bytes:
        name = clean(path.rpartition("/")[2], 80)
        require_file(name, self.kind(path))
        member = self._members[path]
        if path in self._duplicates:
            raise Unreadable(f"{name} is in {self.name} twice: pack it again")
        if member.problem:
            raise Unreadable(f"{name} {member.problem}")
        require_size(name, member.size, most)
        try:
            return member.read(most)
        except _DAMAGED:
            raise Unreadable(f"{name} is damaged in {self.name}: pack it again") from None


def is_archive(name: str) -> bool:
    """Return whether a file is named like an archive that can be opened."""
    return name.strip().lower().endswith(ENDINGS)


def open_inner(tree: FileTree, path: str, largest: int) -> Archive:
    """Open an archive that lies in a tree. Raise `Unreadable` with its name."""
    name = path.rpartition("/")[2]
    return Archive(tree.read(path, largest), clean(name, 80))


def _decompressed(source: bytes, name: str) -> bytes:
    """Return a tar that is compressed as a whole, or a 7z, as a plain tar; anything else as it is."""
    if source.startswith(b"7z\xbc\xaf\x27\x1c"):
        return _repacked(source, name)
    if source.startswith(b"Rar!"):
        raise NotOpened(name, "RAR archives are not read")
    unpack = next((unpack for magic, unpack in _COMPRESSED.items() if source.startswith(magic)), None)
    return _unpacked(unpack, source, name) if unpack else source


def _members(plain: Path | bytes, name: str, *, decompressed: bool) -> Iterator[_Member]:
    if isinstance(plain, bytes) and (decompressed or plain[257:262] == b"ustar" or name.lower().endswith(".tar")):
        return _tar_members(plain, name)
    return _zip_members(plain, name)


# ---- zip


def _zip_members(source: Path | bytes, name: str) -> Iterator[_Member]:
    if isinstance(source, bytes):
        _require_short_list(source, name)
    try:
        opened = zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source)
    except _DAMAGED:
        raise Unreadable(f"{name} is not a zip file, or is damaged") from None
    for info in opened.infolist():
        problem = f"is protected by a password in {name}" if info.flag_bits & 0x1 else ""
        if not problem and info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            problem = f"is compressed in an unsupported way: pack {name} as a plain zip"
        yield _Member(_zip_path(info), _zip_kind(info), info.file_size, partial(_read_zip, opened, info), _zip_time(info), problem)


def _zip_path(info: zipfile.ZipInfo) -> str:
    path = info.orig_filename
    if not info.flag_bits & 0x800:  # no declared encoding: zipfile assumes code page 437, but most programs write UTF-8
        with suppress(UnicodeError):
            path = path.encode("cp437").decode("utf-8")
    return path


def _zip_kind(info: zipfile.ZipInfo) -> Kind:
    mode = info.external_attr >> 16
    if info.is_dir():
        return "folder"
    return "link" if stat.S_ISLNK(mode) else "file" if stat.S_IFMT(mode) in (0, stat.S_IFREG) else "other"


def _zip_time(info: zipfile.ZipInfo) -> float:
    with suppress(ValueError, OverflowError, OSError):
        return datetime(*info.date_time).timestamp() if info.date_time[0] > 1980 else 0.0  # an empty date is in 1980
    return 0.0


def _read_zip(opened: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    with opened.open(info) as file:
        data = file.read(most + 1)
        if file.read(1):  # also makes zipfile compare the checksum
            raise zipfile.BadZipFile
    return data


def _require_short_list(source: bytes, name: str) -> None:
    """Refuse an archive with a long list of members before zipfile builds an object for each."""
    end = source.rfind(b"PK\x05\x06")
    if end < 0 or len(source) < end + 22:
        raise Unreadable(f"{name} is not a zip file, or is damaged")
    listed = struct.unpack_from("<L", source, end + 12)[0]
    if listed > MOST_LISTED or source.find(b"PK\x06\x07", max(0, end - 20), end) >= 0:
        raise Unreadable(f"{name} contains too many files")


# ---- tar


def _unpacked(unpack: Callable[[bytes], bytes], source: bytes, name: str) -> bytes:
    try:
        data = unpack(source)
    except _DAMAGED:
        raise Unreadable(f"{name} is damaged: pack it again") from None
    require_size(name, len(data), LARGEST_UNPACKED)
    return data


def _tar_members(data: bytes, name: str) -> Iterator[_Member]:
    """List the members of a tar; what is compressed and no tar is one file, named like the archive without its last ending."""
    try:
        opened = tarfile.open(fileobj=io.BytesIO(data), mode="r:")  # noqa: SIM115 (its members are read later)
    except tarfile.TarError:
        if name.lower().endswith((".gz", ".bz2", ".xz")):
            yield _Member(name.rpartition(".")[0], "file", len(data), lambda most: data)
            return
        raise Unreadable(f"{name} is damaged: pack it again") from None
    except _DAMAGED:
        raise Unreadable(f"{name} is damaged: pack it again") from None
    try:
        for number, info in enumerate(opened):
            if number == MOST_MEMBERS:
                raise Unreadable(f"{name} contains too many files")
            kind: Kind = "file" if info.isreg() else "folder" if info.isdir() else "link" if info.issym() or info.islnk() else "other"
            yield _Member(info.name, kind, info.size, partial(_read_tar, opened, info), float(info.mtime))
    except _DAMAGED:
        raise Unreadable(f"{name} is damaged: pack it again") from None


def _read_tar(opened: tarfile.TarFile, info: tarfile.TarInfo, most: int) -> bytes:
    file = opened.extractfile(info)
    data = file.read(most) if file else b""
    if len(data) != info.size:
        raise EOFError
    return data


# ---- 7z


def _repacked(source: bytes, name: str) -> bytes:
    """Return the files of a 7z as a tar."""
    if find_spec("py7zr") is None:
        raise NotOpened(name, "7z archives are not read where the package py7zr is not installed")
    code = f"from {__name__} import repack; repack()"
    try:
        done = subprocess.run([sys.executable, "-I", "-c", code], input=source, capture_output=True, timeout=SECONDS * 10, check=True)
    except (subprocess.SubprocessError, OSError):
        raise Unreadable(f"{name} is damaged, protected by a password or too large: pack a zip") from None
    require_size(name, len(done.stdout), LARGEST_UNPACKED)
    return done.stdout


def repack() -> None:
    """Write the 7z in standard input as a tar to standard output, within limits; a process of its own runs this and nothing else."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    from py7zr import SevenZipFile  # here: an extra, and slow to import
    from py7zr.io import BytesIOFactory

    made = BytesIOFactory(LARGEST_UNPACKED)
    with SevenZipFile(io.BytesIO(sys.stdin.buffer.read()), max_extract_size=LARGEST_UNPACKED) as archive:
        listed = {info.filename: info for info in archive.list()[:MOST_MEMBERS]}
        archive.extract(targets=[name for name, info in listed.items() if info.is_file and _allowed(name)], factory=made)
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as tar:
        for name, info in listed.items():
            member = tarfile.TarInfo(name)
            data = made.products[name].read() if name in made.products else b""  # py7zr names a file like its member
            member.size, member.mtime = len(data), int(info.creationtime.timestamp()) if info.creationtime else 0
            member.type = tarfile.SYMTYPE if info.is_symlink else tarfile.DIRTYPE if info.is_directory else tarfile.REGTYPE
            tar.addfile(member, io.BytesIO(data))


def _allowed(raw: str) -> bool:
    with suppress(ValueError):
        return bool(_checked_path(raw))
    return False


def _checked_path(raw: str) -> str:
    """Return a member's path, or "" for what macOS adds. Raise `ValueError` with the reason if the path is not allowed."""
    raw = raw.replace("\\", "/")
    parts = [part for part in raw.split("/") if part not in ("", ".")]
    if raw.startswith("/") or ".." in parts or _DRIVE.match(raw) or "\0" in raw:
        raise ValueError("it points outside the archive")
    if len(parts) > DEEPEST or len(raw) > LONGEST:
        raise ValueError("its path is too long")
    return "" if parts[:1] == ["__MACOSX"] else "/".join(parts)
