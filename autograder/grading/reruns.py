"""Reruns of the checks with functions of ours in the student's place: the reference's, a misconception's, or a rewrite of the reference.

All students of a round get the same numbers, so each rerun is made once and kept. What it shows is kept in short, as `Evidence`. Nothing
is compared with a student's here: see `diagnosis`. In a release, `recorded.Replay` knows the same.
"""

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np

from autograder.course.model import Check, Misconception
from autograder.grading import bounds
from autograder.grading.checks import Called, Transcript, executed_by, run
from autograder.grading.coefficients import Formula, Quantities, Sum, formula, sums
from autograder.grading.reference import Answering, ObjectProxy, fuzzy_key
from autograder.grading.rewrites import Rewrite, rewrites
from autograder.grading.sketch import Sketch, calls_about, sketch

OBJECTS = 5e-6, 1e-5  # absolute and relative tolerance where objects take part
STEP = 5e-5  # of a walk, in single precision
MOST_CALLS = 60  # of a function and back, in the checks that its rewrites are tried in
MOST_TOGETHER = 150  # rewrites of a function in several places
REWRITE_SECONDS = 1.0  # of CPU time that one may take in a check: it may loop for ever


class Evidence(msgspec.Struct, frozen=True):
    """What a call shows about its function: its arguments (as a fuzzy key), how it ended, and its value in short."""

    given: bytes
    kind: str
    value: Sketch


def evidence(call: Called) -> Evidence:
    """Return what a call shows."""
    return Evidence(fuzzy_key((call.args, call.kwargs)), call.outcome.kind, sketch(call.outcome.value))


class Known(Protocol):
    """What is known of the reruns: made here (`Reruns`), or recorded in a release, which knows the published numbers alone."""

    checks: tuple[Check, ...]
    answers: Answering
    quantities: Quantities

    def rerun(self, check: Check, seed: int, wrong: Misconception | Rewrite | None) -> Transcript: ...

    def calls(self, check: Check, seed: int, misconception: Misconception | None, of: str) -> list[Evidence]: ...

    def formulas(self, check: Check, seed: int, of: str) -> list[list[Formula | None]]: ...

    def candidates(self, of: str) -> list[Rewrite]: ...

    def tried_in(self, of: str, seeds: Mapping[str, int]) -> list[Check]: ...

    def rewritten(self, check: Check, seed: int, number: int) -> list[Evidence]: ...


