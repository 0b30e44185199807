"""Wait for saves in a workspace: yields the exercises whose files were saved, as soon as the system tells."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from threading import Event

from watchfiles import watch

from autograder.workspace.places import Workspace, names_of

SETTLE = 30  # milliseconds in which the parts of one save come together: an editor writes, renames, touches
STEP = 10


def saves(workspace: Workspace, exercises: Collection[str], stop: Event | None = None) -> Iterator[tuple[str, ...]]:
    """Yield which of these exercises were saved, each time something was; end when `stop` is set or on Ctrl-C."""
    owners = {name: exercise for exercise in exercises for name in names_of(exercise)}
    contents = {name: _content(workspace.folder / name) for name in owners}
    for changes in watch(workspace.folder, debounce=SETTLE, step=STEP, recursive=False, stop_event=stop, raise_interrupt=False):
        names = {Path(path).name for _, path in changes} & owners.keys()
        changed = [name for name in owners if name in names and _content(workspace.folder / name) != contents[name]]
        contents |= {name: _content(workspace.folder / name) for name in changed}
        if changed:
            yield tuple(dict.fromkeys(owners[name] for name in changed))


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
