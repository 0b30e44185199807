"""Is a wrong answer told the right idea, and never a wrong one?

    python -m bench.diagnosis [--every N] [EXERCISE ...]

Four kinds of submissions, by exercise, each with how many are told what:

planted   every rewrite of every answer takes the student's place. It is named as itself, or as something that gives the same with other
          numbers ("equal"); "in numbers" if only the student's factors are told; "raises" if it returns nothing, so that its exception
          is told; else it is unnamed, or wrongly named.
written   every misconception's own code. It must be named as itself.
natural   the mistakes of `bench/natural.py`, as students write them. Right is what their author expects to be said.
no idea   right work in all styles of `tests/fairness/`, as it is and with a fault that has nothing to do with the lesson. Nothing may
          be named.

`--every N` takes each Nth planted one: all of them take some minutes. A wrong name makes the command exit with status 1. All of it
happens in this process: the code is the course's own.
"""

from __future__ import annotations

import re
import sys
import types
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from autograder.course.loading import read_course
from autograder.course.model import Exercise, Idea
from autograder.grading.attempt import PUBLIC, Materials, load_materials
from autograder.grading.checks import Transcript, executed_by, run, seed_of
from autograder.grading.comparison import difference
from autograder.grading.reference import mapped
from autograder.grading.sketch import calls_about
from bench.natural import KNOWN, LATER, MORE
from tests.autograder.learner.conftest import RIGHT
from tests.in_process import judged_source

ROOT = Path(__file__).parent.parent
FAIR = ROOT / "tests" / "fairness"
OTHER = b"other numbers"
COLUMNS = ("itself", "equal", "in numbers", "raises", "unnamed", "wrong")

Function = Callable[..., Any]


def executed(materials: Materials, functions: Mapping[str, Function], of: str, secret: bytes) -> dict[str, Transcript]:
    """Run the checks of a function with other functions in the student's place."""
    player, exercise = executed_by(lambda name: functions.get(name) or materials.answers.function(name)), materials.exercise.id
    checks = [check for check in materials.checks if check.of == of]
    return {check.id: run(check, player, materials.answers, seed_of(secret, exercise, check.id)) for check in checks}


def told(materials: Materials, of: str, runs: Mapping[str, Transcript]) -> tuple[Idea | None, bool]:
    """Return the idea that explains what a function gave with the published numbers, and whether it explains all."""
    seeds = {check.id: seed_of(PUBLIC, materials.exercise.id, check.id) for check in materials.checks}
    cause = materials.diagnosis.written(of, runs, seeds)
    if not cause.idea:
        cause = materials.diagnosis.unwritten(of, runs, seeds)
    return cause.idea, not cause.partly


def planted(materials: Materials, every: int, complain: Callable[[str], None]) -> Counter[str]:
    """Count what is told of rewrites that stand in the student's place."""
    found: Counter[str] = Counter()
    for of in dict.fromkeys(one.of for one in materials.misconceptions):
        for rewrite in materials.diagnosis.reruns.candidates(of)[::every]:
            runs = executed(materials, {of: rewrite.function}, of, PUBLIC)
            if all(one.passed for one in runs.values()):
                continue  # it is right
            idea, whole = told(materials, of, runs)
            kind = verdict(materials, of, rewrite, idea, whole) if returned(of, runs) else "raises"
            found[kind] += 1
            if kind == "wrong":
                complain(f"planted in {of}: {rewrite.said}\n    told: {idea.sentence if idea else ''}")
    return found


def returned(of: str, runs: Mapping[str, Transcript]) -> bool:
    """Whether a function returned anything. Else its exception is told, and its line."""
    return any(call.outcome.kind == "returned" for transcript in runs.values() for call in calls_about(transcript, of))


def verdict(materials: Materials, of: str, rewrite: Any, idea: Idea | None, whole: bool) -> str:
    """Judge what was told of a rewrite."""
    if not idea:
        return "unnamed"
    if all(words in idea.sentence for words, _ in rewrite.said):
        return "itself"
    if idea.kind == "coefficients":
        return "equal" if whole else "in numbers"  # the reading is computed from all values of all calls, and leaves none
    named = [one.function for one in materials.misconceptions if one.of == of and one.sentence == idea.sentence]
    others = materials.diagnosis.reruns.candidates(of) if idea.kind == "rewrite" else []
    named += [one.function for one in others if all(words in idea.sentence for words, _ in one.said)]
    return "equal" if any(same(materials, of, rewrite.function, one) for one in named) else "wrong"


def same(materials: Materials, of: str, one: Function, other: Function) -> bool:
    """Whether two functions give the same in the checks of `of`, with numbers that neither was compared with before."""
    runs = [executed(materials, {of: function}, of, OTHER) for function in (one, other)]
    for name, transcript in runs[0].items():
        pairs = zip(calls_about(transcript, of), calls_about(runs[1][name], of), strict=False)
        ended = [(a.outcome, b.outcome) for a, b in pairs]
        if any(a.kind != b.kind or difference(a.value, b.value, 1e-4, 1e-3, nan_equal=True) for a, b in ended):
            return False
    return True


def written(materials: Materials, every: int, complain: Callable[[str], None]) -> Counter[str]:
    """Count what is told of the misconceptions' own code."""
    found: Counter[str] = Counter()
    for one in materials.misconceptions[::every]:
        idea, _ = told(materials, one.of, executed(materials, {one.of: one.function}, one.of, PUBLIC))
        kind = "unnamed" if not idea else "itself" if idea.sentence == one.sentence else "wrong"
        found[kind] += 1
        if kind != "itself":
            complain(f"written {one.id}: {kind}: {idea.sentence if idea else ''}")
    return found


