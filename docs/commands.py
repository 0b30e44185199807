"""Write docs/commands.md from the help of every command: `python -m docs.commands`, or `make docs`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from autograder.cli.main import COMMANDS, HIDDEN, main

PAGE = Path(__file__).with_name("commands.md")
INTRODUCTION = """\
# Commands

Every command of `course`, with its options, by audience. `make docs` writes this page from `course COMMAND --help`.

`course --debug COMMAND` shows the whole traceback when something fails, and `course --course PATH COMMAND` names the course's folder. By
default it is the workspace's, the current folder or one above it (see [course trust](#course-trust)), or else the installed course. Every
command has `--help`, or `-h`.

Exit status: 0 if it worked; 1 if your work or the course has faults; 2 if the command cannot do what it was asked; 3 if the fault is ours.
"""


def page() -> str:
    """Render the whole page."""
    parts, context = [INTRODUCTION], click.Context(main)
    for audience, names in (COMMANDS | {"Called by other programs": HIDDEN}).items():
        commands = {name: main.get_command(context, name) for name in names}
        parts += [f"## {audience}\n", *(part for name, command in commands.items() for part in sections(command, f"course {name}"))]
    return "\n".join(parts)


def sections(command: click.Command, name: str) -> Iterator[str]:
    """Yield a section for a command, and one for each of its subcommands."""
    context = click.Context(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    yield f"### {name}\n\n`{usage}`\n\n{prose(command)}\n"
    if rows := list(options(command, context)):
        yield "\n".join(["| option | |", "|---|---|", *rows, ""])
    if isinstance(command, click.Group):
        for each, child in command.commands.items():
            yield from sections(child, f"{name} {each}")


def prose(command: click.Command) -> str:
    """Return a command's help with each paragraph on one line."""
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def options(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yield a table row for each option, with `--help` left out."""
    for option in command.params:
        record = option.get_help_record(context) if isinstance(option, click.Option) else None
        if record:
            name, words = (cell.replace("|", "\\|") for cell in record)
            yield f"| `{name}` | {words} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
