"""The course as most tests know it, with its one lesson; and the course with a second lesson, as an author adds it.

Tests that show what is printed, or count, know one lesson by its name. Where the clone holds more lessons, they see a view of it without
the others. Tests that promise something of every lesson take the CLONE.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import yaml

from autograder.course.trust import confirm

CLONE = Path(__file__).resolve().parents[1]
OWN = "12_diffusion"
OTHERS = {path.name for path in (CLONE / "lessons").glob("[0-9]*") if path.name != OWN}
SECOND = CLONE / "tests" / "second_lesson"
FOLDERS = ("lessons", "exercises", "solutions")


def with_second_lesson(place: Path, *lessons: Path) -> Path:
    """Make a course in `place` from this one and each of `lessons`, by default the second one."""
    _with_own_lesson(place)
    for lesson in lessons or (SECOND,):
        shutil.copytree(lesson, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return place


def _with_own_lesson(place: Path) -> Path:
    """Copy the course to `place`, without what belongs to another lesson."""
    for name in FOLDERS:
        shutil.copytree(CLONE / name, place / name, ignore=shutil.ignore_patterns("__pycache__", *OTHERS))
    text = (CLONE / "course.yaml").read_text(encoding="utf-8")
    (place / "course.yaml").write_text(yaml.safe_dump(_without_others(yaml.safe_load(text))) if OTHERS else text, encoding="utf-8")
    return place


def _without_others(settings: Any) -> Any:
    """Leave out of the grading policy what is said of other lessons and their exercises."""
    theirs = {*OTHERS, *(path.stem for other in OTHERS for path in (CLONE / "exercises" / other).glob("*.py"))}
    theirs -= {path.stem for path in (CLONE / "exercises" / OWN).glob("*.py")}
    if isinstance(settings, dict):
        return {key: _without_others(value) for key, value in settings.items() if key not in theirs}
    return [one for one in settings if one not in theirs] if isinstance(settings, list) else settings


def _view() -> Path:
    """Return the clone, or where it holds more lessons a view of it without them, which commands may load as they load the clone."""
    if not OTHERS:
        return CLONE
    base = Path(tempfile.mkdtemp(prefix="one-lesson-")).resolve()
    atexit.register(shutil.rmtree, base, ignore_errors=True)
    view = _with_own_lesson(base / "course")
    for path in CLONE.iterdir():
        if path.name not in (*FOLDERS, "course.yaml", "autograder", ".git"):
            (view / path.name).symlink_to(path)
    os.environ["XDG_CONFIG_HOME"] = str(base / "config")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(CLONE), os.environ.get("PYTHONPATH"))))  # for commands in the view
    confirm(view)
    return view


ROOT = _view()
