"""An open guest: values come back, trouble comes back as an outcome, and nothing but values crosses."""

import contextlib
import json
import math
import os
import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from autograder.course.errors import SandboxFault
from autograder.course.policy import Limits
from autograder.sandbox import deadline as deadlines
from autograder.sandbox.guests import Handle, Raised, defined
from autograder.sandbox.preload import Launched, Preloader, fullest
from autograder.sandbox.servers import Sandbox, Server
from tests.programs import wait_for


def load(guest, source, **options):
    outcome = guest.load("forward", source.encode(), **options)
    assert outcome.kind == "returned", outcome
    return lambda name, *args, **kwargs: guest.call(("forward", name), args, kwargs)


def test_a_value_comes_back_as_it_was_returned(guest):
    call = load(guest, "import numpy as np\ndef f(x, k): return np.sqrt(x) * k")
    assert np.array_equal(call("f", np.array([1.0, 4.0]), k=3).value, [3.0, 6.0])


def test_a_callback_is_answered_by_the_trusted_side_and_seen_there(guest):
    seen = []
    guest.on_ask = lambda callback, args, kwargs: seen.append((callback.__name__, args, kwargs))
    call = load(guest, "def f(model): return model(2, t=5) + model(3, t=4)")

    def double(x, t):
        return 2 * x

    assert call("f", double).value == 10
    assert seen == [("double", [2], {"t": 5}), ("double", [3], {"t": 4})]
    guest.on_ask = None


def test_a_callback_is_called_a_function_in_messages(guest):
    call = load(guest, "def f(model): return repr(model).split(' at ')[0]\ndef g(model): return model.missing")
    assert call("f", abs).value == "<function object"
    assert call("g", abs).raised.message == "'function' object has no attribute 'missing'"


def test_what_a_callback_cannot_take_is_refused_and_never_our_fault(guest):
    call = load(guest, "def f(model): return model('a word')")

    def root(x):
        return x**0.5

    outcome = call("f", root)
    assert outcome.kind == "refused"
    assert outcome.detail.startswith("`root` was called with something it cannot take: ")
    assert not guest.alive


def test_memory_that_runs_out_in_a_callback_is_ours_and_no_refusal(guest):
    call = load(guest, "def f(model): return model(1)")

    def full(x):
        raise MemoryError

    with pytest.raises(MemoryError):
        call("f", full)


def test_time_that_we_compute_is_not_the_guests(guest, monkeypatch):
    """A callback that takes an hour of the clock on the wall costs the call nothing."""
    hours = []
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + 3600 * len(hours), clock_gettime=time.clock_gettime)
    monkeypatch.setattr(deadlines, "time", clock)
    call = load(guest, "def f(model): return model(1) + model(2)")
    outcome = call("f", lambda x: hours.append(x) or x)
    assert (outcome.kind, outcome.value, hours) == ("returned", 3, [1, 2])
    assert guest.waited < 3600


IDLE = {
    "waits for nothing": "import select\nselect.select([], [], [], 100)",
    "sleeps in C": "import ctypes\nctypes.CDLL(None).sleep(100)",
    "waits for a lock": "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    "reads an empty pipe": "import os\nos.read(os.pipe()[0], 1)",
    "dozes": "import select\nwhile True: select.select([], [], [], 0.001)",
    "answers byte by byte": "import os, select\nos.write(3, b'\\x40\\x42\\x0f\\x00')\nwhile True:\n    select.select([], [], [], 0.02)\n    os.write(3, b'x')",
    "prints byte by byte": "import select\nwhile True:\n    select.select([], [], [], 0.02)\n    print('x')",
    "swallows its calls": "import os\nwhile True: os.read(3, 99)",
}  # fmt: skip


