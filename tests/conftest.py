"""What tests share: the machine's walls, a sandbox and a browser that stay open for a whole session, and where the course lies."""

import importlib
import os
import pkgutil
import signal
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: several processes share the cores
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a container may set it; here many commands start, and share what one has compiled

import pytest
from coverage import Coverage
from hypothesis import settings

import autograder
from autograder.author.release import build
from autograder.course.policy import Limits
from autograder.grading.bounds import OutOfMemory, bounded
from autograder.sandbox.properties import examine, missing_walls
from tests import browsers
from tests.courses import CLONE, ROOT
from tests.once import once
from tests.shared import SharedSandbox

MEASURED = (
    "test_after_grading.py", "test_cli.py", "test_handing_in.py", "test_review_terminal.py", "test_student_terminal.py", "test_students.py",
)  # fmt: skip
UNMEASURED = (  # long, and others run what they run
    "test_containers.py", "test_graded.py", "test_nbgrader.py", "test_objects.py", "test_readings.py", "test_recordings.py", "test_resuming.py",
)  # fmt: skip
LONG = ("browser", "hostile", "test_resuming", "nbgrader", "test_dask_pool", "test_recordings")  # groups that take a minute or more
COMMANDS = "COVERAGE_PROCESS_CONFIG"  # with it, commands measure themselves
STRANGER = 61999  # a user id that nobody has

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a background job: what tests start would ignore Ctrl-C as well
    signal.signal(signal.SIGINT, signal.default_int_handler)

_measuring: dict[str, str] = {}

settings.register_profile("same", derandomize=True, database=None, deadline=None)  # `make test` has one outcome
settings.register_profile("random", max_examples=2000, deadline=None, print_blob=True)  # `make fuzz` searches
settings.load_profile("same")


def pytest_addoption(parser):
    parser.addoption("--firefox", action="store_true", help="open pages in Firefox instead of Chromium")


def pytest_configure():
    """Keep each of pytest-xdist's processes to one core: the commands that a test starts would otherwise use all of them at once."""
    if name := os.environ.get("PYTEST_XDIST_WORKER"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(name.removeprefix("gw")) % len(cores)]})


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items):
    """Keep each file's tests in one process, with what they share, and begin with what takes longest."""
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    groups = {item: item.get_closest_marker("xdist_group").args[0] for item in items}
    items.sort(key=lambda item: LONG.index(groups[item]) if groups[item] in LONG else len(LONG))


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session):
    """Measure the engine as it is imported, and nothing while tests are: torch alone would take twice as long."""
    if _cov(session.config):
        for module in pkgutil.walk_packages(autograder.__path__, "autograder."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
        _pause(_cov(session.config))


@pytest.hookimpl(tryfirst=True)  # before what it needs is made
def pytest_runtest_setup(item):
    """Measure coverage where it tells something new, also in the commands that a test starts: elsewhere tests are faster by a quarter."""
    cov = _cov(item.config)
    if cov is None:
        return
    of_the_engine = CLONE / "tests" / "autograder" in item.path.parents and item.path.name not in UNMEASURED and "browser" not in item.fixturenames
    measured = of_the_engine or item.path.name in MEASURED
    if measured and not cov.started:
        cov.resume()
    elif not measured and cov.started:
        _pause(cov)
    if measured:
        os.environ.update(_measuring)
    elif COMMANDS in os.environ:
        _measuring[COMMANDS] = os.environ.pop(COMMANDS)


def _cov(config):
    """Give what measures coverage in this process, if anything does."""
    plugin = config.pluginmanager.getplugin("_cov")
    return plugin and plugin.cov_controller


def _pause(cov):
    cov.pause()
    while running := Coverage.current():  # in a process of pytest-xdist there are more than pytest-cov's own
        running.stop()


@pytest.fixture
def give_away(monkeypatch):
    """Give a path to another user: only root can, so for anybody else it is the user who changes."""

    def give(path):
        if os.geteuid() == 0:
            os.chown(path, STRANGER, -1)
        else:
            monkeypatch.setattr(os, "geteuid", lambda: STRANGER)

    return give


@pytest.fixture(scope="session")
def root():
    """The folder of the course, with one lesson."""
    return ROOT


@pytest.fixture(scope="module")
def one_thread():
    """Let torch use one thread: tensors are small in tests, and a second one only gets in the way."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def walls():
    """Demand that every wall stands: a loud skip at home, a failure in CI."""
    _demand(missing_walls(Limits()))


@pytest.fixture(scope="module")
def examined(walls):
    """Let the commands that run in this process try the walls once, and not one after another."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autograder.cli.grade.examine", cache(examine))
        yield


@pytest.fixture(scope="session")
def namespaces(walls):
    """Demand that namespaces can be entered, which an ordinary user may not everywhere: a loud skip at home, a failure in CI."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autograder.sandbox.guest.walls.landlock_version", lambda: (0, "taken away for the test"))
        _demand(missing_walls(Limits()))


def _demand(missing):
    if missing and os.environ.get("CI"):
        pytest.fail(f"walls are missing here: {missing}")
    if missing:
        pytest.skip(f"WALLS MISSING, so this promise is not tested here: {missing}")


@pytest.fixture(scope="session")
def sandbox(walls):
    """A sandbox with all walls and short limits, kept for the session."""
    with SharedSandbox(Limits(call_seconds=0.5, import_seconds=3, submission_seconds=20, memory_mib=512)) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def released(root, tmp_path_factory):
    """The folder of a student release of the whole course, built once."""

    def built():
        place = tmp_path_factory.mktemp("release") / "course"
        build(root, place)
        return str(place)

    return Path(once(tmp_path_factory, "release", built))


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 4 MiB: a loud skip where none can be mounted, a failure in CI."""
    place = tmp_path / "disk"
    place.mkdir()
    power = [] if os.geteuid() == 0 else ["sudo", "-n"]
    try:
        subprocess.run([*power, "mount", "-t", "tmpfs", "-o", f"size=4m,mode=0700,uid={os.geteuid()}", "none", place], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        why = (getattr(error, "stderr", b"") or str(error).encode()).decode().strip()
        if os.environ.get("CI"):
            pytest.fail(f"no disk can be mounted here: {why}")
        pytest.skip(f"NO DISK CAN BE MOUNTED, so no full one is tested here: {why}")
    yield place
    subprocess.run([*power, "umount", place], check=True)


@pytest.fixture
def no_spare_memory():
    """Take the memory that this process has free from earlier tests: a bound is on more than that."""
    taken = []
    with suppress(OutOfMemory), bounded(0, 60):
        while True:
            taken.append(bytearray(4 << 20))
    yield
    taken.clear()


@pytest.fixture
def guest(sandbox):
    """A fresh guest without torch."""
    with sandbox.open("numpy") as guest:
        yield guest


@pytest.fixture(scope="session")
def driver():
    """What drives browsers, started once: a second one would not start beside it."""
    with browsers.driven() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(driver, request):
    """A browser for a session: Chromium, or with `--firefox` Firefox. A loud skip where there is none, a failure in CI."""
    with (browsers.firefox if request.config.getoption("--firefox") else browsers.chromium)(driver) as opened:
        yield opened
