"""Each wall, tried by what it stops; and with the wall taken away, the same attempt succeeds, so the test can fail."""

import os
from pathlib import Path

import pytest

from autograder.course.errors import WallsMissing
from autograder.course.model import Limits
from autograder.sandbox.guest.walls import WALLS
from autograder.sandbox.servers import Sandbox, free_user, readable_paths

COURSE = Path(__file__).resolve().parents[3] / "course.yaml"

# wall -> source whose f() returns True when it got through
PROBES = {
    "landlock": f"def f(): return len(open({str(COURSE)!r}).read()) > 0",
    "seccomp": "import socket\ndef f(): return socket.socket().fileno() > 0",
    "limits": "import numpy as np\ndef f(): return float(np.ones(160 << 20, np.uint8)[::4096].sum()) > 0",
}


def got_through(wall, walls):
    with Sandbox(Limits(memory_mib=64, call_seconds=5), walls) as sandbox, sandbox.open("numpy") as guest:
        guest.load("forward", PROBES[wall].encode())
        return guest.call(("forward", "f"), (), {}).value is True


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize("wall", PROBES)
def test_a_wall_stops_what_it_is_for(wall):
    assert not got_through(wall, WALLS)


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize("wall", PROBES)
def test_without_the_wall_the_attempt_succeeds(wall):
    others = tuple(other for other in WALLS if other != wall and not (wall == "landlock" and other == "seccomp"))
    assert got_through(wall, others)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has powers to give up")
@pytest.mark.usefixtures("walls")
def test_a_guest_of_root_has_no_capability_and_no_supplementary_group():
    source = b"import os\ndef f(): return [open('/proc/self/status').read(), os.getuid()]"
    without_landlock = tuple(wall for wall in WALLS if wall != "landlock")
    with Sandbox(Limits(), without_landlock) as sandbox, sandbox.open("numpy") as guest:
        guest.load("forward", source)
        status, user = guest.call(("forward", "f"), (), {}).value
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert {facts[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert facts["NoNewPrivs"] == "1"
    assert facts["Seccomp"] == "2"
    assert user == (free_user(0) or 0)


@pytest.mark.usefixtures("walls")
def test_a_guest_has_three_streams_and_its_socket_and_no_environment():
    source = b"import os\ndef f():\n    found = []\n    for fd in range(64):\n        try: os.fstat(fd); found.append(fd)\n        except OSError: pass\n    return [found, dict(os.environ)]"
    with Sandbox(Limits()) as sandbox, sandbox.open("numpy") as guest:
        guest.load("forward", source)
        assert guest.call(("forward", "f"), (), {}).value == [[0, 1, 2, 3], {}]


@pytest.mark.usefixtures("walls")
def test_what_measures_coverage_here_is_not_in_a_guest(monkeypatch, tmp_path):
    """A tracer would write where no guest may, and takes its time."""
    monkeypatch.setenv("COVERAGE_PROCESS_START", str(tmp_path / "settings"))
    source = b"import sys\ndef f(): return [sys.gettrace() is None, 'coverage' in sys.modules]"
    with Sandbox(Limits()) as sandbox, sandbox.open("numpy") as guest:
        guest.load("forward", source)
        assert guest.call(("forward", "f"), (), {}).value == [True, False]


@pytest.mark.usefixtures("walls")
def test_a_wall_that_does_not_stand_is_named_with_its_reason(monkeypatch):
    """The plan asks for a path that is not there, so the ruleset cannot be made."""
    monkeypatch.setattr("autograder.sandbox.servers.readable_paths", lambda: (("/nowhere/at/all",), ()))
    monkeypatch.setattr("autograder.sandbox.servers.free_user", lambda slot: None)
    with Sandbox(Limits()) as sandbox, pytest.raises(WallsMissing) as caught:
        sandbox.open("numpy")
    assert str(caught.value) == "missing walls: landlock ([Errno 2] No such file or directory: '/nowhere/at/all')"


def test_guests_read_packages_and_never_the_course():
    readable, listed = readable_paths()
    assert not any(COURSE.is_relative_to(path) for path in readable)
    assert not any(Path(path).name in ("site-packages", "dist-packages") for path in readable)
    assert any(Path(path).name == "numpy" for path in readable)
    assert listed