class Reruns:
    """The reruns of one exercise's checks. `answer` is the file whose functions are rewritten."""

    def __init__(self, checks: tuple[Check, ...], answers: Answering, quantities: Quantities, answer: Path | None = None):
        self.checks, self.answers, self.quantities = checks, answers, quantities
        self.candidates = cache(self._rewrites)
        self._answer = answer
        self._reruns: dict[tuple[str, int, Misconception | Rewrite | None], tuple[Transcript, set[str]]] = {}
        self._seen: dict[tuple[str, int, str, str], list[Evidence]] = {}
        self._formulas: dict[tuple[str, int, str], list[list[Formula | None]]] = {}

    def rerun(self, check: Check, seed: int, wrong: Misconception | Rewrite | None) -> Transcript:
        """Run a check with a misconception, a rewrite, or with None the reference, in the student's place. Results are kept."""
        return self._rerun(check, seed, wrong)[0]

    def _rerun(self, check: Check, seed: int, wrong: Misconception | Rewrite | None) -> tuple[Transcript, set[str]]:
        """Return a check's transcript, and the names of the functions that it used."""
        if (check.id, seed, wrong) in self._reruns:
            return self._reruns[check.id, seed, wrong]
        if wrong and wrong.of not in (right := self._rerun(check, seed, None))[1]:
            return right  # the check does not come to the function that is wrong
        used: set[str] = set()

        def function_of(name: str) -> Callable[..., Any]:
            used.add(name)
            return wrong.function if wrong and wrong.function and wrong.of == name else self.answers.function(name)

        self._reruns[check.id, seed, wrong] = run(check, executed_by(function_of), self.answers, seed), used
        return self._reruns[check.id, seed, wrong]

    def calls(self, check: Check, seed: int, misconception: Misconception | None, of: str) -> list[Evidence]:
        """Return what the calls about `of` show with a misconception, or None for the reference. Results are kept."""
        key = check.id, seed, misconception.id if misconception else "", of
        if key not in self._seen:
            self._seen[key] = [evidence(call) for call in calls_about(self.rerun(check, seed, misconception), of)]
        return self._seen[key]

    def formulas(self, check: Check, seed: int, of: str) -> list[list[Formula | None]]:
        """Return the formulas of what each of the reference's calls about `of` sums up; None where it does not. Results are kept."""
        key = check.id, seed, of
        if key not in self._formulas:
            made = [sums_of(call, self.quantities, self.answers) for call in calls_about(self.rerun(check, seed, None), of)]
            self._formulas[key] = [[formula(one, self.quantities.of, tolerance) for one, tolerance in own] for own in made]
        return self._formulas[key]

    def _rewrites(self, of: str) -> list[Rewrite]:
        others = {check.of for check in self.checks} & set(self.quantities.linear)
        return [*rewrites(self._answer, of, self.quantities, others, several=MOST_TOGETHER)] if self._answer else []

    def tried_in(self, of: str, seeds: Mapping[str, int]) -> list[Check]:
        """List the checks that the rewrites of a function are tried in: those that compare its values, up to a number of calls."""
        found, left = [], MOST_CALLS
        for check in (one for one in self.checks if one.of == of):
            transcript = self.rerun(check, seeds[check.id], None)
            calls = sum(1 + len(call.asked) for call in calls_about(transcript, of))
            if calls <= left and any(one.kind == "value" for one in transcript.comparisons):
                found.append(check)
                left -= calls
        return found

    def rewritten(self, check: Check, seed: int, number: int) -> list[Evidence]:
        """Return what the calls about a check's function show with a rewrite. Results are kept.

        It is nothing if one of them returns nothing, or is made with other arguments than the reference's.
        """
        key = check.id, seed, f"{number}", check.of
        if key not in self._seen:
            made: list[Evidence] = []
            # a right answer neither warns nor loops for ever
            with suppress(*bounds.PASSED), bounds.bounded(bounds.MEMORY_BYTES, REWRITE_SECONDS), warnings.catch_warnings(action="ignore"):
                made = [*self._rewritten(check, seed, number)]
            right = self.calls(check, seed, None, check.of)
            same = all(one.kind == "returned" and one.given == due.given for one, due in zip(made, right, strict=False))
            self._seen[key] = made if same else []
        return self._seen[key]

    def _rewritten(self, check: Check, seed: int, number: int) -> Iterator[Evidence]:
        """Yield what the calls about a check's function show with a rewrite, until one returns nothing.

        Where no object takes part, the reference's calls are made again, without the rest of the check.
        """
        right, shown = calls_about(self.rerun(check, seed, None), check.of), self.calls(check, seed, None, check.of)
        functions = {check.of: self.candidates(check.of)[number].function}
        objects = any(isinstance(item, ObjectProxy) for call in right for item in (*call.args, *call.kwargs.values(), call.outcome.value))
        play = executed_by(lambda name: functions.get(name) or self.answers.function(name), noting=objects)
        if objects:
            yield from map(evidence, calls_about(run(check, play, self.answers, seed), check.of))
            return
        for call, due in zip(right, shown, strict=True):
            outcome = play(call.function, call.args, call.kwargs, [])
            yield Evidence(due.given, outcome.kind, sketch(outcome.value))
            if outcome.kind != "returned":
                return


# ---- how far from the reference's a right answer may be


def tolerance_of(call: Called, answers: Answering) -> tuple[float, float]:
    """Return the reference's tolerance of a call; float32's if the call takes objects, which the reference is not given."""
    if not has_tolerance(call):
        return OBJECTS
    answered = answers.answer(call.function, call.args, call.kwargs)
    return answered.atol, answered.rtol


def has_tolerance(call: Called) -> bool:
    """Whether the reference can answer the same call: no object takes part, and it is the function's own call."""
    parts = (*call.args, *call.kwargs.values(), call.outcome.value)
    return call.function == call.of and not any(isinstance(item, ObjectProxy) for item in parts)


def sums_of(call: Called, quantities: Quantities, answers: Answering) -> list[tuple[Sum, float]]:
    """Return the sums that a call made, each with its tolerance: a right answer's, or in a walk one step's."""
    if call.outcome.kind != "returned" or call.function not in quantities.linear:
        return []
    made = sums(call, quantities.linear[call.function], inspect.signature(answers.function(call.function)).parameters)
    atol, rtol = tolerance_of(call, answers)
    atol, rtol = (STEP, STEP) if any(one.step for one in made) else (max(atol, call.atol), rtol)
    return [(one, float(atol + rtol * np.abs(one.value).max(initial=0))) for one in made]
