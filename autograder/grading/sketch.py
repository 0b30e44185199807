"""Values in short: how a student's are compared with those of mistakes, what a release records of these, and how equal wrong answers are
found.

A few sums stand for all entries, so two values whose sketches agree may differ in principle, but not by a mistake that anybody makes.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import msgspec
import numpy as np

from autograder.grading.checks import Called, Transcript
from autograder.grading.comparison import kind_of
from autograder.grading.reference import as_arrays, fuzzy_key

ODD, LOST = "not finite: ", "all infinite or NaN"
SINGLE = 2e-7  # the relative error of single precision, twice
MOST = 1 << 18  # entries that are looked at: far more than any check asks for, and soon looked at


class Sketch(msgspec.Struct, frozen=True):
    """A value in short, in single precision: its form, and of its entries the size, the first, last, least and largest, and some sums."""

    form: str
    size: float
    entries: tuple[float, ...]

    @property
    def all_finite(self) -> bool:
        """Whether no entry is infinite or NaN."""
        return ODD not in self.form

    @property
    def any_finite(self) -> bool:
        """Whether the value holds a finite number, or none at all."""
        return not self.form.endswith(LOST)

    def differs(self, other: "Sketch", atol: float, rtol: float) -> bool:
        """Return whether two values differ by more than a tolerance, as far as their sketches show."""
        if self.form != other.form:
            return True
        far = max((abs(a - b) for a, b in zip(self.entries, other.entries, strict=True)), default=0.0)
        return far > self.slack(atol, rtol)

    def slack(self, atol: float, rtol: float) -> float:
        """Return by how much entries that do not differ by more than a tolerance may differ."""
        return atol + max(rtol, SINGLE) * max(map(abs, (self.size, *self.entries)))


class Table:
    """What many mistakes give for one call, by their numbers, to find those that give what a student's code gave."""

    def __init__(self, sketches: Iterable[tuple[int, Sketch]]):
        numbers: dict[str, list[int]] = {}
        entries: dict[str, list[tuple[float, ...]]] = {}
        self._odd: list[int] = []
        for number, one in sketches:
            numbers.setdefault(one.form, []).append(number)
            entries.setdefault(one.form, []).append(one.entries)
            self._odd += [] if one.all_finite else [number]
        self._known = {form: (np.array(numbers[form]), np.array(entries[form])) for form in numbers}

    def near(self, own: Sketch, atol: float, rtol: float) -> list[int]:
        """List those that do not differ by more than a tolerance; if all of the student's entries are finite, also those that are not."""
        numbers, entries = self._known.get(own.form, (np.zeros(0, int), np.zeros((0, len(own.entries)))))
        near = (np.abs(entries - own.entries) <= own.slack(atol, rtol)).all(1)
        return sorted([*numbers[near].tolist(), *(self._odd if own.all_finite else [])])


def sketch(value: Any) -> Sketch:
    """Return the sketch of a value. Which entries are infinite or NaN counts in its form."""
    parts = list(_parts(value))
    entries = np.concatenate([np.zeros(0), *(np.ravel(array) for _, array in parts if array is not None)])[:MOST]
    odd = [f"{ODD}{i}:{entries[i]}" for i in np.flatnonzero(~np.isfinite(entries))]
    odd += [LOST] if 0 < len(entries) == len(odd) else []
    entries = _compressed(np.nan_to_num(entries, nan=0.0, posinf=0.0, neginf=0.0))
    ends = (entries[0], entries[-1], entries.min(), entries.max()) if len(entries) else ()
    size = (entries @ entries / max(1, len(entries))) ** 0.5
    shown = np.array([size, *ends, *(_weights(len(entries)) @ entries)]).astype(np.float32).tolist()
    return Sketch(" ".join([*(form for form, _ in parts), *odd]), shown[0], tuple(shown[1:]))


def _compressed(entries: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Let what is beyond 1 grow like a logarithm, so that one huge entry does not hide what the others are."""
    size = np.abs(entries)
    return np.where(size > 1, np.sign(entries) * (1 + np.log(np.maximum(size, 1))), entries)


def _parts(value: Any) -> Iterator[tuple[str, np.ndarray[Any, Any] | None]]:
    """Yield the form of each part of a value, and its numbers if it has some."""
    kind = kind_of(value)
    if kind in ("number", "array", "bool array"):
        array = np.asarray(as_arrays(value), np.float64)
        yield f"{array.shape}", array
    elif isinstance(value, list | tuple | dict):
        keys = sorted(value, key=str) if isinstance(value, dict) else range(len(value))
        yield f"{kind} {len(value)}", None
        for key in keys:
            yield from ((f"{key if kind == 'dict' else ''}{form}", array) for form, array in _parts(value[key]))
    else:
        yield f"{value!r:.60}", None


@cache
def _weights(count: int) -> np.ndarray[Any, Any]:
    """Return the weights of some sums of so many entries: independent errors of one size add up to one of that size."""
    weights: np.ndarray[Any, Any] = np.cos(np.outer([2**0.5, 3**0.5, 5**0.5], np.arange(1, count + 1) ** 2)) * (2 / max(count, 1)) ** 0.5
    return weights


def calls_about(transcript: Transcript, function: str) -> list[Called]:
    """Return the calls that are evidence about a function: its own, and those of objects that it made or was given."""
    return [call for call in transcript.calls if call.of == function]


def shared_by(function: str, transcripts: Mapping[str, Transcript]) -> str:
    """Hash everything that a function returned in an attempt, so that equal wrong answers can be found; "" if it returned nothing."""
    outcomes = [call.outcome for name in sorted(transcripts) for call in calls_about(transcripts[name], function)]
    if all(outcome.kind != "returned" for outcome in outcomes):
        return ""
    return fuzzy_key([(outcome.kind, outcome.value) for outcome in outcomes]).hex()


def varies(function: str, runs: Iterable[Transcript]) -> bool:
    """Whether a function gave different values in several runs of one check."""
    return len({shared_by(function, {"": one}) for one in runs}) > 1
