"""What is asked today, and in which order: learning cards whose minute has come, due ones, new ones. No chance in it.

A card that was answered at any hour is due for the whole of its day, which turns at 4 in the morning. Of a card with several
faces one is asked a day, for it gives the others away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from autograder.flashcards.faces import Face
from autograder.flashcards.schedule import DAY, State, day_of, milliseconds, zone_of

AHEAD = 20 * 60_000  # a learning card may come so much early when nothing else is left, in milliseconds
NEW = State()


class Queue(msgspec.Struct, frozen=True):
    """What is left today: learning (soonest first), due and new (in the order in which they are asked); `later` holds the days to
    come, one for each face that is due then."""

    now: int
    today: int
    learning: tuple[tuple[int, Face], ...]
    due: tuple[Face, ...]
    new: tuple[Face, ...]
    later: tuple[int, ...]

    def first(self) -> Face | None:
        """Choose what is asked now."""
        if self.learning and self.learning[0][0] <= self.now:
            return self.learning[0][1]
        for face in (*self.due, *self.new):
            return face
        return self.learning[0][1] if self.learning and self.learning[0][0] <= self.now + AHEAD else None


def queue_of(faces: Iterable[Face], states: Mapping[str, State], now: datetime, limit: int) -> Queue:
    """Put the faces in today's order; `limit` is how many new ones a day are begun. Cards that were brought back come first."""
    at, zone = milliseconds(now), zone_of(now)
    today = day_of(at, zone)
    known = [(states.get(face.id, NEW), face) for face in faces]
    days = {face.id: max(today, day_of(state.due, zone)) for state, face in known}
    wanted = [face for state, face in known if state.wanted]
    learning = sorted((state.due, face.id, face) for state, face in known if state.learning and not state.wanted and days[face.id] == today)
    due = [face for state, face in known if state.phase == "review" and not state.wanted and days[face.id] == today]
    due.sort(key=lambda face: (states[face.id].due // DAY, _mixed(face, today)))
    new = [face for state, face in known if not state.reviews and not state.wanted]
    claimed = {_card(name): name for name, state in states.items() if state.reviews and state.last_day == today}
    due_now, new_now = _one_of_each(due, claimed), _one_of_each(new, claimed)
    begun = sum(state.first_day == today and state.reviews > 0 for state, _ in known)
    new_now = new_now[: max(0, limit - begun)]
    later = [days[face.id] for state, face in known if state.reviews and days[face.id] > today]
    later += [today + 1] * (len(due) - len(due_now) + min(limit, len(new) - len(new_now)))
    return Queue(at, today, tuple((moment, face) for moment, _, face in learning), (*wanted, *due_now), tuple(new_now), tuple(later))


def _one_of_each(faces: Iterable[Face], claimed: dict[str, str]) -> list[Face]:
    """Keep of each card the first face, unless another one of it was asked today; note in `claimed` which."""
    return [face for face in faces if claimed.setdefault(face.of, face.id) == face.id]


def _card(face: str) -> str:
    return "/".join(face.split("/")[:2])


def _mixed(face: Face, today: int) -> str:
    """Mix the cards of a day: in another order each day, in the same order whenever it is asked."""
    return hashlib.sha256(f"{today} {face.id}".encode()).hexdigest()
