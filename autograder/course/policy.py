"""The grading policy as frozen data: limits, due dates, lateness, weights, and what students see. `references` checks what it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal, TypeVar

from msgspec import Struct, field

T = TypeVar("T")


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """The resources of a submission. Seconds are CPU time; a submission that only waits is stopped after ten times as much."""

    import_seconds: float = 5.0
    call_seconds: float = 2.0
    submission_seconds: float = 20.0
    memory_mib: int = 1024
    output_kib: int = 64
    source_kib: int = 6144  # of code; the rest of a notebook does not count
    packages: tuple[str, ...] = ()  # that it may import, if they are installed, besides those of the engine


class Late(Struct, frozen=True, forbid_unknown_fields=True):
    """The penalty for late work: `percent` of the score, once or for each day begun, and at most `most` percent."""

    percent: float
    per: Literal["day", "hand-in"] = "day"
    most: float = 100
    grace_minutes: int = 0


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """How submissions are graded, what results count, and what students see of them.

    `weights` and keys that end in `_of` are by exercise, of any lesson or below the lesson's id (see `setting_of`).
    """

    limits: Limits = Limits()
    limits_of: dict[str, Limits | dict[str, Limits]] = field(default_factory=dict)
    reveal: Literal["all", "titles", "nothing"] = "all"
    reveal_from: datetime | None = None  # nothing is shown before
    time_zone: str = ""  # of times that name none, and of days; as in the IANA database
    due: datetime | None = None
    due_of: dict[str, datetime | dict[str, datetime]] = field(default_factory=dict)
    late: Late | None = None
    counts: Literal["last", "best"] = "last"  # which of a student's attempts
    prefer: Literal["py", "notebook", "newest"] = "py"  # which file, if two were worked on
    missing: Literal["blank", "zero"] = "zero"  # what an export holds where nothing was handed in
    show_solutions: tuple[str, ...] = ()  # exercises whose solution a release holds, for those who pass
    practice: Literal["open", "own"] = "open"  # with the lesson's numbers, or with each student's own
    weights: dict[str, float | dict[str, float]] = field(default_factory=dict)  # by default an exercise's points
    lesson_weights: dict[str, float] = field(default_factory=dict)  # by default the sum of its exercises'
    pass_mark: float | None = None  # percent of the whole


def setting_of(table: Mapping[str, T | dict[str, T]], lesson: str, exercise: str) -> T | None:
    """Return what a policy sets for an exercise: below its lesson, by its own name in any lesson, or for the whole lesson."""
    below = table.get(lesson)
    found = below.get(exercise) if isinstance(below, dict) else None
    return next((one for one in (found, table.get(exercise), below) if one is not None and not isinstance(one, dict)), None)


def settings_in(table: Mapping[str, T | dict[str, T]]) -> Iterator[tuple[tuple[str, ...], T]]:
    """Yield what a policy sets by exercise, each with the keys that lead to it."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from (((name, own), one) for own, one in value.items())
        else:
            yield (name,), value


def limits_for(policy: Policy, lesson: str, exercise: str) -> Limits:
    """Return the limits of an exercise's submissions."""
    return setting_of(policy.limits_of, lesson, exercise) or policy.limits
