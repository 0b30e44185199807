"""The learner's figures as text: columns for the days to come, bars for the months, tables for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autograder.formulas import formulas_in_unicode

if TYPE_CHECKING:
    from autograder.flashcards.faces import Face
    from autograder.flashcards.stats import Days, Stats

EIGHTHS = " ▁▂▃▄▅▆▇█"
HEIGHT = 4  # lines of the columns
BAR = 30  # characters of a whole bar


def shown(stats: Stats) -> RenderableType:
    """Put all figures below each other."""
    return Group(*_parts(stats))


def _parts(stats: Stats) -> Iterator[RenderableType]:
    hours = f"{stats.minutes / 60:.0f} hours" if stats.minutes >= 120 else f"{stats.minutes:.0f} minutes"
    yield Text(f"{_count(stats.answers, 'answer')} in {hours}. {_in_words(stats.days)}")
    yield Text(f"\nDue in the next {len(stats.due)} days: {sum(stats.due)}", "bold")
    if any(stats.due):
        yield from _columns(stats.due)
    if stats.months:
        yield Text("\nStill known when it came back", "bold")
        yield _months(stats)
    if stats.hardest:
        yield Text("\nThe hardest cards", "bold")
        yield _hardest(stats)
    yield Text("\nBy objective", "bold")
    yield _objectives(stats)
    if stats.flagged:
        yield Text(f"\nFlagged: {', '.join(dict.fromkeys(face.card.id for face in stats.flagged))}")


def _in_words(days: Days) -> str:
    if days.row > 1:
        more = f" (the longest row: {days.longest})" if days.longest > days.row else ""
        return f"{days.row} days in a row{more}."
    return f"On {_count(days.all, 'day')}; the longest row: {_count(days.longest, 'day')}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _columns(counts: tuple[int, ...]) -> Iterator[Text]:
    """Draw a column for each day, two characters wide, and write the days below."""
    highest = max(counts)
    for line in reversed(range(HEIGHT)):
        label = f"{highest if line == HEIGHT - 1 else '':>5} "
        eighths = [round(count / highest * HEIGHT * 8) - line * 8 for count in counts]
        yield Text(label + "".join(EIGHTHS[max(0, min(8, eighth))] * 2 for eighth in eighths))
    days = "".join(f"{f'+{day}' if day else 'today':<10}" for day in range(0, len(counts), 5))
    yield Text(f"{0:>5} {days}".rstrip(), "dim")


def _months(stats: Stats) -> Table:
    table = Table.grid(padding=(0, 2))
    for month in stats.months:
        share = month.known / month.asked
        bar = Text("█" * round(share * BAR) + "░" * (BAR - round(share * BAR)), "green")
        table.add_row(f"  {month.first:%Y-%m}", bar, f"{share:.0%}", Text(f"{month.known} of {month.asked}", "dim"))
    return table


def _hardest(stats: Stats) -> Table:
    table = Table.grid(padding=(0, 2))
    for hard in stats.hardest:
        table.add_row(f"  {hard.face.id.partition('/')[2]}", Text(f"forgotten {_times(hard.lapses)}", "dim"), _short(hard.face))
    return table


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _short(face: Face) -> Text:
    text = Text(" ".join(formulas_in_unicode(face.front).replace("*", "").split()), no_wrap=True)
    text.truncate(60, overflow="ellipsis")
    return text


def _objectives(stats: Stats) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
    table.add_column("  objective")
    for name in ("begun", "due", "known now"):
        table.add_column(name, justify="right")
    for part in stats.parts:
        known = "–" if part.known is None else f"{part.known:.0%}"
        table.add_row(f"  {part.objective}", f"{part.begun} of {part.faces}", str(part.due), known)
    return table
