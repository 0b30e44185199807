"""What the walls hold on each kernel, what each holds alone, and that everything gets through where none is raised."""

import os
from pathlib import Path

import pytest

from autograder.course.errors import WallsMissing
from autograder.course.policy import Limits
from autograder.sandbox.guest import walls
from autograder.sandbox.guest.walls import WALLS
from autograder.sandbox.properties import PROPERTIES, Examination, examine, userns_hint
from autograder.sandbox.servers import Sandbox, free_user, readable_paths

COURSE = Path(__file__).resolve().parents[3] / "course.yaml"

@pytest.fixture
def landlock(monkeypatch, request):
    """Let the walls use no more of Landlock than an older kernel has: 0 is none at all."""

    def use(version):
        if version == 0:
            request.getfixturevalue("namespaces")
        if version > walls.landlock_version()[0]:
            pytest.skip(f"THIS KERNEL'S LANDLOCK IS OLDER THAN VERSION {version}, so this promise is not tested here")
        monkeypatch.setattr(walls, "landlock_version", lambda: (version, "" if version else "taken away for the test"))

    return use


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize("version", range(7))
def test_every_property_stands_on_an_older_kernel(version, landlock):
    """Nothing gets through, whatever version of Landlock there is, or none."""
    landlock(version)
    found = examine(Limits())
    assert found.faults == {}
    assert found.walls == (("landlock" if version else "namespaces"), *WALLS[1:])


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize("alone", [*(("landlock", version) for version in range(1, 7)), ("namespaces", 0), *((wall, 6) for wall in WALLS[1:])])
def test_a_wall_alone_holds_just_the_properties_that_the_table_says(alone, landlock):
    wall, version = alone
    landlock(version)
    found = examine(Limits(), ("landlock" if wall == "namespaces" else wall,))
    assert found.missing == {}
    expected = {kept.name for kept in PROPERTIES if not kept.holders((wall,), version)}
    always = {"capabilities"} if wall in ("landlock", "seccomp") and os.geteuid() else set()  # an ordinary user holds none, and both end new ones
    assert set(found.through) == expected - always


@pytest.mark.usefixtures("walls")
def test_without_walls_every_attempt_of_the_table_gets_through():
    """So an attempt that fails was stopped by a wall, and not by its own mistake."""
    found = examine(Limits(), ())
    for kept in PROPERTIES:
        assert set(kept.attempts) <= set(found.through[kept.name]), kept.name


def test_faults_name_each_wall_that_is_missing_and_each_property_that_does_not_stand():
    found = Examination(("seccomp",), 5, {"landlock": "not in this kernel"}, {"TCP": ("connect()",)})
    assert found.faults == {"landlock": "not in this kernel", "TCP": "got through: connect()"}


def test_a_setting_that_forbids_user_namespaces_is_told_with_the_command_that_allows_them(tmp_path, monkeypatch):
    """As on Ubuntu 24.04. Root needs none, and is told nothing."""
    for setting, forbids in (("kernel/apparmor_restrict_unprivileged_userns", "1"), ("user/max_user_namespaces", "100")):
        (tmp_path / setting).parent.mkdir(exist_ok=True)
        (tmp_path / setting).write_text(f"{forbids}\n")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    told = "kernel.apparmor_restrict_unprivileged_userns is 1: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    assert userns_hint(tmp_path) == f"; {told}"
    (tmp_path / "kernel" / "apparmor_restrict_unprivileged_userns").write_text("0\n")
    assert userns_hint(tmp_path) == ""
    (tmp_path / "user" / "max_user_namespaces").write_text("0\n")
    assert userns_hint(tmp_path) == "; user.max_user_namespaces is 0: sudo sysctl -w user.max_user_namespaces=10000"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert userns_hint(tmp_path) == ""


def test_the_kernels_that_hold_more_are_named():
    assert Examination(WALLS, 3, {}, {}).better == {"6.7": ("TCP",), "6.10": ("devices",), "6.12": ("signals", "abstract sockets")}
    assert Examination(WALLS, 6, {}, {}).better == {}


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
