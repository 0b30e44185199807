"""Rules over the questions: their numbers tell the misconceptions apart, their answers are marked as promised, their words are there."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import combinations
from typing import Any

from autograder.author.lint.context import LintContext
from autograder.course.errors import CourseError, Finding
from autograder.course.model import Key, Question
from autograder.grading.marking import Mark, mark
from autograder.grading.questions import APART, VARIANTS, namespace_of, shown, tell_apart, values, variant, working


def functions(context: LintContext) -> Iterator[Finding]:
    for owner, whole, part in _parts(context, "number"):
        exercise, _, name = part.computes.partition(".")
        known = [misconception.id for misconception in context.misconceptions.get(exercise, ()) if misconception.of == name]
        path = f"solutions/{context.lesson.id}/{exercise}.py"
        try:
            parameters = inspect.signature(context.functions.reference(part.computes)).parameters
        except (AttributeError, AssertionError):
            yield Finding(context.asked, whole.line, f"{owner}: there is no function `{name}` in {path}", "write it, or mend `computes`")
            continue
        if len(part.arguments) > len(parameters):
            fix = f"its parameters are {', '.join(parameters)}"
            yield Finding(context.asked, whole.line, f"{owner}: `{name}` cannot take {len(part.arguments)} arguments", fix)
        for misconception in part.tells:
            if misconception not in known:
                fix = f"take one of {', '.join(known)}" if known else "write it as a function of the misconceptions"
                yield Finding(context.asked, whole.line, f"{owner}: `{name}` has no misconception `{misconception}`", fix)


def published(context: LintContext) -> Iterator[Finding]:
    for owner, whole, part in _parts(context, "number"):
        if not _computable(context, whole):
            continue
        right, misconceptions = values(part, variant(whole, None, context.functions), context.functions)
        fix = "choose numbers that tell them apart, or drop it from `tells`"
        for misconception, value in misconceptions:
            if abs(value - right) <= APART * part.tolerance:
                problem = f"{owner}: misconception `{misconception.id}` answers {value:.{part.decimals}f}, as the reference does"
                yield Finding(context.asked, whole.line, problem, fix)
        for (one, value), (other, same) in combinations(misconceptions, 2):
            if abs(value - same) <= APART * part.tolerance:
                problem = f"{owner}: misconceptions `{one.id}` and `{other.id}` both answer {value:.{part.decimals}f}"
                yield Finding(context.asked, whole.line, problem, fix)


def variants(context: LintContext) -> Iterator[Finding]:
    for question in context.lesson.questions:
        sound = question.kind in ("number", "parts") and _computable(context, question)
        if sound and tell_apart(question, variant(question, None, context.functions), context.functions):
            yield from _variants(context, question)


def _variants(context: LintContext, question: Question) -> Iterator[Finding]:
    key = context.lesson.keys.get(question.id, Key())
    for seed in (None, *range(VARIANTS)):
        try:
            numbers = variant(question, seed, context.functions)
        except CourseError as error:
            yield Finding(context.asked, question.line, error.findings[0].problem, error.findings[0].fix)
            return
        right = {part.id: _right(context, part, key if part is question else key.parts[part.id], numbers) for part in _wholes(question)}
        for answer, misconception in _answers(context, question, numbers, right):
            made = mark(question, key, {"seed": seed, "answer": answer} if seed is not None else answer, context.functions)
            if (made.misconception, made.outcome) != (misconception, "failed" if misconception else "passed"):
                where = ", ".join(f"{name} = {shown(number)}" for name, number in numbers.items())
                problem = (
                    f"question `{question.id}`: for {where} the answer {answer} is told as {_told(made)}, not as {misconception or 'right'}"
                )
                yield Finding(context.asked, question.line, problem, "widen the grid, or lower the tolerance")
                return


def _answers(
    context: LintContext, question: Question, numbers: Mapping[str, float], right: dict[str, Any]
) -> Iterator[tuple[Any, str | None]]:
    """Give the right answer, and for each misconception of each part the answer that makes this misconception alone."""
    yield (right if question.kind == "parts" else right[question.id]), None
    for part in _wholes(question):
        if part.kind == "number":
            for misconception, value in values(part, numbers, context.functions)[1]:
                wrong = Decimal(f"{value:.{part.decimals}f}")
                yield ({**right, part.id: wrong} if question.kind == "parts" else wrong), misconception.id


def _right(context: LintContext, part: Question, key: Key, numbers: Mapping[str, float]) -> Any:
    if part.kind == "number":
        return Decimal(f"{values(part, numbers, context.functions)[0]:.{part.decimals}f}")
    return list(key.right) if isinstance(key.right, tuple) else key.right


def _told(made: Mark) -> str:
    return made.misconception or ("right" if made.outcome == "passed" else f"wrong ({made.message})")


def workings(context: LintContext) -> Iterator[Finding]:
    for owner, whole, part in _parts(context, "number"):
        key = context.lesson.keys.get(whole.id, Key())
        key = key if part is whole else key.parts.get(part.id, Key())
        if not key.working:
            yield Finding(context.answers, key.line or 1, f"{owner} has no working", "add `working:`, line by line down to the answer")
        elif _computable(context, whole):
            yield from _working(context, owner, whole, part, key)


def _working(context: LintContext, owner: str, whole: Question, part: Question, key: Key) -> Iterator[Finding]:
    for seed in (None, 0, 1, 2):
        try:
            numbers = variant(whole, seed, context.functions)
            last = working(part, key, numbers, namespace_of(part, context.functions))[-1]
        except (ValueError, CourseError) as error:
            if isinstance(error, ValueError):
                yield Finding(context.answers, key.line, f"{owner}: in the working {error}", "mend the expression")
            return
        right = f"{values(part, numbers, context.functions)[0] + 0.0:.{part.decimals}f}"
        ends = re.findall(r"[-−]?[0-9]+(?:\.[0-9]+)?", last)
        if not ends or Decimal(ends[-1].replace("−", "-")) != Decimal(right):
            fix = f"end the last line with the number, to {part.decimals} decimals"
            yield Finding(context.answers, key.line, f"{owner}: the working ends in `{last}`, and the answer is {right}", fix)
            return


def sentences(context: LintContext) -> Iterator[Finding]:
    for owner, whole, part in _parts(context, "choice"):
        key = context.lesson.keys.get(whole.id, Key())
        key = key if part is whole else key.parts.get(part.id, Key())
        right = (key.right,) if isinstance(key.right, str) else tuple(key.right or ())
        for choice in part.choices:
            if choice.id not in right and choice.id not in key.wrong:
                fix = f"add `{choice.id}: {{sentence: ...}}` to `wrong`"
                yield Finding(context.answers, key.line, f"{owner}: the wrong choice `{choice.id}` has no sentence", fix)
        for (one, told), (other, same) in combinations(key.wrong.items(), 2):
            if told.sentence == same.sentence:
                problem = f"{owner}: `{one}` and `{other}` are told the same"
                yield Finding(context.answers, key.line, problem, "give each a sentence of its own")


def orders(context: LintContext) -> Iterator[Finding]:
    for owner, whole, part in _parts(context, "order"):
        key = context.lesson.keys.get(whole.id, Key())
        key = key if part is whole else key.parts.get(part.id, Key())
        if tuple(choice.id for choice in part.choices) == key.right:
            yield Finding(context.asked, whole.line, f"{owner}: the choices stand in the right order", "shuffle them")


def misconceptions(context: LintContext) -> Iterator[Finding]:
    tags = {tag for card in context.lesson.cards for tag in card.tags}
    for name, key in context.lesson.keys.items():
        for told in [*key.wrong.values(), *(wrong for part in key.parts.values() for wrong in part.wrong.values())]:
            if told.misconception and told.misconception not in tags:
                problem = f"question `{name}`: no card has the tag `{told.misconception}`"
                yield Finding(context.answers, key.line, problem, "write a card for the misconception, or fix its id")


def fronts(context: LintContext) -> Iterator[Finding]:
    for one, other in combinations(context.lesson.cards, 2):
        if (one.front, one.cloze) == (other.front, other.cloze):
            problem = f"card `{other.id}` asks the same as card `{one.id}`"
            yield Finding(context.cards, other.line, problem, "ask for one thing on each card, or remove one")


def _wholes(question: Question) -> tuple[Question, ...]:
    return question.parts or (question,)


def _parts(context: LintContext, kind: str) -> Iterator[tuple[str, Question, Question]]:
    """Give every question and part of a kind: how it is called, the whole, and itself."""
    for whole in context.lesson.questions:
        for part in _wholes(whole):
            if part.kind == kind:
                yield f"question `{whole.id}`" + (f", part `{part.id}`" if part is not whole else ""), whole, part


def _computable(context: LintContext, whole: Question) -> bool:
    """Say whether the functions answer the published numbers; where they don't, other rules have told why."""
    try:
        for part in _wholes(whole):
            if part.kind == "number":
                values(part, variant(whole, None, context.functions), context.functions)
    except Exception:
        return False
    return True
