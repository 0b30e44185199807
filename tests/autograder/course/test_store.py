"""Stores have versions: old files are migrated and lose nothing, newer ones are refused and left as they are."""

import json
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from autograder.cli.main import main
from autograder.course.errors import StoreFault, UsageError
from autograder.course.model import HandedIn, Notes, Override, Result, Submission
from autograder.course.store import Schema, open_strictly, transaction
from autograder.instructor import gradebook
from autograder.instructor.grade import GradeRequest
from autograder.instructor.gradebook import Gradebook, Kept
from autograder.instructor.measures import groups
from autograder.learner import workspace
from autograder.learner.progress import results_of
from autograder.learner.review import log
from autograder.learner.review.deck import Deck
from autograder.learner.review.log import Log, Row, Spare
from autograder.learner.review.merge import merge
from autograder.learner.review.schedule import clocks_of, replay, scheduling_in_force
from autograder.learner.workspace import State

OLD = Path(__file__).resolve().parents[2] / "data" / "stores"
STORES = {  # how each is opened
    "gradebook.sqlite": Gradebook,
    "reviews.sqlite": Log,
    "state.sqlite": lambda path: State(path.parent),
}
SCHEMAS = {"gradebook.sqlite": gradebook.SCHEMA, "reviews.sqlite": log.SCHEMA, "state.sqlite": workspace.SCHEMA}
UPDATE = "\n  fix: update the course package, then run the command again; the file was not changed"


@pytest.fixture
def old(tmp_path):
    """A copy of the files of version 0, beside the secret of a round that sealed nothing."""
    place = Path(shutil.copytree(OLD, tmp_path / "old"))
    (place / "private").mkdir()
    (place / "private" / "rounds.json").write_text('[{"name": "round-1", "secret": "c2VjcmV0"}]')
    return place


def rows(path, query):
    with closing(sqlite3.connect(path)) as db:
        return db.execute(query).fetchall()


def content(path):
    """Read every table of a file, each row with its columns' names."""
    with closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: [dict(row) for row in db.execute(f"SELECT * FROM {table} ORDER BY rowid")] for table in tables}


# ---- files of version 0


def test_the_kept_files_are_of_version_0_and_small():
    assert [rows(OLD / name, "PRAGMA user_version") for name in STORES] == [[(0,)]] * 3
    assert sum(path.stat().st_size for path in OLD.iterdir()) < 300_000


@pytest.mark.parametrize("name", STORES)
def test_an_old_file_is_migrated_once_and_keeps_every_row(old, name):
    before = content(OLD / name)
    for _ in range(2):
        with STORES[name](old / name):
            pass
        assert rows(old / name, "PRAGMA user_version") == [(len(SCHEMAS[name].migrations),)]
        assert rows(old / name, "PRAGMA integrity_check") == [("ok",)]
        after = content(old / name)
        after.get("devices", [])[1:] = []  # this copy of a log is a device of its own
        assert {table: len(found) for table, found in after.items()} == {table: len(found) for table, found in before.items()}
        changed = {"state.sqlite": {"facts"}, "gradebook.sqlite": {"private"}}.get(name, set())
        for table, found in before.items():
            for ours, theirs in zip(after[table], found, strict=True):
                assert {key: ours[key] for key in theirs if key not in changed} == {key: theirs[key] for key in theirs if key not in changed}


