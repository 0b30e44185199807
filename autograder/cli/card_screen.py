"""A card on the terminal's screen: counts above, the card, and below what the keys do. Builds what is shown; `reviewing` shows it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markdown import Markdown
from rich.rule import Rule
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from autograder.flashcards.words import KEYS, MEANINGS, RATINGS, in_words
from autograder.formulas import formulas_in_unicode

if TYPE_CHECKING:
    from autograder.flashcards.deck import Counts
    from autograder.flashcards.faces import Face

WIDEST = 84  # columns that a text may take: longer lines are hard to read
WIDE = 60  # columns from which on there is room for more than is needed
LOW = 14  # lines of a window in which nothing is left empty
COLOURS = ("red", "yellow", "green", "blue")
PICTURE = re.compile(r"!\[(?P<words>[^\]]*)\]\((?P<path>[^)\s]+)\)")
HELP = "\n".join([*(f"{key:<15}{does}" for key, does in KEYS), "", MEANINGS])


class View(msgspec.Struct, frozen=True):
    """What is to be seen: the card, how many are left, whether the answer shows, and what was last done."""

    face: Face
    title: str
    left: Counts | int
    kind: str
    shown: bool = False
    intervals: Mapping[int, timedelta] = {}
    flagged: bool = False
    said: str = ""


class Screen:
    """A view fitted to the window: what does not fit is cut off at the card's top, and an ellipsis says so."""

    def __init__(self, view: View):
        self.view = view

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, height = min(WIDEST, options.max_width), options.size.height - 1  # the last line stays free
        fitted = options.update(width=width, height=None)
        roomy = height >= LOW
        head = console.render_lines(_head(self.view, roomy=roomy, wide=width >= WIDE), fitted)
        body = console.render_lines(_card(self.view, roomy=roomy), fitted)
        foot = console.render_lines(_foot(self.view, wide=width >= WIDE), fitted)
        room = max(1, height - len(head) - len(foot))
        if len(body) > room:
            body = [[Segment("…")], *body[len(body) - room + 1 :]]
        for line in (*head, *body, *foot):
            yield from line
            yield Segment.line()


def _head(view: View, *, roomy: bool, wide: bool) -> RenderableType:
    """Counts and, once the answer shows, the section: before, its title might tell."""
    if isinstance(view.left, int):
        left = Text(f"Cramming: {view.left} left")
    else:
        parts = (("New", view.left.new, "blue"), ("Learning", view.left.learning, "red"), ("Due", view.left.due, "green"))
        left = Text("  ").join(
            Text(f"{name} {count}", f"{colour}{' bold underline' if name == view.kind else ''}") for name, count, colour in parts
        )
    if view.flagged:
        left.append("  ⚑ flagged", "yellow")
    row = Table.grid(expand=True, padding=(0, 1))
    row.add_column(no_wrap=True)
    row.add_column(justify="right", overflow="ellipsis", no_wrap=True)
    row.add_row(left, Text(view.title if view.shown and wide else "", "dim"))
    return Group(row, Rule(style="dim"), *([Text()] if roomy else []))


def _card(view: View, *, roomy: bool) -> RenderableType:
    gap: list[RenderableType] = [Text()] if roomy else []
    answer: list[RenderableType] = [*gap, Rule(style="dim"), *gap, shown_text(view.face.back)] if view.shown else []
    return Group(shown_text(view.face.front), *answer, *gap)


def shown_text(text: str) -> Markdown:
    """Make a card's Markdown readable in a terminal: formulas as Unicode, a picture by its words."""
    return Markdown(formulas_in_unicode(PICTURE.sub(r"*Picture: \g<words>* (o opens it)", text)))


def _foot(view: View, *, wide: bool) -> RenderableType:
    lines: list[RenderableType] = [Text(view.said, "yellow")] if view.said else []
    if not view.shown:
        gap = "   " if wide else " "
        keys = (("Space", "bold"), f" shows the answer{gap}", ("?", "bold"), f" help{gap}", ("q", "bold"), " leave")
        return Group(*lines, Text.assemble(*keys))
    row = Table.grid(padding=(0, 3 if wide else 1, 0, 0))
    row.add_row(*(_rating(number, view.intervals.get(number)) for number in (1, 2, 3, 4)))
    return Group(*lines, row)


def _rating(number: int, interval: timedelta | None) -> Text:
    told = [Text(in_words(interval), "dim")] if interval is not None else []
    name = Text.assemble((str(number), "bold"), " ", (RATINGS[number - 1], COLOURS[number - 1]))
    return Text("\n").join([name, *told])
