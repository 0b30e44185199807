"""A student's progress as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from autograder.workspace.progress import Part, Standing


def table(found: tuple[Standing, ...]) -> Table:
    """One row for each objective, one column for each thing that is done for it."""
    made = Table(title="Progress")
    made.add_column("objective")
    for name in ("sections\nread", "questions\nmastered", "files that\npass", "cards\ndue"):
        made.add_column(name, justify="right", no_wrap=True)
    for standing in found:
        due = Text("–" if standing.due is None else str(standing.due))
        made.add_row(Text(standing.text), *map(_cell, (standing.read, standing.practised, standing.checked)), due)
    return made


def _cell(part: Part) -> Text:
    return Text(f"{part.done} of {part.of}", "green" if part.done == part.of else "")
