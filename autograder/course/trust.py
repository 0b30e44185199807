"""Which courses may be loaded. Loading one runs its Python, which can then do whatever its reader can do.

The installed course, which came with this code, is always loaded. Another is loaded if it is named with `--course`, or if its folder was
confirmed once with `course trust`, as with Git's `safe.directory`; but never if a part of it belongs to another user. So a
`course.yaml` or a workspace that somebody left in a folder, an archive or a submission runs nothing.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from autograder.course.errors import UsageError
from autograder.course.files import is_own, refuse_others, replaced
from autograder.course.loading import CONTENT, package_name
from autograder.course.system import shell_word
from autograder.course.text import clean

RELEASE = "student_release"  # within the installed package
LOADED = (*CONTENT, "recordings")


def installed() -> Path | None:
    """Return the course that came with this code: the clone around it, or the student release in an installed package."""
    here = Path(__file__).resolve()
    return next((path for path in (here.parents[2], here.parents[1] / RELEASE) if (path / "course.yaml").is_file()), None)


def trusted(root: Path, *, named: bool = False) -> Path:
    """Return the real path of a course that may be loaded; `named` says that the user named it. Raise `UsageError` for another."""
    root = root.resolve()
    if root == installed():
        return root
    if not named and not is_confirmed(root):
        problem = f"{clean(str(root), 1000)}: this course is not confirmed, and loading it would run its Python as you"
        raise UsageError(problem, f"if you trust whoever wrote it, confirm it once: `{confirming(root)}`")
    for path in _parts(root):
        refuse_others(path)
    return root


def is_confirmed(root: Path) -> bool:
    """Whether the course in this real path is loaded without being named."""
    return root == installed() or str(root) in _confirmed()


def confirming(root: Path) -> str:
    """Return the command that confirms a course, to be pasted into a shell."""
    return f"course trust {shell_word(str(root)) if str(root).isprintable() else 'DIR'}"


def confirm(root: Path) -> Path:
    """Let the course in `root` be loaded from now on. Return the list's path. Raise `UsageError` if a part of it is another user's."""
    root, place = trusted(root, named=True), _place()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with replaced(place) as beside:
            beside.write_text(json.dumps(sorted({*_confirmed(), str(root)}), indent=1) + "\n", encoding="ascii")
    except OSError as error:
        naming = f"`course --course {shell_word(str(root))} ...`"
        raise UsageError(f"{place}: {error.strerror}", f"name the course each time: {naming}") from None
    return place


def _place() -> Path:
    return platformdirs.user_config_path(package_name(), appauthor=False) / "trusted-courses.json"


def _confirmed() -> frozenset[str]:
    """Return the folders that this user confirmed; what another user wrote into the list confirms nothing."""
    place = _place()
    try:
        listed = json.loads(place.read_text(encoding="ascii")) if is_own(place) else []
    except (OSError, ValueError):
        return frozenset()
    return frozenset(one for one in listed if isinstance(one, str)) if isinstance(listed, list) else frozenset()


def _parts(root: Path) -> Iterator[Path]:
    """Yield the course's folder and everything in it that is read or run, each folder once, wherever links lead."""
    yield root
    waiting, seen = [root / name for name in LOADED], set()
    while waiting:
        path = waiting.pop()
        yield path
        if path.is_dir() and (real := path.resolve()) not in seen:
            seen.add(real)
            waiting += path.iterdir()
