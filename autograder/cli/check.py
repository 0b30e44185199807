"""`course check`: run the public checks on a student's own files, once or at every save."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import click

from autograder.cli.context import LESSON, find_course, opened_workspace, say, say_rivals, typed
from autograder.cli.terminal import keys
from autograder.course import system
from autograder.course.errors import SandboxFault, UsageError
from autograder.course.loading import read_policy
from autograder.course.student_files import names_of
from autograder.learner.files import Held, Named, held, named, rivalries, saved_of
from autograder.learner.workspace import State, Workspace
from autograder.sandbox.preload import launch, profile_for

if TYPE_CHECKING:
    from rich.console import Console

    from autograder.learner.check import Checker
    from autograder.learner.progress import Judge


@click.command()
@click.argument("files", metavar="[FILE]...", nargs=-1)
@click.option("--watch", "watching", is_flag=True, help="Keep running, and check each file when you save it. Press q to stop.")
@click.option("--show", "showing", is_flag=True, help="Save the images that your functions draw.")
@click.option("--no-walls", is_flag=True, help="Run your files in a plain process with a time limit, without walls.")
@LESSON
@click.pass_obj
def check(root: Path | None, files: tuple[str, ...], watching: bool, showing: bool, no_walls: bool, lesson: str | None) -> None:
    """Run the public checks on your FILEs.

    A FILE is a Python file, the notebook or answers.yaml. Without FILE, every file that you have started is checked. The exit
    status is 1 until everything passes. The output of your code is shown too.

    With --show, what your functions draw from noise is saved as an image, in a clone above what the reference draws. A sampler is given a
    network for it, the capstone trains its own.

    Your files run behind walls if this system has them (see `course doctor`); if it has none, that is said before they run.
    """
    policy, likely = read_policy(find_course(root)), _likely(files)
    launched = {profile: launch(profile) for profile in likely if not no_walls and system.LINUX}
    # Slow imports, while the fork servers warm up in parallel.
    from rich.console import Console

    from autograder.learner.check import Checker, saves
    from autograder.learner.progress import judge as judging

    console, stop = Console(highlight=False), Event()
    ahead = watching or len(files) != 1
    with Checker(policy, tell=partial(click.secho, dim=True), walls=not no_walls, ahead=ahead) as checker:
        checker.prepare(launched or dict.fromkeys(likely))
        with opened_workspace(root, lesson) as (workspace, state):
            saved = saves(workspace, stop) if watching else iter(())  # from now on: a save during the first check counts
            found = held(workspace)
            chosen = _chosen(workspace, files, found, waiting=watching)
            judge = partial(judging, checker, workspace, state)
            if watching and sys.stdin.isatty() and sys.stdout.isatty():
                _on_screen(console, workspace, state, judge, chosen, chosen if files else [], saved, stop)
                return
            say_rivals(found)
            status = max(_all(console, workspace, judge, chosen, found), not files and bool(_unsettled(found)))
            if showing:
                status = max(status, _draw(checker, workspace, chosen))
            if watching:
                _in_lines(console, workspace, judge, chosen if files else [], saved)
                return
    sys.exit(status)


def _likely(files: tuple[str, ...]) -> tuple[str, ...]:
    """Guess, before the course is read, which preload profiles these files need."""
    paths = [Path(file) for file in files] or sorted(Path.cwd().glob("*.py"))
    wanted = [profile_for(path.read_bytes()) for path in paths if path.suffix in (".py", ".ipynb") and path.is_file()]
    return tuple(dict.fromkeys(wanted))


def _chosen(workspace: Workspace, files: tuple[str, ...], found: dict[str, Held], *, waiting: bool) -> list[Named]:
    """Return what to check: the exercises in the files, or every one that was begun, in the file that counts.

    If that is nothing, say so and exit with status 1, unless we are `waiting` for it.
    """
    if files:
        return list(dict.fromkeys(one for file in files for one in named(workspace, file, found)))
    begun = [Named(exercise, one.path) for exercise, one in found.items() if one.begun and one.path]
    unsettled = _unsettled(found)
    if unsettled and not begun:
        fix = f"or check one of them: `course check {typed(unsettled[0].rivals[0].name)}`"
        raise UsageError(rivalries(found)[0].replace("`", "").rstrip("."), fix)
    if not begun and not waiting:
        first = next(iter(one.path.name for one in found.values() if one.path), "FILE")
        fix = f"open {first} in your editor, or name a file: `course check {first}`"
        say(f"nothing to check: no function and no answer is written yet, or the file is not saved\n  fix: {fix}", err=True)
        sys.exit(1)
    return begun


def _unsettled(found: dict[str, Held]) -> list[Held]:
    return [one for one in found.values() if one.path is None]


def _all(console: Console, workspace: Workspace, judge: Judge, chosen: list[Named], found: dict[str, Held]) -> int:
    """Check these exercises and print the feedback. Return the exit status: 1 until everything passes, 3 after a fault of ours."""
    from autograder.cli.views import say_due, show
    from autograder.learner.progress import FAULT, HIDDEN_REMAIN, solution_file

    shown = {exercise.id for exercise in workspace.lesson.exercises if solution_file(exercise)}
    status, is_judged = 0, False
    for one in chosen:
        try:
            judged = judge(one, found)
        except UsageError as error:  # the other files can be checked
            click.echo(str(error), err=True)
            status = max(status, 2)
            continue
        except SandboxFault as fault:
            console.print(f"{one.exercise}: {FAULT.format(fault=fault)}", markup=False, soft_wrap=True)
            status = 3
            continue
        checked = judged.checked
        show(console, checked, workspace.lesson)
        if judged.counting:
            console.print(f"  This file does not count: {judged.counting.name} does, in your workspace.", style="yellow", markup=False)
        status, is_judged = max(status, not checked.right), is_judged or bool(checked.checks)
        say_due(console, judged.due)
        if checked.right and one.exercise in shown and not judged.counting:
            console.print(f"  To compare yours with the solution: course show-solution {one.exercise}", style="dim", markup=False)
        if not checked.right and checked.functions and not checked.problem and not checked.stopper and not checked.blank:
            stuck = typed(checked.place) if checked.name in names_of(one.exercise) else one.exercise
            console.print(f"  Stuck? course hint {stuck}", style="dim", markup=False)
    if is_judged:
        console.print(HIDDEN_REMAIN, style="dim")
    return status


def _draw(checker: Checker, workspace: Workspace, chosen: list[Named]) -> int:
    """Save what these exercises draw. Return the exit status: 1 if one gives no images yet. Raise `UsageError` if none draws any."""
    from autograder.learner.check import shows_of

    shows, status = shows_of(workspace.lesson), 0
    drawing = [one for one in chosen if one.exercise in shows]
    for one in drawing or chosen[:1]:
        try:
            path, comparing = checker.draw(workspace, one)
        except UsageError as error:
            if not drawing:
                raise
            click.echo(str(error), err=True)  # the others may draw
            status = 1
            continue
        say(f"Saved {path.name}: what your functions draw from noise{', above what the reference draws' if comparing else ''}.")
    return status


def _on_screen(console: Console, workspace: Workspace, state: State, judge: Judge, begun: list[Named], only: list[Named],
               saved: Iterator[tuple[Path, ...]], stop: Event) -> None:  # fmt: skip
    from autograder.cli.watch import Watch

    with suppress(KeyboardInterrupt), console.screen(hide_cursor=False), keys(console.set_alt_screen) as keyboard:
        Watch(console, keyboard, workspace, state, judge, only).run(begun, saved, stop)
    say("What you saved was checked, and is remembered. How far you are: course progress")


def _in_lines(console: Console, workspace: Workspace, judge: Judge, only: list[Named], saved: Iterator[tuple[Path, ...]]) -> None:
    """Print what is saved, below one another, where there is no terminal."""
    console.print("Watching: save a file to check it again. Ctrl-C stops.", style="dim")
    with suppress(KeyboardInterrupt):
        for changed in saved:
            found = held(workspace)
            if wanted := saved_of(changed, only, found):
                console.print()
                _all(console, workspace, judge, wanted, found)
    console.print()
