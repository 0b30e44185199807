"""Merge reviews from elsewhere: from another device's log, or from Anki's history of our cards.

The input is not trusted: it is read in bounded time, rows that this program could not have written are left out and counted, and no input
file is written to.
"""

import hashlib
import struct
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from autograder.course.errors import UsageError
from autograder.course.store import reading
from autograder.learner.review.log import LONGEST, LONGEST_NAME, NAME, SCHEMA, Log, Row, Spare
from autograder.learner.review.queue import Face
from autograder.learner.review.schedule import scheduling_id

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LARGEST = 1 << 30  # bytes of a collection, unpacked
MOST = 1_000_000  # rows: of a hundred years with thirty answers a day
MOST_SCHEDULINGS = 1000
AHEAD = 1_000_000  # a row's number is at most the count of all rows, and more if some were lost; ours come after the greatest
ANKI = {".apkg", ".colpkg"}
_PACKED = ("collection.anki21b", "collection.anki21", "collection.anki2")  # the newest first: older ones beside it may be a notice
_DAMAGED = (zipfile.BadZipFile, zlib.error, zstd.ZstdError, struct.error, EOFError, OverflowError, RuntimeError, ValueError)
_HISTORY = """
SELECT notes.guid, cards.ord, revlog.id, revlog.ease, revlog.time, revlog.type
FROM revlog JOIN cards ON cards.id = revlog.cid JOIN notes ON notes.id = cards.nid
WHERE revlog.ease BETWEEN 1 AND 4 AND revlog.type IN (0, 1, 2, 3)
"""


class Merged(msgspec.Struct, frozen=True):
    """How many rows a merge added, how many were known already, how many were left out, and the line of the first of those in a .jsonl."""

    new: int
    known: int
    refused: int
    line: int = 0


class Unsound(msgspec.Struct, frozen=True):
    """Something that is no row, and its line in a .jsonl."""

    line: int = 0


Found = Row | tuple[str, str] | Unsound


def merge(log: Log, other: Path, faces: Iterable[Face], zone: int) -> Merged:
    """Add the rows of `other`: a review log, its folder or its spare copy, or an Anki package with scheduling.

    Anki stores no time zone with a review, so all get `zone`, in minutes east of UTC. Raise `UsageError` if `other` cannot be read.
    """
    path = other / NAME if other.is_dir() else other
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file", f"name another device's {NAME} or its folder, or a package from Anki")
    try:
        rows, schedulings = _divided(_from_anki(path, faces, zone) if path.suffix in ANKI else _from_log(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as a review log ({error})", f"name a {NAME}, a .jsonl, .apkg or .colpkg") from None
    greatest = len(rows) + log.last() + AHEAD
    sound = {row.id: row for row in rows if isinstance(row, Row) and row.number <= greatest}
    line = next((one.line for one in rows if isinstance(one, Unsound)), 0)
    if line and not sound and not schedulings:
        raise UsageError(f"{path}, line {line}: not a review", "choose a file that Cards or `course review` saved")
    with log.writing():
        fresh = log.unknown(sound.values())
        for name, facts in schedulings.items():
            log.describe(name, facts)
        log.insert(fresh)
    return Merged(len(fresh), len(sound) - len(fresh), len(rows) - len(sound), line)


def _divided(found: Iterator[Found]) -> tuple[list[Row | Unsound], dict[str, str]]:
    """Return the rows, and the facts of schedulings by id; the id is a hash of the facts. Raise `OSError` if there are too many."""
    rows: list[Row | Unsound] = []
    schedulings: dict[str, str] = {}
    for one in found:
        if not isinstance(one, tuple):
            rows.append(one)
        elif one[0] == scheduling_id(one[1]):
            schedulings[one[0]] = one[1]
        if len(rows) > MOST or len(schedulings) > MOST_SCHEDULINGS:
            raise OSError("too many rows")
    return rows, schedulings


def _from_log(path: Path) -> Iterator[Found]:
    """Yield the rows of a log and its schedulings."""
    if path.suffix == ".jsonl":
        if path.stat().st_size > LARGEST:
            raise OSError("too large")
        yield from (found or Unsound(number) for number, found in Spare(path).lines())
        return
    with reading(path, ("log", "schedulings"), SCHEMA) as db:
        for values in db.execute(f"SELECT {', '.join(Row.__struct_fields__)} FROM log"):
            yield _row(values)
        for name, facts in db.execute("SELECT id, facts FROM schedulings"):
            if isinstance(name, str) and isinstance(facts, str) and len(name) <= LONGEST_NAME and len(facts) <= LONGEST:
                yield name, facts


def _row(values: tuple[object, ...]) -> Row | Unsound:
    try:
        row = msgspec.convert(dict(zip(Row.__struct_fields__, values, strict=True)), Row)
    except msgspec.ValidationError:
        return Unsound()
    return row if row.sound else Unsound()


def _from_anki(path: Path, faces: Iterable[Face], zone: int) -> Iterator[Row | Unsound]:
    """Yield the reviews of our cards in a package. Their ids are made from Anki's, so merging twice adds nothing."""
    known = {(face.of, max(0, face.number - 1)): face.id for face in faces}
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "collection"
        try:
            with zipfile.ZipFile(path) as package, database.open("wb") as out:
                _unpack(package, out)
        except _DAMAGED as error:
            raise OSError(str(error)) from None
        with reading(database, ("revlog", "cards", "notes")) as db:
            for guid, place, at, ease, took, kind in db.execute(_HISTORY):
                if card := known.get((guid, place)):
                    name = hashlib.sha256(f"anki {at} {guid} {place}".encode()).hexdigest()[:32]
                    yield _row((name, "anki", 0, at, zone, "cram" if kind == 3 else "review", card, ease, took, "", ""))


def _unpack(package: zipfile.ZipFile, out: BinaryIO) -> None:
    name = next((one for one in _PACKED if one in package.namelist()), None)
    if name is None:
        raise OSError("no collection in it")
    with package.open(name) as packed:
        reader = zstd.ZstdFile(packed) if name.endswith("b") else packed
        while block := reader.read(1 << 20):
            if out.tell() > LARGEST:
                raise OSError("too large")
            out.write(block)
