"""Commands for who learns: the workspace, from `course start` to `course submit`. Practice has a file of its own."""

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
@click.option("--lesson", metavar="ID", help="The lesson to start, where the course has several.")
@click.pass_obj
def start(root: Path | None, folder: Path | None, lesson: str | None) -> None:
    """Make a workspace in DIR, by default here.

    It holds the starters, a notebook with the same, answers.yaml for the practice questions, and a README to begin with.
    Nothing that is there is overwritten: in a workspace, only missing files are put back.
    """
    from autograder.learner.start import refuse_crowded
    from autograder.learner.start import start as run

    chosen = find_lesson(root, lesson)
    if folder is None:
        refuse_crowded(Path.cwd(), chosen)
    made = run((folder or Path.cwd()).absolute(), find_course(root), chosen)
    here = made.folder == Path.cwd()
    where = "this folder" if here else str(folder)
    click.echo(f"Made in {where}: {', '.join(made.made)}" if made.made else f"Everything was in {where} already.")
    if made.kept and made.made:
        click.echo(f"As they were: {', '.join(made.kept)}")
    first = chosen.exercises[0].id if chosen.exercises else "answers.yaml"
    click.echo(f"Next: {'' if here else f'cd {_typed(where)}, then '}course read, and course check {first}.py")


@click.command()
@click.argument("file")
@click.pass_obj
def reset(root: Path | None, file: str) -> None:
    """Put FILE back as `course start` gave it. What you wrote in it is kept, and the command says where."""
    from autograder.learner.start import reset as run

    with opened_workspace(root) as (workspace, state):
        kept = run(workspace, file)
        state.add("reset", Path(file).name, kept=str(kept or ""))
        click.echo(f"{Path(file).name} is as it was given." + (f" Yours is kept: {_short(kept)}" if kept else ""))


@click.command()
@click.argument("files", metavar="[FILE]...", nargs=-1)
@click.option("--watch", "watching", is_flag=True, help="Stay, and check a file again whenever it is saved. Ctrl-C ends it.")
@click.option("--no-walls", is_flag=True, help="Run your files in a plain process with a time limit, as on systems without walls.")
@click.pass_obj
def check(root: Path | None, files: tuple[str, ...], watching: bool, no_walls: bool) -> None:
    """Run the public checks on your FILEs.

    A FILE may be a Python file, the notebook or answers.yaml; by default all that you have begun are checked. Exit status 1 while
    something does not pass. What you print is shown too.
    """
    from autograder.sandbox.preload import launch

    likely = _likely(files)
    launched = {profile: launch(profile) for profile in likely if not no_walls and sys.platform == "linux"}
    # What is slow to import comes now, while the fork servers warm up beside.
    from rich.console import Console

    from autograder.course.loading import read_policy
    from autograder.learner.check import Checker
    from autograder.learner.workspace import exercises_of, file_of

    console = Console(highlight=False)
    course = find_course(root)
    with Checker(read_policy(course), walls=False if no_walls else None, ahead=watching or len(files) != 1) as checker:
        checker.take(launched) if launched else checker.warm(*likely)
        with opened_workspace(root) as (workspace, state):
            chosen = _chosen(workspace, files)
            watched = chosen if files else list(exercises_of(workspace.lesson))
            saved = _saves(workspace, watched) if watching else None
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
    """Guess, before the course is read, what guests for these files will want loaded."""
    from autograder.sandbox.preload import profile_for

    paths = [Path(file) for file in files] or sorted(Path.cwd().glob("*.py"))
    wanted = [profile_for(path.read_bytes(), False) for path in paths if path.suffix in (".py", ".ipynb") and path.is_file()]
    return tuple(dict.fromkeys(wanted))


def _chosen(workspace: Workspace, files: tuple[str, ...]) -> list[str]:
    """List the exercises to check: those of the files, or all whose file is no longer as it was given."""
    from autograder.learner.workspace import exercises_named, exercises_of, file_of, is_untouched

    if files:
        return list(dict.fromkeys(exercise for file in files for exercise in exercises_named(workspace, file)))
    found = {exercise: path for exercise in exercises_of(workspace.lesson) if (path := file_of(workspace, exercise))}
    begun = [one for one, path in found.items() if not is_untouched(workspace, path)]
    if not begun:
        first = next(iter(found.values())).name if found else "FILE"
        fix = f"open {first} in your editor, or name a file: `course check {first}`"
        raise UsageError("nothing is written yet, or it is not saved", fix)
    return begun


def _all(console: Console, checker: Checker, workspace: Workspace, state: State, exercises: list[str]) -> bool:
    """Check these and print what is said; tell whether all pass."""
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


def _saves(workspace: Workspace, exercises: list[str]) -> Iterator[tuple[str, ...]]:
    """Begin to look for saves now: one that comes while the first check runs counts too."""
    from autograder.learner.check import saves

    return saves(workspace, exercises)


def _watch(console: Console, checker: Checker, workspace: Workspace, state: State, saved: Iterator[tuple[str, ...]]) -> None:
    """Check what is saved, until Ctrl-C."""
    console.print("Watching: save a file to check it again. Ctrl-C ends.", style="dim")
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
    """Show the hints for FILE that are open.

    They are for the first function that does not pass, or for the FUNCTION that is named. Each version of it that was checked and
    did not pass opens one more.
    """
    from rich.console import Console

    from autograder.learner.progress import hints

    console = Console(highlight=False)
    with opened_workspace(root) as (workspace, state):
        opened = hints(workspace, state, file, function)
    if opened is None:
        click.echo(f"All of {Path(file).name} passes the public checks: no hint is needed.")
        return
    for number, text in enumerate(opened.hints, 1):
        console.print(f"{opened.function}, hint {number} of {opened.of}", style="bold", markup=False)
        console.print(f"  {text}", markup=False)
    if len(opened.hints) < opened.of:
        more = "another" if opened.hints else "an"
        click.echo(f"{opened.of - len(opened.hints)} of {opened.of} hints for {opened.function} are closed: {more} attempt opens one.")
        click.echo(f"An attempt is a version that you wrote, saved, and checked: course check {Path(file).name}")


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="The file to write; by default NAME.zip in the workspace.")
@click.option("--name", metavar="NAME", help="Your name as it is handed in; by default the workspace folder's.")
@click.pass_obj
def submit(root: Path | None, out: Path | None, name: str | None) -> None:
    """Pack your files for handing in.

    It looks first whether all are there and can be read, and says what is unfinished. It packs them all the same.
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
        click.echo(f'"{made.manifest.student}" is the name of this folder. To hand in under yours: course submit --name "Ada Lovelace"')
    click.echo("Hand in this one file. It can be packed again at any time.")


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
    """Write a word as every shell takes it."""
    return f'"{word}"' if " " in word else word


def _short(path: Path | None) -> str:
    """Write a path as one would type it here."""
    return str(path.relative_to(Path.cwd())) if path and path.is_relative_to(Path.cwd()) else str(path)


COMMANDS = (start, check, hint, practice, reset, submit, progress)
