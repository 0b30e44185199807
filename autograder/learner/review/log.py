"""The review log: rows in SQLite, and a spare copy of them as lines of JSON, from which a lost or damaged log is restored.

Rows are only added. An undo is a row that withdraws another, so the union of two devices' logs is a log. `number` is greater than
that of every row that the device knew when it wrote this one. A line of the copy is written before its row, so a killed process can
leave one line too many but never one too few.
"""

import os
import platform
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, Self, get_args

import msgspec

from autograder.course.errors import StoreFault
from autograder.course.store import Schema, open_leniently, transaction

EARLIEST, LATEST = 946_684_800_000, 7_258_118_400_000  # the years 2000 to 2200, in milliseconds: no review lies outside
LONGEST, LONGEST_NAME = 4096, 200  # bytes of a line, letters of a name
LONGEST_ANSWER = 86_400_000  # milliseconds: a day
Kind = Literal["review", "cram", "undo", "bring", "flag", "clock", "adopt"]


class Row(msgspec.Struct, frozen=True):
    """One thing that a learner did with a face: `at` in milliseconds of UTC, `zone` in minutes east of it.

    `took` is in milliseconds. `about` is the id of the row that an undo withdraws, or the reason why a card was brought back.
    """

    id: str
    device: str
    number: int
    at: int
    zone: int
    kind: Kind
    card: str = ""
    rating: int = 0
    took: int = 0
    scheduling: str = ""
    about: str = ""

    @property
    def sound(self) -> bool:
        """Whether this program could have written a row that comes from elsewhere."""
        return (
            EARLIEST <= self.at <= LATEST
            and abs(self.zone) <= 24 * 60
            and self.kind in get_args(Kind)
            and (self.rating in (1, 2, 3, 4) or self.kind not in ("review", "cram"))
            and 0 <= self.number < 2**53
            and 0 <= self.took <= LONGEST_ANSWER
            and all(
                len(name) <= LONGEST_NAME and name.isprintable() for name in (self.id, self.device, self.card, self.scheduling, self.about)
            )
        )


class Spare:
    """The spare copy beside a log. If it cannot be written, there is none."""

    def __init__(self, path: Path):
        self.path = path

    def add(self, found: Iterable[Row | tuple[str, str]]) -> None:
        """Add rows, and schedulings as pairs of id and facts: all of them, or none if the disk is full."""
        lines = b"".join(msgspec.json.encode(one) + b"\n" for one in found)
        before, written = self.size(), 0
        with suppress(OSError), self.path.open("ab", buffering=0) as file:
            written = file.write(lines)
        if written < len(lines):
            self.cut(before)

    def size(self) -> int:
        """Return the size in bytes."""
        with suppress(OSError):
            return self.path.stat().st_size
        return 0

    def cut(self, size: int) -> None:
        """Cut the copy back to this size in bytes: half a line would spoil the next one."""
        with suppress(OSError):
            if self.size() > size:
                os.truncate(self.path, size)

    def read(self) -> Iterator[Row | tuple[str, str]]:
        """Yield what every line says that can be read."""
        with suppress(OSError):
            yield from (found for _, found in self.lines() if found)

    def lines(self) -> Iterator[tuple[int, Row | tuple[str, str] | None]]:
        """Yield each line's number and what it says, None if that is nothing of a log. Raise `OSError` if there is no such file."""
        with self.path.open("rb") as file:
            number, begins = 1, True
            for line in iter(lambda: file.readline(LONGEST), b""):
                if begins and line.strip():
                    yield number, _said(line)
                begins = line.endswith(b"\n")
                number += begins


def _said(line: bytes) -> Row | tuple[str, str] | None:
    with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found = msgspec.json.decode(line, type=Row | tuple[str, str])
        if isinstance(found, tuple) or found.sound:
            return found
    return None


NAME = "reviews.sqlite"
SCHEMA = Schema((Path(__file__).with_suffix(".sql"),), "FULL", "PRAGMA quick_check(1)")
_COLUMNS = ", ".join(Row.__struct_fields__)


