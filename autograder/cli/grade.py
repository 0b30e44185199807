"""Commands for who grades: `course grade`, `course doctor`."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.cli.context import find_clone, find_course
from autograder.course.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from autograder.course.model import Limits
    from autograder.instructor.grade import Finished


SHOWN = 60  # students in a table; a larger class gets the summary alone
NOTES = 20  # lines of what was refused or renamed
QUIET_SECONDS = 120  # after so long, a run that nobody sees a bar of says how far it is
NOTHING = "Nobody handed in a file that these exercises take: is {} the folder that holds one folder for each student?"
KINDS = ("folder", "zips", "canvas", "moodle", "classroom", "nbgrader")


@click.command()
@click.argument("submissions", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for results, feedback and the gradebook.")
@click.option("--from", "kind", type=click.Choice(KINDS), help="What handed the submissions out; by default it is told by the names.")
@click.option("--roster", type=click.Path(path_type=Path), help="A CSV that names the class: who is in it and handed nothing in is told.")
@click.option("--lesson", metavar="ID", help="The lesson to grade, where the course has several.")
@click.option("--exercise", "exercises", multiple=True, metavar="ID", help="Grade only this exercise; may be repeated.")
@click.option("--seed", type=int, help="Fix the round's numbers: for tests and demos.")
@click.option("--new-round", is_flag=True, help="Draw new secret numbers instead of those in OUT/private.")
@click.option("--afresh", is_flag=True, help="Grade also what was graded before, by an unchanged grader.")
@click.option("--workers", type=click.IntRange(1, 256), help="How many processes; by default one for each core.")
@click.option("--cluster", metavar="ADDRESS", default="", help="Grade on the Dask cluster whose scheduler is at tcp://HOST:PORT.")
@click.option("--unsafe", is_flag=True, help="Grade even where walls are missing: only for files that you trust.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object; all else goes to stderr.")
@click.pass_obj
def grade(root: Path | None, submissions: Path, out: Path, kind: str | None, roster: Path | None, lesson: str | None,
          exercises: tuple[str, ...], seed: int | None, new_round: bool, afresh: bool, workers: int | None, cluster: str,
          unsafe: bool, as_json: bool) -> None:  # fmt: skip
    """Grade the files of a class into OUT.

    SUBMISSIONS is a folder with one folder for each student. It may also be a zip, or what Canvas, Moodle, GitHub Classroom,
    nbgrader or `course submit` make.

    OUT/results.jsonl holds every check, OUT/grades.csv the scores, OUT/feedback/ a file for each student, and
    OUT/gradebook.sqlite every attempt ever made. The same OUT keeps the same secret numbers until --new-round. A run that was
    cut short goes on where it was: what is unchanged isn't graded again.
    """
    from rich.console import Console

    from autograder.course.loading import read_course
    from autograder.course.text import clean
    from autograder.instructor.grade import Request
    from autograder.instructor.grade import grade as run

    errors = Console(stderr=True, highlight=False)
    course = read_course(find_clone(root))
    walls = standing_walls(course.policy.limits, unsafe, errors)
    request = Request(submissions, out, lesson, exercises, seed, new_round, workers or 0, walls,
                      afresh=afresh, cluster=cluster, kind=kind, roster=roster)  # fmt: skip
    started = time.monotonic()
    with progress_bar(errors) as progress:
        finished = run(course, request, progress)
    seconds = time.monotonic() - started
    _tell(finished, out, seconds, walls, as_json)
    if finished.interrupted:
        errors.print(f"Interrupted: {finished.summary.results} of {finished.expected} are graded and kept.")
    nothing = [NOTHING.format(submissions)] if 0 < finished.summary.results == finished.summary.count("missing") else []
    for line in (*finished.faults, *finished.folders, *intake_lines(finished), *nothing):
        errors.print(clean(line, 500), markup=False, soft_wrap=True)
    if finished.interrupted or finished.folders or finished.summary.count("not_judged"):
        sys.exit(1)


def intake_lines(finished: Finished) -> list[str]:
    """Say what was told apart, refused or renamed, and who is missing."""
    from autograder.course.text import clean

    lines = [clean(note, 300) for note in finished.notes[:NOTES]]
    if len(finished.notes) > NOTES:
        lines.append(f"... and {len(finished.notes) - NOTES} lines more like these")
    if finished.missing:
        some = ", ".join(clean(name, 40) for name in finished.missing[:NOTES])
        more = f" and {len(finished.missing) - NOTES} more" if len(finished.missing) > NOTES else ""
        lines.append(f"handed nothing in, of those in the roster: {some}{more}")
    return lines


def standing_walls(limits: Limits, unsafe: bool, errors: Console) -> tuple[str, ...]:
    """Try the walls and say which stand; refuse where one is missing, unless told otherwise."""
    from autograder.sandbox.guest.walls import WALLS
    from autograder.sandbox.servers import missing_walls

    missing = missing_walls(limits)
    for wall, reason in missing.items():
        errors.print(f"wall missing: {wall} ({reason})")
    if missing and not unsafe:
        fix = "see `course doctor`; for files that you trust, --unsafe grades without these walls"
        raise UsageError("strangers' code cannot be run safely here", fix)
    standing = tuple(wall for wall in WALLS if wall not in missing)
    errors.print(f"walls: {', '.join(standing) or 'none'}")
    return standing


@contextmanager
def progress_bar(errors: Console) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar with rate and time left; where there is no terminal, a line now and then."""
    if not errors.is_terminal:
        yield _lines(errors)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]:.0f}/s"), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True) as progress:
        task = progress.add_task("grading", total=None, rate=0.0)
        started = time.monotonic()

        def show(done: int, expected: int) -> None:
            progress.update(task, completed=done, total=expected, rate=done / max(1e-9, time.monotonic() - started))

        yield show


