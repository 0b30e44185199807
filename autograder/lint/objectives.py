"""The map: each objective against what teaches, asks, exercises and brings it back."""

from __future__ import annotations

from collections.abc import Iterator

from autograder.errors import Finding
from autograder.lint.sight import Sight

COLUMNS = ("sections", "questions", "exercises", "cards", "slips")

_FIXES = {
    "sections": "point a card or a question of it to a section",
    "questions": "ask a question with this objective",
    "exercises": "name it among an exercise's objectives in hints.yaml",
    "cards": "write a card with this objective",
    "slips": "tag a card of it with a slip, like M01",
}


def coverage(sight: Sight) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return for each objective the ids in each column. Which an exercise serves stands in `hints.yaml`."""
    return {objective.id: _row(sight, objective.id) for objective in sight.lesson.objectives}


def _row(sight: Sight, objective: str) -> dict[str, tuple[str, ...]]:
    lesson = sight.lesson
    cards = [card for card in lesson.cards if card.objective == objective]
    questions = [question for question in lesson.questions if question.objective == objective]
    used = {card.section for card in cards} | {question.section for question in questions}
    return {
        "sections": tuple(section.id for section in lesson.sections if section.id in used),
        "questions": tuple(question.id for question in questions),
        "exercises": tuple(name for name, help in sight.helps.items() if objective in help.objectives),
        "cards": tuple(card.id for card in cards),
        "slips": tuple(sorted({tag for card in cards for tag in card.tags})),
    }


def empty_cells(sight: Sight) -> Iterator[Finding]:
    lines = {objective.id: objective.line for objective in sight.lesson.objectives}
    for objective, row in coverage(sight).items():
        for column in COLUMNS:
            if not row[column]:
                yield Finding(sight.text, lines[objective], f"objective `{objective}` has no {column}", _FIXES[column])
