"""Record what the reference and every misconception return, for the published numbers of the checks and fifty variants of each question.

It needs the solutions; the recordings hold values and sentences, and no code. `grading/recorded` says how values are written.
"""

import inspect
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from autograder.author.cache import graded_once
from autograder.course.errors import CourseError, Finding
from autograder.course.loading import recordings
from autograder.course.model import Check, Exercise, Key, Lesson, Question
from autograder.course.own_practice import POOL, call_of, key_of, practised
from autograder.grading.attempt import PUBLIC, Materials
from autograder.grading.checks import Called, seed_of
from autograder.grading.questions import (
    VARIANTS,
    Functions,
    MisconceptionValues,
    PracticeRecordings,
    WorkingLines,
    counting,
    namespace_of,
    place,
    variant,
    working,
)
from autograder.grading.recorded import (
    Known,
    Recorded,
    RecordedMisconception,
    RecordedRewrites,
    Recordings,
    fingerprint,
    in_text,
    pack,
    record_rewrites,
    write_gz,
)
from autograder.grading.reference import Answered, Answering, digest, fuzzy_key
from autograder.grading.reruns import evidence, has_tolerance


def record_exercise(materials: Materials) -> Recordings:
    """Run every check with the reference and with each misconception in the student's place, and record the calls.

    What was recorded of the same files is taken again.
    """
    exercise = materials.exercise
    root = exercise.answer.parents[2]
    files = [root / "solutions", exercise.checks, exercise.starter.with_name("props.py")]
    return graded_once("recordings", files, root, Recordings, lambda: _recorded(materials))


def _recorded(materials: Materials) -> Recordings:
    exercise, reruns = materials.exercise, materials.diagnosis.reruns
    answers, runs, executed = runs_of(materials)
    misconceptions = msgspec.convert(materials.misconceptions, list[RecordedMisconception], from_attributes=True)
    seeds = {check.id: seed_of(PUBLIC, exercise.id, check.id) for check in materials.checks}
    formulas = {check.id: reruns.formulas(check, seeds[check.id], check.of) for check in materials.checks}
    return Recordings(
        exercise.id,
        fingerprint(exercise),
        _parameters(sorted(executed), materials.answers),
        {name: {key: Recorded(_raw(one.value), one.atol, one.rtol) for key, one in own.items()} for name, own in answers.items()},
        misconceptions,
        runs,
        {name: own for name, own in formulas.items() if any(own)},
        {name: linear for name, linear in reruns.quantities.linear.items() if name in executed},
        dict(reruns.quantities.letters),
        {of: _rewrites(materials, of) for of in dict.fromkeys(one.of for one in materials.misconceptions)},
    )


def runs_of(materials: Materials) -> tuple[dict[str, dict[str, Answered]], dict[str, dict[str, list[Known]]], set[str]]:
    """Run every check with the reference and with each misconception: the reference's answers by function and fuzzy key, the runs by
    check and misconception, and the functions that were called. Raise `CourseError` if two calls would look the same when replayed.
    """
    exercise, reruns = materials.exercise, materials.diagnosis.reruns
    answers: dict[str, dict[str, Answered]] = {}
    runs: dict[str, dict[str, list[Known]]] = {}
    executed: set[str] = set()
    for check in materials.checks:
        runs[check.id] = {}
        for misconception in (None, *materials.misconceptions):
            transcript = reruns.rerun(check, seed_of(PUBLIC, exercise.id, check.id), misconception)
            executed |= {call.function for call in transcript.calls}
            compared = [call for call in transcript.calls if call.of and (misconception is None or call.of == misconception.of)]
            returned = (call for call in compared if call.outcome.kind == "returned" and has_tolerance(call))
            tolerances = (materials.answers.answer(call.function, call.args, call.kwargs) for call in returned)
            for answered in (*transcript.answers, *tolerances):
                _add_answer(answers, answered, check, exercise.checks)
            if compared:
                runs[check.id][misconception.id if misconception else ""] = [*map(_known, compared)]
    return answers, runs, executed


def _add_answer(answers: dict[str, dict[str, Answered]], answered: Answered, check: Check, checks: Path) -> None:
    name, key = consulted(answered)
    before = answers.setdefault(name, {}).setdefault(key, answered)
    if before is not answered and digest(before.value) != digest(answered.value):
        problem = f"two calls of `{name}` get numbers that agree in three digits, and have different answers"
        fix = "draw numbers that lie further apart; if only a callback differs, other numbers too: they cannot be recorded"
        raise CourseError([Finding(checks, inspect.unwrap(check.function).__code__.co_firstlineno, problem, fix)])


