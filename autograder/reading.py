"""The lesson and its map for the terminal: `course read` and `course map` print what these return."""

from __future__ import annotations

import re

from rich.table import Table

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
    """Return the map of a lesson as a table: what each objective has in each column, an empty cell marked."""
    table = Table(title=f"{sight.lesson.id}: {sight.lesson.title}", show_lines=True)
    table.add_column("objective", style="bold")
    for column in COLUMNS:
        table.add_column(column, overflow="fold")
    for objective, row in coverage(sight).items():
        table.add_row(objective, *(_cell(column, row[column]) for column in COLUMNS))
    return table


def _cell(column: str, ids: tuple[str, ...]) -> str:
    if not ids:
        return "[red]none[/red]"
    return str(len(ids)) if column == "cards" else (" " if column == "slips" else "\n").join(ids)


def _cut(lesson: Lesson, section: str) -> str:
    known = {each.id: place for place, each in enumerate(lesson.sections)}
    if section not in known:
        raise UsageError(f"there is no section `{section}` in {lesson.id}", meant(section, known, f"take one of {', '.join(known)}"))
    lines, following = lesson.text.split("\n"), lesson.sections[known[section] + 1 :]
    end: Section | None = following[0] if following else None
    return "\n".join(lines[lesson.sections[known[section]].line - 1 : end.line - 1 if end else None])
