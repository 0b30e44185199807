"""`course check`: run the public checks on a student's own files, once or at every save."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.cli.context import LESSON, find_course, now, opened_workspace, say_rivals, typed
from autograder.course import system
from autograder.course.errors import SandboxFault, UsageError
from autograder.course.loading import read_policy
from autograder.course.student_files import names_of
from autograder.learner.files import Held, Named, held, named
from autograder.learner.workspace import State, Workspace
from autograder.sandbox.preload import launch, profile_for

FAULT = "not checked, because the sandbox failed ({fault}). This is not a mistake of yours: check it again."

if TYPE_CHECKING:
    from rich.console import Console

    from autograder.learner.check import Checker


@click.command()
@click.argument("files", metavar="[FILE]...", nargs=-1)
@click.option("--watch", "watching", is_flag=True, help="Keep running, and check each file again when you save it. Ctrl-C stops.")
@click.option("--no-walls", is_flag=True, help="Run your files in a plain process with a time limit, without walls.")
@LESSON
@click.pass_obj
def check(root: Path | None, files: tuple[str, ...], watching: bool, no_walls: bool, lesson: str | None) -> None:
    """Run the public checks on your FILEs.

    A FILE is a Python file, the notebook or answers.yaml. Without FILE, every file that you have started is checked. The exit
    status is 1 until everything passes. The output of your code is shown too.

    Your files run behind walls if this system has them (see `course doctor`); if it has none, that is said before they run.
    """
    policy, likely = read_policy(find_course(root)), _likely(files)
    launched = {profile: launch(profile) for profile in likely if not no_walls and system.LINUX}
    # Slow imports, while the fork servers warm up in parallel.
    from rich.console import Console

    from autograder.learner.check import Checker, saves

    console = Console(highlight=False)
    ahead = watching or len(files) != 1
    with Checker(policy, tell=partial(click.secho, dim=True), walls=not no_walls, ahead=ahead) as checker:
        checker.prepare(launched or dict.fromkeys(likely))
        with opened_workspace(root, lesson) as (workspace, state):
            saved = saves(workspace) if watching else None  # from now on: a save during the first check counts
            found = held(workspace)
            say_rivals(found)
            chosen = _chosen(workspace, files, found)
            status = _all(console, checker, workspace, state, chosen, found)
            if saved:
                watched = chosen if files else []
                _watch(console, checker, workspace, state, saved, watched)
    if not watching:
        sys.exit(status)


def _likely(files: tuple[str, ...]) -> tuple[str, ...]:
    """Guess, before the course is read, which preload profiles these files need."""
    paths = [Path(file) for file in files] or sorted(Path.cwd().glob("*.py"))
    wanted = [profile_for(path.read_bytes()) for path in paths if path.suffix in (".py", ".ipynb") and path.is_file()]
    return tuple(dict.fromkeys(wanted))


def _chosen(workspace: Workspace, files: tuple[str, ...], found: dict[str, Held]) -> list[Named]:
    """Return what to check: the exercises in the files, or every one that was begun, in the file that counts."""
    if files:
        return list(dict.fromkeys(one for file in files for one in named(workspace, file, found)))
    begun = [Named(exercise, one.path) for exercise, one in found.items() if one.begun and one.path]
    if not begun:
        first = next(iter(one.path.name for one in found.values() if one.path), "FILE")
        fix = f"open {first} in your editor, or name a file: `course check {first}`"
        raise UsageError("nothing to check: no function and no answer is written yet, or the file is not saved", fix)
    return begun


def _all(console: Console, checker: Checker, workspace: Workspace, state: State, chosen: list[Named], found: dict[str, Held]) -> int:
    """Check these exercises and print the feedback. Return the exit status: 1 until everything passes, 3 after a fault of ours."""
    from autograder.cli.views import HIDDEN_REMAIN, say_due, show
    from autograder.learner.progress import bring_back, remember

    status, judged = 0, False
    for exercise, path in ((one.exercise, one.path) for one in chosen):
        try:
            checked = checker.check(workspace, exercise, path)
        except SandboxFault as fault:
            console.print(f"{exercise}: {FAULT.format(fault=fault)}", markup=False, soft_wrap=True)
            status = 3
            continue
        counting = found[exercise].path if exercise in found else path
        if path == counting:
            remember(state, checked)
        show(console, checked, workspace.lesson)
        if path != counting and counting:
            console.print(f"  This file does not count: {counting.name} does, in your workspace.", style="yellow", markup=False)
        status, judged = max(status, not checked.right), judged or bool(checked.checks)
        say_due(console, bring_back(workspace, checked.checks, f"check {exercise}", now()))
        if not checked.right and checked.functions and not checked.problem and not checked.stopper and not checked.blank:
            stuck = typed(checked.place) if checked.name in names_of(exercise) else exercise
            console.print(f"  Stuck? course hint {stuck}", style="dim", markup=False)
    if judged:
        console.print(HIDDEN_REMAIN, style="dim")
    return status


def _watch(
    console: Console, checker: Checker, workspace: Workspace, state: State, saved: Iterator[tuple[Path, ...]], only: list[Named]
) -> None:
    console.print("Watching: save a file to check it again. Ctrl-C stops.", style="dim")
    with suppress(KeyboardInterrupt):
        for changed in saved:
            found = held(workspace)
            counting = [Named(exercise, one.path) for exercise, one in found.items() if one.path]
            if wanted := [one for one in only or counting if one.path in changed]:
                console.print()
                _all(console, checker, workspace, state, wanted, found)
    console.print()
