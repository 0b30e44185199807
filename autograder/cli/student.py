"""Commands for students: the workspace, from `course start` to `course submit`. `practice` has its own module."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.cli.context import find_course, find_lesson, opened_workspace
from autograder.cli.practice import practice
from autograder.course.errors import SandboxFault, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from autograder.learner.check import Checker
    from autograder.learner.workspace import State, Workspace


@click.command()
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option("--lesson", metavar="ID", help="The lesson to start, if the course has several.")
@click.pass_obj
def start(root: Path | None, folder: Path | None, lesson: str | None) -> None:
    """Create a workspace in DIR (default: this folder).

    It contains the starter files, a notebook with the same exercises, answers.yaml for the practice questions, and a README.
    Existing files are never overwritten: in a workspace, only missing files are restored.
    """
    from autograder.learner.start import refuse_crowded
    from autograder.learner.start import start as run

    chosen = find_lesson(root, lesson)
    if folder is None:
        refuse_crowded(Path.cwd(), chosen)
    made = run((folder or Path.cwd()).absolute(), find_course(root), chosen)
    here = made.folder == Path.cwd()
    where = "this folder" if here else str(folder)
    click.echo(f"Created in {where}: {', '.join(made.made)}" if made.made else f"Nothing to do: {where} has every file.")
    if made.kept and made.made:
        click.echo(f"Left unchanged: {', '.join(made.kept)}")
    first = chosen.exercises[0].id if chosen.exercises else "answers.yaml"
    click.echo(f"Next: {'' if here else f'cd {_typed(where)}, then '}course read, and course check {first}.py")


@click.command()
@click.argument("file")
@click.pass_obj
def reset(root: Path | None, file: str) -> None:
    """Restore FILE to its starter. Your version is kept, and its name is printed."""
    from autograder.learner.start import reset as run

    with opened_workspace(root) as (workspace, state):
        kept = run(workspace, file)
        state.add("reset", Path(file).name, kept=str(kept or ""))
        click.echo(f"{Path(file).name} is the starter again." + (f" Your version: {_short(kept)}" if kept else ""))


@click.command()
@click.argument("files", metavar="[FILE]...", nargs=-1)
@click.option("--watch", "watching", is_flag=True, help="Keep running, and check each file again when you save it. Ctrl-C stops.")
@click.option("--no-walls", is_flag=True, help="Run your files in a plain process with a time limit, without walls.")
@click.pass_obj
def check(root: Path | None, files: tuple[str, ...], watching: bool, no_walls: bool) -> None:
    """Run the public checks on your FILEs.

    A FILE is a Python file, the notebook or answers.yaml. Without FILE, every file that you have started is checked. The exit
    status is 1 until everything passes. The output of your code is shown too.
    """
    from autograder.sandbox.preload import launch

    likely = _likely(files)
    launched = {profile: launch(profile) for profile in likely if not no_walls and sys.platform == "linux"}
    # Slow imports, while the fork servers warm up in parallel.
    from rich.console import Console

    from autograder.course.loading import read_policy
    from autograder.learner.check import Checker, saves
    from autograder.learner.workspace import exercises_of, file_of

    console = Console(highlight=False)
    course = find_course(root)
    with Checker(read_policy(course), walls=False if no_walls else None, ahead=watching or len(files) != 1) as checker:
        checker.take(launched) if launched else checker.warm(*likely)
        with opened_workspace(root) as (workspace, state):
            chosen = _chosen(workspace, files)
            watched = chosen if files else list(exercises_of(workspace.lesson))
            saved = saves(workspace, watched) if watching else None  # from now on: a save during the first check counts
            passed = _all(console, checker, workspace, state, chosen)
            if not checker.walled:
                console.print("Your files ran in a plain process with a time limit, without walls.", style="dim")
            if saved:
                for exercise in watched:
                    if file_of(workspace, exercise):
                        checker.load(workspace, exercise)
                _watch(console, checker, workspace, state, saved)
    if not passed and not watching:
        sys.exit(1)


def _likely(files: tuple[str, ...]) -> tuple[str, ...]:
    """Guess, before the course is read, which preload profiles these files need."""
    from autograder.sandbox.preload import profile_for

    paths = [Path(file) for file in files] or sorted(Path.cwd().glob("*.py"))
    wanted = [profile_for(path.read_bytes()) for path in paths if path.suffix in (".py", ".ipynb") and path.is_file()]
    return tuple(dict.fromkeys(wanted))


def _chosen(workspace: Workspace, files: tuple[str, ...]) -> list[str]:
    """Return the exercises to check: those of the files, or every one whose file differs from its starter."""
    from autograder.learner.workspace import exercises_named, exercises_of, file_of, is_untouched

    if files:
        return list(dict.fromkeys(exercise for file in files for exercise in exercises_named(workspace, file)))
    found = {exercise: path for exercise in exercises_of(workspace.lesson) if (path := file_of(workspace, exercise))}
    begun = [one for one, path in found.items() if not is_untouched(workspace, path)]
    if not begun:
        first = next(iter(found.values())).name if found else "FILE"
        fix = f"open {first} in your editor, or name a file: `course check {first}`"
        raise UsageError("nothing to check: every file is still the starter, or is not saved", fix)
    return begun


def _all(console: Console, checker: Checker, workspace: Workspace, state: State, exercises: list[str]) -> bool:
    """Check these exercises and print the feedback. Return whether everything passes."""
    from autograder.cli.context import now
    from autograder.cli.views import HIDDEN_REMAIN, say_due, show
    from autograder.learner.progress import bring_back, remember

    whole, judged = True, False
    for exercise in exercises:
        checked = checker.check(workspace, exercise)
        remember(state, checked)
        show(console, checked, workspace.lesson)
        right = bool(checked.checks) and checked.passed == len(checked.checks)
        whole = whole and right
        say_due(console, bring_back(workspace, checked.checks, f"check {exercise}", now()))
        judged = judged or bool(checked.checks)
        if not right and checked.functions and not checked.problem and not checked.stopper and not checked.blank:
            console.print(f"  Stuck? course hint {checked.name if checked.label == checked.name else exercise}", style="dim", markup=False)
    if judged:
        console.print(HIDDEN_REMAIN, style="dim")
    return whole


def _watch(console: Console, checker: Checker, workspace: Workspace, state: State, saved: Iterator[tuple[str, ...]]) -> None:
    """Check every saved file until Ctrl-C."""
    console.print("Watching: save a file to check it again. Ctrl-C stops.", style="dim")
    try:
        for changed in saved:
            console.print()
            try:
                _all(console, checker, workspace, state, list(changed))
            except SandboxFault as fault:
                console.print(str(fault), markup=False)
    except KeyboardInterrupt:
        console.print()


@click.command()
@click.argument("file")
@click.argument("function", required=False)
@click.pass_obj
def hint(root: Path | None, file: str, function: str | None) -> None:
    """Show the open hints for FILE.

    They are for FUNCTION, or for the first function that fails. Each version that you check and that fails opens one more hint.
    """
    from rich.console import Console

    from autograder.learner.progress import hints

    console = Console(highlight=False)
    with opened_workspace(root) as (workspace, state):
        opened = hints(workspace, state, file, function)
    if opened is None:
        click.echo(f"All of {Path(file).name} passes the public checks: you need no hint.")
        return
    for number, text in enumerate(opened.hints, 1):
        console.print(f"{opened.function}, hint {number} of {opened.of}", style="bold", markup=False)
        console.print(f"  {text}", markup=False)
    if len(opened.hints) < opened.of:
        more = "another" if opened.hints else "an"
        click.echo(f"{opened.of - len(opened.hints)} of {opened.of} hints for {opened.function} are closed: {more} attempt opens one.")
        click.echo(f"An attempt is a version that you saved and checked: course check {Path(file).name}")


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="The file to write (default: NAME.zip in the workspace).")
@click.option("--name", metavar="NAME", help="Your name on the submission (default: the workspace folder's name).")
@click.pass_obj
def submit(root: Path | None, out: Path | None, name: str | None) -> None:
    """Pack your files into one zip to hand in.

    Missing, unreadable and unfinished files are listed first; they are packed all the same.
    """
    from autograder.course.loading import read_policy
    from autograder.learner.check import Checker
    from autograder.learner.submit import submit as run

    with opened_workspace(root) as (workspace, state), Checker(read_policy(workspace.root), ahead=True) as checker:
        made = run(workspace, state, checker, out, name)
    for warning in made.warnings:
        click.echo(f"unfinished: {warning.replace('`', '')}")
    score = sum(seen.score for seen in made.manifest.public.values())
    click.echo(f"{_short(made.path)}: {len(made.manifest.files)} files of {made.manifest.student}, {score:g} points by the public checks.")
    if name is None:
        click.echo(f'"{made.manifest.student}" is the name of this folder. To use your own: course submit --name "Ada Lovelace"')
    click.echo("Hand in this one file. You can pack it again at any time.")


@click.command()
@click.pass_obj
def progress(root: Path | None) -> None:
    """Show how far you are with each objective, and what is next."""
    from rich.console import Console

    from autograder.cli.context import now
    from autograder.cli.views import progress_table
    from autograder.learner.progress import advice, due_by_objective, standings

    with opened_workspace(root) as (workspace, state):
        found = standings(workspace, state, due_by_objective(workspace, now()))
    console = Console(highlight=False)
    console.print(progress_table(found, console.width))
    click.echo(f"Next: {advice(found)}")
    if due := sum(standing.due or 0 for standing in found):
        click.echo(f"Due today: {due} card{'s' if due != 1 else ''} (course review)")


def _typed(word: str) -> str:
    """Quote a word if a shell would split it."""
    return f'"{word}"' if " " in word else word


def _short(path: Path | None) -> str:
    """Return a path relative to the current folder, if it is below it."""
    return str(path.relative_to(Path.cwd())) if path and path.is_relative_to(Path.cwd()) else str(path)


COMMANDS = (start, check, hint, practice, reset, submit, progress)
