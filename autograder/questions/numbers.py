"""The numbers of a question: published or drawn from a seed, and what the reference and the known slips answer to them."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from msgspec import Struct

from autograder.errors import CourseError, Finding
from autograder.model import Misconception, Question, Range

DRAWS = 1000
VARIANTS = 50  # of a question: as many as a student release has recorded, so a seed is taken modulo this everywhere
APART = 2.5  # tolerances between any two of: the right answer, each slip's


class Functions(Struct, frozen=True):
    """Where answers come from: the reference function and the known slips of `EXERCISE.FUNCTION`.

    Where they are recordings, the variants that were drawn and the workings' lines come along.
    """

    reference: Callable[[str], Callable[..., Any]]
    misconceptions: Callable[[str], Sequence[Misconception]]
    variants: Mapping[str, Sequence[Mapping[str, float]]] | None = None
    working: Callable[[Question, Mapping[str, float]], tuple[str, ...]] | None = None


def variant(question: Question, seed: int | None, functions: Functions) -> dict[str, float]:
    """Return the numbers of a question: the published ones, or for a seed (modulo 50) fresh ones, the same wherever they are drawn.

    Fresh numbers are drawn again until the right answer and every slip's lie 2.5 tolerances apart. Raises CourseError where
    1000 draws don't do it.
    """
    published = {name: drawn.published for name, drawn in question.numbers.items()}
    if seed is None or not published:
        return published
    seed %= VARIANTS
    if functions.variants is not None:
        return dict(functions.variants[question.id][seed])
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