@pytest.mark.parametrize("source", IDLE.values(), ids=IDLE.keys())
def test_a_guest_may_sleep_for_as_long_as_it_may_compute(sandbox, source):
    """Then it is stopped, however it sleeps, and that is its own doing."""
    with sandbox.open("numpy") as guest:
        outcome = guest.load("forward", source.encode(), seconds=0.2)
        assert (outcome.kind, outcome.detail, outcome.idle) == ("timed_out", "it slept for 0.2 s", False)
        assert guest.slept < 10  # of the 20 s for which it might only wait for a core


def test_an_answer_that_came_while_the_grader_was_stopped_counts(sandbox, monkeypatch):
    """However often and long it is stopped; meanwhile the guest slept, since it had answered."""
    with sandbox.open("numpy") as guest:
        assert guest.load("forward", b"import numpy as np\ndef f(): return np.zeros(1 << 18)").kind == "returned"  # too much for one reading
        poll = guest._channel._poll
        stopped = SimpleNamespace(modify=poll.modify, unregister=poll.unregister, poll=lambda most: (time.sleep(0.3 if most else 0), poll.poll(most))[1])
        monkeypatch.setattr(guest._channel, "_poll", stopped)
        outcome = guest.call(("forward", "f"), (), {}, seconds=0.2)
        assert (outcome.kind, outcome.detail) == ("returned", "")


def test_a_pause_is_left_out(guest):
    """What a file shows slowly at home is graded at once; a sampler that sleeps between its steps is no slower than another."""
    call = load(guest, "import time\nfrom time import sleep\ndef f():\n    time.sleep(10**6)\n    sleep(10**6)\n    return 1")
    assert call("f").value == 1


@pytest.fixture
def waits(monkeypatch):
    """Wait for a guest for so many seconds of each kind; return how its call ends."""
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(deadlines, "time", clock)

    def waits(computing=0.0, slept=0.0, for_a_core=0.0, stopped=0.0, asleep=True):
        guest = SimpleNamespace(cpu_seconds=0.0, idle_clock=0.0, asleep=asleep)
        deadline = deadlines.Deadline(guest, 2)
        with deadline.waiting():
            clock.now += computing + slept + for_a_core + stopped
            guest.cpu_seconds += computing
            guest.idle_clock += slept + stopped
            deadline.excuse(stopped)
            try:
                deadline.check()
            except deadlines.Lost as lost:
                return lost.detail, lost.idle
        return "goes on"

    return waits


def test_a_machine_that_is_too_busy_is_no_sleep(waits):
    """What counts as sleep is time in which the guest wants no core; where it only waits for one, the call is tried again."""
    assert waits(computing=1.9, slept=1.9, for_a_core=10) == "goes on"
    assert waits(computing=2.1) == ("no answer in 2 s of computing", False)
    assert waits(slept=2.1) == ("it slept for 2 s", False)
    assert waits(for_a_core=20.1) == ("no answer in 20 s", True)


def test_waiting_for_a_disk_is_no_sleep(waits):
    """It is tried again, as for a core."""
    assert waits(slept=3.9, asleep=False) == "goes on"
    assert waits(slept=4.1, asleep=False) == ("no answer in 4 s", True)


def test_time_in_which_the_grader_was_stopped_does_not_count(waits):
    """Ctrl-Z stops the workers, and their guests go on and then wait."""
    assert waits(stopped=3600, slept=0.5) == "goes on"


def test_a_kernel_that_does_not_say_who_slept_leaves_the_backstop(waits):
    assert waits(slept=math.nan, for_a_core=0) == "goes on"


def test_a_callback_kept_for_later_is_no_longer_valid(guest):
    call = load(guest, "kept = []\ndef keep(model): kept.append(model)\ndef later(): return kept[0](1)")
    assert call("keep", lambda x: x).kind == "returned"
    assert call("later").kind == "refused"


def test_questions_are_capped(guest):
    call = load(guest, "def f(model):\n    while True: model(1)")
    outcome = guest.call(("forward", "f"), (lambda x: x,), {}, seconds=30)
    assert (outcome.kind, outcome.detail) == ("refused", "it sent more than 5000 questions, or more than 64 MiB in them")
    assert call


