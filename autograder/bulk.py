"""Many submissions: a few workers, each with fork servers of its own, fed one submission at a time.

    this process --submission, as bytes--> worker --guest--> ...
    this process <--graded, as bytes------ worker

A worker that dies is replaced and its submissions are handed out once more; what then has no result is `not_judged`, which
is a fault of ours and never a student's zero. Submissions are read as they are handed out, so memory does not grow with
their number.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import msgspec

from autograder.attempt import Attempt, Materials, attempt, functions_of, load_materials, mark_answers, title
from autograder.content import read_course
from autograder.errors import SandboxFault
from autograder.model import Check, CheckResult, HandedIn, Lesson, Limits, Result, Submission, limits_for
from autograder.questions import Functions
from autograder.rounds import Round
from autograder.sandbox import Sandbox

AHEAD = 2  # submissions with one worker: the one it works on, and the next
TRIES = 2


class Settings(msgspec.Struct, frozen=True):
    """What a worker must know to grade: where the course lies, which round, which walls."""

    root: str
    round: Round
    walls: tuple[str, ...]


class Graded(msgspec.Struct, frozen=True):
    """One result, and what only the instructor may see of it."""

    result: Result
    private: dict[str, str]
    handed_in: HandedIn = HandedIn()


# ---- one worker


class Grader:
    """Grades one submission after another, in this process. Holds the course's materials and the fork servers."""

    def __init__(self, settings: Settings, slot: int = 0):
        self.settings = settings
        self.course = read_course(Path(settings.root))
        self.version = version("denoising-course")
        self._slot = slot
        self._sandboxes: dict[Limits, Sandbox] = {}
        self._materials: dict[tuple[str, str], Materials] = {}
        self._answering: dict[str, Functions] = {}

    def grade(self, submission: Submission) -> Graded:
        """Grade one submission. A fault of the sandbox is tried again once with fresh servers, then told as one."""
        lesson = self._lesson(submission)
        checks = self._checks(lesson, submission.exercise)
        if submission.status == "missing":
            return self._graded(submission, checks, Attempt((), "", {}))
        if submission.status == "unreadable":
            words = f"It could not be read: {submission.problem}."
            refused = tuple(CheckResult(c.id, c.title, 0, c.points, "failed", "refused", words) for c in checks)
            return self._graded(submission, checks, Attempt(refused, "", {}))
        fault = ""
        for _ in range(TRIES):
            try:
                return self._graded(submission, checks, self._attempt(submission, lesson))
            except SandboxFault as error:
                fault = str(error)
                self.close()
        return self.fault(submission, fault)

    def close(self) -> None:
        """Stop all fork servers; the next submission starts them afresh."""
        for sandbox in self._sandboxes.values():
            sandbox.close()

    def fault(self, submission: Submission, why: str) -> Graded:
        """Tell a submission that could not be judged as a fault of ours; `why` is for the instructor."""
        checks = self._checks(self._lesson(submission), submission.exercise)
        words = "Not judged: a fault of the grader, not of this file."
        lost = tuple(CheckResult(c.id, c.title, 0, c.points, "not_judged", "fault", words) for c in checks)
        return self._graded(submission, checks, Attempt(lost, "", {"fault": why}))

    def _lesson(self, submission: Submission) -> Lesson:
        return next(lesson for lesson in self.course.lessons if lesson.id == submission.lesson)

    def _attempt(self, submission: Submission, lesson: Lesson) -> Attempt:
        if submission.exercise == "practice":
            return mark_answers(submission, lesson, self._functions(lesson))
        materials, sandbox = self._loaded(lesson, submission.exercise), self._sandbox(submission.exercise)
        return attempt(submission, materials, sandbox, self.settings.round.secret)

    def _sandbox(self, exercise: str) -> Sandbox:
        limits = limits_for(self.course.policy, exercise)
        if limits not in self._sandboxes:
            self._sandboxes[limits] = Sandbox(limits, self.settings.walls, self._slot)
        return self._sandboxes[limits]

    def _checks(self, lesson: Lesson, exercise: str) -> tuple[Check, ...]:
        if exercise == "practice":
            return tuple(Check(q.id, title(q), q.points, q.id, (), _never) for q in lesson.questions)
        return self._loaded(lesson, exercise).checks

    def _functions(self, lesson: Lesson) -> Functions:
        if lesson.id not in self._answering:
            self._answering[lesson.id] = functions_of(self.course.root, lesson)
        return self._answering[lesson.id]

    def _loaded(self, lesson: Lesson, exercise: str) -> Materials:
        if (lesson.id, exercise) not in self._materials:
            self._materials[lesson.id, exercise] = load_materials(next(e for e in lesson.exercises if e.id == exercise))
        return self._materials[lesson.id, exercise]

    def _graded(self, submission: Submission, checks: tuple[Check, ...], made: Attempt) -> Graded:
        status = "graded" if submission.status == "present" else submission.status
        faulty = any(check.reason == "fault" for check in made.checks)
        result = Result(
            student=submission.student,
            lesson=submission.lesson,
            exercise=submission.exercise,
            status="not_judged" if faulty else status,
            score=sum(check.points for check in made.checks),
            max_score=sum(check.points for check in checks),
            checks=made.checks,
            stdout=made.stdout,
            sha256=submission.sha256,
            round=self.settings.round.name,
            graded_at=datetime.now(UTC).isoformat(timespec="seconds"),
            version=self.version,
        )
        return Graded(result, made.private, submission.handed_in)


