"""The workspace around the current folder, opened with its state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.cli.places import find_course

if TYPE_CHECKING:
    from autograder.workspace.places import Workspace
    from autograder.workspace.state import State


@contextmanager
def opened_workspace(root: Path | None) -> Iterator[tuple[Workspace, State]]:
    """Open the workspace around here and its state; say afterwards what should be known of the state."""
    from autograder.workspace.places import open_workspace, workspace_above
    from autograder.workspace.state import State

    here = Path.cwd()
    course = find_course(root) if root or workspace_above(here) else here
    workspace = open_workspace(here, course)
    with State(workspace.hidden) as state:
        yield workspace, state
    if state.note:
        click.echo(state.note, err=True)
