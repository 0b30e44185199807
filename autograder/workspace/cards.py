"""The workspace's flashcards: a slip that was named brings its card back, and progress tells what is due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime

from autograder.errors import UsageError
from autograder.flashcards.deck import Deck
from autograder.flashcards.log import NAME
from autograder.model import CheckResult
from autograder.questions import Mark
from autograder.workspace.places import Workspace


def bring_back(workspace: Workspace, told: Iterable[CheckResult | Mark], why: str, now: datetime) -> tuple[str, ...]:
    """Make the cards of named slips due today, each once a day; give the ids of those that were not due already."""
    wanted = dict.fromkeys(one.card for one in told if one.outcome == "failed" and one.misconception and one.card)
    if not wanted:
        return ()
    lesson = workspace.lesson
    try:
        with Deck.open(workspace.hidden, [lesson]) as deck:
            brought = deck.bring([f"{lesson.id}/{card}" for card in wanted], now, why)
    except UsageError:  # the log can't be written now: the check was made all the same
        return ()
    return tuple(name.partition("/")[2] for name in brought)


def due_by_objective(workspace: Workspace, now: datetime) -> Callable[[str], int] | None:
    """Count what is due today for each objective, learning cards too; None where nothing was reviewed yet."""
    if not (workspace.hidden / NAME).is_file():
        return None
    with Deck.open(workspace.hidden, [workspace.lesson]) as deck:
        queue = deck.queue(now)
    counted = Counter(face.card.objective for face in (*queue.due, *(face for _, face in queue.learning)))
    return lambda objective: counted[objective]
