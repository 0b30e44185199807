"""The lesson and its map for the terminal: `course read` and `course map` print what these return."""

from __future__ import annotations

import re

from rich.table import Table
from rich.text import Text

from autograder.content.typed import meant
from autograder.errors import UsageError
from autograder.formulas import formulas_in_unicode
from autograder.lint import COLUMNS, Sight, coverage
from autograder.model import Lesson, Section

_COMMENT = re.compile(r"^[ \t]*<!--(?:(?!-->).)*-->\n|<!--(?:(?!-->).)*-->", re.DOTALL | re.MULTILINE)
FOLDED = re.compile(r"<details><summary>(?P<question>.*?)</summary>\s*(?P<answer>.*?)\s*</details>", re.DOTALL)


def for_terminal(lesson: Lesson, section: str | None = None) -> str:
    """Return the lesson, or one section, as Markdown that a terminal can show: formulas as Unicode, no comments.

    Raises UsageError where there is no such section.
    """
    text = lesson.text if section is None else _cut(lesson, section)
    text = uncommented(text)
    text = re.sub(r"!\[([^\]]*)\]\([^)]*\)", r"*Picture: \1*", text)
    text = FOLDED.sub(lambda folded: f"**{folded['question']}**\n\n> {folded['answer'].replace(chr(10), chr(10) + '> ')}", text)
    text = re.sub(r"^(#+ .*?) *\{#[^}]*\} *$", r"\1", text, flags=re.MULTILINE)
    return formulas_in_unicode(text).strip() + "\n"


def uncommented(text: str) -> str:
    """Return the text as it is read: without what computes its numbers, and without other comments."""
    return _COMMENT.sub("", text)


def map_table(sight: Sight) -> Table:
    """Return the map of a lesson: below each objective what it has, what it has none of marked."""
    table, texts = Table.grid(padding=(0, 2, 0, 0)), {objective.id: objective.text for objective in sight.lesson.objectives}
    for objective, row in coverage(sight).items():
        table.add_row(Text(objective, "bold"), Text(texts[objective], "bold"))
        for column in COLUMNS:
            table.add_row(f"  {column}", _cell(column, row[column]))
    return table


def _cell(column: str, ids: tuple[str, ...]) -> Text:
    if not ids:
        return Text("none", "red")
    return Text(str(len(ids)) if column == "cards" else ", ".join(ids))


def _cut(lesson: Lesson, section: str) -> str:
    known = {each.id: place for place, each in enumerate(lesson.sections)}
    if section not in known:
        raise UsageError(f"there is no section `{section}` in {lesson.id}", meant(section, known, f"take one of {', '.join(known)}"))
    lines, following = lesson.text.split("\n"), lesson.sections[known[section] + 1 :]
    end: Section | None = following[0] if following else None
    return "\n".join(lines[lesson.sections[known[section]].line - 1 : end.line - 1 if end else None])
