"""An existing Dask cluster as a worker pool. Each thread of its workers has a process that grades, with its own fork servers and walls.

    this process --submissions, as bytes--> scheduler --> worker --> process that grades --guest--> ...
    this process <--graded, as bytes------- scheduler <-- worker <-- process that grades

A worker's machine needs this package and nothing else: the course travels, packed and named by the hash of what is in it, to each worker
that does not have it yet, also to one that joins later. A worker with other versions or missing walls is refused: before anything is
graded, or when one that joins later is first asked, and what it was asked for goes elsewhere. The course's answers and the round's secret
are among the bytes, and Dask runs whatever its clients send: the cluster is on the trusted side of the wall, and its ports are for trusted
machines only, or for those that its TLS lets in, which Dask's own settings turn on.

A task costs Dask more than grading a small submission, so a batch has as many as take a worker about `BATCH_SECONDS`. If a worker
dies, Dask runs its tasks on another; if a task ends several workers, Dask gives up, and `pool` tries each submission alone.
"""

import contextlib
import hashlib
import io
import logging
import os
import re
import shutil
import tempfile
import threading
import time
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import msgspec
from distributed import Client, Future, WorkerPlugin, get_worker
from msgspec.structs import replace

from autograder.course.errors import CourseError, SandboxFault, UsageError
from autograder.course.loading import CONTENT, read_course
from autograder.grading.rounds import CacheKeys
from autograder.instructor.pool import BatchSize, Completed, Lost, Settings, WorkerProcess
from autograder.sandbox.properties import missing_walls
from autograder.sandbox.servers import readable_paths

AHEAD = 2  # batches for each thread of a worker: the one it works on, and the next
BATCH_SECONDS = 1.0
LARGEST_BATCH = 32
CONNECT_SECONDS = 5
ADDRESS = re.compile(r"(tcp|tls|ws|wss)://[^/]+:\d+")


class Job(msgspec.Struct, frozen=True):
    """What a worker grades by: the settings, without the course's folder, the course's hash, and the key of what judges it."""

    settings: Settings
    course: str
    cache_keys: str


class Refused(Exception):
    """A worker that cannot grade: its address, and the reason."""


# ---- the course, on its way


def packed(root: Path) -> tuple[str, bytes]:
    """Pack what grading needs of a course. Return also its name: a hash of every path and content, and of nothing else."""
    data, named = io.BytesIO(), hashlib.sha256()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in _files(root):
            name, content = path.relative_to(root).as_posix(), path.read_bytes()
            named.update(f"{len(name)} {name} {len(content)} ".encode() + content)
            archive.writestr(name, content)
    return named.hexdigest(), data.getvalue()


