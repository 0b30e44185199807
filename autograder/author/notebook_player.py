"""What plays the public checks inside a notebook, without the course: its text is put into a locked cell.

A check is the same function as in the course; the student's functions are those of the notebook, and the reference answers from a
recording, in the order in which it is asked. There is no wall here: nbgrader runs all in one process, and whoever reads the
recording reads the right values of the published numbers. Scores that must be trusted come from `course grade`.

It may use only the standard library, numpy, and what `cells` puts before it: `mapped`, `unpack`, `difference`, `kind_of`.
"""

from __future__ import annotations

import base64
import gzip
import inspect
import json
import random
import sys
import types
from typing import Any

import numpy as np

from autograder.grading.comparison import difference, kind_of
from autograder.grading.recorded import unpack
from autograder.grading.reference import mapped

FLOOR, FLOAT32_RELATIVE = 1e-6, 1e-5
EXERCISES: dict[str, Any] = {}


class Run:
    """One run of one check: the recorded answers, the calls made, the comparisons."""

    def __init__(self, answers: list[Any]):
        self.waiting = [(unpack(value), atol, rtol) for value, atol, rtol in answers]
        self.answers: list[tuple[Any, float, float]] = []
        self.calls: list[dict[str, Any]] = []
        self.compared: list[tuple[float, str]] = []


_runs: list[Run] = []


def load(exercise: str, checks: str, seeds: dict[str, int], answers: str, props: str = "") -> None:
    """Take an exercise's checks, their published seeds and the recorded answers to them."""
    modules = {}
    for name, text in (("props", props), ("checks", checks)):
        module = modules[name] = types.ModuleType(f"course_{exercise}_{name}")
        sys.modules[module.__name__] = module
        exec(compile(text, f"{exercise} {name}", "exec"), module.__dict__)
    found = {name: value for name, value in vars(modules["checks"]).items() if hasattr(value, "course_check")}
    recorded = json.loads(gzip.decompress(base64.b64decode(answers)))
    EXERCISES[exercise] = {"checks": found, "seeds": seeds, "answers": recorded, "props": modules["props"], "passed": set()}


def play(exercise: str, name: str, namespace: dict[str, Any]) -> float:
    """Run one check on the functions of this notebook and return its points; raise AssertionError in words where it earns none."""
    part = EXERCISES[exercise]
    function = part["checks"][name]
    points, needs = function.course_check
    part["passed"].discard(name)
    for need in needs:
        if need not in part["passed"]:
            raise AssertionError(f"not judged: it needs “{_title(part['checks'][need])}”, which did not pass")
    share, words = _played(Run(part["answers"].get(name, [])), function, part, namespace)
    if share >= 1:
        part["passed"].add(name)
        return float(points)
    if share <= 0:
        raise AssertionError(words)
    print(words)
    return float(round(points * share, 2))


def _played(run: Run, function: Any, part: dict[str, Any], namespace: dict[str, Any]) -> tuple[float, str]:
    given: list[Any] = [Student(namespace, part["props"], run), Reference(run)]
    if "rng" in inspect.signature(function).parameters:
        given.append(np.random.default_rng(part["seeds"][function.__name__]))
    random.seed(0)
    np.random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)
    _runs.append(run)
    try:
        function(*given)
    finally:
        _runs.pop()
    words = next((words for share, words in run.compared if share < 1), "it compares nothing")
    return min((share for share, _ in run.compared), default=0.0), words


def _title(function: Any) -> str:
    return (inspect.getdoc(function) or "").split("\n")[0]


# ---- what a check uses


def check(*, points: float, of: str, needs: Any = ()) -> Any:
    """Declare a check."""

    def declare(function: Any) -> Any:
        names = [need.__name__ for need in (needs if isinstance(needs, tuple) else (needs,))]
        function.course_check = points, names
        return function

    return declare


def close(got: Any, expected: Any, *, atol: float | None = None, rtol: float | None = None) -> None:
    """Compare a value with what is expected, and go on either way."""
    run = _runs[-1]
    known = next(((a, r) for value, a, r in run.answers if value is expected), None)
    single = FLOAT32_RELATIVE if run.calls and _single((run.calls[-1]["args"], run.calls[-1]["kwargs"])) else 0.0
    absolute = atol if atol is not None else known[0] if known else FLOOR
    relative = rtol if rtol is not None else known[1] if known else single
    words = difference(got, expected, absolute, relative)
    run.compared.append((0.0, f"{_last(run)} gave {words}") if words else (1.0, ""))


def expect(condition: bool, words: str) -> None:
    """Demand something of the last call that is not a value."""
    earned(1.0 if condition else 0.0, words)


