"""A pool is fed with batches of submissions and gives each batch back once: graded, or lost with its worker.

Knows nothing of processes or machines. A batch has a number; an answer to a batch that is no longer out is dropped, so that
work done twice gives one attempt.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count, islice
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from threading import Thread
from typing import NamedTuple, Protocol

import msgspec

from autograder.course.model import Submission
from autograder.instructor.worker import TRIES, Graded, Grader, Settings
from autograder.sandbox.preload import Launched, Preloader, profile_for


class Lost(NamedTuple):
    """Why there is no result; `worked` says that the worker had begun with it, so that it counts as tried."""

    why: str
    worked: bool = True


class Completed(NamedTuple):
    """A batch that came back: what was graded, in order, or how it was lost."""

    batch: int
    graded: list[bytes] | Lost


class BatchSize:
    """How many submissions make a batch that takes a worker about `seconds`, by what the last batches took."""

    def __init__(self, seconds: float, largest: int):
        self._seconds, self._largest = seconds, largest
        self._for_one = seconds  # the first batch is a single one

    def now(self) -> int:
        return max(1, min(self._largest, int(self._seconds / self._for_one)))

    def took(self, seconds: float, count: int) -> None:
        """Learn from a batch that is back."""
        self._for_one = max(1e-4, 0.7 * self._for_one + 0.3 * seconds / count)


class WorkerPool(Protocol):
    """What `grade_all` asks of workers, wherever they are."""

    def wants(self) -> int:
        """Say how many submissions the next batch should have; 0 while enough are out."""

    def submit(self, batch: int, submissions: list[bytes]) -> None:
        """Give a batch away; do not wait."""

    def completed(self) -> list[Completed]:
        """Wait until a batch is back and give all that are. Raise `SandboxFault` where none will ever be."""

    def close(self) -> None:
        """Let the workers go, and what they still hold."""


def grade_all(submissions: Iterable[Submission], settings: Settings, pool: WorkerPool) -> Iterator[list[tuple[Submission, Graded]]]:
    """Grade submissions and yield those that are done, some at a time and in no order."""
    waiting = ((submission, 1) for submission in submissions)
    again: deque[tuple[Submission, int]] = deque()  # each with how often it is tried, this time included
    out: dict[int, list[tuple[Submission, int]]] = {}
    numbers = count()

    def feed() -> None:
        while wanted := pool.wants():
            batch = [again.popleft()] if again else list(islice(waiting, wanted))
            if not batch:
                return
            number = next(numbers)
            out[number] = batch
            pool.submit(number, [msgspec.msgpack.encode(submission) for submission, _ in batch])

    feed()
    while out:
        done: list[tuple[Submission, Graded]] = []
        for answer in pool.completed():
            batch = out.pop(answer.batch, None)
            if batch is None:
                continue
            if isinstance(answer.graded, Lost):
                more = int(answer.graded.worked and len(batch) == 1)  # of several nobody knows which one it was: each is tried alone
                again.extend((submission, tries + more) for submission, tries in batch if tries + more <= TRIES)
                done += [(one, _lost(one, settings, answer.graded.why)) for one, tries in batch if tries + more > TRIES]
            else:
                done += [(one, msgspec.msgpack.decode(data, type=Graded)) for (one, _), data in zip(batch, answer.graded, strict=True)]
        yield done
        feed()


def _lost(submission: Submission, settings: Settings, why: str) -> Graded:
    return Grader(settings).fault(submission, f"tried {TRIES} times: {why}")


AHEAD = 2  # batches with one worker: the one it works on, and the next
BATCH_SECONDS = 0.1  # the supervisor of the gradebook wants a core as well, so it is woken for several results at once
LARGEST_BATCH = 16


def serve(connection: Connection, settings: bytes, slot: int, cores: set[int], servers: dict[str, socket.socket]) -> None:
    """Grade what comes in until the other side hangs up. Runs as a process of its own; `servers` warm up already, by profile."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's business
    os.sched_setaffinity(0, cores)
    launched = {profile: Launched(control) for profile, control in servers.items()}
    batches: SimpleQueue[bytes | None] = SimpleQueue()
    Thread(target=_receive, args=(connection, batches), daemon=True).start()
    with _ended_without_memory(), closing(Grader(msgspec.msgpack.decode(settings, type=Settings), slot, launched)) as grader:
        for batch in iter(batches.get, None):
            graded = grader.grade_batch(msgspec.msgpack.decode(batch, type=list[bytes]))
            with suppress(ConnectionError):
                connection.send_bytes(msgspec.msgpack.encode(graded))


