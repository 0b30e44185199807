"""The command line: the only room that prints or exits.

Imports of what is slow (numpy, torch, the sandbox) stay inside the commands, so that `course --help` answers at once.
Exit status: 0 done, 1 the work or the course has faults, 2 usage, 3 our fault. A traceback only with --debug.
"""

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

from autograder.errors import CourseError, SandboxFault, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from autograder.grading import Finished
    from autograder.model import Lesson, Limits

FINDING = ("line", "rule", "problem", "fix")
SHOWN = 60  # students in a table; a larger class gets the summary alone


class _Commands(click.Group):
    """Turns our three errors into one clear text and the exit status of its audience."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except (CourseError, UsageError, SandboxFault) as error:
            if context.params.get("debug"):
                raise
            click.echo(str(error), err=True)
            context.exit({CourseError: 1, UsageError: 2}.get(type(error), 3))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="denoising-course", prog_name="course", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the whole traceback when something fails.")
@click.option("--course", "root", type=click.Path(path_type=Path), help="Folder of the course; by default here or above.")
@click.pass_context
def main(context: click.Context, debug: bool, root: Path | None) -> None:
    """Read, practise and grade the lesson "Generating images by denoising: diffusion"."""
    context.obj = root
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # small arrays, and a worker on every core: more threads only wait for each other


def find_course(start: Path | None) -> Path:
    """Find the folder with course.yaml: the given one, the current one or one above it, or the one this code belongs to."""
    if start is not None:
        if not (start / "course.yaml").is_file():
            raise UsageError(f"{start}: no course.yaml there", "give the folder that holds course.yaml")
        return start.resolve()
    for folder in (Path.cwd(), *Path.cwd().parents, Path(__file__).resolve().parents[1]):
        if (folder / "course.yaml").is_file():
            return folder
    raise UsageError("no course.yaml here or in any folder above", "go into the course's folder, or name it with --course")


@main.command()
@click.argument("submissions", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for results, feedback and the gradebook.")
@click.option("--lesson", metavar="ID", help="The lesson to grade, where the course has several.")
@click.option("--exercise", "exercises", multiple=True, metavar="ID", help="Grade only this exercise; may be repeated.")
@click.option("--seed", type=int, help="Fix the round's numbers: for tests and demos.")
@click.option("--new-round", is_flag=True, help="Draw new secret numbers instead of those in OUT/private.")
@click.option("--workers", type=click.IntRange(1, 256), help="How many processes; by default one for each core.")
@click.option("--unsafe", is_flag=True, help="Grade even where walls are missing: only for files that you trust.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object; all else goes to stderr.")
@click.pass_obj
def grade(root: Path | None, submissions: Path, out: Path, lesson: str | None, exercises: tuple[str, ...], seed: int | None,
          new_round: bool, workers: int | None, unsafe: bool, as_json: bool) -> None:  # fmt: skip
    """Grade SUBMISSIONS, a folder with one folder for each student, into OUT.

    OUT/results.jsonl holds every check, OUT/grades.csv the scores, OUT/feedback/ a file for each student, and
    OUT/gradebook.sqlite every attempt ever made. The same OUT keeps the same secret numbers until --new-round.
    """
    from rich.console import Console

    from autograder.content import read_course
    from autograder.grading import Request
    from autograder.grading import grade as run

    errors = Console(stderr=True, highlight=False)
    course = read_course(find_course(root))
    walls = _standing(course.policy.limits, unsafe, errors)
    request = Request(submissions, out, lesson, exercises, seed, new_round, workers or 0, walls)
    started = time.monotonic()
    with _bar(errors) as progress:
        finished = run(course, request, progress)
    seconds = time.monotonic() - started
    _tell(finished, out, seconds, walls, as_json)
    if finished.interrupted:
        errors.print(f"Interrupted: {finished.summary.results} of {finished.expected} are graded and kept.")
    for line in finished.folders:
        errors.print(line, markup=False)
    if finished.interrupted or finished.folders or finished.summary.count("not_judged"):
        sys.exit(1)


def _standing(limits: Limits, unsafe: bool, errors: Console) -> tuple[str, ...]:
    """Try the walls and say which stand; refuse where one is missing, unless told otherwise."""
    from autograder.inside.walls import WALLS
    from autograder.sandbox import missing_walls

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
def _bar(errors: Console) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar with rate and time left; nothing where nobody watches."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]:.0f}/s"), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("grading", total=None, rate=0.0)
        started = time.monotonic()

        def show(done: int, expected: int) -> None:
            progress.update(task, completed=done, total=expected, rate=done / max(1e-9, time.monotonic() - started))

        yield show


def _tell(finished: Finished, out: Path, seconds: float, walls: tuple[str, ...], as_json: bool) -> None:
    from rich.console import Console

    from autograder.gradebook import Gradebook
    from autograder.report.terminal import class_table, slip_table, summary_table

    if as_json:
        more = {"out": str(out), "round": finished.round, "interrupted": finished.interrupted, "walls": list(walls)}
        timing = {"seconds": round(seconds, 3), "per_second": round(finished.summary.results / seconds, 2)}
        click.echo(json.dumps(finished.summary.as_json() | more | timing, ensure_ascii=False))
        return
    console = Console(highlight=False)
    exercises = [exercise for _, exercise in finished.summary.exercises]
    with Gradebook(out / "gradebook.sqlite") as gradebook:
        if finished.summary.results <= SHOWN * max(1, len(exercises)):
            console.print(class_table(gradebook.results(finished.run), exercises))
    console.print(summary_table(finished.summary))
    slips = slip_table(finished.summary, finished.sections)
    if slips:
        console.print(slips)
    click.echo(f"{finished.summary.results} results in {seconds:.1f} s. They lie in {out}/:")
    click.echo("  results.jsonl, grades.csv, feedback/, gradebook.sqlite")


@main.command()
@click.pass_obj
def doctor(root: Path | None) -> None:
    """Say what is here: Python, versions, and which walls stand. Exit status 1 where strangers' code cannot be run."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from autograder.content import read_course
    from autograder.inside.walls import WALLS
    from autograder.sandbox import free_user, missing_walls

    click.echo(f"python      {platform.python_version()} on {platform.system()} {platform.release()}")
    for package in ("denoising-course", "numpy", "torch", "nbgrader"):
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