def test_an_old_gradebook_is_read_whole(old):
    before = content(OLD / "gradebook.sqlite")
    assert {table: len(found) for table, found in before.items()} == {"attempts": 13, "taken": 9, "runs": 2, "people": 6, "overrides": 3}
    with Gradebook(old / "gradebook.sqlite") as book:
        first, second = (row["run"] for row in before["runs"])
        assert book.last_run() == second
        stored = {row["result"] for row in before["attempts"]}
        decode = msgspec.json.Decoder(Result).decode
        assert {one.result for run in (first, second) for own in book.attempts(run) for one in own} == {decode(text) for text in stored}
        assert [sum(len(own) for own in book.attempts(run)) for run in (first, second)] == [10, 12]
        assert {one.handed_in for own in book.attempts(second) for one in own} == {HandedIn(late=False)}
        assert (book.students(first), book.students(second)) == (set(book.people()) - {"Fay Absent"}, set(book.people()))
        assert book.people()["Eli Roth"].email == "eli@example.org"
        assert book.overrides() == [msgspec.json.decode(row["override"], type=Override) for row in before["overrides"]]
        assert [one.points for one in book.overrides("Carlos Mendoza")] == [1, 1.5]
        asked = book.request(second, GradeRequest)
        assert (asked.submissions, asked.exercises, asked.roster.name) == (Path("/home/teacher/work/class"), ("forward", "practice"), "roster.csv")
        named = {check.misconception for one in book.results(second) for check in one.checks}
        assert named == {None, "beta_as_standard_deviation"}


def test_errors_that_students_share_are_found_in_an_old_gradebook(old):
    with Gradebook(old / "gradebook.sqlite") as book:
        [group] = groups(own[-1] for own in book.attempts(book.last_run()))
    assert (group.exercise, group.function, group.students) == ("forward", "predict_x0", ("Dee Kim", "Eli Roth"))
    assert group.words.startswith("`predict_x0(x_t=array (4, 2, 5, 9), t=1, ")


def test_no_private_note_of_an_old_gradebook_is_lost(old):
    """Neither a call's, nor any other sentence, nor a fault of ours."""
    more = {"jumps": "You called the model with t = 0.", "fault": "the guest could not be opened"}
    with closing(sqlite3.connect(old / "gradebook.sqlite")) as db, db:
        db.execute("UPDATE attempts SET private = ? WHERE id = 1", [json.dumps(more)])
    before = [json.loads(row["private"]) for row in content(old / "gradebook.sqlite")["attempts"]]
    with Gradebook(old / "gradebook.sqlite"):
        pass
    for texts, row in zip(before, content(old / "gradebook.sqlite")["attempts"], strict=True):
        notes = msgspec.json.decode(row["private"], type=Notes)
        said = {name: f"`{one.call}` {one.words}" if one.call else one.words for name, one in notes.failures.items()}
        shared = {f"alike:{function}": hashed for function, hashed in notes.shared_errors.items()}
        assert said | shared | ({"fault": notes.fault} if notes.fault else {}) == texts


def test_the_class_of_an_old_gradebook_is_taken_over_by_the_next_run(old):
    with Gradebook(old / "gradebook.sqlite") as book:
        before, last = list(book.results(book.last_run())), book.last_run()
        book.begin("new", {}, last)
        assert list(book.results("new")) == before
        assert {one.found_by for own in book.attempts("new") for one in own} == {last}


def test_what_an_old_gradebook_holds_is_taken_over_and_added_to(old):
    [(run, key, student, lesson, exercise)] = rows(OLD / "gradebook.sqlite", "SELECT run, key, student, lesson, exercise FROM attempts WHERE id = 4")
    with Gradebook(old / "gradebook.sqlite") as book:
        kept = next(own[0].result for own in book.attempts(run) if (own[0].result.student, own[0].result.exercise) == (student, exercise))
        assert book.take("new", Submission(student, lesson, exercise, f"{exercise}.py", b"", "", "present"), key) == kept
        book.keep("new", [Kept(msgspec.structs.replace(kept, student="New"))])
        assert sorted(one.student for one in book.results("new")) == sorted([student, "New"])


