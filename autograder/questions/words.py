"""A question and its working as Markdown, with the reader's numbers filled in."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from autograder.model import Key, Question
from autograder.questions.numbers import Functions

RECORDED = "recorded working"  # no name that an expression could use
_PLACE = re.compile(r"\[\[(?:(?P<name>\w+)|= *(?P<expression>.+?) *(?: :(?P<format>[^\]\s]+))?)\]\]")


def shown(number: float | Decimal) -> str:
    """Write a number plainly: 0.3, 5, 0.00001."""
    plain = format(Decimal(str(number)).normalize(), "f")
    return "0" if plain == "-0" else plain


def question_text(question: Question, numbers: Mapping[str, float]) -> str:
    """Return the question as Markdown, numbers filled in, its choices and parts listed with the ids to answer with."""
    lines = [_filled(question.text, numbers, {})]
    lines += ["", *(f"- `{choice.id}`: {_filled(choice.text, numbers, {})}" for choice in question.choices)] if question.choices else []
    lines += ["", *(f"- `{option.id}`: {_filled(option.text, numbers, {})}" for option in question.options)] if question.options else []
    for part in question.parts:
        lines += ["", f"**{part.id}.** {question_text(part, numbers)}"]
    return "\n".join(lines)


def working(question: Question, key: Key, numbers: Mapping[str, float], namespace: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the working line by line, with the reader's numbers. Raises ValueError where an expression of it fails."""
    if RECORDED in namespace:
        recorded: tuple[str, ...] = namespace[RECORDED](question, numbers)
        return recorded
    lines = tuple(_filled(line, numbers, namespace, question.decimals) for line in key.working)
    parts = [(part, working(part, key.parts[part.id], numbers, namespace)) for part in question.parts if part.id in key.parts]
    return (*lines, *(f"{part.id}. {line}" if place == 0 else line for part, below in parts for place, line in enumerate(below)))


def namespace_of(question: Question, functions: Functions) -> dict[str, Any]:
    """Return what a working may use: sqrt, np, and the public functions of the answers' modules; of recorded answers, their lines."""
    if functions.working:
        return {RECORDED: functions.working}
    import numpy as np  # late: a question can be marked without it

    names: dict[str, Any] = {"np": np, "sqrt": math.sqrt}
    for part in (question, *question.parts):
        module = getattr(functions.reference(part.computes), "__globals__", {}) if part.computes else {}
        names |= {name: value for name, value in module.items() if callable(value) and not name.startswith("_")}
    return names


def evaluate(expression: str, namespace: Mapping[str, Any]) -> Any:
    """Compute an author's expression. Raises ValueError that says what is wrong with it."""
    try:
        return eval(expression, dict(namespace))
    except Exception as error:
        raise ValueError(f"`{expression}` fails with {type(error).__name__}: {error}") from error


def _filled(text: str, numbers: Mapping[str, float], namespace: Mapping[str, Any], decimals: int = 3) -> str:
    def fill(place: re.Match[str]) -> str:
        if place["name"]:
            return shown(numbers[place["name"]]) if place["name"] in numbers else place[0]
        value = evaluate(place["expression"], {**namespace, **numbers})
        written = format(value, place["format"] or (f".{decimals}f" if not isinstance(value, int | str) else ""))
        return written.lstrip("-") if re.fullmatch(r"-0\.?0*", written) else written

    return _PLACE.sub(fill, text)
