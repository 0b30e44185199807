"""The exports by name. Each is a file of this room with `WHAT` and `write(sheet, path)`, which gives lines for the instructor."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from autograder.errors import UsageError
from autograder.export import canvas, gradescope_folder, moodle, nbgrader, spreadsheet
from autograder.export.sheet import Sheet

FORMATS: dict[str, ModuleType] = {
    "canvas": canvas,
    "moodle": moodle,
    "csv": spreadsheet,
    "gradescope": gradescope_folder,
    "nbgrader": nbgrader,
}


def export(sheet: Sheet, to: str, path: Path) -> list[str]:
    """Write a class for another tool. Raise `UsageError` where that cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        notes: list[str] = FORMATS[to].write(sheet, path)
    except (FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise UsageError(f"{path}: {error.strerror}", "choose a file that can be written with --out") from None
    return notes
