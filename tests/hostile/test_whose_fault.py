"""Whose fault is what: each row of the table in SECURITY.md, brought about."""

import re
from contextlib import closing
from itertools import takewhile

import pytest

from autograder.course.errors import SandboxFault
from autograder.course.loading import read_course
from autograder.course.model import Submission
from autograder.grading import bounds
from autograder.grading.attempt import PUBLIC, attempt, load_materials
from autograder.grading.rounds import Round
from autograder.instructor import pool
from autograder.sandbox.guests import Outcome
from tests.autograder.learner.conftest import RIGHT
from tests.courses import ROOT


def table(start):
    """Return the rows of a table of SECURITY.md."""
    lines = (ROOT / "SECURITY.md").read_text(encoding="utf-8").splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(start)) + 2
    return takewhile(lambda line: line.startswith("|"), lines[first:])


ROWS = {cells[0]: cells[1:] for cells in ([cell.strip() for cell in line.strip("|").split("|")] for line in table("| fault |"))}

# What `alpha_bars` does in the place of its formula; it alone loses its points.
ENDS = {
    "a wrong value": "betas",
    "an exception": "(_ for _ in ()).throw(ValueError('no'))",
    "a call that computes for too long": "[None for _ in iter(int, 1)]",
    "a call that sleeps": "__import__('select').select([], [], [], 100)",
    "too much memory": "np.ones(1 << 31)",
    "the end of its process": "__import__('os')._exit(3)",
    "a value that cannot be sent, or a reply that breaks the protocol": "np.zeros(2, complex)",
    "values that take our memory or time to look at": "np.zeros(7 << 20, np.uint8)",
}
ELSEWHERE = {
    "a file that does not load",
    "an exception of ours that comes again with its values",
    "values in which no mistake can be looked for",
    "a call that only the clock stopped",
    "a module that was not preloaded",
    "a guest, server or worker killed from outside, twice",
    "a check that fails before it calls anything",
}


@pytest.fixture(scope="module")
def forward(root):
    return load_materials(next(one for one in read_course(root).lessons[0].exercises if one.id == "forward"))


@pytest.fixture
def judge(forward, sandbox):
    def judge(source):
        submission = Submission("s", "12_diffusion", "forward", "forward.py", source.encode(), "0", "present")
        return attempt(submission, forward, sandbox, PUBLIC)

    return judge


def said(row):
    """Return a pattern of what the student reads: "..." stands for numbers, and a line may be any."""
    return re.escape(ROWS[row][3]).replace(r"\.\.\.", ".*").replace("15", r"\d+")


def test_every_row_is_brought_about():
    assert set(ROWS) == {*ENDS, *ELSEWHERE}


@pytest.mark.usefixtures("no_spare_memory")
@pytest.mark.parametrize("row", ENDS)
def test_what_a_submission_brings_about_costs_its_own_check(row, judge, monkeypatch):
    if "our memory" in row:
        monkeypatch.setattr(bounds, "MEMORY_BYTES", 16 << 20)
    made = judge(RIGHT.replace("np.cumprod(1 - betas)", ENDS[row]))
    check = next(one for one in made.checks if one.id == "multiplies_up")
    assert ("graded, " + str(check.reason), check.points) == (ROWS[row][1], 0)
    assert re.search(said(row), check.message), check.message
    assert sum(one.points for one in made.checks) == 17.5


def test_a_file_that_does_not_load_earns_nothing(judge):
    made = judge("def broken(:\n")
    assert {(one.reason, one.points) for one in made.checks if one.outcome == "failed"} == {("raised", 0)}
    assert re.search(said("a file that does not load"), made.checks[0].message)


def graded(monkeypatch, *raised):
    """Grade one submission; each try raises the next of these."""
    tries = iter(raised)

    def fails(*_):
        raise next(tries)

    monkeypatch.setattr(pool, "attempt", fails)
    with closing(pool.Grader(pool.Settings(str(ROOT), Round("round-1", b"secret"), ()))) as grader:
        return grader.grade(Submission("ada", "12_diffusion", "forward", "forward.py", b"", "", "present")).result


FAULTS = {
    "an exception of ours that comes again with its values": KeyError("x"),
    "a guest, server or worker killed from outside, twice": SandboxFault("a guest was killed from outside"),
    "a check that fails before it calls anything": SandboxFault("the check `broken` fails by itself: 'a name'"),
}


@pytest.mark.parametrize("row", FAULTS)
def test_a_fault_of_ours_is_told_as_one(row, monkeypatch):
    result = graded(monkeypatch, FAULTS[row], FAULTS[row])
    status = ROWS[row][1].partition(",")[0]
    assert (result.status, result.score) == (status, 0)
    assert {one.message for one in result.checks} == {ROWS[row][3]}


def test_values_in_which_no_mistake_can_be_looked_for_cost_nothing_more(judge, forward, monkeypatch):
    wrong = RIGHT.replace("np.cumprod(1 - betas)", "betas")
    before = sum(one.points for one in judge(wrong).checks)
    monkeypatch.setattr(forward.diagnosis, "name", lambda *_: 1 / 0)
    made = judge(wrong)
    assert sum(one.points for one in made.checks) == before
    assert made.notes.fault == "no mistake was looked for in `alpha_bars`: ZeroDivisionError division by zero"


def test_a_call_that_only_the_clock_stopped_costs_nothing(forward, sandbox):
    """The first guest is never heard of again; the second one earns all points."""
    opened = []

    class Machine:
        limits = sandbox.limits

        def open(self, profile):
            guest = sandbox.open(profile)
            opened.append(guest)
            if len(opened) == 1:
                guest.call = lambda *_: guest.close() or Outcome("timed_out", detail="no answer in 5 s", idle=True)
            return guest

    submission = Submission("s", "12_diffusion", "forward", "forward.py", RIGHT.encode(), "0", "present")
    made = attempt(submission, forward, Machine(), PUBLIC)
    assert (sum(one.points for one in made.checks), len(opened)) == (20, 2)


def test_a_module_that_was_not_preloaded_costs_nothing(judge):
    """A name that no guess finds is met in the guest, and the file is run again with more."""
    made = judge(RIGHT + "\n__import__('importlib').import_module('to' + 'rch').zeros(1)\n")
    assert sum(one.points for one in made.checks) == 20
    assert made.notes.lacked == ("torch",)
