"""Commands about submissions: `course grade`, `similar` and `doctor`. What they print and how they exit; the work is in `instructor`."""

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec.structs import replace
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from autograder.cli.context import LESSON, find_clone, find_course
from autograder.cli.tables import class_table, misconception_table, pair_table, shared_errors_table, summary_table
from autograder.course.errors import UsageError
from autograder.course.loading import package_name, read_course
from autograder.course.model import Submission
from autograder.course.policy import Limits
from autograder.course.student_files import read_handout
from autograder.course.text import clean
from autograder.instructor.grade import GRADEBOOK, GradeReport, GradeRequest, choose_exercises
from autograder.instructor.grade import grade as run_grade
from autograder.instructor.gradebook import Gradebook
from autograder.instructor.intake import open_class
from autograder.instructor.regrade import class_submissions
from autograder.instructor.similar import SIZE, similar_pairs, starters
from autograder.sandbox.guest.frameworks import FRAMEWORKS
from autograder.sandbox.guest.walls import WALLS, at_hand
from autograder.sandbox.properties import PROPERTIES, Examination, examine
from autograder.sandbox.servers import free_user

SHOWN = 60  # students in a table; of a larger class only the summary is shown
PAIRS_SHOWN = 20
NOTES = 20  # notes about submissions, and names of missing students
QUIET_SECONDS = 120  # without a terminal, a long run prints a line this often
KINDS = ("folder", "zips", "canvas", "moodle", "brightspace", "blackboard", "gradescope", "classroom", "nbgrader", "sakai")
FRESH = click.option("--fresh", is_flag=True, help="Grade everything, also what has not changed since an earlier run.")
WORKERS = click.option("--workers", type=click.IntRange(1, 256), help="Number of processes; by default one for each core.")
STUDENT = click.option("--student", metavar="STUDENT", default="", help="Only this one: a name, number, login or e-mail.")
UNSAFE = click.option("--unsafe", is_flag=True, help="Grade even if walls are missing: only for files that you trust.")


