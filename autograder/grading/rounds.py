"""The secret of a round, which decides the numbers that graded checks draw: the same for a resumed run and for a regrade.

It is kept in OUT/private/, which only its owner may read. Results carry the round's name, never the secret. The rows of a gradebook are
sealed with it, so that one that somebody else wrote is told from those of `course`.
"""

import hashlib
import hmac
import os
import platform
import secrets
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec

from autograder.course.errors import UsageError
from autograder.course.files import refuse_others, replaced
from autograder.course.loading import package_name
from autograder.course.model import Course, Lesson, Submission
from autograder.course.policy import limits_for
from autograder.sandbox.guest.frameworks import FRAMEWORKS


class Round(msgspec.Struct, frozen=True):
    """A round's name, and the secret that keys every check's numbers.

    `seals`: whether all rows of its gradebook are sealed; not those of a round that a version before seals began.
    """

    name: str
    secret: bytes
    seals: bool = False


def open_round(out: Path, *, seed: int | None = None, new: bool = False, secret: bytes | None = None) -> Round:
    """Return the round of OUT: the last one, or a new one. A `seed` fixes the secret, for tests and demos; or it is given."""
    folder = out / "private"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    path = folder / "rounds.json"
    known = _known(path)
    fixed = f"seed {seed}".encode() if seed is not None else secret
    if known and not new and fixed in (None, known[-1].secret):
        return known[-1]
    earlier = next((one for one in known if one.secret == fixed), None)
    if earlier and not new:
        return earlier
    chosen = Round(f"round-{len(known) + 1}", fixed or secrets.token_bytes(32), seals=True)
    with replaced(path) as beside, open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.encode([*known, chosen]))
    return chosen


def find_round(out: Path, name: str) -> Round:
    """Return the round with this name. Raise `UsageError` if its secret is lost."""
    found = next((one for one in _known(out / "private" / "rounds.json") if one.name == name), None)
    if found is None:
        raise UsageError(f"{out / 'private'}: the numbers of `{name}` are lost", "grade again with `course grade --new-round`")
    return found


class Seals:
    """Seals the rows of a gradebook, and tells which rows were sealed by whoever knows a round's secret."""

    def __init__(self, rounds: Sequence[Round]):
        self._secrets = {one.name: one.secret for one in rounds}
        self._newest = rounds[-1].name
        self._may_lack = not all(one.seals for one in rounds)

    def seal(self, *parts: str) -> str:
        """Return the seal of a row with these parts."""
        return self._sealed(self._newest, parts)

    def holds(self, seal: object, *parts: str) -> bool:
        """Whether this is the seal of these parts. A row of a round from before seals has none."""
        if not isinstance(seal, str):
            return seal is None and self._may_lack
        name = seal.partition(" ")[0]
        return name in self._secrets and hmac.compare_digest(seal.encode(), self._sealed(name, parts).encode())

    def _sealed(self, name: str, parts: Sequence[str]) -> str:
        return f"{name} {hmac.digest(self._secrets[name], _hash(['gradebook', *parts]), 'sha256').hex()}"


def seals_of(out: Path) -> Seals:
    """Return the seals of OUT's rounds. Raise `UsageError` if it has none."""
    if known := _known(out / "private" / "rounds.json"):
        return Seals(known)
    raise UsageError(f"{out / 'private'}: the secrets of these results are lost", "restore this folder, or grade into a new one with --out")


def _known(path: Path) -> list[Round]:
    for part in (path.parent, path):
        refuse_others(part)
    if not path.exists():
        return []
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Round])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise UsageError(f"{path}: damaged", "move it aside; the next run starts a new round") from None


JUDGING = ("course", "sandbox", "grading")  # the packages whose code decides a result
ENGINE = Path(__file__).parents[1]


class CacheKeys:
    """The key of each submission; `shared` covers what all of them depend on. Files are read once, when an exercise is first asked for."""

    def __init__(self, course: Course, chosen: Round, walls: tuple[str, ...]):
        self._course = course
        packages = map(version, (package_name(), "numpy", *FRAMEWORKS))
        self.shared = _hash([platform.python_version(), *packages, *walls, chosen.name, chosen.secret, _files(course)]).hex()
        self._of: dict[tuple[str, str], bytes] = {}

    def key(self, submission: Submission) -> str:
        """Hash a submission together with everything that judges it."""
        own = [submission.name, submission.status, submission.problem, submission.sha256 or "", str(submission.handed_in.attempt)]
        if submission.exercise == "practice" and self._course.policy.practice == "own":
            own += ["own", *submission.ids]  # they decide the numbers
        return _hash([self._judge(submission.lesson, submission.exercise), *own]).hex()

    def _judge(self, lesson: str, exercise: str) -> bytes:
        if (lesson, exercise) not in self._of:
            found = next(one for one in self._course.lessons if one.id == lesson)
            limits = msgspec.json.encode(limits_for(self._course.policy, lesson, exercise))
            self._of[lesson, exercise] = _hash([self.shared, limits, *_judging_files(self._course.root, found, exercise)])
        return self._of[lesson, exercise]


def _files(course: Course) -> bytes:
    """Hash what every exercise of a course depends on: the reference implementation and the engine's judging packages."""
    lessons = {lesson.id for lesson in course.lessons}
    reference = [path for path in sorted((course.root / "solutions").glob("*")) if path.name not in lessons]
    return _hash(_contents([*reference, *(ENGINE / package for package in JUDGING)]))


def _judging_files(root: Path, lesson: Lesson, exercise: str) -> Iterator[bytes]:
    """Return the contents of what judges an exercise. Questions are marked by functions of any exercise, so they depend on all answers."""
    if exercise == "practice":
        return _contents([root / "exercises" / lesson.id / "practice.yaml", root / "solutions" / lesson.id])
    one = next(e for e in lesson.exercises if e.id == exercise)
    return _contents([one.checks, one.answer, one.misconceptions, one.quantities, one.recordings, one.starter.parent / "props.py"])


def _contents(places: Iterable[Path]) -> Iterator[bytes]:
    """Yield the names and contents of files, also of those in folders; notes and compiled files don't count."""
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.suffix not in (".md", ".pyc"):
                yield path.name.encode()
                yield path.read_bytes()


def _hash(parts: Iterable[bytes | str]) -> bytes:
    """Hash a list of parts so that different lists have different hashes."""
    data = bytearray()
    for part in parts:
        own = part.encode() if isinstance(part, str) else part
        data += len(own).to_bytes(8, "big") + own
    return hashlib.sha256(data).digest()
