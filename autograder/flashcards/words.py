"""What a learner reads of a review, in the terminal and on a page: the names of the ratings, and a time to come in words."""

from __future__ import annotations

from datetime import timedelta

RATINGS = ("Again", "Hard", "Good", "Easy")  # rated 1 to 4


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
