"""Merge reviews from elsewhere: from another device's log, or from Anki's history of our cards.

The input is not trusted: rows that this program could not have written are left out and counted, and no input file is written to.
"""

import hashlib
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
import zstandard

from autograder.course.errors import UsageError
from autograder.course.store import reading
from autograder.learner.review.log import NAME, SCHEMA, Log, Row, Spare
from autograder.learner.review.queue import Face

LARGEST = 1 << 30  # bytes of a collection, unpacked
ANKI = {".apkg", ".colpkg"}
_PACKED = ("collection.anki21b", "collection.anki21", "collection.anki2")  # the newest first: older ones beside it may be a notice
_DAMAGED = (zipfile.BadZipFile, zlib.error, zstandard.ZstdError, struct.error, EOFError, OverflowError, RuntimeError, ValueError)
_HISTORY = """
SELECT notes.guid, cards.ord, revlog.id, revlog.ease, revlog.time, revlog.type
FROM revlog JOIN cards ON cards.id = revlog.cid JOIN notes ON notes.id = cards.nid
WHERE revlog.ease BETWEEN 1 AND 4 AND revlog.type IN (0, 1, 2, 3)
"""


class Merged(msgspec.Struct, frozen=True):
    """How many rows a merge added, how many were known already, and how many were left out."""

    new: int
    known: int
    refused: int


def merge(log: Log, other: Path, faces: Iterable[Face], zone: int) -> Merged:
    """Add the rows of `other`: a review log, its folder or its spare copy, or an Anki package with scheduling.

    Anki stores no time zone with a review, so all get `zone`, in minutes east of UTC. Raise `UsageError` if `other` cannot be read.
    """
    path = other / NAME if other.is_dir() else other
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file", f"name another device's {NAME} or its folder, or a package from Anki")
    try:
        found = list(_from_anki(path, faces, zone) if path.suffix in ANKI else _from_log(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as a review log ({error})", f"name a {NAME}, a .jsonl, .apkg or .colpkg") from None
    rows = [one for one in found if isinstance(one, Row)]
    sound = {row.id: row for row in rows if row.sound}
    with log.writing():
        fresh = log.unknown(sound.values())
        for one in (one for one in found if isinstance(one, tuple)):
            log.describe(*one)
        log.insert(fresh)
    return Merged(len(fresh), len(sound) - len(fresh), len(rows) - sum(row.sound for row in rows))


def _from_log(path: Path) -> Iterator[Row | tuple[str, str]]:
    if path.suffix == ".jsonl":
        yield from Spare(path).read()
        return
    with reading(path, SCHEMA) as db:
        for values in db.execute(f"SELECT {', '.join(Row.__struct_fields__)} FROM log"):
            yield _row(values)
        yield from ((str(name)[:200], str(facts)[:10_000]) for name, facts in db.execute("SELECT id, facts FROM schedulings"))


def _row(values: tuple[object, ...]) -> Row:
    try:
        return msgspec.convert(dict(zip(Row.__struct_fields__, values, strict=True)), Row)
    except msgspec.ValidationError:
        return Row("", "", -1, 0, 0, "review")  # not sound: counted as refused


def _from_anki(path: Path, faces: Iterable[Face], zone: int) -> Iterator[Row]:
    """Yield the reviews of our cards in a package. Their ids are made from Anki's, so merging twice adds nothing."""
    known = {(face.of, max(0, face.number - 1)): face.id for face in faces}
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "collection"
        try:
            with zipfile.ZipFile(path) as package, database.open("wb") as out:
                _unpack(package, out)
        except _DAMAGED as error:
            raise OSError(str(error)) from None
        with reading(database) as db:
            for guid, place, at, ease, took, kind in db.execute(_HISTORY):
                if card := known.get((guid, place)):
                    name = hashlib.sha256(f"anki {at} {guid} {place}".encode()).hexdigest()[:32]
                    yield _row((name, "anki", 0, at, zone, "cram" if kind == 3 else "review", card, ease, took, "", ""))


def _unpack(package: zipfile.ZipFile, out: BinaryIO) -> None:
    name = next((one for one in _PACKED if one in package.namelist()), None)
    if name is None:
        raise OSError("no collection in it")
    with package.open(name) as packed:
        reader = zstandard.ZstdDecompressor().stream_reader(packed) if name.endswith("b") else packed
        while block := reader.read(1 << 20):
            if out.tell() > LARGEST:
                raise OSError("too large")
            out.write(block)
