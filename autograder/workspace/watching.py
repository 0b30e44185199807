"""Wait for saves in a workspace: yields the exercises whose files were saved, as soon as the system tells."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from threading import Event

from watchfiles import watch

from autograder.workspace.places import Workspace, file_of, names_within

SETTLE = 30  # milliseconds in which the parts of one save come together: an editor writes, renames, touches
STEP = 10


def saves(workspace: Workspace, exercises: Collection[str], stop: Event | None = None) -> Iterator[tuple[str, ...]]:
    """Yield which of these exercises were saved, each time something was; end when `stop` is set."""
    owners = {name for exercise in exercises for name in names_within(workspace.lesson, exercise)}
    contents = {name: _content(workspace.folder / name) for name in owners}
    for changes in watch(workspace.folder, debounce=SETTLE, step=STEP, recursive=False, stop_event=stop):
        names = {Path(path).name for _, path in changes} & owners
        changed = {name for name in names if _content(workspace.folder / name) != contents[name]}
        contents |= {name: _content(workspace.folder / name) for name in changed}
        saved = tuple(one for one in exercises if (path := file_of(workspace, one)) and path.name in changed)
        if saved:
            yield saved


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
