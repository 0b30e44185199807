"""Which idea returns exactly what the student's code returned.

It reruns instead of guessing: the checks are run with each misconception in the student's place, with the same numbers, and the
calls are compared one by one. A misconception is named for a function if it agrees with the student on every call of that function
in the attempt, at least one call separates it from the reference by ten tolerances, and no misconception with another sentence
fits too. If none fits, the student's own formula is read off the numbers (see `coefficients`). If nothing fits, nothing is named.
"""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np

from autograder.course.errors import CourseError, Finding
from autograder.course.model import Check, Misconception
from autograder.grading.checks import Called, Transcript, executed_by, run
from autograder.grading.coefficients import Formula, Quantities, Sum, formula, sums
from autograder.grading.comparison import difference
from autograder.grading.readings import Reading, read
from autograder.grading.reference import Answering, ObjectProxy, fuzzy_key, load_module

SEPARATION = 10
OBJECTS = 5e-6, 1e-5  # absolute and relative tolerance where objects take part
STEP = 5e-5  # of a walk, in single precision

Transcripts = Mapping[str, Transcript]  # by the check's id


def misconception(*, of: str, section: str, card: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a misconception: a function to run in place of `of`. Its docstring is the sentence that the student reads."""

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        sentence = " ".join((inspect.getdoc(function) or "").split())
        function.__dict__["misconception"] = Misconception(function.__name__, of, sentence, section, card, function)
        return function

    return declare


def load_misconceptions(path: Path) -> tuple[Misconception, ...]:
    """Read the misconceptions of a file, in their order. Raise `CourseError` if one has no sentence."""
    values = [getattr(value, "misconception", None) for value in vars(load_module(path)).values()]
    found = tuple(value for value in values if isinstance(value, Misconception))
    if silent := [(one.function.__code__.co_firstlineno, one.id) for one in found if not one.sentence]:
        fix = "write the sentence that the student reads as its docstring"
        raise CourseError([Finding(path, line, f"misconception `{name}` has no sentence", fix) for line, name in silent])
    return found


class Evidence(msgspec.Struct, frozen=True):
    """What a call shows about its function: its arguments (as a fuzzy key), how it ended, and its value."""

    given: bytes
    kind: str
    value: Any


class Recorded(Protocol):
    """What a release recorded of the reruns with the published numbers."""

    def calls(self, check: Check, misconception: Misconception | None, of: str) -> list[Evidence]: ...

    def formulas(self, check: Check, of: str) -> list[list[Formula | None]]: ...


class Diagnosis:
    """The reruns of one exercise's checks, with the reference or a misconception in the student's place: made here or `recorded`."""

    def __init__(
        self,
        checks: tuple[Check, ...],
        answers: Answering,
        misconceptions: tuple[Misconception, ...],
        quantities: Quantities,
        recorded: Recorded | None = None,
    ):
        self.checks, self.answers, self.misconceptions = checks, answers, misconceptions
        self.quantities, self._recorded = quantities, recorded
        self._reruns: dict[tuple[str, int, str], tuple[Transcript, set[str]]] = {}
        self._seen: dict[tuple[str, int, str, str], list[Evidence]] = {}
        self._formulas: dict[tuple[str, int, str], list[list[Formula | None]]] = {}

    def rerun(self, check: Check, seed: int, misconception: Misconception | None) -> Transcript:
        """Run a check with a misconception, or None for the reference, in the student's place. Results are kept."""
        return self._rerun(check, seed, misconception)[0]

    def _rerun(self, check: Check, seed: int, misconception: Misconception | None) -> tuple[Transcript, set[str]]:
        """Return a check's transcript, and the names of the functions that it used."""
        key = check.id, seed, misconception.id if misconception else ""
        if key in self._reruns:
            return self._reruns[key]
        if misconception and misconception.of not in (right := self._rerun(check, seed, None))[1]:
            return right  # the check does not come to the function that is wrong
        used: set[str] = set()

        def function_of(name: str) -> Callable[..., Any]:
            used.add(name)
            return misconception.function if misconception and misconception.of == name else self.answers.function(name)

        self._reruns[key] = run(check, executed_by(function_of), self.answers, seed), used
        return self._reruns[key]

    def name(self, function: str, transcripts: Transcripts, seeds: Mapping[str, int]) -> Misconception | None:
        """Return the misconception that explains everything that `function` returned in these transcripts, or None."""
        own = {check.id: _calls(transcripts[check.id], function) for check in self.checks if check.id in transcripts}
        given = {name: [(call, _evidence(call)) for call in calls] for name, calls in own.items() if calls}
        fitting = [one for one in self.misconceptions if one.of == function and self._explains(one, given, seeds)]
        return fitting[0] if len({one.sentence for one in fitting}) == 1 else None

    @np.errstate(all="ignore")  # values are a stranger's, and may be infinite
    def read(self, function: str, transcripts: Transcripts, seeds: Mapping[str, int]) -> list[Reading]:
        """Read the formula of each result of `function` that is wrong off its numbers, as far as they show it."""
        seen: dict[str, list[tuple[Sum, Formula, float]]] = {}
        for check in (one for one in self.checks if one.id in transcripts and function in self.quantities.linear):
            calls = _calls(transcripts[check.id], function)
            for call, formulas in zip(calls, self.formulas(check, seeds[check.id], function), strict=False):
                for (own, tolerance), right in zip(self._sums(call), formulas, strict=False):
                    if right:
                        seen.setdefault(own.name, []).append((own, right, tolerance))
        return [reading for own in seen.values() if (reading := read(own, self.quantities.letters))]

    def formulas(self, check: Check, seed: int, of: str) -> list[list[Formula | None]]:
        """Return the formulas of what each of the reference's calls about `of` sums up; None where it does not. Results are kept."""
        if self._recorded:
            return self._recorded.formulas(check, of)
        key = check.id, seed, of
        if key not in self._formulas:
            calls = _calls(self.rerun(check, seed, None), of)
            self._formulas[key] = [[formula(one, self.quantities.of, tolerance) for one, tolerance in self._sums(call)] for call in calls]
        return self._formulas[key]

    def _sums(self, call: Called) -> list[tuple[Sum, float]]:
        """Return the sums that a call made, each with its tolerance: a right answer's, or in a walk one step's."""
        if call.outcome.kind != "returned" or call.function not in self.quantities.linear:
            return []
        made = sums(call, self.quantities.linear[call.function], inspect.signature(self.answers.function(call.function)).parameters)
        atol, rtol = self._tolerance(call)
        atol, rtol = (STEP, STEP) if any(one.step for one in made) else (max(atol, call.atol), rtol)
        return [(one, float(atol + rtol * np.abs(one.value).max(initial=0))) for one in made]

    def _explains(self, misconception: Misconception, given: Mapping[str, list[tuple[Called, Evidence]]], seeds: Mapping[str, int]) -> bool:
        separated = False
        for check in (one for one in self.checks if one.id in given):  # a check without a call is not rerun
            known, right = (self._known(check, seeds[check.id], one, misconception.of) for one in (misconception, None))
            own = given[check.id]
            if len(own) > len(known) or not all(map(self._agree, own, known)):
                return False
            separated |= any(map(self._far, own, known, right))
        return separated

    def _known(self, check: Check, seed: int, misconception: Misconception | None, of: str) -> list[Evidence]:
        """Return what the calls about `of` show with a misconception, or None for the reference. Results are kept."""
        if self._recorded:
            return self._recorded.calls(check, misconception, of)
        key = check.id, seed, misconception.id if misconception else "", of
        if key not in self._seen:
            self._seen[key] = [_evidence(call) for call in _calls(self.rerun(check, seed, misconception), of)]
        return self._seen[key]

    def _agree(self, own: tuple[Called, Evidence], known: Evidence) -> bool:
        """Whether the student's call and the misconception's ended alike. Two that raised are no evidence, and no contradiction."""
        call, evidence = own
        if evidence.given != known.given:
            return False
        if evidence.kind != "returned" or known.kind != "returned":
            return evidence.kind == known.kind
        atol, rtol = self._tolerance(call)
        return difference(evidence.value, known.value, max(atol, call.atol), rtol, nan_equal=True) == ""

    def _far(self, own: tuple[Called, Evidence], known: Evidence, right: Evidence) -> bool:
        """Whether this call returned, and separates the misconception from the reference by ten tolerances."""
        call, evidence = own
        if evidence.kind != "returned" or known.kind != "returned":
            return False
        atol, rtol = self._tolerance(call)
        return difference(known.value, right.value, SEPARATION * atol, SEPARATION * rtol, nan_equal=True) != ""

    def _tolerance(self, call: Called) -> tuple[float, float]:
        """Return the reference's tolerance of a call; float32's if the call takes objects, which the reference is not given."""
        if not has_tolerance(call):
            return OBJECTS
        answered = self.answers.answer(call.function, call.args, call.kwargs)
        return answered.atol, answered.rtol


def has_tolerance(call: Called) -> bool:
    """Whether the reference can answer the same call: no object takes part, and it is the function's own call."""
    parts = (*call.args, *call.kwargs.values(), call.outcome.value)
    return call.function == call.of and not any(isinstance(item, ObjectProxy) for item in parts)


def _evidence(call: Called) -> Evidence:
    return Evidence(fuzzy_key((call.args, call.kwargs)), call.outcome.kind, call.outcome.value)


def shared_by(function: str, transcripts: Transcripts) -> str:
    """Hash everything that a function returned in an attempt, so that equal wrong answers can be found; "" if it returned nothing."""
    outcomes = [call.outcome for name in sorted(transcripts) for call in _calls(transcripts[name], function)]
    if all(outcome.kind != "returned" for outcome in outcomes):
        return ""
    return fuzzy_key([(outcome.kind, outcome.value) for outcome in outcomes]).hex()


def _calls(transcript: Transcript, function: str) -> list[Called]:
    """Return the calls that are evidence about a function: its own, and those of objects that it made or was given."""
    return [call for call in transcript.calls if call.of == function]
