"""This machine's cores as a crew: a process for each, over a pipe of its own. A worker that dies is replaced."""

from __future__ import annotations

import multiprocessing
import signal
import socket
from collections import deque
from contextlib import closing, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

import msgspec

from autograder.boot import Launched, Warm, warmth_of
from autograder.bulk.crew import Back, Lost
from autograder.bulk.grader import Grader, Settings
from autograder.model import Submission

AHEAD = 2  # submissions with one worker: the one it works on, and the next


def serve(connection: Connection, settings: bytes, slot: int, servers: dict[str, socket.socket]) -> None:
    """Grade what comes in until the other side hangs up. Runs as a process of its own; `servers` warm up already, by warmth."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the keeper's business
    launched = {warmth: Launched(control) for warmth, control in servers.items()}
    grader = Grader(msgspec.msgpack.decode(settings, type=Settings), slot, launched)
    with closing(grader), suppress(EOFError, ConnectionError, MemoryError):  # without memory: a fresh worker goes on
        while True:
            submission = msgspec.msgpack.decode(connection.recv_bytes(), type=Submission)
            connection.send_bytes(msgspec.msgpack.encode(grader.grade(submission)))


class _Worker:
    def __init__(self, settings: bytes, slot: int, warm: Warm | None = None):
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.slot = slot
        self.held: deque[int] = deque()
        servers = {warm.warmth: warm.server()} if warm else {}
        self.process: BaseProcess = context.Process(target=serve, args=(theirs, settings, slot, servers), daemon=True)
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
    """Up to `workers` processes on this machine; each load is one submission."""

    def __init__(self, settings: Settings, workers: int):
        self._settings, self._most = msgspec.msgpack.encode(settings), workers
        self._workers: list[_Worker] = []  # started when there is work for them
        self._warm: Warm | None = None

    def wants(self) -> int:
        """One, while a worker has room."""
        return int(sum(len(worker.held) for worker in self._workers) < AHEAD * self._most)

    def hand(self, load: int, submissions: list[bytes]) -> None:
        """Give it to the worker that holds least."""
        if len(self._workers) < self._most and all(worker.held for worker in self._workers):
            if not self._workers and (warmth := warmth_of(submissions[0], torch=False)) != "numpy":
                self._warm = Warm(warmth)  # torch is imported once for all, while the workers start
            self._workers.append(_Worker(self._settings, len(self._workers), self._warm))
        worker = min(self._workers, key=lambda one: len(one.held))
        worker.held.append(load)
        try:
            worker.connection.send_bytes(submissions[0])
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

    def _received(self, worker: _Worker) -> list[Back]:
        try:
            graded = worker.connection.recv_bytes()
        except (EOFError, OSError):
            worker.stop()
            self._workers[worker.slot] = _Worker(self._settings, worker.slot)
            working, *held = worker.held
            why = "its worker ended"
            return [Back(working, Lost(why)), *(Back(load, Lost(why, worked=False)) for load in held)]
        return [Back(worker.held.popleft(), [graded])]
