"""What a check file uses: `@check`, `close`, `shaped`, `expect`, `untouched`, `asked`, and the `student` and `reference` it is given.

A check reads like a test: it calls the student's functions, calls the reference the same way, and compares. It runs many times: on a guest
with the round's numbers, again with the published ones, and with each misconception in the student's place. Every run leaves a
`Transcript`; a comparison that fails is recorded and the check goes on. What a failure means is decided elsewhere.
"""

import hmac
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.random import default_rng

from autograder.course.errors import CourseError, Finding, SandboxFault
from autograder.course.model import Check
from autograder.course.text import clean
from autograder.grading.comparison import difference, kind_of, misshapen
from autograder.grading.reference import (
    FLOOR,
    Answered,
    Answering,
    ObjectProxy,
    as_arrays,
    callback_of,
    copied,
    load_module,
    mapped,
    on_object,
    rtol_for,
)
from autograder.sandbox.guest.frameworks import is_out_of_memory
from autograder.sandbox.guests import Outcome, Raised

TEXT = 500  # characters that are kept of what a check says about a call
Player = Callable[[str, tuple[Any, ...], dict[str, Any], "list[Asked]"], Outcome]


class Asked(msgspec.Struct):
    """One question to a callback: its name and the arguments it was given."""

    function: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Called(msgspec.Struct):
    """One call of the student's code, and how it ended. It is evidence about the function `of`."""

    function: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outcome: Outcome
    asked: list[Asked]
    of: str = ""
    atol: float = 0.0  # the widest that a comparison of this call allowed


class Compared(msgspec.Struct):
    """One comparison: whether it held and, if not, what the call did. `call` is the index of the call that it is about.

    `words` may hold what the student's code returned, and are cut and made harmless.
    """

    ok: bool
    call: int
    words: str = ""
    share: float = 0.0  # of the check's points, if it did not hold
    kind: Literal["value", "demand"] = "demand"  # of the call's value with another one, or whatever else the check demands
    expected: Any = None  # that other value

    def __post_init__(self) -> None:
        self.words = clean(self.words, TEXT)


class Transcript(msgspec.Struct):
    """Everything that happened in one run of one check. `ended` is the outcome that cut it short."""

    calls: list[Called] = []
    comparisons: list[Compared] = []
    answers: list[Answered] = []
    ended: Outcome | None = None

    @property
    def passed(self) -> bool:
        return self.ended is None and bool(self.comparisons) and all(c.ok for c in self.comparisons)

    @property
    def strayed(self) -> bool:
        """Whether a call returned something wrong, or nothing; an argument changed in place does not count."""
        return self.ended is not None or any(not c.ok and (c.call < 0 or not self.calls[c.call].outcome.changed) for c in self.comparisons)

    @property
    def share(self) -> float:
        """The part of the check's points that was earned: the least that any comparison earned."""
        return min((1.0 if c.ok else c.share for c in self.comparisons), default=0.0) if self.ended is None else 0.0

    @property
    def first_failure(self) -> Compared | None:
        return next((c for c in self.comparisons if not c.ok), None)


_running: ContextVar[Transcript] = ContextVar("transcript of the running check")


class CheckEnded(Exception):
    """The student's code returned no value, or none that the check can go on with."""


def check(*, points: float, of: str, needs: Any = ()) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare a check: its points, the function it is about, and the checks that must pass before it means anything."""
    needed = needs if isinstance(needs, tuple) else (needs,)

    def declare(function: Callable[..., None]) -> Callable[..., None]:
        title = (inspect.getdoc(function) or "").split("\n")[0]
        names = tuple(n.__name__ for n in needed)
        draws = "rng" in inspect.signature(function).parameters
        function.__dict__["check"] = Check(function.__name__, title, points, of, names, function, draws)
        return function

    return declare


def close(got: Any, expected: Any, *, atol: float | None = None, rtol: float | None = None) -> None:
    """Compare what the student's code returned with what is expected, and go on either way.

    Kind, shape and finiteness must agree; dtype is free. The tolerance is the reference call's own, unless you pass one.
    """
    transcript = _running.get()
    at = next((i for i in reversed(range(len(transcript.calls))) if transcript.calls[i].outcome.value is got), len(transcript.calls) - 1)
    arguments = [(one.args, one.kwargs) for one in transcript.calls[at:][:1]]
    known = next((a for a in transcript.answers if a.value is expected), None) or Answered(None, FLOOR, rtol_for(arguments))
    absolute, relative = known.atol if atol is None else atol, known.rtol if rtol is None else rtol
    words = difference(got, expected, absolute, relative)
    if at >= 0:
        transcript.calls[at].atol = max(transcript.calls[at].atol, absolute)
    transcript.comparisons.append(Compared(words == "", at, f"gave {words}" if words else "", kind="value", expected=expected))


def expect(condition: bool, words: str) -> None:
    """Require something of the last call other than a value; `words` continue after its name: "used noise at the last step"."""
    earned(float(bool(condition)), words)


def earned(share: float, words: str) -> None:
    """Give this share (0 to 1) of the check's points for the last call; if it is not 1, `words` say what is missing."""
    transcript = _running.get()
    transcript.comparisons.append(Compared(share >= 1, len(transcript.calls) - 1, "" if share >= 1 else words, max(0.0, share)))


