"""Hints open by attempt: one more for each version of a function that was checked and did not pass. Nothing is taken for it."""

from __future__ import annotations

import difflib
from typing import Any

import msgspec

from autograder.content.hints import read_hints
from autograder.errors import UsageError
from autograder.model import CheckResult
from autograder.workspace.checking import Checked
from autograder.workspace.places import Workspace, exercise_named, names_of
from autograder.workspace.state import State


class Opened(msgspec.Struct, frozen=True):
    """The hints of one function: those that are open, how many there are, and how many attempts opened them."""

    function: str
    hints: tuple[str, ...]
    of: int
    attempts: int


def remember(state: State, checked: Checked) -> None:
    """Write down what a check of a file came to; hints, progress and the manifest are made of it."""
    if checked.checks:
        state.add(
            "check",
            checked.exercise,
            sha256=checked.sha256,
            score=checked.score,
            max_score=checked.max_score,
            passed=checked.passed,
            checks=len(checked.checks),
            failing=list(checked.failing),
            unwritten=list(checked.unwritten),
            untouched=bool(checked.problem),
            slips=sorted({check.misconception for check in checked.checks if check.misconception}),
            results=msgspec.to_builtins(checked.checks),
        )


def results_of(facts: dict[str, Any]) -> tuple[CheckResult, ...]:
    """Give what a check said, check by check, from what was written down of it; nothing where an earlier version wrote it."""
    return msgspec.convert(facts.get("results", ()), tuple[CheckResult, ...])


def hints(workspace: Workspace, state: State, file: str, function: str | None = None) -> Opened | None:
    """Open the hints of a function, by default of the first that was written and does not pass. None where all of the file passes.

    Raise `UsageError` where nothing was attempted yet, or there is no such function.
    """
    exercise = exercise_named(workspace, file)
    known = read_hints(workspace.root, workspace.lesson.id)
    if exercise not in known:
        fix = "practise instead: `course practice` shows the working after each answer"
        raise UsageError(f"there are no hints for {names_of(exercise)[0]}", fix)
    functions, tries = known[exercise].functions, [event.facts for event in state.events("check", exercise)]
    failing = tries[-1]["failing"] if tries else list(functions)
    worked_on = [name for name in failing if not tries or name not in tries[-1]["unwritten"]]
    chosen = function or next(iter(worked_on or failing), None)
    if chosen is None:
        return None
    if chosen not in functions:
        near = difflib.get_close_matches(chosen, functions, 1)
        fix = f"did you mean `{near[0]}`?" if near else f"take one of {', '.join(functions)}"
        raise UsageError(f"{exercise} has no function `{chosen}`", fix)
    tried = [one for one in tries if chosen in one["failing"] and chosen not in one["unwritten"] and not one["untouched"]]
    attempts = len({one["sha256"] for one in tried})
    opened = Opened(chosen, functions[chosen][:attempts], len(functions[chosen]), attempts)
    if opened.hints:
        state.add("hint", f"{exercise}.{chosen}", level=len(opened.hints))
    return opened
