"""Commands for who has graded: what a person decides, what is given back, what goes to a platform, and grading all again."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.cli.context import find_clone, find_course
from autograder.course.errors import UsageError

if TYPE_CHECKING:
    from autograder.course.model import Course
    from autograder.instructor.grade import Request
    from autograder.instructor.gradebook import Gradebook
    from autograder.instructor.grades import Rules
    from autograder.instructor.regrade import Regraded


FORMATS = ("canvas", "moodle", "csv", "gradescope", "nbgrader")
NOTES, SHOWN = 20, 60  # lines of remarks, rows of a table
OUT = click.argument("out", type=click.Path(path_type=Path))


@contextmanager
def opened_results(root: Path | None, out: Path) -> Iterator[tuple[Course, Gradebook, str, Rules]]:
    """Open what `course grade` wrote: the course, the gradebook, the last run, and what says what results count."""
    from autograder.course.loading import exercise_ids, read_course
    from autograder.instructor.grade import alone, storing
    from autograder.instructor.gradebook import Gradebook
    from autograder.instructor.grades import read_rules, unmet

    if not (out / "gradebook.sqlite").is_file():
        raise UsageError(f"{out}: nothing was graded into this folder", "give the folder that `course grade --out` wrote")
    course = read_course(find_course(root))
    with storing(out), alone(out), Gradebook(out / "gradebook.sqlite") as gradebook:
        run = gradebook.last_run()
        if run is None:
            raise UsageError(f"{out}: nothing was graded into this folder", "run `course grade` again, with this --out")
        rules = read_rules(out, gradebook, course.policy)
        exercises = [name for lesson in course.lessons for name in exercise_ids(lesson)]
        for line in unmet(rules.extensions, gradebook.students(run) | rules.people.keys(), exercises):
            click.echo(line, err=True)
        yield course, gradebook, run, rules


@click.command()
@click.argument("student")
@click.argument("check")
@click.option("--points", required=True, type=float, help="What the check earns, in place of what the grader gave.")
@click.option("--reason", required=True, help="Why, for the student and for later.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder that `course grade` wrote.")
@click.pass_obj
def override(root: Path | None, student: str, check: str, points: float, reason: str, out: Path) -> None:
    """Give STUDENT other points for CHECK than the grader did.

    STUDENT is a name, or a number, login or e-mail of the roster; CHECK is a check's id, or EXERCISE.CHECK. What is decided is
    appended to the gradebook, holds when all is graded again, and stands in feedback and exports.
    """
    from autograder.course.text import clean
    from autograder.instructor.grades import decide, grades, most_points, read_rules
    from autograder.instructor.outputs import write_feedback
    from autograder.instructor.roster import feedback_name, find_student

    with opened_results(root, out) as (course, gradebook, run, rules):
        names: list[str] = []
        checks: dict[str, dict[str, float]] = {}
        for grade in grades(gradebook, run, rules):
            names.append(grade.result.student)
            checks.setdefault(grade.result.exercise, {}).update(most_points(grade.result.checks))
        who = find_student(student, names, rules.people)
        own = [grade for grade in grades(gradebook, run, rules) if grade.result.student == who]
        decided = decide(own, checks, who, check, points, reason)
        before = next(grade for grade in own if grade.result.exercise == decided.exercise)
        gradebook.override(decided)
        rules = read_rules(out, gradebook, course.policy)
        write_feedback(out, course, gradebook, run, rules, only=who)
        after = next(g for g in grades(gradebook, run, rules) if (g.result.student, g.result.exercise) == (who, decided.exercise))
    most = checks[decided.exercise][decided.check]
    click.echo(f"{clean(who, 60)}: {decided.exercise}.{decided.check} now earns {points:g} of {most:g}.")
    click.echo(f"{decided.exercise}: {before.final:g} before, {after.final:g} now. Feedback is written again: {feedback_name(who)}")


@click.command()
@OUT
@click.pass_obj
def feedback(root: Path | None, out: Path) -> None:
    """Write OUT/feedback again, by what holds now.

    That is what the course reveals now, extensions, and what was decided since.
    """
    from autograder.instructor.outputs import write_feedback

    with opened_results(root, out) as (course, gradebook, run, rules):
        written = write_feedback(out, course, gradebook, run, rules)
    click.echo(f"{written} files in {out / 'feedback'}/")


@click.command()
@OUT
@click.option("--to", required=True, type=click.Choice(FORMATS), help="Who is to read it.")
@click.option("--out", "path", required=True, type=click.Path(path_type=Path), help="The file to write, or for gradescope the folder.")
@click.option("--title", "titles", multiple=True, metavar="EXERCISE=TITLE", help="What the platform calls an exercise; may be repeated.")
@click.pass_obj
def export(root: Path | None, out: Path, to: str, path: Path, titles: tuple[str, ...]) -> None:
    """Write what OUT's last run counts, for a platform.

    Lateness, extensions and what was decided are in it. canvas, moodle and csv write one CSV; gradescope a folder with a
    results.json for each student; nbgrader goes into the gradebook.db of an nbgrader course, or makes one.
    """
    from autograder.author.notebook import EXPLAINED
    from autograder.course.text import clean
    from autograder.instructor.export import export as run_export
    from autograder.instructor.grades import sheet_of
    from autograder.instructor.outputs import sections_of

    named = dict(_title(title) for title in titles)
    with opened_results(root, out) as (course, gradebook, run, rules):
        by_hand = {f"explain-{number}": EXPLAINED for lesson in course.lessons for number, _ in enumerate(lesson.explain, 1)}
        sheet = sheet_of(gradebook, run, rules, named, sections_of(course.lessons), by_hand)
        notes = run_export(sheet, to, path)
        students = sum(1 for _ in sheet.rows())
    for note in notes[:NOTES]:
        click.echo(clean(note, 300), err=True)
    if len(notes) > NOTES:
        click.echo(f"... and {len(notes) - NOTES} lines more like these", err=True)
    click.echo(f"{students} students, {', '.join(column.exercise for column in sheet.columns)}: {path}")


def _title(text: str) -> tuple[str, str]:
    exercise, found, title = text.partition("=")
    if not found or not title.strip():
        raise UsageError(f"--title {text}: no title", 'write it as EXERCISE=TITLE: --title forward="Noising (4711)"')
    return exercise, title.strip()


@click.command()
@OUT
@click.argument("submissions", required=False, type=click.Path(path_type=Path))
@click.option("--apply", is_flag=True, help="Write the new results; without it nothing is written.")
@click.option("--afresh", is_flag=True, help="Grade also what is unchanged under an unchanged grader.")
@click.option("--workers", type=click.IntRange(1, 256), help="How many processes; by default one for each core.")
@click.option("--unsafe", is_flag=True, help="Grade even where walls are missing: only for files that you trust.")
@click.option("--json", "as_json", is_flag=True, help="Print all changes as one JSON object; all else goes to stderr.")
@click.pass_obj
def regrade(root: Path | None, out: Path, submissions: Path | None, apply: bool, afresh: bool, workers: int | None, unsafe: bool,
            as_json: bool) -> None:  # fmt: skip
    """Grade again what the last run into OUT graded.

    It prints who changes, by how much and by which checks. SUBMISSIONS is where they lie now, if not where they lay. The numbers
    of the round stay the same. Points that a person gave hold. Exit status 1 where something was not judged or it was
    interrupted; nothing is written then.
    """
    from rich.console import Console

    from autograder.cli.grade import progress_bar, standing_walls
    from autograder.course.loading import read_course
    from autograder.course.text import clean
    from autograder.instructor.regrade import regrade as run

    if not (out / "gradebook.sqlite").is_file():
        raise UsageError(f"{out}: nothing was graded into this folder", "give the folder that `course grade --out` wrote")
    errors = Console(stderr=True, highlight=False)
    course = read_course(find_clone(root))
    walls = standing_walls(course.policy.limits, unsafe, errors)
    with progress_bar(errors) as progress:
        done = run(course, out, submissions, walls, workers or 0, progress, apply=apply, afresh=afresh)
    for fault in done.faults[:NOTES]:
        errors.print(clean(fault, 300), markup=False, soft_wrap=True)
    _tell_regraded(done, as_json)
    if done.interrupted or done.faults:
        sys.exit(1)


def _tell_regraded(done: Regraded, as_json: bool) -> None:
    import msgspec
    from rich.console import Console

    from autograder.cli.tables import change_table, check_table

    if as_json:
        click.echo(msgspec.json.encode(done).decode())
        return
    console = Console(highlight=False)
    if any(change.moved for change in done.changes):
        console.print(check_table(done.changes))
    if done.changes:
        console.print(change_table(done.changes[:SHOWN]))
    if len(done.changes) > SHOWN:
        click.echo(f"... and {len(done.changes) - SHOWN} more; --json prints all")
    click.echo(f"{done.compared} results, {done.graded} of them graded again: {len(done.changes)} change.")
    if done.interrupted or done.faults:
        click.echo("Nothing is written: not all could be graded.")
    else:
        click.echo("Written." if done.written else "Nothing is written yet: --apply does.")


ROWS_SHOWN = 20  # pairs; --json gives all


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--hide-names", "hidden", is_flag=True, help="Leave names out, and what secret runs saw: for showing it to a class.")
@click.option("--to", type=click.Path(path_type=Path), help="The file to write; OUT/report.html, or OUT/report-without-names.html.")
@click.pass_obj
def report(root: Path | None, out: Path, hidden: bool, to: Path | None) -> None:
    """Say what the class of OUT understood.

    That is in short here, and in full as one HTML file. OUT is the folder that `course grade` wrote. The page needs no network,
    prints, and reads on a phone.
    """
    from rich.console import Console

    from autograder.cli.tables import alike_table, hard_table, help_table, misconception_table, summary_table
    from autograder.course.text import clean
    from autograder.instructor.measures import Summary
    from autograder.instructor.outputs import write_report

    path = to or out / ("report-without-names.html" if hidden else "report.html")
    with opened_results(root, out) as (course, gradebook, run, rules):
        told = write_report(path, course, gradebook, run, rules, hidden=hidden)
        summary = Summary()
        for result in gradebook.results(run, rules.choose):
            summary.add(result)
    summary.sort(list(told.made.exercises))
    tables = [summary_table(summary), misconception_table(summary, told.sections), hard_table(told.made)]
    if not hidden:
        tables += [alike_table(told.alike), help_table(told.made, rules.policy.pass_mark)]
    console = Console(highlight=False)
    for table in filter(None, tables):
        console.print(table)
    for student, exercise in told.made.not_judged if not hidden else ():
        click.echo(f"not judged, by a fault of ours: {clean(student, 60)}, {exercise}")
    click.echo(f"The whole report: {path}")


@click.command()
@click.argument("place", metavar="OUT|SUBMISSIONS", type=click.Path(path_type=Path))
@click.option("--exercise", "exercises", multiple=True, metavar="ID", help="Compare only this exercise; may be repeated.")
@click.option("--lesson", metavar="ID", help="The lesson, if the course has several.")
@click.option("--least", type=click.FloatRange(0, 1), default=0.6, show_default=True, help="Which share of one's own code must be alike.")
@click.option("--json", "as_json", is_flag=True, help="Print all pairs as a JSON list.")
@click.pass_obj
def similar(root: Path | None, place: Path, exercises: tuple[str, ...], lesson: str | None, least: float, as_json: bool) -> None:
    """List pairs of submissions that are alike.

    Give what `course grade` reads, or the folder that it wrote. What stands in the starter, what much of the class wrote, names,
    comments and layout do not count. Pairs are candidates to look at: alike is not copied, and a short exercise leaves little
    room to differ.
    """
    import msgspec
    from rich.console import Console

    from autograder.cli.tables import pair_table
    from autograder.course.loading import read_course
    from autograder.instructor.grade import choose
    from autograder.instructor.intake import open_class
    from autograder.instructor.similar import pairs, starters

    asked = _asked(place, lesson, exercises)
    chosen, names = choose(read_course(find_course(root)), asked)
    handed_in = open_class(asked.submissions, chosen.id, asked.kind, asked.roster)
    code = [name for name in names if name != "practice"]
    found = pairs(handed_in.submissions(chosen.id, code, every=False), starters(chosen), least)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found), ensure_ascii=False))
        return
    if found:
        Console(highlight=False).print(pair_table(found[:ROWS_SHOWN]))
    more = f", the {ROWS_SHOWN} most alike are shown" if len(found) > ROWS_SHOWN else ""
    counted = f"{len(found)} pair{'s' * (len(found) != 1)} in {len(handed_in.students)} students' code{more}"
    click.echo(f"{counted}. Alike is not copied: read both before you ask anyone.")


def _asked(place: Path, lesson: str | None, exercises: tuple[str, ...]) -> Request:
    """Tell a folder that `course grade` wrote from one that it reads."""
    from autograder.instructor.grade import Request
    from autograder.instructor.gradebook import Gradebook

    asked = None
    if (place / "gradebook.sqlite").is_file():
        with Gradebook(place / "gradebook.sqlite") as gradebook:
            run = gradebook.last_run()
            asked = gradebook.request(run, Request) if run else None
    return Request(
        asked.submissions if asked else place,
        place,
        lesson or (asked.lesson if asked else None),
        exercises or (asked.exercises if asked else ()),
        kind=asked.kind if asked else None,
        roster=asked.roster if asked else None,
    )


COMMANDS: tuple[click.Command, ...] = (override, feedback, export, regrade, report, similar)
