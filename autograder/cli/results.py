"""Commands for after grading: overrides, feedback, exports, regrading and the report. They print; `instructor` does it."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec.structs import replace
from rich.console import Console

from autograder.author.notebook import EXPLAINED
from autograder.cli import tables
from autograder.cli.context import ONE_LESSON, find_clone, find_course
from autograder.cli.grade import FRESH, SHOWN, STUDENT, UNSAFE, WORKERS, check_walls, echo_notes, progress_bar
from autograder.course.errors import UsageError
from autograder.course.files import replaced
from autograder.course.loading import read_course
from autograder.course.model import Course, OverrideKind
from autograder.course.references import choose_lesson
from autograder.course.text import clean
from autograder.instructor.decide import decide
from autograder.instructor.evidence import collect, evidence_page
from autograder.instructor.export import FORMATS
from autograder.instructor.export import export as run_export
from autograder.instructor.grade import open_graded
from autograder.instructor.gradebook import Gradebook
from autograder.instructor.grades import GradingRules, read_rules
from autograder.instructor.identity import find_student
from autograder.instructor.outputs import exercise_names, sections_of, write_feedback, write_files, write_report
from autograder.instructor.overrides import drop as make_drop
from autograder.instructor.regrade import RegradeReport
from autograder.instructor.regrade import regrade as run_regrade
from autograder.instructor.roster import Person
from autograder.instructor.sheet import sheet_of

OUT = click.argument("out", type=click.Path(path_type=Path))


@contextmanager
def opened_results(root: Path | None, out: Path) -> Iterator[tuple[Course, Gradebook, str, GradingRules]]:
    """Open what `course grade` wrote: the course, the gradebook, the last run, and the rules for what results count."""
    course = read_course(find_course(root))
    with open_graded(out) as (gradebook, run):
        rules = read_rules(out, gradebook, course.policy)
        for line in rules.unmatched(gradebook.students(run), course.lessons):
            click.echo(line, err=True)
        yield course, gradebook, run, rules


@click.command()
@click.argument("student")
@click.argument("target", metavar="[EXERCISE|CHECK]", default="")
@click.option("--points", type=float, help="The points of the check or the exercise, instead of the grader's.")
@click.option("--bonus", type=float, metavar="POINTS", help="Add points to the exercise; it may exceed its maximum.")
@click.option("--deduct", type=float, metavar="POINTS", help="Take points from the exercise.")
@click.option("--excuse", is_flag=True, help="Leave the exercise, or all of them, out of the student's total.")
@click.option("--hold", is_flag=True, help="Withhold the student's feedback and grade.")
@click.option("--withdraw", is_flag=True, help="Withdraw what was decided for the check, the exercise, or else the student.")
@click.option("--reason", required=True, help="Why; kept and, except for --hold, shown to the student.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder that `course grade` wrote.")
@click.pass_obj
def override(root: Path | None, /, student: str, target: str, reason: str, out: Path, **wanted: Any) -> None:
    """Decide something for STUDENT in place of the grader.

    STUDENT is a name, or a number, login or e-mail from the roster; CHECK is a check's id, or EXERCISE.CHECK. Give one of --points,
    --bonus, --deduct, --excuse, --hold and --withdraw. What you decide belongs to the person: it is added to the gradebook, is kept when
    the class is graded again or the student is renamed, and is shown in feedback, report and exports. Points for a check count before
    lateness, everything else after it.
    """
    kind, points = _decision(**wanted)
    with opened_results(root, out) as (course, gradebook, run, rules):
        made = decide(out, course, gradebook, run, rules, student, target, kind, points, reason)
        write_report(out / "report.html", course, gradebook, run, read_rules(out, gradebook, course.policy))
        click.echo(made)


def _decision(points: float | None, bonus: float | None, deduct: float | None, excuse: bool, hold: bool,
              withdraw: bool) -> tuple[OverrideKind | None, float]:  # fmt: skip
    """Return what is decided and how many points; None withdraws. Raise `UsageError` unless it is one thing."""
    given: dict[OverrideKind, float | None] = {"points": points, "bonus": bonus, "deduction": deduct}
    found: list[tuple[OverrideKind | None, float]] = [(kind, value) for kind, value in given.items() if value is not None]
    flags: list[tuple[OverrideKind | None, bool]] = [("excused", excuse), ("on_hold", hold), (None, withdraw)]
    found += [(kind, 0.0) for kind, flag in flags if flag]
    if len(found) != 1:
        raise UsageError("one decision at a time", "give one of --points, --bonus, --deduct, --excuse, --hold and --withdraw")
    return found[0]


@click.command()
@click.argument("student")
@click.option("--undo", is_flag=True, help="Take the student back, with all that was graded.")
@click.option("--reason", default="", help="Why; kept in the gradebook.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder that `course grade` wrote.")
@click.pass_obj
def drop(root: Path | None, student: str, undo: bool, reason: str, out: Path) -> None:
    """Remove STUDENT from the class of OUT.

    For a student who left: results, grades, feedback, report and exports no longer have them, and later runs skip them. The gradebook
    keeps every attempt and override; --undo takes the student back.
    """
    with opened_results(root, out) as (course, gradebook, run, rules):
        dropped = gradebook.dropped()
        name = find_student(student, gradebook.students(run) | dropped, rules.people)
        if undo == (name in dropped):
            gradebook.override(make_drop(rules.people.get(name, Person(name)), reason, undo=undo))
        write_files(out, course, gradebook, run, rules)
        left = len(gradebook.students(run))
    shown = clean(name, 60)
    click.echo(f"{shown} is {'in the class' if undo else 'no longer in the class'}. Students in {out}: {left}.")
    if not undo:
        click.echo(
            f"Everything stays in the gradebook. To undo this: course drop {shlex.quote(shown)} --undo --out {shlex.quote(str(out))}"
        )


@click.command()
@click.argument("student")
@click.argument("exercise", default="")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder that `course grade` wrote.")
@click.option("--submissions", type=click.Path(path_type=Path), help="Where the submissions are now, if they were moved.")
@click.option("--html", type=click.Path(path_type=Path), help="Write it as a page to this file instead.")
@UNSAFE
@click.pass_obj
def show(root: Path | None, student: str, exercise: str, out: Path, submissions: Path | None, html: Path | None, unsafe: bool) -> None:
    """Show all that lies behind STUDENT's grades.

    Shows the code with line numbers, what it printed, every call with what it gave and what was expected, all attempts, and the
    overrides; with EXERCISE, of that one alone. To show the calls, the files are run again behind the walls, with the numbers of their
    round. Those may be secret, so this is for you and not for students. Nothing is graded.
    """
    evidence = collect(find_clone(root), out, student, exercise, submissions=submissions, unsafe=unsafe)
    if html:
        try:
            with replaced(html) as beside:
                beside.write_text(evidence_page(evidence), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{html}: {error.strerror}", "choose a file that can be written with --html") from None
        click.echo(f"{clean(evidence.person.student, 60)}: {html}")
        return
    for line in tables.evidence_lines(evidence):
        click.echo(line)


@click.command()
@OUT
@click.pass_obj
def feedback(root: Path | None, out: Path) -> None:
    """Write OUT/feedback again.

    Do this after you changed what feedback reveals, or extended a due date.
    """
    with opened_results(root, out) as (course, gradebook, run, rules):
        written = write_feedback(out, course, gradebook, run, rules)
    click.echo(f"{written} files in {out / 'feedback'}/")


@click.command()
@OUT
@click.option("--to", required=True, type=click.Choice(FORMATS), help="The platform or format.")
@click.option("--out", "path", required=True, type=click.Path(path_type=Path), help="The file to write, or the folder (gradescope, mail).")
@click.option("--title", "titles", multiple=True, metavar="EXERCISE=TITLE", help="An exercise's name on the platform; may be repeated.")
@click.option("--exercise", "exercises", multiple=True, metavar="ID", help="Export only this exercise; may be repeated.")
@ONE_LESSON
@click.pass_obj
def export(root: Path | None, out: Path, to: str, path: Path, titles: tuple[str, ...], exercises: tuple[str, ...],
           lesson: str | None) -> None:  # fmt: skip
    """Export the grades or feedback of OUT to a platform.

    Grades include lateness, extensions and overrides. canvas, moodle and csv are one CSV file, and so is moodle-worksheet, Moodle's
    grading worksheet with grades and comments; gradescope is a folder with a results.json for each student; nbgrader is the
    gradebook.db of an nbgrader course, which is created if it does not exist. moodle-feedback and canvas-feedback are zips of
    feedback that these platforms hand out; mail is a folder with a message for each student.
    """
    named = dict(_title(title) for title in titles)
    with opened_results(root, out) as (course, gradebook, run, rules):
        by_hand = {one.id: {f"explain-{number}": EXPLAINED for number in range(1, len(one.explain) + 1)} for one in course.lessons}
        only = choose_lesson(course, lesson).id if lesson else ""
        sheet = sheet_of(gradebook, run, rules, named, sections_of(course.lessons), by_hand, exercises, only)
        order = [*exercise_names(course, rules), *(column.exercise for column in sheet.columns)]  # the last, if the course has them no more
        sheet = replace(sheet, columns=tuple(sorted(sheet.columns, key=lambda one: order.index(one.exercise))), course=course.title)
        notes = run_export(sheet, to, path)
    echo_notes(notes)
    click.echo(f"{sheet.students} students, {', '.join(column.exercise for column in sheet.columns)}: {path}")


def _title(text: str) -> tuple[str, str]:
    exercise, _, title = text.partition("=")
    if not title.strip():
        raise UsageError(f"--title {text}: no title", 'write it as EXERCISE=TITLE: --title forward="Noising (4711)"')
    return exercise, title.strip()


@click.command()
@OUT
@click.argument("submissions", required=False, type=click.Path(path_type=Path))
@click.option("--apply", is_flag=True, help="Write the new results; otherwise nothing is written.")
@STUDENT
@FRESH
@WORKERS
@UNSAFE
@click.option("--json", "as_json", is_flag=True, help="Print all changes as one JSON object; everything else goes to stderr.")
@click.pass_obj
def regrade(root: Path | None, out: Path, submissions: Path | None, apply: bool, student: str, fresh: bool, workers: int | None,
            unsafe: bool, as_json: bool) -> None:  # fmt: skip
    """Grade the class of OUT again and show what changes.

    Shows whose grades change, by how much, and because of which checks. SUBMISSIONS is where the submissions of the last run are now, if
    they were moved; then only these are graded again. The secret numbers stay the same, and overrides are kept. Exit status 1 if
    something was not judged or the run was interrupted; nothing is written then.
    """
    errors = Console(stderr=True, highlight=False)
    course = read_course(find_clone(root))
    walls = check_walls(course.policy.limits, unsafe, errors)
    with progress_bar(errors) as progress:
        report = run_regrade(course, out, submissions, walls, workers, progress, apply=apply, fresh=fresh, student=student)
    echo_notes((*report.faults, *report.cut))
    _print_changes(report, as_json)
    if report.interrupted or report.faults:
        sys.exit(1)


def _print_changes(report: RegradeReport, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
        return
    console = Console(highlight=False)
    if any(change.checks for change in report.changes):
        console.print(tables.check_table(report.changes))
    if report.changes:
        console.print(tables.change_table(report.changes[:SHOWN]))
    if len(report.changes) > SHOWN:
        click.echo(f"... and {len(report.changes) - SHOWN} more; --json prints all")
    kept = f", {report.kept} students as before" if report.kept else ""
    click.echo(f"{report.compared} results, {report.graded} graded again, {len(report.changes)} changed{kept}.")
    if report.interrupted or report.faults:
        click.echo("Nothing was written, because not everything could be graded.")
    else:
        click.echo("Written." if report.written else "Nothing was written: use --apply to write.")


@click.command()
@OUT
@click.option("--hide-names", "hidden", is_flag=True, help="Leave out names and what secret runs saw, to show the report to a class.")
@click.option("--to", type=click.Path(path_type=Path), help="The file to write; OUT/report.html, or OUT/report-without-names.html.")
@click.pass_obj
def report(root: Path | None, out: Path, hidden: bool, to: Path | None) -> None:
    """Report what the class of OUT understood.

    Prints a summary and writes the full report as one HTML file, which needs no network. OUT is the folder that `course grade`
    wrote.
    """
    path = to or out / ("report-without-names.html" if hidden else "report.html")
    with opened_results(root, out) as (course, gradebook, run, rules):
        made, groups, sections = write_report(path, course, gradebook, run, rules, hidden=hidden)
    shown = [tables.summary_table(made), tables.misconception_table(made, sections), tables.hard_table(made)]
    if not hidden:
        shown += [tables.shared_errors_table(groups), tables.help_table(made, rules.policy.pass_mark)]
    console = Console(highlight=False)
    for table in filter(None, shown):
        console.print(table)
    echo_notes(made.cut if not hidden else ())
    for student, exercise in made.not_judged if not hidden else ():
        click.echo(f"not judged, because of a fault of ours: {clean(student, 60)}, {exercise}")
    click.echo(f"The whole report: {path}")
