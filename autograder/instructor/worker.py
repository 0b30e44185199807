"""One worker's own work: submissions graded one after another, in this process."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

from autograder.course.errors import SandboxFault
from autograder.course.loading import package_name, read_course
from autograder.course.model import Check, CheckResult, HandedIn, Lesson, Limits, Notes, Result, Submission, limits_for
from autograder.grading.attempt import Attempt, Materials, attempt, load_materials
from autograder.grading.questions import Functions, functions_of, mark_answers, title
from autograder.grading.rounds import Round
from autograder.sandbox.preload import Launched
from autograder.sandbox.servers import Sandbox

TRIES = 2


class Settings(msgspec.Struct, frozen=True):
    """What a worker must know to grade: where the course lies, which round, which walls."""

    root: str
    round: Round
    walls: tuple[str, ...]


class Graded(msgspec.Struct, frozen=True):
    """One result, and what only the instructor may see of it."""

    result: Result
    notes: Notes
    handed_in: HandedIn = HandedIn()


class Grader:
    """Grades one submission after another, in this process. Holds the course's materials and the fork servers."""

    def __init__(self, settings: Settings, slot: int = 0, launched: Mapping[str, Launched] | None = None):
        self.settings = settings
        self.course = read_course(Path(settings.root))
        self.version = version(package_name())
        self._slot = slot
        self._launched = dict(launched or {})  # servers that are warming up already, by profile: the first sandbox's
        self._sandboxes: dict[Limits, Sandbox] = {}
        self._materials: dict[tuple[str, str], Materials] = {}
        self._answering: dict[str, Functions] = {}

    def grade(self, submission: Submission) -> Graded:
        """Grade one submission. A fault of the sandbox is tried again once with fresh servers, then told as one."""
        lesson = self._lesson(submission)
        checks = self._checks(lesson, submission.exercise)
        if submission.status == "missing":
            return self._graded(submission, checks, Attempt(()))
        if submission.status == "unreadable":
            words = f"It could not be read: {submission.problem}."
            refused = tuple(CheckResult(c.id, c.title, 0, c.points, "failed", "refused", words) for c in checks)
            return self._graded(submission, checks, Attempt(refused))
        fault = ""
        for _ in range(TRIES):
            try:
                return self._graded(submission, checks, self._attempt(submission, lesson))
            except SandboxFault as error:
                fault = str(error)
                self.close()
        return self.fault(submission, fault)

    def grade_batch(self, submissions: list[bytes]) -> tuple[float, list[bytes]]:
        """Grade some submissions one after another, from bytes to bytes; return also the seconds that it took."""
        started = time.monotonic()
        decode, encode = msgspec.msgpack.decode, msgspec.msgpack.encode
        graded = [encode(self.grade(decode(data, type=Submission))) for data in submissions]
        return time.monotonic() - started, graded

    def close(self) -> None:
        """Stop all fork servers; the next submission starts them afresh."""
        for sandbox in self._sandboxes.values():
            sandbox.close()

    def fault(self, submission: Submission, why: str) -> Graded:
        """Tell a submission that could not be judged as a fault of ours; `why` is for the instructor."""
        checks = self._checks(self._lesson(submission), submission.exercise)
        words = "Not judged: a fault of the grader, not of this file."
        lost = tuple(CheckResult(c.id, c.title, 0, c.points, "not_judged", "fault", words) for c in checks)
        return self._graded(submission, checks, Attempt(lost, notes=Notes(fault=why)))

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
            while self._launched:
                self._sandboxes[limits].prepare(*self._launched.popitem())
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
        return Graded(result, made.notes, submission.handed_in)


def _never() -> None:
    raise AssertionError("a question is marked, not run")
