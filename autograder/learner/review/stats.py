"""Statistics over years of reviews, and FSRS parameters fitted to them. Counts and shares, no praise and no blame."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import chain, groupby
from pathlib import Path

import fsrs
import msgspec

from autograder.course.errors import UsageError
from autograder.learner.review.deck import Deck
from autograder.learner.review.queue import Face
from autograder.learner.review.schedule import Scheduling, Step, clocks_of, date_of, day_of, milliseconds, recalled, steps, zone_of

AHEAD = 30  # days of the forecast
HARDEST = 5
MONTHS = 12


class Month(msgspec.Struct, frozen=True):
    """How many cards in review were asked in a month, and how many of them were still known."""

    first: date
    known: int
    asked: int


class Hard(msgspec.Struct, frozen=True):
    """A card that was forgotten: how often, and its FSRS difficulty, from 1 to 10."""

    face: Face
    lapses: int
    difficulty: float


class Part(msgspec.Struct, frozen=True):
    """One objective: its cards, how many were begun, how many are due, and the share of the begun ones expected to be known now."""

    objective: str
    faces: int
    begun: int
    due: int
    known: float | None


class Days(msgspec.Struct, frozen=True):
    """Days with answers: the current streak (up to today or yesterday), the longest one, and all."""

    row: int
    longest: int
    all: int


class Stats(msgspec.Struct, frozen=True):
    """All statistics. `due` counts cards for today (with overdue ones) and each day after; `minutes` is the time spent on answers."""

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
    """Compute the statistics of the chosen cards. Cards that the course no longer has count only among the answers."""
    deck.refresh()
    zone = zone_of(now)
    today = day_of(milliseconds(now), zone)
    scheduler = deck.scheduling.scheduler()
    clocks = clocks_of(deck.log)
    done = [step for rows in deck.log.of().values() for step in steps(rows, clocks, scheduler) if step.row.kind in ("review", "cram")]
    standing = [(face, deck.state(face)) for face in deck.faces.values()]
    coming = Counter(max(0, day_of(state.due, zone) - today) for _, state in standing if state.reviews or state.wanted)
    due, objectives = deck.queue(now).due_by_objective, dict.fromkeys(face.card.objective for face, _ in standing)
    hard = [Hard(face, state.lapses, state.difficulty or 0) for face, state in standing if state.lapses]
    return Stats(
        today=date_of(today),
        answers=len(done),
        minutes=sum(step.row.took for step in done) / 60_000,
        due=tuple(coming[day] for day in range(AHEAD)),
        months=_months(done),
        days=_days({day_of(step.at, step.row.zone) for step in done}, today),
        hardest=tuple(sorted(hard, key=lambda one: (-one.lapses, -one.difficulty, one.face.id))[:HARDEST]),
        parts=tuple(_part(deck, objective, due[objective], now) for objective in objectives),
        flagged=tuple(face for face, state in standing if state.flagged),
    )


def _months(done: Iterable[Step]) -> tuple[Month, ...]:
    known: dict[date, list[bool]] = {}
    for step in done:
        if step.row.kind == "review" and step.before.phase == "review":
            known.setdefault(date_of(day_of(step.at, step.row.zone)).replace(day=1), []).append(step.row.rating > 1)
    return tuple(Month(first, sum(known[first]), len(known[first])) for first in sorted(known)[-MONTHS:])


def _days(days: set[int], today: int) -> Days:
    """Count streaks of days. A today without answers is not over yet, so it breaks none."""
    runs = groupby(enumerate(sorted(days)), key=lambda pair: pair[1] - pair[0])  # the same in a row of successive days
    rows = [[day for _, day in run] for _, run in runs]
    current = len(rows[-1]) if rows and rows[-1][-1] >= today - 1 else 0
    return Days(current, max(map(len, rows), default=0), len(days))


def _part(deck: Deck, objective: str, due: int, now: datetime) -> Part:
    own = [face for face in deck.faces.values() if face.card.objective == objective]
    begun = [deck.state(face) for face in own if deck.state(face).reviews]
    shares = [recalled(state, milliseconds(now), zone_of(now), deck.scheduling.scheduler()) for state in begun]
    return Part(objective, len(own), len(begun), due, sum(shares) / len(shares) if shares else None)


ENOUGH = 512  # answers that FSRS's optimizer asks for
_SMALLEST = 1e-9  # the least probability, so that the loss is finite


class Fit(msgspec.Struct, frozen=True):
    """A fit: how many answers counted, the losses of the parameters in use and of the fitted ones, and the fitted scheduling."""

    counted: int
    before: float
    after: float
    scheduling: Scheduling


def fit(deck: Deck) -> Fit:
    """Fit parameters to the whole log. Raise `UsageError` if it is too short, or if `fsrs`'s optimizer is not installed."""
    histories = _histories(deck, deck.scheduling)
    counted = sum(_counts(step) for step in chain.from_iterable(histories))
    if counted < ENOUGH:
        problem = f"{ENOUGH} answers are needed, and {counted} count so far: those given a day or more after the previous one"
        raise UsageError(problem, "keep reviewing; FSRS's default parameters are good ones")
    try:
        found = fsrs.Optimizer([log for place, own in enumerate(histories) for log in _as_logs(place, own)]).compute_optimal_parameters()
    except ImportError:
        raise UsageError("fitting needs pandas and tqdm", "install them: `pip install pandas tqdm`") from None
    fitted = msgspec.structs.replace(deck.scheduling, parameters=tuple(map(float, found)))
    return Fit(counted, loss(deck, deck.scheduling), loss(deck, fitted), fitted)


