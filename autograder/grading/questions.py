"""The numbers of a question, published or drawn from a seed; their answers, text and working."""

import hashlib
import math
import random
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from autograder.course.errors import CourseError, Finding
from autograder.course.expressions import evaluate, formulas_of
from autograder.course.loading import recordings
from autograder.course.model import Key, Lesson, Misconception, Question, Range
from autograder.course.own_practice import Call, call_of, calls_of, is_apart, practised
from autograder.course.text import plain
from autograder.grading.diagnosis import load_misconceptions
from autograder.grading.recorded import FORMAT, RecordedMisconception, read_gz
from autograder.grading.reference import Answers, load_module

DRAWS = 1000
VARIANTS = 50  # of a question: a student release has recorded these, so a seed counts modulo 50 everywhere
SEPARATION = 2.5  # in tolerances, between any two of: the right answer, each misconception's


class Functions(Struct, frozen=True):
    """The reference function and the misconceptions of `EXERCISE.FUNCTION`; if recorded, also the variants and the workings' lines.

    `own`: whether practice counts, so that its numbers are kept apart from those of practising; `known` has the calls of
    all answers that are practised. A release for this has the round's `token`, and for each question a `pool` of numbers that count.
    """

    reference: Callable[[str], Callable[..., Any]]
    misconceptions: Callable[[str], Sequence[Misconception]]
    variants: Mapping[str, Sequence[Mapping[str, float]]] | None = None
    working: Callable[[Question, Mapping[str, float]], tuple[str, ...]] | None = None
    own: bool = False
    known: Callable[[], set[Call]] = set
    token: str = ""
    pool: Mapping[str, Sequence[Mapping[str, float]]] | None = None


def variant(question: Question, seed: int | None, functions: Functions) -> dict[str, float]:
    """Return the published numbers of a question, or those of a seed (modulo 50), which are the same on every machine."""
    if seed is None or not question.numbers:
        return {name: drawn.published for name, drawn in question.numbers.items()}
    seed %= VARIANTS
    if functions.variants is not None:
        return dict(functions.variants[question.id][seed])
    return _drawn(question, f"{question.id}:{seed}", functions, counting=False)


def counting(question: Question, token: str, place: int, functions: Functions) -> dict[str, float]:
    """Return one of the sets of numbers that count, where each student has their own: none of them is ever practised."""
    if not question.numbers:
        return {}
    if functions.pool is not None:
        return dict(functions.pool[question.id][place])
    return _drawn(question, f"{token}:{question.id}:{place}", functions, counting=True)


def _drawn(question: Question, seed: str, functions: Functions, *, counting: bool) -> dict[str, float]:
    """Draw numbers until every misconception can be detected. Raises CourseError after 1000 draws."""
    published = {name: drawn.published for name, drawn in question.numbers.items()}
    rng, known = random.Random(hashlib.blake2b(seed.encode(), digest_size=8).digest()), functions.known() if counting else set()
    for _ in range(DRAWS):
        fresh = {name: _draw(drawn, rng) for name, drawn in question.numbers.items()}
        apart = not functions.own or (is_apart(question, fresh, counting=counting) and known.isdisjoint(calls_of(question, fresh)))
        if fresh != published and apart and detectable(question, fresh, functions):
            return fresh
    problem = f"question `{question.id}`: in {DRAWS} draws, no numbers distinguished all of its misconceptions"
    raise CourseError([Finding(Path("practice.yaml"), question.line, problem, "widen the ranges of its numbers, or drop one of `detects`")])


def detectable(question: Question, numbers: Mapping[str, float], functions: Functions) -> bool:
    """Whether all answers are finite, and the right one and the misconceptions' lie 2.5 tolerances or more apart."""
    for part in (question, *question.parts):
        if part.computes:
            try:
                right, misconceptions = values(part, numbers, functions)
            except (ArithmeticError, ValueError):
                return False
            known = sorted([right, *(value for _, value in misconceptions)])
            near = any(later - earlier <= SEPARATION * part.tolerance for earlier, later in pairwise(known))
            if near or not all(math.isfinite(value) for value in known):
                return False
    return True


