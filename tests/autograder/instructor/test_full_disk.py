"""A disk with no room, a real and small one: one line that says so, nothing lost, nothing doubled, and with room all goes on."""

import os
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from autograder.cli.main import main
from autograder.course.errors import StoreFault, UsageError
from autograder.course.model import HandedIn
from autograder.grading.rounds import open_round
from autograder.instructor.export import FORMATS
from autograder.instructor.gradebook import Gradebook, Kept
from autograder.instructor.overrides import drop
from autograder.instructor.roster import Person
from autograder.learner.review.deck import Deck
from autograder.learner.review.log import Row, Spare
from autograder.learner.review.schedule import clocks_of, replay
from autograder.learner.workspace import State
from bench.chaos import grading as chaos
from tests.autograder.instructor.test_results import result
from tests.autograder.instructor.test_resuming import typed
from tests.autograder.learner.review.conftest import CARDS, lesson_of

MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)
ROOM = [0, 4096, 9000, 20_000, 33_000, 50_000, 70_000]  # bytes: some let only half of what belongs together be written


@pytest.fixture
def small():
    """A lesson of a few cards."""
    return lesson_of(*CARDS)


@contextmanager
def full(disk, room=0):
    """Leave so much room on a disk."""
    with (disk / "ballast").open("wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(4096))
        except OSError:
            ballast.truncate(max(0, ballast.tell() - room))
    yield
    (disk / "ballast").unlink()


def answered(deck, after, many):
    """Answer until an answer is refused; give how many were kept, and the refusal's words."""
    faces = list(deck.faces.values())
    for number in range(many):
        try:
            deck.answer(faces[number % len(faces)], 3, MORNING + timedelta(minutes=after + number))
        except UsageError as refused:
            return number, str(refused)
    return many, ""


def test_an_answer_is_kept_whole_or_refused_in_the_log_and_in_its_spare_copy(small_disk, small):
    kept, place = 0, small_disk / "kept"
    for room in ROOM:
        with Deck.open(place, [small]) as deck:
            kept += answered(deck, kept, 3)[0]
            with full(small_disk, room):
                more, words = answered(deck, kept, 400)
            assert words.startswith(f"{place}/reviews.sqlite: this cannot be saved (")
            assert words.endswith("\n  fix: free some disk space, or close the program that uses the file, and come back: earlier answers are saved")
            kept += more
            more, words = answered(deck, kept, 1)
            assert (more, words) == (1, "")
            kept += 1
        with Deck.open(place, [small]) as deck:
            rows = deck.log.since(0)
            assert (deck.log.note, len(rows)) == ("", kept)
            assert deck.states == replay(deck.log.of(), clocks_of(deck.log), deck.scheduling)
        spare = (place / "reviews.jsonl").read_bytes().splitlines()
        assert [one for one in Spare(place / "reviews.jsonl").read() if isinstance(one, Row)] == rows
        assert len(spare) == kept + 1  # and the scheduling's


def test_a_deck_opens_on_a_full_disk_and_knows_what_was_answered(small_disk, small):
    with Deck.open(small_disk / "kept", [small]) as deck:
        answered(deck, 0, 5)
        states = deck.states
    with full(small_disk), Deck.open(small_disk / "kept", [small]) as deck:
        assert deck.states == states


def test_the_gradebook_keeps_attempts_all_or_nothing(small_disk):
    path, kept = small_disk / "gradebook.sqlite", []

    def keep(book, many, times=1):
        for _ in range(times):
            names = [f"s{len(kept) + number:04d}" for number in range(many)]
            book.keep("run", [Kept(result(name)) for name in names])
            kept.extend(names)

    for room in ROOM:
        with Gradebook(path) as book:
            keep(book, 1)
            with full(small_disk, room), pytest.raises(StoreFault) as fault:
                keep(book, 5, times=400)
            assert str(fault.value).endswith("\n  fix: free some disk space and run the command again: it continues where it stopped")
            keep(book, 1)
        with Gradebook(path) as book:
            assert [one.student for one in book.results("run")] == kept


def test_what_is_decided_and_a_class_that_is_taken_over_are_written_whole_or_not_at_all(small_disk):
    """For `override`, `drop` and a run that adds: nothing is lost, and with room the same can be done."""
    path, names = small_disk / "gradebook.sqlite", {f"s{number:04d}" for number in range(200)}
    with Gradebook(path) as book:
        book.begin("first", {})
        book.keep("first", [Kept(result(name)) for name in sorted(names)])
    for room in ROOM:
        with Gradebook(path) as book:
            runs, decided = book.runs(), book.overrides()
            with full(small_disk, room):
                for number in range(20):
                    with suppress(StoreFault):
                        book.begin(f"{room} {number}", {}, book.last_run(), [Person("s0000", key="s0000")])
                        runs.append(f"{room} {number}")
                    with suppress(StoreFault):
                        book.override(*(one := [drop(Person(f"s{room}"), "left", undo=False), drop(Person(f"s{room}"), "back", undo=True)]))
                        decided += one
            assert (book.runs(), book.overrides()) == (runs, decided)
            assert (book.students(runs[-1]), [len(own) for own in book.attempts(runs[-1])]) == (names, [1] * len(names))
            book.begin(f"{room} again", {}, runs[-1])


def test_a_gradebook_that_cannot_even_be_opened_for_want_of_room_is_told_so(small_disk):
    path = small_disk / "gradebook.sqlite"
    with Gradebook(path) as book:
        book.keep("run", [Kept(result())])
    with full(small_disk), pytest.raises(StoreFault) as fault:
        Gradebook(path)
    assert str(fault.value) == f"{path}: disk I/O error\n  fix: free some disk space and run the command again: it continues where it stopped"
    with Gradebook(path) as book:
        assert list(book.results("run")) == [result()]


def test_grading_onto_a_full_disk_is_one_line(small_disk, walls):
    (small_disk / "class" / "s0001").mkdir(parents=True)
    (small_disk / "out").mkdir()
    open_round(small_disk / "out", seed=5)
    with Gradebook(small_disk / "out" / "gradebook.sqlite") as book:
        book.keep("before", [Kept(result())])
    with full(small_disk):
        done = typed(chaos.command(small_disk / "class", small_disk / "out"))
    line = f"{small_disk}/out/gradebook.sqlite: disk I/O error\n  fix: free some disk space and run the command again: it continues where it stopped\n"
    assert (done.exit_code, done.stderr) == (3, "walls: landlock, seccomp, limits, privileges\n" + line)
    assert chaos.attempts(small_disk / "out") == 1


@pytest.fixture(scope="module")
def exported_class(tmp_path_factory):
    """A gradebook of students with all that platforms tell of them."""
    out = tmp_path_factory.mktemp("exported")
    names = [f"Student {number:03d}" for number in range(60)]
    with Gradebook(out / "gradebook.sqlite") as book:
        people = [Person(name, school_id=str(number), participant=str(number), email=f"s{number}@uni.example") for number, name in enumerate(names)]
        book.begin("run", {}, people=people)
        facts = [HandedIn(attempt=1, origin=("canvas", f"student_{number}_{7000 + number}")) for number in range(len(names))]
        book.keep("run", [Kept(result(name), handed_in=handed_in) for name, handed_in in zip(names, facts, strict=True)])
    return out


def contents(place):
    return {path.relative_to(place): path.read_bytes() for path in ([place] if place.is_file() else sorted(place.rglob("*"))) if path.is_file()}


@pytest.mark.parametrize("platform", [name for name in FORMATS if name != "nbgrader"])  # whose database is not ours
def test_an_export_onto_a_full_disk_is_one_line_and_leaves_the_earlier_one(exported_class, small_disk, platform):
    place = small_disk / "exported"
    words = ["--course", str(chaos.ROOT), "export", str(exported_class), "--to", platform, "--out", str(place)]
    assert CliRunner().invoke(main, words).exit_code == 0
    before = contents(place)
    with full(small_disk):
        done = CliRunner().invoke(main, words)
        assert (done.exit_code, done.stderr.count("\n  fix: "), "Traceback" in done.output) == (3, 1, False), done.output
        assert contents(place) == before
    assert CliRunner().invoke(main, words).exit_code == 0
    assert contents(place).keys() == before.keys()


def test_what_is_done_in_a_workspace_is_remembered_or_it_is_said(small_disk):
    hidden, told = small_disk / ".course", 0
    hidden.mkdir()
    with State(hidden) as state:
        with full(small_disk, 20_000):
            while not state.note:
                state.add("read", "faster", number=told)
                told += 1
        assert state.note == f"{hidden}/state.sqlite cannot be written (database or disk is full): what you do is not remembered."
        assert os.listdir(small_disk) == [".course"]
    with State(hidden) as state:
        assert [event.facts["number"] for event in state.events("read")] == list(range(told - 1))
