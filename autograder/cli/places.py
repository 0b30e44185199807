"""Where the course is, and which lesson of it is meant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from autograder.errors import UsageError

if TYPE_CHECKING:
    from autograder.model import Lesson


def find_course(start: Path | None) -> Path:
    """Find the folder with course.yaml: the given one, the current one or one above it, the one that the workspace around here
    belongs to, or the one this code came with."""
    if start is not None:
        if not (start / "course.yaml").is_file():
            raise UsageError(f"{start}: no course.yaml there", "give the folder that holds course.yaml")
        return start.resolve()
    from autograder.workspace.places import course_of, own_course

    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / "course.yaml").is_file():
            return folder
        if (folder / ".course").is_dir():
            return course_of(folder)
    own = own_course()
    if own:
        return own
    raise UsageError("no course.yaml here or in any folder above", "go into the course's folder, or name it with --course")


def find_clone(start: Path | None) -> Path:
    """Find the course as `find_course` does, with its solutions. Raise `UsageError` where it is a student release."""
    from autograder.content import demand_solutions

    found = find_course(start)
    demand_solutions(found)
    return found


def find_lesson(root: Path | None, wanted: str | None) -> Lesson:
    """Read the course and find the lesson that is asked for, or its only one."""
    from autograder.content import read_course
    from autograder.grading import choose_lesson

    return choose_lesson(read_course(find_course(root)), wanted)
