"""Practice questions: fresh numbers, the text and the working with the reader's numbers, and the mark of an answer.

Right answers and known slips come from functions, the very ones that judge code, so a hand-computed 0.550 and a line
`beta * eps` are told the same thing. Where the functions live is the caller's business. An answer is hostile data: whatever
its type, it gets a mark and never an exception.
"""

from __future__ import annotations

import hashlib
import math
import random
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from autograder.errors import CourseError, Finding
from autograder.model import Key, Misconception, Question, Range, Wrong

DRAWS = 1000
APART = 2.5  # tolerances between any two of: the right answer, each slip's
HUGE = 1e9

_COMMA = re.compile(r"[-+−]?[0-9]*,[0-9]+")
_NUMBER = re.compile(r"[-+−]?([0-9]{1,18}(\.[0-9]{0,18})?|\.[0-9]{1,18})([eE][-+]?[0-9]{1,2})?")
_PLACE = re.compile(r"\[\[(?:(?P<name>\w+)|= *(?P<expression>.+?) *(?: :(?P<format>[^\]\s]+))?)\]\]")


class Functions(Struct, frozen=True):
    """Where answers come from: the reference function and the known slips of `EXERCISE.FUNCTION`."""

    reference: Callable[[str], Callable[..., Any]]
    misconceptions: Callable[[str], Sequence[Misconception]]


class Mark(Struct, frozen=True):
    """What an answer earned, and what is said of it."""

    points: float
    outcome: Literal["passed", "failed"]
    message: str = ""
    misconception: str | None = None
    section: str | None = None
    card: str | None = None


# ---- numbers


def variant(question: Question, seed: int | None, functions: Functions) -> dict[str, float]:
    """Return the numbers of a question: the published ones, or for a seed fresh ones, the same wherever they are drawn.

    Fresh numbers are drawn again until the right answer and every slip's lie 2.5 tolerances apart. Raises CourseError where
    1000 draws don't do it.
    """
    published = {name: drawn.published for name, drawn in question.numbers.items()}
    if seed is None or not published:
        return published
    rng = random.Random(hashlib.blake2b(f"{question.id}:{seed}".encode(), digest_size=8).digest())
    for _ in range(DRAWS):
        fresh = {name: _draw(drawn, rng) for name, drawn in question.numbers.items()}
        if fresh != published and tell_apart(question, fresh, functions):
            return fresh
    problem = f"question `{question.id}`: {DRAWS} draws gave no numbers that tell its slips apart"
    raise CourseError([Finding(Path("practice.yaml"), question.line, problem, "widen the ranges of its numbers, or drop one of `tells`")])


def tell_apart(question: Question, numbers: Mapping[str, float], functions: Functions) -> bool:
    """Say whether with these numbers all answers are finite, and the right one and the slips' are told from each other."""
    for part in (question, *question.parts):
        if part.kind == "number":
            try:
                right, slips = values(part, numbers, functions)
            except (ArithmeticError, ValueError):
                return False
            known = sorted([right, *(value for _, value in slips)])
            near = any(later - earlier <= APART * part.tolerance for earlier, later in pairwise(known))
            if near or not all(math.isfinite(value) for value in known):
                return False
    return True


def values(question: Question, numbers: Mapping[str, float], functions: Functions) -> tuple[float, list[tuple[Misconception, float]]]:
    """Compute the right answer of a `number`, and the answer of every slip in `tells`."""
    arguments = [numbers[argument] if isinstance(argument, str) else argument for argument in question.arguments]
    slips = [slip for slip in functions.misconceptions(question.computes) if slip.id in question.tells]
    right = float(functions.reference(question.computes)(*arguments))
    return right, [(slip, float(slip.function(*arguments))) for slip in slips]


def _draw(drawn: Range, rng: random.Random) -> float:
    """Draw from the grid, exactly: 0.1 three times is 0.3. Whole grids give whole numbers, fit to be an index."""
    low, high, step = (Decimal(str(number)) for number in (drawn.low, drawn.high, drawn.step))
    value = low + step * rng.randrange(int((high - low) / step) + 1)
    whole = all(isinstance(number, int) for number in (drawn.low, drawn.step, drawn.published))
    return int(value) if whole else float(value) + 0.0


# ---- text


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
    lines = tuple(_filled(line, numbers, namespace, question.decimals) for line in key.working)
    parts = [(part, working(part, key.parts[part.id], numbers, namespace)) for part in question.parts if part.id in key.parts]
    return (*lines, *(f"{part.id}. {line}" if place == 0 else line for part, below in parts for place, line in enumerate(below)))


def namespace_of(question: Question, functions: Functions) -> dict[str, Any]:
    """Return what a working may use: sqrt, np, and the public functions of the answers' modules. Recorded answers have none."""
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


# ---- marks


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
    if answer is None or answer == "":
        return _failed(question, "There is no answer yet.")
    if question.kind == "number":
        return _mark_number(question, answer, numbers, functions)
    if question.kind == "parts":
        return _mark_parts(question, key, answer, numbers, functions)
    return {"choice": _mark_choice, "order": _mark_order, "match": _mark_match}[question.kind](question, key, answer)


def _passed(question: Question) -> Mark:
    return Mark(question.points, "passed", section=question.section or None, card=question.card)


def _failed(question: Question, message: str) -> Mark:
    return Mark(0, "failed", message, None, question.section or None, question.card)


def _told(question: Question, start: str, wrong: Wrong) -> Mark:
    """Tell an author's sentence about a wrong choice."""
    return Mark(0, "failed", f"{start} {wrong.sentence}", wrong.slip, question.section or None, wrong.card or question.card)


def _mark_number(question: Question, answer: Any, numbers: Mapping[str, float], functions: Functions) -> Mark:
    read = _read_number(answer, question.decimals)
    if isinstance(read, str):
        return _failed(question, read)
    right, slips = values(question, numbers, functions)
    given, tolerance = float(read), question.tolerance * (1 + 1e-9)
    if abs(given - right) <= tolerance:
        return _passed(question)
    written = max(0, -int(read.as_tuple().exponent))
    if written < question.decimals and abs(given - right) <= 0.5 * 10.0**-written + 1e-9:
        words = f"{read} is rounded too far: only {question.decimals} decimals tell the right answer from a slip."
        return _failed(question, words)
    where = ", ".join(f"{name} = {shown(number)}" for name, number in numbers.items())
    start = f"Your answer for {where} is {read}." if where else f"Your answer is {read}."
    near = [(abs(given - value), slip) for slip, value in slips if abs(given - value) <= tolerance]
    if near:
        slip = min(near, key=lambda pair: pair[0])[1]
        return Mark(0, "failed", f"{start} {slip.sentence}", slip.id, slip.section, slip.card)
    return _failed(question, f"{start} That is not it, and no slip that is known here gives it: compute it again, line by line.")


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
