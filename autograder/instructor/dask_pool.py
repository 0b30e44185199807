"""An existing Dask cluster as a worker pool. Each thread of its workers has a process that grades, with its own fork servers and walls.

    this process --submissions, as bytes--> scheduler --> worker --> process that grades --guest--> ...
    this process <--graded, as bytes------- scheduler <-- worker <-- process that grades

Every worker's machine has this package, and the course at the same path; a worker with another course, other versions or missing walls
is refused before anything is graded. The round's secret is among the bytes, and Dask runs whatever its clients send: the cluster is on
the trusted side of the wall, and its ports are for trusted machines only.

A task costs Dask more than grading a small submission, so a batch has as many as take a worker about `BATCH_SECONDS`. If a worker
dies, Dask runs its tasks on another; if a task ends several workers, Dask gives up, and `pool` tries each submission alone.
"""

import contextlib
import logging
import os
import re
import threading
import time
import uuid
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import msgspec
from distributed import Client, Future, get_worker

from autograder.course.errors import CourseError, SandboxFault, UsageError
from autograder.course.loading import read_course
from autograder.grading.rounds import CacheKeys
from autograder.instructor.pool import BatchSize, Completed, Lost, Settings, WorkerProcess
from autograder.sandbox.servers import missing_walls, readable_paths

AHEAD = 2  # batches for each thread of a worker: the one it works on, and the next
BATCH_SECONDS = 1.0
LARGEST_BATCH = 32
CONNECT_SECONDS = 5
ADDRESS = re.compile(r"(tcp|tls|ws|wss)://[^/]+:\d+")


def worker_problem(settings: bytes, cache_keys: str) -> str:
    """Return what keeps this worker from grading, or "". Runs on the worker."""
    known = msgspec.msgpack.decode(settings, type=Settings)
    root = Path(known.root)
    try:
        course = read_course(root)
    except CourseError as error:
        return f"its course in {root} cannot be read: {error.findings[0].problem}"
    if CacheKeys(course, known.round, known.walls).shared != cache_keys:
        return f"its course in {root}, or what it grades with, is not the same as here"
    if any(root.resolve().is_relative_to(Path(path).resolve()) for path in readable_paths()[0]):
        return f"submissions can read its course in {root}"
    missing = set(known.walls) & missing_walls(course.policy.limits).keys()
    return f"walls are missing: {', '.join(sorted(missing))}" if missing else ""


def grade_batch(settings: bytes, submissions: list[bytes]) -> tuple[float, list[bytes]]:
    """Grade a batch (see `Grader.grade_batch`). Runs on the worker, in one of its threads."""
    grading = _grading(settings)
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


def _grading(settings: bytes) -> WorkerProcess:
    """Return this thread's process, kept from the last batch. What bounds our own work for a submission would do nothing in a thread."""
    processes, thread = _processes(get_worker()), threading.get_ident()
    known, grading = processes.get(thread, (b"", None))
    if grading is None or known != settings:
        if grading is not None:
            grading.stop()
        grading = WorkerProcess(settings, os.getpid() + len(processes), os.sched_getaffinity(0))
        processes[thread] = (settings, grading)
    return grading


def _processes(worker: Any) -> dict[int, tuple[bytes, WorkerProcess]]:
    kept: dict[int, tuple[bytes, WorkerProcess]] = worker.__dict__.setdefault("course_processes", {})
    return kept


class DaskPool:
    """The workers of the scheduler at `address`, including those that join later."""

    def __init__(self, settings: Settings, address: str):
        self._settings, self._address = msgspec.msgpack.encode(settings), address
        self._name = uuid.uuid4().hex
        self._out: dict[int, Future] = {}
        self._done: SimpleQueue[int] = SimpleQueue()
        self._size = BatchSize(BATCH_SECONDS, LARGEST_BATCH)
        self._threads, self._counted = 0, 0.0
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
            self._demand_workers(settings)
        except UsageError:
            self._client.close()
            raise

    def wants(self) -> int:
        """Return how many take about `BATCH_SECONDS`, or 0 if all threads have enough. Raise `SandboxFault` if the scheduler is gone."""
        return 0 if len(self._out) >= AHEAD * self._threads_there() else self._size.now()

    def submit(self, batch: int, submissions: list[bytes]) -> None:
        future = self._client.submit(grade_batch, self._settings, submissions, key=f"course-{self._name}-{batch}", pure=False)
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
        self._client.close(timeout=2)

    def _received(self, batch: int, future: Future) -> Completed:
        try:
            seconds, graded = future.result()
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
                self._threads, self._counted = sum(self._client.nthreads().values()), time.monotonic()
            except OSError:
                raise self._gone() from None
        return max(1, self._threads)

    def _demand_workers(self, settings: Settings) -> None:
        cache_keys = CacheKeys(read_course(Path(settings.root)), settings.round, settings.walls).shared
        problems: dict[str, Any] = self._client.run(worker_problem, self._settings, cache_keys, on_error="return")
        if not problems:
            raise UsageError(f"{self._address}: the cluster has no workers", f"start some: dask worker {self._address} --nthreads 1")
        for worker, problem in sorted(problems.items()):
            if problem:
                raise UsageError(f"{worker}: this worker cannot grade: {problem}", "fix it or stop it, and give the command again")
