"""Run the public checks inside a notebook, without the course: this text goes into a locked cell, with what it uses of the engine.

A check is the same function as in the course, run by the same code. The student's functions are those of the notebook, what they raise
is shown with its traceback, and the reference's answers come from a recording, in the order in which they are asked for. There is no
wall here: nbgrader runs everything in one process, and anyone who reads the recording reads the right values of the published numbers.
Scores that must be trusted come from `course grade`.

Nothing that it uses of the engine may need more than the standard library and numpy (`notebook_shim.txt` stands in for msgspec).
"""

import base64
import gzip
import inspect
import json
import random
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from autograder.course.model import Check
from autograder.grading.checks import Asked, Player, Transcript, execute, lent, target
from autograder.grading.recorded import unpack
from autograder.grading.reference import Answered, as_array, as_arrays, copied
from autograder.sandbox.guest.frameworks import loaded
from autograder.sandbox.guests import Outcome

EXERCISES: dict[str, dict[str, Any]] = {}


class Recording:
    """The reference's answers to one run of a check, in the order in which they are asked for."""

    props: Path | None = None

    def __init__(self, answers: list[Any]):
        self._answers = [Answered(unpack(value), atol, rtol) for value, atol, rtol in answers]

    def function(self, name: str) -> Callable[..., Any]:
        raise AttributeError(name)

    def answer(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Answered:
        return self._answers.pop(0)


def load(exercise: str, checks: str, seeds: dict[str, int], answers: str, props: str = "") -> None:
    """Take an exercise's checks, their published seeds and the recorded answers to them."""
    modules = {}
    for name, text in (("props", props), ("checks", checks)):
        module = modules[name] = types.ModuleType(f"course_{exercise}_{name}")
        sys.modules[module.__name__] = module
        exec(compile(text, f"{exercise} {name}", "exec"), module.__dict__)
    declared = [value.check for value in vars(modules["checks"]).values() if isinstance(getattr(value, "check", None), Check)]
    recorded = json.loads(gzip.decompress(base64.b64decode(answers)))
    checks_by_id = {check.id: check for check in declared}
    EXERCISES[exercise] = {"checks": checks_by_id, "seeds": seeds, "answers": recorded, "props": modules["props"], "passed": set()}


def play(exercise: str, name: str, namespace: dict[str, Any]) -> float:
    """Run one check on the functions of this notebook and return its points; raise AssertionError, saying why, if it earns none."""
    part = EXERCISES[exercise]
    check, transcript = part["checks"][name], Transcript()
    part["passed"].discard(name)
    for need in check.needs:
        if need not in part["passed"]:
            raise AssertionError(f"not judged: it needs “{part['checks'][need].title}”, which did not pass")
    random.seed(0)
    np.random.seed(0)
    for framework in loaded():
        framework.seed()
    execute(check, _player(namespace, part["props"]), Recording(part["answers"].get(name, [])), part["seeds"][name], transcript)
    if transcript.passed:
        part["passed"].add(name)
        return float(check.points)
    if transcript.share <= 0:
        raise AssertionError(_words(transcript))
    print(_words(transcript))
    return float(round(check.points * transcript.share, 2))


def _words(transcript: Transcript) -> str:
    failed = transcript.first_failure
    if failed is None:
        return "it compares nothing"
    return f"`{transcript.calls[failed.call].function}` {failed.words}" if failed.call >= 0 else f"it {failed.words}"


def _player(namespace: dict[str, Any], props: types.ModuleType) -> Player:
    """Let the functions of this notebook be the student's; with "props." in front of the name, those of the props."""

    def function_of(name: str) -> Callable[..., Any]:
        own, found = name.removeprefix("props."), namespace if name == name.removeprefix("props.") else vars(props)
        if own not in found:
            raise NameError(f"there is no function `{own}`: run the cell that defines it")
        return found[own]  # type: ignore[no-any-return]

    def player(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], questions: list[Asked]) -> Outcome:
        function, given = target(name, lent(args, questions, function_of), function_of)
        named = lent(kwargs, questions, function_of)
        before = as_arrays(copied([*given, *named.values()]))
        value = function(*given, **named)
        names = [*list(inspect.signature(function).parameters)[: len(given)], *named]
        after = zip(names, before, [*given, *named.values()], strict=False)
        changed = tuple(argument for argument, was, now in after if isinstance(was, np.ndarray) and not _same(was, as_array(now)))
        return Outcome("returned", value=copied(as_arrays(value)), changed=changed)

    return player


def _same(was: Any, now: Any) -> bool:
    return bool(np.array_equal(was, now, equal_nan=was.dtype.kind == "f"))
