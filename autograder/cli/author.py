"""Commands for authors: `course lint`, `map`, `misconceptions`, `notebook`, `release` and `trust`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from autograder.cli.context import LESSON, ONE_LESSON, find_clone, find_course, find_lesson
from autograder.course.errors import UsageError
from autograder.course.loading import read_course
from autograder.course.references import choose_lesson

if TYPE_CHECKING:
    from autograder.course.errors import Finding
    from autograder.instructor.measures import Group


@click.command()
@ONE_LESSON
@click.option("--json", "as_json", is_flag=True, help="Print the findings as a JSON list.")
@click.option("--no-cache", is_flag=True, help="Run every rule again, even if nothing has changed.")
@click.pass_obj
def lint(root: Path | None, lesson: str | None, as_json: bool, no_cache: bool) -> None:
    """Check the course for mistakes.

    Every finding names its file and line, and how to fix it. The exit status is 1 if there are any findings.
    Findings are cached until the course or this program changes.
    """
    from autograder.author.cache import check_course_once

    clone = find_clone(root)

    def check() -> list[Finding]:
        from autograder.author.lint.rules import check_course  # slow, and not needed if nothing has changed

        return check_course(clone, lesson)

    findings = check_course_once(clone, lesson, check, fresh=no_cache)
    if as_json:
        click.echo(msgspec.json.encode(findings, enc_hook=str).decode())
    else:
        for finding in findings:
            click.echo(f"{finding}  [{finding.rule}]")
        click.echo(f"{len(findings)} finding{'s' * (len(findings) != 1)}" if findings else "No findings.")
    if findings:
        sys.exit(1)


@click.command("map")
@LESSON
@click.pass_obj
def map_(root: Path | None, lesson: str | None) -> None:
    """Show what teaches, asks and tests each objective."""
    from rich.console import Console

    from autograder.author.lint.context import LintContext
    from autograder.cli.views import map_table

    Console(highlight=False).print(map_table(LintContext(find_course(root), find_lesson(root, lesson))))


@click.command()
@LESSON
@click.option("--out", type=click.Path(path_type=Path), help="The file to write (default: the notebook beside the starters).")
@click.pass_obj
def notebook(root: Path | None, lesson: str | None, out: Path | None) -> None:
    """Build a lesson's exercises as one nbgrader notebook.

    It contains the starters, and locked cells that replay the public checks.
    """
    from autograder.author.notebook import notebook as notebook_of

    clone, chosen = find_clone(root), find_lesson(root, lesson)
    path = out or clone / "exercises" / chosen.id / f"{chosen.id}.ipynb"
    path.write_text(notebook_of(chosen), encoding="utf-8")
    click.echo(f"{path}: {len(chosen.exercises)} exercises, {len(chosen.explain)} questions to mark by hand")


@click.command()
@click.argument("kind", type=click.Choice(["lesson", "exercise", "card", "question", "misconception"]))
@click.argument("name", metavar="ID")
@LESSON
@click.option("--title", default="", help="The title of a new lesson.")
@click.option("--of", default="", metavar="EXERCISE.FUNCTION", help="What a new misconception is about.")
@click.pass_obj
def new(root: Path | None, kind: str, name: str, lesson: str | None, title: str, of: str) -> None:
    """Begin a lesson, or something in one, with a small example.

    It writes files that `course lint` accepts as they are, and lists them: edit the example until it is yours. Nothing that exists is
    changed; to a list, an item is added.
    """
    from autograder.author import scaffold

    clone = find_course(root) if kind == "lesson" else find_clone(root)  # the first lesson brings `solutions/`
    if kind == "lesson":
        made = scaffold.new_lesson(clone, name, title)
    elif kind == "misconception":
        made = scaffold.new_misconception(clone, find_lesson(root, lesson), name, of)
    else:
        begin = {"exercise": scaffold.new_exercise, "card": scaffold.new_card, "question": scaffold.new_question}[kind]
        made = begin(clone, find_lesson(root, lesson), name)
    for path in made:
        click.echo(path.relative_to(clone))
    about = f" --lesson {name}" if kind == "lesson" else ""
    click.echo(f"Now edit what is written there, and run: course lint{about}")


@click.group()
def misconceptions() -> None:
    """Turn wrong answers that many share into misconceptions.

    `course misconceptions list OUT` lists them; `course misconceptions new OUT GROUP NAME` starts a misconception.
    """


@misconceptions.command("list")
@click.argument("out", type=click.Path(path_type=Path))
@click.pass_obj
def list_(root: Path | None, out: Path) -> None:
    """List the groups of students who share a mistake that no misconception describes.

    OUT is the folder that `course grade` wrote. Only the attempt that counts is considered.
    """
    from rich.console import Console

    from autograder.cli.tables import shared_errors_table

    found = _groups(root, out)
    if (table := shared_errors_table(found, len(found))) is None:
        click.echo("No unexplained wrong answer is shared by several students.")
        return
    console = Console(highlight=False)
    console.print(table)
    for number, group in enumerate(found, 1):
        console.print(f"{number}: {group.words}{' They are told: ' * bool(group.idea)}{group.idea}", markup=False)


@misconceptions.command("new")
@click.argument("out", type=click.Path(path_type=Path))
@click.argument("group", type=click.IntRange(min=1))
@click.argument("name")
@click.pass_obj
def new_(root: Path | None, out: Path, group: int, name: str) -> None:
    """Start the misconception NAME from a GROUP of OUT.

    GROUP is a number from `course misconceptions list OUT`. A skeleton is appended to the exercise's misconceptions; its sentence,
    section and card are left to you.
    """
    from autograder.author.misconceptions import begin_misconception

    found = _groups(root, out)
    if group > len(found):
        fix = f"take one of the {len(found)} that `course misconceptions list {out}` shows"
        raise UsageError(f"there is no group {group} in {out}", fix)
    chosen = found[group - 1]
    exercise = next(one for one in choose_lesson(read_course(find_clone(root)), chosen.lesson).exercises if one.id == chosen.file)
    text = begin_misconception(chosen.function, len(chosen.students), exercise, name, chosen.idea)
    exercise.misconceptions.parent.mkdir(exist_ok=True)
    with exercise.misconceptions.open("a", encoding="utf-8") as file:
        file.write(text)
    among = f"{len(chosen.students)} students, among them {chosen.students[0]}"
    click.echo(f"{exercise.misconceptions}: added `{name}`, for the answer of {among}.")
    click.echo("Now write the misconception, its sentence, section and card; `course lint` lists what is missing.")


def _groups(root: Path | None, out: Path) -> list[Group]:
    from autograder.cli.results import opened_results
    from autograder.instructor.grades import grades
    from autograder.instructor.measures import groups

    with opened_results(root, out) as (_, gradebook, run, rules):
        return groups((grade for grade in grades(gradebook, run, rules) if grade.notes.shared_errors), several=rules.several)


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to write; an earlier release there is replaced.")
@click.option("--to", "platform", type=click.Choice(["nbgrader", "gradescope"]), help="Build for this platform instead.")
@ONE_LESSON
@click.option(
    "--round", "graded", metavar="GRADES", type=click.Path(path_type=Path), help="Where `course grade` writes, if practice counts."
)
@click.pass_obj
def release(root: Path | None, out: Path, platform: str | None, graded: Path | None, lesson: str | None) -> None:
    """Build the student release, without the solutions.

    It contains the lesson, the cards, the starters and the public checks, with recorded answers instead of solutions.

    Where practice counts (`practice: own` in course.yaml), it holds each student's numbers instead of the keys. They follow from the
    round in GRADES, which begins now if there is none: grade with --out GRADES.

    --to gradescope writes OUT/autograder.zip for Gradescope's autograder; it contains the solutions. --to nbgrader writes an
    nbgrader course folder with the exercises as an assignment.
    """
    from autograder.author.release import build, build_gradescope, build_nbgrader

    course = find_course(root)
    if platform == "gradescope":
        made = build_gradescope(course, out, graded, lesson)
        click.echo(f"{made}: {made.stat().st_size / 1e6:.1f} MB, with the solutions and a secret: for Gradescope, not for students.")
        return
    if platform == "nbgrader":
        for path in build_nbgrader(course, out, lesson):
            click.echo(path)
        return
    built = build(course, out, graded, lesson)
    held = f"{built.exercises} exercises, {built.questions} questions, {built.cards} cards"
    click.echo(f"{out}: {held}, recordings of {built.misconceptions} misconceptions; {built.bytes / 1e6:.1f} MB. It contains no solutions.")


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def trust(folder: Path) -> None:
    """Confirm that the course in DIR may be loaded.

    A course contains Python, which can do whatever you can. Without this only the installed course and one named with --course are
    loaded, not one that happens to lie around your current folder. A course of another user is never loaded.
    """
    from autograder.course.trust import confirm

    if not (folder / "course.yaml").is_file():
        raise UsageError(f"{folder}: no course.yaml there", "give the folder that holds course.yaml")
    place = confirm(folder)
    click.echo(f"{folder.resolve()} may be loaded from now on. To take that back, delete its line in {place}.")


@click.command(hidden=True)
@click.argument("place", type=click.Path(path_type=Path))
def gradescope(place: Path) -> None:
    """Grade the submission in PLACE, laid out like Gradescope's /autograder. Called by the zip of `course release --to gradescope`."""
    from autograder.instructor.gradescope import grade_in_container

    written = grade_in_container(place)
    most = sum(test.max_score for test in written.tests)
    click.echo(f"{written.score:g} of {most:g} points in {written.execution_time:g} s. Walls: {written.extra_data['walls'] or 'none'}.")
