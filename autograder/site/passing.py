"""A folder for what nobody keeps. It goes when the site is closed; what a killed process left goes when the next site is opened.

Each folder is held by a lock that ends with its process, however that ends. Where there are no such locks (Windows), nobody can
tell whose folder is left, and only the own one is removed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

PREFIX = "course-site-"


class Passing:
    """A folder of this process alone, with the name `path`."""

    def __init__(self) -> None:
        self.path, self._held = _made()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        if self._held is not None:
            os.close(self._held)


def sweep() -> None:
    """Remove this person's folders whose process has ended."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        held = _hold(path)
        if held is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(held)


def _made() -> tuple[Path, int | None]:
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX))
        held = _hold(path)
        if path.is_dir():  # nobody swept it before it was held
            return path, held


def _hold(path: Path) -> int | None:
    """Lock a folder; None where it is another's, held by its process, or cannot be held."""
    with suppress(ImportError, OSError):
        import fcntl

        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if os.fstat(folder).st_uid == os.getuid():
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return folder
        except BlockingIOError:
            pass
        os.close(folder)
    return None
