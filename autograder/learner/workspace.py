"""A workspace: a folder with a student's files, whose `.course/` says which course they belong to and remembers what was done."""

import difflib
import hashlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from autograder.course.errors import StoreFault, UsageError
from autograder.course.loading import read_course
from autograder.course.model import Lesson
from autograder.course.store import Schema, open_leniently, refuse_others, transaction
from autograder.course.student_files import HIDDEN, exercises_of, names_of
from autograder.course.trust import installed, trusted

ORIGIN = "course.json"


class Origin(msgspec.Struct, frozen=True):
    """The content of `.course/course.json`: the course's path, the lesson, and the hash of every file as it was handed out."""

    course: str
    lesson: str
    given: dict[str, str]
    format: int = 1


class Workspace(msgspec.Struct, frozen=True):
    """An open workspace. `root` is the course: a clone or a student release."""

    folder: Path
    root: Path
    lesson: Lesson
    given: dict[str, str]

    @property
    def hidden(self) -> Path:
        return self.folder / HIDDEN


def workspace_above(start: Path) -> tuple[Path, Origin] | None:
    """Return the folder and origin of the workspace around `start`, if any.

    Raise `UsageError` if the origin is damaged, or if the workspace is another user's: its files would be taken for one's own.
    """
    for folder in (start, *start.parents):
        path = folder / HIDDEN / ORIGIN
        if path.is_file():
            for part in (path.parent, path):
                refuse_others(part)
            try:
                return folder, msgspec.json.decode(path.read_bytes(), type=Origin)
            except (msgspec.MsgspecError, OSError):
                fix = f"remove this file and run `course start .` in {folder}: it is written anew, and your work stays"
                raise UsageError(f"{path}: damaged", fix) from None
    return None


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


def open_workspace(start: Path, root: Path) -> Workspace:
    """Open the workspace around `start`, of the course in `root`. Raise `UsageError` if there is none."""
    found = workspace_above(start)
    if found is None:
        fix = "go into the folder that `course start` made, or make one: `course start my-course`"
        raise UsageError(f"{start}: this is not a workspace, and no folder above is", fix)
    folder, origin = found
    lessons = {lesson.id: lesson for lesson in read_course(root).lessons}
    if origin.lesson not in lessons:
        raise UsageError(f"{root}: the course has no lesson {origin.lesson} any more", f"it has: {', '.join(lessons)}")
    return Workspace(folder, root, lessons[origin.lesson], origin.given)


def file_of(workspace: Workspace, exercise: str) -> Path | None:
    """Return the file of an exercise (or "practice"): the first that was edited, or else its own, if it exists."""
    found = [path for name in names_within(workspace.lesson, exercise) if (path := workspace.folder / name).is_file()]
    own = next((path for path in found if path.name in names_of(exercise)), None)
    return next((path for path in found if not is_untouched(workspace, path)), own)


def is_untouched(workspace: Workspace, path: Path) -> bool:
    """Return whether a file is still as `course start` made it."""
    return workspace.given.get(path.name) == digest(path.read_bytes())


def names_within(lesson: Lesson, exercise: str) -> tuple[str, ...]:
    """Return the names of all files that can hold an exercise: its own, and the lesson's notebook."""
    return names_of(exercise) + (() if exercise == "practice" else (f"{lesson.id}.ipynb",))


def exercises_named(workspace: Workspace, file: str) -> list[str]:
    """Return the exercises in a file named on the command line: one, or all that are done in the lesson's notebook."""
    name = f"{workspace.lesson.id}.ipynb"
    if os.path.basename(file) != name or not (workspace.folder / name).is_file():
        return [exercise_named(workspace, file)]
    if is_untouched(workspace, workspace.folder / name):
        fix = "write in it, and save it in Jupyter (Ctrl+S): the file on disk is still the one that `course start` made"
        raise UsageError(f"{name}: nothing is written in it yet, or it is not saved", fix)
    return [one for one in exercises_of(workspace.lesson) if file_of(workspace, one) == workspace.folder / name]


def exercise_named(workspace: Workspace, file: str) -> str:
    """Return the exercise of a file named on the command line. Raise `UsageError` with the most likely fix."""
    known = {name: exercise for exercise in exercises_of(workspace.lesson) for name in names_of(exercise)}
    name = os.path.basename(file.rstrip("/\\"))
    exercise = known.get(name) or (name if name in known.values() else None)
    if exercise is None:
        raise UsageError(f"{file}: no exercise has a file of this name", _did_you_mean(name, known))
    if file_of(workspace, exercise) is None:
        raise UsageError(f"{names_of(exercise)[0]} is not in {workspace.folder}", _renamed(workspace, exercise))
    return exercise


def _did_you_mean(name: str, known: dict[str, str]) -> str:
    stem = os.path.splitext(name)[0]
    stems = {os.path.splitext(own)[0]: own for own in reversed(known)} | {one: names_of(one)[0] for one in known.values()}
    near = difflib.get_close_matches(stem, stems, 1, 0.6) or [one for one in stems if stem.startswith(one)]
    if near:
        return f"did you mean `{stems[near[0]]}`? Files keep the names that `course start` gave them"
    return f"take one of {', '.join(names_of(one)[0] for one in dict.fromkeys(known.values()))}"


def _renamed(workspace: Workspace, exercise: str) -> str:
    """Return a fix for a missing file, which may have been renamed."""
    name, put_back = names_of(exercise)[0], f"`course reset {names_of(exercise)[0]}` puts the starter back"
    own = {one for other in exercises_of(workspace.lesson) for one in names_of(other)} | set(workspace.given)
    strays = [path.name for path in sorted(workspace.folder.glob(f"*{Path(name).suffix}")) if path.name not in own]
    like = [stray for stray in strays if exercise in stray] or difflib.get_close_matches(name, strays, 1, 0.6)
    return f"rename `{like[0]}` to `{name}`, if that is it; {put_back}" if like else put_back


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
Kind = Literal["read", "check", "hint", "practice", "reset", "submit"]


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
