"""What one student may read of their results, as Markdown: public numbers only, and nothing of it taken for markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from autograder.explain import clean
from autograder.grades.counting import Grade, revealed
from autograder.grades.people import file_slug
from autograder.model import CheckResult, Override, Policy

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def feedback_name(student: str) -> str:
    """Name a student's file."""
    return f"{file_slug(student)}.md"


def feedback(student: str, grades: Iterable[Grade], sections: Mapping[str, str], policy: Policy, now: datetime | None = None) -> str:
    """Write a student's feedback. `sections` gives the titles of the lesson's sections by id; by `now` it is known what is revealed."""
    reveal = revealed(policy, now or datetime.now(UTC))
    lines = [f"# {escaped(student)}", ""]
    for grade in grades:
        result = grade.result
        lines += [f"## {result.exercise}: {points(grade.score)} of {points(result.max_score)} points", ""]
        if result.status != "graded":
            lines += [f"{STATUSES[result.status]}", ""]
        lines += standing_lines(grade)
        if reveal != "nothing":
            said: dict[str, str] = {}
            for check in result.checks:
                told = check.message != said.get(check.outcome) and reveal == "all"
                lines += _check(check, sections, grade.decided.get(check.id), told=told)
                said[check.outcome] = check.message
            lines += [""]
        elif policy.reveal != "nothing":
            lines += [f"What was checked is shown from {policy.reveal_from:%Y-%m-%d %H:%M %Z} on.", ""]
    return "\n".join(lines).rstrip() + "\n"


def standing_lines(grade: Grade) -> list[str]:
    """Say what lateness costs, and what was decided for a check that was not graded."""
    lines = []
    graded = {check.id for check in grade.result.checks}
    for one in (one for one in grade.decided.values() if one.check not in graded):
        lines += [f"{points(one.points)} points for `{one.check}`, given by your instructor: {escaped(one.reason)}", ""]
    if grade.penalty:
        days = "a day" if grade.days_late == 1 else f"{grade.days_late} days"
        lines += [f"Handed in {days} late, which takes {points(grade.penalty)} points: {points(grade.final)} count.", ""]
    return lines


STATUSES = {
    "missing": "Nothing was handed in.",
    "unreadable": "What was handed in could not be read.",
    "not_judged": "Not judged, by a fault of the grader: your instructor knows.",
}
MARKS = {"passed": "✓", "failed": "✗", "not_judged": "–"}


def _check(check: CheckResult, sections: Mapping[str, str], decided: Override | None, *, told: bool) -> list[str]:
    """Write one check; without `told` its title alone, as where the one before said the same."""
    earned = decided.points if decided else check.points
    lines = [f"- {MARKS[check.outcome]} **{escaped(check.title)}** ({points(earned)} of {points(check.max_points)})"]
    if decided:
        lines.append(f"  Your instructor gave {points(decided.points)} in place of {points(check.points)}: {escaped(decided.reason)}")
    if check.outcome == "passed" or not told:
        return lines
    lines.append(f"  {_code_kept(check.message)}")
    if check.section:
        lines.append(f"  Reread: {escaped(sections.get(check.section, check.section))} (`course read {check.section}`).")
    if check.card:
        lines.append(f"  Card: `{check.card}`.")
    return lines


def points(value: float) -> str:
    """Write points without needless decimals."""
    return f"{value:g}"


def escaped(text: str) -> str:
    """Write a stranger's text so that Markdown shows it and does nothing with it."""
    return _MARKUP.sub(r"\\\1", clean(text))


def _code_kept(message: str) -> str:
    """Escape a message but keep its `code`: between backticks nothing is markup, and `clean` left no newline."""
    parts = clean(message, 2_000).split("`")
    risky = "``" in message or any("<" in part for part in parts[1::2])  # Markdown pairs runs of backticks, not single ones
    if len(parts) % 2 == 0 or risky:
        return escaped(message)
    return "`".join(part if i % 2 else _MARKUP.sub(r"\\\1", part) for i, part in enumerate(parts))
