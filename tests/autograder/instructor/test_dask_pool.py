"""A Dask cluster grades as this machine does: a real scheduler and workers, of which one is killed and one joins late."""

import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from distributed import Client, Security
from msgspec import msgpack

from autograder.course.errors import SandboxFault, UsageError
from autograder.course.loading import CONTENT, read_course
from autograder.course.model import Submission
from autograder.grading.rounds import CacheKeys, Round
from autograder.instructor.dask_pool import (
    CourseTravels,
    DaskPool,
    Job,
    Refused,
    course_on,
    grade_batch,
    has_course,
    packed,
    unpack,
    worker_problem,
)
from autograder.instructor.grade import GradeRequest, open_pool
from autograder.instructor.gradebook import Attempted
from autograder.instructor.pool import Settings
from bench.chaos import grading as chaos
from bench.throughput import NUMPY
from tests.conftest import COMMANDS
from tests.courses import ROOT
from tests.programs import PATIENCE, running, wait_for

TINY = ROOT / "tests" / "broken_courses" / "tiny"
WALLS = "walls: landlock, seccomp, limits, privileges\n"


def start(*command, **environment):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    own = {name: value for name, value in os.environ.items() if name != COMMANDS}  # most of what runs there is Dask's
    return running(command, PATIENCE * 5, cwd=ROOT, env={**own, "OMP_NUM_THREADS": "1", **environment}, **quiet)


def worker(address, folder, *within, **environment):
    options = "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(folder)
    return start(*within, sys.executable, "-m", "distributed.cli.dask_worker", address, *options, **environment)


@contextmanager
def open_scheduler(folder, *more, host="127.0.0.1", **environment):
    told = folder / "scheduler.json"
    options = "--port", "0", "--host", host, "--no-dashboard", "--scheduler-file", str(told), *more
    with start(sys.executable, "-m", "distributed.cli.dask_scheduler", *options, **environment) as scheduler:
        wait_for(lambda: told.exists() and told.stat().st_size)
        yield scheduler, json.loads(told.read_text())["address"]


def joined(address, security=None):
    """Wait until a worker is there."""
    with Client(address, set_as_default=False, security=security) as client:
        client.wait_for_workers(1, timeout=PATIENCE)


def grading(submissions, out, address, **environment):
    command = chaos.command(submissions, out, "--cluster", address)
    return running(command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, walls):
    """A scheduler and a worker; gives the address and the worker's process."""
    folder = tmp_path_factory.mktemp("dask")
    with open_scheduler(folder) as (_, address), worker(address, folder) as process:
        joined(address)
        yield address, process


# ---- two machines: each with the package alone


TLS = {"REQUIRE_ENCRYPTION": "True", "TLS__CA_FILE": "cert.pem"} | {
    f"TLS__{who}__{what}": f"{what.lower()}.pem" for who in ("SCHEDULER", "WORKER", "CLIENT") for what in ("CERT", "KEY")
}


@pytest.fixture
def tls(tmp_path):
    """The environment in which Dask trusts one certificate and nothing else."""
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=course", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    return {f"DASK_DISTRIBUTED__COMM__{name}": str(tmp_path / value) if value.endswith(".pem") else value for name, value in TLS.items()}


HIDDEN = "; ".join(f"mount -t tmpfs none {ROOT / part}" for part in CONTENT if (ROOT / part).is_dir())


@pytest.fixture
def machines():
    """How to start a program as on another machine, twice, and where that reaches this one.

    Where this user may make them, each has a network of its own and the course's folders are empty there. Otherwise they are processes.
    """
    bridge, network = f"ct{os.getpid()}", f"10.213.{os.getpid() % 250}"  # of this run alone
    names = [f"{bridge}-{number}" for number in (2, 3)]
    steps = [f"ip link add {bridge} type bridge", f"ip addr add {network}.1/24 dev {bridge}", f"ip link set {bridge} up"]
    for number, name in enumerate(names, 2):
        steps += [f"ip netns add {name}", f"ip link add {name} type veth peer name own netns {name}", f"ip link set {name} master {bridge} up"]
        steps += [f"ip -n {name} addr add {network}.{number}/24 dev own", f"ip -n {name} link set own up", f"ip -n {name} link set lo up"]
    try:
        apart = shutil.which("ip") is not None and all(subprocess.run(step.split(), capture_output=True).returncode == 0 for step in steps)
        within = [("ip", "netns", "exec", name, "unshare", "--mount", "sh", "-c", f'{HIDDEN}; exec "$@"', "sh") for name in names]
        yield (within, f"{network}.1") if apart else ([(), ()], "127.0.0.1")
    finally:
        for undo in (f"ip netns del {names[0]}", f"ip netns del {names[1]}", f"ip link del {bridge}"):
            if shutil.which("ip"):
                subprocess.run(undo.split(), capture_output=True)