@main.command()
@click.argument("lesson", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as a JSON list.")
@click.pass_obj
def lint(root: Path | None, lesson: str | None, as_json: bool) -> None:
    """Check the course, or one LESSON of it, for authors' slips: every finding with its file, line and fix.

    Exit status 1 where there is any.
    """
    from autograder.lint import check_course

    findings = check_course(find_course(root), lesson)
    if as_json:
        click.echo(json.dumps([{"path": str(one.path), **{name: getattr(one, name) for name in FINDING}} for one in findings]))
    else:
        for finding in findings:
            click.echo(f"{finding}  [{finding.rule}]")
        click.echo(f"{len(findings)} findings" if findings else "No findings.")
    if findings:
        sys.exit(1)


@main.command()
@click.argument("section", required=False)
@click.option("--lesson", metavar="ID", help="The lesson to read, where the course has several.")
@click.pass_obj
def read(root: Path | None, section: str | None, lesson: str | None) -> None:
    """Read the lesson, or one SECTION of it, in the terminal."""
    from rich.console import Console
    from rich.markdown import Markdown

    from autograder.reading import for_terminal

    console = Console(highlight=False)
    shown = Markdown(for_terminal(_lesson(root, lesson), section))
    if console.is_terminal:
        with console.pager(styles=True):
            console.print(shown)
    else:
        console.print(shown)


@main.command("map")
@click.option("--lesson", metavar="ID", help="The lesson to map, where the course has several.")
@click.pass_obj
def map_(root: Path | None, lesson: str | None) -> None:
    """Show what each objective has: sections, questions, exercises, cards and known slips."""
    from rich.console import Console

    from autograder.lint import Sight
    from autograder.reading import map_table

    Console(highlight=False).print(map_table(Sight(find_course(root), _lesson(root, lesson))))


def _lesson(root: Path | None, wanted: str | None) -> Lesson:
    from autograder.content import read_course
    from autograder.grading import choose_lesson

    return choose_lesson(read_course(find_course(root)), wanted)
