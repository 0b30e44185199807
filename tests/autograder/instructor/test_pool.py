"""Any worker pool gives each submission back once; this machine's gives it back whatever is in it, from a core of its own."""

import os
from contextlib import closing
from types import SimpleNamespace

import pytest
from msgspec import msgpack

from autograder.course.errors import SandboxFault
from autograder.course.model import Notes, Submission
from autograder.grading.rounds import Round
from autograder.instructor import pool as pools
from autograder.instructor.gradebook import Attempted
from autograder.instructor.pool import BatchSize, Completed, LocalPool, Lost, Settings, grade_all
from bench.throughput import NUMPY
from tests.autograder.instructor.test_results import result
from tests.courses import ROOT

SETTINGS = Settings(str(ROOT), Round("round-1", b"secret"), ())


class Script:
    """A pool of one that gives back what a script says, batch by batch."""

    def __init__(self, *answers):
        self.answers, self.out, self.handed = list(answers), [], []

    def wants(self):
        return 0 if self.out else 2

    def submit(self, batch, submissions):
        self.out.append((batch, submissions))
        self.handed.append([msgpack.decode(data, type=Submission).student for data in submissions])

    def completed(self):
        batch, submissions = self.out.pop()
        answer = self.answers.pop(0) if self.answers else "graded"
        students = [msgpack.decode(data, type=Submission).student for data in submissions]
        graded = [msgpack.encode(Attempted(result(student), {})) for student in students]
        completed = {"graded": [Completed(batch, graded)], "twice": [Completed(batch, graded), Completed(batch, graded)]}
        return completed.get(answer) or [Completed(batch, answer)]

    def close(self):
        pass


def graded_by(pool, students="abc"):
    submissions = [Submission(name, "12_diffusion", "forward", "forward.py", b"", "", "present") for name in students]
    return [(one.student, graded) for done in grade_all(submissions, SETTINGS, pool) for one, graded in done]


def test_work_that_comes_back_twice_counts_once():
    assert [student for student, _ in graded_by(Script("twice", "twice"))] == ["a", "b", "c"]


def test_a_lost_load_is_tried_again_one_by_one():
    """So that one submission that ends its worker takes no other one with it."""
    pool = Script(Lost("gone"))
    assert sorted(student for student, _ in graded_by(pool)) == ["a", "b", "c"]
    assert pool.handed == [["a", "b"], ["a"], ["b"], ["c"]]


def test_what_is_lost_twice_by_itself_is_not_judged_and_says_why():
    made = dict(graded_by(Script(Lost("in a batch of two"), Lost("gone"), "graded", Lost("its worker ended"))))
    assert made["a"].result.status == "not_judged"
    assert made["a"].notes == Notes(fault="tried 2 times: its worker ended")
    assert {made[name].result.status for name in "bc"} == {"graded"}


def test_what_was_only_held_is_not_counted_as_tried():
    held = Lost("gone", worked=False)
    assert {graded.result.status for _, graded in graded_by(Script(held, held, held))} == {"graded"}


def test_a_load_takes_about_as_long_as_it_should():
    size = BatchSize(0.1, 16)
    sizes = [size.now()]
    for _ in range(20):
        size.took(0.01 * sizes[-1], sizes[-1])
        sizes.append(size.now())
    assert (sizes[0], sizes[-1]) == (1, 9)
    size.took(9 * 1.0, 9)
    assert size.now() == 1
    for _ in range(50):
        size.took(1e-6, 1)
    assert size.now() == 16


# ---- this machine's


def files(count, source):
    return [Submission(f"s{number}", "12_diffusion", "forward", "forward.py", source, "", "present") for number in range(count)]


@pytest.fixture
def pool(request):
    opened = LocalPool(SETTINGS, request.param or len(os.sched_getaffinity(0)))
    yield opened
    opened.close()


@pytest.mark.parametrize("pool", [1], indirect=True)
def test_large_files_that_print_much_do_not_make_both_sides_wait(pool, monkeypatch):
    """More lies in each direction than a pipe holds."""
    monkeypatch.setattr(pool, "_size", SimpleNamespace(now=lambda: 16, took=lambda *_: None))
    source = NUMPY + b"\nprint('x' * 70_000)\n#" + 400_000 * b"-"
    made = [one for done in grade_all(files(64, source), SETTINGS, pool) for one in done]
    assert {(graded.result.status, len(graded.result.stdout)) for _, graded in made} == {("graded", 64 << 10)}
    assert sorted(submission.student for submission, _ in made) == sorted(f"s{number}" for number in range(64))


@pytest.fixture
def all_cores():
    """Use every core: the processes of pytest-xdist keep to one each."""
    one = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count()))
    yield
    os.sched_setaffinity(0, one)


@pytest.mark.usefixtures("all_cores")
@pytest.mark.parametrize("pool", [None], indirect=True, ids=["all cores"])
def test_where_all_cores_are_used_each_worker_and_its_guests_keep_to_one(pool):
    cores = sorted(os.sched_getaffinity(0))
    source = b"import os, torch\n" + NUMPY + b"\nprint(sorted(os.sched_getaffinity(0)))"
    made = [graded for done in grade_all(files(4 * len(cores), source), SETTINGS, pool) for _, graded in done]
    assert {graded.result.stdout for graded in made} == {f"[{core}]\n" for core in cores}


def grade_with(monkeypatch, *raised):
    """Grade one submission; each try raises the next of these."""
    tries = iter(raised)

    def attempt(*_):
        raise next(tries)

    monkeypatch.setattr(pools, "attempt", attempt)
    with closing(pools.Grader(SETTINGS)) as grader:
        return grader.grade(Submission("ada", "12_diffusion", "forward", "forward.py", b"", "", "present"))


def test_an_exception_that_comes_again_with_one_submissions_values_is_that_submissions(monkeypatch):
    """Whatever it returned cost its own points, and the instructor is told; nobody can force an empty grade."""
    made = grade_with(monkeypatch, KeyError("x"), KeyError("x"))
    assert (made.result.status, made.result.score, made.notes) == ("graded", 0, Notes(fault="KeyError: 'x'"))
    assert {(c.outcome, c.reason, c.message) for c in made.result.checks} == {
        ("failed", "refused", "It cannot be graded. Your instructor knows.")
    }


def test_a_fault_of_the_sandbox_is_ours_however_often_it_comes(monkeypatch):
    made = grade_with(monkeypatch, KeyError("x"), SandboxFault("no server"))
    assert (made.result.status, made.notes) == ("not_judged", Notes(fault="no server"))
    assert {(c.outcome, c.reason, c.message) for c in made.result.checks} == {
        ("not_judged", "fault", "Not judged: a fault of the grader, not of this file.")
    }