def test_a_worker_that_joins_late_goes_on_where_another_is_killed(tmp_path, walls, tls, machines):
    """The course goes to both, encrypted; what comes of it is, but for times, byte for byte what this machine alone makes of it."""
    ((first, second), host), cert = machines, tls["DASK_DISTRIBUTED__COMM__TLS__CA_FILE"]
    submissions = chaos.small_class(tmp_path / "class", 60)
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    with ExitStack() as stack:
        _, address = stack.enter_context(open_scheduler(tmp_path, "--protocol", "tls", host=host, **tls))
        killed = stack.enter_context(worker(address, tmp_path / "first", *first, **tls))
        joined(address, Security(tls_ca_file=cert, tls_client_cert=cert, tls_client_key=cert.replace("cert.pem", "key.pem")))
        process = stack.enter_context(grading(submissions, tmp_path / "out", address, **tls))
        wait_for(lambda: chaos.attempts(tmp_path / "out") >= 1 or process.poll() is not None)
        killed.send_signal(signal.SIGSTOP)
        stack.enter_context(worker(address, tmp_path / "second", *second, **tls))
        wait_for(lambda: list((tmp_path / "second").glob("dask-scratch-space/worker-*/course-*/course.yaml")) or process.poll() is not None)
        killed.kill()
        printed, errors = process.communicate()
    assert (process.returncode, errors) == (0, WALLS)
    assert json.loads(printed)["statuses"] == {"graded": 60, "missing": 0, "unrecognised": 0, "unreadable": 0, "not_judged": 0}
    chaos.finish(submissions, tmp_path / "alone")
    assert chaos.everything(tmp_path / "out") == chaos.everything(tmp_path / "alone")


# ---- what a worker is sent, and what it says


@pytest.fixture(scope="module")
def ours():
    """The course, packed: its name, and the bytes."""
    return packed(ROOT)


@pytest.fixture
def dask_worker(tmp_path, ours):
    """What Dask passes to a function that runs on a worker, with the course unpacked there; gives also the course's name."""
    course, data = ours
    made = SimpleNamespace(local_directory=str(tmp_path), address="tcp://worker:1")
    assert not has_course(course, made)
    CourseTravels(course, data).setup(made)
    assert has_course(course, made)
    return made, course


def job(course, walls=(), cache_keys=None):
    chosen = Round("round-1", b"secret")
    known = CacheKeys(read_course(ROOT), chosen, walls).shared if cache_keys is None else cache_keys
    return msgpack.encode(Job(Settings("", chosen, walls), course, known))


def test_a_course_is_named_by_what_is_in_it(tmp_path):
    """Wherever it lies and whenever it was written; what Python and the system leave beside it is no part of it."""
    names = []
    for place in ("one", "two"):
        shutil.copytree(TINY, tmp_path / place, ignore=shutil.ignore_patterns("__pycache__"))
        names.append(packed(tmp_path / place))
    (tmp_path / "two" / "exercises" / "__pycache__").mkdir()
    (tmp_path / "two" / "exercises" / "__pycache__" / "x.pyc").touch()
    (tmp_path / "two" / "exercises" / ".DS_Store").touch()
    (tmp_path / "two" / "results").mkdir()
    names.append(packed(tmp_path / "two"))
    assert names[0][0] == names[1][0] == names[2][0]
    (tmp_path / "two" / "course.yaml").write_text((tmp_path / "two" / "course.yaml").read_text() + "# changed\n")
    assert packed(tmp_path / "two")[0] != names[0][0]


def test_a_course_that_came_is_the_same_and_for_this_user_alone(dask_worker, ours):
    made, course = dask_worker
    place = course_on(made, course)
    assert packed(place)[0] == course
    assert place.stat().st_mode & 0o777 == 0o700
    unpack(*ours, made)  # again
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_a_worker_says_what_keeps_it_from_grading(dask_worker):
    made, course = dask_worker
    other = "what it grades with is not the same as here: install the same versions of this package and of what it needs"
    assert worker_problem(job(course), made) == ""
    assert worker_problem(job(course, cache_keys="another"), made) == other
    assert worker_problem(job("0" * 64), made) == "its course cannot be read: the course's description is missing"


def test_a_worker_that_lacks_a_wall_says_so(dask_worker, monkeypatch):
    made, course = dask_worker
    monkeypatch.setattr("autograder.instructor.dask_pool.missing_walls", lambda limits, wanted: {"landlock": "taken away for the test"})
    assert worker_problem(job(course, ("landlock",)), made) == "walls are missing: landlock"


def test_a_worker_that_joins_and_cannot_grade_is_sent_nothing_more():
    """What it was asked for is tried elsewhere and does not count as tried; if no other is left, the run ends with a line."""
    pool = DaskPool.__new__(DaskPool)
    there = {"tcp://good:1": 2, "tcp://late:1": 1}
    pool._client, pool._address, pool._refused, pool._there, pool._counted = SimpleNamespace(nthreads=lambda: there), "tcp://here:1", {}, {}, 0.0
    refusing = SimpleNamespace(result=lambda: (_ for _ in ()).throw(Refused("tcp://late:1", "walls are missing: seccomp")))
    assert pool._received(7, refusing).graded.worked is False
    assert (pool._refused, pool._threads_there()) == ({"tcp://late:1": "walls are missing: seccomp"}, 2)
    del there["tcp://good:1"]
    with pytest.raises(SandboxFault) as ended:
        pool._received(7, refusing)
    assert str(ended.value) == "tcp://late:1: this worker cannot grade: walls are missing: seccomp; no other is left, and what was graded is kept"