def untouched() -> None:
    """Require that no call of this check changed an argument in place."""
    transcript = _running.get()
    for at, call in enumerate(transcript.calls):
        changed = ", ".join(f"`{name}`" for name in call.outcome.changed)
        words = f"changed its argument {changed} in place: work on a copy" if changed else ""
        transcript.comparisons.append(Compared(not changed, at, words))


def shaped(got: Any, *shape: int) -> np.ndarray[Any, Any]:
    """Return a returned value as float64, to compute with; another shape ends the check: (N, 1) minus (1, N) would be N² numbers."""
    transcript = _running.get()
    if words := misshapen(got, shape):
        transcript.comparisons.append(Compared(False, len(transcript.calls) - 1, f"gave {words}", kind="value"))
        raise CheckEnded
    return np.asarray(as_arrays(got), np.float64)


def rows(value: Any, *shape: int, most: int) -> int:
    """Return how many rows of this shape a callback was given. Raise `ValueError` if it is anything else, or if there are more than `most`.

    What a callback is asked is a stranger's: a product of two columns of a million numbers does not fit in any memory.
    """
    given = np.shape(as_arrays(value))
    if given[1:] != shape or not given or given[0] > most:
        raise ValueError(f"shape {given}, where at most {most} rows of {shape} were expected")
    return int(given[0])


def asked(function: str) -> list[tuple[Any, ...]]:
    """List the arguments that the last call passed to the callback of this name, in order; keywords take their positions."""
    call = _running.get().calls[-1]
    bind = inspect.signature(callback_of((call.args, call.kwargs), function)).bind
    return [bind(*one.args, **one.kwargs).args for one in call.asked if one.function == function]


class Student:
    """The student's functions, answered by whatever plays the student: a guest, a misconception or the reference itself.

    `student.props.NAME(...)` calls a function of the lesson's props.py on the student's side; `student.NAME` may be one of its arguments.
    A returned object that is not data becomes an `ObjectProxy`.
    """

    def __init__(self, player: Player, transcript: Transcript, prefix: str = ""):
        self._player, self._transcript, self._prefix = player, transcript, prefix

    def __getattr__(self, name: str) -> Any:
        if name == "props" and not self._prefix:
            return Student(self._player, self._transcript, "props.")
        return StudentFunction(self, self._prefix + name)

    def executed(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], *, shown: str = "", of: str | None = None) -> Any:
        """Make one call, record it as `shown`, and return its value."""
        of = _about(name, args) if of is None else of
        for proxy in (item for item in (*args, *kwargs.values()) if isinstance(item, ObjectProxy) and not name.startswith(("@", "props."))):
            proxy.of = of
        questions: list[Asked] = []
        outcome = self._player(name, args, kwargs, questions)
        if outcome.kind == "returned" and kind_of(outcome.value) == "object":
            made = sum(isinstance(call.outcome.value, ObjectProxy) for call in self._transcript.calls)
            outcome = msgspec.structs.replace(outcome, value=ObjectProxy(self, name, f"{name} {made + 1}", outcome.value))
        self._transcript.calls.append(Called(shown or name, args, kwargs, outcome, questions, of))
        if outcome.kind != "returned":
            raise CheckEnded
        return outcome.value


class StudentFunction:
    """One of the student's functions, to be called, or passed to one of the props."""

    def __init__(self, student: Student, name: str):
        self.__name__, self._student = name, student

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._student.executed(self.__name__, args, kwargs)


def _about(name: str, args: tuple[Any, ...]) -> str:
    """Return the function that a call is evidence about; of a call of the props, the one that it is given, or its objects were given to."""
    passed = [item.__name__ for item in args if isinstance(item, StudentFunction)]
    used = [item.of for item in args if isinstance(item, ObjectProxy) and not item.of.startswith("props.")]
    return (passed + used)[0] if (passed or used) and name.startswith("props.") else name