def loss(deck: Deck, scheduling: Scheduling) -> float:
    """Return the mean log loss of some parameters over the log, in nats."""
    scheduler, losses = scheduling.scheduler(), []
    for step in chain.from_iterable(_histories(deck, scheduling)):
        if _counts(step):
            known = recalled(step.before, step.at, step.row.zone, scheduler)
            losses.append(-math.log(max(_SMALLEST, known if step.row.rating > 1 else 1 - known)))
    return sum(losses) / len(losses)


def _histories(deck: Deck, scheduling: Scheduling) -> list[list[Step]]:
    """Return the answers to every face, with the states that these parameters would have given it."""
    clocks, scheduler = clocks_of(deck.log), scheduling.scheduler()
    return [[step for step in steps(rows, clocks, scheduler) if step.row.kind == "review"] for _, rows in sorted(deck.log.of().items())]


def _counts(step: Step) -> bool:
    """Whether an answer tested memory: a new day has begun since the previous one."""
    return step.before.reviews > 0 and day_of(step.at, step.row.zone) > step.before.last_day


def _as_logs(place: int, own: Sequence[Step]) -> Iterator[fsrs.ReviewLog]:
    """Convert a face's answers for `fsrs`, which begins days at midnight: each gets our day, and a second for each answer before."""
    for number, step in enumerate(own):
        day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day_of(step.at, step.row.zone), seconds=number)
        yield fsrs.ReviewLog(place, fsrs.Rating(step.row.rating), day, None)


def draw(stats: Stats, out: Path) -> None:
    """Draw the forecast and the months into a PNG file. Raise `UsageError` if matplotlib is missing or the file cannot be written."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UsageError("drawing needs matplotlib", "install it: `pip install matplotlib`") from None
    figure = Figure(figsize=(8, 5), layout="constrained")
    above, below = figure.subplots(2, 1)
    above.bar([f"{(stats.today + timedelta(days=number)).day}" for number in range(len(stats.due))], stats.due, color="#0072b2")
    above.set(title=f"Due in the next {len(stats.due)} days, from {stats.today:%Y-%m-%d}", ylabel="cards")
    above.tick_params(axis="x", labelsize=7)
    shares = [100 * month.known / month.asked for month in stats.months]
    bars = below.bar([f"{month.first:%Y-%m}" for month in stats.months], shares, color="#009e73")
    below.bar_label(bars, [f"{month.known} of {month.asked}" for month in stats.months], fontsize=7)
    below.set(title="Still known when it came back", ylabel="%", ylim=(0, 110))
    try:
        figure.savefig(out, format="png", dpi=120, metadata={"Software": None})
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror or error}", "name a file that can be written: --png PATH") from None