def natural(materials: Materials, every: int, complain: Callable[[str], None]) -> Counter[str]:
    """Count what is told of natural mistakes: an idea, or what a check demands."""
    found: Counter[str] = Counter()
    for name, one in [*{**KNOWN, **MORE, **LATER}.items()][::every]:
        if one.exercise != materials.exercise.id:
            continue
        checks = judged_source(materials, right(materials.exercise, one.style) + one.source).checks
        ideas = [check.diagnosis for check in checks if check.diagnosis]
        demands = [check.message for check in checks if check.outcome == "failed" and not check.diagnosis and " gave " not in check.message]
        said = " ".join([*dict.fromkeys(idea.sentence for idea in ideas), *demands])
        named = [idea for idea in ideas if idea.kind != "coefficients" or " was expected: " not in idea.sentence]
        kind = "itself" if re.search(one.idea, said) else "wrong" if named else "in numbers" if ideas else "unnamed"
        found[kind] += 1
        if kind != "itself":
            complain(f"{name}: {kind}, expected {one.idea!r}\n    told: {said}")
    return found


def right(exercise: Exercise, style: str) -> str:
    """Return a right file: of this style, or a plain forward.py."""
    return (FAIR / exercise.lesson / exercise.id / f"{style}.py").read_text(encoding="utf-8") if style else RIGHT


# ---- what has nothing to do with the lesson


def _on_numbers(change: Callable[[np.ndarray[Any, Any]], Any]) -> Callable[[Function], Function]:
    """Make a fault that changes every array that a function returns."""

    def leaf(item: Any) -> Any:
        if not hasattr(item, "shape") or not len(getattr(item, "shape", ())):
            return item
        made = change(np.asarray(item.detach() if hasattr(item, "detach") else item, np.float64))
        return torch.as_tensor(made, dtype=item.dtype) if isinstance(item, torch.Tensor) else made

    return lambda function: lambda *args, **kwargs: mapped(function(*args, **kwargs), leaf)


def _raises(function: Function) -> Function:
    def fails(*args: Any, **kwargs: Any) -> Any:
        raise KeyError("x")

    return fails


FAULTS: dict[str, Callable[[Function], Function]] = {
    "a wave is added": _on_numbers(lambda x: x + 0.05 * np.sin(3 + 7 * np.arange(x.size)).reshape(x.shape)),
    "sin(3x)": _on_numbers(lambda x: np.sin(3 * x)),
    "one entry differs": _on_numbers(lambda x: x + 0.7 * (np.arange(x.size) == x.size // 2).reshape(x.shape)),
    "rounded": _on_numbers(lambda x: np.round(x, 1)),
    "all values are 0.37": _on_numbers(lambda x: np.full(x.shape, 0.37)),
    "it raises": _raises,
    "None": lambda function: lambda *args, **kwargs: None,
}


def no_idea(materials: Materials, every: int, complain: Callable[[str], None]) -> Counter[str]:
    """Count what is told of right work in all styles, as it is and with unrelated faults."""
    found: Counter[str] = Counter()
    for path in sorted((FAIR / materials.exercise.lesson / materials.exercise.id).glob("*.py"))[::every]:
        source = path.read_text(encoding="utf-8")
        checks = judged_source(materials, source).checks
        found["unnamed" if not any(check.diagnosis for check in checks) else "wrong"] += 1
        module = types.ModuleType("student")
        exec(compile(source, str(path), "exec"), module.__dict__)
        for of in dict.fromkeys(one.of for one in materials.misconceptions):
            for name, fault in FAULTS.items():
                runs = executed(materials, {of: fault(getattr(module, of))}, of, PUBLIC)
                if all(one.passed for one in runs.values()):
                    continue
                idea, whole = told(materials, of, runs)
                named = idea and (idea.kind != "coefficients" or whole)
                found["wrong" if named else "in numbers" if idea else "unnamed"] += 1
                if named:
                    complain(f"{path.name}, {of}: {name}\n    told: {idea.sentence}")
    return found


KINDS = {"planted": planted, "written": written, "natural": natural, "no idea": no_idea}


def rows(exercises: list[Exercise], every: int) -> Iterator[tuple[str, str, Counter[str], list[str]]]:
    """Yield what is told, by kind and exercise, with what is worth a look."""
    load = cache(load_materials)
    for exercise in exercises:
        for kind, count in KINDS.items():
            if exercise.id == "train" and kind != "written":
                continue  # its numbers identify nothing
            complaints: list[str] = []
            yield kind, exercise.id, count(load(exercise), every if kind == "planted" else 1, complaints.append), complaints


@click.command(help=__doc__)
@click.option("--every", default=1, help="Take each Nth planted rewrite.")
@click.argument("exercises", nargs=-1)
def main(every: int, exercises: tuple[str, ...]) -> None:
    """Print a table, and what is worth a look."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # of values that only a wrong answer gives
    wanted = [one for lesson in read_course(ROOT).lessons for one in lesson.exercises if not exercises or one.id in exercises]
    print(f"| submissions | exercise | {' | '.join(COLUMNS)} |\n|---|---|{'---:|' * len(COLUMNS)}")
    totals: dict[str, Counter[str]] = {}
    notes = []
    for kind, exercise, found, complaints in rows(wanted, every):
        totals.setdefault(kind, Counter()).update(found)
        notes += [f"{exercise}: {one}" for one in complaints]
        print(f"| {kind} | {exercise} | {' | '.join(str(found[one]) for one in COLUMNS)} |", flush=True)
    for kind, found in totals.items():
        print(f"| {kind} | all | {' | '.join(str(found[one]) for one in COLUMNS)} |")
    print("", *notes, sep="\n")
    sys.exit(any(found["wrong"] for found in totals.values()))


if __name__ == "__main__":
    main(prog_name="python -m bench.diagnosis")
