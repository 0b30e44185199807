"""What the grader may use for one submission: memory, CPU time, and what it keeps of the values."""

import resource
import signal
import threading
from contextlib import suppress

import numpy as np
import pytest

from autograder.course.loading import read_course
from autograder.course.model import Submission
from autograder.grading import bounds, submission_run
from autograder.grading.attempt import PUBLIC, attempt, load_materials
from autograder.grading.bounds import OutOfMemory, OutOfTime, bounded
from autograder.grading.coefficients import fit
from tests.autograder.learner.conftest import RIGHT


@pytest.mark.usefixtures("no_spare_memory")
def test_an_array_beyond_the_memory_is_refused_and_the_limit_is_lifted_afterwards():
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(OutOfMemory), bounded(64 << 20, 20):
        np.ones(16 << 20)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    assert np.ones(16 << 20).size


def test_memory_that_this_machine_does_not_have_is_no_fault_of_the_values():
    """It may be taken away at any moment: then the bound was never reached, and whoever runs the check tries again elsewhere."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)

    def starve():
        resource.setrlimit(resource.RLIMIT_AS, (1, hard))
        np.ones(64 << 20)  # half a gigabyte, which no heap has left over

    try:
        with pytest.raises(MemoryError), bounded(1 << 30, 20):
            starve()
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def test_a_loop_without_end_is_stopped_even_if_it_catches_exceptions():
    before = signal.getsignal(signal.SIGPROF)

    def endless():
        while True:
            with suppress(Exception):
                sum(range(1000))

    with pytest.raises(OutOfTime), bounded(1 << 30, 0.1):
        endless()
    assert signal.getsignal(signal.SIGPROF) is before


def test_a_block_within_another_leaves_it_the_rest_of_its_time():
    def endless():
        with bounded(1 << 30, 20):
            pass
        while True:
            pass

    with pytest.raises(OutOfTime), bounded(1 << 30, 0.1):
        endless()


def test_a_thread_has_no_bounds():
    """Limits and signals belong to a process, and would strike another thread: each worker is a process that grades in its main one."""
    seen = []

    def look():
        with bounded(1, 0):
            seen.append(resource.getrlimit(resource.RLIMIT_DATA))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [resource.getrlimit(resource.RLIMIT_DATA)]


@pytest.fixture(scope="module")
def forward(root):
    return load_materials(next(one for one in read_course(root).lessons[0].exercises if one.id == "forward"))


@pytest.fixture
def refusals(forward, sandbox):
    """Judge a right file; return the messages of what was refused, and the points."""

    def refusals(source=RIGHT):
        submission = Submission("s", "12_diffusion", "forward", "forward.py", source.encode(), "0", "present")
        made = attempt(submission, forward, sandbox, PUBLIC)
        return {check.message for check in made.checks if check.reason == "refused"}, sum(check.points for check in made.checks)

    return refusals


@pytest.mark.usefixtures("no_spare_memory")
def test_values_that_take_more_memory_than_there_is_are_refused(refusals, monkeypatch):
    """The grader goes on, with the next check too."""
    monkeypatch.setattr(bounds, "MEMORY_BYTES", 16 << 20)
    large = RIGHT.replace("np.cumprod(1 - betas)", "np.zeros(7 << 20, np.uint8)")
    told, points = refusals(large)
    assert told == {"`alpha_bars` was refused: what it returned or asked takes more than 512 MiB to look at."}
    assert points == 17.5


def test_values_that_take_more_time_than_there_is_are_refused(refusals, monkeypatch):
    monkeypatch.setattr(bounds, "SECONDS", -1.0)
    told, points = refusals()
    assert told == {"`forward.py` was refused: what it returned or asked takes more than 20 s to look at."}
    assert points == 0


def test_all_that_a_submission_returns_is_bounded(refusals, monkeypatch):
    monkeypatch.setattr(submission_run, "RECEIVED_BYTES", 100_000)
    told, points = refusals()
    assert any(one.endswith("was refused: all that it returned and asked takes more than 128 MiB.") for one in told)
    assert 0 < points < 20


def test_a_mistake_that_cannot_be_looked_for_costs_nothing_and_is_noted(forward, sandbox, monkeypatch):
    """The points stand; only the name of the mistake is missing, and the instructor is told."""

    def name(*_):
        raise ValueError("no such axis")

    monkeypatch.setattr(forward.diagnosis, "name", name)
    wrong = RIGHT.replace("np.cumprod(1 - betas)", "betas")
    submission = Submission("s", "12_diffusion", "forward", "forward.py", wrong.encode(), "0", "present")
    made = attempt(submission, forward, sandbox, PUBLIC)
    assert sum(check.points for check in made.checks) == 17.5
    assert made.notes.fault == "no mistake was looked for in `alpha_bars`: ValueError no such axis"


def test_questions_without_end_are_not_looked_into():
    """A sampler that asks for thousands of noises at one image makes a formula of thousands of parts, which no numbers determine."""
    asked = [(np.ones((5, 24)), np.full((5, 24), i)) for i in range(3000)]
    factors, left = fit(np.ones((5, 24)), [part for pair in asked for part in pair], 5)
    assert factors is None
    assert (left == 1).all()
