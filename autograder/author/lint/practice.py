"""Rules about questions: numbers that distinguish the misconceptions, answers that get the mark they should, no missing sentence."""

import inspect
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import combinations
from typing import Any

from autograder.author.lint.context import LintContext
from autograder.course.errors import CourseError, Finding
from autograder.course.kinds import KINDS, form_of, ids_of, parts_of
from autograder.course.model import Key, Question
from autograder.course.schema import did_you_mean
from autograder.course.text import plain
from autograder.grading.feedback import mark_message
from autograder.grading.marking import mark
from autograder.grading.questions import SEPARATION, VARIANTS, detectable, namespace_of, values, variant, working


def functions(context: LintContext) -> Iterator[Finding]:
    for owner, whole, part, _ in _computed(context):
        exercise, _, name = part.computes.partition(".")
        path = f"solutions/{context.lesson.id}/{exercise}.py"
        try:
            parameters = inspect.signature(context.functions.reference(part.computes)).parameters
        except (AttributeError, AssertionError):
            yield Finding(context.asked, whole.line, f"{owner}: there is no function `{name}` in {path}", "write it, or fix `computes`")
            continue
        known = [misconception.id for misconception in context.functions.misconceptions(part.computes)]
        required = [one for one in parameters.values() if one.default is one.empty and one.kind is not one.VAR_POSITIONAL]
        if not len(required) <= len(part.arguments) <= len(parameters):
            fix = f"its parameters are {', '.join(parameters)}"
            yield Finding(context.asked, whole.line, f"{owner}: `{name}` cannot take {len(part.arguments)} arguments", fix)
        for misconception in part.detects:
            if misconception not in known:
                fix = f"take one of {', '.join(known)}" if known else "write it as a function of the misconceptions"
                yield Finding(context.asked, whole.line, f"{owner}: `{name}` has no misconception `{misconception}`", fix)


def published(context: LintContext) -> Iterator[Finding]:
    for owner, whole, part, _ in _computed(context):
        if not _computable(context, whole):
            continue
        right, misconceptions = values(part, variant(whole, None, context.functions), context.functions)
        fix = "choose numbers that distinguish them, or drop it from `detects`"
        for misconception, value in misconceptions:
            if abs(value - right) <= SEPARATION * part.tolerance:
                problem = f"{owner}: misconception `{misconception.id}` answers {value:.{part.decimals}f}, as the reference does"
                yield Finding(context.asked, whole.line, problem, fix)
        for (one, value), (other, same) in combinations(misconceptions, 2):
            if abs(value - same) <= SEPARATION * part.tolerance:
                problem = f"{owner}: misconceptions `{one.id}` and `{other.id}` both answer {value:.{part.decimals}f}"
                yield Finding(context.asked, whole.line, problem, fix)


def variants(context: LintContext) -> Iterator[Finding]:
    for question in context.lesson.questions:
        if _computable(context, question) and detectable(question, variant(question, None, context.functions), context.functions):
            yield from _variants(context, question)


def _variants(context: LintContext, question: Question) -> Iterator[Finding]:
    key = context.lesson.keys.get(question.id, Key())
    for seed in (None, *range(VARIANTS)) if question.numbers else (None,):
        try:
            numbers = variant(question, seed, context.functions)
        except CourseError as error:
            yield Finding(context.asked, question.line, error.findings[0].problem, error.findings[0].fix)
            return
        for answer, misconception in _answers(context, question, key, numbers):
            made = mark(question, key, answer if seed is None else {"seed": seed, "answer": answer}, context.functions)
            if (made.misconception, made.outcome) != (misconception, "failed" if misconception else "passed"):
                where = ", ".join(f"{name} = {plain(number)}" for name, number in numbers.items())
                verdict = "right" if made.outcome == "passed" else f"wrong ({mark_message(question, made)})"
                marked = f"marked as {made.misconception or verdict}, not as {misconception or 'right'}"
                problem = f"question `{question.id}`:{f' for {where}' if where else ''} the answer {answer} is {marked}"
                yield Finding(context.asked, question.line, problem, "widen the grid, or lower the tolerance")
                return


def _answers(context: LintContext, question: Question, key: Key, numbers: Mapping[str, float]) -> Iterator[tuple[Any, str | None]]:
    """Yield the right answer; then, for each misconception of each part, the answer in which nothing else is wrong."""
    right: dict[str, Any] = {}
    for part, own in parts_of(question, key):
        right[part.id] = list(own.right) if isinstance(own.right, tuple) else own.right
        if part.computes:
            right[part.id] = Decimal(f"{values(part, numbers, context.functions)[0]:.{part.decimals}f}")
    yield (right if question.parts else right[question.id]), None
    for part, _ in parts_of(question, key):
        for misconception, value in values(part, numbers, context.functions)[1] if part.computes else ():
            wrong = Decimal(f"{value:.{part.decimals}f}")
            yield ({**right, part.id: wrong} if question.parts else wrong), misconception.id


