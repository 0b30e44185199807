"""Rules over the checks themselves, by running them: with the answer, with the starter, and with each known slip.

Everything that runs here is the course's own code; no submission is near, so no sandbox is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from autograder.attempt import PUBLIC, Materials
from autograder.checks import Transcript, played_by, run, seed_of
from autograder.errors import Finding
from autograder.lint.sight import Sight
from autograder.model import Check
from autograder.recordings import Answers, load_module, numbers

SECRETS = (PUBLIC, b"lint")


def answers_pass(sight: Sight) -> Iterator[Finding]:
    """Find checks that the course's own answer does not pass."""
    for materials, path in _exercises(sight):
        for check in materials.checks:
            for secret in SECRETS:
                transcript = materials.diagnosis.rerun(check, _seed(materials, check, secret), None)
                if not transcript.passed:
                    problem = f"check `{check.id}` fails on the course's own answer: {_why(transcript)}"
                    yield Finding(path, _line(check), problem, "mend the check or the answer")
                    break


def starters_fail(sight: Sight) -> Iterator[Finding]:
    """Find checks that an untouched starter passes."""
    for materials, path in _exercises(sight):
        starter = Answers(load_module(materials.exercise.starter))
        for check in materials.checks:
            if run(check, played_by(starter.function), materials.answers, _seed(materials, check, PUBLIC)).passed:
                problem = f"check `{check.id}` is passed by the untouched starter"
                yield Finding(path, _line(check), problem, "let it demand what the student has to write")


def slips_are_named(sight: Sight) -> Iterator[Finding]:
    """Find misconceptions that pass every check, that lie too near to the reference, or that another one cannot be told from."""
    for materials, path in _exercises(sight):
        slips = Path("solutions") / sight.lesson.id / "misconceptions" / path.name
        answered = load_module(materials.exercise.answer)
        for slip in materials.slips:
            if not hasattr(answered, slip.of):
                continue  # told by `slip-leads`
            seeds = {check.id: _seed(materials, check, PUBLIC) for check in materials.checks}
            transcripts = {check.id: materials.diagnosis.rerun(check, seeds[check.id], slip) for check in materials.checks}
            line = slip.function.__code__.co_firstlineno
            if all(transcript.passed for transcript in transcripts.values()):
                yield Finding(slips, line, f"misconception `{slip.id}` passes every check", "add numbers that show it")
            elif materials.diagnosis.name(slip.of, transcripts, seeds) is not slip:
                problem = f"misconception `{slip.id}` is not told as itself"
                fix = "let some call lie ten tolerances from the reference and from the other slips, or drop it"
                yield Finding(slips, line, problem, fix)


def nothing_crosses_early(sight: Sight) -> Iterator[Finding]:
    """Find expected values that a guest was given as an argument before it was asked for them."""
    for materials, path in _exercises(sight):
        sent: set[bytes] = set()
        for check in materials.checks:
            for call in materials.diagnosis.rerun(check, _seed(materials, check, PUBLIC), None).calls:
                if _leaves(call.outcome.value) & sent:
                    problem = f"check `{check.id}` expects of `{call.function}` what it, or a check before it, has sent as an argument"
                    yield Finding(path, _line(check), problem, "draw the argument afresh, or ask in the other order")
                    break
                sent |= _leaves((call.args, call.kwargs, [question.args for question in call.asked]))


def references_stand_alone(sight: Sight) -> Iterator[Finding]:
    """Find checks that pass what the student's code gave on to the reference: such an answer cannot be recorded."""
    for materials, path in _exercises(sight):
        for check in materials.checks:
            seed = _seed(materials, check, PUBLIC)
            if not materials.diagnosis.rerun(check, seed, None).answers:
                continue  # it never asks the reference
            answers = Answers(load_module(materials.exercise.answer))
            run(check, played_by(materials.answers.function), answers, seed)
            before = answers.known
            run(check, played_by(_off(materials.answers.function)), answers, seed)
            if answers.known > before:
                problem = f"check `{check.id}` passes the student's values to the reference"
                yield Finding(path, _line(check), problem, "give the reference numbers of the check's own")


def _exercises(sight: Sight) -> Iterator[tuple[Materials, Path]]:
    """Give each exercise's materials, and where its checks stand."""
    for materials in sight.materials:
        yield materials, materials.exercise.checks.relative_to(sight.root)


def _seed(materials: Materials, check: Check, secret: bytes) -> int:
    return seed_of(secret, materials.exercise.id, check.id)


def _line(check: Check) -> int:
    return check.function.__code__.co_firstlineno


def _why(transcript: Transcript) -> str:
    failure = transcript.first_failure
    if failure:
        return failure.words
    ended = transcript.ended
    return (ended.raised.message if ended.raised else ended.detail) if ended else "it compares nothing"


def _leaves(value: Any) -> set[bytes]:
    """Give the arrays in a value as bytes; single numbers are not counted, they repeat by chance."""
    return {np.ascontiguousarray(array).tobytes() for array in numbers(value) if array.size > 1 and np.ptp(array) > 0}


def _off(function_of: Callable[[str], Callable[..., Any]]) -> Callable[[str], Callable[..., Any]]:
    """Give the same functions, each a little off."""

    def off(name: str) -> Callable[..., Any]:
        return lambda *args, **kwargs: _shifted(function_of(name)(*args, **kwargs))

    return off


def _shifted(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(_shifted, value))
    try:
        return value + 0.125
    except TypeError:
        return value