def test_an_object_stays_inside_and_is_called_by_its_handle(guest):
    call = load(
        guest, "class Model:\n    def __call__(self, x): return x + 1\n    def twice(self, x): return 2 * x\ndef build(): return Model()"
    )
    handle = call("build").value
    assert handle == Handle(1, "Model")
    assert guest.call((handle.number,), (2,), {}).value == 3
    assert guest.call((handle.number, "twice"), (4,), {}).value == 8
    guest.forget()
    assert guest.call((handle.number,), (2,), {}).kind == "raised"


def test_code_that_is_too_large_is_refused_and_not_run(walls):
    """In a notebook the student's cells count together, and what cells put out does not."""
    with Sandbox(Limits(source_kib=4)) as sandbox, sandbox.open("numpy") as guest:
        large, small = "print('run')\n" + "#" * 3000, "x = 1"
        book = {"cells": [{"cell_type": "code", "source": large, "outputs": ["y" * 5000]}, {"cell_type": "code", "source": small}]}
        assert guest.load("forward", json.dumps(book).encode(), notebook=True).kind == "returned"
        book["cells"][1]["source"] = large
        for source, notebook in ((json.dumps(book), True), (2 * (large + "\n"), False)):
            outcome = guest.load("forward", source.encode(), notebook=notebook)
            assert (outcome.kind, outcome.detail) == ("refused", "its code is larger than 4 KiB")
    assert guest.output == b"run\n"


USING = """
import functools
from math import sqrt
def _half(x): return low(x) / 2
def low(x): return sqrt(x)
@functools.cache
def cached(x): return low(x)
def decorate(f): return functools.wraps(f)(lambda *a: f(*a))
@decorate
def high(x): return [_half(one) for one in x]
class Model:
    def __call__(self, x): return high(x)
def odd(n): return n and even(n - 1)
def even(n): return not n or odd(n - 1)
"""


def test_a_loaded_file_tells_what_each_function_uses_of_the_others(guest):
    """Through helpers, decorators and methods; nothing that was imported, and not itself."""
    loaded = defined(guest.load("forward", USING.encode()))
    assert {name: list(loaded[name].uses) for name in ("low", "high", "Model", "odd", "even")} == {
        "low": [],
        "high": ["_half", "low"],
        "Model": ["_half", "high", "low"],
        "odd": ["even"],
        "even": ["odd"],
    }


def test_arguments_changed_in_place_are_told(guest):
    call = load(guest, "def f(x, y):\n    x += 1\n    return y")
    assert call("f", np.zeros(2), np.ones(2)).changed == ("0",)


def test_the_trusted_sides_own_arrays_are_never_changed(guest):
    call = load(guest, "def f(x):\n    x += 1\n    return x")
    x = np.zeros(2)
    call("f", x)
    assert np.array_equal(x, [0, 0])


def test_an_exception_tells_its_kind_and_the_students_own_lines(guest):
    call = load(guest, "def f(x):\n    return g(x)\n\ndef g(x):\n    return 1 / x")
    assert call("f", 0).raised == Raised("ZeroDivisionError", "division by zero", ("line 2", "line 5"))


def test_a_notebook_goes_on_after_a_cell_that_fails(guest):
    notebook = b'{"cells": [{"cell_type": "code", "source": "1 / 0"}, {"cell_type": "code", "source": "def f(): return 7"}]}'
    outcome = guest.load("forward", notebook, notebook=True)
    assert outcome.raised == Raised("ZeroDivisionError", "division by zero", ("cell 1, line 1",))
    assert guest.call(("forward", "f"), (), {}).value == 7