def workings(context: LintContext) -> Iterator[Finding]:
    for owner, whole, part, key in _computed(context):
        if not key.working:
            yield Finding(context.answers, key.line or 1, f"{owner} has no working", "add `working:`, line by line down to the answer")
        elif _computable(context, whole):
            yield from _working(context, owner, whole, part, key)


def _working(context: LintContext, owner: str, whole: Question, part: Question, key: Key) -> Iterator[Finding]:
    for seed in (None, 0, 1, 2):
        try:
            numbers = variant(whole, seed, context.functions)
            last = working(part, key, numbers, namespace_of(part, context.functions))[-1]
        except ValueError as error:
            yield Finding(context.answers, key.line, f"{owner}: in the working {error}", "correct the expression")
            return
        except CourseError:
            return  # reported by `question-variants`
        right = f"{values(part, numbers, context.functions)[0] + 0.0:.{part.decimals}f}"
        ends = re.findall(r"[-−]?[0-9]+(?:\.[0-9]+)?", last)
        if not ends or Decimal(ends[-1].replace("−", "-")) != Decimal(right):
            fix = f"end the last line with the number, to {part.decimals} decimals"
            yield Finding(context.answers, key.line, f"{owner}: the working ends in `{last}`, and the answer is {right}", fix)
            return


def sentences(context: LintContext) -> Iterator[Finding]:
    for owner, _, part, key in _asked(context):
        right = (key.right,) if isinstance(key.right, str) else tuple(key.right or ())
        wrongs = KINDS[part.kind].wrongs(part, key)
        for name in ids_of(part.choices):
            if name in wrongs and name not in right and name not in key.wrong:
                fix = f"add `{name}: {{sentence: ...}}` to `wrong`"
                yield Finding(context.answers, key.line, f"{owner}: the wrong choice `{name}` has no sentence", fix)
        for (one, wrong), (other, same) in combinations(key.wrong.items(), 2):
            if wrong.sentence == same.sentence:
                yield Finding(context.answers, key.line, f"{owner}: `{one}` and `{other}` have the same sentence", "write one for each")


def orders(context: LintContext) -> Iterator[Finding]:
    for owner, whole, part, key in _asked(context):
        if form_of(part).control == "order" and tuple(ids_of(part.choices)) == key.right:
            yield Finding(context.asked, whole.line, f"{owner}: the choices are listed in the right order", "shuffle them")


def misconceptions(context: LintContext) -> Iterator[Finding]:
    known = {tag for card in context.lesson.cards for tag in card.tags} | context.computed
    for name, wrong in context.wrongs:
        if wrong.misconception and wrong.misconception not in known:
            problem = f"question `{name}`: there is no misconception `{wrong.misconception}`, and no card has it as a tag"
            fix = did_you_mean(wrong.misconception, known, "write its function, or a card with this tag")
            yield Finding(context.answers, context.lesson.keys[name].line, problem, fix)


def fronts(context: LintContext) -> Iterator[Finding]:
    for one, other in combinations(context.lesson.cards, 2):
        if (one.front, one.cloze) == (other.front, other.cloze):
            problem = f"card `{other.id}` asks the same as card `{one.id}`"
            yield Finding(context.cards, other.line, problem, "ask for one thing on each card, or remove one")


def _asked(context: LintContext) -> Iterator[tuple[str, Question, Question, Key]]:
    """Yield every question without parts, and every part: its name for messages, the whole question, itself and its key."""
    for whole in context.lesson.questions:
        for part, key in parts_of(whole, context.lesson.keys.get(whole.id, Key())):
            yield f"question `{whole.id}`" + (f", part `{part.id}`" if part is not whole else ""), whole, part, key


def _computed(context: LintContext) -> Iterator[tuple[str, Question, Question, Key]]:
    return (asked for asked in _asked(context) if asked[2].computes)


def _computable(context: LintContext, whole: Question) -> bool:
    """Whether the functions answer the published numbers; if they don't, other rules say why."""
    try:
        for part, _ in parts_of(whole, Key()):
            if part.computes:
                values(part, variant(whole, None, context.functions), context.functions)
    except Exception:
        return False
    return True