def values(question: Question, numbers: Mapping[str, float], functions: Functions) -> tuple[float, list[tuple[Misconception, float]]]:
    """Compute the right answer of a question, and the answer of every misconception in `detects`."""
    _, *arguments = call_of(question, numbers)
    detected = [misconception for misconception in functions.misconceptions(question.computes) if misconception.id in question.detects]
    right = float(functions.reference(question.computes)(*arguments))
    return right, [(misconception, float(misconception.function(*arguments))) for misconception in detected]


def _draw(drawn: Range, rng: random.Random) -> float:
    """Draw from the grid, exactly: 0.1 three times is 0.3. A grid of whole numbers yields an int, which can be an index."""
    low, high, step = (Decimal(str(number)) for number in (drawn.low, drawn.high, drawn.step))
    value = low + step * rng.randrange(int((high - low) / step) + 1)
    whole = all(isinstance(number, int) for number in (drawn.low, drawn.step, drawn.published))
    return int(value) if whole else float(value) + 0.0


_PLACE = re.compile(r"\[\[(?:(?P<name>\w+)|= *(?P<expression>.+?) *(?: :(?P<format>[^\]\s]+))?)\]\]")


def question_text(question: Question, numbers: Mapping[str, float], item: str = "- `{id}`: {text}") -> str:
    """Return the question as Markdown with its numbers, and its choices and parts with the ids to answer with.

    `item` is the line of what can be chosen, with its `place`, `id` and `text`.
    """
    lines = [_filled(question.text, numbers, {})]
    for listed, line in ((question.choices, "- `{id}`: {text}" if question.options else item), (question.options, item)):
        texts = [line.format(place=place, id=one.id, text=_filled(one.text, numbers, {})) for place, one in enumerate(listed, 1)]
        lines += ["", *texts] if texts else []
    for part in question.parts:
        lines += ["", f"**{part.id}.** {question_text(part, numbers, item)}"]
    return "\n".join(lines)