ENDS = {
    "an endless loop": ("def f():\n    while True: pass", "timed_out", "no answer in 0.5 s of computing"),
    "leaving": ("import os\ndef f(): os._exit(0)", "killed", "the process ended itself with status 0"),
    "a crash": ("import ctypes\ndef f(): ctypes.string_at(0)", "killed", "the process died of signal 11"),
    "a generator that is not data": ("def f(): yield 1", "returned", ""),
    "complex numbers": ("import numpy as np\ndef f(): return np.zeros(2, complex)", "refused", "it returned an array of dtype complex128"),
    "too much data": ("import numpy as np\ndef f(): return np.zeros(2 << 20)", "refused", "it returned 16 MiB of data, where 8 may be sent"),
    "a huge integer": ("def f(): return 10**100", "refused", "it returned an integer beyond 64 bits"),
    "a list in itself": ("def f():\n    x = []\n    x.append(x)\n    return x", "refused", "it returned a value that is nested without end"),
    "too many values": ("def f(): return [[]] * 20000", "refused", "it sent more than 10000 values"),
    "a long text": ("def f(): return 'a' * 100000", "refused", "it sent a text of more than 65536 bytes"),
    "deep nesting": ("def f():\n    x = 1\n    for _ in range(50): x = [x]\n    return x", "refused", "it sent nested deeper than 16"),
    "sys.exit": ("import sys\ndef f(): sys.exit(0)", "raised", ""),
    "deep recursion": ("def f(): return f()", "raised", ""),
}


@pytest.mark.parametrize(("source", "kind", "detail"), ENDS.values(), ids=ENDS.keys())
def test_every_end_of_a_call_is_an_outcome(guest, source, kind, detail):
    outcome = load(guest, source)("f")
    assert outcome.kind == kind
    assert outcome.detail == detail


def test_memory_is_bounded_and_its_end_is_named(guest):
    call = load(guest, "import numpy as np\ndef f(): return float(np.ones(1 << 30).sum())\ndef g(): return 1")
    assert call("f").kind == "out_of_memory"
    assert call("g").value == 1  # the guest lives on


def test_a_loop_at_import_has_a_time_of_its_own(sandbox):
    with sandbox.open("numpy") as guest:
        deaf = b"import signal\nsignal.signal(signal.SIGPROF, signal.SIG_IGN)\nwhile True: pass"
        assert guest.load("forward", deaf, seconds=0.3).detail == "no answer in 0.3 s of computing"


def test_the_first_64_kib_of_output_are_kept_and_the_rest_is_read(guest):
    call = load(guest, "def f():\n    for _ in range(3000): print('x' * 999)\n    return 1")
    assert guest.call(("forward", "f"), (), {}, seconds=10).value == 1
    guest.close()
    assert len(guest.output) == 64 << 10
    assert guest.printed == 3_000_000
    assert call


def test_what_was_printed_before_a_crash_is_kept(guest):
    load(guest, "import ctypes\ndef f():\n    print('so far')\n    ctypes.string_at(0)")("f")
    assert guest.output == b"so far\n"


CHANNEL_FD = "import os, struct, msgspec\ndef send(*m):\n    b = msgspec.msgpack.encode(m); os.write(3, struct.pack('<I', len(b)) + b)\n"
FORGED = {
    "a reply before it was asked": (CHANNEL_FD + "def f(): send('Reply', 'x', 'returned', 1); return 1", "it sent a reply to something that was not asked"),
    "half a frame for ever": (CHANNEL_FD + "def f():\n    os.write(3, struct.pack('<I', 1000) + b'x')\n    while True: pass", "no answer in 0.5 s of computing"),
    "a frame of 4 GiB": (CHANNEL_FD + "def f(): os.write(3, b'\\xff' * 8)", "it sent a frame of 4095 MiB, where 8 may be sent"),
    "bytes that are no message": (CHANNEL_FD + "def f(): os.write(3, struct.pack('<I', 3) + b'abc')", "it sent not a message (Expected `array`, got `int`)"),
    "another message's kind": (CHANNEL_FD + "def f(): send('Raised', {})", "it sent a reply to something that was not asked"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "detail"), FORGED.values(), ids=FORGED.keys())
