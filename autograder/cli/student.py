"""Commands for students: the workspace, from `course start` to `course submit`. `check` and `practice` have their own modules."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from autograder.cli.context import LESSON, find_course, now, opened_workspace, say, say_rivals, typed
from autograder.course.loading import package_name, read_course, read_policy
from autograder.course.model import Lesson
from autograder.course.references import choose_lesson
from autograder.course.system import from_here
from autograder.course.trust import confirming, is_confirmed
from autograder.learner import start as starting
from autograder.learner.files import held
from autograder.learner.practice import core_minutes
from autograder.learner.workspace import prefer
from autograder.sandbox.guest.frameworks import installing

if TYPE_CHECKING:
    from autograder.learner.progress import Total


@click.command()
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@LESSON
@click.pass_obj
def start(root: Path | None, folder: Path | None, lesson: str | None) -> None:
    """Create a workspace in DIR (default: this folder).

    It contains the starter files, a notebook with the same exercises, answers.yaml for the practice questions, and a README.
    Existing files are never overwritten: in a workspace, only missing files are restored.

    If the course has several lessons, name one with --lesson, or DIR after it. In a workspace, another lesson is added in a folder of
    its own; the flashcards of all are reviewed together.
    """
    course = find_course(root)
    place, known = (folder or Path.cwd()).absolute(), read_course(course)
    chosen = choose_lesson(known, starting.lesson_meant(place, known, lesson))
    if folder is None:
        starting.refuse_crowded(Path.cwd(), chosen)
    made = starting.start(place, course, chosen)
    here = made.folder == Path.cwd()
    where = "this folder" if here else from_here(made.folder)
    say(f"Created in {where}: {', '.join(made.made)}" if made.made else f"Nothing to do: {where} has every file.")
    if made.kept and made.made:
        say(f"Left unchanged: {', '.join(made.kept)}")
    if not is_confirmed(course):
        say(f"To use this course without --course: {confirming(course)}")
    missing, possible = starting.lacking(chosen)
    if missing:
        files = " and ".join(f"{name}.py" for name in possible) or "none of the exercises"
        say(f"Without {' and '.join(missing)}, which is not installed here, you can check {files}. To add it:")
        click.echo(f"  {installing(missing, package_name())}")  # in one line, to be pasted
    say("\n".join(["Next:", *_next_steps(chosen, "" if here else f"cd {typed(where)}")]))


def _next_steps(lesson: Lesson, enter: str) -> list[str]:
    """Return the lines that say what to do first in a new workspace."""
    first = f"{lesson.exercises[0].id}.py" if lesson.exercises else "answers.yaml"
    steps = [
        ("course read", f"the lesson, {_minutes(lesson.minutes)}"),
        ("course check --watch", f"open {first}; each save is checked"),
        ("course practice", f"the core, about {_minutes(minutes)}" if (minutes := core_minutes(lesson)) else "questions"),
    ]
    return [f"  {enter}"] * bool(enter) + [f"  {command:<22}{about}" for command, about in steps]


def _minutes(count: int) -> str:
    return f"{count} minute{'s' * (count != 1)}"


@click.command()
@click.argument("file")
@LESSON
@click.pass_obj
def reset(root: Path | None, file: str, lesson: str | None) -> None:
    """Restore FILE to its starter. Your version is kept, and its name is printed."""
    with opened_workspace(root, lesson) as (workspace, state):
        kept = starting.reset(workspace, file)
        state.add("reset", Path(file).name, kept=kept.name if kept else "")
        say(f"{Path(file).name} is the starter again." + (f" Your version: {_short(kept)}" if kept else ""))


@click.command()
@click.argument("file")
@click.argument("function", required=False)
@LESSON
@click.pass_obj
def hint(root: Path | None, file: str, function: str | None, lesson: str | None) -> None:
    """Show the open hints for FILE.

    They are for FUNCTION, or for the first function that fails. Each version that you check and that fails opens one more hint.
    """
    from autograder.learner.progress import hints

    console = Console(highlight=False)
    with opened_workspace(root, lesson) as (workspace, state):
        say_rivals(held(workspace))
        opened = hints(workspace, state, file, function)
    if opened is None:
        say(f"All of {Path(file).name} passes the public checks: you need no hint.")
        return
    for number, text in enumerate(opened.hints, 1):
        console.print(f"{opened.function}, hint {number} of {opened.of}", style="bold", markup=False)
        console.print(f"  {text}", markup=False)
    if len(opened.hints) < opened.of:
        more = "another" if opened.hints else "an"
        say(f"{opened.of - len(opened.hints)} of {opened.of} hints for {opened.function} are closed: {more} attempt opens one.")
        say(f"An attempt is a version that you saved and checked: course check {typed(file)}")


@click.command("show-solution")
@click.argument("exercise")
@LESSON
@click.pass_obj
def show_solution(root: Path | None, exercise: str, lesson: str | None) -> None:
    """Show the solution of EXERCISE, once your own passes.

    Its hints stand above each function. What your instructor gave you holds only the solutions that the course allows to be shown.
    """
    from autograder.learner.progress import solution

    with opened_workspace(root, lesson) as (workspace, state):
        click.echo(solution(workspace, state, exercise), nl=False)


@click.command()
@click.argument("what", type=click.Choice(["notebook", "files"]), required=False)
@LESSON
@click.pass_obj
def use(root: Path | None, what: str | None, lesson: str | None) -> None:
    """Choose which counts: your notebook or your files.

    It matters for an exercise that both hold work for. What counts is checked and packed by `course submit`. Without an argument, show
    which counts now.
    """
    with opened_workspace(root, lesson) as (workspace, _):
        if what:
            workspace = prefer(workspace, "notebook" if what == "notebook" else "py")
        found = held(workspace)
        counting = {"newest": "The file saved last counts", "notebook": "The notebook counts", "py": "The Python file counts"}
        say(f"{counting[workspace.prefer]} where several hold work.")
        for path in dict.fromkeys(one.path for one in found.values() if one.begun and one.path):
            say(f"  {path.name}: {', '.join(exercise for exercise, one in found.items() if one.path == path)}")


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="The file to write (default: NAME.zip in the workspace).")
@click.option("--name", metavar="NAME", help="Your name on the submission (default: the workspace folder's name).")
@LESSON
@click.pass_obj
def submit(root: Path | None, out: Path | None, name: str | None, lesson: str | None) -> None:
    """Pack your files into one zip to hand in.

    Missing, unreadable and unfinished files are listed first; they are packed all the same. A renamed file is packed under its right
    name. If you worked on an exercise in two files, you are told which one counts. The exit status is 1 if nothing is written yet.
    """
    from autograder.learner.check import Checker
    from autograder.learner.submit import submit as run

    with opened_workspace(root, lesson) as (workspace, state):
        policy = read_policy(workspace.root)
        with Checker(policy, tell=say, ahead=True) as checker:
            made = run(workspace, state, checker, out, name)
    for note in made.notes:
        say(f"note: {note.replace('`', '')}")
    for warning in made.warnings:
        say(f"unfinished: {warning.replace('`', '')}")
    score = sum(seen.score for seen in made.manifest.public.values())
    say(f"{_short(made.path)}: {len(made.manifest.files)} files of {made.manifest.student}, {score:g} points by the public checks.")
    if name is None:
        say(f'"{made.manifest.student}" is the name of this folder. To use your own: course submit --name "Ada Lovelace"')
    if not made.begun:
        say("No function and no answer is written in it yet, or your files are not saved. Pack it again before you hand it in.", err=True)
        sys.exit(1)
    say("Hand in this one file. You can pack it again at any time.")


@click.command()
@LESSON
@click.pass_obj
def progress(root: Path | None, lesson: str | None) -> None:
    """Show how far you are with each objective, and what is next."""
    from autograder.cli.views import plan_line, progress_table
    from autograder.learner.progress import advice, cards_left, plan, standings, totals

    with opened_workspace(root, lesson) as (workspace, state):
        say_rivals(held(workspace))
        cards = cards_left(workspace, now())
        found = standings(workspace, state, cards)
        following, today = advice(workspace, state, found), plan(workspace, state, cards)
    console = Console(highlight=False)
    console.print(progress_table(found, console.width))
    everything = "; ".join(_counted(one) for one in totals(workspace.lesson) if one.core + one.optional)
    console.print(f"In all: {everything}.\nNext: {following.command}\n{plan_line(today)}", markup=False)


def _counted(total: Total) -> str:
    if not total.core:
        return f"{total.optional} optional {total.what}{'s' * (total.optional != 1)}"
    optional = f" and {total.optional} optional" if total.optional else ""
    return f"{total.core} {total.what}{'s' * (total.core != 1)}{optional}"


def _short(path: Path) -> str:
    """Return a path relative to the current folder, if it is below it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
