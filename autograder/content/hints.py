"""Read `hints.yaml`: for each exercise its objectives, and for each function what helps who is stuck. Students may read it all."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from autograder.content.lessons import Folders
from autograder.errors import CourseError


class Help(Struct, frozen=True, forbid_unknown_fields=True):
    """What one exercise serves, and the hints for each of its functions, each nearer to the answer than the one before."""

    objectives: tuple[str, ...] = ()
    functions: dict[str, tuple[str, ...]] = {}


def read_hints(root: Path, lesson: str) -> dict[str, Help]:
    """Return the help of each exercise of a lesson; none where there is no such file. Raise `CourseError` with every finding."""
    folders, path = Folders(root), root / "exercises" / lesson / "hints.yaml"
    if not path.is_file():
        return {}
    text = folders.text(path, "the hints")
    found, _ = folders.typed(path, dict[str, Help], text or "{}")
    if folders.findings:
        raise CourseError(folders.findings)
    return found
