"""Rules for `lesson.md`: numbers are computed, it is short, and links and warnings point somewhere."""

import math
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autograder.author.lint.context import LintContext
from autograder.course.errors import Finding, raised_in
from autograder.course.expressions import evaluate
from autograder.course.glossary import read_glossary, symbols_in
from autograder.course.lesson_text import RANGE
from autograder.course.loading import PLACED, read_widgets
from autograder.course.model import Lesson
from autograder.course.schema import did_you_mean
from autograder.course.text import WARNING, uncommented

_LITERAL = r"[-−+]?[0-9][0-9,]*(?:\.[0-9]+)?(?:[eE][-+−]?[0-9]+)?"
_COMPUTED = re.compile(rf"(?P<literal>{_LITERAL})?(?P<between>[$*_ %]{{0,4}})<!--= *(?P<expression>.*?) *-->", re.DOTALL)
_TABLE = re.compile(r"<!-- table: *(?P<expression>.*?) *-->\n(?P<rows>(?: *\|.*(?:\n|$))*)")
_BARE = re.compile(r"(?<![\w.,/:-])[0-9]+\.[0-9]+(?![\w/]|\.[0-9])")
_PAPER = re.compile(r"[0-9]{4}\.[0-9]{4,5}")
_UNREAD = re.compile(r"```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$|<!--.*?-->|\]\([^)]*\)", re.DOTALL)
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_PYTHON = re.compile(r"```python\n(?P<code>.*?)```", re.DOTALL)
IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<path>[^)\s]*)\)")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(#(?P<id>[^)]*)\)")
_CAPTION = re.compile(r"(?<=\)\n\n)\*(?!\*)[^\n]+\*$", re.MULTILINE)  # an italic paragraph below an image
_MATHS = re.compile(r"\$\$.*?\$\$|\$[^$\n]*\$", re.DOTALL)
_ITEM = re.compile(r" *(?:[-*]|[0-9]+\.) |\|")  # a list's item, or a table's row
_COUNTED = "images|pixels|steps|samples|examples|points|numbers|values|units|words|tokens|weights|parameters|classes|times|of"
_CLAIM = re.compile(
    r"(?:\(|\b(?:in|since|of|from|until|by|before|after|around|later)\s+)(?:1[4-9]|20)[0-9]{2}\b"
    rf"(?! *[-×·*/+=−]|[.,][0-9]| (?:{_COUNTED})\b)"
    r"|[0-9] *(?:%|per cent\b|percent\b)\s+of\b|\bet al\b|\b[A-Z][\w-]+ and others\b|\b[A-Z][\w-]*['’]s (?:paper|study)\b"
)
_SOURCE = re.compile(r"<!-- *source: *[^ ]|arXiv:|https?://|\bdoi:")
PACE = 220  # words a minute
SECONDS_OF_FORMULA, SECONDS_OF_FIGURE = 20, 15
MOST_WORDS, MOST_FORMULAS = 2_900, 9


def computed(context: LintContext) -> Iterator[Finding]:
    yield from claims(context, context.lesson.text, context.text)


def claims(context: LintContext, text: str, file: Path, first: int = 1) -> Iterator[Finding]:
    """Find numbers that are not what they are said to be, in a text that begins in this line of a file."""
    text = blanked(CODE, text)
    for match in _COMPUTED.finditer(text):
        line = line_of(text, match.start("expression")) + first - 1
        value = value_of(match["expression"], context, line, file)
        if isinstance(value, Finding) or match["literal"] is None:
            fix = "write the number right before it"
            yield value if isinstance(value, Finding) else Finding(file, line, "this expression has no number in front of it", fix)
        elif not is_number(value):
            yield Finding(file, line, f"`{match['expression']}` is no number", "write an expression that gives one")
        elif not agrees(match["literal"], value):
            problem = f"the text says {match['literal']}, and `{match['expression']}` is {_written(value, match['literal'])}"
            yield Finding(file, line, problem, f"write {_written(value, match['literal'])}, or mend the expression")


