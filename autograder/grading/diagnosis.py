"""Which idea returns exactly what the student's code returned.

It reruns instead of guessing: the checks are run with each misconception in the student's place, with the same numbers, and the
calls are compared one by one, in short (see `sketch`). A misconception is named for a function if it agrees with the student on every call
of that function in the attempt, at least one call separates it from the reference by ten tolerances, and no misconception with another
sentence fits too. If none fits, the student's own formula is read off the numbers (see `coefficients`). If nothing fits, nothing is named.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec
import numpy as np
from msgspec.structs import replace

from autograder.course.errors import CourseError, Finding
from autograder.course.model import Check, Idea, Misconception
from autograder.grading.bounds import MEMORY_BYTES, SECONDS, TROUBLE, bounded
from autograder.grading.checks import Called, Transcript
from autograder.grading.coefficients import Formula, Sum
from autograder.grading.feedback import WORDS, reading_words, rewrite_words
from autograder.grading.readings import Reading, read
from autograder.grading.reference import ObjectProxy, load_module
from autograder.grading.reruns import Evidence, Known, evidence, sums_of, tolerance_of
from autograder.grading.rewrites import Rewrite
from autograder.grading.sketch import Table, calls_about, shared_by, varies
from autograder.grading.submission_run import SubmissionRun

SEPARATION = 10
DRAWS = re.compile(rb"rand|normal|uniform|noulli|multinomial|expo|poisson|dropout|empty|time")  # by which numbers come out random
MOST_WAYS = 2  # in which a sentence may say what a function does


class Own(NamedTuple):
    """What a student's call shows, with the reference's tolerance of it, and how far off a right answer to it may be."""

    shown: Evidence
    tolerance: tuple[float, float]
    slack: tuple[float, float]


class Run(Protocol):
    """What is looked at of a run of the checks: a `SubmissionRun`, or a notebook's."""

    checks: tuple[Check, ...]
    transcripts: dict[str, Transcript]
    seeds: Mapping[str, int]

    @property
    def source(self) -> bytes: ...

    def tried(self, check: Check) -> bool: ...

    def transcript(self, check: Check) -> Transcript: ...

    def wrong_function_used_by(self, function: str) -> str: ...

    def again(self, checks: list[Check], wrong: str = "") -> list[Transcript]: ...


Transcripts = Mapping[str, Transcript]  # by the check's id
KnownIn = Callable[[Check], list[Evidence]]  # what the calls about a function show in a check


