"""Commands that show what a class understood, and whose work is alike: `course report`, `course similar`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.cli.places import find_course
from autograder.cli.results import opened_results

if TYPE_CHECKING:
    from autograder.grading import Request

SHOWN = 20  # pairs; --json gives all


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

    from autograder.explain import clean
    from autograder.filing import write_report
    from autograder.report.summary import Summary
    from autograder.report.terminal import alike_table, hard_table, help_table, slip_table, summary_table

    path = to or out / ("report-without-names.html" if hidden else "report.html")
    with opened_results(root, out) as (course, gradebook, run, rules):
        told = write_report(path, course, gradebook, run, rules, hidden=hidden)
        summary = Summary()
        for result in gradebook.results(run, rules.choose):
            summary.add(result)
    summary.sort(list(told.made.exercises))
    tables = [summary_table(summary), slip_table(summary, told.sections), hard_table(told.made)]
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
@click.option("--lesson", metavar="ID", help="The lesson, where the course has several.")
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

    from autograder.content import read_course
    from autograder.grading import choose
    from autograder.intake.source import open_class
    from autograder.report.terminal import pair_table
    from autograder.similar import pairs, starters

    asked = _asked(place, lesson, exercises)
    chosen, names = choose(read_course(find_course(root)), asked)
    handed_in = open_class(asked.submissions, chosen.id, asked.kind, asked.roster)
    code = [name for name in names if name != "practice"]
    found = pairs(handed_in.submissions(chosen.id, code, every=False), starters(chosen), least)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found), ensure_ascii=False))
        return
    if found:
        Console(highlight=False).print(pair_table(found[:SHOWN]))
    more = f", the {SHOWN} most alike are shown" if len(found) > SHOWN else ""
    counted = f"{len(found)} pair{'s' * (len(found) != 1)} in {len(handed_in.students)} students' code{more}"
    click.echo(f"{counted}. Alike is not copied: read both before you ask anyone.")


def _asked(place: Path, lesson: str | None, exercises: tuple[str, ...]) -> Request:
    """Tell a folder that `course grade` wrote from one that it reads."""
    from autograder.gradebook import Gradebook
    from autograder.grading import Request

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


COMMANDS: tuple[click.Command, ...] = (report, similar)
