"""A workspace: a folder with a student's files, whose `.course/` says which course they belong to and remembers what was done."""

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from autograder.course.errors import StoreFault, UsageError
from autograder.course.files import refuse_others, replaced
from autograder.course.loading import read_course
from autograder.course.model import Course, Lesson
from autograder.course.references import choose_lesson
from autograder.course.store import Schema, open_leniently, transaction
from autograder.course.student_files import HIDDEN, Prefer
from autograder.course.trust import installed, trusted

ORIGIN = "course.json"


class Origin(msgspec.Struct, frozen=True):
    """The content of `.course/course.json`: the course's path, the lesson, and the hash of every file as it was handed out.

    `prefer` is which of notebook and file counts where both hold work, once the student has said so. `added` says that the lesson was
    added to a workspace: that is the folder above.
    """

    course: str
    lesson: str
    given: dict[str, str]
    format: int = 1
    prefer: Prefer | None = None
    added: bool = False


class Workspace(msgspec.Struct, frozen=True):
    """The open folder of a lesson in a workspace. `root` is the course: a clone or a student release."""

    folder: Path
    root: Path
    lesson: Lesson
    given: dict[str, str]
    prefer: Prefer = "py"  # which of notebook and file counts where both hold work
    added: bool = False

    @property
    def hidden(self) -> Path:
        return self.folder / HIDDEN

    @property
    def reviews(self) -> Path:
        """The folder of the review log, which all lessons of a workspace share."""
        return home_of(self.folder, self) / HIDDEN


def workspace_above(start: Path) -> tuple[Path, Origin] | None:
    """Return the folder and origin of the workspace around `start`, if any.

    Raise `UsageError` if the origin is damaged, or if the workspace is another user's: its files would be taken for one's own.
    """
    found = next((folder for folder in (start, *start.parents) if (folder / HIDDEN / ORIGIN).is_file()), None)
    return (found, read_origin(found)) if found else None


def read_origin(folder: Path) -> Origin:
    """Read what the workspace in `folder` was made of. Raise `UsageError` as `workspace_above` does."""
    path = folder / HIDDEN / ORIGIN
    for part in (path.parent, path):
        refuse_others(part)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Origin)
    except (msgspec.MsgspecError, OSError):
        fix = f"remove this file and run `course start .` in {folder}: it is written anew, and your work stays"
        raise UsageError(f"{path}: damaged", fix) from None


def home_of(folder: Path, origin: Origin | Workspace) -> Path:
    """Return the workspace that a lesson's folder belongs to: that folder, or the one above if the lesson was added."""
    return folder.parent if origin.added else folder


def lessons_in(home: Path) -> dict[str, Path]:
    """Return the folder of each lesson in a workspace, by the lesson's id."""
    added = [path.parents[1] for path in sorted(home.glob(f"*/{HIDDEN}/{ORIGIN}"))]
    found = {home: read_origin(home)} if (home / HIDDEN / ORIGIN).is_file() else {}
    found |= {folder: origin for folder in added if (origin := read_origin(folder)).added}
    return {origin.lesson: folder for folder, origin in found.items()}


def reviewed(course: Course, home: Path | None) -> tuple[Lesson, ...]:
    """Return the lessons whose cards are reviewed together: those of the workspace `home`, or all if there is none."""
    return tuple(choose_lesson(course, name) for name in lessons_in(home)) if home else course.lessons


def course_of(folder: Path) -> Path:
    """Return the course of the workspace around `folder`: where it was, or else the one that came with this code.

    Raise `UsageError` if there is none, or if it may not be loaded (see `trust`).
    """
    found = workspace_above(folder)
    recorded = Path(found[1].course) if found else folder
    if found and (recorded / "course.yaml").is_file():
        return trusted(recorded)
    if course := installed():
        return course
    raise UsageError(f"{recorded}: the course is not there any more", "say where it is: `course --course PATH ...`")


def open_workspace(start: Path, root: Path, wanted: str | None = None) -> Workspace:
    """Open the workspace around `start`, of the course in `root`: the lesson of that folder, or the `wanted` one of the same workspace.

    Raise `UsageError` if there is none.
    """
    found = workspace_above(start)
    if found is None:
        fix = "go into the folder that `course start` made, or make one: `course start my-course`"
        raise UsageError(f"{start}: this is not a workspace, and no folder above is", fix)
    folder, origin = found
    course = read_course(root)
    if wanted:
        home, wanted = home_of(folder, origin), choose_lesson(course, wanted).id
        folders = lessons_in(home)
        if wanted not in folders:
            raise UsageError(f"{home}: this workspace has no lesson {wanted}", f"add it: `course start --lesson {wanted}`")
        folder, origin = folders[wanted], read_origin(folders[wanted])
    lessons = {lesson.id: lesson for lesson in course.lessons}
    if origin.lesson not in lessons:
        raise UsageError(f"{root}: the course has no lesson {origin.lesson} any more", f"it has: {', '.join(lessons)}")
    return Workspace(folder, root, lessons[origin.lesson], origin.given, origin.prefer or course.policy.prefer, origin.added)


