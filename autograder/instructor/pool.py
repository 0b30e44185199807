"""Grade submissions with several workers: `grade_all` hands batches to a `WorkerPool` and takes each batch's results once.

`LocalPool` has processes on this machine, `dask_pool` a cluster's. A batch is graded or lost with its worker; if several submissions
are lost together, each is tried again alone, so one that ends its worker costs no other its result. A batch that comes back twice
counts once. A fault of ours is tried again and never costs points: it becomes `not_judged`. How one is judged: `grading.attempt`.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from itertools import count, islice
from multiprocessing.connection import Connection, wait
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Literal, NamedTuple, Protocol

import msgspec

from autograder.course.errors import CourseError, SandboxFault
from autograder.course.loading import package_name, read_course
from autograder.course.model import CheckResult, Lesson, Notes, Result, Submission
from autograder.course.own_practice import token_of
from autograder.course.policy import Limits, limits_for
from autograder.grading.attempt import Attempt, attempt, load_materials
from autograder.grading.marking import listed, mark_answers
from autograder.grading.questions import functions_of
from autograder.grading.rounds import Round
from autograder.instructor.gradebook import Attempted
from autograder.sandbox.preload import Launched, Preloader, profile_for
from autograder.sandbox.servers import Sandbox

TRIES = 2
_BOOT = (  # Ctrl-C is for the command; what is frozen isn't looked through when the process ends
    "import atexit, gc, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); atexit.register(gc.freeze);"
    "sys.path.insert(0, {root!r}); from autograder.instructor.pool import serve; serve({slot}, {cores}, {servers})"
)


class Settings(msgspec.Struct, frozen=True):
    """What a worker needs to grade: the course's folder, the round and the walls."""

    root: str
    round: Round
    walls: tuple[str, ...]


class Grader:
    """Grades one submission after another. `launched` holds servers that are already preloading, by profile."""

    def __init__(self, settings: Settings, slot: int = 0, launched: Mapping[str, Launched] | None = None):
        self.settings = settings
        self.course = read_course(Path(settings.root))
        self.version = version(package_name())
        self._slot, self._launched = slot, dict(launched or {})  # the launched are for the first sandbox
        self._sandboxes: dict[Limits, Sandbox] = {}
        self.materials = cache(lambda lesson, wanted: load_materials(next(e for e in self._lesson(lesson).exercises if e.id == wanted)))
        self._functions = cache(lambda lesson: functions_of(self.course.root, self._lesson(lesson)))

    def grade(self, submission: Submission) -> Attempted:
        """Grade one submission. After a fault, try once more with fresh servers.

        A fault of the sandbox or the system is ours. Any other exception comes of what the submission returned: if it comes again, that
        is refused.
        """
        if submission.status in ("missing", "unrecognised"):
            return self._graded(submission, Attempt(()))
        if submission.status == "unreadable":
            return self._ended(submission, "refused", f"It could not be read: {submission.problem}.")
        fault: Exception | None = None
        for _ in range(TRIES):
            try:
                return self._graded(submission, self.attempt(submission))
            except (CourseError, MemoryError):
                raise
            except Exception as error:
                fault = error
                self.close()
        if isinstance(fault, SandboxFault | OSError):
            return self.fault(submission, str(fault))
        return self._ended(submission, "refused", "It cannot be graded. Your instructor knows.", f"{type(fault).__name__}: {fault}")

    def grade_batch(self, submissions: list[bytes]) -> tuple[float, list[bytes]]:
        """Grade some submissions one after another, from bytes to bytes; return also the seconds that it took."""
        started = time.monotonic()
        graded = [msgspec.msgpack.encode(self.grade(msgspec.msgpack.decode(data, type=Submission))) for data in submissions]
        return time.monotonic() - started, graded

    def fault(self, submission: Submission, why: str) -> Attempted:
        """Return a result that was not judged because of a fault of ours; `why` is for the instructor."""
        return self._ended(submission, "fault", "Not judged: a fault of the grader, not of this file.", why)

    def close(self) -> None:
        """Stop all fork servers; the next submission starts new ones."""
        for sandbox in self._sandboxes.values():
            sandbox.close()

    def attempt(self, submission: Submission) -> Attempt:
        """Judge a submission that is present, once. Raise what it brings about, and `SandboxFault` for a fault of ours."""
        lesson, exercise, secret = submission.lesson, submission.exercise, self.settings.round.secret
        if exercise == "practice":
            return mark_answers(submission, self._lesson(lesson), self._functions(lesson), token_of(secret))
        return attempt(submission, self.materials(lesson, exercise), self._sandbox(lesson, exercise), secret)

    def _sandbox(self, lesson: str, exercise: str) -> Sandbox:
        limits = limits_for(self.course.policy, lesson, exercise)
        if limits not in self._sandboxes:
            self._sandboxes[limits] = Sandbox(limits, self.settings.walls, self._slot)
            while self._launched:
                self._sandboxes[limits].prepare(*self._launched.popitem())
        return self._sandboxes[limits]

    def _lesson(self, wanted: str) -> Lesson:
        return next(lesson for lesson in self.course.lessons if lesson.id == wanted)

    def _checks(self, submission: Submission) -> list[tuple[str, str, float]]:
        """Return the id, title and points of each check or question."""
        if submission.exercise == "practice":
            return listed(self._lesson(submission.lesson))
        return [(check.id, check.title, check.points) for check in self.materials(submission.lesson, submission.exercise).checks]

    def _ended(self, submission: Submission, reason: Literal["refused", "fault"], message: str, fault: str = "") -> Attempted:
        """Return a result in which all checks ended alike, before any of them ran."""
        outcome: Literal["not_judged", "failed"] = "not_judged" if reason == "fault" else "failed"
        checks = tuple(CheckResult(*known[:2], 0, known[2], outcome, reason, message) for known in self._checks(submission))
        return self._graded(submission, Attempt(checks, notes=Notes(fault=fault)))

    def _graded(self, submission: Submission, judged: Attempt) -> Attempted:
        status = "graded" if submission.status == "present" else submission.status
        result = Result(
            student=submission.student,
            lesson=submission.lesson,
            exercise=submission.exercise,
            status="not_judged" if any(check.reason == "fault" for check in judged.checks) else status,
            score=sum(check.points for check in judged.checks),
            max_score=sum(points for _, _, points in self._checks(submission)),
            checks=judged.checks,
            stdout=judged.stdout,
            sha256=submission.sha256,
            round=self.settings.round.name,
            graded_at=datetime.now(UTC).isoformat(timespec="seconds"),
            version=self.version,
        )
        return Attempted(result, judged.notes, submission.handed_in)


