"""Mark an answer. It is hostile data: whatever its type, it gets a mark and never an exception."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from autograder.course.model import CheckResult, Failure, Key, Lesson, Question, Submission, Wrong
from autograder.course.strict_yaml import AnswersError, read_answers
from autograder.grading.attempt import Attempt
from autograder.grading.questions import Functions, shown, values, variant

HUGE = 1e9

_COMMA = re.compile(r"[-+−]?[0-9]*,[0-9]+")
_NUMBER = re.compile(r"[-+−]?([0-9]{1,18}(\.[0-9]{0,18})?|\.[0-9]{1,18})([eE][-+]?[0-9]{1,2})?")


class Mark(Struct, frozen=True):
    """What an answer earned, and what is said of it."""

    points: float
    outcome: Literal["passed", "failed"]
    message: str = ""
    misconception: str | None = None
    section: str | None = None
    card: str | None = None


def mark(question: Question, key: Key, answer: Any, functions: Functions) -> Mark:
    """Mark an answer as it stands in `answers.yaml`; `{seed: 7, answer: 0.790}` answers a fresh variant."""
    seed = None
    if isinstance(answer, dict) and "seed" in answer:
        seed, extra = answer["seed"], answer.keys() - {"seed", "answer"}
        if isinstance(seed, bool) or not isinstance(seed, int) or abs(seed) > 2**63:
            return _failed(question, "`seed` should be a whole number, like 7.")
        if extra:
            form = "{seed: 7, answer: 0.123}" if question.kind == "number" else "{seed: 7, answer: ...}"
            return _failed(question, f"A fresh variant is written `{form}`: `seed` and `answer`, nothing else, and no decimal comma.")
        answer = answer.get("answer")
    return _mark(question, key, answer, variant(question, seed, functions), functions)


def _mark(question: Question, key: Key, answer: Any, numbers: Mapping[str, float], functions: Functions) -> Mark:
    if _blank(answer):
        return _failed(question, "There is no answer yet.")
    if question.kind == "number":
        return _mark_number(question, answer, numbers, functions)
    if question.kind == "parts":
        return _mark_parts(question, key, answer, numbers, functions)
    return {"choice": _mark_choice, "order": _mark_order, "match": _mark_match}[question.kind](question, key, answer)


def _blank(answer: Any, levels: int = 2) -> bool:
    """Say whether nothing is written: a blank, or a form of parts and matches that are all blank."""
    if isinstance(answer, dict) and levels:
        return all(_blank(one, levels - 1) for one in answer.values())
    return answer is None or answer == ""


def _passed(question: Question) -> Mark:
    return Mark(question.points, "passed", section=question.section or None, card=question.card)


def _failed(question: Question, message: str) -> Mark:
    return Mark(0, "failed", message, None, question.section or None, question.card)


def _told(question: Question, start: str, wrong: Wrong) -> Mark:
    """Tell an author's sentence about a wrong choice."""
    return Mark(0, "failed", f"{start} {wrong.sentence}", wrong.misconception, question.section or None, wrong.card or question.card)


def _mark_number(question: Question, answer: Any, numbers: Mapping[str, float], functions: Functions) -> Mark:
    read = _read_number(answer, question.decimals)
    if isinstance(read, str):
        return _failed(question, read)
    right, misconceptions = values(question, numbers, functions)
    given, tolerance = float(read), question.tolerance * (1 + 1e-9)
    if abs(given - right) <= tolerance:
        return _passed(question)
    written = max(0, -int(read.as_tuple().exponent))
    if written < question.decimals and abs(given - right) <= 0.5 * 10.0**-written + 1e-9:
        words = f"{read} is rounded too far: only {question.decimals} decimals tell the right answer from a misconception."
        return _failed(question, words)
    where = ", ".join(f"{name} = {shown(number)}" for name, number in numbers.items())
    start = f"Your answer for {where} is {read}." if where else f"Your answer is {read}."
    near = [(abs(given - value), misconception) for misconception, value in misconceptions if abs(given - value) <= tolerance]
    if near:
        misconception = min(near, key=lambda pair: pair[0])[1]
        return Mark(0, "failed", f"{start} {misconception.sentence}", misconception.id, misconception.section, misconception.card)
    return _failed(question, f"{start} That is not it, and no misconception that is known here gives it: compute it again, line by line.")