def test_forged_frames_end_the_guest_and_earn_nothing(guest, source, detail):
    outcome = load(guest, source)("f")
    assert outcome.kind in ("refused", "timed_out")
    assert outcome.detail == detail
    assert not guest.alive


SAYS = CHANNEL_FD + """
import sys
frame = sys._getframe()
while "guest" not in frame.f_locals:
    frame = frame.f_back
guest = frame.f_locals["guest"]
"""


def test_whatever_a_guest_says_is_cut_and_harmless(guest):
    """Its words, names and lines are short and have no control characters; a line that is none is left out."""
    call = load(guest, SAYS + "def f(): send('Reply', guest.running, 'raised', None, '\\x1b[2J' * 999, 'a\\x07\\n' * 9999, "
                "['line 3', 'line \\x07', 'line 0.25', 'cell 2, line 1'], [])")  # fmt: skip
    raised = call("f").raised
    assert (len(raised.kind), len(raised.message), raised.where) == (60, 300, ("line 3", "cell 2, line 1"))
    assert (raised.kind + raised.message).isprintable()


NO_CHANGES = {
    "many": "[0] * 21",
    "a long name": "['x' * 61]",
    "colours": "['\\x1b[31m']",
    "a number of thousands of digits": "['9' * 5000]",
    "below zero": "[-1]",
}


@pytest.mark.parametrize("changed", NO_CHANGES.values(), ids=NO_CHANGES.keys())
def test_changed_arguments_that_no_call_has_are_refused(guest, changed):
    outcome = load(guest, SAYS + f"def f(): send('Reply', guest.running, 'returned', 1, '', '', [], {changed})")("f")
    assert (outcome.kind, outcome.detail) == ("refused", "it sent a list of changed arguments that makes no sense")


def test_a_double_reply_is_refused_at_the_next_call(guest):
    call = load(guest, "import os\nold = os.write\ndef twice(fd, data):\n    n = old(fd, data)\n    old(fd, data)\n    return n\n"
                "os.write = twice\ndef f(): return 1")  # fmt: skip
    assert call("f").kind == "refused"
    assert not guest.alive


def test_a_call_to_a_guest_that_is_gone_is_our_fault(guest):
    guest.close()
    with pytest.raises(SandboxFault, match="a call to a guest that is gone"):
        guest.call(("forward", "f"), (), {})


@pytest.mark.parametrize("seconds", [0, 0.1], ids=["before a call", "in a call"])
def test_a_guest_killed_from_outside_is_a_fault_and_no_outcome(sandbox, seconds):
    with sandbox.open("numpy") as guest:
        call = load(guest, "import select\ndef f(): select.select([], [], [], 60)")
        killer = threading.Timer(seconds, os.kill, (guest.pid, signal.SIGKILL))
        killer.start()
        killer.join(0 if seconds else 10)
        with pytest.raises(SandboxFault) as fault:
            call("f")
        assert str(fault.value) == "a guest was killed from outside, as the kernel does when this machine has too little memory: close other programs, or give fewer --workers"


DEAF = "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\n"


@pytest.mark.slow
@pytest.mark.parametrize("before", ["", DEAF], ids=["heard", "ignored"])
def test_the_kernels_limit_of_time_is_told_as_one(walls, before):
    """It strikes where one call may take longer than the whole submission."""
    with Sandbox(Limits(call_seconds=20, import_seconds=0.4, submission_seconds=0.4)) as sandbox, sandbox.open("numpy") as guest:
        outcome = load(guest, before + "def f():\n    while True: pass")("f")
        assert (outcome.kind, outcome.detail) == ("timed_out", "it used all of the submission's time")


def kill_servers(sandbox, guest):
    """Kill the fork servers, and wait until the guest has died with its own."""
    for pid in list(sandbox.pids()):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not Path(f"/proc/{guest.pid}").exists())


