"""Rules for images: each is described, and exists in a light and a dark version."""

import re
from collections.abc import Iterator
from pathlib import Path

from autograder.author.lint.context import LintContext
from autograder.author.lint.lesson import CODE, IMAGE, blanked, line_of
from autograder.course.errors import Finding
from autograder.course.loading import read_widgets


def in_text(context: LintContext) -> Iterator[Finding]:
    text = blanked(CODE, context.lesson.text)
    for match in IMAGE.finditer(text):
        line = line_of(text, match.start())
        yield from faults(context, match, "", context.text, line, "draw it with the reference implementation's `figures`")


def on_cards(context: LintContext) -> Iterator[Finding]:
    for card in context.lesson.cards:
        for match in IMAGE.finditer("\n".join((card.front, card.back, card.cloze))):
            yield from faults(context, match, f"card `{card.id}`: ", context.cards, card.line)


def for_widgets(context: LintContext) -> Iterator[Finding]:
    file = context.text.parent / "widgets" / "widgets.yaml"
    for name, widget in read_widgets(context.root, context.lesson.id).items():
        for match in IMAGE.finditer(widget.figure):
            yield from faults(context, match, f"widget `{name}`: ", file, None)


def faults(
    context: LintContext, match: re.Match[str], owner: str, file: Path, line: int | None, fix: str = "name a file of `figures/`"
) -> Iterator[Finding]:
    path = match["path"]
    if not match["alt"].strip():
        yield Finding(file, line, f"{owner}the image `{path}` has no alt text", "describe in the brackets what it shows")
    for needed in dict.fromkeys([path, path.replace("-light.", "-dark.")]):
        name, _, part = needed.partition("#")
        image = context.root / context.text.parent / name
        if not image.is_file():
            yield Finding(file, line, f"{owner}there is no image `{name}`", fix)
        elif part and f'<view id="{part}"' not in image.read_text(encoding="utf-8"):
            yield Finding(file, line, f"{owner}the image `{name}` has no view `{part}`", "name one that it has, or all of the image")
