"""Grade submissions one after another, in this process, with the fork servers and materials kept from one to the next.

Every worker of a pool has a `Grader`, and so has Gradescope's container. A fault of ours is tried again and never costs points: it
becomes a result with the status `not_judged`. How an attempt is judged is in `grading.attempt`.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path

import msgspec
from msgspec.structs import replace

from autograder.course.errors import SandboxFault
from autograder.course.loading import package_name, read_course
from autograder.course.model import CheckResult, Lesson, Limits, Notes, Result, Submission, limits_for
from autograder.grading.attempt import Attempt, Materials, attempt, load_materials
from autograder.grading.questions import functions_of, mark_answers, title
from autograder.grading.rounds import Round
from autograder.instructor.gradebook import Attempted
from autograder.sandbox.preload import Launched
from autograder.sandbox.servers import Sandbox

TRIES = 2


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
        self._loaded = cache(self._load)
        self._functions = cache(lambda lesson: functions_of(self.course.root, self._lesson(lesson)))

    def grade(self, submission: Submission) -> Attempted:
        """Grade one submission. After a fault of the sandbox, try once more with fresh servers."""
        if submission.status == "missing":
            return self._graded(submission, Attempt(()))
        if submission.status == "unreadable":
            ending = CheckResult("", "", 0, 0, "failed", "refused", f"It could not be read: {submission.problem}.")
            return self._graded(submission, Attempt(self._all(submission, ending)))
        fault = ""
        for _ in range(TRIES):
            try:
                return self._graded(submission, self._attempt(submission))
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

    def fault(self, submission: Submission, why: str) -> Attempted:
        """Return a result that was not judged because of a fault of ours; `why` is for the instructor."""
        ending = CheckResult("", "", 0, 0, "not_judged", "fault", "Not judged: a fault of the grader, not of this file.")
        return self._graded(submission, Attempt(self._all(submission, ending), notes=Notes(fault=why)))

    def close(self) -> None:
        """Stop all fork servers; the next submission starts new ones."""
        for sandbox in self._sandboxes.values():
            sandbox.close()

    def _attempt(self, submission: Submission) -> Attempt:
        lesson, exercise = submission.lesson, submission.exercise
        if exercise == "practice":
            return mark_answers(submission, self._lesson(lesson), self._functions(lesson))
        return attempt(submission, self._loaded(lesson, exercise), self._sandbox(exercise), self.settings.round.secret)

    def _sandbox(self, exercise: str) -> Sandbox:
        limits = limits_for(self.course.policy, exercise)
        if limits not in self._sandboxes:
            self._sandboxes[limits] = Sandbox(limits, self.settings.walls, self._slot)
            while self._launched:
                self._sandboxes[limits].prepare(*self._launched.popitem())
        return self._sandboxes[limits]

    def _lesson(self, wanted: str) -> Lesson:
        return next(lesson for lesson in self.course.lessons if lesson.id == wanted)

    def _load(self, lesson: str, wanted: str) -> Materials:
        return load_materials(next(exercise for exercise in self._lesson(lesson).exercises if exercise.id == wanted))

    def _checks(self, submission: Submission) -> list[tuple[str, str, float]]:
        """Return the id, title and points of each check or question."""
        if submission.exercise == "practice":
            return [(question.id, title(question), question.points) for question in self._lesson(submission.lesson).questions]
        return [(check.id, check.title, check.points) for check in self._loaded(submission.lesson, submission.exercise).checks]

    def _all(self, submission: Submission, ending: CheckResult) -> tuple[CheckResult, ...]:
        """Return this ending for every check."""
        return tuple(replace(ending, id=id, title=title, max_points=points) for id, title, points in self._checks(submission))

    def _graded(self, submission: Submission, judged: Attempt) -> Attempted:
        status = "graded" if submission.status == "present" else submission.status
        faulty = any(check.reason == "fault" for check in judged.checks)
        result = Result(
            student=submission.student,
            lesson=submission.lesson,
            exercise=submission.exercise,
            status="not_judged" if faulty else status,
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
