"""Commands for who writes the course: `course lint`, `course map`, `course notebook`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.cli.places import find_clone, find_course, find_lesson

if TYPE_CHECKING:
    from autograder.report.alike import Group

FINDING = ("line", "rule", "problem", "fix")


@click.command()
@click.argument("lesson", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as a JSON list.")
@click.option("--no-cache", is_flag=True, help="Run every rule again, even if nothing has changed.")
@click.pass_obj
def lint(root: Path | None, lesson: str | None, as_json: bool, no_cache: bool) -> None:
    """Check the course, or one LESSON of it, for authors' slips.

    Every finding has its file, line and fix. Exit status 1 where there is any.
    The findings are remembered until the course or this program changes.
    """
    from autograder.lint_cache import check_course_once

    findings = check_course_once(find_clone(root), lesson, fresh=no_cache)
    if as_json:
        click.echo(json.dumps([{"path": str(one.path), **{name: getattr(one, name) for name in FINDING}} for one in findings]))
    else:
        for finding in findings:
            click.echo(f"{finding}  [{finding.rule}]")
        click.echo(f"{len(findings)} finding{'s' * (len(findings) != 1)}" if findings else "No findings.")
    if findings:
        sys.exit(1)


@click.command("map")
@click.option("--lesson", metavar="ID", help="The lesson to map, where the course has several.")
@click.pass_obj
def map_(root: Path | None, lesson: str | None) -> None:
    """Show what each objective of a lesson has.

    These are sections, questions, exercises, cards and known slips.
    """
    from rich.console import Console

    from autograder.lint import Sight
    from autograder.reading import map_table

    Console(highlight=False).print(map_table(Sight(find_course(root), find_lesson(root, lesson))))


@click.command()
@click.option("--lesson", metavar="ID", help="The lesson to build, where the course has several.")
@click.option("--out", type=click.Path(path_type=Path), help="The file to write; by default the one beside the starters.")
@click.pass_obj
def notebook(root: Path | None, lesson: str | None, out: Path | None) -> None:
    """Build a lesson's exercises as one notebook in nbgrader's format.

    It holds the starters, and locked cells that replay the public checks.
    """
    from autograder.notebook.cells import write_notebook

    clone, chosen = find_clone(root), find_lesson(root, lesson)
    path = out or clone / "exercises" / chosen.id / f"{chosen.id}.ipynb"
    write_notebook(chosen, path)
    click.echo(f"{path}: {len(chosen.exercises)} exercises, {len(chosen.explain)} questions to mark by hand")


@click.group()
def slip() -> None:
    """Find wrong answers that many share, and make them known slips.

    `course slip list OUT` shows them, `course slip new OUT GROUP NAME` begins one.
    """


@slip.command("list")
@click.argument("out", type=click.Path(path_type=Path))
@click.pass_obj
def list_(root: Path | None, out: Path) -> None:
    """List the groups of students whose wrong answers are alike.

    OUT is the folder that `course grade` wrote. Of several attempts it looks at the one that counts.
    """
    from rich.console import Console

    from autograder.report.terminal import alike_table

    found = _groups(root, out)
    table = alike_table(found, len(found))
    if table is None:
        click.echo("No two students share a wrong answer that no slip explains.")
        return
    console = Console(highlight=False)
    console.print(table)
    for number, group in enumerate(found, 1):
        console.print(f"{number}: {group.words}", markup=False)


@slip.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.argument("group", type=click.IntRange(min=1))
@click.argument("name")
@click.option("--lesson", metavar="ID", help="The lesson, where the course has several.")
@click.pass_obj
def new(root: Path | None, out: Path, group: int, name: str, lesson: str | None) -> None:
    """Begin the known slip NAME for one GROUP of OUT.

    GROUP is its number in `course slip list OUT`. What is begun is written into the exercise's file of misconceptions, with its
    sentence, section and card left to you.
    """
    from autograder.errors import UsageError
    from autograder.report.alike import append_slip, begin_slip

    found = _groups(root, out)
    if group > len(found):
        raise UsageError(f"there is no group {group} in {out}", f"take one of the {len(found)} that `course slip list {out}` shows")
    chosen = found[group - 1]
    exercise = next(one for one in find_lesson(root, lesson).exercises if one.id == chosen.exercise)
    append_slip(exercise.misconceptions, begin_slip(chosen, exercise, name))
    made = f"for what {len(chosen.students)} students wrote, among them {chosen.students[0]}"
    click.echo(f"{exercise.misconceptions}: `{name}` is begun, {made}.")
    click.echo("Write the slip, its sentence, section and card; `course lint` says what is still to do.")


def _groups(root: Path | None, out: Path) -> list[Group]:
    from autograder.content.lessons import read_policy
    from autograder.errors import UsageError
    from autograder.gradebook import Gradebook
    from autograder.grades.counting import read_rules
    from autograder.report.alike import groups

    path = out / "gradebook.sqlite"
    if not path.is_file():
        raise UsageError(f"{out}: no gradebook there", "give the folder that `course grade` wrote with --out")
    with Gradebook(path) as gradebook:
        run = gradebook.last_run()
        choose = read_rules(out, gradebook, read_policy(find_course(root))).choose
        return groups(gradebook.unexplained(run, choose)) if run else []


COMMANDS = (lint, map_, notebook, slip)
