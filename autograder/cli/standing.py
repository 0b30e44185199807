"""A student's progress as a table, or as lines where a table doesn't fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from autograder.workspace.progress import Part, Standing


NARROW = 64  # columns, below which a table leaves no room for an objective's words


def table(found: tuple[Standing, ...], width: int) -> Table:
    """One row for each objective, one column for each thing that is done for it."""
    if width < NARROW:
        return _lines(found)
    made = Table(title="Progress")
    made.add_column("objective")
    for name in ("sections\nread", "questions\nmastered", "files that\npass", "cards\ndue"):
        made.add_column(name, justify="right", no_wrap=True)
    for standing in found:
        due = Text("–" if standing.due is None else str(standing.due))
        made.add_row(Text(standing.text), *map(_cell, (standing.read, standing.practised, standing.checked)), due)
    return made


def _lines(found: tuple[Standing, ...]) -> Table:
    made = Table.grid()
    for standing in found:
        made.add_row(Text(standing.text, "bold"))
        for part, words in ((standing.read, "sections read"), (standing.practised, "questions mastered"), (standing.checked, "files pass")):
            made.add_row(Text.assemble("  ", _cell(part), f" {words}"))
        if standing.due is not None:
            made.add_row(Text(f"  {standing.due} card{'s' * (standing.due != 1)} due"))
    return made


def _cell(part: Part) -> Text:
    return Text(f"{part.done} of {part.of}", "green" if part.done == part.of else "")
