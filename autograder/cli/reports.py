"""Commands that show what a class understood: `course report`."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.cli.results import opened_results


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--hide-names", "hidden", is_flag=True, help="Leave names out, and what secret runs saw: for showing it to a class.")
@click.option("--to", type=click.Path(path_type=Path), help="The file to write; OUT/report.html, or OUT/report-without-names.html.")
@click.pass_obj
def report(root: Path | None, out: Path, hidden: bool, to: Path | None) -> None:
    """Say what the class of OUT understood, in short here and in full as one HTML file.

    OUT is the folder that `course grade` wrote. The page needs no network, prints, and reads on a phone.
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


COMMANDS: tuple[click.Command, ...] = (report,)
