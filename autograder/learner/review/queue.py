"""The faces of cards, and the order in which they are asked today.

A card with a front and a back has one face; a cloze card has one for each gap number.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from autograder.course.model import Card, Lesson
from autograder.learner.review.schedule import DAY, State, day_of, milliseconds, zone_of

Side = Literal["front", "back"]
_BRACED = r"(?:[^{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})"  # pairs of braces, up to three deep, as in formulas
GAP = re.compile(rf"\{{\{{c(?P<number>[0-9]+)::(?P<text>{_BRACED}+?)(?:::(?P<hint>[^{{}}]*?))?\}}\}}")
IMAGE = re.compile(r"!\[(?P<words>[^\]]*)\]\((?P<path>[^)\s]+)\)")


class Face(msgspec.Struct, frozen=True):
    """One side of a card to ask, with its own history. `front` and `back` are Markdown with LaTeX between dollars.

    It is `optional` if its lesson has a core, of which its card is no part.
    """

    id: str
    lesson: str
    card: Card
    number: int
    front: str
    back: str
    optional: bool = False

    @property
    def of(self) -> str:
        """The card's id with its lesson; all faces of a card share it."""
        return f"{self.lesson}/{self.card.id}"

    @property
    def section(self) -> str:
        """The id of the section that the card is about, with its lesson."""
        return f"{self.lesson}/{self.card.section}"


def faces_of(lessons: Iterable[Lesson]) -> Iterator[Face]:
    """Yield the faces of all cards, in the order of the lessons' decks."""
    for lesson in lessons:
        has_core = any(card.core for card in lesson.cards)
        for card in lesson.cards:
            name, optional = f"{lesson.id}/{card.id}", has_core and not card.core
            if not card.cloze:
                yield Face(name, lesson.id, card, 0, card.front, card.back, optional)
            for number in sorted({int(gap["number"]) for gap in GAP.finditer(card.cloze)}):
                front, back = (filled(card.cloze, number, side) for side in ("front", "back"))
                yield Face(f"{name}/c{number}", lesson.id, card, number, front, back, optional)


def filled(cloze: str, number: int, side: Side) -> str:
    """Return a cloze text with the gaps of one number hidden (front) or marked (back), and all others filled in."""

    def shown(gap: re.Match[str]) -> str:
        in_formula = cloze[: gap.start()].replace(r"\$", "").count("$") % 2 == 1
        if int(gap["number"]) != number:
            return gap["text"]
        if side == "front":
            return r"[\dots]" if in_formula else f"**[{gap['hint'] or '…'}]**"
        return f"[{gap['text'].strip()}]" if in_formula else f"**{gap['text']}**"

    return GAP.sub(shown, cloze)


AHEAD = 20 * 60_000  # milliseconds that a learning card may come early when nothing else is left
NEW = State()


class Queue(msgspec.Struct, frozen=True):
    """What is left today: learning faces with their moments (soonest first), due and new faces (in the order in which they are asked).

    `later` holds a future day for each face that is due then. Cards of a `section` ("lesson/section") come before others, due or new.
    """

    now: int
    today: int
    learning: tuple[tuple[int, Face], ...]
    due: tuple[Face, ...]
    new: tuple[Face, ...]
    later: tuple[int, ...]
    section: str = ""

    @property
    def due_now(self) -> tuple[Face, ...]:
        """The due faces, and the learning ones whose moment has come."""
        return *self.due, *(face for moment, face in self.learning if moment <= self.now)

    @property
    def due_by_objective(self) -> Counter[str]:
        """How many of these each objective has."""
        return Counter(face.card.objective for face in self.due_now)

    def first(self) -> Face | None:
        """Return the face to ask now, if any."""
        if self.learning and self.learning[0][0] <= self.now:
            return self.learning[0][1]
        if at_hand := (*self.due, *self.new):
            return min(at_hand, key=lambda face: face.section != self.section)
        return self.learning[0][1] if self.learning and self.learning[0][0] <= self.now + AHEAD else None


def queue_of(faces: Iterable[Face], states: Mapping[str, State], now: datetime, limit: int, section: str = "") -> Queue:
    """Return today's queue; at most `limit` new faces are begun a day, the section's and then the core's first.

    Cards that were brought back come before all.
    """
    at, zone = milliseconds(now), zone_of(now)
    today = day_of(at, zone)
    known = [(states.get(face.id, NEW), face) for face in faces]
    days = {face.id: max(today, day_of(state.due, zone)) for state, face in known}
    wanted = [face for state, face in known if state.wanted]
    learning = sorted((state.due, face.id, face) for state, face in known if state.learning and not state.wanted and days[face.id] == today)
    due = [face for state, face in known if state.phase == "review" and not state.wanted and days[face.id] == today]
    # a hash shuffles the cards differently each day, and the same way all day
    due.sort(key=lambda face: (states[face.id].due // DAY, hashlib.sha256(f"{today} {face.id}".encode()).hexdigest()))
    new = sorted(
        (face for state, face in known if not state.reviews and not state.wanted), key=lambda face: (face.section != section, face.optional)
    )
    claimed = {"/".join(name.split("/")[:2]): name for name, state in states.items() if state.reviews and state.last_day == today}
    due_now, new_now = _one_of_each(due, claimed), _one_of_each(new, claimed)
    begun = sum(state.first_day == today and state.reviews > 0 for state, _ in known)
    new_now = new_now[: max(0, limit - begun)]
    later = [days[face.id] for state, face in known if state.reviews and days[face.id] > today]
    later += [today + 1] * (len(due) - len(due_now) + min(limit, len(new) - len(new_now)))
    return Queue(
        at, today, tuple((moment, face) for moment, _, face in learning), (*wanted, *due_now), tuple(new_now), tuple(later), section
    )


def _one_of_each(faces: Iterable[Face], claimed: dict[str, str]) -> list[Face]:
    """Keep the first face of each card, unless another one was asked today; `claimed` records which."""
    return [face for face in faces if claimed.setdefault(face.of, face.id) == face.id]
