"""The formula that a student's numbers follow: which factors are wrong, and what they are called.

A factor is named by the simplest expression that equals it in all calls: a number, a quantity of the lesson, a product or quotient of two,
or a multiple of the right factor. If several of the simplest do, and differ elsewhere, none is named. Where factors don't explain the
values, it is said what does: an axis, a clamp, a constant. Nothing here is words but the names: `feedback` has them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from autograder.grading.coefficients import IMAGE, Array, Formula, Sum, fit

SEPARATION = 10  # tolerances by which a factor is wrong
ROUNDING = 1e-5  # of the largest value: what single precision loses on the way
NEAR = 0.005  # of the largest value, for what is right but not exact
CLEARLY = 0.3  # of the largest error


class Wrong(msgspec.Struct, frozen=True):
    """A wrong factor: whose it is, and the student's and the reference's, by name (empty if it has none) and as a number.

    where: a quantity and its value, in the first row that is clearly wrong. relation: how the student's follows from the reference's in
    all rows, if it does: "sign", "square", "root" or "inverse".
    """

    letter: str
    own: tuple[str, float]
    right: tuple[str, float]
    where: tuple[str, float]
    relation: str


class Reading(msgspec.Struct, frozen=True):
    """What the sums of a result show. `feedback` has the words.

    kind: "factors" some are wrong. "asked": a callback was asked with another number. "infinite": values that are no numbers. "axis":
    factors that change along an axis where they must not. "first_row": one sample's part of this number serves for all. "constant" and
    "clamped": all else is right. "inexact": all is right, but not exact. "unexplained": no factors give the value.
    result: its name, if there are several. where: a quantity and its value, in the first row that is clearly wrong. terms: the student's
    and the reference's factor of each part, in that row. numbers: the kind's own.
    """

    kind: Literal["factors", "asked", "infinite", "axis", "first_row", "constant", "clamped", "inexact", "unexplained"]
    result: str = ""
    step: bool = False  # of a walk
    where: tuple[str, float] = ("", 0.0)
    wrong: tuple[Wrong, ...] = ()
    right: tuple[str, ...] = ()
    terms: dict[str, tuple[float, float]] = {}
    numbers: tuple[float, ...] = ()

    @property
    def named(self) -> bool:
        """Whether it tells all of an idea: no other way to tell it is better."""
        return self.kind not in ("unexplained", "inexact", "asked") and all(one.own[0] for one in self.wrong)


class Factor(NamedTuple):
    """The factor of one part: the student's, the reference's, by how much equal ones may differ, and the number of the row."""

    own: Array
    right: Array
    slack: Array
    row: Array

    def differs(self, tolerances: float) -> NDArray[np.bool_]:
        return np.abs(self.own - self.right) > tolerances * self.slack

    @property
    def first(self) -> int:
        """Where it is clearly wrong for the first time."""
        away = np.abs(self.own - self.right)
        return int(np.argmax(away >= away.max() * CLEARLY))


def read(seen: Iterable[tuple[Sum, Formula, float]], letters: Mapping[str, str]) -> Reading | None:
    """Read the sums that all calls made of one result, each beside the reference's formula, and with a tolerance.

    Return None if they are right, or if nothing is certain.
    """
    columns: dict[str, list[Array]] = {}
    rows: list[dict[str, float]] = []  # the quantities of each
    strange, step, name = [], False, ""
    for own, formula, tolerance in seen:
        compared = _compared(own, formula, tolerance, letters)
        if compared is None:
            strange.append((own, formula, tolerance))
        for letter, column in (compared or {}).items():
            columns.setdefault(letter, []).append(np.vstack([column, np.arange(column.shape[1]) + len(rows)]))
        rows += _rows(formula.quantities, max((column.shape[1] for column in (compared or {}).values()), default=0))
        step, name = own.step, own.name
    factors = {letter: Factor(*np.hstack(own)) for letter, own in columns.items()}
    otherwise = [found for own, formula, _ in seen if (found := _asked_otherwise(own, formula))]
    wrong = {letter: factor for letter, factor in factors.items() if factor.differs(SEPARATION).any()}
    if any(factor.differs(1).any() for letter, factor in factors.items() if letter not in wrong):
        return None
    if strange:
        return None if wrong else _read_strange(strange, letters, name)
    if wrong and otherwise:
        callback, what, *numbers = otherwise[0]
        return Reading("asked", name, step, (what, numbers[1]), right=(letters.get(callback, callback),), numbers=tuple(numbers))
    return _read_wrong(wrong, factors, rows, name, step) if wrong else None


def _asked_otherwise(own: Sum, formula: Formula) -> tuple[Any, ...]:
    """Name a callback that was asked with another number than by the reference, the quantity, and both numbers; empty if there is none."""
    split = {name: name.rstrip(")").partition("(") for name in (*own.recent, *formula.factors) if name.endswith(")")}
    more, missing = ([split[name] for name in split if name in here and name not in there] for here, there in (
        (own.recent, formula.factors), (formula.factors, own.recent)))  # fmt: skip
    pairs = ((callback, mine.split(", "), due.split(", ")) for callback, _, mine in more for other, _, due in missing if callback == other)
    for callback, mine, due in pairs:
        apart = [(a, b) for a, b in zip(mine, due, strict=False) if a != b]
        if len(mine) == len(due) and len(apart) == 1 and all(map(str.isdecimal, apart[0])):
            named = next((f"{name} = " for name, values in formula.quantities.items() if values == [float(apart[0][1])]), "")
            return callback, named, *map(float, apart[0])
    return ()


def _compared(own: Sum, formula: Formula, tolerance: float, letters: Mapping[str, str]) -> dict[str, Array] | None:
    """Return (the student's factor, the reference's, slack) of each part in each row, by letter; None if the parts don't make the value.

    It is empty where the reference's values do not determine its factors either.
    """
    if not formula.factors:
        return {}
    rows = max(map(len, formula.factors.values()))
    more = [name for name in own.recent if name not in (*formula.factors, IMAGE)]  # an image that the reference does not use is a sum
    names = [*(name for name in formula.factors if name in own.parts), *more]
    if len(np.atleast_1d(own.value)) % rows:
        return None
    factors, left = fit(own.value, [own.parts[name] for name in names], rows)
    if factors is None or not left.max() <= tolerance:
        return None
    found = {}
    for name, letter in _letters([*formula.factors, *more], letters).items():
        size = np.abs(own.parts[name].reshape(rows, -1)).max(1) if name in own.parts else np.ones(rows)
        given = factors[:, names.index(name)] if name in names else np.zeros(rows)
        found[letter] = np.vstack([given, np.broadcast_to(formula.factors.get(name, [0.0]), rows), tolerance / np.maximum(size, tolerance)])
    return found


def _letters(names: Sequence[str], letters: Mapping[str, str]) -> dict[str, str]:
    """Return the letter of each part; several answers of one callback are numbered."""
    plain = [name.partition("(")[0] for name in names]
    numbered = [f"{one} {plain[: i + 1].count(one)}" if plain.count(one) > 1 else one for i, one in enumerate(plain)]
    return {name: letters.get(one, letters.get(bare, one)) for name, one, bare in zip(names, numbered, plain, strict=True)}


def _rows(quantities: Mapping[str, list[float]], rows: int) -> list[dict[str, float]]:
    return [{name: values[row if len(values) > 1 else 0] for name, values in quantities.items()} for row in range(rows)]


def _read_wrong(wrong: Mapping[str, Factor], factors: Mapping[str, Factor], rows: list[dict[str, float]], name: str, step: bool) -> Reading:
    told = [_wrong(letter, one, rows) for letter, one in wrong.items()]
    first = min(int(one.row[one.first]) for one in wrong.values())
    here = {letter: (one.own[one.row == first], one.right[one.row == first]) for letter, one in factors.items()}
    terms = {letter: (float(own[0]), float(right[0])) for letter, (own, right) in here.items() if own.size}
    right_ones = tuple(letter for letter in factors if letter not in wrong)
    return Reading("factors", name, step, _where(rows[first]), tuple(told), right_ones, terms)


def _wrong(letter: str, factor: Factor, rows: list[dict[str, float]]) -> Wrong:
    right, here = _name(factor.right, factor, rows), factor.first
    relation, derived = _derived(factor, right)
    own = _name(factor.own, factor, rows) or derived
    where = _where(rows[int(factor.row[here])])
    number = 0.0 if abs(factor.own[here]) <= factor.slack[here] else float(factor.own[here])
    return Wrong(letter, (own, number), (right, float(factor.right[here])), where, relation)


def _where(quantities: Mapping[str, float]) -> tuple[str, float]:
    return next(iter(quantities.items()), ("", 0.0))


def _derived(factor: Factor, name: str) -> tuple[str, str]:
    """Say how a wrong factor follows from the right one of this name, if it does in all rows: in a word, and as "1.1·√ᾱ_t"."""
    own, right, short = factor.own, factor.right, _bracketed(name)
    ratio = float(own @ right / (right @ right)) if right.any() else 0.0
    with np.errstate(all="ignore"):
        for relation, value, derived in (
            ("sign", -right, f"−{short}"),
            ("square", right * np.abs(right), f"{short}²"),
            ("root", np.abs(right) ** 0.5, f"√({name})"),
            ("inverse", 1 / right, f"1/{short}"),
            ("", ratio * right if len(own) > 1 else np.nan, f"{ratio:.4g}·{short}"),
        ):
            if (np.abs(own - value) <= factor.slack).all():
                return relation, derived if name else ""
    return "", ""


def _bracketed(name: str) -> str:
    return f"({name})" if " " in re.sub(r"√?\([^()]*\)", "", name) else name


def _name(values: Array, factor: Factor, rows: list[dict[str, float]]) -> str:
    """Return the simplest expression that equals these values in all rows; empty if there is none, or more than one.

    Expressions that equal each other are one, like 1/√α_t and √ᾱ_{t−1}/√ᾱ_t: the first of them serves.
    """
    named = [rows[int(row)] for row in factor.row]
    names = tuple(name for name in named[0] if all(name in one for one in named))
    table = np.array([[one[name] for one in named] for name in names]).reshape(len(names), len(values))
    with np.errstate(all="ignore"):
        for texts, numbers in _expressions(names, table):
            fitting = [
                (sign, int(i)) for sign in (1, -1) for i in np.flatnonzero((np.abs(values - sign * numbers) <= factor.slack).all(-1))
            ]
            if fitting:
                sign, i = fitting[0]
                same = all(np.allclose(other * numbers[j], sign * numbers[i], rtol=1e-9, atol=0) for other, j in fitting)
                return "−" * (sign < 0) + texts[i] if same else ""
    return ""


def _expressions(names: tuple[str, ...], table: Array) -> Iterator[tuple[Sequence[str], Array]]:
    """Yield the simple numbers, then the quantities, then products and quotients of two, each with their texts."""
    yield ("0", "1", "2", "0.5"), np.array([[0.0], [1.0], [2.0], [0.5]])
    yield names, table
    if table.shape[1] == 1:  # one number equals some product or quotient by chance
        return
    texts, first, second, quotient = _pairs(names)
    numbers = np.vstack([np.ones(table.shape[1]), table])
    yield texts, numbers[first] * numbers[second] ** np.where(quotient, -1, 1)[:, None]


@cache
def _pairs(names: tuple[str, ...]) -> tuple[list[str], NDArray[np.int_], NDArray[np.int_], NDArray[np.bool_]]:
    """Return the texts of all products and quotients of two quantities, of which two (0 is the number 1), and whether it is a quotient."""
    bracketed = ["1", *map(_bracketed, names)]
    count = range(1, len(bracketed))
    made = [(0, j, True) for j in count] + [(i, j, False) for i in count for j in count if i <= j]
    made += [(i, j, True) for i in count for j in count if i != j]
    texts = [f"{bracketed[i]}{'/' if quotient else '·'}{bracketed[j]}" for i, j, quotient in made]
    first, second, quotients = (np.array(column) for column in zip(*made, strict=True)) if made else (np.zeros(0, int),) * 3
    return texts, first, second, quotients.astype(bool)


# ---- what no factors explain


def _read_strange(strange: Sequence[tuple[Sum, Formula, float]], letters: Mapping[str, str], name: str) -> Reading | None:
    """Say what makes the values other than a sum of their parts, if it does so in all of these calls; nothing of a rounding error."""
    if all(np.abs(one.value - (due := _expected(one, formula))).max() <= ROUNDING * np.abs(due).max() for one, formula, _ in strange):
        return None
    own, formula, _ = strange[0]
    letters_here = tuple(_letters([*formula.factors], letters).values())
    where = _where({what: values[0] for what, values in formula.quantities.items() if len(values) == 1})
    near = 2 * max(tolerance for *_, tolerance in strange)
    for kind, finds in _KINDS.items():
        found = [finds(*one) for one in strange]
        if all(found) and (kind not in ("first_row", "constant") or np.ptp([one[0] for one in found]) <= near):
            return Reading(kind, name, own.step, where, right=letters_here, numbers=found[0])
    return Reading("unexplained", name, own.step, where, right=letters_here)


def _infinite(own: Sum, formula: Formula, tolerance: float) -> tuple[float, ...]:
    """Return how many values are infinite or NaN, and of how many."""
    lost = int((~np.isfinite(own.value)).sum())
    return (lost, own.value.size) if lost else ()


def _axis(own: Sum, formula: Formula, tolerance: float) -> tuple[float, ...]:
    """Return the axis along which the factors change, if it is not the first; and the last axis."""
    parts = [own.value, *(own.parts[name] for name in formula.factors if name in own.parts)]
    for axis in range(1, own.value.ndim):
        turned = [np.moveaxis(part, axis, 0) for part in parts]
        factors, left = fit(turned[0], turned[1:], len(turned[0]))
        if factors is not None and left.max() <= tolerance:
            return axis, own.value.ndim - 1
    return ()


def _first_row(own: Sum, formula: Formula, tolerance: float) -> tuple[float, ...]:
    """Return the number of the part of which the first sample's serves for all, if nothing else is wrong."""
    for number, name in enumerate(formula.factors):
        part = own.parts.get(name)
        if part is not None and part.ndim and len(part) > 1:
            shared = msgspec.structs.replace(own, parts={**own.parts, name: np.broadcast_to(part[:1], part.shape)})
            if np.abs(own.value - _expected(shared, formula)).max() <= 2 * tolerance:
                return (number,)
    return ()


