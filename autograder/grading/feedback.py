"""What went wrong, as data and then in words: a transcript becomes a `Failure`, and that a message with what to read next.

Nothing is decided here. Texts are plain, with `code` between backticks; the terminal, the pages and the exports only add their own
markup. Of a secret run, students learn which function failed, the kind of exception, and their own lines.
"""

import builtins
import inspect
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from difflib import get_close_matches
from itertools import count, islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from autograder.course.kinds import FORM, Mark, Remark
from autograder.course.model import Check, CheckResult, Failure, Idea, Override, Question, Reason
from autograder.course.text import formulas_in_unicode, number, plain
from autograder.grading.checks import Called, Transcript
from autograder.grading.comparison import kind_of, significant
from autograder.grading.letters import listed
from autograder.grading.readings import Reading, Wrong
from autograder.grading.reference import ObjectProxy
from autograder.sandbox.guests import Outcome

SHOWN = 4  # how many items of a short list are written out
TEXT = 40  # characters of any other value: no more items than that can show
SMALLEST = 0.0005  # factor that is shown
FunctionOf = Callable[[str], Callable[..., Any]]  # by its name, for the names of its parameters


# ---- what went wrong, as data


def reason(transcript: Transcript) -> Reason:
    """Return the contract's reason for a failed check."""
    if transcript.ended is None or transcript.first_failure:
        return "wrong"
    return transcript.ended.kind if transcript.ended.kind != "returned" else "refused"


def failure(check: Check, transcript: Transcript, function_of: FunctionOf, *, numbers: bool) -> Failure:
    """Return what went wrong first. Without `numbers`, it holds nothing that the run computed or printed."""
    failed = transcript.first_failure
    called = transcript.calls[failed.call if failed else -1] if transcript.calls else None
    function = called.function if called else check.of
    shown = numbers and called is not None and (failed is None or failed.call >= 0)
    call = call_text(called, function_of) if called and shown else ""
    if failed:
        return Failure(failed.kind, function, call, words=f"{failed.words}." if shown else "")
    assert transcript.ended is not None
    ended = ending(transcript.ended, numbers=numbers, function=function, call=call)
    raised = transcript.ended.raised
    if not (raised and raised.takes is not None and numbers and function.isidentifier()):
        return ended
    parameters = inspect.signature(function_of(function)).parameters.values()
    wanted = ", ".join(str(one.replace(annotation=one.empty)) for one in parameters)
    return replace(ended, words=f"does not fit: yours is `{function}({raised.takes})`, and `{function}({wanted})` is asked for.")


def ending(outcome: Outcome, *, numbers: bool, function: str = "", call: str = "", file: str = "") -> Failure:
    """Return how a call, or the loading of a file, ended without a value."""
    ended = Failure("missing" if outcome.missing else "ended", function, call, file)
    if raised := outcome.raised:
        exception = raised.kind if numbers or raised.kind in BUILT_IN else "an exception of its own"
        said = f": {raised.message}" if numbers and raised.message not in ("", "None") else ""  # exit() says None
        verb = "ran out of memory with" if outcome.kind == "out_of_memory" else "raised"
        lines = raised.where if numbers else raised.where[-1:]
        where = f" ({', then '.join(lines)})" if lines else ""
        advice = "" if outcome.missing else advice_on(raised.kind, raised.message if numbers else "")
        words = f"{verb} {exception}{where}{said}".rstrip(".")
        words += "" if words.endswith("?") else "."
        return replace(ended, words=words, exception=exception, lines=lines, advice=advice)
    words, secret = ENDINGS[outcome.kind]
    return replace(ended, words=f"{words}: {outcome.detail if numbers or not secret else secret}.")


BUILT_IN = {name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)}
ENDINGS = {  # of a call: in words, and what is said of it where its own words may give a secret number away
    "timed_out": ("was stopped", ""),
    "out_of_memory": ("ran out of memory", ""),
    "killed": ("gave no answer", "its process ended"),
    "refused": ("was refused", "what it returned or asked cannot be used"),
}
ADVICE = tomllib.loads((Path(__file__).parent / "advice.toml").read_text(encoding="utf-8"))["advice"]


def advice_on(exception: str, message: str) -> str:
    """Say what to try after an exception of the student's code; an empty text if that is not known."""
    fits = (one for one in ADVICE if one.get("exception", exception) == exception and re.search(one.get("says", ""), message))
    return next((str(one["try"]) for one in fits), "")


