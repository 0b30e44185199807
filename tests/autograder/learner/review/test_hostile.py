"""Databases and files that a stranger prepared: refused or read in bounded time, and no log is worse for it."""

import hashlib
import json
import os
import sqlite3
import zipfile
from contextlib import closing

import msgspec
import pytest

from autograder.course import store
from autograder.course.errors import UsageError
from autograder.learner.review import merge as merging
from autograder.learner.review.log import Log, Row, Spare
from autograder.learner.review.merge import Merged
from autograder.learner.review.schedule import Scheduling, scheduling_in_force
from autograder.learner.workspace import State
from tests.autograder.learner.review.conftest import MORNING, later

NOW = 1_772_000_000_000
COLUMNS = "id TEXT, device TEXT, number INTEGER, at INTEGER, zone INTEGER, kind TEXT, card TEXT, rating INTEGER, took INTEGER, scheduling TEXT, about TEXT"
GOOD = ("a", "other", 1, NOW, 0, "review", "13_adding/plain", 3, 1000, "", "")
FIELDS = [column.split()[0] for column in COLUMNS.split(", ")]
LOG, SCHEDULINGS = f"CREATE TABLE log ({COLUMNS})", "CREATE TABLE schedulings (id TEXT, facts TEXT)"
ENDLESS = "WITH RECURSIVE endless(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM endless)"
AS_ROWS = "'a', 'other', n, 1772000000000, 0, 'review', 'c', 3, 0, '', '' FROM endless"


def database(path, *statements, rows=()):
    with closing(sqlite3.connect(path)) as db, db:
        for statement in statements:
            db.execute(statement)
        if rows:
            db.executemany(f"INSERT INTO log VALUES ({', '.join('?' * len(FIELDS))})", rows)
    return path


@pytest.fixture
def deck(opened, tmp_path):
    """A deck with a few answers; whatever a merge did, it goes on, and its spare copy has every row."""
    deck = opened(place=tmp_path / "own")
    for number in range(3):
        deck.answer(deck.next_card(later(minutes=number)), 3, later(minutes=number))
    yield deck
    before = deck.log.since(0)
    deck.answer(deck.next_card(later(days=2)) or next(iter(deck.faces.values())), 3, later(days=2))
    rows = deck.log.since(0)
    assert len(rows) == len(before) + 1
    assert all(row.sound for row in rows)
    assert rows[-1].number < 2**40
    assert [one for one in Spare(tmp_path / "own" / "reviews.jsonl").read() if isinstance(one, Row)] == rows
    deck.close()
    with Log(tmp_path / "own" / "reviews.sqlite") as again:
        assert (again.note, again.since(0)) == ("", rows)


# ---- a review log


VIEW = f"CREATE VIEW log AS {ENDLESS} SELECT {AS_ROWS}"
REFUSED = {  # what is there instead of the tables -> why it is refused
    "an endless view": ((VIEW, SCHEDULINGS), "`log` is not a plain table"),
    "a view in capitals": ((VIEW.replace("VIEW log", "VIEW LOG"), SCHEDULINGS), "`log` is not a plain table"),
    "a view of schedulings": ((LOG, f"CREATE VIEW schedulings AS {ENDLESS} SELECT n AS id, n AS facts FROM endless"), "`schedulings` is not a plain table"),
    "a virtual table": (("CREATE VIRTUAL TABLE log USING fts5(id)", SCHEDULINGS), "`log` is not a plain table"),
    "no log": (("CREATE TABLE diary (day TEXT)",), "no such table: log"),
    "no such column": ((LOG.replace(", about TEXT", ""), SCHEDULINGS), "no such column: about"),
}


@pytest.mark.parametrize(("statements", "why"), REFUSED.values(), ids=REFUSED)
def test_a_log_that_is_no_plain_table_is_refused_at_once(deck, tmp_path, statements, why):
    path, before = database(tmp_path / "other.sqlite", *statements), deck.log.since(0)
    with pytest.raises(UsageError) as refused:
        deck.merge(path, MORNING)
    assert str(refused.value) == f"{path}: cannot be read as a review log ({why})\n  fix: name a reviews.sqlite, a .jsonl, .apkg or .colpkg"
    assert deck.log.since(0) == before


