"""What a student handed in, and the submissions that come of it.

A hand-in is one student's files of one time, wherever they lie. Of several, the last that holds an exercise's file counts for
that exercise, or all are graded where the best counts. Files are read when they are asked for, so a large class costs no memory.
"""

from __future__ import annotations

import hashlib
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct, field

from autograder.course.model import HandedIn, Submission
from autograder.course.text import clean
from autograder.instructor.file_tree import LARGEST_ZIP, Archive, FileTree, Unreadable, joined, unwrapped

_NUMBERED = re.compile(r" ?\(\d+\)(?=\.)")
Tell = Callable[[str], None]


class Upload(Struct, frozen=True):
    """Files of one time: those in `folder` of `tree`, or, where a platform renamed them, `files` by the names they had."""

    tree: FileTree
    folder: str = ""
    files: dict[str, str] | None = None
    facts: HandedIn = HandedIn()
    problem: str = ""  # why it as a whole cannot be read

    def names(self) -> list[str]:
        return sorted(self.files) if self.files is not None else self.tree.names(self.folder)

    def path(self, name: str) -> str:
        return self.files.get(name, "") if self.files is not None else joined(self.folder, name)


class Student(Struct, frozen=True):
    """One student as a source found them; `id` is the platform's number. Hand-ins come in order."""

    name: str
    uploads: tuple[Upload, ...] = ()
    id: str = ""
    login: str = ""
    aliases: tuple[str, ...] = field(default_factory=tuple)  # other names that a roster may know them by

    @property
    def problem(self) -> str:
        """Say why the student's folder cannot be read; an archive that cannot is a file that cannot, and no trouble of the run."""
        return next((one.problem for one in self.uploads if one.problem and one.files is None), "")


def file_names(exercise: str, lesson: str) -> tuple[str, ...]:
    """Name the files in which an exercise may be handed in; the first that is there counts. The lesson's notebook holds all exercises."""
    return ("answers.yaml",) if exercise == "practice" else (f"{exercise}.py", f"{exercise}.ipynb", f"{lesson}.ipynb")


def submissions(student: Student, lesson: str, exercises: Iterable[str], tell: Tell, *, every: bool = False) -> Iterator[Submission]:
    """Read a student's submissions, one for each exercise; with `every`, one for each attempt at it."""
    uploads = [_opened(one, lesson, f"{student.name}: ", tell) for one in student.uploads]
    for exercise in exercises:
        names = file_names(exercise, lesson)
        made = [found for one in uploads if (found := _submission(one, student.name, lesson, exercise, names, tell))]
        if not made:
            made = [Submission(student.name, lesson, exercise, names[0], None, None, "missing", f"no {' or '.join(names[:2])}")]
        yield from made if every else made[-1:]


def _opened(hand_in: Upload, lesson: str, whose: str, tell: Tell) -> Upload:
    """Look into the archive, where what was handed in is one archive; what lies packed within that is left alone."""
    packed = [name for name in hand_in.names() if name.lower().endswith(".zip")]
    if hand_in.problem or not packed or any(name == lesson or name.endswith((".py", ".ipynb", ".yaml")) for name in hand_in.names()):
        return hand_in
    if len(packed) > 1:
        return Upload(
            hand_in.tree, facts=hand_in.facts, files={}, problem=f"several archives were handed in: {clean(', '.join(packed), 200)}"
        )
    try:
        archive = Archive(hand_in.tree.read(hand_in.path(packed[0]), LARGEST_ZIP), clean(packed[0], 80))
    except Unreadable as error:
        return Upload(hand_in.tree, facts=hand_in.facts, files={}, problem=str(error))
    for note in archive.notes:
        tell(whose + note)
    folder = unwrapped(archive, lesson)
    for name in archive.names(folder):
        if name.lower().endswith(".zip"):
            tell(f"{whose}{archive.name}: `{clean(name, 80)}` is an archive within an archive, so it is not opened")
    return Upload(archive, folder, facts=hand_in.facts)


def _submission(hand_in: Upload, student: str, lesson: str, exercise: str, names: tuple[str, ...], tell: Tell) -> Submission | None:
    """Read the file of an exercise; None where there is none."""
    name = names[0]
    try:
        if hand_in.problem:
            raise Unreadable(hand_in.problem)
        found = _place(hand_in, lesson, names) or _almost(hand_in, lesson, names, lambda words: tell(f"{student}: {words}"))
        if found is None:
            return None
        path, name = found
        source = hand_in.tree.read(path)
        _demand_text(name, source)
    except Unreadable as error:
        return Submission(student, lesson, exercise, name, None, None, "unreadable", str(error), hand_in.facts)
    return Submission(student, lesson, exercise, name, source, hashlib.sha256(source).hexdigest(), "present", handed_in=hand_in.facts)


def _place(hand_in: Upload, lesson: str, names: tuple[str, ...]) -> tuple[str, str] | None:
    """Find the path and the name of the first file that is there: in the folder of the lesson, then beside it."""
    below = hand_in.path(lesson)
    if below and hand_in.tree.kind(below) == "link":
        raise Unreadable(f"the folder {lesson} is a link, which is not followed")
    places = [(joined(below, name), name) for name in names] if below else []
    places += [(hand_in.path(name), name) for name in names]
    return next((place for place in places if place[0] and hand_in.tree.kind(place[0]) != "none"), None)


def _almost(hand_in: Upload, lesson: str, names: tuple[str, ...], tell: Tell) -> tuple[str, str] | None:
    """Find the one file that is named as a browser or a careless hand names a wanted one: `Forward (1).py`. Of two, none."""
    below = hand_in.path(lesson)
    lying = [(name, joined(below, name)) for name in (hand_in.tree.names(below) if below else ())]
    lying += [(name, hand_in.path(name)) for name in hand_in.names()]
    found = [(path, wanted, name) for wanted in names for name, path in lying if _plain(name) == wanted.casefold()]
    if len(found) != 1:
        return None
    path, wanted, name = found[0]
    tell(f"`{clean(name, 80)}` is taken for {wanted}")
    return path, wanted


def _plain(name: str) -> str:
    return _NUMBERED.sub("", name).casefold()


def _demand_text(name: str, source: bytes) -> None:
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(source).readline)[0] if name.endswith(".py") else "utf-8"
        text = source.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        raise Unreadable(f"{name} is not text in UTF-8") from None
    if "\0" in text:
        raise Unreadable(f"{name} is not text: it holds zero bytes")
