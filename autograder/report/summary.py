"""A class in short: counts, means, the slips that many made. Grows with the exercises, not with the students."""

from __future__ import annotations

from collections import Counter
from typing import Any

from msgspec import Struct, field

from autograder.model import Result


class ExerciseSummary(Struct):
    """What is known of one exercise after any number of results."""

    max_score: float = 0.0
    total: float = 0.0
    statuses: Counter[str] = field(default_factory=Counter)
    slips: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(self, result: Result, score: float) -> None:
        """Count one result in, as `score`: what was earned, or what counts of it."""
        self.max_score = max(self.max_score, result.max_score)
        self.total += score if result.status == "graded" else 0
        self.statuses[result.status] += 1
        self.slips.update({(check.misconception, check.section or "") for check in result.checks if check.misconception})

    @property
    def graded(self) -> int:
        return self.statuses["graded"]

    @property
    def mean(self) -> float:
        """Mean score of what was handed in and judged."""
        return self.total / self.graded if self.graded else 0.0


class Summary(Struct):
    """What is known of a run after any number of results."""

    exercises: dict[tuple[str, str], ExerciseSummary] = {}
    results: int = 0

    def add(self, result: Result) -> None:
        """Count one result in."""
        self.exercises.setdefault((result.lesson, result.exercise), ExerciseSummary()).count(result, result.score)
        self.results += 1

    def sort(self, exercises: list[str]) -> None:
        """Put the exercises into this order, whichever was graded first."""
        self.exercises = dict(sorted(self.exercises.items(), key=lambda item: exercises.index(item[0][1])))

    def count(self, status: str) -> int:
        """Count the results of one status."""
        return sum(one.statuses[status] for one in self.exercises.values())

    def as_json(self) -> dict[str, Any]:
        """Give the summary as plain data for `--json`."""
        return {
            "results": self.results,
            "statuses": {name: self.count(name) for name in ("graded", "missing", "unreadable", "not_judged")},
            "exercises": [
                {"lesson": lesson, "exercise": exercise, "mean": round(one.mean, 4), "max_score": one.max_score}
                | {"statuses": dict(one.statuses), "slips": {slip: count for (slip, _), count in sorted(one.slips.items())}}
                for (lesson, exercise), one in sorted(self.exercises.items())
            ],
        }