def tables(context: LintContext) -> Iterator[Finding]:
    text = context.lesson.text
    for match in _TABLE.finditer(text):
        first = line_of(text, match.start("rows")) + 2
        rows = value_of(match["expression"], context, first - 3)
        cells = [[cell.strip(" *") for cell in row.strip().strip("|").split("|")] for row in match["rows"].splitlines()[2:]]
        if isinstance(rows, Finding):
            yield rows
        elif not _is_table(rows):
            fix = "write an expression that gives a list of rows, each a list of numbers and texts"
            yield Finding(context.text, first - 3, f"`{match['expression']}` is no table", fix)
        elif len(cells) != len(rows):
            problem = f"rows of the table: {len(cells)}, and of `{match['expression']}`: {len(rows)}"
            yield Finding(context.text, first, problem, "write them all")
        else:
            for line, (written, row) in enumerate(zip(cells, rows, strict=True), first):
                yield from _row(context, line, written, list(row))


def bare_numbers(context: LintContext) -> Iterator[Finding]:
    yield from uncomputed(context.lesson.text, context.text)


def uncomputed(text: str, file: Path, first: int = 1) -> Iterator[Finding]:
    for pattern in (_TABLE, _COMPUTED, _UNREAD):  # in this order: comments mark computed numbers until they are blanked
        text = blanked(pattern, text)
    for match in _BARE.finditer(text):
        if len(match[0].replace(".", "").lstrip("0")) >= 3 and not _PAPER.fullmatch(match[0]):
            fix = f"write {match[0]}<!--= EXPRESSION -->, or round it to two digits"
            yield Finding(file, line_of(text, match.start()) + first - 1, f"nothing computes {match[0]}", fix)


def code(context: LintContext) -> Iterator[Finding]:
    """Find Python that does not run. What is above a block is defined in it, and what expressions may use."""
    names = dict(context.names)
    for match in _PYTHON.finditer(context.lesson.text):
        lines = "\n" * (line_of(context.lesson.text, match.start("code")) - 1)
        try:
            exec(compile(lines + match["code"], str(context.text), "exec"), names)
        except Exception as error:
            yield raised_in(context.text, error, "this code does not run")


class Length(NamedTuple):
    """What there is to read in the main text of a lesson: all but its appendix."""

    words: int
    formulas: int  # displayed ones
    figures: int

    @property
    def minutes(self) -> float:
        return self.words / PACE + (self.formulas * SECONDS_OF_FORMULA + self.figures * SECONDS_OF_FIGURE) / 60

    def __str__(self) -> str:
        parts = (self.words, "word"), (self.formulas, "displayed formula"), (self.figures, "figure")
        return ", ".join(f"{count} {noun}{'s' * (count != 1)}" for count, noun in parts)


def length_of(lesson: Lesson) -> Length:
    """Count what is read; a formula in a line is a word, comments, code, and marks of headings, links and answers are none.

    The time that a figure takes is its caption's, too."""
    lines = lesson.text.split("\n")
    starts = [section.line - 1 for section in lesson.sections]
    for section, first, end in zip(lesson.sections, starts, [*starts, len(lines)][1:], strict=True):
        if section.appendix:
            lines[first:end] = [""] * (end - first)
    text = uncommented(blanked(CODE, "\n".join(lines)))
    figures, formulas = len(IMAGE.findall(text)), text.count("$$") // 2
    text = _MATHS.sub(lambda match: " " if match[0].startswith("$$") else "x", IMAGE.sub("", _CAPTION.sub("", text)))
    text = re.sub(rf"</?(?:details|summary)>|Predict first:|(?<=\*\*){RANGE}|- \[[ xX]\]|\]\([^)]*\)|\{{#[^}}]*\}}", " ", text)
    return Length(sum(any(map(str.isalnum, word)) for word in text.split()), formulas, figures)


def length(context: LintContext) -> Iterator[Finding]:
    lesson, found = context.lesson, length_of(context.lesson)
    fix = "move what is looked up into an appendix: `## Title {#id .appendix}`"
    if found.words > MOST_WORDS or found.formulas > MOST_FORMULAS:
        problem = f"the main text has {found}; at most {MOST_WORDS} words and {MOST_FORMULAS} formulas are a short lesson"
        yield Finding(context.text, None, problem, fix)
    if found.minutes - lesson.minutes > 1:  # less is no fault: there may be more to try than to read
        problem = f"the main text takes {found.minutes:.1f} minutes ({found}), and `minutes` is {lesson.minutes}"
        yield Finding(context.text, None, problem, f"write `minutes: {max(1, round(found.minutes))}`, or {fix}")


