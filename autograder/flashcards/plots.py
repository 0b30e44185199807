"""The learner's figures as a picture: what is due, and what was still known. Needs matplotlib, of the extra `reference`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from autograder.errors import UsageError
from autograder.flashcards.stats import Stats, days_ahead

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(stats: Stats, out: Path) -> None:
    """Draw into a PNG file. Raise `UsageError` where there is no matplotlib, or the file cannot be written."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UsageError("a picture needs matplotlib", "install it: `pip install matplotlib`") from None
    figure = Figure(figsize=(8, 5), layout="constrained")
    above, below = figure.subplots(2, 1)
    _due(above, stats)
    _known(below, stats)
    try:
        figure.savefig(out, format="png", dpi=120, metadata={"Software": None})
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror or error}", "name a file in a folder that you may write in: --png PATH") from None


def _due(axes: Axes, stats: Stats) -> None:
    axes.bar([f"{day.day}" for day in days_ahead(stats)], stats.due, color="#0072b2")
    axes.set(title=f"Due in the next {len(stats.due)} days, from {stats.today:%Y-%m-%d}", ylabel="cards")
    axes.tick_params(axis="x", labelsize=7)


def _known(axes: Axes, stats: Stats) -> None:
    shares = [100 * month.known / month.asked for month in stats.months]
    bars = axes.bar([f"{month.first:%Y-%m}" for month in stats.months], shares, color="#009e73")
    axes.bar_label(bars, [f"{month.known} of {month.asked}" for month in stats.months], fontsize=7)
    axes.set(title="Still known when it came back", ylabel="%", ylim=(0, 110))