def _read_number(answer: Any, decimals: int) -> Decimal | str:
    """Return the number with the digits that were written, or what is wrong with it."""
    like = f"write one number with {decimals} decimals, like {0.123456789:.{decimals}f}"
    if isinstance(answer, str):
        if _COMMA.fullmatch(answer.strip()):
            return f"`{answer.strip()[:40]}` has a decimal comma: write a decimal point, and {decimals} decimals."
        if not _NUMBER.fullmatch(answer.strip()):
            return f"{_quoted(answer)} is not a number: {like}."
        answer = Decimal(answer.strip().replace("−", "-"))
    if isinstance(answer, bool) or not isinstance(answer, int | float | Decimal):
        return f"{_quoted(answer)} is not a number: {like}."
    if (isinstance(answer, Decimal) and not answer.is_finite()) or not -HUGE <= answer <= HUGE:
        return f"This is not an ordinary number: {like}."
    return Decimal(repr(answer)) if isinstance(answer, float) else Decimal(answer)


def _mark_parts(question: Question, key: Key, answer: Any, numbers: Mapping[str, float], functions: Functions) -> Mark:
    ids = [part.id for part in question.parts]
    if not isinstance(answer, dict):
        return _failed(question, f"Answer part by part: `{question.id}: {{{', '.join(f'{name}: ...' for name in ids)}}}`.")
    marks = {}
    for part in question.parts:
        whole = replace(part, section=question.section, card=part.card or question.card)
        marks[part.id] = _mark(whole, key.parts.get(part.id, Key()), answer.get(part.id), numbers, functions)
    failed = [mark for mark in marks.values() if mark.outcome == "failed"]
    share = sum(mark.points for mark in marks.values()) / sum(part.points for part in question.parts)
    words = [f"{name}: {mark.message}" for name, mark in marks.items() if mark.message]
    words += [_unknown(name, ids, "part") for name in answer if name not in ids][:3]
    if not failed:
        return replace(_passed(question), message="\n".join(words))
    first = next((mark for mark in failed if mark.misconception), failed[0])
    return replace(first, points=round(question.points * share, 4), message="\n".join(words))


def _mark_choice(question: Question, key: Key, answer: Any) -> Mark:
    chosen, problem = _read_ids(question, answer)
    if problem:
        return _failed(question, problem)
    right = [key.right] if isinstance(key.right, str) else list(key.right or ())
    if not question.several and len(chosen) != 1:
        return _failed(question, "Choose one.")
    for name in [name for name in chosen if name not in right] + [name for name in right if name not in chosen and name in key.wrong]:
        if name in key.wrong:
            return _told(question, f"You {'chose' if name in chosen else 'left out'} `{name}`.", key.wrong[name])
    if set(chosen) == set(right):
        return _passed(question)
    wrong = [name for name in chosen if name not in right]
    return _failed(question, f"`{wrong[0]}` is not right." if wrong else "What you chose is right, and something is missing.")


def _mark_order(question: Question, key: Key, answer: Any) -> Mark:
    chosen, problem = _read_ids(question, answer)
    ids = [choice.id for choice in question.choices]
    if problem or sorted(chosen) != sorted(ids):
        return _failed(question, problem or f"Put each of them in the list once: {', '.join(ids)}.")
    rank = {name: place for place, name in enumerate(tuple(key.right or ()))}
    swapped = [(a, b) for gap in range(1, len(ids)) for a, b in zip(chosen, chosen[gap:], strict=False) if rank[a] > rank[b]]
    if not swapped:
        return _passed(question)
    first, second = next((pair for pair in swapped if ">".join(pair) in key.wrong), swapped[0])
    start = f"You put `{first}` before `{second}`."
    known = key.wrong.get(f"{first}>{second}")
    return _told(question, start, known) if known else _failed(question, f"{start} It is the other way round.")