def test_guests_die_with_their_fork_server(sandbox):
    guest = sandbox.open("numpy")
    kill_servers(sandbox, guest)
    assert not Path(f"/proc/{guest.pid}").exists()
    with contextlib.suppress(SandboxFault):
        guest.close()
    sandbox.close()


def test_a_fork_server_killed_in_mid_run_is_a_fault_and_the_next_guest_works(sandbox):
    guest = sandbox.open("numpy")
    load(guest, "def f(): return 1")
    kill_servers(sandbox, guest)
    with pytest.raises(SandboxFault):
        guest.call(("forward", "f"), (), {})
    with contextlib.suppress(SandboxFault):
        guest.close()
    sandbox.close()
    with sandbox.open("numpy") as fresh:
        assert load(fresh, "def f(): return 1")("f").value == 1


@pytest.mark.parametrize("profile", ["numpy", pytest.param("torch training", marks=pytest.mark.slow)])
def test_a_fork_server_has_one_thread(sandbox, profile):
    """A child has the one thread that forked: a lock that another held would stay locked for ever."""
    sandbox.open(profile).close()
    assert [len(os.listdir(f"/proc/{pid}/task")) for pid in sandbox.pids()] == [1] * len(list(sandbox.pids()))


@pytest.fixture
def two(walls):
    """Two servers that one import warmed up, each for a supervisor of its own."""
    preloader = Preloader("numpy")
    both = [Server(profile="numpy", limits=Limits()) for _ in range(2)]
    for server in both:
        server.begin(Launched(preloader.server()))
    yield both
    for server in both:
        server.stop()
    preloader.close()


def test_servers_that_share_an_import_serve_apart(two):
    """Each has a process and a guest of its own; when one hangs up, the other goes on."""
    with two[0].open() as first, two[1].open() as second:
        calls = [load(guest, f"def f(): return {number}") for number, guest in enumerate((first, second))]
        assert len({two[0].pid, two[1].pid, first.pid, second.pid}) == 4
        first.close()
        two[0].stop()
        assert calls[1]("f").value == 1


def test_a_server_that_shares_an_import_ends_with_its_supervisor_and_with_the_import(two):
    """Neither a supervisor that is gone nor the process that imported leaves a server behind."""
    for server in two:
        server.open().close()
    pids = [server.pid for server in two]
    parent = int(Path(f"/proc/{pids[0]}/stat").read_text().rpartition(")")[2].split()[1])
    two[0].stop()
    wait_for(lambda: not runs(pids[0]))
    os.kill(parent, signal.SIGKILL)
    wait_for(lambda: not runs(pids[1]))
    with pytest.raises(SandboxFault):
        two[1].open()


def runs(pid):
    """Say whether a process is there and not only waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_randomness_is_seeded(sandbox):
    source = "import random\nimport numpy as np\ndef f(): return [random.random(), float(np.random.rand()), hash('x') % 1000]"
    values = []
    for _ in range(2):
        with sandbox.open("numpy") as guest:
            values.append(load(guest, source)("f").value)
    assert values[0] == values[1]


def test_plots_progress_bars_and_threads_are_harmless(guest):
    call = load(guest, "import matplotlib.pyplot as plt\nfrom tqdm import tqdm, trange\nimport threading\n"
                "def f():\n    fig, ax = plt.subplots()\n    ax.plot([1]).set(x=2)\n    return sum(tqdm([1, 2])) + sum(trange(3))\n"
                "def g(): threading.Thread(target=f).start()")  # fmt: skip
    assert call("f").value == 6
    assert call("g").raised.message == "the grader has one thread: call the function instead of starting a thread"


def test_a_package_that_is_not_there_is_named(sandbox):
    with sandbox.open("numpy") as guest:
        raised = guest.load("forward", b"import scipy").raised
    assert raised.message == "`scipy` is not available while grading: there are numpy and torch, and each file stands alone"


def test_every_module_of_the_standard_library_is_imported_or_named(sandbox):
    """One that this system does not have is named as everywhere; one whose library the walls keep away is named as not available."""
    source = """