def _never() -> None:
    raise AssertionError("a question is marked, not run")


def serve(connection: Connection, settings: bytes, slot: int) -> None:
    """Grade what comes in until the other side hangs up. Runs as a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the keeper's business
    grader = Grader(msgspec.msgpack.decode(settings, type=Settings), slot)
    with closing(grader):
        while True:
            try:
                submission = msgspec.msgpack.decode(connection.recv_bytes(), type=Submission)
            except EOFError:
                return
            connection.send_bytes(msgspec.msgpack.encode(grader.grade(submission)))


# ---- many


class _Worker:
    def __init__(self, settings: bytes, slot: int):
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.slot = slot
        self.held: deque[tuple[Submission, int]] = deque()
        self.process: BaseProcess = context.Process(target=serve, args=(theirs, settings, slot), daemon=True)
        self.process.start()
        theirs.close()

    def hand(self, submission: Submission, tries: int) -> None:
        self.held.append((submission, tries))
        self.connection.send_bytes(msgspec.msgpack.encode(submission))

    def stop(self) -> None:
        self.connection.close()
        self.process.join(5)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def grade_all(submissions: Iterable[Submission], settings: Settings, workers: int) -> Iterator[Graded]:
    """Grade submissions on this machine's cores and yield each result as it is there, in no order."""
    packed = msgspec.msgpack.encode(settings)
    waiting = iter(submissions)
    again: deque[tuple[Submission, int]] = deque()
    crew: list[_Worker] = []

    def feed(worker: _Worker) -> None:
        while len(worker.held) < AHEAD:
            following = again.popleft() if again else next(((s, 1) for s in waiting), None)
            if following is None:
                return
            try:
                worker.hand(*following)
            except OSError:  # it has died: `wait` will tell, and what it held is handed out again
                return

    try:
        for slot in range(workers):
            crew.append(_Worker(packed, slot))
            feed(crew[-1])
        while busy := {worker.connection: worker for worker in crew if worker.held}:
            for connection in wait(list(busy)):
                worker = busy[connection]  # type: ignore[index]
                try:
                    yield msgspec.msgpack.decode(worker.connection.recv_bytes(), type=Graded)
                    worker.held.popleft()
                except (EOFError, OSError):
                    yield from _replace(worker, crew, packed, again)
                feed(crew[worker.slot])
    finally:
        for worker in crew:
            worker.stop()


def _replace(dead: _Worker, crew: list[_Worker], settings: bytes, again: deque[tuple[Submission, int]]) -> Iterator[Graded]:
    """Put a new worker in a dead one's place; what it worked on is tried once more, what it only held is not counted."""
    dead.stop()
    (submission, tries), *rest = dead.held
    again.extend(rest)
    if tries < TRIES:
        again.append((submission, tries + 1))
    else:
        yield Grader(msgspec.msgpack.decode(settings, type=Settings)).fault(submission, "it ended its worker twice")
    crew[dead.slot] = _Worker(settings, dead.slot)
