"""The screen of `course review`: the counts, the card, and the session that shows card after card."""

import time
import webbrowser
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markdown import Markdown
from rich.rule import Rule
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from autograder.cli.context import now
from autograder.cli.passages import for_terminal
from autograder.cli.terminal import END, ENTER, REDRAW, Keys, has_pager, paged
from autograder.course.model import Lesson
from autograder.course.text import formulas_in_unicode
from autograder.learner.review.deck import KEYS, MEANINGS, RATINGS, Counts, Deck, in_words
from autograder.learner.review.queue import IMAGE, Face

WIDEST = 84  # columns: longer lines are hard to read
WIDE = 60  # columns from which there is room for spacing
LOW = 14  # lines: below this height no line is left blank
COLOURS = ("red", "yellow", "green", "blue")
HELP = "\n".join([*(f"{key:<15}{does}" for key, does in KEYS), "", MEANINGS])
GO_BACK = Text("\nPress any key to go back.", "dim")


class View(msgspec.Struct, frozen=True):
    """What the screen shows: the card, how many are left, whether the answer is visible, and the last message.

    It fits the window: a card that is too long is cut at its top and marked with an ellipsis.
    """

    face: Face
    title: str
    left: Counts | int
    kind: str
    shown: bool = False
    intervals: Mapping[int, timedelta] = {}
    flagged: bool = False
    said: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, height = min(WIDEST, options.max_width), options.size.height - 1  # keep the last line free
        fitted = options.update(width=width, height=None)
        roomy, wide = height >= LOW, width >= WIDE
        head = console.render_lines(_head(self, roomy=roomy, wide=wide), fitted)
        body = console.render_lines(_card(self, roomy=roomy), fitted)
        foot = console.render_lines(_foot(self, wide=wide), fitted)
        room = max(1, height - len(head) - len(foot))
        if len(body) > room:
            body = [[Segment("…")], *body[len(body) - room + 1 :]]
        for line in (*head, *body, *foot):
            yield from line
            yield Segment.line()


def _head(view: View, *, roomy: bool, wide: bool) -> RenderableType:
    """The counts, and with the answer also the section, whose title might give the answer away."""
    if isinstance(view.left, int):
        left = Text(f"Cramming: {view.left} left")
    else:
        parts = (("New", view.left.new, "blue"), ("Learning", view.left.learning, "red"), ("Due", view.left.due, "green"))
        styles = {view.kind: " bold underline"}
        left = Text("  ").join(Text(f"{name} {count}", colour + styles.get(name, "")) for name, count, colour in parts)
    if view.face.optional:
        left.append("  optional", "dim")
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
    """Return a card's Markdown for a terminal: formulas as Unicode, images as their description."""
    return Markdown(formulas_in_unicode(IMAGE.sub(r"*Image: \g<words>* (o opens it)", text)))


def _foot(view: View, *, wide: bool) -> RenderableType:
    lines: list[RenderableType] = [Text(view.said, "yellow")] if view.said else []
    if not view.shown:
        gap = "   " if wide else " "
        keys = Text.assemble(("Space", "bold"), f" shows the answer{gap}", ("?", "bold"), f" help{gap}", ("q", "bold"), " quit")
        return Group(*lines, keys)
    row = Table.grid(padding=(0, 3 if wide else 1, 0, 0))
    row.add_row(*(_rating(number, view.intervals.get(number)) for number in (1, 2, 3, 4)))
    return Group(*lines, row)


def _rating(number: int, interval: timedelta | None) -> Text:
    below = "" if interval is None else f"\n{in_words(interval)}"
    return Text.assemble((str(number), "bold"), " ", (RATINGS[number - 1], COLOURS[number - 1]), (below, "dim"))


LEAVE = ("q", END, "\x1b")
NEXT = (" ", ENTER)


