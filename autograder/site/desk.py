"""Where a reader's work lies: the workspace around, or without one a folder that goes when the site is closed."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from autograder.model import Lesson
from autograder.questions import Functions
from autograder.site.passing import Passing, sweep
from autograder.workspace.places import HIDDEN, Workspace, open_workspace, workspace_above
from autograder.workspace.practising import functions_for
from autograder.workspace.state import State


class Desk:
    """A lesson open before a reader. `kept` says that what is done is remembered in a workspace."""

    def __init__(self, root: Path, lesson: Lesson, start: Path):
        found = workspace_above(start)
        self.kept = found is not None and found[1].lesson == lesson.id
        sweep()
        self._passing = None if self.kept else Passing()
        self.workspace = open_workspace(start, root) if self._passing is None else _blank(self._passing.path, root, lesson)
        self._functions: Functions | None = None
        self._loading = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if self._passing:
            self._passing.__exit__(kind, value, trace)

    @property
    def lesson(self) -> Lesson:
        return self.workspace.lesson

    def state(self) -> State:
        """Open the state for one request: a thread's connection is its own."""
        return State(self.workspace.hidden)

    def functions(self) -> Functions:
        """Give the functions that answer the questions; they are loaded once, when the first question is marked."""
        with self._loading:
            self._functions = self._functions or functions_for(self.workspace)
            return self._functions


def _blank(folder: Path, root: Path, lesson: Lesson) -> Workspace:
    (folder / HIDDEN).mkdir()
    return Workspace(folder, root, lesson, {})
