"""Points that a person gives for a check in place of the grader's. They are appended, so what was decided before stays readable."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from difflib import get_close_matches

from autograder.errors import UsageError
from autograder.explain import clean
from autograder.grades.counting import Grade
from autograder.model import CheckResult, Override


def decide(graded: Iterable[Grade], checks: dict[str, dict[str, float]], student: str, wanted: str, points: float, reason: str) -> Override:
    """Make out which check of which exercise is meant, and decide it.

    `graded` is what the student has, `checks` the most points of each check by exercise. Raise `UsageError` for what cannot be.
    """
    results = {grade.result.exercise: grade.result for grade in graded}
    exercise, check = _meant(wanted, {name: own for name, own in checks.items() if name in results})
    most = checks[exercise][check]
    if not 0 <= points <= most:
        raise UsageError(f"{points:g} points for `{check}`, which has {most:g}", f"give from 0 to {most:g}")
    if not reason.strip():
        raise UsageError("no reason is given", 'say why, for the student and for later: --reason "..."')
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    return Override(student, results[exercise].lesson, exercise, check, points, clean(reason), made_at)


def _meant(wanted: str, checks: dict[str, dict[str, float]]) -> tuple[str, str]:
    """Find EXERCISE.CHECK, or the one exercise that has a check of this name."""
    exercise, _, check = wanted.rpartition(".")
    found = [(name, check) for name, own in checks.items() if check in own and exercise in ("", name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"several exercises have a check `{check}`", f"say which: {', '.join('.'.join(each) for each in found)}")
    known = [f"{name}.{each}" for name, own in checks.items() for each in own]
    close = get_close_matches(wanted, known, n=3, cutoff=0.4) or known[:8]
    raise UsageError(f"no check `{wanted}` was graded for this student", f"choose one as EXERCISE.CHECK: {', '.join(close)}")


def most_points(checks: Iterable[CheckResult]) -> dict[str, float]:
    """Give the most points of each check."""
    return {check.id: check.max_points for check in checks}
