"""Commands for who writes the course: `course lint`, `course map`, `course notebook`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from autograder.cli.places import find_course, find_lesson

FINDING = ("line", "rule", "problem", "fix")


@click.command()
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


@click.command("map")
@click.option("--lesson", metavar="ID", help="The lesson to map, where the course has several.")
@click.pass_obj
def map_(root: Path | None, lesson: str | None) -> None:
    """Show what each objective has: sections, questions, exercises, cards and known slips."""
    from rich.console import Console

    from autograder.lint import Sight
    from autograder.reading import map_table

    Console(highlight=False).print(map_table(Sight(find_course(root), find_lesson(root, lesson))))


@click.command()
@click.option("--lesson", metavar="ID", help="The lesson to build, where the course has several.")
@click.option("--out", type=click.Path(path_type=Path), help="The file to write; by default the one beside the starters.")
@click.pass_obj
def notebook(root: Path | None, lesson: str | None, out: Path | None) -> None:
    """Build a lesson's exercises as one notebook in nbgrader's format: starters, and locked cells that replay the public checks."""
    from autograder.notebook.cells import write_notebook

    chosen = find_lesson(root, lesson)
    path = out or find_course(root) / "exercises" / chosen.id / f"{chosen.id}.ipynb"
    write_notebook(chosen, path)
    click.echo(f"{path}: {len(chosen.exercises)} exercises, {len(chosen.explain)} questions to mark by hand")


COMMANDS = (lint, map_, notebook)
