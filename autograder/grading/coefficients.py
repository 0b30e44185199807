"""What multiplies each argument of a linear function, by least squares over all values of a call.

A lesson says which functions are sums of arguments, each times a factor (LINEAR in its `quantities.py`), and names the numbers that its
formulas are made of. A call makes one such sum, or several: one for each result, or for each step of a walk. Where the factors differ
between the rows of a batch, each row has its own.

Everything here is numbers: a release records the reference's factors and the quantities of each published call, and no formula. What a
factor is called is found in `readings`.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from autograder.course.errors import CourseError, Finding
from autograder.grading.checks import Called
from autograder.grading.comparison import kind_of
from autograder.grading.reference import as_array, callback_of, fuzzy_key, load_module

Array = NDArray[np.float64]
Linear = tuple[str, ...] | dict[str, tuple[str, ...]]

IMAGE = "image"  # the part of a walk's step that is its image before
MOST_STEPS = 40  # of a walk that are looked at
CONDITION = 1e10  # of the normal equations, above which the factors are not determined


class Quantities(msgspec.Struct, frozen=True):
    """What a lesson says of its formulas, in the `quantities.py` beside its answers. Of a release, only `linear` and `letters` are known.

    linear: the functions that add up arguments, and which. letters: what names are called. of: what the numbers of a call are called.
    kinds: names that can be confused, by kind; tables: what can stand for a table, as functions; without: the words for a call that is
    left out. These three are for `rewrites`.
    """

    linear: Mapping[str, Linear] = {}
    letters: Mapping[str, str] = {}
    of: Callable[[dict[str, Any]], dict[str, Any]] = lambda given: {}
    kinds: Mapping[str, tuple[str, ...]] = {}
    tables: Mapping[str, tuple[Callable[..., Any], ...]] = {}
    without: Mapping[str, str] = {}

    def is_a(self, kind: str, name: str) -> bool:
        """Return whether a name is of a kind: "name" is any kind, "table" what other tables can stand for."""
        kinds = self.kinds.values() if kind == "name" else [self.tables] if kind == "table" else [self.kinds.get(kind, ())]
        return any(name in names for names in kinds)

    def confused_with(self, name: str) -> list[str]:
        """List the names that can be confused with this one."""
        return [one for names in self.kinds.values() if name in names for one in names if one != name]


class Formula(msgspec.Struct, frozen=True):
    """One sum that the reference made, in numbers: the factor of each part in each row, and the quantities that it may be made of."""

    factors: dict[str, list[float]]
    quantities: dict[str, list[float]]


class Sum(msgspec.Struct):
    """One sum that a call made: its value, all parts that it can have, and those `recent` ones that a step of a walk adds up.

    `name` is that of the result if there are several, `given` what the quantities are computed from, `step` says whether it is a walk's.
    """

    value: Array
    parts: dict[str, Array]
    recent: list[str]
    given: dict[str, Any]
    name: str = ""
    step: bool = False


def load_quantities(path: Path) -> Quantities:
    """Read a lesson's quantities; without the file there are none."""
    if not path.is_file():
        return Quantities()
    module = load_module(path)
    try:
        return Quantities(module.LINEAR, module.LETTERS, module.quantities, module.KINDS, module.TABLES, module.WITHOUT)
    except AttributeError as error:
        raise CourseError([Finding(path, None, f"there is no `{error.name}`", f"define `{error.name}`, empty if it has nothing")]) from None


# ---- what a call added up


def sums(call: Called, linear: Linear, parameters: Iterable[str]) -> list[Sum]:
    """List the sums that a call made, in their order: its results, and in a walk what it gave the callback before."""
    given = {**dict(zip(parameters, call.args, strict=False)), **call.kwargs}
    value = call.outcome.value
    if isinstance(linear, dict):
        results = zip(linear.items(), value, strict=False) if isinstance(value, list | tuple) else ()
        return [made for (name, names), one in results for made in _sum(one, _parts(names, given), given, name=name)]
    if any(callable(given.get(name)) for name in linear):
        return list(islice(_walk(call, linear, given), MOST_STEPS))
    return list(_sum(value, _parts(linear, given), given))


def _parts(names: Iterable[str], given: Mapping[str, Any]) -> dict[str, Array]:
    return {name: array for name in names if (array := _array(given.get(name))) is not None}


def _sum(
    value: Any, parts: dict[str, Array], given: dict[str, Any], recent: Iterable[str] = (), name: str = "", step: bool = False
) -> Iterator[Sum]:
    """Yield a sum, if the value has the shape of its parts. If there are none, it is a number that is itself a factor."""
    made, parts = _array(value), parts or {"": np.ones(())}
    if made is not None and all(part.shape in ((), made.shape) for part in parts.values()):
        yield Sum(made, {one: np.broadcast_to(part, made.shape) for one, part in parts.items()}, list(recent or parts), given, name, step)


