"""Stores: SQLite files with versions.

The gradebook, the review log and the state of a workspace are opened, migrated and written here. `PRAGMA user_version` of such a file
says how many of its schema's migrations it has had. An older file is migrated when it is opened; a newer one is refused and left as
it is. Nothing else in the engine imports `sqlite3`.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from autograder.course.errors import StoreFault, UsageError
from autograder.course.text import clean

Connection = sqlite3.Connection
Migration = str | Path | Callable[[Connection], None]
PATIENCE = 10.0  # seconds to wait for another process
LONGEST_READ, STEPS = 60.0, 10_000  # seconds to read a stranger's database; steps of its queries between two looks at the clock
LIMITS = {sqlite3.SQLITE_LIMIT_LENGTH: 1 << 20, sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100, sqlite3.SQLITE_LIMIT_COLUMN: 200}
_READING = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ)
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


class Schema(msgspec.Struct, frozen=True):
    """One kind of store. A file of version n has had the first n migrations: SQL statements, a file of them, or a function.

    `synchronous` is SQLite's: with FULL a power cut takes nothing that was written, with NORMAL perhaps the last writes. `probe` is a
    query that finds damage: it fails, or returns a text other than "ok".
    """

    migrations: tuple[Migration, ...]
    synchronous: Literal["FULL", "NORMAL"] = "FULL"
    probe: str = ""


class Opened(msgspec.Struct, frozen=True):
    """A learner's store. `note` says what the person should know, `remembers` whether what is written stays."""

    db: Connection
    note: str = ""
    remembers: bool = True


def open_strictly(path: Path, schema: Schema, fix: str) -> Connection:
    """Open a store that has to be whole and writable. Raise `StoreFault` if the disk is full, `UsageError` with `fix` if it is no store."""
    try:
        return _opened_in_turn(path, schema)
    except sqlite3.Error as error:
        if _code(error) in _NO_ROOM:
            raise StoreFault(path, str(error)) from None
        raise UsageError(f"{path}: {error}", fix) from None


def open_leniently(path: Path, schema: Schema, forgets: str) -> Opened:
    """Open a store that should never keep a learner from working. Raise `UsageError` only if it is newer than this version.

    A damaged file is kept aside and a new one begun. A file that cannot be written is copied into memory; `forgets` ends the note then.
    """
    try:
        return Opened(_opened_in_turn(path, schema))
    except sqlite3.OperationalError as error:
        return _forgetful(path, schema, f"{path} cannot be opened ({error}): {forgets}")
    except sqlite3.DatabaseError:
        aside = path.with_name(f"{path.stem}-damaged-{datetime.now(UTC):%Y%m%d-%H%M%S}.sqlite")
    try:
        path.rename(aside)
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        made = _opened_in_turn(path, schema)
    except (OSError, sqlite3.Error) as error:
        return _forgetful(path, schema, f"{path} is damaged and cannot be moved ({error}): {forgets}")
    return Opened(made, f"{path.name} was damaged: it is kept as {aside.name}, and a new one is begun.")


def _code(error: sqlite3.Error) -> int:
    """Return SQLite's code for an error; 0 for one that is not SQLite's."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


@contextmanager
def reading(path: Path, tables: Iterable[str], schema: Schema | None = None) -> Iterator[Connection]:
    """Read plain tables of a database that is not trusted, without writing to it, in bounded time and memory.

    Its views, virtual tables and functions are never run. Raise `OSError` if it cannot be read, `UsageError` if it is newer.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            until = time.monotonic() + LONGEST_READ
            db.set_progress_handler(lambda: time.monotonic() > until, STEPS)
            for limit, most in LIMITS.items():
                db.setlimit(limit, most)
            db.execute("PRAGMA trusted_schema = OFF")
            db.execute("PRAGMA cell_size_check = ON")
            for table in tables:
                _demand_plain(db, table)
            if schema:
                _refuse_newer(db, path, schema)
            db.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY)
            yield db
    except sqlite3.Error as error:
        raise OSError("reading it takes too long" if _code(error) == sqlite3.SQLITE_INTERRUPT else str(error)) from None


def _demand_plain(db: Connection, table: str) -> None:
    """Raise `OSError` if this is a view or a virtual table, or has computed columns: reading it would run what a stranger wrote.

    The first two have no page of their own; `hidden` is above 1 for a computed column.
    """
    query = "SELECT rootpage, sql FROM sqlite_master WHERE name = ? COLLATE NOCASE AND type IN ('table', 'view')"
    plain = all(page and str(made_by).upper().startswith("CREATE TABLE") for page, made_by in db.execute(query, (table,)))
    if not plain or any(hidden > 1 for *_, hidden in db.execute(f"PRAGMA table_xinfo({table})")):
        raise OSError(f"`{table}` is not a plain table")


