"""The gradebook: every attempt ever graded, in one SQLite file in which nothing is overwritten.

It is also the journal: a result is on disk before it is shown, so a run that was killed continues where it stopped. Each attempt has
a key of everything that decides it (see `CacheKeys`); a later run reuses an attempt with the same key instead of grading again. The
result's JSON is the record, and the columns beside it are for queries. What a secret run saw is in `private`, which no export reads.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Self, TypeVar

import msgspec

from autograder.course.model import Failure, HandedIn, Notes, Override, Result, Submission
from autograder.course.store import Connection, Schema, columns, open_strictly, transaction
from autograder.instructor.roster import Person

T = TypeVar("T")


def _first(db: Connection) -> None:
    """Create the tables. A gradebook from before versions has them already, perhaps without the latest columns."""
    for statement in Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").split(";"):
        db.execute(statement)
    for column in ("handed_in TEXT NOT NULL DEFAULT '{}'", "key TEXT"):
        if column.split()[0] not in columns(db, "attempts"):
            db.execute(f"ALTER TABLE attempts ADD COLUMN {column}")
    db.execute("CREATE INDEX IF NOT EXISTS attempts_by_key ON attempts (key, student)")


_CALL = re.compile(r"`(\w+)(\(.*?\))?` (.*)", re.DOTALL)


def _notes_as_data(db: Connection) -> None:
    """Rewrite `private`, which held a sentence for each check, hashes under alike:FUNCTION, and a fault of ours."""
    rows = db.execute("SELECT id, private FROM attempts WHERE private != '{}'").fetchall()
    db.executemany("UPDATE attempts SET private = ? WHERE id = ?", [(_json(_notes_of(private)), number) for number, private in rows])


def _notes_of(private: str) -> Notes:
    texts = msgspec.json.decode(private, type=dict[str, str])
    shared = {name.removeprefix("alike:"): texts.pop(name) for name in [*texts] if name.startswith("alike:")}
    fault = texts.pop("fault", "")
    return Notes({name: _failure_of(words) for name, words in texts.items()}, shared, fault)


def _failure_of(words: str) -> Failure:
    call = _CALL.fullmatch(words)
    return Failure("ended", call[1], call[1] + (call[2] or ""), words=call[3]) if call else Failure("demand", words=words)


SCHEMA = Schema((_first, _notes_as_data))
ATTEMPTS = (  # that a run graded, or took over from earlier runs
    "SELECT result, private, handed_in FROM ("
    "SELECT student, lesson, exercise, id, result, private, handed_in FROM attempts WHERE run = ?1 UNION ALL "
    "SELECT student, lesson, exercise, id, result, private, taken.handed_in FROM taken JOIN attempts ON id = attempt WHERE taken.run = ?1"
    ") ORDER BY student, lesson, exercise, id"
)
ADDED = (
    "SELECT id, result, private, handed_in FROM attempts WHERE run = ?1 AND id > ?2 UNION ALL "
    "SELECT id, result, private, taken.handed_in FROM taken JOIN attempts ON id = attempt WHERE taken.run = ?1 AND taken.rowid > ?3"
)
STUDENTS = "SELECT student FROM attempts WHERE run = ?1 UNION SELECT student FROM taken JOIN attempts ON id = attempt WHERE taken.run = ?1"
KNOWN = "SELECT id, result FROM attempts WHERE key = ? AND student = ? AND lesson = ? AND exercise = ? ORDER BY id DESC LIMIT 1"


class Attempted(msgspec.Struct, frozen=True):
    """One graded attempt; the notes are for the instructor only."""

    result: Result
    notes: Notes = Notes()
    handed_in: HandedIn = HandedIn()


class Kept(Attempted, frozen=True):
    """One attempt to store. It is never reused if it has no `key`, since a fault of ours decided it."""

    key: str | None = None


Choose = Callable[[list[Attempted]], Attempted]


def last(attempts: list[Attempted]) -> Attempted:
    """Choose the attempt that was handed in last, as it was graded last."""
    return max(reversed(attempts), key=lambda one: one.handed_in.attempt)


class Gradebook:
    """An open gradebook; a run is what one command graded.

    Opening raises `StoreFault` if the disk is full, and `UsageError` if the file is no gradebook or a newer one. Every method that
    writes is all or nothing, is on disk when it returns, and raises `StoreFault` if it cannot write.
    """

    def __init__(self, path: Path):
        self._path = path
        self._taken: list[tuple[str, int, str]] = []
        self._db = open_strictly(path, SCHEMA, "move the file aside, or choose another --out")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._db.close()

    def keep(self, run: str, attempts: Iterable[Kept]) -> None:
        """Store attempts, with those taken over since the last call."""
        with transaction(self._db, self._path):
            self._db.executemany("INSERT INTO taken VALUES (?, ?, ?)", self._taken)
            self._db.executemany(f"INSERT INTO attempts VALUES (NULL{', ?' * 15})", (_row(run, one) for one in attempts))
        self._taken.clear()

    def take(self, run: str, submission: Submission, key: str) -> Result | None:
        """Return the result of an earlier attempt with this key, if any. It belongs to the run from the next `keep` on."""
        found = self._db.execute(KNOWN, (key, submission.student, submission.lesson, submission.exercise)).fetchone()
        if found is None:
            return None
        self._taken.append((run, found[0], _json(submission.handed_in)))
        return msgspec.json.decode(found[1], type=Result)

    def attempts(self, run: str) -> Iterator[list[Attempted]]:
        """Yield for each student, lesson and exercise of a run all attempts, in the order in which they were graded."""
        rows = (_attempted(*row) for row in self._db.execute(ATTEMPTS, (run,)))
        for _, own in groupby(rows, key=lambda one: (one.result.student, one.result.lesson, one.result.exercise)):
            yield list(own)

    def results(self, run: str, choose: Choose = last) -> Iterator[Result]:
        """Return the results of a run by student, lesson and exercise; `choose` decides between several attempts."""
        return (choose(attempts).result for attempts in self.attempts(run))

    def added(self, run: str, since: tuple[int, int]) -> tuple[tuple[int, int], Iterator[tuple[int, Attempted]]]:
        """Return the place to continue from, and what was added to a run since a place (at first (0, 0)), each with its number.

        Attempts that are added meanwhile may come twice.
        """
        place = self._db.execute("SELECT (SELECT ifnull(max(id), 0) FROM attempts), (SELECT ifnull(max(rowid), 0) FROM taken)").fetchone()
        return place, ((number, _attempted(*row)) for number, *row in self._db.execute(ADDED, (run, *since)))

    def students(self, run: str) -> set[str]:
        """Return the students who have a result in a run."""
        return {name for (name,) in self._db.execute(STUDENTS, (run,))}

    def unexplained(self, run: str, choose: Choose = last) -> Iterator[Attempted]:
        """Return the attempts of a run in which something is wrong that no misconception explains."""
        return (one for one in map(choose, self.attempts(run)) if one.notes.shared_errors)

    def last_run(self) -> str | None:
        """Return the name of the run that began last."""
        found = self._db.execute("SELECT run FROM runs ORDER BY rowid DESC LIMIT 1").fetchone()
        return str(found[0]) if found else None

    def copy_to(self, path: Path) -> None:
        """Write a copy of the whole file."""
        self._db.execute("VACUUM INTO ?", (str(path),))

    def adopt(self, path: Path, run: str) -> None:
        """Add one run from a copy of this file. Nothing may have been added to this file since it was copied."""
        self._db.execute("ATTACH ? AS copy", (str(path),))
        with transaction(self._db, self._path):
            for table in ("attempts", "taken", "runs"):
                self._db.execute(f"INSERT INTO {table} SELECT * FROM copy.{table} WHERE run = ?", (run,))
        self._db.execute("DETACH copy")

    def begin(self, run: str, request: object) -> None:
        """Record what a run was asked to grade, so that it can be graded again."""
        with transaction(self._db, self._path):
            self._db.execute("INSERT OR REPLACE INTO runs VALUES (?, ?)", (run, _json(request)))

    def request(self, run: str | None, kind: type[T]) -> T | None:
        """Return what a run was asked to grade; None if an early version did not record it."""
        found = self._db.execute("SELECT request FROM runs WHERE run = ?", (run,)).fetchone()
        return msgspec.json.decode(found[0], type=kind, dec_hook=lambda kind, text: kind(text)) if found else None

    def enrol(self, people: Iterable[Person], *, anew: bool = True) -> None:
        """Record people of the class; `anew` replaces what was recorded about them before."""
        kept = "REPLACE" if anew else "IGNORE"
        with transaction(self._db, self._path):
            self._db.executemany(f"INSERT OR {kept} INTO people VALUES (?, ?)", ((person.student, _json(person)) for person in people))

    def people(self) -> dict[str, Person]:
        """Return the people of the class by the name that results have."""
        rows = self._db.execute("SELECT student, person FROM people ORDER BY student")
        return {student: msgspec.json.decode(text, type=Person) for student, text in rows}

    def override(self, override: Override) -> None:
        """Append points given by a person; the last override of a check counts."""
        with transaction(self._db, self._path):
            self._db.execute("INSERT INTO overrides VALUES (NULL, ?, ?)", (override.student, _json(override)))

    def overrides(self, student: str | None = None) -> list[Override]:
        """Return the overrides of one student or of all, oldest first."""
        rows = self._db.execute("SELECT override FROM overrides WHERE ?1 IS NULL OR student = ?1 ORDER BY id", (student,))
        return [msgspec.json.decode(text, type=Override) for (text,) in rows]


def _attempted(result: str, private: str, handed_in: str) -> Attempted:
    decode = msgspec.json.decode
    return Attempted(decode(result, type=Result), decode(private, type=Notes), decode(handed_in, type=HandedIn))


def _row(run: str, one: Kept) -> tuple[object, ...]:
    result = one.result
    values = (run, result.student, result.lesson, result.exercise, result.status, result.score, result.max_score, result.sha256)
    more = (result.round, result.graded_at, result.version, _json(result), _json(one.notes), _json(one.handed_in), one.key)
    return (*values, *more)


def _json(value: object) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode()  # the only type that msgspec does not know is Path