def test_an_old_state_is_read_whole_with_its_facts_under_todays_names(old):
    before = [(row["at"], row["kind"], row["subject"], json.loads(row["facts"])) for row in content(OLD / "state.sqlite")["events"]]
    renamed = {"slip": "misconception", "slips": "misconceptions"}
    expected = [(at, kind, subject, {renamed.get(key, key): value for key, value in facts.items()}) for at, kind, subject, facts in before]
    kinds = ("check", "hint", "practice", "read", "submit", "reset")
    with State(old) as state:
        assert state.note == ""
        found = sorted((event.at, event.kind, event.subject, event.facts) for kind in kinds for event in state.events(kind))
        assert found == expected
        checks = list(state.events("check", "forward"))
        assert [event.facts["misconceptions"] for event in checks] == [["beta_as_standard_deviation"], [], ["beta_as_standard_deviation"]]
        assert [len(results_of(event.facts)) for event in checks] == [14, 14, 14]
        assert [event.facts["misconception"] for event in state.events("practice")] == ["beta_as_standard_deviation", None, None]
        state.add("read", "guidance")
        assert len(list(state.events("read"))) == 3


def test_an_old_review_log_is_read_whole(old):
    before = content(OLD / "reviews.sqlite")
    with Log(old / "reviews.sqlite") as opened:
        assert opened.note == ""
        assert opened.since(0) == [Row(**{name: row[name] for name in Row.__struct_fields__}) for row in before["log"]]
        counted = [sum(row.kind == kind for row in opened.since(0)) for kind in ("review", "cram", "flag", "undo", "bring", "clock", "adopt")]
        assert counted == [36, 1, 1, 1, 1, 1, 1]
        assert scheduling_in_force(opened).desired_retention == 0.85
        computed = replay(opened.of(), clocks_of(opened), scheduling_in_force(opened))
        assert (len(computed), sum(state.flagged for state in computed.values())) == (9, 1)
    with Deck.open(old, ()) as deck:
        assert deck.states == computed
    assert [one for one in Spare(old / "reviews.jsonl").read() if isinstance(one, Row)] == [
        Row(**{name: row[name] for name in Row.__struct_fields__}) for row in before["log"]
    ]


def test_an_old_review_log_is_merged_without_being_written(old, tmp_path):
    before = (old / "reviews.sqlite").read_bytes()
    with Log(tmp_path / "new.sqlite") as here:
        assert merge(here, old / "reviews.sqlite", (), 0).new == 42
    assert (old / "reviews.sqlite").read_bytes() == before


def test_an_old_file_on_a_disk_that_takes_no_writing_is_read_and_migrated_in_memory(old, monkeypatch):
    """Here the migration is what cannot be written."""

    def refuse(path, schema):
        if str(path) != ":memory:":
            raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("autograder.course.store._opened", refuse)
    before = (old / "state.sqlite").read_bytes()
    with State(old) as state:
        assert state.note == f"{old}/state.sqlite cannot be opened (database or disk is full): what you do is not remembered."
        assert [event.facts["misconception"] for event in state.events("practice")] == ["beta_as_standard_deviation", None, None]
    assert (old / "state.sqlite").read_bytes() == before


# ---- files of a newer version


@pytest.mark.parametrize("name", STORES)
@pytest.mark.parametrize("old_file", [True, False])
def test_a_newer_file_is_refused_and_unchanged_byte_for_byte(old, tmp_path, name, old_file):
    path = (old if old_file else tmp_path) / name
    with STORES[name](path):
        pass
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute("PRAGMA user_version = 7")
    before, beside = path.read_bytes(), sorted(path.parent.iterdir())
    with pytest.raises(UsageError) as refused:
        STORES[name](path)
    known = len(SCHEMAS[name].migrations)
    assert str(refused.value) == f"{path}: written by a newer version of the course package (format 7; this version reads up to {known}){UPDATE}"
    assert (path.read_bytes(), sorted(path.parent.iterdir())) == (before, beside)