@click.command()
@click.argument("submissions", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for results, feedback and the gradebook.")
@click.option("--from", "kind", type=click.Choice(KINDS), help="Where the submissions come from; by default detected from the file names.")
@click.option("--roster", type=click.Path(path_type=Path), help="A CSV that lists the class, such as a platform exports.")
@LESSON
@click.option("--exercise", "exercises", multiple=True, metavar="ID", help="Grade only this exercise; may be repeated.")
@STUDENT
@click.option("--only", is_flag=True, help="Keep nothing of the class in OUT: these students and exercises alone.")
@click.option("--seed", type=int, help="Fix the round's numbers, for tests and demos.")
@click.option("--new-round", is_flag=True, help="Draw new secret numbers instead of using those in OUT/private.")
@FRESH
@WORKERS
@click.option("--cluster", metavar="ADDRESS", default="", help="Grade on the Dask cluster with its scheduler at tcp://HOST:PORT.")
@UNSAFE
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object; everything else goes to stderr.")
@click.pass_obj
def grade(root: Path | None, /, unsafe: bool, as_json: bool, **options: Any) -> None:
    """Grade the submissions of a class into OUT.

    SUBMISSIONS is a folder with one folder for each student, a zip, or a download from Canvas, Moodle, Brightspace, Blackboard,
    Gradescope, GitHub Classroom, nbgrader, Sakai or `course submit`. Students with no submission are listed and graded as missing.
    Files that were handed in and not taken are listed with the reason.

    OUT is the class: a second run over fewer students or exercises adds to it, and all files hold the whole class. --only starts the
    class afresh, and `course drop` removes a student. Earlier attempts stay in the gradebook.

    OUT/results.jsonl holds every check, OUT/grades.csv the scores, OUT/feedback/ a file for each student, and
    OUT/gradebook.sqlite every attempt ever graded. The same OUT keeps the same secret numbers until --new-round. An interrupted
    run continues where it stopped; submissions that have not changed are not graded again.
    """
    errors = Console(stderr=True, highlight=False)
    course = read_course(find_clone(root))
    walls = check_walls(course.policy.limits, unsafe, errors)
    request = GradeRequest(walls=walls, **options)
    started = time.monotonic()
    with progress_bar(errors) as progress:
        report = run_grade(course, request, progress)
    seconds = time.monotonic() - started
    if as_json:
        click.echo(json.dumps(_as_json(report, request, seconds), ensure_ascii=False))
    else:
        _print(report, request.out, seconds)
    folders = [f"{student.name}: {student.problem}" for student in report.plan.uploads.students if student.problem]
    if report.run.interrupted:
        errors.print(f"Interrupted: {report.run.done} of {report.plan.expected} are graded and kept.")
    for line in (*report.run.faults, *folders):
        click.echo(clean(line, 500), err=True)
    echo_notes(report.notes)
    for line in _missing(report, request.submissions):
        click.echo(line, err=True)
    if report.run.interrupted or folders or report.reported.measures.not_judged:
        sys.exit(1)


def _missing(report: GradeReport, submissions: Path) -> Iterator[str]:
    if missing := report.plan.uploads.missing:
        names = ", ".join(clean(name, 40) for name in missing[:NOTES])
        more = f" and {len(missing) - NOTES} more" if len(missing) > NOTES else ""
        yield f"no submission from: {names}{more}"
    measures = report.reported.measures
    if 0 < measures.results == measures.count("missing") + measures.count("unrecognised"):
        yield f"No student has a file for these exercises: is {submissions} the folder that holds one folder for each student?"


def echo_notes(notes: Sequence[str]) -> None:
    """Print the first notes to stderr, made harmless."""
    for note in notes[:NOTES]:
        click.echo(clean(note, 300), err=True)
    if len(notes) > NOTES:
        click.echo(f"... and {len(notes) - NOTES} more lines like these", err=True)


def check_walls(limits: Limits, unsafe: bool, errors: Console) -> tuple[str, ...]:
    """Try the walls and what they hold, print and return those that work. Raise `UsageError` if anything is missing, unless `unsafe`."""
    found = examine(limits)
    for wall, reason in found.missing.items():
        errors.print(f"wall missing: {wall} ({reason})")
    for name, attempts in found.through.items():
        errors.print(f"not held by the walls: {name} (got through: {', '.join(attempts)})", markup=False)
    if found.faults and not unsafe:
        fix = "see `course doctor`; for files that you trust, --unsafe grades without these walls"
        raise UsageError("untrusted code cannot be run safely here", fix)
    errors.print(f"walls: {', '.join(found.walls) or 'none'}")
    return tuple(wall for wall in WALLS if wall not in found.missing)


@contextmanager
def progress_bar(errors: Console) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar with rate and time left; without a terminal, print a line now and then."""
    if not errors.is_terminal:
        yield _lines(errors)
        return
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]:.0f}/s"), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True) as progress:
        task = progress.add_task("grading", total=None, rate=0.0)
        started = time.monotonic()

        def show(done: int, expected: int) -> None:
            progress.update(task, completed=done, total=expected, rate=done / max(1e-9, time.monotonic() - started))

        yield show


def _lines(errors: Console) -> Callable[[int, int], None]:
    printed = time.monotonic()

    def show(done: int, expected: int) -> None:
        nonlocal printed
        if done < expected and time.monotonic() >= printed + QUIET_SECONDS:
            printed = time.monotonic()
            errors.print(f"{done} of {expected} graded")

    return show


def _as_json(report: GradeReport, request: GradeRequest, seconds: float) -> dict[str, object]:
    run, uploads = report.run, report.plan.uploads
    return report.reported.measures.as_json() | {
        "out": str(request.out),
        "round": report.round,
        "interrupted": run.interrupted,
        "walls": at_hand(request.walls),
        "from": uploads.kind,
        "notes": report.notes,
        "missing": uploads.missing,
        "before": report.before,
        "reused": run.reused,
        "run_again": run.run_again,
        "seconds": round(seconds, 3),
        "per_second": round((run.done - run.reused) / seconds, 2),
    }


def _print(report: GradeReport, out: Path, seconds: float) -> None:
    console = Console(highlight=False)
    measures, shared_errors, sections = report.reported
    if measures.results <= SHOWN * max(1, len(measures.exercises)):
        with Gradebook(out / GRADEBOOK) as gradebook:
            results = gradebook.results(report.run.name, report.rules.choose)
            console.print(class_table(results, list(measures.exercises), console.width, several=report.rules.several))
    tables = (summary_table(measures), misconception_table(measures, sections), shared_errors_table(shared_errors))
    for table in filter(None, tables):
        console.print(table)
    if shared_errors:
        click.echo(f"Turn one of these into a misconception: `course misconceptions new {out} GROUP NAME`.")
    reused = f", {report.run.reused} of them unchanged since an earlier run" if report.run.reused else ""
    again = f", {report.run.run_again} of them run again with more preloaded" if report.run.run_again else ""
    if report.before:
        click.echo(f"{len(report.plan.uploads.students)} graded, {report.before} from before")
    click.echo(f"{measures.results} results in {seconds:.1f} s{reused}{again}. Files in {out}/:")
    click.echo("  report.html, results.jsonl, grades.csv, feedback/, gradebook.sqlite")


@click.command()
@click.argument("place", metavar="OUT|SUBMISSIONS", type=click.Path(path_type=Path))
@click.option("--exercise", "exercises", multiple=True, metavar="ID", help="Compare only this exercise; may be repeated.")
@LESSON
@click.option("--least", type=click.FloatRange(0, 1), default=0.6, show_default=True, help="The smallest share of similar code to list.")
@click.option(
    "--size", type=click.IntRange(1), default=SIZE, show_default=True, help="The least similar code, in names, numbers and signs."
)
@click.option("--json", "as_json", is_flag=True, help="Print all pairs as a JSON list.")
@click.pass_obj
def similar(root: Path | None, place: Path, exercises: tuple[str, ...], lesson: str | None, least: float, size: int,
            as_json: bool) -> None:  # fmt: skip
    """List pairs of submissions with similar code.

    Pass what `course grade` reads, or the folder that it wrote. Code from the starter or from much of the class, names, comments and layout
    are ignored, and members of a group are not compared with each other. Look at each pair yourself: similar code is not proof of copying,
    and short exercises have few solutions. Files that could not be read whole are listed too: compare those yourself.
    """
    course = read_course(find_course(root))
    request = GradeRequest(place, place, lesson=lesson, exercises=exercises)
    if graded := (place / GRADEBOOK).is_file():
        with Gradebook(place / GRADEBOOK) as gradebook:
            asked, people = gradebook.request(gradebook.last_run(), GradeRequest), list(gradebook.people().values())
            request = replace(request, lesson=lesson or (asked.lesson if asked and not exercises else None))
    chosen, names = choose_exercises(course, request)
    code, students = [name for name in names if name != "practice"], set[str]()
    if graded:
        submissions = class_submissions(course, place, [(chosen.id, name) for name in code])
    else:
        uploads = open_class(place, chosen.id)
        people, handout = uploads.people, read_handout(course.root, chosen, course.lessons)
        submissions = uploads.submissions(handout, code, every=False, prefer=course.policy.prefer)

    def counted_in() -> Iterator[Submission]:
        for one in submissions:
            students.add(one.student)
            yield one

    groups = {person.student: person.group for person in people if person.group}
    found = similar_pairs(counted_in(), starters(chosen), least, size, groups)
    pairs = found.pairs
    for one in found.unread:
        click.echo(clean(f"not read whole: {one.student}, {one.exercise}: {one.why}", 300), err=True)
    if as_json:
        click.echo(msgspec.json.encode(pairs).decode())
        return
    if pairs:
        Console(highlight=False).print(pair_table(pairs[:PAIRS_SHOWN]))
    shown = f", of which the {PAIRS_SHOWN} most similar are shown" if len(pairs) > PAIRS_SHOWN else ""
    counted = f"{len(pairs)} similar pair{'s' * (len(pairs) != 1)} among {len(students)} students{shown}"
    click.echo(f"{counted}. Similar is not copied: read both before you ask anyone.")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON object.")
@click.pass_obj
def doctor(root: Path | None, as_json: bool) -> None:
    """Check whether this machine can grade untrusted code.

    Shows the versions of Python and packages, each wall, and what the walls hold: every property is tried in a process like those in which
    submissions run. A newer kernel may hold a property in more than one way. Exit status 1 if untrusted code cannot be run safely here.
    """
    versions = {"python": f"{platform.python_version()} on {platform.system()} {platform.release()}"}
    for package in (package_name(), "numpy", *FRAMEWORKS, "nbgrader"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    found = examine(read_course(find_course(root)).policy.limits)
    if as_json:
        click.echo(json.dumps(_doctor_json(versions, found), ensure_ascii=False))
    else:
        _print_doctor(versions, found)
    if found.faults:
        sys.exit(1)


def _doctor_json(versions: dict[str, str], found: Examination) -> dict[str, object]:
    properties = [
        {
            "name": kept.name,
            "promise": kept.promise,
            "held_by": kept.holders(found.walls, found.landlock),
            "tried": not found.missing,
            "got_through": found.through.get(kept.name, ()),
        }
        for kept in PROPERTIES
    ]
    walls = dict.fromkeys(found.walls, "ok") | found.missing
    better = [{"linux": linux, "landlock_would_hold": names} for linux, names in found.better.items()]
    facts = {
        "versions": versions,
        "walls": walls,
        "landlock": {"version": found.landlock, "why_not": found.no_landlock},
        "properties": properties,
        "better": better,
    }
    return {**facts, "safe": not found.faults}


def _print_doctor(versions: dict[str, str], found: Examination) -> None:
    for name, text in versions.items():
        click.echo(f"{name:<11} {text}")
    details = {"landlock": f", version {found.landlock}", "namespaces": f", in place of landlock ({found.no_landlock})"}
    for wall in found.walls:
        click.echo(f"{wall:<11} ok{details.get(wall, '')}")
    for wall, reason in found.missing.items():
        click.echo(f"{wall:<11} MISSING: {reason}")
    if os.geteuid() == 0:
        click.echo(f"as root     guests {'become another user' if free_user(0) else 'keep user 0 without any capability'}")
    if found.missing:
        click.echo("Untrusted code cannot be run safely here.")
        return
    click.echo("\nWhat a submission cannot do, as tried in a guest, and what holds it:")
    for kept in PROPERTIES:
        through = found.through.get(kept.name)
        held = f"GOT THROUGH: {', '.join(through)}" if through else ", ".join(kept.holders(found.walls, found.landlock))
        click.echo(f"  {kept.promise:<64} {held}")
    for linux, names in found.better.items():
        click.echo(f"  With Linux {linux} or later, landlock holds as well: {', '.join(names)}.")
    click.echo("Untrusted code cannot be run safely here." if found.through else "All walls work: untrusted code can be graded here.")
