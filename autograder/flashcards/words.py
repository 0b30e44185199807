"""What a learner reads of a review, in the terminal and on a page: ratings, keys, a time to come in words, and when the next come."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograder.flashcards.queue import Queue

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
    """Say when the next cards come, after those that are asked now; nothing where none is to come."""
    if queue.learning:
        soonest = datetime.fromtimestamp(queue.learning[0][0] / 1000).astimezone()
        return f"Next: a card that you are learning, at {soonest:%H:%M}."
    if not queue.later:
        return ""
    day = min(queue.later)
    count, days = queue.later.count(day), day - queue.today
    return f"Next: {count} card{'s' if count != 1 else ''} {'tomorrow' if days == 1 else f'in {days} days'}."
