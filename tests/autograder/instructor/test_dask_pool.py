"""A Dask cluster grades as this machine does: a real scheduler and three workers, each a process of its own, one of them killed."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec import msgpack

from autograder.course.errors import SandboxFault, UsageError
from autograder.course.loading import read_course
from autograder.course.model import Submission
from autograder.grading.rounds import CacheKeys, Round
from autograder.instructor.dask_pool import DaskPool, grade_batch, worker_problem
from autograder.instructor.grade import GradeRequest, open_pool
from autograder.instructor.gradebook import Attempted
from autograder.instructor.pool import Settings
from bench.chaos import grading as chaos
from bench.throughput import NUMPY
from tests.programs import PATIENCE, running, wait_for

ROOT = Path(__file__).resolve().parents[3]
WALLS = "walls: landlock, seccomp, limits, privileges\n"


def start(*command):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return running([sys.executable, "-m", *command], PATIENCE * 5, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, **quiet)


def worker(address, folder):
    return start("distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(folder))


@contextmanager
def open_scheduler(folder):
    told = folder / "scheduler.json"
    command = "distributed.cli.dask_scheduler", "--port", "0", "--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(told)
    with start(*command) as scheduler:
        wait_for(lambda: told.exists() and told.stat().st_size)
        yield scheduler, json.loads(told.read_text())["address"]


def grading(submissions, out, address):
    command = chaos.command(submissions, out, "--cluster", address)
    return running(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, walls):
    """A scheduler and three workers; gives the address and the workers' processes."""
    folder = tmp_path_factory.mktemp("dask")
    with ExitStack() as stack:
        _, address = stack.enter_context(open_scheduler(folder))
        yield address, [stack.enter_context(worker(address, folder)) for _ in range(3)]


def test_a_worker_killed_in_mid_run_costs_nothing_but_time(cluster, tmp_path):
    """One is killed while it has work; what comes of it is, but for times, byte for byte what this machine alone makes of it."""
    from distributed import Client

    address, _ = cluster
    submissions = chaos.small_class(tmp_path / "class", 60)
    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(3, timeout=PATIENCE)
        pids, busy = client.run(os.getpid), []
        with grading(submissions, tmp_path / "out", address) as process:
            wait_for(lambda: chaos.attempts(tmp_path / "out") >= 1)
            wait_for(lambda: busy.extend(one for one, tasks in client.processing().items() if tasks) or busy)
            os.kill(pids[busy[0]], signal.SIGKILL)
            printed, errors = process.communicate()
    assert (process.returncode, errors) == (0, WALLS)
    assert json.loads(printed)["statuses"] == {"graded": 60, "missing": 0, "unrecognised": 0, "unreadable": 0, "not_judged": 0}
    chaos.finish(submissions, tmp_path / "alone")
    assert chaos.everything(tmp_path / "out") == chaos.everything(tmp_path / "alone")


STRANGE = {
    "another course": (ROOT, (), "another", f"its course in {ROOT}, or what it grades with, is not the same as here"),
    "no course": (Path("/nowhere"), (), "", "its course in /nowhere cannot be read: the course's description is missing"),
}


@pytest.mark.parametrize(("root", "walls", "cache_keys", "words"), STRANGE.values(), ids=STRANGE.keys())
def test_a_worker_says_what_keeps_it_from_grading(root, walls, cache_keys, words):
    assert worker_problem(msgpack.encode(Settings(str(root), Round("round-1", b"secret"), walls)), cache_keys) == words


def test_a_worker_that_lacks_a_wall_says_so(monkeypatch):
    course, chosen = read_course(ROOT), Round("round-1", b"secret")
    monkeypatch.setattr("autograder.instructor.dask_pool.missing_walls", lambda limits: {"landlock": "taken away for the test"})
    settings = msgpack.encode(Settings(str(ROOT), chosen, ("landlock",)))
    assert worker_problem(settings, CacheKeys(course, chosen, ("landlock",)).shared) == "walls are missing: landlock"


def test_no_fork_server_is_left_behind_on_a_worker(cluster, tmp_path):
    address, workers = cluster
    chaos.finish(chaos.small_class(tmp_path / "class", 3), tmp_path / "out", "--cluster", address)
    running = [worker.pid for worker in workers if worker.poll() is None]
    assert running
    assert [task.read_text() for pid in running for task in Path(f"/proc/{pid}/task").glob("*/children") if task.read_text()] == []


def test_a_thread_of_a_worker_grades_in_the_main_thread_of_a_process(monkeypatch, walls):
    """Only there do the bounds hold of what a submission's values may cost us; a fork server is a child of the thread that started it."""
    dask_worker = SimpleNamespace()
    monkeypatch.setattr("autograder.instructor.dask_pool.get_worker", lambda: dask_worker)
    settings = msgpack.encode(Settings(str(ROOT), Round("round-1", b"secret"), ()))
    batch = [msgpack.encode(Submission("ada", "12_diffusion", "forward", "forward.py", NUMPY, "", "present"))]
    with ThreadPoolExecutor(1) as threads:
        _, graded = threads.submit(grade_batch, settings, batch).result()
        ((_, grading),) = dask_worker.course_processes.values()
        pid = grading.process.pid
        servers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        grading.process.kill()
        with pytest.raises(SandboxFault, match="the process that grades ended"):
            threads.submit(grade_batch, settings, batch).result()
    assert (msgpack.decode(graded[0], type=Attempted).result.score, pid == os.getpid(), len(servers)) == (20, False, 1)
    assert dask_worker.course_processes == {}


@pytest.mark.usefixtures("walls")
def test_a_worker_that_cannot_grade_is_named_before_anything_is_graded(cluster, tmp_path):
    """This side is made to think that the course is another, as where machines do not share a file system."""
    address, _ = cluster
    boot = "from autograder.grading.rounds import CacheKeys; CacheKeys.shared = property(lambda self: 'ours', lambda self, value: None)\n"
    boot += "from autograder.cli.main import main; main()"
    (tmp_path / "class" / "ada").mkdir(parents=True)
    command = chaos.command(tmp_path / "class", tmp_path / "out", "--cluster", address)
    done = subprocess.run([sys.executable, "-c", boot, *command[3:]], cwd=ROOT, capture_output=True, text=True, timeout=120)
    told = f": this worker cannot grade: its course in {ROOT}, or what it grades with, is not the same as here\n"
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
    pool._client, pool._address, pool._out, pool._threads, pool._counted = SimpleNamespace(nthreads=reset), "tcp://here:1", {}, 0, float("-inf")
    with pytest.raises(SandboxFault) as gone:
        pool.wants()
    assert str(gone.value).startswith("the Dask cluster at tcp://here:1 is gone; what was graded is kept\n")