class Log:
    """An open review log. `note` says what the learner should know: a damaged file was kept aside, or nothing can be written."""

    def __init__(self, path: Path):
        self.path = path
        opened = open_leniently(path, SCHEMA, "what you answer is not remembered.")
        self._db, self.note = opened.db, opened.note
        self._spare = Spare(path.with_suffix(".jsonl") if opened.remembers else Path(os.devnull))
        self.device = self._device()
        self._restore()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._db.close()

    def last(self) -> int:
        """Return the place of the newest row; 0 for an empty log."""
        return int(self._db.execute("SELECT coalesce(max(place), 0) FROM log").fetchone()[0])

    def since(self, place: int) -> list[Row]:
        """Return the rows that were written after that place."""
        return self._rows("WHERE place > ? ORDER BY place", place)

    def of(self, cards: Iterable[str] | None = None) -> dict[str, list[Row]]:
        """Return the rows of some faces, or of all, by face."""
        if cards is None:
            return grouped(self._rows("WHERE card != ''"), "card")
        return grouped((row for card in cards for row in self._rows("WHERE card = ?", card)), "card")

    def special(self, kind: Kind) -> list[Row]:
        """Return the rows of a kind other than `review` and `cram`, which are indexed because they are rare."""
        return self._rows("WHERE kind NOT IN ('review', 'cram') AND kind = ? ORDER BY number, id", kind)

    def newest_reading(self) -> int:
        """Return the latest time of this device since its clock was last corrected, in milliseconds; 0 if it wrote nothing."""
        right = "SELECT coalesce(max(number), 0) FROM log WHERE kind = 'clock' AND device = ?"
        query = f"SELECT coalesce(max(at), 0) FROM log WHERE device = ? AND number >= ({right})"
        return int(self._db.execute(query, (self.device, self.device)).fetchone()[0])

    def latest_answers(self) -> Iterator[Row]:
        """Yield this device's answers, newest first."""
        query = f"SELECT {_COLUMNS} FROM log WHERE device = ? AND kind IN ('review', 'cram') ORDER BY number DESC, place DESC"
        return (Row(*values) for values in self._db.execute(query, (self.device,)))

    def unknown(self, rows: Iterable[Row]) -> list[Row]:
        """Return those of the rows that are not in the log."""
        known = {found for (found,) in self._db.execute("SELECT id FROM log")}
        return [row for row in rows if row.id not in known]

    def schedulings(self) -> dict[str, str]:
        """Return the facts of all schedulings by id."""
        return dict(self._db.execute("SELECT id, facts FROM schedulings"))

    def cached(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return what the cache says about itself, and its states by face."""
        return dict(self._db.execute("SELECT name, value FROM cached")), dict(self._db.execute("SELECT card, state FROM states"))

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read several things from one snapshot, whatever others write meanwhile."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("COMMIT")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Make several changes all or nothing, in the spare copy too. Raise `StoreFault` if they cannot be written."""
        before: int | None = None
        try:
            with transaction(self._db, self.path):
                before = self._spare.size()
                yield
        except BaseException:
            if before is not None:
                self._spare.cut(before)
            raise

    def add(self, kind: Kind, at: int, zone: int, *, card: str = "", rating: int = 0, took: int = 0,
            scheduling: str = "", about: str = "") -> Row:  # fmt: skip
        """Add a row. It is on disk when this returns, or when the `writing` around it ends."""
        number = int(self._db.execute("SELECT coalesce(max(number), 0) + 1 FROM log").fetchone()[0])
        row = Row(uuid.uuid4().hex, self.device, number, at, zone, kind, card, rating, took, scheduling, about)
        self.insert([row])
        return row

    def insert(self, rows: Iterable[Row]) -> None:
        """Add the rows that are not in the log yet."""
        rows = list(rows)
        self._spare.add(rows)
        self._insert(rows)

    def describe(self, name: str, facts: str) -> None:
        """Record the facts of a scheduling, once."""
        if name not in self.schedulings():
            self._spare.add([(name, facts)])
        self._db.execute("INSERT OR IGNORE INTO schedulings VALUES (?, ?)", (name, facts))

    def cache(self, about: dict[str, str], states: dict[str, str], *, whole: bool) -> None:
        """Cache states, in addition to the cached ones or (`whole`) instead of them."""
        if whole:
            self._db.execute("DELETE FROM states")
        self._db.executemany("INSERT OR REPLACE INTO cached VALUES (?, ?)", about.items())
        self._db.executemany("INSERT OR REPLACE INTO states VALUES (?, ?)", states.items())

    def _rows(self, where: str, *values: object) -> list[Row]:
        return [Row(*found) for found in self._db.execute(f"SELECT {_COLUMNS} FROM log {where}", values)]

    def _insert(self, rows: Iterable[Row]) -> None:
        marks = ", ".join("?" * len(Row.__struct_fields__))
        self._db.executemany(f"INSERT OR IGNORE INTO log ({_COLUMNS}) VALUES ({marks})", (msgspec.structs.astuple(row) for row in rows))

    def _device(self) -> str:
        """Return the name of this file on this machine. A copy of the file, here or elsewhere, is another device."""
        mark = f"{platform.node()}:{self.path.stat().st_ino}" if self.path.is_file() else ""
        found = self._db.execute("SELECT device FROM devices WHERE mark = ?", (mark,)).fetchone()
        if found:
            return str(found[0])
        name = uuid.uuid4().hex[:12]
        with suppress(StoreFault), transaction(self._db, self.path):  # a disk that takes no writing
            self._db.execute("INSERT OR IGNORE INTO devices VALUES (?, ?)", (mark, name))
        return name

    def _restore(self) -> None:
        """Fill an empty log from its spare copy, or begin a copy if there is none."""
        if self.last() == 0:
            found = list(self._spare.read())
            rows = [one for one in found if isinstance(one, Row)]
            with self.writing():
                self._insert(rows)
                self._db.executemany("INSERT OR IGNORE INTO schedulings VALUES (?, ?)", (one for one in found if isinstance(one, tuple)))
            if rows:
                self.note = f"{self.note} {len(rows)} rows are brought over from {self._spare.path.name}.".strip()
        elif not self._spare.path.exists():
            self._spare.add([*self.schedulings().items(), *self.since(0)])


def grouped(rows: Iterable[Row], key: Literal["card", "device"]) -> dict[str, list[Row]]:
    """Return the rows by card or by device."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(getattr(row, key), []).append(row)
    return found
