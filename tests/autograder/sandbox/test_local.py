"""Guests without walls: the same protocol, the same world for student code, a time limit, and any system."""

import numpy as np
import pytest

from autograder.course.errors import SandboxFault
from autograder.course.policy import Limits
from autograder.sandbox.local import LocalRunner


@pytest.fixture(scope="module")
def alone():
    with LocalRunner(Limits(call_seconds=60, import_seconds=60), ahead=True) as alone:
        yield alone


@pytest.fixture
def guest(alone):
    with alone.open("numpy") as guest:
        yield guest


def load(guest, source):
    return guest.load("m", source.encode())


def test_values_and_callbacks_cross(guest):
    load(guest, "def f(x, g): return g(x) * 2")
    assert (guest.call(("m", "f"), (np.arange(3.0), lambda x: x + 1), {}).value == [2, 4, 6]).all()


def test_a_call_that_does_not_end_is_stopped(guest):
    load(guest, "def f():\n  while True: pass")
    outcome = guest.call(("m", "f"), (), {}, seconds=0.5)
    assert (outcome.kind, outcome.detail, guest.alive) == ("timed_out", "no answer in 0.5 s of computing", False)


def test_a_process_that_ends_itself_is_told(guest):
    load(guest, "import os\ndef f(): os._exit(3)")
    outcome = guest.call(("m", "f"), (), {})
    assert (outcome.kind, outcome.detail) == ("killed", "the process ended itself with status 3")


def test_the_world_is_the_graders(guest):
    """What a submission may not import when it is graded, it may not import at home."""
    outcome = load(guest, "import pandas")
    assert outcome.raised.message == "`pandas` is not available while grading: there are numpy and torch, and each file stands alone"
    outcome = load(guest, "import matplotlib.pyplot as plt\nplt.plot([1])\nimport solutions")
    assert outcome.raised.message.startswith("`solutions` is not available while grading")


def test_what_is_printed_is_kept_up_to_the_limit(guest):
    load(guest, "print('first')\nprint('x' * 100_000)")
    guest.close()
    assert guest.output.startswith(b"first")
    assert len(guest.output) <= 64 << 10


def test_randomness_is_seeded_alike(alone):
    drawn = []
    for _ in range(2):
        with alone.open("numpy") as guest:
            load(guest, "import random, numpy as np\ndef f(): return [random.random(), float(np.random.rand())]")
            drawn.append(guest.call(("m", "f"), (), {}).value)
    assert drawn[0] == drawn[1]


def test_closing_leaves_no_process(alone):
    import os

    guest = alone.open("numpy")
    guest.close()
    with pytest.raises(ProcessLookupError):
        os.kill(guest.pid, 0)


def test_a_python_that_does_not_start_is_our_fault_in_its_own_words(monkeypatch):
    monkeypatch.setattr("autograder.sandbox.local.BOOT", "raise OSError('no sockets here')")
    with LocalRunner(Limits()) as alone, pytest.raises(SandboxFault) as error:
        alone.open("numpy")
    assert str(error.value) == "Python could not be started for your file: OSError: no sockets here"
