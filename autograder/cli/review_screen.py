"""A card on the terminal's screen: counts above, the card, and below what the keys do. Builds what is shown; `reviewing` shows it."""

from __future__ import annotations

import os
import re
import time
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markdown import Markdown
from rich.rule import Rule
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from autograder.cli.context import now
from autograder.cli.keys import AGAIN, END, ENTER, Keys
from autograder.course.text import formulas_in_unicode
from autograder.learner.review.deck import KEYS, MEANINGS, RATINGS, in_words

if TYPE_CHECKING:
    from autograder.course.model import Lesson
    from autograder.learner.review.deck import Counts, Deck
    from autograder.learner.review.queue import Face


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


LEAVE = ("q", END, "\x1b")
NEXT = (" ", ENTER)


class Sitting:
    """A person at the terminal with a deck. `cram` goes through all chosen cards and leaves their schedule alone."""

    def __init__(self, console: Console, keys: Keys, deck: Deck, lessons: Sequence[Lesson], root: Path, *, cram: bool):
        self._console, self._keys, self._deck, self._root = console, keys, deck, root
        self._lessons = {lesson.id: lesson for lesson in lessons}
        self._cram = list(deck.faces.values()) if cram else None
        self._crammed: list[tuple[Face, int]] = []
        self._said, self._asked_at = "", 0.0
        self.answers: list[int] = []

    def run(self) -> None:
        """Ask until nothing is left or the person leaves."""
        face = self._next()
        while face is not None:
            face = self._ask(face)

    def _next(self) -> Face | None:
        if self._cram is None:
            return self._deck.next_card(now())
        return self._cram[0] if self._cram else None

    def _ask(self, face: Face) -> Face | None:
        """Ask one card until it is answered; give the next, or None to end."""
        shown, self._asked_at = False, time.monotonic()
        while True:
            self._draw(face, shown)
            key = self._keys.get()
            self._said = self._said if key == AGAIN else ""
            if key in LEAVE:
                return None
            if key == "u" and (before := self._undo()):
                return before
            if not shown and key in NEXT:
                shown = True
            elif shown and (key in NEXT or key in ("1", "2", "3", "4")):
                self._answer(face, 3 if key in NEXT else int(key))
                return self._next()
            elif action := self._others().get(key):
                action(face)

    def _others(self) -> dict[str, Callable[[Face], None]]:
        return {"e": self._open_section, "f": self._flag, "o": self._open_figure, "?": self._help}

    def _draw(self, face: Face, shown: bool) -> None:
        moment = now()
        titles = {section.id: section.title for section in self._lessons[face.lesson].sections}
        state = self._deck.state(face)
        kind = "New" if not state.reviews and not state.wanted else "Learning" if state.learning and not state.wanted else "Due"
        left = len(self._cram) if self._cram is not None else self._deck.counts(moment)
        intervals = self._deck.intervals(face, moment) if shown and self._cram is None else {}
        view = View(face, titles.get(face.card.section, ""), left, kind, shown, intervals, state.flagged, self._said)
        self._console.clear()
        self._console.print(Screen(view), end="")

    def _answer(self, face: Face, rating: int) -> None:
        took = round((time.monotonic() - self._asked_at) * 1000)
        self._deck.answer(face, rating, now(), took, cram=self._cram is not None)
        self.answers.append(rating)
        if self._cram is not None:
            self._crammed.append((face, rating))
            self._cram = [*self._cram[1:], *([face] if rating == 1 else [])]

    def _undo(self) -> Face | None:
        face = self._deck.undo(now()) if self._cram is None or self._crammed else None
        if face is None:
            self._said = "There is no answer of today to take back."
            return None
        del self.answers[-1:]
        self._said = "Taken back."
        if self._cram is not None:
            self._cram = [face, *(self._cram[:-1] if self._crammed.pop()[1] == 1 else self._cram)]
        return face

    def _flag(self, face: Face) -> None:
        self._said = "Flagged." if self._deck.flag(face, now()) else "The flag is taken away."

    def _open_section(self, face: Face) -> None:
        from autograder.cli.views import for_terminal

        os.environ.setdefault("LESS", "-R")
        text = Markdown(for_terminal(self._lessons[face.lesson], face.card.section))
        with self._keys.aside(), self._console.pager(styles=True):
            self._console.print(text, width=min(100, self._console.width))

    def _open_figure(self, face: Face) -> None:
        found = PICTURE.search(f"{face.front}\n{face.back}")
        if not found:
            self._said = "This card has no figure."
            return
        path = self._root / "lessons" / face.lesson / found["path"]
        with self._keys.aside():  # where there is no window, a browser of the terminal opens
            opened = path.is_file() and webbrowser.open(path.resolve().as_uri())
        self._said = "" if opened else f"The figure cannot be opened: {path}"

    def _help(self, face: Face) -> None:
        key = AGAIN
        while key == AGAIN:
            self._console.clear()
            self._console.print(Text(HELP), Text("\nAny key goes back.", "dim"), sep="\n")
            key = self._keys.get()


def told(answers: Sequence[int]) -> str:
    """Say what a sitting came to."""
    if not answers:
        return "No card answered."
    again = answers.count(1)
    words = f"{len(answers)} card{'s' if len(answers) != 1 else ''} answered"
    return f"{words}, {again} of them with Again." if again else f"{words}."
