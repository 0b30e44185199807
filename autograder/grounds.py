"""What a result rests on, as a hash: the same submission on the same grounds gets the same result, and is not graded again.

The grounds of an exercise are its checks, answer, known slips and props, the reference implementation, the limits and walls, the
round's secret, this engine, and the versions of what it runs on. What is shown of a result, and when, is not among them, nor
when the file was handed in; which attempt it was is, so that each of several keeps a result of its own.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

import msgspec

from autograder.model import Course, Lesson, Submission, limits_for
from autograder.rounds import Round

JUDGING = (  # the rooms whose code has a say in a result
    "attempt", "boot", "checks", "comparison", "content", "diagnosis", "errors", "explain", "inside", "model", "objects", "outcome",
    "questions", "recordings", "replay", "sandbox", "sitting",
)  # fmt: skip
VERSIONS = ("denoising-course", "numpy", "torch")
ENGINE = Path(__file__).parent


class Grounds:
    """Gives each submission its key; `shared` is what all of them rest on. Files are read once, when an exercise is first asked for."""

    def __init__(self, course: Course, chosen: Round, walls: tuple[str, ...]):
        self._course = course
        self.shared = _hash([*_machine(), *walls, chosen.name, chosen.secret, _files(course)]).hex()
        self._of: dict[tuple[str, str], bytes] = {}

    def key(self, submission: Submission) -> str:
        """Hash a submission together with all that judges it."""
        own = (submission.name, submission.status, submission.problem, submission.sha256 or "", str(submission.handed_in.attempt))
        return _hash([self._judge(submission.lesson, submission.exercise), *own]).hex()

    def _judge(self, lesson: str, exercise: str) -> bytes:
        if (lesson, exercise) not in self._of:
            found = next(one for one in self._course.lessons if one.id == lesson)
            limits = msgspec.json.encode(limits_for(self._course.policy, exercise))
            self._of[lesson, exercise] = _hash([self.shared, limits, *_judging_files(self._course.root, found, exercise)])
        return self._of[lesson, exercise]


def _files(course: Course) -> bytes:
    """Hash what every exercise of a course rests on: the reference implementation and the engine's judging rooms."""
    lessons = {lesson.id for lesson in course.lessons}
    reference = [path for path in sorted((course.root / "solutions").glob("*")) if path.name not in lessons]
    return _hash(_contents([*reference, *(ENGINE / room for room in JUDGING), *(ENGINE / f"{room}.py" for room in JUDGING)]))


def _machine() -> Iterator[str]:
    yield platform.python_version()
    yield from (version(name) for name in VERSIONS)


def _judging_files(root: Path, lesson: Lesson, exercise: str) -> Iterator[bytes]:
    """Give the contents of what judges an exercise. A question is marked by the functions of all exercises, so it rests on all answers."""
    if exercise == "practice":
        return _contents([root / "exercises" / lesson.id / "practice.yaml", root / "solutions" / lesson.id])
    one = next(e for e in lesson.exercises if e.id == exercise)
    return _contents([one.checks, one.answer, one.misconceptions, one.recordings, one.starter.parent / "props.py"])


def _contents(places: Iterable[Path]) -> Iterator[bytes]:
    """Give names and contents of files, and of what lies in folders; notes and what Python compiled have no say."""
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.suffix not in (".md", ".pyc"):
                yield path.name.encode()
                yield path.read_bytes()


def _hash(parts: Iterable[bytes | str]) -> bytes:
    """Hash parts so that no two lists of parts run together."""
    made = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        made.update(len(data).to_bytes(8, "big") + data)
    return made.digest()