def call_text(called: Called, function_of: FunctionOf, shown: Callable[[Any], str] | None = None) -> str:
    """Write a call as a student would: `noise_to(x0=array (4, 8, 9), t=100, ...)`, `Block()(array (3, 8))`.

    `shown` writes a value; otherwise it is short, an array by its shape.
    """
    shown = shown or _short
    if called.args and isinstance(called.args[0], ObjectProxy) and "()" in called.function:  # the object is called, not given
        return f"{called.function}({', '.join(map(shown, called.args[1:]))})"
    names: list[str] = []
    with suppress(AttributeError, TypeError, ValueError):
        names += inspect.signature(function_of(called.function)).parameters
    names += [f"argument {i + 1}" for i in range(len(names), len(called.args))]
    given = {**dict(zip(names, called.args, strict=False)), **called.kwargs}
    return f"{called.function}({', '.join(f'{name}={shown(value)}' for name, value in given.items())})"


def _short(value: Any) -> str:
    kind = kind_of(value)
    if kind in ("array", "bool array") and hasattr(value, "shape"):
        if value.ndim == 1 and len(value) <= SHOWN and kind == "array":
            return f"[{', '.join(f'{float(v):.4g}' for v in value)}]"
        return f"array {tuple(value.shape)}"
    if kind == "number":
        return f"{float(value):.4g}" if not isinstance(value, int) else str(value)
    if isinstance(value, SimpleNamespace):
        return f"object with {' and '.join(vars(value))}"
    if isinstance(value, list | tuple | dict) and len(value) > TEXT:
        value = dict(islice(value.items(), TEXT)) if isinstance(value, dict) else value[:TEXT]
    return getattr(value, "__name__", None) or f"{value!r:.{TEXT}}"


# ---- in words


def message(failure: Failure, idea: Idea | None = None) -> str:
    """Say what went wrong, what it shows and what to do."""
    sentences = [f"`{failure.file or failure.call or failure.function}` {failure.words or 'gave a wrong answer.'}"]
    if failure.published:
        sentences.append("It is right for the published numbers, but wrong for new ones.")
    if idea:
        sentences.append(idea.sentence)
    elif failure.uses:
        do = "that may be the cause" if failure.perhaps else "fix that first"
        sentences.append(f"It uses `{failure.uses}`, which is not right yet: {do}.")
    elif failure.advice:
        sentences.append(failure.advice)
    return " ".join(sentences)


def missing_function(name: str, names: Iterable[str], file: str) -> str:
    """Say that a file has no function of this name, and which near one it has."""
    inside = next((one for one in names if one.endswith(f".{name}")), "")
    near = inside or next(iter(get_close_matches(name, [one for one in names if "." not in one], 1, 0.5)), "")
    found = f", but there is `{near}`" + ": write it outside of the class" * bool(inside) if near else ""
    return f"there is no function `{name}` in {file}{found}"


def waiting(needed: Check) -> str:
    """Say which check has to pass before another one is judged."""
    return f"Not judged: it needs “{needed.title}”, which did not pass."


class CheckFeedback(Struct, frozen=True):
    """What a student may read about one check: an override, what went wrong, and where to read on; a line of text each.

    `again`: an earlier check told the same, so the message is one line or none.
    """

    check: CheckResult
    earned: float
    override: tuple[str, ...] = ()
    message: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    again: bool = False

    @property
    def points(self) -> str:
        return f"{number(self.earned)} of {number(self.check.max_points)}"

    @property
    def lines(self) -> tuple[str, ...]:
        """All that is to say, but nothing twice; the message in one line, as no student's text should begin one.

        What is said of a question has a line for each part, which begins with the part's number.
        """
        message = self.message if self.check.failure is None else (" ".join(self.message),)
        return (*self.override, *message, *self.next) if self.message else self.override