@pytest.mark.parametrize(
    "computed",
    ["zeroblob(1000000000)", "printf('%1000000000d', number)", " || ".join(["card"] * 90), f"card LIKE '{'%a' * 40}b'", "number"],
    ids=["zeros", "a number in words", "a text many times", "a pattern", "harmless"],
)
@pytest.mark.parametrize("kept", ["VIRTUAL", "STORED"])
def test_a_log_with_computed_columns_is_refused_at_once(deck, tmp_path, computed, kept):
    """A few bytes in a file would take all memory, or hours."""
    path = database(tmp_path / "other.sqlite", LOG.replace("about TEXT", f"about TEXT AS ({computed}) {kept}"), SCHEDULINGS)
    with pytest.raises(UsageError, match="`log` is not a plain table"):
        deck.merge(path, MORNING)


def test_what_a_stranger_adds_around_the_log_is_never_run(deck, tmp_path):
    """Triggers and views beside the log, an index, other tables: its rows are read, and nothing is written to the file."""
    more = (
        f"CREATE TRIGGER endless AFTER INSERT ON log BEGIN INSERT INTO schedulings {ENDLESS} SELECT n, n FROM endless; END",
        f"CREATE VIEW beside AS {ENDLESS} SELECT n FROM endless",
        "CREATE INDEX of_card ON log (card)",
    )
    path = database(tmp_path / "other.sqlite", LOG, SCHEDULINGS, *more[1:])
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"INSERT INTO log VALUES ({', '.join('?' * len(FIELDS))})", GOOD)
        db.execute(more[0])
    before = path.read_bytes()
    assert deck.merge(path, MORNING) == Merged(1, 0, 0)
    assert path.read_bytes() == before


VALUES = {  # a column -> a value that makes the row unsound
    "a number at the end": {"number": 2**53 - 1},
    "a number near the end": {"number": 2**53 - 2},
    "a number past the end": {"number": 2**63 - 1},
    "a number far ahead": {"number": 10**7},
    "a negative number": {"number": -1},
    "a number as text": {"number": "one"},
    "a real number": {"number": 1.5},
    "an answer of centuries": {"took": 2**53 - 1},
    "a time at the end": {"at": 2**53 - 1},
    "a time before all": {"at": -(2**63)},
    "a zone of its own": {"zone": 2**40},
    "another kind": {"kind": "drop"},
    "another rating": {"rating": 9},
    "nothing": {"id": None},
    "bytes": {"card": b"\x00\xff"},
    "a huge text": {"card": "x" * 900_000},
    "a text for the terminal": {"about": "\x1b[2J"},
    "a text that is turned": {"card": "\u202egnp.exe"},
    "a line's end": {"device": "a\nb"},
}


@pytest.mark.parametrize("changes", VALUES.values(), ids=VALUES)
def test_a_row_that_we_could_not_have_written_is_left_out_and_counted(deck, tmp_path, changes):
    strange = [changes.get(field, value) for field, value in zip(FIELDS, GOOD, strict=True)]
    path = database(tmp_path / "other.sqlite", LOG, SCHEDULINGS, rows=[strange, ["b", *GOOD[1:]]])
    assert deck.merge(path, MORNING) == Merged(1, 0, 1)


def test_numbers_grow_only_as_logs_do(deck, tmp_path):
    """However often a hostile log is merged, a number is hardly greater than the count of rows."""
    for turn in range(20):
        rows = [[f"{turn} {exponent}", "other", 2**exponent, *GOOD[3:]] for exponent in range(54)]
        deck.merge(database(tmp_path / f"{turn}.sqlite", LOG, SCHEDULINGS, rows=rows), MORNING)
    assert max(row.number for row in deck.log.since(0)) < 2**21


def test_a_log_of_too_many_rows_is_refused(deck, tmp_path, monkeypatch):
    monkeypatch.setattr(merging, "MOST", 100)
    for name, count in (("fits", 100), ("over", 101)):
        database(tmp_path / f"{name}.sqlite", LOG, SCHEDULINGS, rows=[[f"{name} {number}", *GOOD[1:]] for number in range(count)])
    assert deck.merge(tmp_path / "fits.sqlite", MORNING).new == 100
    with pytest.raises(UsageError, match="too many rows"):
        deck.merge(tmp_path / "over.sqlite", MORNING)


