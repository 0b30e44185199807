"""How two values differ, in words: kind, shape and finiteness must agree, dtype is free, numbers have a tolerance.

It compares what a student's code returned with what is expected, and a misconception's value with the student's. What a difference
means is decided elsewhere.
"""

from typing import Any

import numpy as np

from autograder.grading.reference import as_arrays


def difference(got: Any, expected: Any, atol: float, rtol: float, *, nan_equal: bool = False) -> str:
    """Return how `got` differs from `expected`, in words; an empty text if it does not."""
    kind, wanted = kind_of(got), kind_of(expected)
    if wanted == "sequence" and kind in ("sequence", "array") and isinstance(got, list | tuple | np.ndarray):
        if len(got) != len(expected):
            counted = f"{len(got)} value{'s' * (len(got) != 1)} where {len(expected)} {'was' if len(expected) == 1 else 'were'} expected"
            return counted + _missing_part(got, expected, atol, rtol)
        parts = [difference(g, e, atol, rtol, nan_equal=nan_equal) for g, e in zip(got, expected, strict=True)]
        return next((f"value {i + 1}: {words}" for i, words in enumerate(parts) if words), "")
    if kind != wanted:
        hint = ": does every path end with `return`?" if kind == "None" else ""
        return f"{_named(got, kind)} where {_named(expected, wanted)} was expected{hint}"
    if wanted in ("number", "array", "bool array"):
        return _number_difference(_array(got), _array(expected), atol, rtol, nan_equal)
    if wanted == "dict":
        if set(got) != set(expected):
            return f"the keys {sorted(map(str, got))} where {sorted(map(str, expected))} were expected"
        parts = [difference(got[key], expected[key], atol, rtol, nan_equal=nan_equal) for key in expected]
        return next((f"`{key}`: {words}" for key, words in zip(expected, parts, strict=True) if words), "")
    return "" if got == expected else f"{got!r:.60} where {expected!r:.60} was expected"


def misshapen(got: Any, shape: tuple[int, ...]) -> str:
    """Return why `got` is not numbers of this shape, in words; an empty text if it is."""
    kind, wanted = kind_of(got), "array" if shape else "number"
    if kind != wanted:
        return f"{_named(got, kind)} where {f'an array of shape {shape}' if shape else 'a number'} was expected"
    return "" if np.shape(as_arrays(got)) == shape else f"shape {np.shape(as_arrays(got))} where {shape} was expected"


def kind_of(value: Any) -> str:
    """Name the kind of a value: number, array, text, None, bool, bool array, dict, sequence or object."""
    if value is None:
        return "None"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "text"
    if isinstance(value, dict):
        return "dict"
    if isinstance(value, list | tuple):
        return "array" if _numbers_only(value) and _array(value).dtype != object else "sequence"
    if isinstance(value, int | float):
        return "number"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        plain = tuple(value.shape) == ()
        truth = value.dtype.kind == "b" if isinstance(value, np.ndarray) else str(value.dtype).endswith("bool")
        return ("bool" if truth else "number") if plain else ("bool array" if truth else "array")
    return "object"


def _missing_part(got: Any, expected: Any, atol: float, rtol: float) -> str:
    """Say which part of a sequence is missing, if the others are right."""
    if len(got) != len(expected) - 1:
        return ""
    rests = ([*expected[:i], *expected[i + 1 :]] for i in range(len(expected)))
    fits = [not any(difference(g, e, atol, rtol) for g, e in zip(got, rest, strict=True)) for rest in rests]
    return f": value {fits.index(True) + 1} is missing" if any(fits) else ""


def _numbers_only(value: Any) -> bool:
    """Return whether lists hold numbers only: numpy would read text and truth values as numbers, too."""
    if isinstance(value, list | tuple):
        return all(map(_numbers_only, value))
    return kind_of(value) in ("number", "array")


def _array(value: Any) -> np.ndarray[Any, Any]:
    """Return a value as an array of float64; an array of objects if its numbers have no common shape."""
    if isinstance(value, np.ndarray | float | int):
        return np.asarray(value, dtype=np.float64)
    try:
        return np.asarray(as_arrays(value), dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        return np.empty(1, dtype=object)


def _named(value: Any, kind: str) -> str:
    if kind in ("array", "bool array"):
        return f"{'an array' if kind == 'array' else 'an array of truth values'} of shape {_array(value).shape}"
    if kind == "object":
        return f"an object of type {getattr(value, 'type_name', type(value).__name__)}"
    return kind if kind == "None" else f"a {kind}"


def _number_difference(got: np.ndarray[Any, Any], expected: np.ndarray[Any, Any], atol: float, rtol: float, nan_equal: bool) -> str:
    if got.shape != expected.shape:
        return f"shape {got.shape} where {expected.shape} was expected{_axes(got.shape, expected.shape)}"
    with np.errstate(all="ignore"):
        near = np.abs(got - expected) <= atol + rtol * np.abs(expected)
    near |= got == expected  # infinities of one sign
    if nan_equal:
        near |= np.isnan(got) & np.isnan(expected)
    if near.all():
        return ""
    first = tuple(int(i) for i in np.unravel_index(int(np.argmin(near)), near.shape)) if near.shape else ()
    a, b = significant(float(got[first]), float(expected[first]))
    if not near.shape:
        return f"{a} where {b} was expected"
    return f"{a} at [{', '.join(map(str, first))}] where {b} was expected ({int((~near).sum())} of {near.size} values differ)"


def _axes(got: tuple[int, ...], expected: tuple[int, ...]) -> str:
    """Say what is wrong with the axes of a shape, if one thing is."""
    if len(got) == len(expected):
        differing = [axis for axis, (g, e) in enumerate(zip(got, expected, strict=True)) if g != e]
        if len(differing) == 1:
            off = got[differing[0]] - expected[differing[0]]
            return f": axis {differing[0]} is {abs(off)} too {'long' if off > 0 else 'short'}"
        return ": the axes are in another order" if sorted(got) == sorted(expected) else ""
    if abs(len(got) - len(expected)) > 1:
        return ""
    longer, shorter = (got, expected) if len(got) > len(expected) else (expected, got)
    axis = next((axis for axis in range(len(longer)) if longer[:axis] + longer[axis + 1 :] == shorter), None)
    return "" if axis is None else f": axis {axis}, of length {longer[axis]}, is {'too many' if longer is got else 'missing'}"


def significant(a: float, b: float, fewest: int = 4) -> tuple[str, str]:
    """Write two numbers with as many digits as it takes to see that they differ, but at least four, or another number."""
    for digits in range(fewest, 17):
        texts = f"{a:.{digits}g}", f"{b:.{digits}g}"
        if texts[0] != texts[1]:
            return texts
    return repr(a), repr(b)
