"""What was done in a workspace: one row for each event, in `.course/state.sqlite`, on disk before anything is shown.

Rows are only added, so two terminals cannot take anything from each other, and a killed process leaves whole events. A file
that cannot be read is kept aside under another name and a new one begun; where nothing can be written, everything works and
nothing is remembered. It counts nothing: `progress` does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import msgspec

PATIENCE = 10.0  # seconds that one terminal waits for another
SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    facts TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_of_subject ON events (kind, subject);
"""
Kind = Literal["read", "check", "hint", "practice", "reset", "submit"]


class Event(msgspec.Struct, frozen=True):
    """One thing that was done, when, to what, and what came of it."""

    at: str
    kind: str
    subject: str
    facts: dict[str, Any]


class State:
    """The open state of a workspace. `note` says what the person should know: kept aside, or not writable."""

    def __init__(self, hidden: Path):
        self.note = ""
        self._path = hidden / "state.sqlite"
        self._db: sqlite3.Connection | None = None
        try:
            self._db = _opened(self._path)
        except sqlite3.DatabaseError as error:
            self._begin_anew(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if self._db:
            self._db.close()

    def add(self, kind: Kind, subject: str, **facts: Any) -> None:
        """Write an event down. It is on disk when this returns; where nothing can be written, `note` says so."""
        if self._db is None:
            return
        row = datetime.now(UTC).isoformat(timespec="milliseconds"), kind, subject, msgspec.json.encode(facts).decode()
        try:
            self._db.execute("INSERT INTO events VALUES (NULL, ?, ?, ?, ?)", row)
        except sqlite3.Error as error:
            self.note = f"{self._path} cannot be written ({error}): what you do is not remembered."

    def events(self, kind: Kind, subject: str | None = None) -> Iterator[Event]:
        """Give the events of a kind, of one subject or of all, in the order they happened."""
        query, values = "SELECT at, kind, subject, facts FROM events WHERE kind = ?", [str(kind)]
        if subject is not None:
            query, values = f"{query} AND subject = ?", [*values, subject]
        for at, of, about, facts in self._db.execute(f"{query} ORDER BY id", values) if self._db else ():
            yield Event(at, of, about, msgspec.json.decode(facts))

    def _begin_anew(self, error: sqlite3.DatabaseError) -> None:
        """Keep a damaged file aside, and begin another; where the disk cannot be written, remember nothing."""
        if isinstance(error, sqlite3.OperationalError):
            self._db = _read_only(self._path)
            self.note = f"{self._path} cannot be opened ({error}): what you do is not remembered."
            return
        aside = self._path.with_name(f"state-damaged-{datetime.now(UTC):%Y%m%d-%H%M%S}.sqlite")
        try:
            self._path.rename(aside)
            for more in ("-wal", "-shm"):
                self._path.with_name(self._path.name + more).unlink(missing_ok=True)
            self._db = _opened(self._path)
            self.note = f"{self._path.name} was damaged: it is kept as {aside.name}, and a new one is begun."
        except (OSError, sqlite3.Error) as problem:
            self.note = f"{self._path} is damaged and cannot be moved ({problem}): what you do is not remembered."


def _read_only(path: Path) -> sqlite3.Connection | None:
    """Open what can only be read, on a disk that takes no writing; None where there is nothing to read."""
    try:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?immutable=1", uri=True, isolation_level=None)
        db.execute("SELECT count(*) FROM events").fetchone()
    except sqlite3.Error:
        return None
    return db


def _opened(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, timeout=PATIENCE)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.executescript(SCHEMA)
        db.execute("SELECT count(*) FROM events").fetchone()
    except sqlite3.Error:
        db.close()
        raise
    return db
