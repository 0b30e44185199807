"""The kinds of practice questions, one table: what an author writes, how an answer is asked for, and how it is marked.

Everything else looks a question's kind up in `KINDS` and never compares names, so a new kind is a new entry. An answer is
hostile: whatever its type, it gets a mark, never an exception. A mark is data; `grading.feedback` words it.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from autograder.course.answers import blank, id_written, may_be_thousands, number_written, words_written
from autograder.course.model import Key, Misconception, Question
from autograder.course.schema import did_you_mean
from autograder.course.text import quoted

HUGE = 1e9


class Form(Struct, frozen=True):
    """How an answer is asked for: `expected` in words, and the `control` of a page (one that it doesn't know is a line of text).

    An answer is a text, or a list of ids where `listed`, or with `keys` a mapping of them to ids of the question's options.
    """

    expected: str
    control: str = "line"
    listed: bool = False
    keys: tuple[str, ...] = ()


class Drawn(Struct, frozen=True):
    """The numbers that a question is asked with, and a function that computes a part's right answer and its misconceptions'."""

    numbers: Mapping[str, float]
    values: Callable[[Question], tuple[float, list[tuple[Misconception, float]]]]


class Remark(Struct, frozen=True):
    """One thing to say about an answer; `kind` is a key of `grading.feedback.WORDS`, or new, if the sentence says it all.

    `part` is the part that it is about, `items` are ids of choices, options or parts, `given` is what was written (short and
    harmless), `known` the ids that would do, and `sentence` the author's.
    """

    kind: str
    part: str = ""
    items: tuple[str, ...] = ()
    given: str = ""
    known: tuple[str, ...] = ()
    numbers: Mapping[str, float] = {}
    sentence: str = ""


class Mark(Struct, frozen=True):
    """What an answer earned and why, and where to read on. `readable` is false if it was no answer, only mistyped."""

    points: float
    outcome: Literal["passed", "failed"]
    remarks: tuple[Remark, ...] = ()
    misconception: str | None = None
    section: str | None = None
    card: str | None = None
    readable: bool = True


Problem = tuple[str, str] | None  # what is wrong with an author's line, and the fix


class QuestionKind(Struct, frozen=True):
    """What the engine knows about one kind of question.

    `noun` names it in messages; `needs` and `may` are the YAML keys that it must and can have, beside those of every kind.
    `form` says how to ask; `mark` marks an answer that is not blank. In `solutions/`, `problem` checks `right` (None: there is
    no `right`, since the answer is computed or in its parts), and `wrongs` lists the keys that `wrong` can have, described by
    `form_of_wrong`.
    """

    noun: str
    needs: frozenset[str]
    form: Callable[[Question], Form]
    mark: Callable[[Question, Key, Any, Drawn], Mark]
    may: frozenset[str] = frozenset({"numbers"})
    problem: Callable[[Question, Any], Problem] | None = None
    wrongs: Callable[[Question, Key], set[str]] = lambda question, key: set()
    form_of_wrong: str = ""


def form_of(question: Question) -> Form:
    return KINDS[question.kind].form(question)


def mark_answer(question: Question, key: Key, answer: Any, drawn: Drawn) -> Mark:
    """Mark an answer to a question, or to a part of one."""
    return failed(question, Remark("blank")) if blank(answer) else KINDS[question.kind].mark(question, key, answer, drawn)


FORM = frozenset(  # remarks on how an answer is written, whatever is right
    "blank thousands no_number too_large no_list no_choice unknown_choice choose_one each_once no_pairs unknown_item unknown_match "
    "unmatched no_parts unknown_part unread".split()
)


def misread(question: Question, answer: Any) -> tuple[Remark, ...]:
    """Return what keeps an answer from being marked: that can be said where nobody knows what is right."""
    made = mark_answer(question, Key(), answer, Drawn({}, lambda part: (math.nan, [])))
    return tuple(remark for remark in made.remarks if remark.kind in FORM)


def passed(question: Question) -> Mark:
    return Mark(question.points, "passed", section=question.section or None, card=question.card)


def failed(question: Question, remark: Remark) -> Mark:
    """Fail an answer; one that is no answer, only mistyped, costs nothing, and there is nothing to reread for it."""
    if remark.kind in FORM:
        return Mark(0, "failed", (remark,), readable=False)
    return Mark(0, "failed", (remark,), None, question.section or None, question.card)


def _told(question: Question, key: Key, wrong: str, kind: str, *items: str) -> Mark:
    """Fail an answer with the sentence that the key has for it, if any."""
    known = key.wrong.get(wrong)
    if not known:
        return failed(question, Remark(f"wrong_{kind}", items=items))
    made = failed(question, Remark(f"known_{kind}", items=items, sentence=known.sentence))
    return replace(made, misconception=known.misconception, card=known.card or question.card)


def ids_of(items: Iterable[object]) -> list[str]:
    return [str(getattr(item, "id", "")) for item in items]


def parts_of(question: Question, key: Key) -> list[tuple[Question, Key]]:
    """List a question's parts, or the question itself if it has none, each with its key."""
    return [(part, key.part(part.id)) for part in question.parts] or [(question, key)]


def _word(value: Any, known: Iterable[str]) -> str:
    """Return the id that is meant. YAML may have read one as a number or a truth value."""
    written = id_written(str(value)) if isinstance(value, str) or (isinstance(value, int) and abs(value) < HUGE) else ""
    return next((one for one in known if id_written(one) == written), written)


def _unknown(noun: str, word: Any, known: list[str]) -> Remark:
    return Remark(f"unknown_{noun}", items=tuple(get_close_matches(str(word)[:40], known, 1)), given=quoted(word), known=tuple(known))


def _read_ids(question: Question, answer: Any) -> list[str] | Remark:
    known, listed = ids_of(question.choices), form_of(question).listed
    words = words_written(answer) if listed and isinstance(answer, str) else answer if isinstance(answer, list) else [answer]
    if not all(isinstance(word, str | int) for word in words):
        return Remark("no_list" if listed else "no_choice", known=tuple(known))
    chosen = [_word(word, known) for word in words]
    return next((_unknown("choice", word, known) for word in chosen if word not in known), chosen)


def _unknown_name(noun: str, names: Iterable[str], known: list[str]) -> Problem:
    for name in names:
        if name not in known:
            return f"there is no {noun} `{name}`", did_you_mean(name, known, f"take one of {', '.join(known)}")
    return None


def _mark_number(question: Question, key: Key, answer: Any, drawn: Drawn) -> Mark:
    read = _read_number(question, answer)
    if isinstance(read, Remark):
        return failed(question, read)
    right, misconceptions = drawn.values(question)
    given, tolerance = float(read), question.tolerance * (1 + 1e-9)
    if abs(given - right) <= tolerance:
        return passed(question)
    remark = Remark("wrong_number", given=str(read), numbers=drawn.numbers)
    decimals = max(0, -int(read.as_tuple().exponent))
    if decimals < question.decimals and abs(given - right) <= 0.5 * 10.0**-decimals + 1e-9:
        return failed(question, replace(remark, kind="rounded"))
    near = [(abs(given - value), misconception) for misconception, value in misconceptions if abs(given - value) <= tolerance]
    if not near:
        return failed(question, remark)
    made = min(near, key=lambda pair: pair[0])[1]
    return Mark(0, "failed", (replace(remark, kind="known_number", sentence=made.sentence),), made.id, made.section, made.card)


def _read_number(question: Question, answer: Any) -> Decimal | Remark:
    """Return the number with the digits that were written, or what is wrong with it.

    `1,234` may be a thousand, unless three decimals are what is asked for.
    """
    if isinstance(answer, str):
        if may_be_thousands(answer) and question.decimals != 3:
            return Remark("thousands", given=f"`{answer.strip()}`")
        answer, text = number_written(answer), answer
        if answer is None:
            return Remark("no_number", given=quoted(text))
    if isinstance(answer, bool) or not isinstance(answer, int | float | Decimal):
        return Remark("no_number", given=quoted(answer))
    if (isinstance(answer, Decimal) and not answer.is_finite()) or not -HUGE <= answer <= HUGE:
        return Remark("too_large")
    return Decimal(repr(answer)) if isinstance(answer, float) else Decimal(answer)


def _choice_form(question: Question) -> Form:
    ids = ", ".join(ids_of(question.choices))
    return Form(f"a list of all that apply: [{ids}]", "several", listed=True) if question.several else Form(f"one of: {ids}", "one")


def _mark_choice(question: Question, key: Key, answer: Any, drawn: Drawn) -> Mark:
    read, right = _read_ids(question, answer), [key.right] if isinstance(key.right, str) else list(key.right or ())
    if isinstance(read, Remark):
        return failed(question, read)
    chosen = list(dict.fromkeys(read))
    if not question.several and len(chosen) != 1:
        return failed(question, Remark("choose_one"))
    wrong, left_out = [name for name in chosen if name not in right], [name for name in right if name not in chosen]
    told = next((name for name in wrong + left_out if name in key.wrong), wrong[0] if wrong else "")
    if told:
        return _told(question, key, told, "choice" if told in chosen else "omission", told)
    return failed(question, Remark("incomplete")) if left_out else passed(question)


def _problem_with_choice(question: Question, right: Any) -> Problem:
    if not isinstance(right, tuple if question.several else str):
        return f"`right` should be {'a list of choices' if question.several else 'one choice'}", "write it like the question's `choices`"
    return _unknown_name("choice", [right] if isinstance(right, str) else right, ids_of(question.choices))


def _wrong_choices(question: Question, key: Key) -> set[str]:
    """Every choice but the one that is right; of several, one that is right can be left out."""
    return set(ids_of(question.choices)) - ({key.right} if isinstance(key.right, str) else set())


def _mark_order(question: Question, key: Key, answer: Any, drawn: Drawn) -> Mark:
    chosen, known = _read_ids(question, answer), ids_of(question.choices)
    if isinstance(chosen, Remark):
        return failed(question, chosen)
    if sorted(chosen) != sorted(known):
        return failed(question, Remark("each_once", known=tuple(known)))
    rank = {name: place for place, name in enumerate(tuple(key.right or known))}
    swapped = [(a, b) for gap in range(1, len(known)) for a, b in zip(chosen, chosen[gap:], strict=False) if rank[a] > rank[b]]
    if not swapped:
        return passed(question)
    pair = next((pair for pair in swapped if ">".join(pair) in key.wrong), swapped[0])
    return _told(question, key, ">".join(pair), "order", *pair)


def _problem_with_order(question: Question, right: Any) -> Problem:
    known = ids_of(question.choices)
    if not isinstance(right, tuple):
        return "`right` should be a list of choices", "write it like the question's `choices`"
    once = None if sorted(right) == sorted(known) else ("`right` should hold each choice once", f"put {', '.join(known)} in order")
    return _unknown_name("choice", right, known) or once


def _wrong_orders(question: Question, key: Key) -> set[str]:
    right = tuple(key.right or ())
    return {f"{later}>{earlier}" for place, later in enumerate(right) for earlier in right[:place]}


def _mark_match(question: Question, key: Key, answer: Any, drawn: Drawn) -> Mark:
    left, right = ids_of(question.choices), key.right if isinstance(key.right, dict) else {}
    if not isinstance(answer, dict):
        return failed(question, Remark("no_pairs", known=tuple(left)))
    options = ids_of(question.options)
    given = {name: _word(value, options) for name, value in answer.items()}
    if problem := next(_problems_with_pairs(given, left, options), None):
        return failed(question, problem)
    wrong = [(name, given[name]) for name in left if given[name] != right.get(name)]
    if not wrong:
        return passed(question)
    pair = next((pair for pair in wrong if "=".join(pair) in key.wrong), wrong[0])
    return _told(question, key, "=".join(pair), "pair", *pair)


def _problems_with_pairs(given: Mapping[Any, str], left: list[str], right: list[str]) -> Iterator[Remark]:
    yield from (_unknown("item", name, left) for name in given if name not in left)
    yield from (_unknown("match", value, right) for value in given.values() if value and value not in right)
    yield from (Remark("unmatched", items=(name,)) for name in left if not given.get(name))


def _problem_with_match(question: Question, right: Any) -> Problem:
    choices = ids_of(question.choices)
    if not isinstance(right, dict) or sorted(right) != sorted(choices):
        return "`right` should give an option to each choice", f"write a mapping with the keys {', '.join(choices)}"
    return _unknown_name("option", right.values(), ids_of(question.options))


def _wrong_pairs(question: Question, key: Key) -> set[str]:
    right = key.right if isinstance(key.right, dict) else {}
    pairs = ((choice, option) for choice in ids_of(question.choices) for option in ids_of(question.options))
    return {f"{choice}={option}" for choice, option in pairs if right.get(choice) != option}


def _mark_parts(question: Question, key: Key, answer: Any, drawn: Drawn) -> Mark:
    """Each part earns its share of the points; the first misconception that has a name is named."""
    known = ids_of(question.parts)
    if not isinstance(answer, dict):
        return failed(question, Remark("no_parts", known=tuple(known)))
    marks = {}
    for part in question.parts:
        whole = replace(part, section=question.section, card=part.card or question.card)
        marks[part.id] = mark_answer(whole, key.part(part.id), answer.get(part.id), drawn)
    remarks = [replace(remark, part=name) for name, made in marks.items() for remark in made.remarks]
    remarks += [_unknown("part", name, known) for name in answer if name not in known][:3]
    wrong = [made for made in marks.values() if made.outcome == "failed"]
    if not wrong:
        return replace(passed(question), remarks=tuple(remarks))
    share = sum(made.points for made in marks.values()) / sum(part.points for part in question.parts)
    first = max(wrong, key=lambda made: (made.misconception is not None, made.readable))
    return replace(first, points=round(question.points * share, 4), remarks=tuple(remarks))


KINDS: dict[str, QuestionKind] = {
    "number": QuestionKind(
        "a number", frozenset({"tolerance"}),
        lambda question: Form(f"a number with {question.decimals} decimals", "number"), _mark_number,
        frozenset({"computes", "arguments", "decimals", "detects", "numbers"})),
    "choice": QuestionKind(
        "a choice", frozenset({"choices"}), _choice_form, _mark_choice, frozenset({"several", "numbers"}),
        _problem_with_choice, _wrong_choices, "a wrong choice"),
    "order": QuestionKind(
        "an order", frozenset({"choices"}),
        lambda question: Form(f"a list in the right order, like [{', '.join(ids_of(question.choices))}]", "order", listed=True),
        _mark_order, problem=_problem_with_order, wrongs=_wrong_orders, form_of_wrong="`later>earlier`, two choices in the wrong order"),
    "match": QuestionKind(
        "a match", frozenset({"choices", "options"}),
        lambda question: Form(f"one of: {', '.join(ids_of(question.options))}", "match", keys=tuple(ids_of(question.choices))),
        _mark_match, problem=_problem_with_match, wrongs=_wrong_pairs, form_of_wrong="`choice=option`"),
    "parts": QuestionKind(
        "a question of parts", frozenset({"parts"}), lambda question: Form("an answer for each part", "parts"), _mark_parts),
}  # fmt: skip
