"""This machine's cores as a crew: a process for each, over a pipe of its own. A worker that dies is replaced."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from threading import Thread

import msgspec

from autograder.boot import Launched, Warm, warmth_of
from autograder.bulk.crew import Back, LoadSize, Lost
from autograder.bulk.grader import Grader, Settings

AHEAD = 2  # loads with one worker: the one it works on, and the next
LOAD_SECONDS = 0.1  # the keeper of the gradebook wants a core as well, so it is woken for several results at once
LARGEST_LOAD = 16


def serve(connection: Connection, settings: bytes, slot: int, cores: set[int], servers: dict[str, socket.socket]) -> None:
    """Grade what comes in until the other side hangs up. Runs as a process of its own; `servers` warm up already, by warmth."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the keeper's business
    os.sched_setaffinity(0, cores)
    launched = {warmth: Launched(control) for warmth, control in servers.items()}
    loads: SimpleQueue[bytes | None] = SimpleQueue()
    Thread(target=_receive, args=(connection, loads), daemon=True).start()
    with _ended_without_memory(), closing(Grader(msgspec.msgpack.decode(settings, type=Settings), slot, launched)) as grader:
        for load in iter(loads.get, None):
            graded = grader.grade_load(msgspec.msgpack.decode(load, type=list[bytes]))
            with suppress(ConnectionError):
                connection.send_bytes(msgspec.msgpack.encode(graded))


def _receive(connection: Connection, loads: SimpleQueue[bytes | None]) -> None:
    """Take loads as they come: were they left in the pipe, each side could wait for ever for the other to read."""
    with _ended_without_memory():
        with suppress(EOFError, OSError):
            while True:
                loads.put(connection.recv_bytes())
        loads.put(None)


@contextmanager
def _ended_without_memory() -> Iterator[None]:
    """End this process where memory runs out: an orderly end would take some, and a fresh worker goes on."""
    try:
        yield
    except MemoryError:
        os._exit(1)


class _Worker:
    def __init__(self, settings: bytes, slot: int, cores: set[int], warm: Warm | None = None):
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.slot = slot
        self.held: deque[int] = deque()
        servers = {warm.warmth: warm.server()} if warm else {}
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


class LocalCrew:
    """Up to `workers` processes on this machine."""

    def __init__(self, settings: Settings, workers: int):
        self._settings, self._most = msgspec.msgpack.encode(settings), workers
        self._workers: list[_Worker] = []  # started when there is work for them
        self._warm: Warm | None = None
        self._size = LoadSize(LOAD_SECONDS, LARGEST_LOAD)

    def wants(self) -> int:
        """As many as take about `LOAD_SECONDS`, while a worker has room."""
        return self._size.now() if sum(len(worker.held) for worker in self._workers) < AHEAD * self._most else 0

    def hand(self, load: int, submissions: list[bytes]) -> None:
        """Give it to the worker that holds least."""
        if len(self._workers) < self._most and all(worker.held for worker in self._workers):
            if not self._workers and (warmth := warmth_of(submissions[0], torch=False)) != "numpy":
                self._warm = Warm(warmth)  # torch is imported once for all, while the workers start
            self._workers.append(_Worker(self._settings, slot := len(self._workers), self._cores(slot), self._warm))
        worker = min(self._workers, key=lambda one: len(one.held))
        worker.held.append(load)
        try:
            worker.connection.send_bytes(msgspec.msgpack.encode(submissions))
        except OSError:  # it has died: `back` will tell
            return

    def back(self) -> list[Back]:
        """Wait for results, or for a worker's end; one that ended is replaced."""
        busy = {worker.connection: worker for worker in self._workers if worker.held}
        return [back for connection in wait(list(busy)) for back in self._received(busy[connection])]  # type: ignore[index]

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

    def _received(self, worker: _Worker) -> list[Back]:
        try:
            received = worker.connection.recv_bytes()
        except (EOFError, OSError):
            worker.stop()
            self._workers[worker.slot] = _Worker(self._settings, worker.slot, self._cores(worker.slot))
            working, *held = worker.held
            why = "its worker ended"
            return [Back(working, Lost(why)), *(Back(load, Lost(why, worked=False)) for load in held)]
        seconds, graded = msgspec.msgpack.decode(received, type=tuple[float, list[bytes]])
        self._size.took(seconds, len(graded))
        return [Back(worker.held.popleft(), graded)]