def _mark_match(question: Question, key: Key, answer: Any) -> Mark:
    left, right = [choice.id for choice in question.choices], [option.id for option in question.options]
    if not isinstance(answer, dict):
        return _failed(question, f"Give each one its match: `{question.id}: {{{', '.join(f'{name}: ...' for name in left)}}}`.")
    given = {name: _word(value) for name, value in answer.items()}
    unknown = [_unknown(name, left, "item") for name in given if name not in left]
    unknown += [_unknown(value, right, "match") for value in given.values() if value and value not in right]
    unknown += [f"`{name}` has no match yet." for name in left if not given.get(name)]
    if unknown:
        return _failed(question, unknown[0])
    pairs = key.right if isinstance(key.right, dict) else {}
    wrong = [f"{name}={given[name]}" for name in left if given[name] != pairs[name]]
    if not wrong:
        return _passed(question)
    pair = next((pair for pair in wrong if pair in key.wrong), wrong[0])
    start = f"You matched `{pair.replace('=', '` with `')}`."
    return _told(question, start, key.wrong[pair]) if pair in key.wrong else _failed(question, f"{start} They do not belong together.")


def _read_ids(question: Question, answer: Any) -> tuple[list[str], str]:
    """Read one id or a list of them; return what is wrong with it too."""
    ids, words = [choice.id for choice in question.choices], answer if isinstance(answer, list) else [answer]
    if not all(isinstance(word, str | int) for word in words):
        return [], f"Answer with {'a list of ' if question.several or question.kind == 'order' else 'one of '}{', '.join(ids)}."
    chosen = list(dict.fromkeys(map(_word, words))) if question.kind == "choice" else [_word(word) for word in words]
    return chosen, next((_unknown(word, ids, "choice") for word in chosen if word not in ids), "")


def _word(value: Any) -> str:
    """Ids are small letters; YAML may have read one as a number or a truth value."""
    return str(value).strip().lower() if isinstance(value, str) or (isinstance(value, int) and abs(value) < HUGE) else ""


def _unknown(word: Any, known: Sequence[str], noun: str) -> str:
    near = get_close_matches(str(word)[:40], known, 1)
    return f"There is no {noun} {_quoted(word)}: {f'did you mean `{near[0]}`?' if near else 'take one of ' + ', '.join(known) + '.'}"


def _quoted(value: Any) -> str:
    """Show what a student wrote, short and harmless."""
    if isinstance(value, list | dict):
        return "A list" if isinstance(value, list) else "A map"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return "`" + "".join(letter for letter in text[:40] if letter.isprintable() and letter != "`") + ("…`" if len(text) > 40 else "`")


def mark_answers(submission: Submission, lesson: Lesson, functions: Functions) -> Attempt:
    """Mark an `answers.yaml`: each question is a check of its own."""
    try:
        answers = read_answers(submission.source or b"")
    except AnswersError as error:
        words = f"`{submission.name}` cannot be read: {error}"
        whole = Failure("ended", file=submission.name)
        return Attempt(tuple(CheckResult(q.id, title(q), 0, q.points, "failed", "refused", words, failure=whole) for q in lesson.questions))
    known = [question.id for question in lesson.questions]
    strays = [str(name)[:100] for name in answers if name not in known][:100]
    return Attempt(tuple(_marked(q, lesson.keys.get(q.id, Key()), answers, strays, functions) for q in lesson.questions))


def title(question: Question) -> str:
    """Give a question's title: its id in words."""
    return question.id.replace("-", " ").capitalize()


def _marked(question: Question, key: Key, answers: dict[str, object], strays: list[str], functions: Functions) -> CheckResult:
    made = mark(question, key, answers.get(question.id), functions)
    near = difflib.get_close_matches(question.id, strays, 1) if question.id not in answers else []
    message = made.message + (f" There is an answer to `{near[0]}`: is this the question it belongs to?" if near else "")
    passed = made.outcome == "passed"
    given = answers.get(question.id)
    unanswered = not near and _blank(given.get("answer") if isinstance(given, dict) and "seed" in given else given)
    return CheckResult(
        id=question.id,
        title=title(question),
        points=made.points,
        max_points=question.points,
        outcome=made.outcome,
        reason=None if passed else "wrong",
        message="" if passed else message,
        misconception=made.misconception,
        section=None if passed else made.section,
        card=None if passed else made.card,
        failure=Failure("unanswered") if unanswered else None,
    )
