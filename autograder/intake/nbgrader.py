"""An nbgrader course's `submitted/STUDENT/ASSIGNMENT/`, or the course's folder that holds it.

nbgrader writes when a student handed in into `timestamp.txt`. The assignment is the one named like the lesson, or the only one.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from autograder.errors import UsageError
from autograder.intake.folder import apart, problem
from autograder.intake.hand_ins import HandIn, Student
from autograder.intake.trees import Below, Tree, Unreadable, joined
from autograder.model import HandedIn

WANTED = "nbgrader's folder `submitted`, or the course that holds it"
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{6})?)\s*(\S*)\s*")


def claims(tree: Tree, lesson: str) -> bool:
    """Say whether this is an nbgrader course, or where it keeps what was submitted."""
    if "submitted" in tree.names() and tree.kind("submitted") == "folder":
        return True
    return any("timestamp.txt" in tree.names(joined(student, each)) for student in tree.names() for each in tree.names(student))


def students(tree: Tree, lesson: str) -> list[Student]:
    """Take each student's folder of the assignment. Raise `UsageError` where it is not clear which assignment is meant."""
    if "submitted" in tree.names():
        tree = Below(tree, "submitted")
    folders = [name for name in tree.names() if not name.startswith(".") and tree.kind(name) in ("folder", "link")]
    assignment = _assignment(tree, folders, lesson)
    named = apart(folders)
    return [Student(named[folder], _hand_ins(tree, folder, assignment), login=folder) for folder in folders]


def _assignment(tree: Tree, folders: list[str], lesson: str) -> str:
    found = sorted({each for folder in folders for each in tree.names(folder) if not each.startswith(".")})
    if lesson in found or not found:
        return lesson
    if len(found) > 1:
        raise UsageError(f"`submitted` holds several assignments: {', '.join(found)}", f"rename the one that is meant to {lesson}")
    return found[0]


def _hand_ins(tree: Tree, folder: str, assignment: str) -> tuple[HandIn, ...]:
    broken, own = problem(tree, folder), joined(folder, assignment)
    if not broken and tree.kind(own) == "none":
        return ()
    return (HandIn(tree, own, facts=HandedIn(at=None if broken else _time(tree, own)), problem=broken),)


def _time(tree: Tree, folder: str) -> datetime | None:
    """Read when it was handed in; None where that is not written, or not so that it can be read."""
    try:
        match = _TIME.match(tree.read(joined(folder, "timestamp.txt"), 1 << 10).decode("ascii"))
        if match is None:
            return None
        zone = UTC if match[2] in ("", "UTC") else ZoneInfo(match[2])
        return datetime.fromisoformat(match[1]).replace(tzinfo=zone).astimezone(UTC)
    except (Unreadable, ValueError, OSError, KeyError):
        return None