import importlib, sys
def f():
    failed = {}
    for name in sorted(sys.stdlib_module_names - {"antigravity", "this", "idlelib"}):
        try:
            importlib.import_module(name)
        except Exception as error:
            failed[name] = type(error).__name__, isinstance(error, ModuleNotFoundError)
    return failed
"""
    with sandbox.open("numpy") as guest:
        failed = guest.call(("forward", "f"), (), {}, seconds=30).value if load(guest, source) else {}
    assert {name for name, (_, absent) in failed.items() if not absent} <= {"nis", "readline", "_dbm", "_ios_support", "_tkinter"}
    assert {"sqlite3", "ssl", "ctypes", "bz2", "lzma", "zlib", "decimal", "curses", "tkinter", "multiprocessing"}.isdisjoint(failed)


@pytest.mark.parametrize("how", ["import os, torch", "import importlib; importlib.import_module('torch.nn')", "exec('from torch import nn')"])
def test_a_module_that_another_profile_has_is_asked_for_whatever_the_code_does_with_the_failure(sandbox, how):
    for source in (f"try:\n    {how}\nexcept BaseException:\n    pass", f"def f():\n    {how}"):
        with sandbox.open("numpy") as guest:
            outcome = guest.load("forward", source.encode())
            if outcome.kind == "returned":
                outcome = guest.call(("forward", "f"), (), {})
            assert (outcome.kind, outcome.lacks, guest.alive) == ("refused", "torch", False)


DENIED = {
    "a file to write": ("open('out.png', 'w')", "`out.png` cannot be used while grading: there are no files"),
    "a file to read": ("open('/etc/passwd')", "`/etc/passwd` cannot be used while grading: there are no files"),
    "a log": ("import logging\nlogging.basicConfig(filename='/a.log')", "`/a.log` cannot be used while grading: there are no files"),
    "a process": ("import subprocess\nsubprocess.run(['ls'])", "this is not available while grading: there are no files, no network and no other processes"),
    "a pool": ("import multiprocessing\nmultiprocessing.Pool(2)", "this is not available while grading: there are no files, no network and no other processes"),
    "a download": ("import urllib.request as u\nu.urlopen('http://example.org')", "this is not available while grading: there are no files, no network and no other processes"),
    "a temporary file": ("import tempfile\ntempfile.TemporaryFile()", "this is not available while grading: there are no files, no network and no other processes"),
    "a shared library": ("import ctypes\nctypes.CDLL('libnowhere.so.1')", "it needs a library that is not available while grading"),
    "an extension module": ("raise ImportError(name='_tkinter', path='_tkinter.so')", "it needs a library that is not available while grading"),
    "one's own error": ("raise PermissionError('no')", "no"),
    "a file that is not there": ("open('nowhere.txt')", "`nowhere.txt` cannot be used while grading: there are no files"),
    "one's own missing file": ("raise FileNotFoundError('no')", "no"),
    "an answer": ("input('x = ')", "nothing can be typed while grading"),
    "a module": ("import os, numpy\nraise ValueError(numpy, os)", "(<module 'numpy' from 'numpy/__init__.py'>, <module 'os' (frozen)>)"),
    "a name that is not there": ("from numpy import cumprods", "cannot import name 'cumprods' from 'numpy'"),
    "a name that is not in an extension module": ("from _bisect import insert", "cannot import name 'insert' from '_bisect'"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "message"), DENIED.values(), ids=DENIED.keys())
def test_what_a_wall_keeps_away_is_told_without_the_wall(sandbox, source, message):
    """No error number, no loader's message and no system call reaches a student."""
    with sandbox.open(fullest(()) if "librar" in message else "numpy") as guest:
        assert guest.load("forward", source.encode()).raised.message == message


