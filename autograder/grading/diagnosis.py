"""Which idea returns exactly what the student's code returned.

It reruns instead of guessing: the checks are run with each misconception in the student's place, with the same numbers, and the
calls are compared one by one. A misconception is named for a function if it agrees with the student on every call of that function
in the attempt, at least one call separates it from the reference by ten tolerances, and no misconception with another sentence
fits too. If none fits, the student's own formula is read off the numbers (see `coefficients`). If nothing fits, nothing is named.
"""

import inspect
import re
import warnings
from collections.abc import Callable, Mapping
from functools import cache, wraps
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
import numpy as np

from autograder.course.errors import CourseError, Finding
from autograder.course.model import Check, Idea, Misconception
from autograder.grading import bounds, feedback
from autograder.grading.checks import Called, Transcript, executed_by, run
from autograder.grading.coefficients import Formula, Quantities, Sum, formula, sums
from autograder.grading.comparison import difference
from autograder.grading.readings import Reading, read
from autograder.grading.reference import Answering, ObjectProxy, fuzzy_key, load_module
from autograder.grading.rewrites import Rewrite, rewrites
from autograder.grading.sketch import Sketch, calls_about, shared_by, sketch

SEPARATION = 10
OBJECTS = 5e-6, 1e-5  # absolute and relative tolerance where objects take part
STEP = 5e-5  # of a walk, in single precision
MOST_CALLS = 60  # of a function and back, in the checks that its rewrites are tried in
DRAWS = re.compile(rb"rand|normal|uniform|noulli|multinomial|expo|poisson|dropout|empty|time")  # by which numbers come out random
MOST_WAYS = 2  # in which a sentence may say what a function does

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


class Cause(msgspec.Struct, frozen=True):
    """Why a function is wrong, as far as it is known: an idea, which may be a misconception, or (perhaps) a wrong function that it uses."""

    idea: Idea | None = None
    misconception: Misconception | None = None
    uses: str = ""
    perhaps: bool = False
    partly: bool = False  # the idea explains only a part
    trouble: str = ""  # why no mistake could be looked for

    def with_noise(self, function: str) -> "Cause":
        """Say of a function that it draws random numbers of its own, besides what is known already."""
        known = [self.idea.sentence] if self.idea else []
        return Cause(Idea("coefficients", function, " ".join([*known, feedback.WORDS["random"]])))


Search = TypeVar("Search", bound=Callable[..., Cause])


def _in_bounds(search: Search) -> Search:
    """Search within the bounds of what a submission's values may cost us; beyond them, the cause is only that."""

    @wraps(search)
    def searched(self: Any, function: str, *given: Any) -> Cause:
        try:
            with bounds.bounded(bounds.MEMORY_BYTES, bounds.SECONDS), np.errstate(all="ignore"):
                return search(self, function, *given)
        except bounds.TROUBLE as error:
            return Cause(trouble=f"no mistake was looked for in `{function}`: {type(error).__name__} {error}".rstrip())

    return searched  # type: ignore[return-value]


class Evidence(msgspec.Struct, frozen=True):
    """What a call shows about its function: its arguments (as a fuzzy key), how it ended, and its value."""

    given: bytes
    kind: str
    value: Any


KnownIn = Callable[[Check], list[Evidence]]  # what the calls about a function show in a check


class Recorded(Protocol):
    """What a release recorded of the reruns with the published numbers."""

    def calls(self, check: Check, misconception: Misconception | None, of: str) -> list[Evidence]: ...

    def formulas(self, check: Check, of: str) -> list[list[Formula | None]]: ...

    def candidates(self, of: str) -> list[Rewrite]: ...

    def sketched(self, check: Check, number: int | None) -> list[Evidence]: ...