def sources(context: LintContext) -> Iterator[Finding]:
    """Find claims without a source, in a lesson that gives sources at all."""
    text = read = context.lesson.text
    if not _SOURCE.search(text):
        return
    for pattern in (_TABLE, _COMPUTED, _UNREAD):
        read = blanked(pattern, read)
    for first, end in _blocks(text.split("\n")):
        claim = _CLAIM.search("\n".join(read.split("\n")[first:end]))
        if claim and not _SOURCE.search("\n".join(text.split("\n")[first:end])):
            words = " ".join(claim[0].removeprefix("(").split())
            fix = "add a comment to this paragraph, item or row: `<!-- source: where it is said -->`"
            yield Finding(context.text, first + 1, f"`{words}` has no source", fix)


def _blocks(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the first line of each paragraph, list item and table row, counted from 0, and the line after it; no headings."""
    first: int | None = None
    for number, line in enumerate([*lines, ""]):
        if first is not None and (not line.strip() or _ITEM.match(line) or line.startswith("#")):
            yield first, number
            first = None
        if first is None and line.strip() and not line.startswith("#"):
            first = number


def links(context: LintContext) -> Iterator[Finding]:
    text, known = blanked(CODE, context.lesson.text), [section.id for section in context.lesson.sections]
    for match in _LINK.finditer(text):
        if match["id"] not in known:
            fix = did_you_mean(match["id"], known, f"link to one of {', '.join(known)}")
            yield Finding(context.text, line_of(text, match.start()), f"there is no section `{match['id']}`", fix)


def warnings(context: LintContext) -> Iterator[Finding]:
    text, met = blanked(CODE, context.lesson.text), context.computed | {wrong.misconception for _, wrong in context.wrongs}
    for match in WARNING.finditer(text):
        for name in re.split(r" *, *", match["ids"]):
            if name not in met:
                fix = did_you_mean(name, filter(None, met), "write its function, or a wrong choice that names it")
                yield Finding(context.text, line_of(text, match.start()), f"no student can meet the misconception `{name}`", fix)


def widgets(context: LintContext) -> Iterator[Finding]:
    known, placed = read_widgets(context.root, context.lesson.id), set()
    for match in PLACED.finditer(blanked(CODE, context.lesson.text)):
        placed.add(match["id"])
        if match["id"] not in known:
            fix = did_you_mean(match["id"], known, "describe it in widgets/widgets.yaml, or remove this line")
            yield Finding(context.text, line_of(context.lesson.text, match.start()), f"there is no widget `{match['id']}`", fix)
    for name in known.keys() - placed:
        fix = f"add a line `<!-- widget: {name} -->` where it belongs"
        yield Finding(context.text, None, f"the widget `{name}` is not placed in the text", fix)


def glossary(context: LintContext) -> Iterator[Finding]:
    text, known = uncommented(blanked(CODE, context.lesson.text)), read_glossary(context.root, context.lesson)
    used = {entry for formula in _MATHS.findall(text) for entry in symbols_in(formula, known)}
    for entry in known:
        if entry not in used and (entry.is_symbol or not entry.pattern.search(text)):
            fix = "write it as the text does, or remove it"
            yield Finding(context.text.with_name("glossary.yaml"), entry.line, f"`{entry.name}` does not occur in the text", fix)


def formulas(context: LintContext) -> Iterator[Finding]:
    text = blanked(CODE, context.lesson.text)
    for match in re.finditer(r"(?:[^\n]+\n?)+", text):
        if problem := unbalanced(match[0]):
            yield Finding(context.text, line_of(text, match.start()), f"in this paragraph {problem}", "close every formula and every brace")
    for card in context.lesson.cards:
        if problem := next(filter(None, map(unbalanced, (card.front, card.back, card.cloze))), ""):
            yield Finding(context.cards, card.line, f"card `{card.id}`: {problem}", "close every formula and every brace")


def unbalanced(text: str) -> str:
    """Describe what is left open in a paragraph's formulas, if anything."""
    text = text.replace(r"\$", "")
    if "$" in _MATHS.sub("", text):
        return "a `$` has no partner"
    for formula in _MATHS.findall(text):
        plain = formula.replace(r"\{", "").replace(r"\}", "")
        if plain.count("{") != plain.count("}"):
            return f"braces are left open in `{formula}`"
    return ""


def is_number(value: Any) -> bool:
    """Whether an expression gave one real number."""
    try:
        return not isinstance(value, str | bytes) and math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return False


def _is_table(rows: Any) -> bool:
    if not isinstance(rows, list | tuple | np.ndarray):
        return False
    return all(isinstance(row, list | tuple | np.ndarray) and all(isinstance(cell, str) or is_number(cell) for cell in row) for row in rows)


def agrees(literal: str, value: Any) -> bool:
    """Whether a number in the text equals the value, rounded to the written digits."""
    written = _decimal(literal)
    return abs(float(written) - float(value)) <= 0.5 * 10.0 ** int(written.as_tuple().exponent) * (1 + 1e-6)


def _decimal(literal: str) -> Decimal:
    return Decimal(literal.replace("−", "-").replace(",", ""))


def _written(value: Any, literal: str) -> str:
    """Format the value like the number in the text."""
    exponent = int(_decimal(literal).as_tuple().exponent)
    return f"{float(value):.{max(0, -exponent)}f}" if "e" not in literal.lower() else f"{float(value):.2e}"


def _row(context: LintContext, line: int, written: list[str], row: list[Any]) -> Iterator[Finding]:
    if len(written) != len(row):
        yield Finding(context.text, line, f"this row has {len(written)} cells, but the computed one has {len(row)}", "write every cell")
    for cell, value in zip(written, row, strict=False):
        number = re.fullmatch(rf"({_LITERAL}) *%?", cell)
        literal = number[1] if number and not isinstance(value, str) else ""
        if not (agrees(literal, value) if literal else cell == str(value)):
            right = _written(value, literal) if literal else str(value)
            yield Finding(context.text, line, f"the cell says {cell or 'nothing'}, but the computed value is {right}", f"write {right}")


def value_of(expression: str, context: LintContext, line: int, file: Path | None = None) -> Any:
    try:
        return evaluate(expression, context.names)
    except ValueError as error:
        return Finding(file or context.text, line, str(error), "fix it, or add the function's module to `reference`")


def blanked(pattern: re.Pattern[str], text: str) -> str:
    """Return the text with every match replaced by spaces, so that positions stay the same."""
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def line_of(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


COLUMNS = {  # of the map, each with how to fill an empty cell
    "sections": "let one of its cards or questions name a section",
    "questions": "write a question with this objective",
    "exercises": "add it to an exercise's objectives in hints.yaml",
    "cards": "write a card with this objective",
    "misconceptions": "tag one of its cards with a misconception's id",
}


def coverage(context: LintContext) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return the ids in each column for each objective. `hints.yaml` says which objectives an exercise serves."""
    lesson, rows = context.lesson, {}
    for objective in [one.id for one in lesson.objectives]:
        cards = [card for card in lesson.cards if card.objective == objective]
        questions = [question for question in lesson.questions if question.objective == objective]
        used = {card.section for card in cards} | {question.section for question in questions}
        rows[objective] = {
            "sections": tuple(section.id for section in lesson.sections if section.id in used),
            "questions": tuple(question.id for question in questions),
            "exercises": tuple(name for name, help in context.helps.items() if objective in help.objectives),
            "cards": tuple(card.id for card in cards),
            "misconceptions": tuple(sorted({tag for card in cards for tag in card.tags})),
        }
    return rows


def empty_cells(context: LintContext) -> Iterator[Finding]:
    lines = {objective.id: objective.line for objective in context.lesson.objectives}
    lesson, tagged = context.lesson, any(card.tags for card in context.lesson.cards)
    there = {"questions": lesson.questions, "exercises": context.helps, "cards": lesson.cards,
             "misconceptions": tagged or any(context.misconceptions.values())}  # fmt: skip
    for objective, row in coverage(context).items():
        for column, fix in COLUMNS.items():
            if not row[column] and there.get(column, lesson.cards or lesson.questions):
                yield Finding(context.text, lines[objective], f"objective `{objective}` has no {column}", fix)