def test_a_text_of_more_than_a_megabyte_is_refused(deck, tmp_path):
    path = database(tmp_path / "other.sqlite", LOG, SCHEDULINGS, rows=[["b", "x" * (3 << 20), *GOOD[2:]]])
    with pytest.raises(UsageError, match="string or blob too big"):
        deck.merge(path, MORNING)


def test_text_that_is_no_text_is_refused(deck, tmp_path):
    path = database(tmp_path / "other.sqlite", LOG, SCHEDULINGS, f"INSERT INTO log VALUES (CAST(x'ff' AS TEXT){', 0' * 10})")
    with pytest.raises(UsageError, match="Could not decode to UTF-8"):
        deck.merge(path, MORNING)


def test_a_table_whose_name_is_a_command_is_no_command(deck, tmp_path):
    path = database(tmp_path / "other.sqlite", LOG, SCHEDULINGS, 'CREATE TABLE "x); DROP TABLE log; --" (a)', 'CREATE TABLE "" (b)', rows=[GOOD])
    assert deck.merge(path, MORNING) == Merged(1, 0, 0)


# ---- schedulings


def adopting(path, facts, name=None):
    """Make a log that adopts a scheduling."""
    name = name or hashlib.sha256(facts.encode()).hexdigest()[:16]
    row = ["b", "other", 500_000, NOW, 0, "adopt", "", 0, 0, name, ""]
    database(path, LOG, SCHEDULINGS, rows=[row])
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("INSERT INTO schedulings VALUES (?, ?)", (name, facts))
    return path


SANE = json.loads(Scheduling().facts)
FACTS = {
    "no JSON": "[" * 4000,
    "steps of ages": json.dumps(SANE | {"learning_steps": [10**18]}),
    "steps back": json.dumps(SANE | {"relearning_steps": [-60]}),
    "a thousand steps": json.dumps(SANE | {"learning_steps": [60] * 1000}),
    "no retention": json.dumps(SANE | {"desired_retention": 0}),
    "too much retention": json.dumps(SANE | {"desired_retention": 1.0}),
    "an interval of ages": json.dumps(SANE | {"maximum_interval": 10**12}),
    "parameters out of bounds": json.dumps(SANE | {"parameters": [1e300] * 21}),
    "too few parameters": json.dumps(SANE | {"parameters": []}),
}


@pytest.mark.parametrize("facts", FACTS.values(), ids=FACTS)
def test_a_scheduling_that_could_not_be_computed_with_is_not_adopted(deck, tmp_path, facts):
    deck.merge(adopting(tmp_path / "other.sqlite", facts), MORNING)
    assert scheduling_in_force(deck.log) == Scheduling()
    assert deck.queue(later(days=3)) is not None


def test_a_scheduling_under_anothers_id_is_left_out(deck, tmp_path):
    """The id is a hash of the facts: otherwise whoever comes first would decide what ours means."""
    other = msgspec.structs.replace(Scheduling(), desired_retention=0.7)
    deck.merge(adopting(tmp_path / "wrong.sqlite", other.facts, "0" * 16), MORNING)
    assert deck.log.schedulings().keys() == {Scheduling().id}
    assert scheduling_in_force(deck.log) == Scheduling()
    deck.merge(adopting(tmp_path / "right.sqlite", other.facts), MORNING)
    assert deck.log.schedulings().keys() == {Scheduling().id, other.id}


def test_schedulings_without_end_are_refused(deck, tmp_path, monkeypatch):
    monkeypatch.setattr(merging, "MOST_SCHEDULINGS", 10)
    path = database(tmp_path / "other.sqlite", LOG, SCHEDULINGS)
    with closing(sqlite3.connect(path)) as db, db:
        facts = [str(number) for number in range(11)]
        db.executemany("INSERT INTO schedulings VALUES (?, ?)", ((hashlib.sha256(text.encode()).hexdigest()[:16], text) for text in facts))
    with pytest.raises(UsageError, match="too many rows"):
        deck.merge(path, MORNING)


# ---- lines of JSON