def _constant(own: Sum, formula: Formula, tolerance: float) -> tuple[float, ...]:
    """Return what is added to every value, if nothing else is wrong."""
    rest = own.value - _expected(own, formula)
    return (float(rest.mean()),) if np.ptp(rest) <= 2 * tolerance < abs(rest.mean()) else ()


def _clamped(own: Sum, formula: Formula, tolerance: float) -> tuple[float, ...]:
    """Return the range to which the value is clamped, how many values that changed, and of how many, if nothing else is wrong."""
    low, high, free = own.value.min(), own.value.max(), _expected(own, formula)
    cut = int((np.abs(free - own.value) > tolerance).sum())
    held = (np.abs(free.clip(low, high) - own.value) <= tolerance).all() and min((own.value == low).sum(), (own.value == high).sum()) > 1
    return (float(low), float(high), cut, free.size) if held and low < high else ()  # one value for all is no range


def _inexact(own: Sum, formula: Formula, tolerance: float) -> tuple[float, ...]:
    """Return the largest error, if it is a small part of the values."""
    expected = _expected(own, formula)
    error = float(np.abs(own.value - expected).max())
    return (error,) if error <= NEAR * np.abs(expected).max() else ()


def _expected(own: Sum, formula: Formula) -> Array:
    """Return the reference's sum of the student's parts."""
    value = np.zeros_like(own.value)
    for name, factors in formula.factors.items():
        value += np.reshape(factors, (-1, *[1] * (value.ndim - 1)) if len(factors) > 1 else ()) * own.parts.get(name, np.nan)
    return value


_KINDS: dict[Any, Callable[[Sum, Formula, float], tuple[float, ...]]] = {
    "infinite": _infinite, "axis": _axis, "first_row": _first_row, "constant": _constant, "clamped": _clamped, "inexact": _inexact,
}  # fmt: skip