AHEAD = 2  # batches at one worker: the one it works on, and the next
BATCH_SECONDS = 0.1  # the process with the gradebook needs a core as well, so it is woken for several results at once
LARGEST_BATCH = 16


class Lost(NamedTuple):
    """Why a batch has no results; if the worker had begun it, `worked`, it counts as tried."""

    why: str
    worked: bool = True


class Completed(NamedTuple):
    """A batch that came back: its results, in order, or how it was lost."""

    batch: int
    graded: list[bytes] | Lost


class WorkerPool(Protocol):
    """What `grade_all` needs of workers, wherever they are."""

    def wants(self) -> int:
        """Return how many submissions the next batch should have; 0 while enough are submitted."""

    def submit(self, batch: int, submissions: list[bytes]) -> None:
        """Submit a batch, without waiting for it."""

    def completed(self) -> list[Completed]:
        """Wait for a batch, and return all that are completed. Raise `SandboxFault` if none will ever be."""

    def close(self) -> None:
        """Stop the workers, and drop what they still have."""


class BatchSize:
    """How many submissions take a worker about `seconds`, judged by earlier batches."""

    def __init__(self, seconds: float, largest: int):
        self._seconds, self._largest = seconds, largest
        self._for_one = seconds  # so the first batch has one submission

    def now(self) -> int:
        return max(1, min(self._largest, int(self._seconds / self._for_one)))

    def took(self, seconds: float, count: int) -> None:
        """Learn from a completed batch."""
        self._for_one = max(1e-4, 0.7 * self._for_one + 0.3 * seconds / count)


def grade_all(submissions: Iterable[Submission], settings: Settings, pool: WorkerPool) -> Iterator[list[tuple[Submission, Attempted]]]:
    """Grade submissions and yield those that are done, some at a time and in no order."""
    new = ((submission, 1) for submission in submissions)
    again: deque[tuple[Submission, int]] = deque()  # with the number of the try
    submitted: dict[int, list[tuple[Submission, int]]] = {}
    numbers = count()

    def feed() -> None:
        while wanted := pool.wants():
            batch = [again.popleft()] if again else list(islice(new, wanted))
            if not batch:
                return
            number = next(numbers)
            submitted[number] = batch
            pool.submit(number, [msgspec.msgpack.encode(submission) for submission, _ in batch])

    feed()
    while submitted:
        done: list[tuple[Submission, Attempted]] = []
        for number, graded in pool.completed():
            batch = submitted.pop(number, [])  # empty if it came back before
            if isinstance(graded, Lost):
                more = int(graded.worked and len(batch) == 1)  # of several, nobody knows which one ended the worker
                again.extend((submission, tries + more) for submission, tries in batch if tries + more <= TRIES)
                why = f"tried {TRIES} times: {graded.why}"
                done += [(one, Grader(settings).fault(one, why)) for one, tries in batch if tries + more > TRIES]
            elif batch:
                done += [(one, msgspec.msgpack.decode(data, type=Attempted)) for (one, _), data in zip(batch, graded, strict=True)]
        yield done
        feed()


