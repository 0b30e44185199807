"""Read and write a student's own files for an editor that is not theirs: the one in the page.

An exercise is named, never a path: the file is the one that counts for it, and lies in the workspace itself. A file is written whole or not
at all, and only over the version that was read, so that nothing which another program saved meanwhile is lost.
"""

import shutil
from pathlib import Path
from stat import S_ISREG

from msgspec import Struct

from autograder.course.errors import UsageError
from autograder.course.files import replaced
from autograder.course.schema import did_you_mean
from autograder.course.student_files import exercises_of, given_files, names_of
from autograder.course.text import clean
from autograder.learner.files import held, rivalries
from autograder.learner.workspace import Workspace, digest, place_to_keep

LARGEST = 256 << 10  # bytes of a file that is edited
BOM = b"\xef\xbb\xbf"


class Text(Struct, frozen=True):
    """What a file holds, its lines ended by "\\n", and the hash of its bytes. Without a hash it does not exist, and this is the starter."""

    name: str
    text: str
    sha256: str


class ChangedMeanwhile(Exception):
    """The file on the disk is not the one that was read; `now` is what it holds."""

    def __init__(self, now: Text):
        super().__init__(now.name)
        self.now = now


def read(workspace: Workspace, exercise: str) -> Text:
    """Read the file of an exercise. Raise `UsageError` if there is none that can be edited here."""
    path = _file(workspace, exercise)
    data = _bytes(path)
    if data is None:
        return Text(path.name, given_files(workspace.root, workspace.lesson)[path.name].decode(), "")
    return Text(path.name, _text(path, data), digest(data))


def write(workspace: Workspace, exercise: str, text: str, before: str, *, keep: bool = False) -> Text:
    """Write the file of an exercise, if its hash is still `before`; with `keep`, a copy of what was there stays in `.course/kept/`.

    Line ends, a byte order mark and permissions stay as they were. Raise `ChangedMeanwhile`, or `UsageError` if it cannot be written.
    """
    path = _file(workspace, exercise)
    old = _bytes(path)
    _demand_same(path, old, before)
    new = text.replace("\r\n", "\n").encode()
    if old is not None and b"\r\n" in old:
        new = new.replace(b"\n", b"\r\n")
    if old is not None and old.startswith(BOM):
        new = BOM + new
    if len(new) > LARGEST:
        raise UsageError(f"{path.name} would be larger than {LARGEST >> 10} KiB", "edit it in an editor of your own")
    try:
        if keep and old is not None:
            place_to_keep(workspace, path).write_bytes(old)
        with replaced(path) as beside:
            beside.write_bytes(new)
            if old is not None:
                shutil.copymode(path, beside)
            _demand_same(path, _bytes(path), before)  # once more, as late as can be
    except OSError as error:
        raise UsageError(f"{path.name}: {error.strerror}", "make the file and its folder writable; it is unchanged") from None
    return Text(path.name, _text(path, new), digest(new))


def _demand_same(path: Path, data: bytes | None, before: str) -> None:
    if (digest(data) if data is not None else "") != before:
        raise ChangedMeanwhile(Text(path.name, _text(path, data or b""), digest(data) if data is not None else ""))


def counting(workspace: Workspace, exercise: str) -> Path:
    """Return the file that counts for an exercise, or where its starter belongs. Raise `UsageError` if there is none."""
    if exercise not in (known := exercises_of(workspace.lesson)):
        raise UsageError(f"there is no exercise `{clean(exercise, 40)}`", did_you_mean(exercise, known, f"take one of {', '.join(known)}"))
    found = held(workspace).get(exercise)
    if found and found.path is None:
        raise UsageError(rivalries({exercise: found})[0].rstrip("."), "move the other files away")
    return found.path if found and found.path else workspace.folder / names_of(exercise)[0]


def _file(workspace: Workspace, exercise: str) -> Path:
    path = counting(workspace, exercise)
    if path.suffix.lower() == ".ipynb":
        raise UsageError(f"`{exercise}` is written in `{path.name}`", "edit a notebook in Jupyter")
    return path


def _bytes(path: Path) -> bytes | None:
    """Read a file of the workspace; None if it does not exist. Raise `UsageError` if it is a link or too large: it may be another's."""
    try:
        found = path.lstat()
        if not S_ISREG(found.st_mode):
            raise UsageError(f"{path.name} is a link, or no file at all", "put the file itself into the workspace")
        if found.st_size > LARGEST:
            raise UsageError(f"{path.name} is larger than {LARGEST >> 10} KiB", "edit it in an editor of your own")
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path.name}: {error.strerror}", "make it readable for you") from None


def _text(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise UsageError(f"{path.name} is not UTF-8", "edit it in an editor of your own, and save it as UTF-8") from None
