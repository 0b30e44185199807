"""Courses that tests put together: this one with a second lesson, as an author adds it."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECOND = ROOT / "tests" / "second_lesson"
FOLDERS = ("lessons", "exercises", "solutions")


def with_second_lesson(place: Path, *lessons: Path) -> Path:
    """Make a course in `place` from links to this one's folders and a copy of each of `lessons`, by default the second one."""
    place.mkdir(parents=True)
    shutil.copy(ROOT / "course.yaml", place)
    for name in FOLDERS:
        (place / name).mkdir()
        for path in (ROOT / name).glob("[!.]*"):
            if path.name == "__init__.py" or (path.is_dir() and path.name[:2] in ("12", "di")):
                (place / name / path.name).symlink_to(path)
    for lesson in lessons or (SECOND,):
        shutil.copytree(lesson, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return place
