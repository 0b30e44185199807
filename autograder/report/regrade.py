"""What grading again changes, as tables for the terminal. Builds them; only the command line prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from autograder.explain import clean
from autograder.grades.changes import Change
from autograder.report.feedback import points


def change_table(changes: Iterable[Change]) -> Table:
    """One row for each student and exercise: what counts before and after, by how much it differs, and why."""
    table = Table(title="Who changes")
    for name in ("student", "exercise", "before", "after", "by", "why"):
        table.add_column(name, justify="right" if name in ("before", "after", "by") else "left")
    for one in changes:
        table.add_row(Text(clean(one.student, 40)), one.exercise, _shown(one.before), _shown(one.after), f"{one.by:+g}", Text(_why(one)))
    return table


def check_table(changes: Iterable[Change]) -> Table:
    """One row for each check that moved: for how many up, for how many down."""
    up: Counter[tuple[str, str]] = Counter()
    down: Counter[tuple[str, str]] = Counter()
    for one in changes:
        for moved in one.moved:
            (up if moved.after > moved.before else down)[one.exercise, moved.check] += 1
    table = Table(title="Which checks change")
    for name in ("exercise", "check", "more points", "fewer"):
        table.add_column(name, justify="right" if name in ("more points", "fewer") else "left")
    for exercise, check in sorted({*up, *down}, key=lambda key: (-up[key] - down[key], key)):
        table.add_row(exercise, check, str(up[exercise, check]), str(down[exercise, check]))
    return table


def _why(one: Change) -> str:
    reasons = ["handed in anew"] if one.anew else []
    for moved in one.moved:
        stays = " (yours stays)" if moved.decided else ""
        reasons.append(f"{moved.check} {points(moved.before)} → {points(moved.after)}{stays}")
    return ", ".join(reasons)


def _shown(value: float | None) -> str:
    return "" if value is None else points(value)
