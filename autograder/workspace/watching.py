"""Wait for saves in a workspace: yields the exercises whose files were saved, as soon as the system tells."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from threading import Event

from watchfiles import watch

from autograder.workspace.places import Workspace, file_of, names_within

SETTLE = 30  # milliseconds in which the parts of one save come together: an editor writes, renames, touches
STEP = 10
LOOK = 500  # milliseconds after which one looks for oneself: some disks tell nothing, and nobody tells of what came before the watch


def saves(workspace: Workspace, exercises: Collection[str], stop: Event | None = None) -> Iterator[tuple[str, ...]]:
    """Yield which of these exercises were saved since this was called, each time something was; end when `stop` is set."""
    owners = {name for exercise in exercises for name in names_within(workspace.lesson, exercise)}
    return _saves(workspace, exercises, {name: _content(workspace.folder / name) for name in owners}, stop)


def _saves(
    workspace: Workspace, exercises: Collection[str], known: dict[str, bytes | None], stop: Event | None
) -> Iterator[tuple[str, ...]]:
    """Compare with what is known whenever something is told of the folder, or nothing was for a while."""
    ticks = watch(workspace.folder, debounce=SETTLE, step=STEP, rust_timeout=LOOK, yield_on_timeout=True, recursive=False, stop_event=stop)
    for _ in ticks:
        now = {name: _content(workspace.folder / name) for name in known}
        changed = {name for name in known if now[name] != known[name]}
        known = now
        saved = tuple(one for one in exercises if (path := file_of(workspace, one)) and path.name in changed)
        if saved:
            yield saved


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