@pytest.mark.parametrize(("name", "table"), [("gradebook.sqlite", "attempts"), ("gradebook.sqlite", "people"), ("reviews.sqlite", "log"), ("state.sqlite", "events")])
@pytest.mark.parametrize("version", [0, 1])
def test_a_column_more_is_refused_and_the_file_unchanged_byte_for_byte(old, name, table, version):
    """A session's answers would be lost in silence, and a gradebook would ask for disk space."""
    path = old / name
    if version:
        with STORES[name](path):
            pass
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"ALTER TABLE {table} ADD COLUMN mood TEXT NOT NULL DEFAULT ''")
    before = path.read_bytes()
    with pytest.raises(UsageError) as refused:
        STORES[name](path)
    assert str(refused.value) == f"{path}: written by another version of the course package (table {table} has the unknown column mood){UPDATE}"
    assert path.read_bytes() == before


def test_a_newer_log_is_not_merged(old, tmp_path):
    with closing(sqlite3.connect(old / "reviews.sqlite")) as db:
        db.execute("PRAGMA user_version = 2")
    with Log(tmp_path / "new.sqlite") as here, pytest.raises(UsageError, match=r"written by a newer version of the course package \(format 2; this"):
        merge(here, old / "reviews.sqlite", (), 0)


def test_a_command_that_meets_a_newer_file_says_so_and_exits_with_2(root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["--course", str(root), "start", ".", "--lesson", "12"]).exit_code == 0
    with State(tmp_path / ".course"):
        pass
    with closing(sqlite3.connect(tmp_path / ".course" / "state.sqlite")) as db:
        db.execute("PRAGMA user_version = 2")
    done = CliRunner().invoke(main, ["--course", str(root), "progress"])
    known = "written by a newer version of the course package (format 2; this version reads up to 1)"
    assert (done.exit_code, done.stderr) == (2, f"{tmp_path}/.course/state.sqlite: {known}{UPDATE}\n")


# ---- migrations

ONE = "CREATE TABLE IF NOT EXISTS things (name TEXT); INSERT INTO things VALUES ('one')"


def two(db):
    db.execute("ALTER TABLE things ADD COLUMN size INTEGER")
    db.execute("UPDATE things SET size = length(name)")


def broken(db):
    two(db)
    db.execute("INSERT INTO nowhere VALUES (1)")


def test_each_migration_runs_once_and_in_order(tmp_path):
    path = tmp_path / "things.sqlite"
    for migrations in ((ONE,), (ONE, two), (ONE, two)):
        with closing(open_strictly(path, Schema(migrations), "")):
            pass
    assert rows(path, "SELECT name, size FROM things") == [("one", 3)]
    assert rows(path, "PRAGMA user_version") == [(2,)]


def test_a_migration_that_fails_leaves_nothing_of_itself(tmp_path):
    path = tmp_path / "things.sqlite"
    with pytest.raises(UsageError) as refused:
        open_strictly(path, Schema((ONE, broken)), "choose another")
    assert str(refused.value) == f"{path}: no such table: nowhere\n  fix: choose another"
    assert rows(path, "SELECT * FROM things") == [("one",)]
    assert rows(path, "PRAGMA user_version") == [(1,)]


def test_many_open_a_new_file_at_once_and_it_is_migrated_once(tmp_path):
    faults = []

    def open_it():
        try:
            open_strictly(tmp_path / "things.sqlite", Schema((ONE, two)), "").close()
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (faults, rows(tmp_path / "things.sqlite", "SELECT name, size FROM things")) == ([], [("one", 3)])


def test_a_transaction_that_cannot_be_written_is_a_fault_and_leaves_nothing(tmp_path):
    path = tmp_path / "things.sqlite"
    with closing(open_strictly(path, Schema((ONE,)), "")) as db:
        with pytest.raises(StoreFault) as fault, transaction(db, path):
            broken(db)
        assert str(fault.value) == f"{path}: no such table: nowhere\n  fix: free some disk space and run the command again: it continues where it stopped"
        assert db.execute("SELECT * FROM things").fetchall() == [("one",)]
