"""The gradebook: every attempt ever graded, in one SQLite file in which nothing is overwritten.

A run holds the whole class: when it begins, it takes over every attempt of the run before that stands, under the person's name of now.

It is also the journal: a result is on disk before it is shown, so a run that was killed continues where it stopped. Each attempt has
a key of everything that decides it (see `CacheKeys`); a later run reuses an attempt with the same key instead of grading again. The
result's JSON is the record, and the columns beside it are for queries. What a secret run saw is in `private`, which no export reads.

Every row is sealed with the secret of OUT's newest round (see `rounds.Seals`). Reading a row whose seal does not hold raises
`UsageError`: whoever can write this file but does not know the secret can add or change no result.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import msgspec
from msgspec.structs import replace

from autograder.course.errors import UsageError
from autograder.course.files import refuse_others
from autograder.course.model import Failure, HandedIn, Notes, Override, Result, Submission
from autograder.course.store import Connection, Schema, columns, open_strictly, transaction
from autograder.grading.rounds import Seals, open_round, seals_of
from autograder.instructor.overrides import dropped_of
from autograder.instructor.roster import Person

T = TypeVar("T")
Taken = tuple[str, int, str, str, str, str]  # a row of `taken`


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


TABLES = ("attempts", "taken", "runs", "people", "overrides")
_SEALS = ";".join(f"ALTER TABLE {table} ADD COLUMN seal TEXT" for table in TABLES)
_TAKEN_FOR = "ALTER TABLE taken ADD COLUMN found_by TEXT; ALTER TABLE taken ADD COLUMN student TEXT"  # NULL: this run, its own name
SCHEMA = Schema((_first, _notes_as_data, _SEALS, _TAKEN_FOR))
_OWN = "id, attempts.student, lesson, exercise, attempts.run, result, private, attempts.handed_in, ifnull(key, ''), attempts.seal"
_OF_RUN = "taken.run, taken.handed_in, taken.seal, found_by, taken.student"  # NULL unless a run took the attempt over
_BEFORE = "ifnull(found_by, taken.run) != taken.run"
_GRADED = "SELECT id, NULL, student AS name, lesson, exercise, 0 AS before, id AS place FROM attempts WHERE run = :run"
_TAKEN = (
    f"SELECT id, taken.rowid, ifnull(taken.student, attempts.student), lesson, exercise, {_BEFORE}, "
    f"CASE WHEN {_BEFORE} THEN taken.rowid ELSE id END FROM taken JOIN attempts ON id = attempt WHERE taken.run = :run"
)
_AMONG = ":first IS NULL OR name BETWEEN :first AND :last"
ORDERED = f"SELECT * FROM ({_GRADED} UNION ALL {_TAKEN}) WHERE {_AMONG} ORDER BY name, lesson, exercise, before DESC, place"
ADDED = f"{_GRADED} AND id > :attempt UNION ALL {_TAKEN} AND taken.rowid > :taken"
LISTED = f"SELECT DISTINCT lesson, exercise, name FROM ({_GRADED} UNION ALL {_TAKEN})"
TAKE = "INSERT INTO taken VALUES (?, ?, ?, ?, ?, ?)"
ROW = f"SELECT {_OWN}, {_OF_RUN} FROM attempts LEFT JOIN taken ON taken.rowid = ? WHERE id = ?"
KNOWN = "SELECT id FROM attempts WHERE key = ? AND student = ? AND lesson = ? AND exercise = ? ORDER BY id DESC LIMIT 1"


class Attempted(msgspec.Struct, frozen=True):
    """One graded attempt; the notes are for the instructor only. `found_by` names the run before that found it, if this one did not."""

    result: Result
    notes: Notes = Notes()
    handed_in: HandedIn = HandedIn()
    found_by: str = ""
    id: int = 0  # in the gradebook

    @property
    def is_work(self) -> bool:
        """Whether there is something that was handed in for the exercise."""
        return self.result.status not in ("missing", "unrecognised")


class Kept(Attempted, frozen=True):
    """One attempt to store. It is never reused if it has no `key`, since a fault of ours decided it."""

    key: str | None = None


Choose = Callable[[list[Attempted]], Attempted]


def standing(attempts: Sequence[Attempted]) -> list[Attempted]:
    """Return the attempts at one exercise between which there is a choice, the last at the end.

    What a run grades again replaces earlier results of the same file, and keeps their times if it knows none. An attempt that was found
    before stays beside those of a later run; only where there is no work at all, the exercise is missing or unrecognised.
    """
    own = {one.handed_in.attempt: one for one in attempts if not one.found_by}  # if one was graded twice, the later result
    again = {one.result.sha256 or "": one for one in own.values() if one.result.sha256 and one.result.status != "not_judged"}
    earlier: dict[object, Attempted] = {}
    timed: dict[int, list[Attempted]] = {}
    for one in (each for each in attempts if each.found_by):
        twin = own.get(one.handed_in.attempt)
        if twin and _is_same(one, twin):
            if _has_time(one) and not _has_time(twin):
                timed.setdefault(one.handed_in.attempt, []).append(replace(twin, handed_in=one.handed_in))
            continue
        key = (one.result.sha256 or one.result.status, one.handed_in.attempt, one.handed_in.at)
        earlier.pop(key, None)
        graded = again.get(one.result.sha256 or "", one)
        earlier[key] = replace(one, result=graded.result, notes=graded.notes, id=graded.id)
    found = [*earlier.values(), *(one for number in sorted(own) for one in timed.get(number, [own[number]]))]
    return [one for one in found if one.is_work] or found


def _is_same(before: Attempted, now: Attempted) -> bool:
    times = {before.handed_in.at, now.handed_in.at} - {None}
    return before.result.sha256 == now.result.sha256 and before.is_work == now.is_work and len(times) < 2


def _has_time(one: Attempted) -> bool:
    return one.handed_in.at is not None or one.handed_in.late is not None


def last(attempts: list[Attempted]) -> Attempted:
    """Choose the attempt that was handed in last, of the run that found one last."""
    return standing(attempts)[-1]


class Gradebook(AbstractContextManager["Gradebook"]):
    """An open gradebook; a run is what one command graded.

    Opening raises `StoreFault` if the disk is full, and `UsageError` if the file is no gradebook, a newer one, or lacks its secrets.
    Every method that writes is all or nothing, is on disk when it returns, and raises `StoreFault` if it cannot write. Every method that
    reads raises `UsageError` for a row that `course` did not write. A copy elsewhere needs the `seals` of the original.
    """

    def __init__(self, path: Path, seals: Seals | None = None):
        for part in (path.parent, path):
            refuse_others(part)
        if seals is None and not path.exists():
            open_round(path.parent)
        self.path = path
        self._taken: list[Taken] = []
        self._db = open_strictly(path, SCHEMA, "move the file aside, or choose another --out")
        self.seals = seals or seals_of(path.parent)

    def __exit__(self, *raised: object) -> None:
        self._db.close()

    def keep(self, run: str, attempts: Iterable[Kept]) -> None:
        """Store attempts, with those taken over since the last call."""
        with transaction(self._db, self.path):
            self._db.executemany(TAKE, self._taken)
            self._db.executemany(f"INSERT INTO attempts VALUES (NULL{', ?' * 16})", (self._row(run, one) for one in attempts))
        self._taken.clear()

    def take(self, run: str, submission: Submission, key: str) -> Result | None:
        """Return the result of an earlier attempt with this key, if any. It belongs to the run from the next `keep` on."""
        if (found := self._db.execute(KNOWN, (key, submission.student, submission.lesson, submission.exercise)).fetchone()) is None:
            return None
        row = self._read(*found)
        self._taken.append(self._taking(run, row[0], row[5], _json(submission.handed_in), run, submission.student))
        return self._attempted(row).result

    def attempts(self, run: str, among: tuple[str, str] | None = None) -> Iterator[list[Attempted]]:
        """Yield a run's attempts by student (`among` a first and a last name), lesson and exercise: those found before, then the others."""
        absent = self.dropped()
        yield from ([*map(self._attempted, rows)] for student, rows in self._grouped(run, *(among or ())) if student not in absent)

    def results(self, run: str, choose: Choose = last) -> Iterator[Result]:
        """Return the results of a run by student, lesson and exercise; `choose` decides between several attempts."""
        return (choose(attempts).result for attempts in self.attempts(run))

    def added(self, run: str, since: tuple[int, int]) -> tuple[tuple[int, int], Iterator[tuple[int, Attempted]]]:
        """Return the place to continue from, and what was added to a run since a place (at first (0, 0)), each with its number.

        Attempts that are added meanwhile may come twice.
        """
        place = self._db.execute("SELECT (SELECT ifnull(max(id), 0) FROM attempts), (SELECT ifnull(max(rowid), 0) FROM taken)").fetchone()
        absent, found = self.dropped(), self._db.execute(ADDED, {"run": run, "attempt": since[0], "taken": since[1]})
        return place, ((row[6], self._attempted(self._read(*row[:2]))) for row in found if row[2] not in absent)

    def listed(self, run: str) -> dict[tuple[str, str], set[str]]:
        """Return the students who have a result in a run, without those who were dropped, by lesson and exercise."""
        absent, found = self.dropped(), dict[tuple[str, str], set[str]]()
        for lesson, exercise, student in self._db.execute(LISTED, {"run": run}):
            found.setdefault((lesson, exercise), set()).add(student)
        return {key: own - absent for key, own in found.items() if own - absent}

    def students(self, run: str) -> set[str]:
        """Return the students who have a result in a run, without those who were dropped."""
        return set().union(*self.listed(run).values())

    def dropped(self) -> set[str]:
        """Return the students who were dropped from the class. Their attempts stay here, and nothing else returns them."""
        overrides = [one for one in self.overrides() if one.kind == "dropped"]
        return dropped_of(overrides, self.people()) if overrides else set()

    def last_run(self) -> str | None:
        """Return the name of the run that began last."""
        return next(reversed(self.runs()), None)

    def runs(self) -> list[str]:
        """Return the names of all runs, in the order in which they began."""
        return [name for (name,) in self._db.execute("SELECT run FROM runs ORDER BY rowid")]

    def copy_to(self, path: Path) -> None:
        """Write a copy of the whole file."""
        self._db.execute("VACUUM INTO ?", (str(path),))

    def adopt(self, path: Path, runs: Iterable[str]) -> None:
        """Add runs from a copy of this file. Nothing may have been added to this file since it was copied."""
        self._db.execute("ATTACH ? AS copy", (str(path),))
        with transaction(self._db, self.path):
            for run in runs:
                for table in ("attempts", "taken", "runs"):
                    self._db.execute(f"INSERT INTO {table} SELECT * FROM copy.{table} WHERE run = ?", (run,))
        self._db.execute("DETACH copy")

    def begin(self, run: str, request: object, earlier: str | None = None, people: Iterable[Person] = (),
              renamed: Mapping[str, str] | None = None) -> None:  # fmt: skip
        """Record what a run was asked to grade, so that it can be graded again, and the people in it.

        It takes over all of an `earlier` run's class that still counts; `renamed` has new names of people.
        """
        with transaction(self._db, self.path):
            self._db.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?)", self._pair("runs", run, request))
            self._db.executemany("DELETE FROM people WHERE student = ?", ((name,) for name in renamed or ()))
            self._enrol(people)
            self._db.executemany(TAKE, self._taken_over(run, earlier, renamed or {}) if earlier else ())

    def _taken_over(self, run: str, earlier: str, renamed: Mapping[str, str]) -> Iterator[Taken]:
        for name, rows in self._grouped(earlier):
            student = renamed.get(name, name)
            if len(rows) == 1:  # nothing to choose between: of a large class, nearly always
                handed_in, found_by = self._verified(rows[0])
                yield self._taking(run, rows[0][0], rows[0][5], handed_in, found_by or earlier, student)
                continue
            texts = {row[0]: row[5] for row in rows}
            for one in standing([*map(self._attempted, rows)]):
                yield self._taking(run, one.id, texts[one.id], _json(one.handed_in), one.found_by or earlier, student)

    def request(self, run: str | None, kind: type[T]) -> T | None:
        """Return what a run was asked to grade; None if an early version did not record it."""
        found = self._pairs("runs", "SELECT run, request, seal FROM runs WHERE run = ?", run)
        return next((msgspec.json.decode(text, type=kind, dec_hook=lambda kind, text: kind(text)) for _, text in found), None)

    def enrol(self, people: Iterable[Person]) -> None:
        """Record people of the class, in place of what was recorded about them before."""
        with transaction(self._db, self.path):
            self._enrol(people)

    def _enrol(self, people: Iterable[Person]) -> None:
        rows = (self._pair("people", person.student, person) for person in people)
        self._db.executemany("INSERT OR REPLACE INTO people VALUES (?, ?, ?)", rows)

    def people(self) -> dict[str, Person]:
        """Return the people of the class by the name that results have."""
        rows = self._pairs("people", "SELECT student, person, seal FROM people ORDER BY student")
        return {student: msgspec.json.decode(text, type=Person) for student, text in rows}

    def override(self, *overrides: Override) -> None:
        """Append what a person decided; nothing that was decided before is lost."""
        with transaction(self._db, self.path):
            rows = (self._pair("overrides", one.student, one) for one in overrides)
            self._db.executemany("INSERT INTO overrides VALUES (NULL, ?, ?, ?)", rows)

    def overrides(self, student: str | None = None) -> list[Override]:
        """Return the overrides of one person, by their key, or of all, oldest first."""
        query = "SELECT student, override, seal FROM overrides WHERE student = ifnull(?, student) ORDER BY id"
        return [msgspec.json.decode(text, type=Override) for _, text in self._pairs("overrides", query, student)]

    def _grouped(self, run: str, first: str | None = None, last: str | None = None) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
        """Yield each student's name and rows of a run, by exercise. Only places are sorted: whole rows would all be written to the disk."""
        for (student, *_), own in groupby(self._db.execute(ORDERED, {"run": run, "first": first, "last": last}), key=itemgetter(2, 3, 4)):
            yield student, [self._read(*place[:2]) for place in own]

    def _read(self, attempt: int, taken: int | None = None) -> Any:
        return self._db.execute(ROW, (taken, attempt)).fetchone()

    def _row(self, run: str, one: Kept) -> tuple[object, ...]:
        result, texts = one.result, (_json(one.result), _json(one.notes), _json(one.handed_in))
        values = (run, result.student, result.lesson, result.exercise, result.status, result.score, result.max_score, result.sha256)
        more = (result.round, result.graded_at, result.version, *texts, one.key)
        return (*values, *more, self.seals.seal("attempts", run, *texts, one.key or ""))

    def _attempted(self, row: tuple[Any, ...]) -> Attempted:
        """Return the attempt in a row (see `_OWN`); of one that a run took over, with the facts that belong to that run."""
        handed_in, found_by = self._verified(row)
        decode = msgspec.json.decode
        found = decode(row[5], type=Result)
        if (found.student, found.lesson, found.exercise) != row[1:4]:
            self._refuse("attempts")
        found = replace(found, student=row[14]) if row[14] else found
        return Attempted(found, decode(row[6], type=Notes), decode(handed_in, type=HandedIn), found_by, row[0])

    def _verified(self, row: tuple[Any, ...]) -> tuple[str, str]:
        """Demand the seals of a row; return when its attempt was handed in, as the run's text, and the run before that found it, or ""."""
        run, result, private, handed_in, key, seal, taken_by, taken_in, taken_seal, found_by, name = row[4:15]
        self._demand("attempts", seal, run, result, private, handed_in, key)
        if taken_by is None:
            return handed_in, ""
        self._demand("taken", taken_seal, taken_by, result, taken_in, *(part for part in (found_by, name) if part is not None))
        return taken_in, found_by if found_by and found_by != taken_by else ""

    def _taking(self, run: str, number: int, result: str, handed_in: str, found_by: str, student: str) -> Taken:
        """Return the row with which a run takes attempt `number` over; `result` and `handed_in` are the texts of it."""
        return run, number, handed_in, self.seals.seal("taken", run, result, handed_in, found_by, student), found_by, student

    def _pair(self, table: str, name: str, value: object) -> tuple[str, str, str]:
        text = _json(value)
        return name, text, self.seals.seal(table, name, text)

    def _pairs(self, table: str, query: str, *values: object) -> Iterator[tuple[str, str]]:
        for name, text, seal in self._db.execute(query, values):
            self._demand(table, seal, name, text)
            yield name, text

    def _demand(self, table: str, seal: object, *parts: str) -> None:
        if not self.seals.holds(seal, table, *parts):
            self._refuse(table)

    def _refuse(self, table: str) -> NoReturn:
        fix = "restore it together with the folder `private` beside it, or grade into a new folder with --out"
        raise UsageError(f"{self.path}: a row of `{table}` was not written with this folder's secret", fix)


def _json(value: object) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode()  # the only type that msgspec does not know is Path