def check_feedback(checks: Iterable[CheckResult], sections: Mapping[str, str], overrides: Mapping[str, Override] | None = None,
                   *, titles_only: bool = False) -> Iterator[CheckFeedback]:  # fmt: skip
    """Say what came of each check. `sections` has the titles of the lesson's sections by id, `overrides` are by the check's id."""
    told: set[Idea | str | tuple[str, ...] | None] = set()
    for check in checks:
        override = (overrides or {}).get(check.id)
        earned = override.points if override else check.points
        own = (f"Your instructor gave {number(earned)} instead of {number(check.points)}: {override.reason}",) if override else ()
        if check.outcome == "passed" or titles_only:
            yield CheckFeedback(check, earned, own)
        elif check.message in told and not (check.failure and check.failure.kind == "unanswered"):
            yield CheckFeedback(check, earned, own, again=True)
        elif (cause := _cause(check)) in told:
            again = f"It uses `{cause}`, too." if isinstance(cause, str) else "The same mistake as above."
            yield CheckFeedback(check, earned, own, (again,), again=True)
        else:
            lines = tuple(filter(None, check.message.split("\n")))
            reread = (f"Reread: {sections.get(check.section, check.section)} (`course read {check.section}`)",) if check.section else ()
            card = (f"Card: `{check.card}`",) if check.card else ()
            yield CheckFeedback(check, earned, own, lines, (*reread, *card))
            told |= {check.message, cause} - {None}


def _cause(check: CheckResult) -> Idea | str | tuple[str, ...] | None:
    """Return what failed checks share if one mistake is behind them: the idea, a wrong function that they use, or where they raised."""
    failure = check.failure
    if check.diagnosis or not failure:
        return check.diagnosis
    return failure.uses or ((failure.exception, *failure.lines) if failure.lines else None)


# ---- a formula that was read off numbers, in words

WORDS: dict[str, str] = tomllib.loads((Path(__file__).parent / "remarks.toml").read_text(encoding="utf-8"))


def reading_words(readings: Iterable[Reading]) -> str:
    """Say which formulas the numbers follow, and what the right ones are."""
    return " ".join(map(_reading, readings))


def rewrite_words(ways: Iterable[tuple[tuple[str, str], ...]]) -> str:
    """Say what it is as if an answer had, each way with the parts that it is in: "In σ, it is as if the root were missing from β̃_t."."""
    return WORDS["or"].join(" ".join(map(_as_if, said, count())) for said in ways)


def _as_if(said: tuple[str, str], number: int) -> str:
    words, where = said
    form = WORDS["rewrite_where" if where else "rewrite"] if not number else WORDS["rewrite_too_where" if where else "rewrite_too"]
    return form.format(words=words, where=where)


def _reading(reading: Reading) -> str:
    result, wrong = reading.result or "result", reading.wrong
    if reading.kind == "asked":
        own, due = (f"{reading.where[0]}{number:g}" for number in reading.numbers)
        told = WORDS["asked"].format(own, due, letter=reading.right[0])
        return _within("In a step: ", told) if reading.step else told
    if reading.kind != "factors":
        where = _where(reading.where)
        numbers = [f"{number:.3g}".replace("-", "−") for number in reading.numbers]
        part = reading.right[int(reading.numbers[0])] if reading.kind == "first_row" else ""
        return WORDS[reading.kind].format(*numbers, result=result, where=where, parts=listed(reading.right), part=part)
    if not reading.named:
        return _in_numbers(reading, result)
    place = f"In the {reading.result}: " if reading.result and wrong[0].letter else "In each step: " if reading.step else ""
    if len(wrong) == 2 and wrong[0].own[0] == wrong[1].right[0] and wrong[1].own[0] == wrong[0].right[0]:
        said = [WORDS["factors_swapped"].format(wrong[0].letter, wrong[1].letter, wrong[0].right[0], wrong[1].right[0])]
    else:
        said = [_wrong(one, result) for one in wrong]
    if reading.right:
        said.append(WORDS["factors_right" if len(reading.right) > 1 else "factor_right"].format(listed(reading.right)))
    return _within(place, " ".join(said))


def _within(place: str, said: str) -> str:
    return place + said[0].lower() + said[1:] if place else said


def _in_numbers(reading: Reading, result: str) -> str:
    """Write the student's sum and the reference's where they differ: 0.947·x_0 − 0.321·ε."""
    shown = {letter: pair for letter, pair in reading.terms.items() if max(map(abs, pair)) >= SMALLEST}
    wrong = [letter for letter, (mine, due) in shown.items() if letter not in reading.right and abs(mine - due) >= SMALLEST]
    own, right = (_sum({letter: pair[i] for letter, pair in shown.items()}, 3 if wrong else 6) for i in (0, 1))
    look = f": look at the factor{'s' * (len(wrong) > 1)} of {listed(wrong)}" if len(shown) > 1 and wrong else ""
    return WORDS["sum"].format(where=_where(reading.where, "At {}, your", "Your"), result=result, own=own, right=right, look=look)


