"""The lesson as a terminal shows it: passages of Markdown with formulas as Unicode, answers apart, and mistakes as footnotes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from autograder.course.errors import UsageError
from autograder.course.lesson_text import prediction, warned_of
from autograder.course.schema import did_you_mean
from autograder.course.text import FOLDED, formulas_in_unicode, uncommented

if TYPE_CHECKING:
    from autograder.course.model import Lesson
    from autograder.learner.progress import Work

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Passage(NamedTuple):
    """A part of a lesson's text as Markdown that a terminal can show, and the section it belongs to: formulas as Unicode, no comments."""

    section: str | None
    text: str
    is_answer: bool = False  # to the question that the passage before it ends with


def passages(
    lesson: Lesson, section: str | None = None, after: Mapping[str, Work] | None = None, notes: Mapping[str, str] | None = None
) -> Iterator[Passage]:
    """Yield the passages of a lesson, or of one section, in their order; of the appendix only what can be read there.

    `after` says what to do after a section, by its id; `notes` are Markdown for a misconception, by its id: the section's footnotes.
    Raise `UsageError` if there is no such section.
    """
    known = {each.id: place for place, each in enumerate(lesson.sections)}
    if section is not None and section not in known:
        raise UsageError(f"there is no section `{section}` in {lesson.id}", did_you_mean(section, known, f"take one of {', '.join(known)}"))
    wanted = [None, *(each.id for each in lesson.main)] if section is None else [section]
    for name, raw in _by_section(lesson):
        if name in wanted:
            raw, footnotes = _footnoted(raw, notes or {})
            text, at = _readable(raw), 0
            for folded in FOLDED.finditer(text):
                told = prediction(folded)
                yield Passage(name, text[at : folded.start()] + told.asked)
                yield Passage(name, "> " + told.told.replace("\n", "\n> "), is_answer=True)
                at = folded.end()
            yield Passage(name, text[at:].strip())
            if footnotes:
                yield Passage(name, _readable(footnotes))
            if work := (after or {}).get(name or ""):
                yield Passage(name, work_line(work))
    if section is None and (appendix := [each for each in lesson.sections if each.appendix]):
        yield Passage(None, "\n".join(["**Appendix**\n", *(f"- {each.title}: `course read {each.id}`" for each in appendix)]))


def _footnoted(text: str, notes: Mapping[str, str]) -> tuple[str, str]:
    """Number the paragraphs that warn of a misconception; return the text, and the footnotes as a list."""
    paragraphs, told = text.split("\n\n"), list[str]()
    for place, paragraph in enumerate(paragraphs):
        for name in warned_of(paragraph):
            if name in notes:
                told.append(f"{len(told) + 1}. *Mistake, {name.replace('-', ' ').replace('_', ' ')}:* {notes[name]}")
                paragraphs[place] = f"{paragraphs[place].rstrip()} {str(len(told)).translate(_RAISED)}"
    return "\n\n".join(paragraphs), "\n".join(told)


def work_line(work: Work) -> str:
    """Say in a line of Markdown what to do after a section."""
    question = f"`course practice {work.question.id}`" if work.question else ""
    cards = f"{work.cards} card{'s' * (work.cards != 1)} in `course review`" if work.cards else ""
    return f"**Now you:** {', '.join(filter(None, (question, *(f'`course check {one}.py`' for one in work.exercises), cards)))}"


def warnings(lesson: Lesson) -> dict[str, Passage]:
    """Return the paragraph in which the text warns of a misconception, for each of them by its id."""
    found: dict[str, Passage] = {}
    for section, text in _by_section(lesson):
        for paragraph in text.split("\n\n"):
            found = {one: Passage(section, _readable(paragraph).strip()) for one in warned_of(paragraph)} | found
    return found


def _by_section(lesson: Lesson) -> Iterator[tuple[str | None, str]]:
    """Yield what precedes the first section, and then each section with its id, as they are written."""
    lines, starts = lesson.text.split("\n"), [0, *(each.line - 1 for each in lesson.sections), None]
    for name, first, end in zip((None, *(each.id for each in lesson.sections)), starts, starts[1:], strict=False):
        yield name, "\n".join(lines[first:end])


def _readable(text: str) -> str:
    text = re.sub(r"!\[([^\]]*)\]\([^)]*\)", r"*Image: \1*", uncommented(text))
    return formulas_in_unicode(re.sub(r"^(#+ .*?) *\{#[^}]*\} *$", r"\1", text, flags=re.MULTILINE))


def for_terminal(
    lesson: Lesson, section: str | None = None, after: Mapping[str, Work] | None = None, notes: Mapping[str, str] | None = None
) -> str:
    """Return the lesson, or one section, with its answers unfolded, as Markdown that a terminal can show.

    Raise `UsageError` if there is no such section.
    """
    return "\n\n".join(text for passage in passages(lesson, section, after, notes) if (text := passage.text.strip())) + "\n"