def test_a_file_is_told_the_same_where_namespaces_hide_it(namespaces, monkeypatch):
    monkeypatch.setattr("autograder.sandbox.guest.walls.landlock_version", lambda: (0, "taken away for the test"))
    source, message = DENIED["a file to read"]
    with Sandbox(Limits()) as without, without.open("numpy") as guest:
        assert guest.load("forward", source.encode()).raised.message == message


def test_what_is_printed_holds_no_path_of_this_machine(guest):
    load(guest, "import numpy, string\nprint(numpy, string)\nimport warnings; warnings.warn_explicit('old', UserWarning, numpy.__file__, 3)")
    assert guest.output.startswith(b"<module 'numpy' from 'numpy/__init__.py'> <module 'string' from 'string.py'>\nnumpy/__init__.py:3: UserWarning: old\n")


@pytest.mark.parametrize(("where", "told"), [(3, ("line 3",)), (4, ()), (10**6, ()), (10**20, ())])
def test_a_line_that_the_file_does_not_have_is_not_told(guest, where, told):
    """Otherwise its number could be a hidden one: a file may compile code in its own name, or write its own replies."""
    load(guest, f"def f():\n    from autograder.sandbox.guest import runtime\n    runtime._where = lambda *_: ['line {where}']; 1 / 0")
    assert guest.call(("forward", "f"), (), {}).raised.where == told


def test_a_notebooks_surroundings_and_a_forgotten_debugger_are_harmless(guest):
    load(guest, "get_ipython().run_line_magic('matplotlib', 'inline')\ndisplay(1)\nfrom google.colab import drive\ndrive.mount('/content')\n"
                "breakpoint()\nimport pdb; pdb.set_trace()\nimport ipdb; ipdb.set_trace()\nfrom turtle import *")  # fmt: skip
    assert guest.output == b"1\n"


def test_an_experiment_that_takes_too_long_costs_nothing_but_itself(guest):
    source = "def f(): return 1\nfor _ in iter(int, 1): pass\nwhile True: pass\ndef g(): return 2\n"
    outcome = guest.load("forward", source.encode(), seconds=3)
    assert outcome.raised == Raised("TookTooLong", "it took nearly all the time that a file may take", ("line 2",))
    assert [guest.call(("forward", name), (), {}).value for name in "fg"] == [1, 2]
    assert guest.output == (
        b"line 2 raised TookTooLong: it took nearly all the time that a file may take. After it, only imports and definitions ran.\n"
    )


def test_packages_that_a_course_offers_are_there_if_they_are_installed(walls):
    """They come with a profile of their own; what they need comes along, and what is not installed is named."""
    with Sandbox(Limits(packages=("pytest", "nowhere"))) as sandbox:
        with sandbox.open("numpy") as guest:
            assert guest.load("forward", b"import pytest").lacks == "pytest"
        with sandbox.open("numpy pytest nowhere") as guest:
            assert guest.load("forward", b"import pytest, pluggy, _pytest.doctest").kind == "returned"
            assert guest.load("forward", b"import click").raised.message == (
                "`click` is not available while grading: there are pytest, numpy and torch, and each file stands alone"
            )
            assert guest.load("forward", b"import nowhere").raised.kind == "ModuleNotFoundError"


def test_only_lines_of_the_submission_are_its_own(sandbox):
    """A module of ours that is loaded beside it, as the props are, has lines of the same form."""
    with sandbox.open("numpy") as guest:
        guest.load("forward", b"def own():\n    return 1 / 0\n")
        guest.load("props", b"import forward\n\n\ndef call(): return forward.own()\ndef fail(): return 1 / 0\n")
        assert guest.call(("props", "call"), (), {}).raised.where == ("line 2",)
        assert guest.call(("props", "fail"), (), {}).raised.where == ()