class Reference:
    """The same functions, answered by the course."""

    def __init__(self, answers: Answering, transcript: Transcript):
        self._answers, self._transcript = answers, transcript

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            answered = self._answers.answer(name, args, kwargs)
            self._transcript.answers.append(answered)
            return answered.value

        return call


def run(check: Check, player: Player, answers: Answering, seed: int) -> Transcript:
    """Run one check and return its transcript. `seed` gives the numbers that the check draws.

    Whatever is raised once the student's code has returned something is the fault of what it returned. Raise `MemoryError` if memory
    runs out, and `SandboxFault` if the check fails by itself.
    """
    transcript = Transcript()
    try:
        execute(check, player, answers, seed, transcript)
    except CheckEnded:
        last = transcript.calls[-1].outcome
        transcript.ended = None if last.kind == "returned" else last
    except (CourseError, SandboxFault, OSError):
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise MemoryError from None
        if not transcript.calls:
            raise SandboxFault(f"the check `{check.id}` fails by itself: {error}") from error
        transcript.ended = Outcome("refused", detail=clean(f"what it returned cannot be used: {error}", TEXT))
    return transcript


def execute(check: Check, player: Player, answers: Answering, seed: int, transcript: Transcript) -> None:
    """Run one check, writing into its transcript, and let every exception pass."""
    given: list[Any] = [Student(player, transcript), Reference(answers, transcript)]
    token = _running.set(transcript)
    try:
        check.function(*given, *([default_rng(seed)] if check.draws else []))
    finally:
        _running.reset(token)


def executed_by(function_of: Callable[[str], Callable[..., Any]], *, noting: bool = True) -> Player:
    """Let functions of ours stand in for the student's: arguments are copied, callbacks perhaps recorded, tensors returned as arrays."""

    def play(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], questions: list[Asked]) -> Outcome:
        try:
            given, named = (lent(one, questions if noting else None, function_of) for one in (args, kwargs))
            with np.errstate(all="ignore"):
                function, given = target(name, given, function_of)
                return Outcome("returned", value=as_arrays(function(*given, **named)))
        except Exception as error:
            if is_out_of_memory(error):  # of ours: it says nothing about the function
                raise MemoryError from None
            return Outcome("raised", raised=Raised(type(error).__name__, str(error)))

    return play


def lent(value: Any, questions: list[Asked] | None, function_of: Callable[[str], Callable[..., Any]]) -> Any:
    """Copy arguments for a call in this process: proxies become their objects or functions, and callbacks record what they are asked."""

    def leaf(item: Any) -> Any:
        if isinstance(item, ObjectProxy):
            return item.held
        if isinstance(item, StudentFunction):
            return function_of(item.__name__)
        if not callable(item) or questions is None:
            return item

        def callback(*args: Any, **kwargs: Any) -> Any:
            questions.append(Asked(item.__name__, copied(args), copied(kwargs)))
            return item(*args, **kwargs)

        return callback

    return mapped(copied(value), leaf)


def target(name: str, args: tuple[Any, ...], function_of: Callable[[str], Any]) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Find what to call, and with which arguments: a name that begins with "@" is a part of the first argument."""
    return (on_object(name, args[0]), args[1:]) if name.startswith("@") else (function_of(name), args)


def seed_of(secret: bytes, exercise: str, check: str) -> int:
    """Return the seed of a check's numbers; it is keyed, so that one check's numbers reveal nothing about another's."""
    return int.from_bytes(hmac.digest(secret, f"{exercise}\0{check}".encode(), "sha256"), "big")


def load_checks(path: Path) -> tuple[Check, ...]:
    """Read the checks of a file, in their order. Raise `CourseError` if one of them is invalid."""
    found = [value.check for value in vars(load_module(path)).values() if isinstance(getattr(value, "check", None), Check)]
    findings = []
    for number, one in enumerate(found):
        line = one.function.__code__.co_firstlineno
        if not one.title:
            findings.append(Finding(path, line, f"check `{one.id}` has no title", "give it a one-line docstring"))
        late = set(one.needs) - {earlier.id for earlier in found[:number]}
        if late:
            findings.append(Finding(path, line, f"check `{one.id}` needs `{min(late)}`, which does not come before it", "move it up"))
    if not found:
        findings.append(Finding(path, None, "no checks", "write a function with @check(points=..., of=...)"))
    if findings:
        raise CourseError(findings)
    return tuple(found)
