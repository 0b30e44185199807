"""Create a workspace: starters, `answers.yaml`, the notebook and a one-screen README. Existing files are never changed.

A second lesson is added to a workspace in a folder of its own, with its own progress. The flashcards of all lessons share one log.
"""

from contextlib import suppress
from pathlib import Path

import msgspec

from autograder.course.errors import UsageError
from autograder.course.model import Course, Lesson
from autograder.course.references import is_named
from autograder.course.student_files import HIDDEN, given_files
from autograder.course.system import move
from autograder.learner.workspace import Origin, Workspace, digest, home_of, lessons_in, place_to_keep, workspace_above, write_origin
from autograder.sandbox.guest.frameworks import absent
from autograder.sandbox.preload import profile_for


class Started(msgspec.Struct, frozen=True):
    """What `start` did: the files it created, and those that were there already."""

    folder: Path
    made: tuple[str, ...]
    kept: tuple[str, ...]


def lesson_meant(folder: Path, course: Course, wanted: str | None) -> str | None:
    """Return the lesson to start in `folder`: the wanted one, the workspace's own, or the one after which the folder is named."""
    if wanted:
        return wanted
    if before := _origin_of(folder):
        return before.lesson
    return next((lesson.id for lesson in course.lessons if is_named(lesson, folder.name)), None)


def start(folder: Path, root: Path, lesson: Lesson) -> Started:
    """Create a workspace in `folder`, restore its missing files, or add a lesson to it. Raises UsageError if that is impossible."""
    if (folder / "course.yaml").exists():
        raise UsageError(f"{folder}: this is the course's own folder", "create the workspace elsewhere: `course start ../my-course`")
    files, (folder, added) = given_files(root, lesson), _place(folder, lesson)
    try:
        (folder / HIDDEN).mkdir(parents=True, exist_ok=True)
        made = tuple(name for name, data in files.items() if _made(folder / name, data))
        before, given = _origin_of(folder), {name: digest(data) for name, data in files.items()}
        write_origin(folder, Origin(str(root), lesson.id, given, prefer=before.prefer if before else None, added=added))
    except UnicodeEncodeError:
        raise UsageError(f"{root}: this path of the course is no UTF-8", "move the course to a folder with another name") from None
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}", "choose a folder that you may write to, like `course start ~/my-course`") from None
    return Started(folder, made, tuple(name for name in files if name not in made))


def _origin_of(folder: Path) -> Origin | None:
    """Return what is recorded in a workspace that was there before; what is damaged is written anew."""
    with suppress(UsageError):
        found = workspace_above(folder)
        return found[1] if found and found[0] == folder else None
    return None


def _place(folder: Path, lesson: Lesson) -> tuple[Path, bool]:
    """Return the folder of a lesson that is started in `folder`, and whether it is added to the workspace there."""
    if (before := _origin_of(folder)) is None:
        return folder, False
    home = home_of(folder, before)
    place = lessons_in(home).get(lesson.id, home / lesson.id)
    return place, place != home


def lacking(lesson: Lesson) -> tuple[list[str], list[str]]:
    """Return the frameworks that a lesson needs and that are not installed, and the exercises that can be checked without them."""
    profiles = {one.id: profile_for(one.checks.read_bytes(), one.imports) for one in lesson.exercises}
    return absent(" ".join(dict.fromkeys(profiles.values()))), [name for name, profile in profiles.items() if not absent(profile)]


def refuse_crowded(folder: Path, lesson: Lesson) -> None:
    """Raises UsageError if the current folder holds other files, among which a dozen new ones would get lost."""
    others = [] if (folder / HIDDEN).exists() else [path.name for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    if others:
        where = lesson.id.partition("_")[2]
        raise UsageError(f"{folder}: this folder is not empty ({others[0]} is there)", f"use an empty folder: `course start {where}`")


def reset(workspace: Workspace, file: str) -> Path | None:
    """Restore a starter. Return where the student's version is kept, or None if there was none or it was unchanged."""
    files = given_files(workspace.root, workspace.lesson)
    name = Path(file).name
    if name not in files:
        raise UsageError(f"{file}: not one of the files that `course start` creates", f"take one of {', '.join(files)}")
    path, kept = workspace.folder / name, None
    try:
        if path.exists() and path.read_bytes() != files[name]:
            kept = place_to_keep(workspace, path)
            move(path, kept)
        _made(path, files[name])
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "make the folder writable; the file is unchanged") from None
    return kept


def _made(path: Path, data: bytes) -> bool:
    """Write a file unless it exists. Return whether it was written."""
    try:
        with open(path, "xb") as file:
            file.write(data)
    except FileExistsError:
        return False
    return True