def _receive(connection: Connection, batches: SimpleQueue[bytes | None]) -> None:
    """Take batches as they come: were they left in the pipe, each side could wait for ever for the other to read."""
    with _ended_without_memory():
        with suppress(EOFError, OSError):
            while True:
                batches.put(connection.recv_bytes())
        batches.put(None)


@contextmanager
def _ended_without_memory() -> Iterator[None]:
    """End this process where memory runs out: an orderly end would take some, and a fresh worker goes on."""
    try:
        yield
    except MemoryError:
        os._exit(1)


class _Worker:
    def __init__(self, settings: bytes, slot: int, cores: set[int], warm: Preloader | None = None):
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.slot = slot
        self.held: deque[int] = deque()
        servers = {warm.profile: warm.server()} if warm else {}
        self.process: BaseProcess = context.Process(target=serve, args=(theirs, settings, slot, cores, servers), daemon=True)
        self.process.start()
        theirs.close()
        for handed in servers.values():
            handed.close()

    def stop(self) -> None:
        self.connection.close()
        self.process.join(5)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


class LocalPool:
    """Up to `workers` processes on this machine."""

    def __init__(self, settings: Settings, workers: int):
        self._settings, self._most = msgspec.msgpack.encode(settings), workers
        self._workers: list[_Worker] = []  # started when there is work for them
        self._warm: Preloader | None = None
        self._size = BatchSize(BATCH_SECONDS, LARGEST_BATCH)

    def wants(self) -> int:
        """As many as take about `BATCH_SECONDS`, while a worker has room."""
        return self._size.now() if sum(len(worker.held) for worker in self._workers) < AHEAD * self._most else 0

    def submit(self, batch: int, submissions: list[bytes]) -> None:
        """Give it to the worker that holds least."""
        if len(self._workers) < self._most and all(worker.held for worker in self._workers):
            if not self._workers and (profile := profile_for(submissions[0])) != "numpy":
                self._warm = Preloader(profile)  # a framework is imported once for all, while the workers start
            self._workers.append(_Worker(self._settings, slot := len(self._workers), self._cores(slot), self._warm))
        worker = min(self._workers, key=lambda one: len(one.held))
        worker.held.append(batch)
        try:
            worker.connection.send_bytes(msgspec.msgpack.encode(submissions))
        except OSError:  # it has died: `completed` will tell
            return

    def completed(self) -> list[Completed]:
        """Wait for results, or for a worker's end; one that ended is replaced."""
        busy = {worker.connection: worker for worker in self._workers if worker.held}
        return [one for connection in wait(list(busy)) for one in self._received(busy[connection])]  # type: ignore[index]

    def close(self) -> None:
        """Stop the workers."""
        for worker in self._workers:
            worker.stop()
        if self._warm:
            self._warm.close()

    def _cores(self, slot: int) -> set[int]:
        """Give a worker a core of its own where all are used: it and its guests take turns, and each finds its caches warm."""
        cores = sorted(os.sched_getaffinity(0))
        return {cores[slot]} if self._most == len(cores) else set(cores)

    def _received(self, worker: _Worker) -> list[Completed]:
        try:
            received = worker.connection.recv_bytes()
        except (EOFError, OSError):
            worker.stop()
            self._workers[worker.slot] = _Worker(self._settings, worker.slot, self._cores(worker.slot))
            working, *held = worker.held
            why = "its worker ended"
            return [Completed(working, Lost(why)), *(Completed(batch, Lost(why, worked=False)) for batch in held)]
        seconds, graded = msgspec.msgpack.decode(received, type=tuple[float, list[bytes]])
        self._size.took(seconds, len(graded))
        return [Completed(worker.held.popleft(), graded)]