def earned(share: float, words: str) -> None:
    """Give this share of the check's points for the last call."""
    run = _runs[-1]
    run.compared.append((max(0.0, share), f"{_last(run)} {words}") if share < 1 else (1.0, ""))


def untouched() -> None:
    """Demand that no call of this check changed an argument in place."""
    for call in _runs[-1].calls:
        words = f"`{call['function']}` changed its argument {', '.join(call['changed'])} in place: work on a copy"
        _runs[-1].compared.append((0.0, words) if call["changed"] else (1.0, ""))


def asked(function: str) -> list[tuple[Any, ...]]:
    """List the arguments that the last call gave to the callback of this name."""
    call = _runs[-1].calls[-1]
    callback = next(item for item in (*call["args"], *call["kwargs"].values()) if getattr(item, "__name__", "") == function)
    bind = inspect.signature(callback).bind
    return [bind(*args, **kwargs).args for name, args, kwargs in call["asked"] if name == function]


def _last(run: Run) -> str:
    return f"`{run.calls[-1]['function']}`" if run.calls else "it"


# ---- the two that a check asks


class Reference:
    """The course's functions, answered from the recording."""

    def __init__(self, run: Run):
        self._run = run

    def __getattr__(self, name: str) -> Any:
        def answer(*args: Any, **kwargs: Any) -> Any:
            self._run.answers.append(self._run.waiting.pop(0))
            return self._run.answers[-1][0]

        return answer


class Student:
    """The functions of the notebook, or with `student.props` those of the props."""

    def __init__(self, namespace: dict[str, Any], props: Any, run: Run):
        self._namespace, self._props, self._run = namespace, props, run

    def __getattr__(self, name: str) -> Any:
        if name == "props":
            return Student(vars(self._props), None, self._run)
        if name not in self._namespace:
            raise NameError(f"there is no function `{name}`: run the cell that defines it")
        return lambda *args, **kwargs: called(self._run, name, self._namespace[name], args, kwargs)


class ObjectProxy:
    """An object that is no data: call it, its methods, and get or set its weights."""

    def __init__(self, held: Any, run: Run, name: str):
        self.held, self._run, self._name = held, run, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return called(self._run, self._name, self.held, args, kwargs)

    def method(self, name: str, *args: Any) -> Any:
        """Call a named method."""
        return called(self._run, name, getattr(self.held, name), args, {})

    def weights(self) -> dict[str, Any]:
        """Read the weights."""
        return {key: value.detach().clone().numpy() for key, value in self.held.state_dict().items()}

    def set_weights(self, weights: dict[str, Any]) -> None:
        """Put these weights in the place of its own."""
        self.held.load_state_dict(weights)


def called(run: Run, name: str, function: Any, args: Any, kwargs: Any) -> Any:
    """Make one call on copies of the arguments, and write down what came of it."""
    call: dict[str, Any] = {"function": name, "args": args, "kwargs": kwargs, "asked": [], "changed": []}
    run.calls.append(call)
    given, named = mapped(args, lambda item: _sent(item, call)), mapped(kwargs, lambda item: _sent(item, call))
    before = mapped([*given, *named.values()], _number)
    before = mapped(before, lambda item: item.copy() if isinstance(item, np.ndarray) else item)
    value = function(*given, **named)
    names = [*list(inspect.signature(function).parameters)[: len(given)], *named] if callable(function) else []
    for argument, was, now in zip(names, before, [*given, *named.values()], strict=False):
        if isinstance(was, np.ndarray) and not np.array_equal(was, _number(now), equal_nan=was.dtype.kind == "f"):
            call["changed"].append(f"`{argument}`")
    value = mapped(value, _number)
    return ObjectProxy(value, run, f"{name}()") if kind_of(value) == "object" else value


def _sent(item: Any, call: dict[str, Any]) -> Any:
    if isinstance(item, ObjectProxy):
        return item.held
    if isinstance(item, np.ndarray):
        return item.copy()
    if hasattr(item, "detach"):
        return item.clone()
    if not callable(item):
        return item

    def callback(*args: Any, **kwargs: Any) -> Any:
        call["asked"].append((item.__name__, mapped(args, _number), mapped(kwargs, _number)))
        return item(*args, **kwargs)

    return callback


def _number(item: Any) -> Any:
    return item.detach().numpy().copy() if hasattr(item, "detach") else item


def _single(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_single, value))
    if isinstance(value, dict):
        return any(map(_single, value.values()))
    return str(getattr(value, "dtype", "")).endswith("float32")