class LocalPool:
    """Up to `workers` processes on this machine."""

    def __init__(self, settings: Settings, workers: int):
        self._settings, self._most = msgspec.msgpack.encode(settings), workers
        self._workers: list[WorkerProcess] = []  # started when there is work for them
        self._preloader: Preloader | None = None
        self._size = BatchSize(BATCH_SECONDS, LARGEST_BATCH)

    def wants(self) -> int:
        return self._size.now() if sum(len(worker.held) for worker in self._workers) < AHEAD * self._most else 0

    def submit(self, batch: int, submissions: list[bytes]) -> None:
        """Send the batch to the worker with the fewest."""
        if len(self._workers) < self._most and all(worker.held for worker in self._workers):
            if not self._workers and (profile := profile_for(submissions[0])) != "numpy":
                self._preloader = Preloader(profile)  # a framework is imported once for all, while the workers start
            self._workers.append(WorkerProcess(self._settings, slot := len(self._workers), self._cores(slot), self._preloader))
        worker = min(self._workers, key=lambda worker: len(worker.held))
        worker.held.append(batch)
        worker.send(msgspec.msgpack.encode(submissions))

    def completed(self) -> list[Completed]:
        busy = {worker.connection: worker for worker in self._workers if worker.held}
        return [one for connection in wait(list(busy)) for one in self._received(busy[connection])]  # type: ignore[index]

    def close(self) -> None:
        for worker in self._workers:
            worker.stop()
        if self._preloader:
            self._preloader.close()

    def _cores(self, slot: int) -> set[int]:
        """Return a core for each worker if all are used: the worker and its guests take turns, and find the core's caches warm."""
        cores = sorted(os.sched_getaffinity(0))
        return {cores[slot]} if self._most == len(cores) else set(cores)

    def _received(self, worker: WorkerProcess) -> list[Completed]:
        try:
            seconds, graded = worker.receive()
        except (EOFError, OSError):
            worker.stop()
            self._workers[worker.slot] = WorkerProcess(self._settings, worker.slot, self._cores(worker.slot))
            return [Completed(batch, Lost("its worker ended", worked=batch == worker.held[0])) for batch in worker.held]
        self._size.took(seconds, len(graded))
        return [Completed(worker.held.popleft(), graded)]


class WorkerProcess:
    """A process that grades batches in its main thread, where the bounds of `grading.bounds` hold. It ends with its connection."""

    def __init__(self, settings: bytes, slot: int, cores: set[int], preloader: Preloader | None = None):
        ours, theirs = socket.socketpair()
        self.connection, self.slot = Connection(ours.detach()), slot
        self.held: deque[int] = deque()
        servers = {preloader.profile: preloader.server()} if preloader else {}
        numbers = {profile: server.fileno() for profile, server in servers.items()}
        boot = _BOOT.format(root=str(Path(__file__).resolve().parents[2]), slot=slot, cores=cores, servers=numbers)
        self.process = subprocess.Popen([sys.executable, "-P", "-c", boot], stdin=theirs.fileno(), pass_fds=(*numbers.values(),))
        self.send(settings)  # they hold the round's secret
        for passed in (theirs, *servers.values()):
            passed.close()

    def send(self, message: bytes) -> None:
        """Send the settings or a batch. If it has died, `receive` will notice."""
        with suppress(OSError):
            self.connection.send_bytes(message)

    def receive(self) -> tuple[float, list[bytes]]:
        """Wait for a batch's results, and the seconds that it took. Raise `EOFError` or `OSError` if the process has died."""
        return msgspec.msgpack.decode(self.connection.recv_bytes(), type=tuple[float, list[bytes]])

    def stop(self) -> None:
        self.connection.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.process.wait()


def serve(slot: int, cores: set[int], servers: dict[str, int]) -> None:
    """Grade batches from standard input, a socket, until the other side hangs up. Runs as a process. `servers` preload, by profile."""
    connection = Connection(0)
    os.sched_setaffinity(0, cores)
    launched = {profile: Launched(socket.socket(fileno=control)) for profile, control in servers.items()}
    settings = msgspec.msgpack.decode(connection.recv_bytes(), type=Settings)
    sys.path.insert(0, settings.root)  # the course's answers import its own `solutions`
    batches: SimpleQueue[bytes | None] = SimpleQueue()
    Thread(target=_receive, args=(connection, batches), daemon=True).start()
    with _ended_without_memory(), suppress(CourseError), closing(Grader(settings, slot, launched)) as grader:  # the command says it
        for batch in iter(batches.get, None):
            graded = grader.grade_batch(msgspec.msgpack.decode(batch, type=list[bytes]))
            with suppress(ConnectionError):
                connection.send_bytes(msgspec.msgpack.encode(graded))


def _receive(connection: Connection, batches: SimpleQueue[bytes | None]) -> None:
    """Take batches as they come: if they stayed in the pipe, each side could wait forever for the other to read."""
    with _ended_without_memory():
        with suppress(EOFError, OSError):
            while True:
                batches.put(connection.recv_bytes())
        batches.put(None)


@contextmanager
def _ended_without_memory() -> Iterator[None]:
    """Exit at once if memory runs out: an orderly end would need some, and a new worker takes over."""
    try:
        yield
    except MemoryError:
        os._exit(1)
