"""When a card comes back: a pure function of its rows in the log and of the parameters. `fsrs` does the arithmetic.

Ours are the order of the rows, undo, cards that a failed check brings back, and days that begin at 4 a.m. where the learner is.
`fsrs`'s random fuzz is off, so the same log always means the same schedule.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from typing import Annotated, Literal

import fsrs
import msgspec

from autograder.learner.review.log import Log, Row, grouped

DAY_START = 4 * 3_600_000  # a day begins at 4 a.m., in milliseconds
DAY = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
Phase = Literal["new", "learning", "review", "relearning"]
_PHASES: dict[fsrs.State, Phase] = {fsrs.State.Learning: "learning", fsrs.State.Review: "review", fsrs.State.Relearning: "relearning"}
_STATES = {phase: state for state, phase in _PHASES.items()}


Retention = Annotated[float, msgspec.Meta(ge=0.5, le=0.99)]
Steps = Annotated[tuple[Annotated[int, msgspec.Meta(ge=1, le=30 * 86_400)], ...], msgspec.Meta(max_length=20)]
Interval = Annotated[int, msgspec.Meta(ge=1, le=36_500)]


class Scheduling(msgspec.Struct, frozen=True):
    """An algorithm, its library and its parameters. Steps are in seconds, the interval in days; what is read has to be within bounds."""

    algorithm: str = "FSRS-6"
    library: str = f"fsrs {version('fsrs')}"
    parameters: tuple[float, ...] = tuple(fsrs.Scheduler(enable_fuzzing=False).parameters)
    desired_retention: Retention = 0.9
    learning_steps: Steps = (60, 600)
    relearning_steps: Steps = (600,)
    maximum_interval: Interval = 36_500

    @property
    def facts(self) -> str:
        return msgspec.json.encode(self).decode()

    @property
    def id(self) -> str:
        return scheduling_id(self.facts)

    def scheduler(self) -> fsrs.Scheduler:
        """Return `fsrs`'s scheduler. Raise `ValueError` if parameters are out of bounds."""
        learning, relearning = ([timedelta(seconds=step) for step in steps] for steps in (self.learning_steps, self.relearning_steps))
        return fsrs.Scheduler(self.parameters, self.desired_retention, learning, relearning, self.maximum_interval, enable_fuzzing=False)


class State(msgspec.Struct, frozen=True):
    """The state of one face. Moments are milliseconds of UTC, days are numbered by `day_of`; `wanted` means that it was brought back."""

    phase: Phase = "new"
    due: int = 0
    step: int | None = None
    stability: float | None = None
    difficulty: float | None = None
    last: int = 0
    last_day: int = 0
    first_day: int = 0
    reviews: int = 0
    lapses: int = 0
    wanted: bool = False
    flagged: bool = False

    @property
    def learning(self) -> bool:
        return self.phase in ("learning", "relearning")


def scheduling_id(facts: str) -> str:
    """Return the id of the scheduling with these facts."""
    return hashlib.sha256(facts.encode(errors="replace")).hexdigest()[:16]


Clocks = Mapping[str, Sequence[Row]]


def milliseconds(moment: datetime) -> int:
    """Return a moment in milliseconds of UTC."""
    return (moment - _EPOCH) // _MILLISECOND


def zone_of(moment: datetime) -> int:
    """Return the UTC offset of a moment in minutes."""
    return (moment.utcoffset() or timedelta()) // timedelta(minutes=1)


def day_of(at: int, zone: int) -> int:
    """Return the number of the day of a moment (milliseconds), `zone` minutes east of UTC."""
    return (at + zone * 60_000 - DAY_START) // DAY


def date_of(day: int) -> date:
    """Return the date of a day that `day_of` numbered."""
    return date(1970, 1, 1) + timedelta(days=day)


def scheduling_in_force(log: Log) -> Scheduling:
    """Return the scheduling that was adopted last, or `fsrs`'s defaults."""
    for row in reversed(log.special("adopt")):
        try:
            adopted = msgspec.json.decode(log.schedulings().get(row.scheduling, ""), type=Scheduling)
            adopted.scheduler()
        except (msgspec.MsgspecError, ValueError):
            continue  # from another version, or damaged
        return msgspec.structs.replace(adopted, library=Scheduling().library)
    return Scheduling()


def clocks_of(log: Log) -> Clocks:
    """Return by device the rows with which a learner confirmed the clock: later times before them were wrong."""
    return grouped(log.special("clock"), "device")


def _moment_of(row: Row, clocks: Clocks) -> int:
    """Return when a row was written: the time that its clock showed, but no later than when that clock was corrected."""
    return min((clock.at for clock in clocks.get(row.device, ()) if clock.number > row.number and clock.at < row.at), default=row.at)


def replay(rows: Mapping[str, Sequence[Row]], clocks: Clocks, scheduling: Scheduling) -> dict[str, State]:
    """Return the state of every face, from its rows in any order."""
    scheduler = scheduling.scheduler()
    return {card: [State(), *(step.after for step in steps(own, clocks, scheduler))][-1] for card, own in rows.items()}


class Step(msgspec.Struct, frozen=True):
    """One row of a face, its moment, and the state before and after."""

    at: int
    row: Row
    before: State
    after: State


def steps(rows: Iterable[Row], clocks: Clocks, scheduler: fsrs.Scheduler) -> Iterator[Step]:
    """Yield a step for each row of a face that was not withdrawn, in the order in which they happened."""
    state, rows = State(), list(rows)
    withdrawn = {row.about for row in rows if row.kind == "undo"}
    standing = [(_moment_of(row, clocks), row) for row in rows if row.kind != "undo" and row.id not in withdrawn]
    for at, row in sorted(standing, key=lambda pair: (pair[0], pair[1].number, pair[1].id)):
        before = state
        if row.kind == "review":
            state = after(state, row.rating, at, row.zone, scheduler)
        elif row.kind == "bring":
            state = msgspec.structs.replace(state, wanted=True, due=min(state.due, at) if state.reviews else at)
        elif row.kind == "flag":
            state = msgspec.structs.replace(state, flagged=not state.flagged)
        yield Step(at, row, before, state)


def recalled(state: State, at: int, zone: int, scheduler: fsrs.Scheduler) -> float:
    """Return the probability that a face is remembered at a moment (`fsrs`'s retrievability)."""
    card = _card(state, at, zone)
    return float(scheduler.get_card_retrievability(card, card.due))


def after(state: State, rating: int, at: int, zone: int, scheduler: fsrs.Scheduler) -> State:
    """Return the state of a face after an answer."""
    card, day = _card(state, at, zone), day_of(at, zone)
    made, _ = scheduler.review_card(card, fsrs.Rating(rating), card.due)
    lapsed = state.phase == "review" and rating == fsrs.Rating.Again
    return State(_PHASES[made.state], milliseconds(made.due), made.step, made.stability, made.difficulty, at, day,
                 state.first_day if state.reviews else day, state.reviews + 1, state.lapses + lapsed,
                 flagged=state.flagged)  # fmt: skip


def _card(state: State, at: int, zone: int) -> fsrs.Card:
    """Return a face as a card that is due at this moment.

    `fsrs` counts days of 24 hours between two reviews. We pass a last review as many whole days ago as days have begun since, so a
    card that was answered last night is a day old this morning.
    """
    when, known = _EPOCH + at * _MILLISECOND, _STATES.get(state.phase, fsrs.State.Learning)
    last = when - timedelta(days=max(0, day_of(at, zone) - state.last_day)) if state.reviews else None
    return fsrs.Card(0, known, state.step, state.stability, state.difficulty, when, last)
