"""Rules over the questions: their numbers tell the slips apart, their answers are marked as promised, their words are there."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import combinations
from typing import Any

from autograder.author.lint.context import Sight
from autograder.course.errors import CourseError, Finding
from autograder.course.model import Key, Question
from autograder.grading.marking import Mark, mark
from autograder.grading.questions import APART, VARIANTS, namespace_of, shown, tell_apart, values, variant, working


def functions(sight: Sight) -> Iterator[Finding]:
    for owner, whole, part in _parts(sight, "number"):
        exercise, _, name = part.computes.partition(".")
        known = [slip.id for slip in sight.misconceptions.get(exercise, ()) if slip.of == name]
        path = f"solutions/{sight.lesson.id}/{exercise}.py"
        try:
            parameters = inspect.signature(sight.functions.reference(part.computes)).parameters
        except (AttributeError, AssertionError):
            yield Finding(sight.asked, whole.line, f"{owner}: there is no function `{name}` in {path}", "write it, or mend `computes`")
            continue
        if len(part.arguments) > len(parameters):
            fix = f"its parameters are {', '.join(parameters)}"
            yield Finding(sight.asked, whole.line, f"{owner}: `{name}` cannot take {len(part.arguments)} arguments", fix)
        for slip in part.tells:
            if slip not in known:
                fix = f"take one of {', '.join(known)}" if known else "write it as a function of the misconceptions"
                yield Finding(sight.asked, whole.line, f"{owner}: `{name}` has no misconception `{slip}`", fix)


def published(sight: Sight) -> Iterator[Finding]:
    for owner, whole, part in _parts(sight, "number"):
        if not _computable(sight, whole):
            continue
        right, slips = values(part, variant(whole, None, sight.functions), sight.functions)
        fix = "choose numbers that tell them apart, or drop it from `tells`"
        for slip, value in slips:
            if abs(value - right) <= APART * part.tolerance:
                problem = f"{owner}: misconception `{slip.id}` answers {value:.{part.decimals}f}, as the reference does"
                yield Finding(sight.asked, whole.line, problem, fix)
        for (one, value), (other, same) in combinations(slips, 2):
            if abs(value - same) <= APART * part.tolerance:
                problem = f"{owner}: misconceptions `{one.id}` and `{other.id}` both answer {value:.{part.decimals}f}"
                yield Finding(sight.asked, whole.line, problem, fix)


def variants(sight: Sight) -> Iterator[Finding]:
    for question in sight.lesson.questions:
        sound = question.kind in ("number", "parts") and _computable(sight, question)
        if sound and tell_apart(question, variant(question, None, sight.functions), sight.functions):
            yield from _variants(sight, question)


def _variants(sight: Sight, question: Question) -> Iterator[Finding]:
    key = sight.lesson.keys.get(question.id, Key())
    for seed in (None, *range(VARIANTS)):
        try:
            numbers = variant(question, seed, sight.functions)
        except CourseError as error:
            yield Finding(sight.asked, question.line, error.findings[0].problem, error.findings[0].fix)
            return
        right = {part.id: _right(sight, part, key if part is question else key.parts[part.id], numbers) for part in _wholes(question)}
        for answer, slip in _answers(sight, question, numbers, right):
            made = mark(question, key, {"seed": seed, "answer": answer} if seed is not None else answer, sight.functions)
            if (made.misconception, made.outcome) != (slip, "failed" if slip else "passed"):
                where = ", ".join(f"{name} = {shown(number)}" for name, number in numbers.items())
                problem = f"question `{question.id}`: for {where} the answer {answer} is told as {_told(made)}, not as {slip or 'right'}"
                yield Finding(sight.asked, question.line, problem, "widen the grid, or lower the tolerance")
                return


def _answers(sight: Sight, question: Question, numbers: Mapping[str, float], right: dict[str, Any]) -> Iterator[tuple[Any, str | None]]:
    """Give the right answer, and for each slip of each part the answer that makes this slip alone."""
    yield (right if question.kind == "parts" else right[question.id]), None
    for part in _wholes(question):
        if part.kind == "number":
            for slip, value in values(part, numbers, sight.functions)[1]:
                wrong = Decimal(f"{value:.{part.decimals}f}")
                yield ({**right, part.id: wrong} if question.kind == "parts" else wrong), slip.id


def _right(sight: Sight, part: Question, key: Key, numbers: Mapping[str, float]) -> Any:
    if part.kind == "number":
        return Decimal(f"{values(part, numbers, sight.functions)[0]:.{part.decimals}f}")
    return list(key.right) if isinstance(key.right, tuple) else key.right


def _told(made: Mark) -> str:
    return made.misconception or ("right" if made.outcome == "passed" else f"wrong ({made.message})")


def workings(sight: Sight) -> Iterator[Finding]:
    for owner, whole, part in _parts(sight, "number"):
        key = sight.lesson.keys.get(whole.id, Key())
        key = key if part is whole else key.parts.get(part.id, Key())
        if not key.working:
            yield Finding(sight.answers, key.line or 1, f"{owner} has no working", "add `working:`, line by line down to the answer")
        elif _computable(sight, whole):
            yield from _working(sight, owner, whole, part, key)


def _working(sight: Sight, owner: str, whole: Question, part: Question, key: Key) -> Iterator[Finding]:
    for seed in (None, 0, 1, 2):
        try:
            numbers = variant(whole, seed, sight.functions)
            last = working(part, key, numbers, namespace_of(part, sight.functions))[-1]
        except (ValueError, CourseError) as error:
            if isinstance(error, ValueError):
                yield Finding(sight.answers, key.line, f"{owner}: in the working {error}", "mend the expression")
            return
        right = f"{values(part, numbers, sight.functions)[0] + 0.0:.{part.decimals}f}"
        ends = re.findall(r"[-−]?[0-9]+(?:\.[0-9]+)?", last)
        if not ends or Decimal(ends[-1].replace("−", "-")) != Decimal(right):
            fix = f"end the last line with the number, to {part.decimals} decimals"
            yield Finding(sight.answers, key.line, f"{owner}: the working ends in `{last}`, and the answer is {right}", fix)
            return


def sentences(sight: Sight) -> Iterator[Finding]:
    for owner, whole, part in _parts(sight, "choice"):
        key = sight.lesson.keys.get(whole.id, Key())
        key = key if part is whole else key.parts.get(part.id, Key())
        right = (key.right,) if isinstance(key.right, str) else tuple(key.right or ())
        for choice in part.choices:
            if choice.id not in right and choice.id not in key.wrong:
                fix = f"add `{choice.id}: {{sentence: ...}}` to `wrong`"
                yield Finding(sight.answers, key.line, f"{owner}: the wrong choice `{choice.id}` has no sentence", fix)
        for (one, told), (other, same) in combinations(key.wrong.items(), 2):
            if told.sentence == same.sentence:
                problem = f"{owner}: `{one}` and `{other}` are told the same"
                yield Finding(sight.answers, key.line, problem, "give each a sentence of its own")


def orders(sight: Sight) -> Iterator[Finding]:
    for owner, whole, part in _parts(sight, "order"):
        key = sight.lesson.keys.get(whole.id, Key())
        key = key if part is whole else key.parts.get(part.id, Key())
        if tuple(choice.id for choice in part.choices) == key.right:
            yield Finding(sight.asked, whole.line, f"{owner}: the choices stand in the right order", "shuffle them")


def slips(sight: Sight) -> Iterator[Finding]:
    tags = {tag for card in sight.lesson.cards for tag in card.tags}
    for name, key in sight.lesson.keys.items():
        for told in [*key.wrong.values(), *(wrong for part in key.parts.values() for wrong in part.wrong.values())]:
            if told.slip and told.slip not in tags:
                problem = f"question `{name}`: no card has the tag `{told.slip}`"
                yield Finding(sight.answers, key.line, problem, "give the slip a card, or mend its id")


def fronts(sight: Sight) -> Iterator[Finding]:
    for one, other in combinations(sight.lesson.cards, 2):
        if (one.front, one.cloze) == (other.front, other.cloze):
            problem = f"card `{other.id}` asks the same as card `{one.id}`"
            yield Finding(sight.cards, other.line, problem, "ask for one thing on each card, or remove one")


def _wholes(question: Question) -> tuple[Question, ...]:
    return question.parts or (question,)


def _parts(sight: Sight, kind: str) -> Iterator[tuple[str, Question, Question]]:
    """Give every question and part of a kind: how it is called, the whole, and itself."""
    for whole in sight.lesson.questions:
        for part in _wholes(whole):
            if part.kind == kind:
                yield f"question `{whole.id}`" + (f", part `{part.id}`" if part is not whole else ""), whole, part


def _computable(sight: Sight, whole: Question) -> bool:
    """Say whether the functions answer the published numbers; where they don't, other rules have told why."""
    try:
        for part in _wholes(whole):
            if part.kind == "number":
                values(part, variant(whole, None, sight.functions), sight.functions)
    except Exception:
        return False
    return True
