"""Commands for who reads: `course read`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from autograder.cli.places import find_lesson


@click.command()
@click.argument("section", required=False)
@click.option("--contents", is_flag=True, help="List the sections instead, each with the name that SECTION takes.")
@click.option("--lesson", metavar="ID", help="The lesson to read, where the course has several.")
@click.pass_obj
def read(root: Path | None, section: str | None, contents: bool, lesson: str | None) -> None:
    """Read the lesson, or one SECTION of it, in the terminal.

    In a terminal it is shown page by page: space goes on, q leaves.
    """
    from rich.console import Console
    from rich.markdown import Markdown

    from autograder.reading import for_terminal

    if contents:
        found = find_lesson(root, lesson).sections
        for one in found:
            click.echo(f"{one.id:<{max(len(each.id) for each in found)}}  {one.title}")
        return
    console = Console(highlight=False)
    shown = Markdown(for_terminal(find_lesson(root, lesson), section))
    if console.is_terminal:
        os.environ.setdefault("LESS", "-FRX")  # colours shown as such, and no pager for what fits the screen
        with console.pager(styles=True):
            console.print(shown)
    else:
        console.print(shown)
    _remember(section)


def _remember(section: str | None) -> None:
    """In a workspace, write down what was read: a section, or the lesson as a whole."""
    from autograder.workspace.places import workspace_above
    from autograder.workspace.state import State

    found = workspace_above(Path.cwd())
    if found:
        folder, origin = found
        with State(folder / ".course") as state:
            state.add("read", section or origin.lesson)


COMMANDS = (read,)
