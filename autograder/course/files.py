"""Files that are written whole or not at all, files and folders that are somebody else's, and images as files."""

import csv
import os
import shutil
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from autograder.course.errors import StoreFault, UsageError
from autograder.course.system import move
from autograder.course.text import clean

AT_ONCE, BATCH = 16, 256  # files that wait for the disk together; files that are held in memory at most


def is_own(path: Path) -> bool:
    """Whether a path belongs to this user, or to root, who can do everything anyway. Where nothing is, or owners are unknown: yes."""
    if not hasattr(os, "geteuid"):  # Windows
        return True
    try:
        return path.stat().st_uid in (os.geteuid(), 0)
    except OSError:
        return True


def refuse_others(path: Path) -> None:
    """Raises UsageError if a path belongs to another user, who could have prepared what is there, or change it meanwhile."""
    if not is_own(path):
        raise UsageError(f"{clean(str(path), 1000)}: it belongs to another user", "use one of your own, or make a copy that is yours")


def refuse_foreign(out: Path, mark: str) -> None:
    """Raises UsageError if `out` is a file, or a folder with contents but without the file `mark`, which says that we made it."""
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not (out / mark).is_file()):
        raise UsageError(f"{out}: not empty, and not made by this command", "choose a new or empty folder with --out")


@contextmanager
def replaced_folder(out: Path, mark: str) -> Iterator[Path]:
    """Build a folder beside `out`, and move it there once it is complete. Raises UsageError if that is impossible."""
    refuse_foreign(out, mark)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        try:
            yield beside / "new"
            if out.exists():
                out.rename(beside / "old")
            (beside / "new").rename(out)
        finally:
            shutil.rmtree(beside)
    except OSError as error:
        refused = UsageError(f"{out}: {error.strerror}", "choose a folder that can be written with --out")
        raise StoreFault.of(error, out) or refused from None


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Write a new file beside `path` and move it there at the end: neither a reader nor a power cut ever leaves half of one."""
    beside = _beside(path)
    beside.unlink(missing_ok=True)  # perhaps a link to somewhere else
    with _removed([path]):
        yield beside
        _synced(beside)
        move(beside, path)


def write_csv(path: Path, rows: Iterable[Iterable[object]]) -> None:
    """Write a table as `replaced` does."""
    with replaced(path) as beside, open_csv(beside) as write_row:
        for row in rows:
            write_row(row)


@contextmanager
def open_csv(path: Path) -> Iterator[Callable[[Iterable[object]], object]]:
    """Open a table, to write row by row."""
    with path.open("w", encoding="utf-8", newline="") as file:
        yield csv.writer(file).writerow


def write_texts(texts: Iterable[tuple[Path, str]]) -> None:
    """Write those of many files that differ, each as `replaced` does; a disk takes little longer for a hundred at once than for one."""
    waiting = ((path, text.encode()) for path, text in texts)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        while some := list(islice(waiting, BATCH)):
            other = {path: data for path, data in some if not path.exists() or path.read_bytes() != data}
            with _removed(other):
                for path, data in other.items():
                    _beside(path).unlink(missing_ok=True)
                    _beside(path).write_bytes(data)
                list(threads.map(_synced, map(_beside, other)))
                for path in other:
                    move(_beside(path), path)


@contextmanager
def _removed(paths: Iterable[Path]) -> Iterator[None]:
    """Remove what was written beside some paths if it cannot be moved there."""
    try:
        yield
    except BaseException:
        for path in paths:
            _beside(path).unlink(missing_ok=True)
        raise


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def _synced(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def png(rows: Sequence[bytes]) -> bytes:
    """Return a grey image as a PNG file, from its rows of a byte a pixel."""
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))), (b"IEND", b""))
    data = b"".join(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts)
    return b"\x89PNG\r\n\x1a\n" + data
