"""What was done is on disk at once, whatever happens to the process, the file or the disk."""

import re
import signal
import sqlite3
import subprocess
import sys

import pytest

from autograder.learner.workspace import State
from tests.programs import running

WRITER = """
import sys
from pathlib import Path
from autograder.learner.workspace import State
with State(Path(sys.argv[1])) as state:
    for number in range(int(sys.argv[3])):
        state.add("practice", sys.argv[2], number=number)
        print(number, flush=True)
"""


@pytest.fixture
def hidden(tmp_path):
    folder = tmp_path / ".course"
    folder.mkdir()
    return folder


def write(hidden, name, count):
    return running([sys.executable, "-c", WRITER, hidden, name, count], stdout=subprocess.PIPE)


def numbers(hidden, name):
    with State(hidden) as state:
        assert state.note == ""
        return [event.facts["number"] for event in state.events("practice", name)]


def test_events_come_back_in_their_order_with_their_facts(hidden):
    with State(hidden) as state:
        state.add("check", "forward", passed=3)
        state.add("read", "faster")
        state.add("check", "forward", passed=4)
        assert [event.facts["passed"] for event in state.events("check", "forward")] == [3, 4]
        assert [event.subject for event in state.events("read")] == ["faster"]


def test_two_terminals_lose_nothing(hidden):
    """Two processes write at the same time; every event of both is there."""
    with write(hidden, "one", 150) as one, write(hidden, "two", 150) as two:
        assert [process.communicate() and process.returncode for process in (one, two)] == [0, 0]
    assert [numbers(hidden, name) for name in ("one", "two")] == [list(range(150))] * 2


def test_a_killed_process_leaves_all_that_it_said_was_written(hidden):
    """SIGKILL in the middle of writing: what was told is there, and the file is whole."""
    with write(hidden, "killed", 1_000_000) as process:
        told = [int(process.stdout.readline()) for _ in range(40)]
        process.send_signal(signal.SIGKILL)
        told += [int(line) for line in process.communicate()[0].split("\n")[:-1]]
    written = numbers(hidden, "killed")
    assert written[: len(told)] == told
    assert len(written) <= len(told) + 2


def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(hidden):
    (hidden / "state.sqlite").write_bytes(b"not a database, but somebody's bytes" * 100)
    with State(hidden) as state:
        aside = re.fullmatch(r"state\.sqlite was damaged: it is kept as (state-damaged-[0-9-]+\.sqlite), and a new one is begun\.", state.note)
        state.add("read", "faster")
        assert [event.subject for event in state.events("read")] == ["faster"]
    assert (hidden / aside.group(1)).read_bytes().startswith(b"not a database")


def test_a_file_cut_short_is_kept_aside_too(hidden):
    with State(hidden) as state:
        for number in range(300):
            state.add("practice", "cut", number=number)
    whole = (hidden / "state.sqlite").read_bytes()
    (hidden / "state.sqlite").write_bytes(whole[:5000] + b"\xff" * 3000)
    with State(hidden) as state:
        assert "kept as state-damaged-" in state.note
        assert list(state.events("practice")) == []


def test_where_nothing_can_be_written_all_goes_on_and_it_is_said(tmp_path):
    """A folder that is not there stands for a disk that takes nothing: root may write anywhere else."""
    with State(tmp_path / "gone") as state:
        state.add("read", "faster")
        assert list(state.events("read")) == []
        assert state.note == (
            f"{tmp_path}/gone/state.sqlite cannot be opened (unable to open database file): what you do is not remembered."
        )


def test_what_can_only_be_read_is_read(hidden, read_only_disk):
    """On a read-only disk what was done before is still known. (Root may write anywhere, so opening to write is refused here.)"""
    with State(hidden) as state:
        state.add("read", "faster")

    read_only_disk()
    with State(hidden) as state:
        state.add("read", "guidance")
        assert [event.subject for event in state.events("read")] == ["faster"]
        assert state.note.endswith("what you do is not remembered.")


def test_a_disk_that_becomes_read_only_is_said(hidden):
    with State(hidden) as state:
        state._db.execute("PRAGMA query_only = ON")
        state.add("read", "faster")
        assert state.note == (
            f"{hidden}/state.sqlite cannot be written (attempt to write a readonly database): what you do is not remembered."
        )


def test_the_state_is_plain_sqlite_that_others_can_read(hidden):
    with State(hidden) as state:
        state.add("read", "faster")
    db = sqlite3.connect(hidden / "state.sqlite")
    assert db.execute("SELECT kind, subject, facts FROM events").fetchall() == [("read", "faster", "{}")]
    db.close()
