"""Parameters fitted to one learner, by `fsrs`'s own optimizer, and how well parameters foretell what was known.

The loss is the mean of −log of the probability that was given to what happened, over answers a day or more after the last one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain

import fsrs
import msgspec

from autograder.errors import UsageError
from autograder.flashcards.deck import Deck
from autograder.flashcards.schedule import Scheduling, Step, clocks_of, day_of, recalled, steps

ENOUGH = 512  # answers that count, says FSRS
_SMALLEST = 1e-9  # probability, so that a loss is finite


class Fit(msgspec.Struct, frozen=True):
    """What a fit came to: how many answers counted, the losses of the parameters in force and of the fitted ones, and those."""

    counted: int
    before: float
    after: float
    scheduling: Scheduling


def fit(deck: Deck) -> Fit:
    """Fit parameters to the whole log. Raise `UsageError` where it is too short, or what `fsrs` needs is not installed."""
    histories = _histories(deck, deck.scheduling)
    counted = sum(_counts(step) for step in chain.from_iterable(histories))
    if counted < ENOUGH:
        problem = f"{counted} answers count so far, and {ENOUGH} are needed: those given a day or more after the last"
        raise UsageError(problem, "go on reviewing; the parameters that FSRS begins with are good ones")
    parameters = _optimal([log for place, own in enumerate(histories) for log in _as_logs(place, own)])
    fitted = msgspec.structs.replace(deck.scheduling, parameters=parameters)
    return Fit(counted, loss(deck, deck.scheduling), loss(deck, fitted), fitted)


def loss(deck: Deck, scheduling: Scheduling) -> float:
    """Give the mean loss of some parameters over the log."""
    scheduler, losses = scheduling.scheduler(), []
    for step in chain.from_iterable(_histories(deck, scheduling)):
        if _counts(step):
            known = recalled(step.before, step.at, step.row.zone, scheduler)
            losses.append(-math.log(max(_SMALLEST, known if step.row.rating > 1 else 1 - known)))
    return sum(losses) / len(losses)


def _histories(deck: Deck, scheduling: Scheduling) -> list[list[Step]]:
    """Give the answers of every face, as those parameters would have scheduled it."""
    clocks, scheduler = clocks_of(deck.log), scheduling.scheduler()
    return [[step for step in steps(rows, clocks, scheduler) if step.row.kind == "review"] for _, rows in sorted(deck.log.of().items())]


def _counts(step: Step) -> bool:
    """Whether memory was tested: a day or more has turned since the last answer."""
    return step.before.reviews > 0 and day_of(step.at, step.row.zone) > step.before.last_day


def _as_logs(place: int, own: Sequence[Step]) -> Iterator[fsrs.ReviewLog]:
    """Write a face's answers as `fsrs` wants them, in days that turn where ours do: midnight, and a second for each answer before."""
    for number, step in enumerate(own):
        day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day_of(step.at, step.row.zone), seconds=number)
        yield fsrs.ReviewLog(place, fsrs.Rating(step.row.rating), day, None)


def _optimal(logs: list[fsrs.ReviewLog]) -> tuple[float, ...]:
    try:
        found = fsrs.Optimizer(logs).compute_optimal_parameters()
    except ImportError:
        raise UsageError("fitting needs pandas and tqdm", "install them: `pip install pandas tqdm`") from None
    return tuple(float(parameter) for parameter in found)