LINES = {
    "deep": b'{"id":"b","more":' + b"[" * 3500 + b"\n",
    "endless": b"x" * (5 << 20),
    "deep and whole": b'{"x":' + b"[" * 1900 + b"]" * 1900 + b"}\n",
    "a number near the end": msgspec.json.encode(dict(zip(FIELDS, GOOD, strict=True)) | {"number": 2**53 - 1}) + b"\n",
    "not UTF-8": b'{"id":"\xff"}\n',
    "half a letter": b'{"id":"\\ud800"}\n',
    "zeros": bytes(3 << 20),
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_lines_that_are_no_rows_are_left_out(deck, tmp_path, line):
    good = msgspec.json.encode(dict(zip(FIELDS, GOOD, strict=True))) + b"\n"
    (tmp_path / "other.jsonl").write_bytes(good + line + (b"" if line.endswith(b"\n") else b"\n"))
    assert deck.merge(tmp_path / "other.jsonl", MORNING).new == 1


def test_a_file_that_claims_to_be_endless_is_refused(deck, tmp_path):
    """A sparse file takes no room and would be read for hours."""
    with (tmp_path / "other.jsonl").open("wb") as file:
        os.truncate(file.fileno(), 1 << 42)
    with pytest.raises(UsageError, match="too large"):
        deck.merge(tmp_path / "other.jsonl", MORNING)


# ---- packages of Anki


def package(path, *statements):
    with closing(sqlite3.connect(path.with_suffix(".db"))) as db, db:
        for statement in statements:
            db.execute(statement)
    with zipfile.ZipFile(path, "w") as file:
        file.write(path.with_suffix(".db"), "collection.anki21")
    return path


NOTES, CARDS = "CREATE TABLE notes (id INTEGER, guid TEXT)", "CREATE TABLE cards (id INTEGER, nid INTEGER, ord INTEGER)"
REVLOG = "CREATE TABLE revlog (id INTEGER, cid INTEGER, ease INTEGER, time INTEGER, type INTEGER)"


@pytest.mark.parametrize(
    ("name", "statements"),
    [
        ("revlog", (NOTES, CARDS, f"CREATE VIEW revlog AS {ENDLESS} SELECT n AS id, 1 AS cid, 3 AS ease, 1 AS time, 1 AS type FROM endless")),
        ("cards", (NOTES, REVLOG, f"CREATE VIEW cards AS {ENDLESS} SELECT n AS id, 1 AS nid, 0 AS ord FROM endless")),
        ("notes", (CARDS, REVLOG, "CREATE VIRTUAL TABLE notes USING fts5(id, guid)")),
    ],
)
def test_a_collection_whose_table_is_none_is_refused_at_once(deck, tmp_path, name, statements):
    path = package(tmp_path / "other.apkg", *statements)
    with pytest.raises(UsageError, match=f"`{name}` is not a plain table"):
        deck.merge(path, MORNING)


def test_a_collection_that_takes_for_ever_is_given_up(deck, tmp_path, monkeypatch):
    """Without keys, joining three tables takes the product of their rows."""
    monkeypatch.setattr(store, "LONGEST_READ", -1.0)
    rows = [f"INSERT INTO {table} SELECT value{', 1' * more} FROM generate" for table, more in (("notes", 1), ("cards", 2), ("revlog", 4))]
    numbers = "CREATE TABLE generate AS WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n LIMIT 3000) SELECT value FROM n"
    path = package(tmp_path / "other.apkg", NOTES, CARDS, REVLOG, numbers, *rows)
    with pytest.raises(UsageError, match="reading it takes too long"):
        deck.merge(path, MORNING)


# ---- a workspace that a stranger prepared


@pytest.mark.parametrize("made", ["CREATE VIEW v AS SELECT 1", "CREATE TRIGGER t AFTER INSERT ON {table} BEGIN SELECT 1; END", "CREATE VIRTUAL TABLE f USING fts5(a)"])
@pytest.mark.parametrize(("name", "table"), [("reviews.sqlite", "log"), ("state.sqlite", "events")])
def test_a_store_with_what_is_not_ours_is_set_aside(tmp_path, name, table, made):
    """A trigger would run at each answer: such a file is kept beside a new one, as a damaged one is."""
    stores = {"reviews.sqlite": lambda: Log(tmp_path / name), "state.sqlite": lambda: State(tmp_path)}
    with stores[name]():
        pass
    with closing(sqlite3.connect(tmp_path / name)) as db, db:
        db.execute(made.format(table=table))
    with stores[name]() as opened:
        assert "was damaged: it is kept as " in opened.note
    with stores[name]() as opened:
        assert opened.note == ""
