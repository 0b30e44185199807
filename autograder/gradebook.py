"""Every attempt ever made, in one SQLite file; nothing in it is overwritten.

A result is on disk before the next one is shown. The result's own JSON is the record; the columns beside it are for asking.
What a secret run saw stands in `private`, which no export reads.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from autograder.errors import UsageError
from autograder.model import Result

SCHEMA = """
CREATE TABLE IF NOT EXISTS attempts (
    id INTEGER PRIMARY KEY,
    run TEXT NOT NULL,
    student TEXT NOT NULL,
    lesson TEXT NOT NULL,
    exercise TEXT NOT NULL,
    status TEXT NOT NULL,
    score REAL NOT NULL,
    max_score REAL NOT NULL,
    sha256 TEXT,
    round TEXT NOT NULL,
    graded_at TEXT NOT NULL,
    version TEXT NOT NULL,
    result TEXT NOT NULL,
    private TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS attempts_of_run ON attempts (run, student, lesson, exercise);
"""
LAST = (  # the last attempt of each student and exercise in a run
    "SELECT result, private FROM attempts WHERE id IN (SELECT max(id) FROM attempts WHERE run = ? GROUP BY student, lesson, exercise)"
    " ORDER BY student, lesson, exercise"
)


class Gradebook:
    """An open gradebook. `run` names what one command graded."""

    def __init__(self, path: Path):
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(SCHEMA)
        except sqlite3.Error as error:
            raise UsageError(f"{path}: {error}", "move the file aside, or choose another --out") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._db.close()

    def add(self, run: str, result: Result, private: dict[str, str]) -> None:
        """Write one attempt down."""
        values = (run, result.student, result.lesson, result.exercise, result.status, result.score, result.max_score, result.sha256)
        more = (result.round, result.graded_at, result.version, _json(result), _json(private))
        self._db.execute(f"INSERT INTO attempts VALUES (NULL{', ?' * 13})", (*values, *more))

    def results(self, run: str) -> Iterator[Result]:
        """Give the results of a run by student, lesson and exercise; the last attempt where there are several."""
        for text, _ in self._db.execute(LAST, (run,)):
            yield msgspec.json.decode(text, type=Result)

    def unexplained(self, run: str) -> Iterator[tuple[Result, dict[str, str]]]:
        """Give the results of a run that have private notes, each with these."""
        for text, private in self._db.execute(LAST, (run,)):
            if private != "{}":
                yield msgspec.json.decode(text, type=Result), msgspec.json.decode(private, type=dict[str, str])

    def last_run(self) -> str | None:
        """Name what the last command graded."""
        found = self._db.execute("SELECT run FROM attempts ORDER BY id DESC LIMIT 1").fetchone()
        return str(found[0]) if found else None


def _json(value: Result | dict[str, str]) -> str:
    return msgspec.json.encode(value).decode()