def working(question: Question, key: Key, numbers: Mapping[str, float], namespace: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the lines of the working with these numbers. Raises ValueError if an expression fails."""
    lines = tuple(_filled(line, numbers, namespace, question.decimals) for line in key.working)
    parts = [(part, working(part, key.parts[part.id], numbers, namespace)) for part in question.parts if part.id in key.parts]
    return (*lines, *(f"{part.id}. {line}" if place == 0 else line for part, below in parts for place, line in enumerate(below)))


def namespace_of(question: Question, functions: Functions) -> dict[str, Any]:
    """Return the names that a working may use: sqrt, np, and the public functions of the answers' modules."""
    import numpy as np  # late: a question can be marked without it

    names: dict[str, Any] = {"np": np, "sqrt": math.sqrt}
    for part in (question, *question.parts):
        module = getattr(functions.reference(part.computes), "__globals__", {}) if part.computes else {}
        names |= {name: value for name, value in module.items() if callable(value) and not name.startswith("_")}
    return names


def _filled(text: str, numbers: Mapping[str, float], namespace: Mapping[str, Any], decimals: int = 3) -> str:
    def fill(place: re.Match[str]) -> str:
        if place["name"]:
            return plain(numbers[place["name"]]).replace("-", "−") if place["name"] in numbers else place[0]
        value = evaluate(place["expression"], {**namespace, **numbers})
        written = format(value, place["format"] or (f".{decimals}f" if not isinstance(value, int | str) else ""))
        return written.lstrip("-") if re.fullmatch(r"-0\.?0*", written) else written.replace("-", "−")

    return _PLACE.sub(fill, text)


Number = int | float  # a whole number stays one: it may be an index
Values = list[tuple[list[Number], float]]  # arguments, and what a function returns for them


class MisconceptionValues(RecordedMisconception, frozen=True):
    """A misconception of a question's function, and what it returns."""

    values: Values


class WorkingLines(msgspec.Struct, frozen=True):
    """The working of one question with one set of numbers."""

    numbers: dict[str, Number]
    lines: list[str]


class PracticeRecordings(msgspec.Struct, frozen=True):
    """All that a release knows about a lesson's questions, except the keys. The keys of `working` are those of `place`."""

    variants: dict[str, list[dict[str, Number]]]
    values: dict[str, Values]
    misconceptions: dict[str, list[MisconceptionValues]]
    working: dict[str, list[WorkingLines]]
    format: int = FORMAT
    token: str = ""
    pool: dict[str, list[dict[str, Number]]] = {}


def place(question: Question) -> str:
    """Name a question or part by its id and line, since parts of two questions may share an id."""
    return f"{question.id}:{question.line}"


def replayed_functions(path: Path) -> Functions:
    """Return the recordings as functions. Raises CourseError if they cannot be read."""
    try:
        recorded = read_gz(path, PracticeRecordings)
    except (OSError, EOFError, ValueError) as error:
        fix = "download the release again, or rebuild it"
        raise CourseError([Finding(path, None, f"these recordings cannot be read: {error}", fix)]) from None

    def reference(name: str) -> Callable[..., float]:
        return _looked_up(name, recorded.values.get(name, []), path)

    def misconceptions(name: str) -> Sequence[Misconception]:
        return [one.with_function(_looked_up(one.id, one.values, path)) for one in recorded.misconceptions.get(name, [])]

    def lines(question: Question, numbers: Mapping[str, float]) -> tuple[str, ...]:
        return next((tuple(one.lines) for one in recorded.working.get(place(question), []) if one.numbers == numbers), ())

    own = {"own": True, "token": recorded.token, "pool": recorded.pool} if recorded.token else {}
    return Functions(reference, misconceptions, recorded.variants, lines, **own)  # type: ignore[arg-type]  # the values have many types


def _looked_up(name: str, values: Values, path: Path) -> Callable[..., float]:
    known = {tuple(arguments): value for arguments, value in values}

    def function(*arguments: Any) -> float:
        if arguments not in known:
            problem = f"`{name}` has no recorded answer to these numbers: a student release has {VARIANTS} variants of a question"
            raise CourseError([Finding(path, None, problem, "answer one of these variants, or use a clone of the course")])
        return known[arguments]

    return function


def functions_of(root: Path, lesson: Lesson) -> Functions:
    """Return the functions that answer a lesson's questions: the solutions', or a release's recordings."""
    folder, recorded = root / "solutions" / lesson.id, recordings(root, lesson.id, "practice")
    if recorded.is_file():
        return replayed_functions(recorded)
    formulas = formulas_of(lesson)

    @cache
    def loaded(exercise: str) -> tuple[Answers, tuple[Misconception, ...]]:
        file = f"{exercise}.py"
        return Answers(load_module(folder / file)), load_misconceptions(folder / "misconceptions" / file)

    def misconceptions(name: str) -> list[Misconception]:
        if name in formulas:
            return formulas[name].misconceptions
        exercise, _, function = name.partition(".")
        return [misconception for misconception in loaded(exercise)[1] if misconception.of == function]

    def reference(name: str) -> Callable[..., Any]:
        if name in formulas:
            return formulas[name].function
        exercise, _, function = name.partition(".")
        return loaded(exercise)[0].function(function)

    made = Functions(reference, misconceptions, own=lesson.practice == "own")

    @cache
    def known() -> set[Call]:
        drawn = product(practised(lesson), (None, *range(VARIANTS)))
        return {call for question, seed in drawn for call in calls_of(question, variant(question, seed, made))}

    return msgspec.structs.replace(made, known=known) if made.own else made
