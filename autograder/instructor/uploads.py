"""What a student uploaded, and the submissions that are read from it.

An upload is the files of one student at one time, wherever a platform put them. If there are several, the last one that holds an
exercise's file is graded, or each of them where the best attempt counts. Files are read only when they are needed, so a large class
takes no memory. Nothing here is run or judged: an upload that cannot be read becomes a submission with the status `unreadable`.
"""

import hashlib
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from autograder.course.model import HandedIn, Submission
from autograder.course.text import clean
from autograder.instructor.file_tree import LARGEST_ZIP, Archive, FileTree, Unreadable, innermost, joined

_NUMBERED = re.compile(r" ?\(\d+\)(?=\.)")
Note = Callable[[str], None]


class Upload(Struct, frozen=True):
    """Files of one time: those in `folder` of `tree`, or, if the platform renamed them, `files` by their original names."""

    tree: FileTree
    folder: str = ""
    files: dict[str, str] | None = None
    facts: HandedIn = HandedIn()
    problem: str = ""  # why it cannot be read at all

    def names(self) -> list[str]:
        return sorted(self.files) if self.files is not None else self.tree.names(self.folder)

    def path(self, name: str) -> str:
        return self.files.get(name, "") if self.files is not None else joined(self.folder, name)


class Student(Struct, frozen=True):
    """One student as a platform names them, with uploads in the order of their time; `id` is the platform's number."""

    name: str
    uploads: tuple[Upload, ...] = ()
    id: str = ""
    login: str = ""
    aliases: tuple[str, ...] = ()  # other names that a roster may have

    @property
    def problem(self) -> str:
        """Why the student's folder cannot be read, or "". A damaged archive is the student's file, and no problem of the run."""
        return next((upload.problem for upload in self.uploads if upload.problem and upload.files is None), "")


def read_submissions(student: Student, lesson: str, exercises: Iterable[str], note: Note, *, every: bool = False) -> Iterator[Submission]:
    """Read a student's submissions, one for each exercise, or with `every` one for each attempt at it."""

    def note_student(text: str) -> None:
        note(f"{student.name}: {text}")

    uploads = [_opened(upload, lesson, note_student) for upload in student.uploads]
    for exercise in exercises:
        names = file_names(exercise, lesson)
        attempts = [attempt for upload in uploads if (attempt := _submission(upload, student.name, lesson, exercise, names, note_student))]
        if not attempts:
            attempts = [Submission(student.name, lesson, exercise, names[0], None, None, "missing", f"no {' or '.join(names[:2])}")]
        yield from attempts if every else attempts[-1:]


def file_names(exercise: str, lesson: str) -> tuple[str, ...]:
    """List the file names accepted for an exercise, best first. The lesson's notebook holds all exercises."""
    return ("answers.yaml",) if exercise == "practice" else (f"{exercise}.py", f"{exercise}.ipynb", f"{lesson}.ipynb")


def _opened(upload: Upload, lesson: str, note: Note) -> Upload:
    """Look into the archive if the upload is one archive; archives inside it stay closed."""
    names = upload.names()
    packed = [name for name in names if name.lower().endswith(".zip")]
    if upload.problem or not packed or any(name == lesson or name.endswith((".py", ".ipynb", ".yaml")) for name in names):
        return upload
    if len(packed) > 1:
        return replace(upload, folder="", files={}, problem=f"several archives were submitted: {clean(', '.join(packed), 200)}")
    try:
        archive = Archive(upload.tree.read(upload.path(packed[0]), LARGEST_ZIP), clean(packed[0], 80))
    except Unreadable as error:
        return replace(upload, folder="", files={}, problem=str(error))
    folder = innermost(archive, lesson)
    for line in archive.notes:
        note(line)
    for name in archive.names(folder):
        if name.lower().endswith(".zip"):
            note(f"{archive.name}: `{clean(name, 80)}` is an archive within an archive, so it is not opened")
    return Upload(archive, folder, facts=upload.facts)


def _submission(upload: Upload, student: str, lesson: str, exercise: str, names: tuple[str, ...], note: Note) -> Submission | None:
    name = names[0]
    try:
        if upload.problem:
            raise Unreadable(upload.problem)
        match = _exact(upload, lesson, names) or _similar(upload, lesson, names, note)
        if match is None:
            return None
        path, name = match
        source = upload.tree.read(path)
        _require_text(name, source)
    except Unreadable as error:
        return Submission(student, lesson, exercise, name, None, None, "unreadable", str(error), upload.facts)
    return Submission(student, lesson, exercise, name, source, hashlib.sha256(source).hexdigest(), "present", handed_in=upload.facts)


def _exact(upload: Upload, lesson: str, names: tuple[str, ...]) -> tuple[str, str] | None:
    """Return the path and name of the first file that exists, in the lesson's folder or beside it."""
    below = upload.path(lesson)
    if below and upload.tree.kind(below) == "link":
        raise Unreadable(f"the folder {lesson} is a link, which is not followed")
    places = [(joined(below, name), name) for name in names] if below else []
    places += [(upload.path(name), name) for name in names]
    return next((place for place in places if place[0] and upload.tree.kind(place[0]) != "none"), None)


def _similar(upload: Upload, lesson: str, names: tuple[str, ...], note: Note) -> tuple[str, str] | None:
    """Find the one file whose name differs in case or a browser's number: `Forward (1).py`. If there are two, use neither."""
    below = upload.path(lesson)
    files = [(name, joined(below, name)) for name in (upload.tree.names(below) if below else ())]
    files += [(name, upload.path(name)) for name in upload.names()]
    matches = [(path, wanted, name) for wanted in names for name, path in files if _NUMBERED.sub("", name).casefold() == wanted.casefold()]
    if len(matches) != 1:
        return None
    [(path, wanted, name)] = matches
    note(f"`{clean(name, 80)}` is used as {wanted}")
    return path, wanted


def _require_text(name: str, source: bytes) -> None:
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(source).readline)[0] if name.endswith(".py") else "utf-8"
        text = source.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        raise Unreadable(f"{name} is not text in UTF-8") from None
    if "\0" in text:
        raise Unreadable(f"{name} is not text: it contains zero bytes")
