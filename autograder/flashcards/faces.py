"""Cards as they are asked: a card with a front and a back has one face, a text with gaps has one for each number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from autograder.model import Card, Lesson

Side = Literal["front", "back"]
_BRACED = r"(?:[^{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})"  # braces in pairs, up to three deep, as formulas have them
GAP = re.compile(rf"\{{\{{c(?P<number>[0-9]+)::(?P<text>{_BRACED}+?)(?:::(?P<hint>[^{{}}]*?))?\}}\}}")


class Face(msgspec.Struct, frozen=True):
    """One thing that is asked, with a history of its own. `front` and `back` are Markdown with LaTeX between dollars."""

    id: str
    lesson: str
    card: Card
    number: int
    front: str
    back: str

    @property
    def of(self) -> str:
        """The card's id with its lesson, which the faces of one card share."""
        return f"{self.lesson}/{self.card.id}"


def faces_of(lessons: Iterable[Lesson]) -> Iterator[Face]:
    """Give the faces of all cards, in the order of the lessons' decks."""
    for lesson in lessons:
        for card in lesson.cards:
            name = f"{lesson.id}/{card.id}"
            if not card.cloze:
                yield Face(name, lesson.id, card, 0, card.front, card.back)
            for number in numbers(card.cloze):
                front, back = (filled(card.cloze, number, side) for side in ("front", "back"))
                yield Face(f"{name}/c{number}", lesson.id, card, number, front, back)


def numbers(cloze: str) -> list[int]:
    """List the numbers of a text's gaps."""
    return sorted({int(gap["number"]) for gap in GAP.finditer(cloze)})


def filled(cloze: str, number: int, side: Side) -> str:
    """Write a text with the gaps of one number open, on the front, or marked, on the back; all others are filled."""

    def shown(gap: re.Match[str]) -> str:
        in_formula = cloze[: gap.start()].replace(r"\$", "").count("$") % 2 == 1
        if int(gap["number"]) != number:
            return gap["text"]
        if side == "front":
            return r"[\dots]" if in_formula else f"**[{gap['hint'] or '…'}]**"
        return f"[{gap['text'].strip()}]" if in_formula else f"**{gap['text']}**"

    return GAP.sub(shown, cloze)
