"""Every attempt ever made, in one SQLite file; nothing in it is overwritten.

A result is on disk before the next one is shown. The result's own JSON is the record; the columns beside it are for asking.
What a secret run saw stands in `private`, which no export reads.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from autograder.errors import UsageError
from autograder.model import HandedIn, Override, Person, Result

T = TypeVar("T")
FIRST = HandedIn()
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
    private TEXT NOT NULL,
    handed_in TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX IF NOT EXISTS attempts_of_run ON attempts (run, student, lesson, exercise);
CREATE TABLE IF NOT EXISTS runs (run TEXT PRIMARY KEY, request TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS people (student TEXT PRIMARY KEY, person TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS overrides (id INTEGER PRIMARY KEY, student TEXT NOT NULL, override TEXT NOT NULL);
"""
ATTEMPTS = "SELECT result, private, handed_in FROM attempts WHERE run = ? ORDER BY student, lesson, exercise, id"


class Attempted(msgspec.Struct, frozen=True):
    """One attempt as it was written down."""

    result: Result
    private: dict[str, str]
    handed_in: HandedIn


Choose = Callable[[list[Attempted]], Attempted]


def last(attempts: list[Attempted]) -> Attempted:
    """Choose the attempt that was handed in last; of two gradings of it the later."""
    return max(reversed(attempts), key=lambda one: one.handed_in.attempt)


class Gradebook:
    """An open gradebook. `run` names what one command graded."""

    def __init__(self, path: Path):
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(SCHEMA)
            if "handed_in" not in {row[1] for row in self._db.execute("PRAGMA table_info(attempts)")}:  # older than that column
                self._db.execute("ALTER TABLE attempts ADD COLUMN handed_in TEXT NOT NULL DEFAULT '{}'")
        except sqlite3.Error as error:
            raise UsageError(f"{path}: {error}", "move the file aside, or choose another --out") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._db.close()

    def add(self, run: str, result: Result, private: dict[str, str], handed_in: HandedIn = FIRST) -> None:
        """Write one attempt down."""
        values = (run, result.student, result.lesson, result.exercise, result.status, result.score, result.max_score, result.sha256)
        more = (result.round, result.graded_at, result.version, _json(result), _json(private), _json(handed_in))
        self._db.execute(f"INSERT INTO attempts VALUES (NULL{', ?' * 14})", (*values, *more))

    def attempts(self, run: str) -> Iterator[list[Attempted]]:
        """Give for each student, lesson and exercise of a run all attempts, in the order in which they were graded."""
        rows = (_attempted(*row) for row in self._db.execute(ATTEMPTS, (run,)))
        for _, own in groupby(rows, key=lambda one: (one.result.student, one.result.lesson, one.result.exercise)):
            yield list(own)

    def results(self, run: str, choose: Choose = last) -> Iterator[Result]:
        """Give the results of a run by student, lesson and exercise, of several attempts the one that `choose` takes."""
        for attempts in self.attempts(run):
            yield choose(attempts).result

    def unexplained(self, run: str, choose: Choose = last) -> Iterator[tuple[Result, dict[str, str]]]:
        """Give the results of a run that have private notes, each with these."""
        for attempts in self.attempts(run):
            if (one := choose(attempts)).private:
                yield one.result, one.private

    def last_run(self) -> str | None:
        """Name what the last command graded."""
        found = self._db.execute("SELECT run FROM attempts ORDER BY id DESC LIMIT 1").fetchone()
        return str(found[0]) if found else None

    # ---- the class, and what a person decided

    def begin(self, run: str, request: object) -> None:
        """Write down what a run was asked to grade, so that it can be graded again."""
        self._db.execute("INSERT OR REPLACE INTO runs VALUES (?, ?)", (run, _json(request)))

    def request(self, run: str, kind: type[T]) -> T | None:
        """Give what a run was asked to grade; None for a run older than this."""
        found = self._db.execute("SELECT request FROM runs WHERE run = ?", (run,)).fetchone()
        return msgspec.json.decode(found[0], type=kind) if found else None

    def enrol(self, people: Iterable[Person], *, anew: bool = True) -> None:
        """Keep who is in the class; `anew` takes the place of what was known of them."""
        kept = "REPLACE" if anew else "IGNORE"
        self._db.execute("BEGIN")
        self._db.executemany(f"INSERT OR {kept} INTO people VALUES (?, ?)", ((person.student, _json(person)) for person in people))
        self._db.execute("COMMIT")

    def people(self) -> dict[str, Person]:
        """Give who is in the class, by the name that results carry."""
        rows = self._db.execute("SELECT person FROM people ORDER BY student")
        return {one.student: one for one in (msgspec.json.decode(text, type=Person) for (text,) in rows)}

    def override(self, override: Override) -> None:
        """Append what a person decided; the last for a check holds."""
        self._db.execute("INSERT INTO overrides VALUES (NULL, ?, ?)", (override.student, _json(override)))

    def overrides(self, student: str | None = None) -> list[Override]:
        """List what was decided, of one student or of all, oldest first."""
        rows = self._db.execute("SELECT override FROM overrides WHERE ?1 IS NULL OR student = ?1 ORDER BY id", (student,))
        return [msgspec.json.decode(text, type=Override) for (text,) in rows]


def _attempted(result: str, private: str, handed_in: str) -> Attempted:
    decode = msgspec.json.decode
    return Attempted(decode(result, type=Result), decode(private, type=dict[str, str]), decode(handed_in, type=HandedIn))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