def _walk(call: Called, names: tuple[str, ...], given: dict[str, Any]) -> Iterator[Sum]:
    """Yield what each step added up: its image is the next one that the first callback is given, or the result."""
    callbacks = {given[name].__name__: name for name in names if callable(given.get(name))}
    parts = _parts(names, given)
    recent, here, image = [*parts], given, np.empty(0)
    for name, x, others, answer in _questions(call, callbacks, max(map(len, parts.values()), default=0)):
        if x is not None and not np.array_equal(x, image):
            then = {f"{one}_next": value for one, value in others.items()}
            yield from _sum(x, parts, {**here, **then}, recent, "" if image.size else f"input of `{name}`", step=True)
            parts, recent, here, image = {**parts, IMAGE: x}, [IMAGE], {**given, **others}, x
        key = f"{name}({', '.join(map(_key, others.values()))})"
        parts, recent = {**parts, key: answer}, [*recent, key]
    yield from _sum(call.outcome.value, parts, here, recent, step=True)


def _questions(call: Called, callbacks: Mapping[str, str], rows: int) -> Iterator[tuple[str, Array | None, dict[str, Any], Array]]:
    """Yield each question to a callback: which one, the image (for the first callback), the other arguments, and the answer.

    A batch that holds several copies of the images counts as several questions.
    """
    first = next(iter(callbacks))
    for asked in (one for one in call.asked if one.function in callbacks):
        callback = callback_of((call.args, call.kwargs), asked.function)
        bound = inspect.signature(callback).bind(*asked.args, **asked.kwargs).arguments
        arguments = {name: np.asarray(as_array(value)) for name, value in bound.items()}
        answer = _array(callback(*asked.args, **asked.kwargs))
        copies = len(answer) // rows if answer is not None and answer.ndim and rows and len(answer) % rows == 0 else 1
        if answer is None:
            continue
        for i in range(copies):
            own = {
                name: value[i * rows : (i + 1) * rows] if _is_batch(value, copies * rows) else value for name, value in arguments.items()
            }
            image = np.asarray(own.pop(next(iter(own))), np.float64) if asked.function == first else None
            yield callbacks[asked.function], image, own, answer if copies == 1 else answer[i * rows : (i + 1) * rows]


def _is_batch(value: Array, rows: int) -> bool:
    return value.ndim > 0 and len(value) == rows


def _array(value: Any) -> Array | None:
    with suppress(ValueError, TypeError):
        return np.asarray(as_array(value), np.float64) if kind_of(value) in ("number", "array") else None
    return None


def _key(value: Array) -> str:
    """Name an argument of a question; a t for each row counts as one, if all are equal."""
    if value.ndim == 1 and value.size and (value == value[0]).all():
        value = value[0]
    return str(value) if np.ndim(value) == 0 else fuzzy_key(value).hex()[:8]


# ---- the factors


def formula(one: Sum, quantities: Callable[[dict[str, Any]], dict[str, Any]], tolerance: float) -> Formula | None:
    """Return the factors of a sum of the reference's: none if its values leave them open. Return None if it is no sum of its parts."""
    named = {name: np.ravel(np.asarray(value, np.float64)) for name, value in quantities(one.given).items()}
    known = {name: value.tolist() for name, value in named.items() if np.isfinite(value).all()}
    determined = False
    for parts in (one.recent, [name for name in one.parts if name != IMAGE]):
        for rows in dict.fromkeys((1, len(one.value) if one.value.ndim else 1)):
            factors, left = fit(one.value, [one.parts[name] for name in parts], rows)
            if factors is not None and left.max(initial=0) <= tolerance:
                return Formula({name: factors[:, i].tolist() for i, name in enumerate(parts)}, known)
            determined |= factors is not None
    return None if determined else Formula({}, known)


def fit(value: Array, parts: Sequence[Array], rows: int) -> tuple[Array | None, Array]:
    """Return the factor of each part in each row (rows, parts), or None if the values leave them open; and what is left of each value."""
    if value.size // rows < min(len(parts) + 1, value.size):
        return None, np.abs(value)
    a = np.stack([part.reshape(rows, -1) for part in parts], -1)  # (rows, values, parts)
    b = value.reshape(rows, -1, 1)
    squares = a.transpose(0, 2, 1) @ a
    if not np.isfinite(squares).all() or (np.linalg.cond(squares) > CONDITION).any():
        return None, np.abs(value)
    factors = np.asarray(np.linalg.solve(squares, a.transpose(0, 2, 1) @ b), np.float64)
    left: Array = np.abs(b - a @ factors).reshape(value.shape)
    return factors[..., 0], left
