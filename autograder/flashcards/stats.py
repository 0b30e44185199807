"""What the log tells a learner about years of reviews. Counts and shares, no praise and no blame; computed anew each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

import msgspec

from autograder.flashcards.deck import Deck
from autograder.flashcards.faces import Face
from autograder.flashcards.schedule import Step, clocks_of, date_of, day_of, milliseconds, recalled, steps, zone_of

AHEAD = 30  # days that are looked ahead
HARDEST = 5
MONTHS = 12


class Month(msgspec.Struct, frozen=True):
    """Of the cards whose interval was a day or more, how many were still known when they came back."""

    first: date
    known: int
    asked: int


class Hard(msgspec.Struct, frozen=True):
    """A card that was forgotten: how often, and how difficult FSRS holds it, from 1 to 10."""

    face: Face
    lapses: int
    difficulty: float


class Part(msgspec.Struct, frozen=True):
    """One objective: its cards, how many were begun, how many are due, and the share that would be known now."""

    objective: str
    faces: int
    begun: int
    due: int
    known: float | None


class Days(msgspec.Struct, frozen=True):
    """On which days there were answers: how many in a row up to today or yesterday, the longest row, and all."""

    row: int
    longest: int
    all: int


class Stats(msgspec.Struct, frozen=True):
    """All of it. `due` counts today (with what is overdue) and the days after; `minutes` is the time spent on answers."""

    today: date
    answers: int
    minutes: float
    due: tuple[int, ...]
    months: tuple[Month, ...]
    days: Days
    hardest: tuple[Hard, ...]
    parts: tuple[Part, ...]
    flagged: tuple[Face, ...]


def stats_of(deck: Deck, now: datetime) -> Stats:
    """Count over the chosen cards. A card that the course no longer has counts where answers are counted, and nowhere else."""
    deck.refresh()
    zone = zone_of(now)
    today = day_of(milliseconds(now), zone)
    scheduler = deck.scheduling.scheduler()
    clocks = clocks_of(deck.log)
    done = [step for rows in deck.log.of().values() for step in steps(rows, clocks, scheduler) if step.row.kind in ("review", "cram")]
    standing = [(face, deck.state(face)) for face in deck.faces.values()]
    coming = Counter(max(0, day_of(state.due, zone) - today) for _, state in standing if state.reviews or state.wanted)
    hard = [Hard(face, state.lapses, state.difficulty or 0) for face, state in standing if state.lapses]
    return Stats(
        today=date_of(today),
        answers=len(done),
        minutes=sum(step.row.took for step in done) / 60_000,
        due=tuple(coming[day] for day in range(AHEAD)),
        months=_months(done),
        days=_days({day_of(step.at, step.row.zone) for step in done}, today),
        hardest=tuple(sorted(hard, key=lambda one: (-one.lapses, -one.difficulty, one.face.id))[:HARDEST]),
        parts=tuple(_part(deck, objective, now) for objective in dict.fromkeys(face.card.objective for face, _ in standing)),
        flagged=tuple(face for face, state in standing if state.flagged),
    )


def _months(done: Iterable[Step]) -> tuple[Month, ...]:
    asked: Counter[date] = Counter()
    known: Counter[date] = Counter()
    for step in done:
        if step.row.kind == "review" and step.before.phase == "review":
            first = date_of(day_of(step.at, step.row.zone)).replace(day=1)
            asked[first] += 1
            known[first] += step.row.rating > 1
    return tuple(Month(first, known[first], asked[first]) for first in sorted(asked)[-MONTHS:])


def _days(days: set[int], today: int) -> Days:
    """Count rows of days. A today without answers is not over yet, and breaks no row."""
    rows: list[list[int]] = []
    for day in sorted(days):
        if rows and rows[-1][-1] == day - 1:
            rows[-1].append(day)
        else:
            rows.append([day])
    current = len(rows[-1]) if rows and rows[-1][-1] >= today - 1 else 0
    return Days(current, max(map(len, rows), default=0), len(days))


def _part(deck: Deck, objective: str, now: datetime) -> Part:
    own = [face for face in deck.faces.values() if face.card.objective == objective]
    begun = [deck.state(face) for face in own if deck.state(face).reviews]
    zone = zone_of(now)
    due = sum(day_of(state.due, zone) <= day_of(milliseconds(now), zone) for state in begun)
    shares = [recalled(state, milliseconds(now), zone, deck.scheduling.scheduler()) for state in begun]
    return Part(objective, len(own), len(begun), due, sum(shares) / len(shares) if shares else None)


def days_ahead(stats: Stats) -> Sequence[date]:
    """Give the dates that `due` counts."""
    return [stats.today + timedelta(days=number) for number in range(len(stats.due))]
