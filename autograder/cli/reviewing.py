"""One sitting of `course review`: card after card on a screen of its own, which leaves the terminal as it was."""

from __future__ import annotations

import os
import time
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markdown import Markdown
from rich.text import Text

from autograder.cli.card_screen import HELP, PICTURE, Screen, View
from autograder.cli.decks import now
from autograder.cli.keys import AGAIN, END, ENTER, Keys

if TYPE_CHECKING:
    from autograder.flashcards.deck import Deck
    from autograder.flashcards.faces import Face
    from autograder.model import Lesson

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
        from autograder.reading import for_terminal

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