def _sum(terms: Mapping[str, float], digits: int) -> str:
    text = "".join(f" {'−' if value < 0 else '+'} {abs(value):.{digits}f}{'·' * bool(letter)}{letter}" for letter, value in terms.items())
    return f"−{text[3:]}" if text.startswith(" −") else text[3:]


def _wrong(wrong: Wrong, result: str) -> str:
    """Say what a wrong factor is, and what the formula has."""
    digits = significant(wrong.own[1], wrong.right[1], fewest=3)
    own, right = (_named(name, number, wrong.where[0]) for (name, _), number in zip((wrong.own, wrong.right), digits, strict=True))
    own = own[:-1] + _where(wrong.where) + ")" if own.endswith(")") else own
    kinds = {("0", 0): "factor_left_out", ("1", 0): "factor_of_one", ("0", 1): "factor_too_many", ("1", 1): "factor_for_one"}
    kind = next((kinds[name, i] for i, (name, _) in enumerate((wrong.own, wrong.right)) if (name, i) in kinds), "factor")
    found = "squared" if wrong.relation == "square" and not wrong.right[0].startswith("√") else wrong.relation
    relation = f": {WORDS[found]}" if found else ""
    return WORDS[kind if wrong.letter else "number"].format(letter=wrong.letter, result=result, own=own, right=right, relation=relation)


def _named(name: str, number: str, where: str) -> str:
    """Write a factor, with its number if the name is no number itself: "√ᾱ_t (0.947)"."""
    number = number.replace("-", "−")
    name = name[1:-1] if re.fullmatch(r"\([^()]*\)", name) else name
    return name if name in (number, where) else f"{name} ({number})" if name else number


def _where(where: tuple[str, float], form: str = " at {}", otherwise: str = "") -> str:
    return form.format(f"{where[0]} = {where[1]:.4g}") if where[0] else otherwise


# ---- marks of questions, in words


def remark_words(question: Question, remark: Remark, name: Callable[[str], str] = "`{}`".format) -> str:
    """Say a remark in words. `name` shows the id of a choice or option: in backticks, unless the reader sees no ids."""
    asked = next((part for part in question.parts if part.id == remark.part), question)
    items, known = [name(item) for item in remark.items], ", ".join(remark.known)
    numbers = ", ".join(_answered_with(question, asked, remark.numbers))
    return WORDS.get(remark.kind, "{sentence}").format(
        *items,
        id=asked.id,
        given=remark.given,
        sentence=remark.sentence,
        known=known,
        hint=f"did you mean {items[0]}?" if items else f"take one of {known}.",
        form=f"{{{', '.join(f'{item}: ...' for item in remark.known)}}}",
        where=f" for {numbers}" if numbers else "",
        decimals=asked.decimals,
        like=f"{0.123456789:.{asked.decimals}f}",
        example="0.123" if asked.computes else "...",
    )


def _answered_with(question: Question, asked: Question, numbers: Mapping[str, float]) -> Iterator[str]:
    """Name the numbers that a part was answered with, as its text does."""
    for name, value in numbers.items():
        drawn = question.numbers.get(name)
        symbol = name if drawn is None or drawn.symbol is None else drawn.symbol
        if symbol and (name in asked.arguments or not asked.arguments):
            yield f"{symbol} = {plain(value).replace('-', '−')}"


def mark_message(question: Question, made: Mark) -> str:
    """Say a mark in words, a remark a line: a part by its number, and what was chosen by its text, unless an id was mistyped."""
    places = {part.id: f"Part {place} of {len(question.parts)}: " for place, part in enumerate(question.parts, 1)}
    return "\n".join(places.get(remark.part, "") + _remark_line(question, remark) for remark in made.remarks)


def _remark_line(question: Question, remark: Remark) -> str:
    asked = next((part for part in question.parts if part.id == remark.part), question)
    texts = {one.id: one.text for one in (*asked.choices, *asked.options) if remark.kind not in FORM and "[[" not in one.text}

    def name(item: str) -> str:
        return f"“{formulas_in_unicode(texts[item]).rstrip('.')}”" if item in texts else f"`{item}`"

    return remark_words(question, remark, name)