def prefer(workspace: Workspace, wanted: Prefer) -> Workspace:
    """Record which of notebook and file counts where both hold work. Raise `UsageError` if that cannot be written."""
    path = workspace.hidden / ORIGIN
    origin = msgspec.json.decode(path.read_bytes(), type=Origin)
    try:
        write_origin(workspace.folder, msgspec.structs.replace(origin, prefer=wanted))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "make the folder writable") from None
    return msgspec.structs.replace(workspace, prefer=wanted)


def write_origin(folder: Path, origin: Origin) -> None:
    """Write `.course/course.json`, whole or not at all."""
    with replaced(folder / HIDDEN / ORIGIN) as beside:
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(origin)))


def is_untouched(workspace: Workspace, path: Path) -> bool:
    """Return whether a file is still as `course start` made it."""
    return workspace.given.get(path.name) == digest(path.read_bytes())


def place_to_keep(workspace: Workspace, path: Path) -> Path:
    """Return where a version of a file that is replaced is kept: a new name in `.course/kept/`."""
    folder, stem = workspace.hidden / "kept", f"{path.stem}-{datetime.now():%Y%m%d-%H%M%S}"
    folder.mkdir(exist_ok=True)
    copies = (folder / f"{stem}{f'-{number}' if number else ''}{path.suffix}" for number in range(10_000))
    return next(copy for copy in copies if not copy.exists())


def digest(data: bytes) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


_TABLES = """
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    facts TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_of_subject ON events (kind, subject)
"""
_RENAME = """;
UPDATE events SET facts = json_remove(json_set(facts, '$.{new}', json_extract(facts, '$.{old}')), '$.{old}')
WHERE json_valid(facts) AND json_type(facts, '$.{old}') IS NOT NULL
"""  # before files had versions, facts called misconceptions slips
_FIRST = _TABLES + _RENAME.format(old="slip", new="misconception") + _RENAME.format(old="slips", new="misconceptions")
SCHEMA = Schema((_FIRST,), "NORMAL", "SELECT count(*) FROM events")
Kind = Literal["read", "reading", "check", "hint", "practice", "reset", "submit"]


class Event(msgspec.Struct, frozen=True):
    """One thing that was done: when (UTC, ISO 8601), what, to which subject, and facts about it."""

    at: str
    kind: str
    subject: str
    facts: dict[str, Any]


class State(AbstractContextManager["State"]):
    """The open state of a workspace. `note` says what the student should know: a damaged file was kept aside, or nothing can be written."""

    def __init__(self, hidden: Path):
        self._path = hidden / "state.sqlite"
        opened = open_leniently(self._path, SCHEMA, "what you do is not remembered.")
        self._db, self.note, self._remembers = opened.db, opened.note, opened.remembers

    def __exit__(self, *raised: object) -> None:
        self._db.close()

    def add(self, kind: Kind, subject: str, **facts: Any) -> None:
        """Record an event. It is on disk when this returns; if it cannot be written, `note` says so."""
        if not self._remembers:
            return
        row = datetime.now(UTC).isoformat(timespec="milliseconds"), kind, subject, msgspec.json.encode(facts).decode()
        try:
            with transaction(self._db, self._path):
                self._db.execute("INSERT INTO events VALUES (NULL, ?, ?, ?, ?)", row)
        except StoreFault as fault:
            self.note = f"{self._path} cannot be written ({fault.why}): what you do is not remembered."

    def events(self, kind: Kind, subject: str | None = None) -> Iterator[Event]:
        """Yield the events of a kind, of one subject or of all, in the order in which they happened."""
        query, values = "SELECT at, kind, subject, facts FROM events WHERE kind = ?", [str(kind)]
        if subject is not None:
            query, values = f"{query} AND subject = ?", [*values, subject]
        for at, of, about, facts in self._db.execute(f"{query} ORDER BY id", values):
            yield Event(at, of, about, msgspec.json.decode(facts))