def _lines(errors: Console) -> Callable[[int, int], None]:
    told = time.monotonic()

    def show(done: int, expected: int) -> None:
        nonlocal told
        if done < expected and time.monotonic() >= told + QUIET_SECONDS:
            told = time.monotonic()
            errors.print(f"{done} of {expected} graded")

    return show


def _tell(finished: Finished, out: Path, seconds: float, walls: tuple[str, ...], as_json: bool) -> None:
    from rich.console import Console

    from autograder.cli.tables import alike_table, class_table, misconception_table, summary_table
    from autograder.instructor.gradebook import Gradebook
    from autograder.instructor.measures import groups

    if as_json:
        more = {"out": str(out), "round": finished.round, "interrupted": finished.interrupted, "walls": list(walls)}
        graded = finished.summary.results - finished.taken
        came = {"from": finished.kind, "notes": list(finished.notes), "missing": list(finished.missing)}
        timing = {"from_before": finished.taken, "seconds": round(seconds, 3), "per_second": round(graded / seconds, 2)}
        click.echo(json.dumps(finished.summary.as_json() | more | came | timing, ensure_ascii=False))
        return
    console = Console(highlight=False)
    exercises = [exercise for _, exercise in finished.summary.exercises]
    with Gradebook(out / "gradebook.sqlite") as gradebook:
        alike = alike_table(groups(gradebook.unexplained(finished.run, finished.choose)))
        if finished.summary.results <= SHOWN * max(1, len(exercises)):
            console.print(class_table(gradebook.results(finished.run, finished.choose), exercises, console.width))
    console.print(summary_table(finished.summary))
    misconceptions = misconception_table(finished.summary, finished.sections)
    for table in filter(None, (misconceptions, alike)):
        console.print(table)
    if alike:
        click.echo(f"`course misconceptions new {out} GROUP NAME` makes one of these a misconception.")
    before = f", {finished.taken} of them from before: nothing about these has changed" if finished.taken else ""
    click.echo(f"{finished.summary.results} results in {seconds:.1f} s{before}. They lie in {out}/:")
    click.echo("  report.html, results.jsonl, grades.csv, feedback/, gradebook.sqlite")


@click.command()
@click.pass_obj
def doctor(root: Path | None) -> None:
    """Say what is here: Python, versions, and which walls stand.

    Exit status 1 where strangers' code cannot be run.
    """
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from autograder.course.loading import package_name, read_course
    from autograder.sandbox.guest.walls import WALLS
    from autograder.sandbox.servers import free_user, missing_walls

    click.echo(f"python      {platform.python_version()} on {platform.system()} {platform.release()}")
    for package in (package_name(), "numpy", "torch", "nbgrader"):
        try:
            click.echo(f"{package:<11} {version(package)}")
        except PackageNotFoundError:
            click.echo(f"{package:<11} not installed")
    limits = read_course(find_course(root)).policy.limits
    missing = missing_walls(limits)
    for wall in WALLS:
        click.echo(f"{wall:<11} {f'MISSING: {missing[wall]}' if wall in missing else 'stands'}")
    if os.geteuid() == 0:
        user = free_user(0)
        click.echo(f"as root     guests {'become another user' if user else 'keep user 0 without any capability'}")
    if missing:
        click.echo("Strangers' code cannot be run safely here.")
        sys.exit(1)
    click.echo("All walls stand: strangers' code can be graded here.")


COMMANDS = (grade, doctor)
