"""Hold `grading` of course.yaml to what a policy can mean: names that exist, shares between 0 and 100. Shapes are right by now."""

from __future__ import annotations

from collections.abc import Iterator

from autograder.content.references import line_of
from autograder.content.typed import meant
from autograder.content.yaml_at import At, Complain
from autograder.model import Policy

_BY_EXERCISE = ("limits_of", "due_of", "weights")


def check_policy(policy: Policy, at: At, exercises: list[str], complain: Complain) -> None:
    """Complain of what names no exercise, and of numbers that nothing can be."""
    for key in _BY_EXERCISE:
        for name in getattr(policy, key):
            if exercises and name not in exercises:
                fix = meant(name, exercises, f"take one of {', '.join(exercises)}")
                complain(line_of(at, "grading", key, name), f"`{key}`: there is no exercise `{name}`", fix)
    for keys, value in _shares(policy):
        if not 0 <= value <= 100:
            complain(line_of(at, "grading", *keys), f"`{keys[-1]}` is {value:g}", "write a percentage, from 0 to 100")
    for name, weight in policy.weights.items():
        if weight < 0:
            complain(line_of(at, "grading", "weights", name), f"`weights`, `{name}` is {weight:g}", "write 0 or more; 0 counts nothing")
    if policy.late and policy.late.grace_minutes < 0:
        complain(line_of(at, "grading", "late", "grace_minutes"), "`grace_minutes` is below 0", "write 0 or more")


def _shares(policy: Policy) -> Iterator[tuple[tuple[str, ...], float]]:
    if policy.pass_mark is not None:
        yield ("pass_mark",), policy.pass_mark
    if policy.late:
        yield ("late", "percent"), policy.late.percent
        yield ("late", "most"), policy.late.most