@contextmanager
def transaction(db: Connection, path: Path) -> Iterator[None]:
    """Make several changes all or nothing, while no other process writes. Raise `StoreFault` if they cannot be written."""
    try:
        with _transaction(db):
            yield
    except sqlite3.Error as error:
        raise StoreFault(path, str(error)) from None


@contextmanager
def _transaction(db: Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # a full disk may have ended it
            db.execute("ROLLBACK")
        raise


def _opened_in_turn(path: Path, schema: Schema) -> Connection:
    """Open a file that another process may be making now: SQLite itself doesn't wait for that."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return _opened(path, schema)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.05)


def _opened(path: Path, schema: Schema) -> Connection:
    db = sqlite3.connect(path, isolation_level=None, timeout=PATIENCE)
    try:
        db.execute("PRAGMA trusted_schema = OFF")
        _refuse_newer(db, path, schema)
        _refuse_strange(db)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA synchronous = {schema.synchronous}")
        _migrate(db, schema.migrations)
        _look_for_damage(db, schema)
    except BaseException:
        db.close()
        raise
    return db


def _look_for_damage(db: Connection, schema: Schema) -> None:
    found = db.execute(schema.probe).fetchone()[0] if schema.probe else "ok"
    if isinstance(found, str) and found != "ok":
        raise sqlite3.DatabaseError(found)


def _refuse_strange(db: Connection) -> None:
    """Raise `sqlite3.DatabaseError` for views, triggers and virtual tables: no store of ours has any, and one may never end."""
    if strange := db.execute("SELECT type, name FROM sqlite_master WHERE rootpage = 0 OR rootpage IS NULL").fetchone():
        raise sqlite3.DatabaseError(clean("it has the {} `{}`, which was not made here".format(*strange), 200))


def _forgetful(path: Path, schema: Schema, note: str) -> Opened:
    """Copy into memory what can only be read; begin with nothing if it cannot be read either."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?immutable=1", uri=True)) as found:
            found.backup(copy)
        _refuse_newer(copy, path, schema)
        _refuse_strange(copy)
        _migrate(copy, schema.migrations)
        _look_for_damage(copy, schema)
    except sqlite3.Error:
        copy.close()
        copy = _opened(Path(":memory:"), schema)
    return Opened(copy, note, remembers=False)


def _migrate(db: Connection, migrations: tuple[Migration, ...]) -> None:
    for number, migration in enumerate(migrations, 1):
        if _version(db) < number:
            with _transaction(db):
                if _version(db) < number:  # no other process was faster
                    _run(db, migration)
                    db.execute(f"PRAGMA user_version = {number}")


def _run(db: Connection, migration: Migration) -> None:
    if callable(migration):
        migration(db)
        return
    statements = migration.read_text(encoding="utf-8") if isinstance(migration, Path) else migration
    for statement in statements.split(";"):  # `executescript` would commit first
        db.execute(statement)


def _version(db: Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _refuse_newer(db: Connection, path: Path, schema: Schema) -> None:
    """Refuse a file that this version would misread, by its number or by a column that it doesn't know."""
    db.execute("BEGIN")  # one snapshot: another process may be migrating the file
    try:
        version, known = _version(db), len(schema.migrations)
        tables = _tables(schema.migrations[: max(1, version)])
        found = {table: columns(db, table) for table in tables}
    finally:
        db.rollback()
    fix = "update the course package, then run the command again; the file was not changed"
    if version > known:
        problem = f"written by a newer version of the course package (format {version}; this version reads up to {known})"
        raise UsageError(f"{path}: {problem}", fix)
    for table, expected in tables.items():
        if unknown := found[table] - expected:
            problem = f"written by another version of the course package (table {table} has the unknown column {min(unknown)})"
            raise UsageError(f"{path}: {problem}", fix)


@cache
def _tables(migrations: tuple[Migration, ...]) -> dict[str, set[str]]:
    """Return the columns of each table that these migrations make."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        _migrate(db, migrations)
        return {table: columns(db, table) for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()}


def columns(db: Connection, table: str) -> set[str]:
    """Return the names of a table's columns; none if there is no such table."""
    return {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
