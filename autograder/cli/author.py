"""Commands for who writes the course: `course lint`, `course map`, `course notebook`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.cli.context import find_clone, find_course, find_lesson

if TYPE_CHECKING:
    from autograder.instructor.measures import Group


FINDING = ("line", "rule", "problem", "fix")


@click.command()
@click.argument("lesson", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as a JSON list.")
@click.option("--no-cache", is_flag=True, help="Run every rule again, even if nothing has changed.")
@click.pass_obj
def lint(root: Path | None, lesson: str | None, as_json: bool, no_cache: bool) -> None:
    """Check the course, or one LESSON of it, for mistakes.

    Every finding has its file, line and fix. Exit status 1 where there is any.
    The findings are remembered until the course or this program changes.
    """
    from autograder.author.lint.cache import check_course_once

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

    These are sections, questions, exercises, cards and misconceptions.
    """
    from rich.console import Console

    from autograder.author.lint.context import LintContext
    from autograder.cli.views import map_table

    Console(highlight=False).print(map_table(LintContext(find_course(root), find_lesson(root, lesson))))


@click.command()
@click.option("--lesson", metavar="ID", help="The lesson to build, where the course has several.")
@click.option("--out", type=click.Path(path_type=Path), help="The file to write; by default the one beside the starters.")
@click.pass_obj
def notebook(root: Path | None, lesson: str | None, out: Path | None) -> None:
    """Build a lesson's exercises as one nbgrader notebook.

    It holds the starters, and locked cells that replay the public checks.
    """
    from autograder.author.notebook import write_notebook

    clone, chosen = find_clone(root), find_lesson(root, lesson)
    path = out or clone / "exercises" / chosen.id / f"{chosen.id}.ipynb"
    write_notebook(chosen, path)
    click.echo(f"{path}: {len(chosen.exercises)} exercises, {len(chosen.explain)} questions to mark by hand")


@click.group()
def misconceptions() -> None:
    """Turn wrong answers that many share into misconceptions.

    `course misconceptions list OUT` shows them, `course misconceptions new OUT GROUP NAME` begins one.
    """


@misconceptions.command("list")
@click.argument("out", type=click.Path(path_type=Path))
@click.pass_obj
def list_(root: Path | None, out: Path) -> None:
    """List the groups of students whose wrong answers are alike.

    OUT is the folder that `course grade` wrote. Of several attempts it looks at the one that counts.
    """
    from rich.console import Console

    from autograder.cli.tables import alike_table

    found = _groups(root, out)
    table = alike_table(found, len(found))
    if table is None:
        click.echo("No two students share a wrong answer that no misconception explains.")
        return
    console = Console(highlight=False)
    console.print(table)
    for number, group in enumerate(found, 1):
        console.print(f"{number}: {group.words}", markup=False)


@misconceptions.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.argument("group", type=click.IntRange(min=1))
@click.argument("name")
@click.option("--lesson", metavar="ID", help="The lesson, where the course has several.")
@click.pass_obj
def new(root: Path | None, out: Path, group: int, name: str, lesson: str | None) -> None:
    """Begin the misconception NAME for one GROUP of OUT.

    GROUP is its number in `course misconceptions list OUT`. What is begun is written into the exercise's file of misconceptions, with its
    sentence, section and card left to you.
    """
    from autograder.author.misconceptions import append_misconception, begin_misconception
    from autograder.course.errors import UsageError

    found = _groups(root, out)
    if group > len(found):
        raise UsageError(
            f"there is no group {group} in {out}", f"take one of the {len(found)} that `course misconceptions list {out}` shows"
        )
    chosen = found[group - 1]
    exercise = next(one for one in find_lesson(root, lesson).exercises if one.id == chosen.exercise)
    append_misconception(exercise.misconceptions, begin_misconception(chosen.function, len(chosen.students), exercise, name))
    made = f"for what {len(chosen.students)} students wrote, among them {chosen.students[0]}"
    click.echo(f"{exercise.misconceptions}: `{name}` is begun, {made}.")
    click.echo("Write the misconception, its sentence, section and card; `course lint` says what is still to do.")


def _groups(root: Path | None, out: Path) -> list[Group]:
    from autograder.course.errors import UsageError
    from autograder.course.loading import read_policy
    from autograder.instructor.gradebook import Gradebook
    from autograder.instructor.grades import read_rules
    from autograder.instructor.measures import groups

    path = out / "gradebook.sqlite"
    if not path.is_file():
        raise UsageError(f"{out}: no gradebook there", "give the folder that `course grade` wrote with --out")
    with Gradebook(path) as gradebook:
        run = gradebook.last_run()
        choose = read_rules(out, gradebook, read_policy(find_course(root))).choose
        return groups(gradebook.unexplained(run, choose)) if run else []


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to build; an earlier release there is replaced.")
@click.option("--to", "platform", type=click.Choice(["nbgrader", "gradescope"]), help="Build it for a platform instead.")
@click.pass_obj
def release(root: Path | None, out: Path, platform: str | None) -> None:
    """Build what students get, without the solutions.

    That is lesson, cards, starters, public checks, and recordings in the place of every solution.

    With --to gradescope, OUT/autograder.zip is for Gradescope's autograder and holds the solutions. With --to nbgrader, OUT is a
    course folder of nbgrader with the exercises as an assignment.
    """

    from autograder.author.release import build, build_gradescope, build_nbgrader

    course = find_course(root)
    if platform == "gradescope":
        made = build_gradescope(course, out)
        click.echo(f"{made}: {made.stat().st_size / 1e6:.1f} MB, with the solutions and a secret: for Gradescope, not for students")
        return
    if platform == "nbgrader":
        for path in build_nbgrader(course, out):
            click.echo(path)
        return
    built = build(course, out)
    content = f"{built.exercises} exercises, {built.questions} questions, {built.cards} cards"
    held = f"{content}, recordings of {built.misconceptions} misconceptions"
    click.echo(f"{out}: {held}; {built.bytes / 1e6:.1f} MB. No solution is in it.")


@click.command(hidden=True)
@click.argument("place", type=click.Path(path_type=Path))
def gradescope(place: Path) -> None:
    """Grade the submission in PLACE, laid out like Gradescope's /autograder. The zip of `course release --to gradescope` calls this."""
    from autograder.instructor.gradescope import grade_in_container

    written = grade_in_container(place)
    most = sum(test.max_score for test in written.tests)
    click.echo(f"{written.score:g} of {most:g} points in {written.execution_time:g} s. Walls: {written.extra_data['walls'] or 'none'}.")


COMMANDS = (lint, map_, notebook, misconceptions, release, gradescope)