def misconception(*, of: str, section: str, card: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a misconception: a function to run in place of `of`. Its docstring is the sentence that the student reads."""

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        sentence = " ".join((inspect.getdoc(function) or "").split())
        function.__dict__["misconception"] = Misconception(function.__name__, of, sentence, section, card, function)
        return function

    return declare


def load_misconceptions(path: Path) -> tuple[Misconception, ...]:
    """Read the misconceptions of a file, in their order; none if there is no file. Raise `CourseError` if one has no sentence."""
    values = [getattr(value, "misconception", None) for value in vars(load_module(path)).values()] if path.is_file() else []
    found = tuple(value for value in values if isinstance(value, Misconception))
    if silent := [(one.function.__code__.co_firstlineno, one.id) for one in found if not one.sentence]:
        fix = "write the sentence that the student reads as its docstring"
        raise CourseError([Finding(path, line, f"misconception `{name}` has no sentence", fix) for line, name in silent])
    return found


class Cause(msgspec.Struct, frozen=True):
    """Why a function is wrong, as far as it is known: an idea, which may be a misconception, or (perhaps) a wrong function that it uses."""

    idea: Idea | None = None
    misconception: Misconception | None = None
    rewrite: Rewrite | None = None  # that gives the same, whatever it is called
    uses: str = ""
    perhaps: bool = False
    partly: bool = False  # the idea explains only a part
    trouble: str = ""  # why no mistake could be looked for

    def with_noise(self, function: str, kind: str) -> "Cause":
        """Say that a function draws random numbers of its own, or that of a class the objects do, besides what is known already."""
        known = [self.idea.sentence] if self.idea else []
        return Cause(Idea("coefficients", function, " ".join([*known, WORDS[kind]])))


Search = TypeVar("Search", bound=Callable[..., Cause])


def _in_bounds(search: Search) -> Search:
    """Search within the bounds of what a submission's values may cost us; beyond them, the cause is only that."""

    @wraps(search)
    def searched(self: Any, function: str, *given: Any) -> Cause:
        try:
            with bounded(MEMORY_BYTES, SECONDS), np.errstate(all="ignore"):
                return search(self, function, *given)
        except TROUBLE as error:
            return Cause(trouble=f"no mistake was looked for in `{function}`: {type(error).__name__} {error}".rstrip())

    return searched  # type: ignore[return-value]


class Diagnosis:
    """What one exercise's checks show of wrong functions, beside the reruns."""

    def __init__(self, misconceptions: tuple[Misconception, ...], reruns: Known):
        self.misconceptions, self.reruns = misconceptions, reruns
        self.checks, self.answers, self.quantities = reruns.checks, reruns.answers, reruns.quantities
        self._tables: dict[tuple[str, int, bool], Table] = {}  # of what rewrites give for the first call in a check

    def known(self, failed: list[Check], run: Run, *, rewrites: bool) -> dict[str, Cause]:
        """Find what explains each wrong function and can be run in its place: a misconception, else perhaps rewrites, by function."""
        causes = {of: self.written(of, run.transcripts, run.seeds) for of in dict.fromkeys(check.of for check in failed)}
        searched = [of for of, cause in causes.items() if rewrites and cause == Cause() and self._compared(of, failed, run)]
        return causes | {of: self.rewritten(of, run.transcripts, run.seeds) for of in searched}

    def tell(self, failed: list[Check], causes: Mapping[str, Cause], run: SubmissionRun, published: SubmissionRun) -> None:
        """Where a cause is known, take what it gives with the published numbers, if that is what the file gives with them."""
        for check in (one for one in failed if not run.wrong_function_used_by(one.of)):
            wrong, seed = causes[check.of].misconception or causes[check.of].rewrite, published.seeds[check.id]
            told = self.reruns.rerun(check, seed, wrong) if wrong else Transcript()
            if told.first_failure and self._same(check.of, run.with_seed(check, seed), told):
                published.transcripts[check.id] = told

    def _same(self, function: str, own: Transcript, told: Transcript) -> bool:
        """Whether a function gave in a check what it was said to give."""
        calls, due = calls_about(own, function), calls_about(told, function)
        return len(calls) == len(due) and all(map(_agree, map(self._own, calls), map(evidence, due)))

    def explained(self, failed: list[Check], causes: Mapping[str, Cause], run: Run, published: Run) -> dict[str, Cause]:
        """Find out why each function is wrong, with the published numbers and what is known already."""
        return {of: self._explained(of, known, failed, run, published) for of, known in causes.items()}

    def _explained(self, of: str, known: Cause, failed: list[Check], run: Run, published: Run) -> Cause:
        """Find out why a function is wrong: what it does itself, or another wrong function, if what it gives depends on that one."""
        if wrong := run.wrong_function_used_by(of):
            depends = _depends_on(wrong, of, published)
            if depends is not False:
                return Cause(uses=wrong, perhaps=depends is None)
        compared = self._compared(of, failed, published)
        if known.misconception or known.trouble or not compared:
            return replace(known, idea=known.misconception and known.idea)
        found = self.unwritten(of, published.transcripts, published.seeds, None if published is run else known)
        explained = found.trouble or (found.idea and not found.partly) or not may_draw(run.source)
        if explained or not varies(of, published.again([compared[0]] * 2)):
            return found
        made = published.transcript(compared[0]).calls
        objects = any(isinstance(call.outcome.value, ObjectProxy) for call in made if call.function == of)
        return found.with_noise(of, "random_object" if objects else "random")

    def _compared(self, of: str, failed: list[Check], run: Run) -> list[Check]:
        """List the failed checks that compared a value of a function with another one, if the lesson describes mistakes in it."""
        tried = [(check, run.transcript(check)) for check in failed if check.of == of and run.tried(check)]
        compared = [check for check, made in tried if any(not one.ok and one.kind == "value" for one in made.comparisons)]
        return compared if self.describes(of) else []

    def describes(self, function: str) -> bool:
        """Whether the lesson has misconceptions of a function. If not, its values identify none: it builds a network, or trains one."""
        return any(one.of == function for one in self.misconceptions)

    @_in_bounds
    def written(self, function: str, transcripts: Transcripts, seeds: Mapping[str, int]) -> Cause:
        """Find the misconception that explains everything that `function` returned in these transcripts."""
        known = self.name(function, transcripts, seeds)
        return Cause(Idea("written", function, known.sentence), known) if known else Cause()

    @_in_bounds
    def rewritten(self, function: str, transcripts: Transcripts, seeds: Mapping[str, int]) -> Cause:
        """Find the simplest rewrites that explain everything that `function` returned; they are told unless there are many."""
        given = self._given(self.reruns.tried_in(function, seeds), function, transcripts)

        def known_in(number: int) -> KnownIn:
            return lambda check: self.reruns.rewritten(check, seeds[check.id], number)

        def right_in(check: Check) -> list[Evidence]:
            return self.reruns.calls(check, seeds[check.id], None, function)

        for several, most in ((False, MOST_WAYS), (True, 1)) if given else ():
            near = self._near(function, several, given, seeds)
            fitting = [one for i, one in near if self._explains(known_in(i), right_in, given)]
            if fitting:
                simplest = [one for one in fitting if one.rank == min(other.rank for other in fitting)]
                ways = {tuple(words for words, _ in one.said): one.said for one in simplest}
                told = Idea("rewrite", function, rewrite_words(ways.values())) if len(ways) <= most else None
                return Cause(told, rewrite=simplest[0])
        return Cause()

    def _near(self, function: str, several: bool, given: Mapping[str, list[Own]], seeds: Mapping[str, int]) -> list[tuple[int, Rewrite]]:
        """List the rewrites of a function, in one place or in several, that give what the first of a student's calls gave."""
        (name, (own, *_)), candidates = next(iter(given.items())), self.reruns.candidates(function)
        key = name, seeds[name], several
        if key not in self._tables:
            check = next(one for one in self.checks if one.id == name)
            made = ((i, self.reruns.rewritten(check, seeds[name], i)) for i, one in enumerate(candidates) if one.several == several)
            self._tables[key] = Table((i, calls[0].value) for i, calls in made if calls)
        numbers = self._tables[key].near(own.shown.value, *own.slack) if own.shown.kind == "returned" else []
        return [(i, candidates[i]) for i in numbers]

    @_in_bounds
    def unwritten(self, function: str, transcripts: Transcripts, seeds: Mapping[str, int], rewritten: Cause | None = None) -> Cause:
        """Find another idea that explains everything that `function` returned in these transcripts, which must have published numbers.

        `rewritten` is what a search with other numbers found.
        """
        readings = self.read(function, transcripts, seeds)
        if readings and all(reading.named for reading in readings):
            return Cause(Idea("coefficients", function, reading_words(readings)))
        rewritten = rewritten or self.rewritten(function, transcripts, seeds)
        if rewritten.idea or not readings:
            return rewritten
        return Cause(Idea("coefficients", function, reading_words(readings)), partly=True, trouble=rewritten.trouble)

    def name(self, function: str, transcripts: Transcripts, seeds: Mapping[str, int]) -> Misconception | None:
        """Return the misconception that explains everything that `function` returned in these transcripts, or None."""
        given = self._given(self.checks, function, transcripts)

        def known_in(one: Misconception | None) -> KnownIn:
            return lambda check: self.reruns.calls(check, seeds[check.id], one, function)

        candidates = [one for one in self.misconceptions if one.of == function]
        fitting = [one for one in candidates if self._explains(known_in(one), known_in(None), given, written=True)]
        return fitting[0] if len({one.sentence for one in fitting}) == 1 else None

    @np.errstate(all="ignore")  # values are a stranger's, and may be infinite
    def read(self, function: str, transcripts: Transcripts, seeds: Mapping[str, int]) -> list[Reading]:
        """Read the formula of each result of `function` that is wrong off its numbers, as far as they show it."""
        seen: dict[str, list[tuple[Sum, Formula, float]]] = {}
        for check in (one for one in self.checks if one.id in transcripts and function in self.quantities.linear):
            calls = calls_about(transcripts[check.id], function)
            for call, formulas in zip(calls, self.reruns.formulas(check, seeds[check.id], function), strict=False):
                for (own, tolerance), right in zip(sums_of(call, self.quantities, self.answers), formulas, strict=False):
                    if right:
                        seen.setdefault(own.name, []).append((own, right, tolerance))
        return [reading for own in seen.values() if (reading := read(own, self.quantities.letters))]

    def _given(self, checks: Iterable[Check], function: str, transcripts: Transcripts) -> dict[str, list[Own]]:
        """Return what a student's calls about a function show, by the check's id."""
        own = {check.id: calls_about(transcripts[check.id], function) for check in checks if check.id in transcripts}
        return {name: [*map(self._own, calls)] for name, calls in own.items() if calls}

    def _explains(self, known_in: KnownIn, right_in: KnownIn, given: Mapping[str, list[Own]], *, written: bool = False) -> bool:
        """Whether a mistake gives all that a student's calls gave, and something other than the reference.

        NaN alone is evidence of a `written` one, if it gives numbers elsewhere.
        """
        separated = lost = is_known = False
        for check in (one for one in self.checks if one.id in given):  # a check without a call is not rerun
            own, known = given[check.id], known_in(check)
            if len(own) > len(known) or not all(map(_agree, own, known)):
                return False
            right = right_in(check)
            separated |= any(map(_far, own, known, right))
            lost |= any(map(_lost, own, known, right))
            is_known |= any(one.kind == "returned" and one.value.any_finite for one in known)
        return separated or (written and lost and is_known)

    def _own(self, call: Called) -> Own:
        atol, rtol = tolerance_of(call, self.answers) if call.outcome.kind == "returned" else (0.0, 0.0)
        return Own(evidence(call), (atol, rtol), (max(atol, call.atol), rtol))


def _agree(own: Own, known: Evidence) -> bool:
    """Whether the student's call and the misconception's ended alike. Two that raised are no evidence, and no contradiction."""
    if own.shown.given != known.given:
        return False
    if own.shown.kind != "returned" or known.kind != "returned":
        return own.shown.kind == known.kind
    if not known.value.all_finite and own.shown.value.all_finite:
        return True  # who guards against a division by 0 or the root of a negative number makes the same mistake elsewhere
    return not own.shown.value.differs(known.value, *own.slack)


def _far(own: Own, known: Evidence, right: Evidence) -> bool:
    """Whether this call returned numbers, and separates the misconception from the reference by ten tolerances."""
    if own.shown.kind != "returned" or known.kind != "returned" or known.value.all_finite != own.shown.value.all_finite:
        return False
    atol, rtol = own.tolerance
    return known.value.any_finite and known.value.differs(right.value, SEPARATION * atol, SEPARATION * rtol)


def _lost(own: Own, known: Evidence, right: Evidence) -> bool:
    """Whether a mistake gives NaN alone in this call."""
    returned = own.shown.kind == known.kind == right.kind == "returned"
    return returned and not known.value.any_finite and right.value.any_finite


def _depends_on(wrong: str, function: str, run: Run) -> bool | None:
    """Whether a function gives something else with the reference's answers in place of a wrong one's; None if they are not at hand."""
    tried = [check for check in run.checks if check.of == function and check.id in run.transcripts]
    before = [run.transcripts[check.id] for check in tried]
    if any(one.ended and one.ended.raised and one.ended.raised.kind == "TypeError" for one in before):
        return False  # a call that does not fit is the caller's mistake
    after = run.again(tried, wrong)
    if not after or any(one.ended and one.ended.kind != "raised" for one in after):
        return None
    was, now = (shared_by(function, {f"{i}": one for i, one in enumerate(some)}) for some in (before[: len(after)], after))
    return was != now if was or now else None


def may_draw(source: bytes) -> bool:
    """Whether a file may draw random numbers of its own: it names something that does."""
    return DRAWS.search(source) is not None


def shared_errors(causes: Mapping[str, Cause], transcripts: Transcripts) -> dict[str, str]:
    """Hash the values of each wrong function that no misconception explains, so that students who share them can be found."""
    hashes = {of: shared_by(of, transcripts) for of, cause in causes.items() if not cause.misconception and not cause.uses}
    return {of: found for of, found in hashes.items() if found}