def _files(root: Path) -> Iterator[Path]:
    for part in CONTENT:
        listed = sorted((root / part).rglob("*")) if (root / part).is_dir() else [root / part]
        yield from (path for path in listed if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."))


def course_on(dask_worker: Any, course: str) -> Path:
    """Return the folder of a course on a worker, which may not be there yet."""
    return Path(dask_worker.local_directory) / f"course-{course}"


def has_course(course: str, dask_worker: Any) -> bool:
    """Say whether a worker has a course. Runs on the worker, which Dask passes."""
    return course_on(dask_worker, course).is_dir()


def unpack(course: str, data: bytes, dask_worker: Any) -> None:
    """Unpack a course that comes from the client, whole or not at all. Runs on the worker, which Dask passes."""
    place = course_on(dask_worker, course)
    beside = Path(tempfile.mkdtemp(dir=place.parent))  # for this user alone
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(beside)
    with contextlib.suppress(OSError):  # it came twice
        beside.rename(place)
    shutil.rmtree(beside, ignore_errors=True)


class CourseTravels(WorkerPlugin):  # type: ignore[misc]
    """Unpacks a course on each worker that joins while a class is graded."""

    def __init__(self, course: str, data: bytes):
        self._course, self._data = course, data

    def setup(self, worker: Any) -> None:
        if not has_course(self._course, worker):
            unpack(self._course, self._data, worker)


# ---- on a worker


def worker_problem(job: bytes, dask_worker: Any) -> str:
    """Return what keeps a worker from grading, or "". Runs on the worker, which Dask passes."""
    known = msgspec.msgpack.decode(job, type=Job)
    root, settings = course_on(dask_worker, known.course), known.settings
    try:
        course = read_course(root)
    except CourseError as error:
        return f"its course cannot be read: {error.findings[0].problem}"
    if CacheKeys(course, settings.round, settings.walls).shared != known.cache_keys:
        return "what it grades with is not the same as here: install the same versions of this package and of what it needs"
    if any(root.resolve().is_relative_to(Path(path).resolve()) for path in readable_paths()[0]):
        return f"submissions can read its course in {root}: give it another --local-directory"
    missing = missing_walls(course.policy.limits, settings.walls)
    return f"walls are missing: {', '.join(sorted(missing))}" if missing else ""


def grade_batch(job: bytes, submissions: list[bytes]) -> tuple[float, list[bytes]]:
    """Grade a batch (see `Grader.grade_batch`). Runs on the worker, in one of its threads. Raise `Refused` if it cannot."""
    grading = _grading(job)
    grading.send(msgspec.msgpack.encode(submissions))
    try:
        return grading.receive()
    except (EOFError, OSError):
        _processes(get_worker()).pop(threading.get_ident())[1].stop()
        raise SandboxFault("the process that grades ended") from None


def release(dask_worker: Any) -> None:
    """Stop the processes of a worker. Runs on the worker, which Dask passes."""
    for _, grading in _processes(dask_worker).values():
        grading.stop()
    _processes(dask_worker).clear()


def _grading(job: bytes) -> WorkerProcess:
    """Return this thread's process, kept from the last batch. What bounds our own work for a submission would do nothing in a thread."""
    worker = get_worker()
    processes, thread = _processes(worker), threading.get_ident()
    known, grading = processes.get(thread, (b"", None))
    if grading is None or known != job:
        if grading is not None:
            grading.stop()
        if problem := worker_problem(job, worker):
            raise Refused(worker.address, problem)
        told = msgspec.msgpack.decode(job, type=Job)
        settings = replace(told.settings, root=str(course_on(worker, told.course)))
        grading = WorkerProcess(msgspec.msgpack.encode(settings), os.getpid() + len(processes), os.sched_getaffinity(0))
        processes[thread] = (job, grading)
    return grading


def _processes(worker: Any) -> dict[int, tuple[bytes, WorkerProcess]]:
    kept: dict[int, tuple[bytes, WorkerProcess]] = worker.__dict__.setdefault("course_processes", {})
    return kept


# ---- on the client


class DaskPool:
    """The workers of the scheduler at `address`, including those that join later."""

    def __init__(self, settings: Settings, address: str):
        self._address = address
        self._refused: dict[str, str] = {}  # workers that cannot grade, with the reason
        self._name = uuid.uuid4().hex
        self._out: dict[int, Future] = {}
        self._done: SimpleQueue[int] = SimpleQueue()
        self._size = BatchSize(BATCH_SECONDS, LARGEST_BATCH)
        self._there, self._counted = dict[str, int](), float("-inf")
        if not ADDRESS.fullmatch(address):
            raise UsageError(f"`{address}` is not a scheduler's address", "give it as `dask scheduler` prints it: tcp://HOST:PORT")
        for name in ("distributed", "distributed.client"):  # errors are raised to the caller instead
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            self._client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError):
            fix = "start one with `dask scheduler`, or give the address that it prints"
            raise UsageError(f"{address}: no Dask scheduler answers at this address", fix) from None
        try:
            self._prepare_workers(settings)
        except UsageError:
            self._client.close()
            raise

    def wants(self) -> int:
        """Return how many take about `BATCH_SECONDS`, or 0 if all threads have enough. Raise `SandboxFault` if the scheduler is gone."""
        return 0 if len(self._out) >= AHEAD * self._threads_there() else self._size.now()

    def submit(self, batch: int, submissions: list[bytes]) -> None:
        key, others = f"course-{self._name}-{batch}", [one for one in self._there if one not in self._refused] if self._refused else None
        future = self._client.submit(
            grade_batch, self._job, submissions, key=key, pure=False, workers=others, allow_other_workers=bool(others)
        )
        self._out[batch] = future
        future.add_done_callback(lambda _: self._done.put(batch))

    def completed(self) -> list[Completed]:
        """Wait for batches. Raise `SandboxFault` if the scheduler is gone."""
        done = [self._done.get()]
        while not self._done.empty():
            done.append(self._done.get_nowait())
        futures = {batch: self._out.pop(batch) for batch in done}
        if any(future.cancelled() for future in futures.values()):
            raise self._gone()
        return [self._received(batch, future) for batch, future in futures.items()]

    def close(self) -> None:
        """Stop the workers' processes and disconnect; the cluster keeps running."""
        if self._client.status == "running":
            with contextlib.suppress(OSError):  # it ended just now
                self._client.cancel(list(self._out.values()))
                self._client.run(release, on_error="ignore")
                self._client.unregister_worker_plugin(self._name)
        self._client.close(timeout=2)

    def _received(self, batch: int, future: Future) -> Completed:
        try:
            seconds, graded = future.result()
        except Refused as error:
            self._refuse(*error.args)
            return Completed(batch, Lost(str(error), worked=False))
        except Exception as error:  # whatever a worker raised, or `KilledWorker` where it ended several
            return Completed(batch, Lost(f"{type(error).__name__}: {error}"))
        self._size.took(seconds, len(graded))
        return Completed(batch, graded)

    def _gone(self) -> SandboxFault:
        return SandboxFault(
            f"the Dask cluster at {self._address} is gone; what was graded is kept\n"
            "  fix: start it and give the same command again, which continues where it was"
        )

    def _threads_there(self) -> int:
        """Return the number of threads of all workers, asked once a second: workers come and go."""
        if time.monotonic() > self._counted + 1:
            try:
                self._there, self._counted = dict(self._client.nthreads()), time.monotonic()
            except OSError:
                raise self._gone() from None
        return max(1, sum(threads for worker, threads in self._there.items() if worker not in self._refused))

    def _refuse(self, worker: str, problem: str) -> None:
        """Send nothing more to a worker that joined and cannot grade. Raise `SandboxFault` if no other is left."""
        self._refused[worker] = problem
        self._counted = float("-inf")
        self._threads_there()
        if self._there.keys() <= self._refused.keys():
            raise SandboxFault(f"{worker}: this worker cannot grade: {problem}; no other is left, and what was graded is kept")

    def _prepare_workers(self, settings: Settings) -> None:
        """Bring the course to all workers, and see to it that later ones get it too. Raise `UsageError` if one of them cannot grade."""
        root = Path(settings.root)
        course, data = packed(root)
        self._job = msgspec.msgpack.encode(
            Job(replace(settings, root=""), course, CacheKeys(read_course(root), settings.round, settings.walls).shared)
        )
        there: dict[str, bool] = self._client.run(has_course, course)
        if not there:
            raise UsageError(f"{self._address}: the cluster has no workers", f"start some: dask worker {self._address} --nthreads 1")
        if lacking := [worker for worker, has in there.items() if not has]:
            self._client.run(unpack, course, data, workers=lacking)
        problems: dict[str, Any] = self._client.run(worker_problem, self._job, on_error="return")
        for worker, problem in sorted(problems.items()):
            if problem:
                raise UsageError(f"{worker}: this worker cannot grade: {problem}", "fix it or stop it, and give the command again")
        self._client.register_plugin(CourseTravels(course, data), name=self._name)