def test_no_fork_server_is_left_behind_on_a_worker(cluster, tmp_path):
    address, process = cluster
    chaos.finish(chaos.small_class(tmp_path / "class", 3), tmp_path / "out", "--cluster", address)
    assert process.poll() is None
    assert [task.read_text() for task in Path(f"/proc/{process.pid}/task").glob("*/children") if task.read_text()] == []


def test_a_thread_of_a_worker_grades_in_the_main_thread_of_a_process(monkeypatch, walls, dask_worker):
    """Only there do the bounds hold of what a submission's values may cost us; a fork server is a child of the thread that started it."""
    made, course = dask_worker
    monkeypatch.setattr("autograder.instructor.dask_pool.get_worker", lambda: made)
    asked = job(course)
    batch = [msgpack.encode(Submission("ada", "12_diffusion", "forward", "forward.py", NUMPY, "", "present"))]
    with ThreadPoolExecutor(1) as threads:
        _, graded = threads.submit(grade_batch, asked, batch).result()
        ((_, grading),) = made.course_processes.values()
        pid = grading.process.pid
        servers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        grading.process.kill()
        with pytest.raises(SandboxFault, match="the process that grades ended"):
            threads.submit(grade_batch, asked, batch).result()
    assert (msgpack.decode(graded[0], type=Attempted).result.score, pid == os.getpid(), len(servers)) == (20, False, 1)
    assert made.course_processes == {}


@pytest.mark.usefixtures("walls")
def test_a_worker_that_cannot_grade_is_named_before_anything_is_graded(cluster, tmp_path):
    """This side is made to think that it grades with something else."""
    address, _ = cluster
    boot = "from autograder.grading.rounds import CacheKeys; CacheKeys.shared = property(lambda self: 'ours', lambda self, value: None)\n"
    boot += "from autograder.cli.main import main; main()"
    (tmp_path / "class" / "ada").mkdir(parents=True)
    command = chaos.command(tmp_path / "class", tmp_path / "out", "--cluster", address)
    done = subprocess.run([sys.executable, "-c", boot, *command[3:]], cwd=ROOT, capture_output=True, text=True, timeout=120)
    told = ": this worker cannot grade: what it grades with is not the same as here: install the same versions of this package and of what it needs\n"
    assert (done.returncode, done.stderr.removeprefix(WALLS).partition("tcp://")[2].partition(": ")[2]) == (2, told[2:] + "  fix: fix it or stop it, and give the command again\n")
    assert chaos.attempts(tmp_path / "out") == 0


ADDRESSES = {
    "tcp://127.0.0.1:9": "tcp://127.0.0.1:9: no Dask scheduler answers at this address\n  fix: start one with `dask scheduler`, or give the address that it prints",
    "localhost": "`localhost` is not a scheduler's address\n  fix: give it as `dask scheduler` prints it: tcp://HOST:PORT",
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_where_no_scheduler_answers_the_address_is_named(address, monkeypatch):
    monkeypatch.setattr("autograder.instructor.dask_pool.CONNECT_SECONDS", 0.5)
    with pytest.raises(UsageError) as refused:
        DaskPool(Settings(str(ROOT), Round("round-1", b"secret"), ()), address)
    assert str(refused.value) == ADDRESSES[address]


def test_without_dask_the_option_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "autograder.instructor.dask_pool", None)
    with pytest.raises(UsageError) as refused:
        open_pool(GradeRequest(tmp_path, tmp_path, cluster="tcp://127.0.0.1:9"), Settings(str(ROOT), Round("round-1", b"secret"), ()))
    assert str(refused.value) == "--cluster needs Dask, which is not installed\n  fix: pip install -c constraints.txt -e '.[cluster]'"


def test_a_cluster_that_goes_away_is_one_line_and_keeps_what_is_graded(tmp_path, walls):
    submissions = chaos.small_class(tmp_path / "class", 1000)
    with open_scheduler(tmp_path) as (scheduler, address), worker(address, tmp_path), grading(submissions, tmp_path / "out", address) as process:
        wait_for(lambda: chaos.attempts(tmp_path / "out") >= 1)
        scheduler.kill()
        _, errors = process.communicate()
    words = f"the Dask cluster at {address} is gone; what was graded is kept\n  fix: start it and give the same command again, which continues where it was\n"
    assert (process.returncode, errors) == (3, WALLS + words)
    assert 1 <= chaos.attempts(tmp_path / "out") < 1000


def test_a_scheduler_that_ends_while_threads_are_counted_is_gone_too():
    def reset():
        raise ConnectionResetError

    pool = DaskPool.__new__(DaskPool)
    pool._client, pool._address, pool._out, pool._counted = SimpleNamespace(nthreads=reset), "tcp://here:1", {}, float("-inf")
    with pytest.raises(SandboxFault) as gone:
        pool.wants()
    assert str(gone.value).startswith("the Dask cluster at tcp://here:1 is gone; what was graded is kept\n")
