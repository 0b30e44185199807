"""Guests without walls: the same protocol, the same world for student code, a time limit, and any system."""

import subprocess
import sys

import numpy as np
import pytest

from autograder.course.errors import SandboxFault
from autograder.course.model import Limits
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


STRIPPED = """
import ctypes, os, select, socket, sys, time
import numpy, platformdirs, subprocess, tempfile, threading   # what has its own ways on each system, before the rest is taken away
for module, names in {
    os: "fork getuid geteuid setresuid setgroups sched_getaffinity set_blocking O_NOFOLLOW O_NONBLOCK wait4".split(),
    select: ["poll", "epoll"], socket: ["send_fds", "recv_fds", "AF_UNIX"], time: ["clock_gettime"],
}.items():
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
for name in ("resource", "fcntl", "pwd", "grp", "py_landlock", "pyseccomp"):
    sys.modules[name] = None
load = ctypes.CDLL.__init__
def refuse(self, name, *args, **kwargs):
    if name is None:
        raise TypeError("expected str, bytes or os.PathLike object, not NoneType")
    load(self, name, *args, **kwargs)
ctypes.CDLL.__init__ = refuse
"""
HOME = """
from pathlib import Path
from autograder.course.loading import read_course
from autograder.course.model import Policy
from autograder.learner.check import Checker
from autograder.learner.workspace import open_workspace
from autograder.learner.start import start
root, folder = Path(sys.argv[1]), Path(sys.argv[2])
start(folder, root, read_course(root).lessons[0])
sys.platform = "win32"
with Checker(Policy(), tell=print) as checker:
    checked = checker.check(open_workspace(folder, root), "forward")
    print(checker.walled, [check.reason for check in checked.checks if check.reason != "needs"])
"""


def test_nothing_is_needed_that_windows_does_not_have(root, tmp_path):
    """With fork, poll, resource, pwd, landlock and their like taken away, on both sides, a file is checked all the same."""
    (tmp_path / "stripped.py").write_text(STRIPPED)
    there_too = f"exec(open({str(tmp_path / 'stripped.py')!r}).read()); "
    guest_side = f"from autograder.sandbox import local as alone\nalone.BOOT = {there_too!r} + alone.BOOT\n"
    done = subprocess.run(
        [sys.executable, "-c", STRIPPED + guest_side + HOME, str(root), str(tmp_path / "w")], capture_output=True, text=True, timeout=120
    )
    assert done.stdout == (
        "Without walls, as this system has none: your files run in a plain process with a time limit, and can do whatever you can.\n"
        "False ['raised', 'raised', 'raised', 'raised', 'raised']\n"
    ), done.stderr
