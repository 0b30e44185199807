"""A lesson as a page has it: an introduction, and section by section, with what there is to play with in its places."""

from __future__ import annotations

from msgspec import Struct

from autograder.model import Lesson
from autograder.site.text import Prose


class Part(Struct, frozen=True):
    """One section: its id, its title as HTML, and its text as HTML."""

    id: str
    title: str
    html: str


class Reading(Struct, frozen=True):
    """A lesson as HTML."""

    introduction: str
    parts: tuple[Part, ...]
    objectives: tuple[str, ...]


def reading(lesson: Lesson, prose: Prose) -> Reading:
    """Turn a lesson's text into HTML."""
    lines = lesson.text.split("\n")
    starts = [section.line for section in lesson.sections]
    ends = [*(line - 1 for line in starts[1:]), len(lines)]
    parts = tuple(
        Part(section.id, prose.line(section.title), prose.blocks("\n".join(lines[section.line : end])))
        for section, end in zip(lesson.sections, ends, strict=True)
    )
    introduction = "\n".join(lines[: starts[0] - 1] if starts else lines)
    return Reading(prose.blocks(introduction), parts, tuple(prose.line(objective.text) for objective in lesson.objectives))
