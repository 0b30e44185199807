"""A learner's deck: the cards of some lessons with the review log, and everything that can be done with them.

The log lies in the workspace, or without one in the system's folder for a user's data.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Self

import msgspec
import platformdirs

from autograder.course.errors import StoreFault, UsageError
from autograder.course.loading import package_name
from autograder.course.model import Lesson
from autograder.learner.review.log import NAME, Kind, Log, Row
from autograder.learner.review.merge import Merged, merge
from autograder.learner.review.queue import Face, Queue, faces_of, queue_of
from autograder.learner.review.schedule import (
    Scheduling,
    State,
    after,
    clocks_of,
    day_of,
    milliseconds,
    replay,
    scheduling_in_force,
    zone_of,
)


def own_place() -> Path:
    """Return the folder of a learner who has no workspace."""
    return platformdirs.user_data_path(package_name(), appauthor=False)


RATINGS = ("Again", "Hard", "Good", "Easy")  # rated 1 to 4
MEANINGS = "Again: you did not know it. Hard: only just. Good: yes. Easy: at once."
KEYS = (
    ("Space, Enter", "show the answer; then: Good"),
    ("1 2 3 4", ", ".join(RATINGS)),
    ("u", "take the last answer back, as often as you like"),
    ("e", "open the section that the card is about"),
    ("o", "open the card's figure in a window of its own"),
    ("f", "flag the card, or take the flag away"),
    ("?", "this help"),
    ("q", "leave: every answer is kept already"),
)


def in_words(interval: timedelta) -> str:
    """Write an interval in one unit: 6 min, 10 h, 8 days, 3.5 months, 2.1 years."""
    days = interval / timedelta(days=1)
    if days >= 365:
        return f"{days / 365.25:.1f} years"
    if days >= 60:
        return f"{days / 30.44:.1f} months"
    if days >= 1:
        return f"{days:.0f} day{'s' if round(days) != 1 else ''}"
    minutes = -(-interval // timedelta(minutes=1))
    return f"{minutes} min" if minutes < 60 else f"{minutes / 60:.0f} h"


def following(queue: Queue) -> str:
    """Return a sentence that says when the next cards come, or nothing if none will."""
    if queue.learning:
        soonest = datetime.fromtimestamp(queue.learning[0][0] / 1000).astimezone()
        return f"Next: a card that you are learning, at {soonest:%H:%M}."
    if not queue.later:
        return ""
    day = min(queue.later)
    count, days = queue.later.count(day), day - queue.today
    return f"Next: {count} card{'s' if count != 1 else ''} {'tomorrow' if days == 1 else f'in {days} days'}."


NEW_A_DAY = 10
FORMAT = "1"  # of the cached states
LONGEST = 600_000  # milliseconds that count for one answer; after that somebody went for coffee
BEHIND = 3_600_000  # milliseconds that the clock may be behind the last answer before we ask about it


class Chosen(msgspec.Struct, frozen=True):
    """Which cards to review: all, or those with one of these tags and one of these objectives; and how many new ones a day.

    Those of the section `first` ("lesson/section") come first.
    """

    tags: tuple[str, ...] = ()
    objectives: tuple[str, ...] = ()
    new: int = NEW_A_DAY
    first: str = ""

    def has(self, face: Face) -> bool:
        return (not self.tags or bool(set(self.tags) & set(face.card.tags))) and (
            not self.objectives or face.card.objective in self.objectives
        )


class Counts(msgspec.Struct, frozen=True):
    """How many faces are left today; a learning one is due once its moment has come."""

    new: int
    learning: int
    due: int

    @property
    def all(self) -> int:
        return self.new + self.learning + self.due


class Deck:
    """The cards of some lessons with one learner's log. `faces` holds the chosen ones by id."""

    def __init__(self, log: Log, lessons: Iterable[Lesson], chosen: Chosen):
        self.log = log
        self._every = {face.id: face for face in faces_of(lessons)}
        self._chosen = chosen
        self.faces = {name: face for name, face in self._every.items() if chosen.has(face)}
        self.states: dict[str, State] = {}
        self._read = -1
        self._answered: list[Row] = []  # in this session, and not undone
        self.refresh()

    @classmethod
    def open(cls, place: Path, lessons: Sequence[Lesson], chosen: Chosen | None = None) -> Self:
        """Open the deck of these lessons with the log in the folder `place`. Close it, or use it in a `with`."""
        with suppress(OSError):  # the log's note will say that nothing can be written
            place.mkdir(parents=True, exist_ok=True)
        return cls(Log(place / NAME), lessons, chosen or Chosen())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        self.log.__exit__()

    def state(self, face: Face) -> State:
        """Return the state of a face."""
        return self.states.get(face.id, State())

    def queue(self, now: datetime) -> Queue:
        """Return what is left today, in order."""
        self.refresh()
        return queue_of(self.faces.values(), self.states, now, self._chosen.new, self._chosen.first)

    def next_card(self, now: datetime) -> Face | None:
        """Return the face to ask now; None if nothing is left for now."""
        return self.queue(now).first()

    def counts(self, now: datetime) -> Counts:
        """Count what is left today."""
        left = self.queue(now)
        due = len(left.due_now)
        return Counts(len(left.new), len(left.learning) + len(left.due) - due, due)

    def intervals(self, face: Face, now: datetime) -> dict[int, timedelta]:
        """Return for each rating (1 Again, 2 Hard, 3 Good, 4 Easy) how long until the card would come back."""
        at, zone, scheduler = milliseconds(now), zone_of(now), self.scheduling.scheduler()
        return {rating: timedelta(milliseconds=after(self.state(face), rating, at, zone, scheduler).due - at) for rating in (1, 2, 3, 4)}

    def clock_behind(self, now: datetime) -> timedelta | None:
        """Return by how much the clock is behind this device's last answer, if by more than an hour: one of the two is wrong."""
        behind = self.log.newest_reading() - milliseconds(now)
        return timedelta(milliseconds=behind) if behind > BEHIND else None

    def answer(self, face: Face, rating: int, now: datetime, took: int = 0, *, cram: bool = False) -> State:
        """Record an answer (`took` in milliseconds) and return the face's new state; `cram` leaves the schedule as it is.

        Raise `UsageError` if it cannot be written, as every method that writes does.
        """
        at, zone = milliseconds(now), zone_of(now)
        kind: Kind = "cram" if cram else "review"
        with self._writing():
            row = self.log.add(kind, at, zone, card=face.id, rating=rating, took=min(LONGEST, took), scheduling=self.scheduling.id)
        self._answered.append(row)
        return self.state(face)

    def can_undo(self, now: datetime) -> bool:
        """Whether there is an answer to undo."""
        return bool(self._answered or self._last_of_today(now))

    def undo(self, now: datetime) -> Face | None:
        """Undo the last answer of this session, or else of today on this device. Return its face, None if there is none."""
        row = self._answered.pop() if self._answered else self._last_of_today(now)
        if row is None:
            return None
        with self._writing():
            self.log.add("undo", milliseconds(now), zone_of(now), card=row.card, about=row.id)
        return self._every[row.card]

    def flag(self, face: Face, now: datetime) -> bool:
        """Flag a card, or remove its flag. Return whether it has one now."""
        with self._writing():
            self.log.add("flag", milliseconds(now), zone_of(now), card=face.id)
        return self.state(face).flagged

    def bring(self, cards: Iterable[str], now: datetime, why: str) -> tuple[str, ...]:
        """Make cards (ids with their lesson) due today, each at most once a day. Return those that were not due already."""
        self.refresh()
        at, zone = milliseconds(now), zone_of(now)
        today, wanted = day_of(at, zone), set(cards)
        lately = {row.card for row in self.log.special("bring") if day_of(row.at, row.zone) == today}
        faces = [face for face in self._every.values() if face.of in wanted and face.id not in lately and not self._is_at_hand(face, now)]
        if faces:
            with self._writing():
                for face in faces:
                    self.log.add("bring", at, zone, card=face.id, about=why[:200])
        return tuple(dict.fromkeys(face.of for face in faces))

    def trust_clock(self, now: datetime) -> None:
        """Record that the clock is right now: later times from this device came from a wrong clock."""
        with self._writing():
            self.log.add("clock", milliseconds(now), zone_of(now))

    def adopt(self, scheduling: Scheduling, now: datetime) -> None:
        """Use other parameters from now on, for all cards. Raise `ValueError` if `fsrs` refuses them."""
        scheduling.scheduler()
        with self._writing():
            self.log.describe(scheduling.id, scheduling.facts)
            self.log.add("adopt", milliseconds(now), zone_of(now), scheduling=scheduling.id)

    def merge(self, other: Path, now: datetime) -> Merged:
        """Add the reviews of another device or of Anki. Raise `UsageError` if `other` cannot be read."""
        merged = merge(self.log, other, self._every.values(), zone_of(now))
        self.refresh()
        return merged

    def refresh(self) -> None:
        """Read what was written since, here or elsewhere, recompute the states that it touches, and cache them."""
        if self.log.last() == self._read:
            return
        with self.log.reading():
            about, states = self.log.cached()
            fresh = about.get("format") == FORMAT
            rows, self._read = self.log.since(int(about.get("upto", 0)) if fresh else 0), self.log.last()
            self.scheduling = scheduling_in_force(self.log)
            whole = not fresh or about.get("scheduling") != self.scheduling.id or any(row.kind in ("clock", "adopt") for row in rows)
            touched = self.log.of(None if whole else {row.card for row in rows if row.card})
            clocks = clocks_of(self.log)
        made = replay(touched, clocks, self.scheduling)
        self.states = made if whole else {card: msgspec.json.decode(state, type=State) for card, state in states.items()} | made
        if rows or whole:
            encoded = {card: msgspec.json.encode(state).decode() for card, state in made.items()}
            about = {"upto": str(self._read), "format": FORMAT, "scheduling": self.scheduling.id}
            with suppress(StoreFault), self.log.writing():  # otherwise they are computed again next time
                self.log.cache(about, encoded, whole=whole)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with self.log.writing():
                self.log.describe(self.scheduling.id, self.scheduling.facts)
                yield
        except StoreFault as fault:  # the disk is full, or another program has locked the file
            fix = "free some disk space, or close the program that uses the file, and come back: earlier answers are saved"
            raise UsageError(f"{self.log.path}: this cannot be saved ({fault.why})", fix) from None
        self.refresh()

    def _last_of_today(self, now: datetime) -> Row | None:
        withdrawn, today = {row.about for row in self.log.special("undo")}, day_of(milliseconds(now), zone_of(now))
        own = takewhile(lambda row: day_of(row.at, row.zone) == today, self.log.latest_answers())
        return next((row for row in own if row.id not in withdrawn and row.card in self._every), None)

    def _is_at_hand(self, face: Face, now: datetime) -> bool:
        state, zone = self.state(face), zone_of(now)
        due = state.phase == "review" and day_of(state.due, zone) <= day_of(milliseconds(now), zone)
        return state.wanted or state.learning or due