def consulted(answered: Answered) -> tuple[str, str]:
    """Return what the reference was asked: the function, and the fuzzy key of its arguments."""
    name, *arguments = answered.call
    return name, fuzzy_key(tuple(arguments)).hex()


def _rewrites(materials: Materials, of: str) -> RecordedRewrites:
    """Record what every rewrite of a function gives in the checks of this function, in short."""
    reruns, exercise = materials.diagnosis.reruns, materials.exercise
    seeds = {check.id: seed_of(PUBLIC, exercise.id, check.id) for check in materials.checks}
    checks, candidates = reruns.tried_in(of, seeds), reruns.candidates(of)
    right = {check.id: reruns.calls(check, seeds[check.id], None, of) for check in checks}
    shown = {check.id: [reruns.rewritten(check, seeds[check.id], i) for i in range(len(candidates))] for check in checks}
    return record_rewrites([(one.words, one.where, one.rank, one.more) for one in candidates], right, shown)


def _known(call: Called) -> Known:
    shown = evidence(call)
    return Known(call.of, shown.given.hex(), shown.kind, shown.value.form, in_text(shown.value))


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(pack(value)))


def _parameters(names: list[str], answers: Answering) -> dict[str, list[str]]:
    """Return the parameters of the functions of the answer file; those of the props are read from the props."""
    known = {}
    for name in names:
        try:
            known[name] = list(inspect.signature(answers.function(name)).parameters)
        except (AttributeError, TypeError, ValueError):
            continue
    return {name: own for name, own in known.items() if not name.startswith("props.")}


def record_practice(lesson: Lesson, functions: Functions, token: str = "") -> PracticeRecordings:
    """Draw fifty variants of each question; record the values, the misconceptions' values and the workings of all.

    Where practice counts, record the round's `token` and the numbers that count, but nothing that was computed from them.
    """
    made = PracticeRecordings({}, {}, {}, {}, token=token)
    for question in lesson.questions if token else ():
        made.pool[question.id] = [counting(question, token, place, functions) for place in range(POOL)] if question.numbers else []
    for question in practised(lesson):
        key = key_of(lesson, question)
        drawn = [variant(question, seed, functions) for seed in range(VARIANTS)] if question.numbers else []
        made.variants[question.id] = drawn
        for numbers in (variant(question, None, functions), *drawn):
            for part in (question, *question.parts):
                if part.computes:
                    _add_values(made, part, numbers, functions)
                own = key if part is question else key.part(part.id)
                if lines := working(part, own, numbers, namespace_of(question, functions)):
                    made.working.setdefault(place(part), []).append(WorkingLines(dict(numbers), list(lines)))
    return made


def _add_values(made: PracticeRecordings, part: Question, numbers: dict[str, float], functions: Functions) -> None:
    name, arguments = part.computes, list(call_of(part, numbers)[1:])
    _add(made.values.setdefault(name, []), arguments, functions.reference(name))
    known = made.misconceptions.setdefault(name, [])
    for each in functions.misconceptions(name):
        if each.id in part.detects:
            own = next((one for one in known if one.id == each.id), None)
            if own is None:
                own = MisconceptionValues(each.id, each.of, each.sentence, each.section, each.card, [])
                known.append(own)
            _add(own.values, arguments, each.function)


def _add(values: list[tuple[list[float], float]], arguments: list[float], function: Callable[..., Any]) -> None:
    if all(known != arguments for known, _ in values):
        value = float(function(*arguments))
        assert math.isfinite(value), "lint refuses questions with an infinite answer"
        values.append((arguments, value))


def write_recordings(root: Path, lesson: Lesson, exercises: list[tuple[Exercise, Recordings]], functions: Functions, token: str) -> None:
    """Write all recordings of a lesson below the release's `root`; `token` is the round's if practice counts."""
    for exercise, recorded in exercises:
        write_gz(recordings(root, lesson.id, exercise.id), recorded)
    if lesson.questions:
        write_gz(recordings(root, lesson.id, "practice"), record_practice(lesson, functions, token))
        keys = {question.id: without_working(key_of(lesson, question)) for question in practised(lesson)}
        write_gz(recordings(root, lesson.id, "keys"), keys)


def without_working(key: Key) -> Key:
    """Drop the expressions from a key: what they give is recorded."""
    parts = {name: without_working(part) for name, part in key.parts.items()}
    mistakes = {name: msgspec.structs.replace(one, formula="") for name, one in key.mistakes.items()}
    return msgspec.structs.replace(key, computes="", mistakes=mistakes, working=(), parts=parts)
