"""`course check`: run the public checks on a student's own files, once or at every save."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.cli.context import find_course, now, opened_workspace
from autograder.course import system
from autograder.course.errors import SandboxFault, UsageError
from autograder.course.loading import read_policy
from autograder.course.student_files import exercises_of
from autograder.learner.workspace import State, Workspace, exercises_named, file_of, is_untouched
from autograder.sandbox.preload import launch, profile_for

FAULT = "not checked, because the sandbox failed ({fault}). This is not a mistake of yours: check it again."

if TYPE_CHECKING:
    from rich.console import Console

    from autograder.learner.check import Checker


@click.command()
@click.argument("files", metavar="[FILE]...", nargs=-1)
@click.option("--watch", "watching", is_flag=True, help="Keep running, and check each file again when you save it. Ctrl-C stops.")
@click.option("--no-walls", is_flag=True, help="Run your files in a plain process with a time limit, without walls.")
@click.pass_obj
def check(root: Path | None, files: tuple[str, ...], watching: bool, no_walls: bool) -> None:
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
        with opened_workspace(root) as (workspace, state):
            chosen = _chosen(workspace, files)
            watched = chosen if files else list(exercises_of(workspace.lesson))
            saved = saves(workspace, watched) if watching else None  # from now on: a save during the first check counts
            status = _all(console, checker, workspace, state, chosen)
            if saved:
                for exercise in watched:
                    if file_of(workspace, exercise):
                        checker.load(workspace, exercise)
                _watch(console, checker, workspace, state, saved)
    if not watching:
        sys.exit(status)


def _likely(files: tuple[str, ...]) -> tuple[str, ...]:
    """Guess, before the course is read, which preload profiles these files need."""
    paths = [Path(file) for file in files] or sorted(Path.cwd().glob("*.py"))
    wanted = [profile_for(path.read_bytes()) for path in paths if path.suffix in (".py", ".ipynb") and path.is_file()]
    return tuple(dict.fromkeys(wanted))


def _chosen(workspace: Workspace, files: tuple[str, ...]) -> list[str]:
    """Return the exercises to check: those of the files, or every one whose file differs from its starter."""
    if files:
        return list(dict.fromkeys(exercise for file in files for exercise in exercises_named(workspace, file)))
    found = {exercise: path for exercise in exercises_of(workspace.lesson) if (path := file_of(workspace, exercise))}
    begun = [one for one, path in found.items() if not is_untouched(workspace, path)]
    if not begun:
        first = next(iter(found.values())).name if found else "FILE"
        fix = f"open {first} in your editor, or name a file: `course check {first}`"
        raise UsageError("nothing to check: every file is still the starter, or is not saved", fix)
    return begun


def _all(console: Console, checker: Checker, workspace: Workspace, state: State, exercises: list[str]) -> int:
    """Check these exercises and print the feedback. Return the exit status: 1 until everything passes, 3 after a fault of ours."""
    from autograder.cli.views import HIDDEN_REMAIN, say_due, show
    from autograder.learner.progress import bring_back, remember

    status, judged = 0, False
    for exercise in exercises:
        try:
            checked = checker.check(workspace, exercise)
        except SandboxFault as fault:
            console.print(f"{exercise}: {FAULT.format(fault=fault)}", markup=False, soft_wrap=True)
            status = 3
            continue
        remember(state, checked)
        show(console, checked, workspace.lesson)
        status, judged = max(status, not checked.right), judged or bool(checked.checks)
        say_due(console, bring_back(workspace, checked.checks, f"check {exercise}", now()))
        if not checked.right and checked.functions and not checked.problem and not checked.stopper and not checked.blank:
            console.print(f"  Stuck? course hint {checked.name if checked.label == checked.name else exercise}", style="dim", markup=False)
    if judged:
        console.print(HIDDEN_REMAIN, style="dim")
    return status


def _watch(console: Console, checker: Checker, workspace: Workspace, state: State, saved: Iterator[tuple[str, ...]]) -> None:
    console.print("Watching: save a file to check it again. Ctrl-C stops.", style="dim")
    with suppress(KeyboardInterrupt):
        for changed in saved:
            console.print()
            _all(console, checker, workspace, state, list(changed))
    console.print()
