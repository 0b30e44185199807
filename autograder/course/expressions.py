"""An author's expressions in YAML: the formula that answers a question, those of its mistakes, and what a working computes.

They belong to the course, so they are trusted as its Python files are.
"""

import ast
import math
from collections.abc import Callable, Collection, Mapping
from keyword import iskeyword
from typing import Any, NamedTuple

from msgspec.structs import replace

from autograder.course.kinds import parts_of
from autograder.course.model import Key, Lesson, Misconception, Question
from autograder.course.schema import did_you_mean

NAMES: Mapping[str, Any] = {name: getattr(math, name) for name in ("sqrt", "exp", "log", "sin", "cos", "pi")} | {
    "abs": abs, "min": min, "max": max,
}  # fmt: skip


class Formula(NamedTuple):
    """What answers a question without Python: a function of its numbers, and its mistakes as misconceptions."""

    function: Callable[..., float]
    misconceptions: list[Misconception]


def evaluate(expression: str, namespace: Mapping[str, Any]) -> Any:
    """Compute an author's expression. Raises ValueError with the cause."""
    try:
        return eval(expression, dict(namespace))
    except Exception as error:
        raise ValueError(f"`{expression}` fails with {type(error).__name__}: {error}") from error


def problem_with(formula: str, numbers: Collection[str]) -> tuple[str, str] | None:
    """Return what is wrong with a formula of these numbers, and the fix."""
    try:
        tree = ast.parse(formula.strip(), mode="eval")
    except SyntaxError as error:
        return f"`{formula}` is no formula: {error.msg}", "write it as in Python: sqrt(1 - beta) * x"
    known = [*numbers, *NAMES]
    unknown = next((node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id not in known), None)
    if unknown:
        return f"`{formula}`: there is no number `{unknown}`", did_you_mean(unknown, known, f"take one of {', '.join(known)}")
    return None


def with_formulas(lesson: Lesson) -> Lesson:
    """Let each question whose answer is a formula name it like a function of its numbers, and detect all of its mistakes."""

    def named(part: Question, whole: Question, key: Key, name: str) -> Question:
        parts = tuple(named(one, whole, key.part(one.id), f"{name}.{one.id}") for one in part.parts)
        if part.tolerance and not part.computes:
            usable = (number for number in whole.numbers if number.isidentifier() and not iskeyword(number))
            part = replace(part, computes=f"practice.{name}", arguments=tuple(usable), detects=tuple(key.mistakes))
        return replace(part, parts=parts)

    return replace(lesson, questions=tuple(named(one, one, lesson.keys.get(one.id, Key()), one.id) for one in lesson.questions))


def formulas_of(lesson: Lesson) -> dict[str, Formula]:
    """Return the formulas that answer a lesson's questions, by the names that these have for them."""
    found = {}
    keyed = ((whole, *each) for whole in lesson.questions for each in parts_of(whole, lesson.keys.get(whole.id, Key())))
    for whole, part, key in keyed:
        if key.computes:
            mistakes = [
                Misconception(
                    id=name,
                    of=part.computes,
                    sentence=one.sentence,
                    section=one.section or whole.section,
                    card=one.card or part.card or whole.card or "",
                    function=_function_of(one.formula, part.arguments),
                )
                for name, one in key.mistakes.items()
            ]
            found[part.computes] = Formula(_function_of(key.computes, part.arguments), mistakes)
    return found


def _function_of(formula: str, names: tuple[str | float, ...]) -> Callable[..., float]:
    return evaluate(f"lambda {', '.join(map(str, names))}: ({formula.strip()})", NAMES)  # type: ignore[no-any-return]