class Diagnosis:
    """The reruns of one exercise's checks, with the reference or a misconception in the student's place: made here or `recorded`."""

    def __init__(
        self,
        checks: tuple[Check, ...],
        answers: Answering,
        misconceptions: tuple[Misconception, ...],
        quantities: Quantities,
        recorded: Recorded | None = None,
        answer: Path | None = None,
    ):
        self.checks, self.answers, self.misconceptions = checks, answers, misconceptions
        self.quantities, self._recorded = quantities, recorded
        self.candidates = cache(recorded.candidates if recorded else self._rewrites)
        self._answer = answer
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

    def told(self, check: Check, seed: int, misconception: Misconception | None) -> Transcript | None:
        """Return what happens in a check with a misconception in the student's place, if it fails by what it returns."""
        if misconception is None or self._recorded:
            return None
        transcript = self.rerun(check, seed, misconception)
        return transcript if transcript.first_failure else None

    def describes(self, function: str) -> bool:
        """Whether the lesson has misconceptions of a function. If not, its values identify none: it builds a network, or trains one."""
        return any(one.of == function for one in self.misconceptions)

    @_in_bounds
    def written(self, function: str, transcripts: Transcripts, seeds: Mapping[str, int]) -> Cause:
        """Find the misconception that explains everything that `function` returned in these transcripts."""
        known = self.name(function, transcripts, seeds)
        return Cause(Idea("written", function, known.sentence), known) if known else Cause()

    @_in_bounds
    def unwritten(self, function: str, transcripts: Transcripts, seeds: Mapping[str, int]) -> Cause:
        """Find another idea that explains everything that `function` returned in these transcripts, which must have published numbers."""
        readings = self.read(function, transcripts, seeds)
        named = readings and all(reading.named for reading in readings)
        if not named and (rewritten := self.rewritten(function, transcripts, seeds)):
            return Cause(Idea("rewrite", function, rewritten))
        return Cause(Idea("coefficients", function, feedback.reading_words(readings)), partly=not named) if readings else Cause()

    def name(self, function: str, transcripts: Transcripts, seeds: Mapping[str, int]) -> Misconception | None:
        """Return the misconception that explains everything that `function` returned in these transcripts, or None."""
        own = {check.id: calls_about(transcripts[check.id], function) for check in self.checks if check.id in transcripts}
        given = {name: [(call, _evidence(call)) for call in calls] for name, calls in own.items() if calls}

        def known_in(one: Misconception | None) -> KnownIn:
            return lambda check: self._known(check, seeds[check.id], one, function)

        candidates = [one for one in self.misconceptions if one.of == function]
        fitting = [one for one in candidates if self._explains(known_in(one), known_in(None), given)]
        return fitting[0] if len({one.sentence for one in fitting}) == 1 else None

    @np.errstate(all="ignore")  # values are a stranger's, and may be infinite
    def read(self, function: str, transcripts: Transcripts, seeds: Mapping[str, int]) -> list[Reading]:
        """Read the formula of each result of `function` that is wrong off its numbers, as far as they show it."""
        seen: dict[str, list[tuple[Sum, Formula, float]]] = {}
        for check in (one for one in self.checks if one.id in transcripts and function in self.quantities.linear):
            calls = calls_about(transcripts[check.id], function)
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
            calls = calls_about(self.rerun(check, seed, None), of)
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

    def rewritten(self, function: str, transcripts: Transcripts, seeds: Mapping[str, int]) -> str:
        """Say which of the simplest rewrites of the reference explain everything that `function` returned; empty if they are many."""
        own = {
            check.id: calls_about(transcripts[check.id], function) for check in self.tried_in(function, seeds) if check.id in transcripts
        }
        given = {name: [(call, _in_short(_evidence(call))) for call in calls] for name, calls in own.items() if calls}

        def known_in(number: int | None) -> KnownIn:
            return lambda check: self.sketched(check, seeds[check.id], number)

        candidates = self.candidates(function) if given else []
        fitting = [one for i, one in enumerate(candidates) if self._explains(known_in(i), known_in(None), given)]
        simplest = min((one.rank for one in fitting), default=0)
        ways = {one.words: one.where for one in fitting if one.rank == simplest}
        return feedback.rewrite_words(ways) if len(ways) <= MOST_WAYS else ""

    def _rewrites(self, of: str) -> list[Rewrite]:
        others = {check.of for check in self.checks} & set(self.quantities.linear)
        return [*rewrites(self._answer, of, self.quantities, others)] if self._answer else []

    def tried_in(self, of: str, seeds: Mapping[str, int]) -> list[Check]:
        """List the checks that the rewrites of a function are tried in: those that compare its values, up to a number of calls."""
        if self._recorded:
            return [check for check in self.checks if check.of == of and self._recorded.sketched(check, None)]
        found, left = [], MOST_CALLS
        for check in (one for one in self.checks if one.of == of):
            transcript = self.rerun(check, seeds[check.id], None)
            calls = sum(1 + len(call.asked) for call in calls_about(transcript, of))
            if calls <= left and any(one.kind == "value" for one in transcript.comparisons):
                found.append(check)
                left -= calls
        return found

    def sketched(self, check: Check, seed: int, number: int | None) -> list[Evidence]:
        """Return what the calls about a check's function show with a rewrite, or with None the reference, in short. Results are kept.

        It is nothing if one of them returns nothing, or is made with other arguments than the reference's.
        """
        if self._recorded:
            return self._recorded.sketched(check, number)
        key = check.id, seed, f"{number}", check.of
        if key not in self._seen:
            functions = {check.of: self.candidates(check.of)[number].function if number is not None else None}
            with warnings.catch_warnings(action="ignore"):  # of values that a right answer does not give
                transcript = run(check, executed_by(lambda name: functions.get(name) or self.answers.function(name)), self.answers, seed)
                made = [_in_short(_evidence(call)) for call in calls_about(transcript, check.of)]
            right = self.sketched(check, seed, None) if number is not None else made
            same = all(one.kind == "returned" and one.given == due.given for one, due in zip(made, right, strict=False))
            self._seen[key] = made if same else []
        return self._seen[key]

    def _explains(self, known_in: KnownIn, right_in: KnownIn, given: Mapping[str, list[tuple[Called, Evidence]]]) -> bool:
        separated = False
        for check in (one for one in self.checks if one.id in given):  # a check without a call is not rerun
            own, known = given[check.id], known_in(check)
            if len(own) > len(known) or not all(map(self._agree, own, known)):
                return False
            separated |= any(map(self._far, own, known, right_in(check)))
        return separated

    def _known(self, check: Check, seed: int, misconception: Misconception | None, of: str) -> list[Evidence]:
        """Return what the calls about `of` show with a misconception, or None for the reference. Results are kept."""
        if self._recorded:
            return self._recorded.calls(check, misconception, of)
        key = check.id, seed, misconception.id if misconception else "", of
        if key not in self._seen:
            self._seen[key] = [_evidence(call) for call in calls_about(self.rerun(check, seed, misconception), of)]
        return self._seen[key]

    def _agree(self, own: tuple[Called, Evidence], known: Evidence) -> bool:
        """Whether the student's call and the misconception's ended alike. Two that raised are no evidence, and no contradiction."""
        call, evidence = own
        if evidence.given != known.given:
            return False
        if evidence.kind != "returned" or known.kind != "returned":
            return evidence.kind == known.kind
        atol, rtol = self._tolerance(call)
        return not _differ(evidence.value, known.value, max(atol, call.atol), rtol)

    def _far(self, own: tuple[Called, Evidence], known: Evidence, right: Evidence) -> bool:
        """Whether this call returned, and separates the misconception from the reference by ten tolerances."""
        call, evidence = own
        if evidence.kind != "returned" or known.kind != "returned":
            return False
        atol, rtol = self._tolerance(call)
        return _differ(known.value, right.value, SEPARATION * atol, SEPARATION * rtol)

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


def _differ(one: Any, other: Any, atol: float, rtol: float) -> bool:
    if isinstance(one, Sketch):
        return one.differs(other, atol, rtol)
    return difference(one, other, atol, rtol, nan_equal=True) != ""


def _in_short(evidence: Evidence) -> Evidence:
    return msgspec.structs.replace(evidence, value=sketch(evidence.value))


def _evidence(call: Called) -> Evidence:
    return Evidence(fuzzy_key((call.args, call.kwargs)), call.outcome.kind, call.outcome.value)


def may_draw(source: bytes) -> bool:
    """Whether a file may draw random numbers of its own: it names something that does."""
    return DRAWS.search(source) is not None


def shared_errors(causes: Mapping[str, Cause], transcripts: Transcripts) -> dict[str, str]:
    """Hash the values of each wrong function that no misconception explains, so that students who share them can be found."""
    hashes = {of: shared_by(of, transcripts) for of, cause in causes.items() if not cause.misconception and not cause.uses}
    return {of: found for of, found in hashes.items() if found}
