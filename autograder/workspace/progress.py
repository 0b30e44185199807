"""How far a student is, objective by objective: read, practised, checked, and the cards that are due."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from autograder.content.hints import read_hints
from autograder.workspace.places import Workspace
from autograder.workspace.practising import mastered
from autograder.workspace.state import State


class Part(msgspec.Struct, frozen=True):
    """How many of how many are done, and the first that is not."""

    done: int
    of: int
    following: str = ""


class Standing(msgspec.Struct, frozen=True):
    """Where a student stands with one objective. `due` is None where no cards are kept."""

    objective: str
    text: str
    read: Part
    practised: Part
    checked: Part
    due: int | None


def standings(workspace: Workspace, state: State, due: Callable[[str], int] | None = None) -> tuple[Standing, ...]:
    """Count for each objective; `due` tells how many of its cards are due now."""
    lesson = workspace.lesson
    seen = {event.subject for event in state.events("read")}
    sections = {section.id for section in lesson.sections} if lesson.id in seen else seen
    passed = {event.subject: event.facts["passed"] == event.facts["checks"] for event in state.events("check")}
    helps = read_hints(workspace.root, lesson.id)
    found = []
    for objective in lesson.objectives:
        own = [question for question in lesson.questions if question.objective == objective.id]
        used = {card.section for card in lesson.cards if card.objective == objective.id} | {question.section for question in own}
        exercises = [one.id for one in lesson.exercises if one.id in helps and objective.id in helps[one.id].objectives]
        found.append(
            Standing(
                objective.id,
                objective.text,
                _part([section.id for section in lesson.sections if section.id in used], sections),
                _part([question.id for question in own], {question.id for question in own if mastered(state, question)}),
                _part(exercises, {exercise for exercise, whole in passed.items() if whole}),
                due(objective.id) if due else None,
            )
        )
    return tuple(found)


def _part(wanted: list[str], done: set[str]) -> Part:
    left = [one for one in wanted if one not in done]
    return Part(len(wanted) - len(left), len(wanted), left[0] if left else "")


def advice(found: tuple[Standing, ...]) -> str:
    """Name the next command: read before practising, practise before writing."""
    for standing in found:
        if standing.read.following:
            return f"course read {standing.read.following}"
        if standing.practised.following:
            return f"course practice {standing.practised.following}"
        if standing.checked.following:
            return f"course check {standing.checked.following}.py"
    return "course submit"