class ReviewSession:
    """One review of a deck at the terminal. `cram` goes through all chosen cards without rescheduling them."""

    def __init__(self, console: Console, keys: Keys, deck: Deck, lessons: Sequence[Lesson], root: Path, *, cram: bool):
        self._console, self._keys, self._deck, self._root = console, keys, deck, root
        self._lessons = {lesson.id: lesson for lesson in lessons}
        self._cram = list(deck.faces.values()) if cram else None
        self._crammed: list[tuple[Face, int]] = []
        self._said, self._asked_at = "", 0.0
        self._actions = {"e": self._open_section, "f": self._flag, "o": self._open_figure, "?": self._help}
        self.answers: list[int] = []

    def run(self) -> None:
        """Show cards until none is left or the learner quits."""
        face = self._next()
        while face is not None:
            face = self._ask(face)

    def _next(self) -> Face | None:
        if self._cram is None:
            return self._deck.next_card(now())
        return self._cram[0] if self._cram else None

    def _ask(self, face: Face) -> Face | None:
        """Show one card until it is answered. Return the next one, or None to stop."""
        shown, self._asked_at = False, time.monotonic()
        while True:
            self._draw(face, shown)
            key = self._keys.get()
            self._said = self._said if key == REDRAW else ""
            if key in LEAVE:
                return None
            if key == "u" and (before := self._undo()):
                return before
            if not shown and key in NEXT:
                shown = True
            elif shown and (key in NEXT or key in ("1", "2", "3", "4")):
                self._answer(face, 3 if key in NEXT else int(key))
                return self._next()
            elif key in self._actions:
                self._actions[key](face)

    def _draw(self, face: Face, shown: bool) -> None:
        moment = now()
        titles = {section.id: section.title for section in self._lessons[face.lesson].sections}
        state = self._deck.state(face)
        kind = "New" if not state.reviews and not state.wanted else "Learning" if state.learning and not state.wanted else "Due"
        left = len(self._cram) if self._cram is not None else self._deck.counts(moment)
        intervals = self._deck.intervals(face, moment) if shown and self._cram is None else {}
        view = View(face, titles.get(face.card.section, ""), left, kind, shown, intervals, state.flagged, self._said)
        self._console.clear()
        self._console.print(view, end="")

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
            self._said = "There is no answer from today to undo."
            return None
        del self.answers[-1:]
        self._said = "Undone."
        if self._cram is not None:
            self._cram = [face, *(self._cram[:-1] if self._crammed.pop()[1] == 1 else self._cram)]
        return face

    def _flag(self, face: Face) -> None:
        self._said = "Flagged." if self._deck.flag(face, now()) else "Flag removed."

    def _open_section(self, face: Face) -> None:
        text = Markdown(for_terminal(self._lessons[face.lesson], face.card.section))
        with self._keys.aside():
            with paged(self._console, "-R"):
                self._console.print(text, width=min(100, self._console.width))
            if not has_pager():
                self._console.print(GO_BACK)
                self._keys.get()

    def _open_figure(self, face: Face) -> None:
        found = IMAGE.search(f"{face.front}\n{face.back}")
        if not found:
            self._said = "This card has no figure."
            return
        path = self._root / "lessons" / face.lesson / found["path"]
        with self._keys.aside():  # without a desktop, a text browser opens in the terminal
            opened = path.is_file() and webbrowser.open(path.resolve().as_uri())
        self._said = "" if opened else f"Cannot open the figure: {path}"

    def _help(self, face: Face) -> None:
        key = REDRAW
        while key == REDRAW:
            self._console.clear()
            self._console.print(Text(HELP), GO_BACK, sep="\n")
            key = self._keys.get()


def summary(answers: Sequence[int]) -> str:
    """Return a sentence that sums up a session's ratings."""
    if not answers:
        return "No cards answered."
    again = f", {answers.count(1)} of them Again" if 1 in answers else ""
    return f"{len(answers)} card{'s' if len(answers) != 1 else ''} answered{again}."
