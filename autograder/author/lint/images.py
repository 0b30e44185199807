"""Rules for images: each is described, and exists in a light and a dark version."""

from collections.abc import Iterator
from pathlib import Path

from autograder.author.lint.context import LintContext
from autograder.author.lint.lesson import CODE, IMAGE, blanked, line_of
from autograder.course.errors import Finding
from autograder.course.loading import read_widgets


def in_text(context: LintContext) -> Iterator[Finding]:
    text, folder = context.lesson.text, context.root / context.text.parent
    for match in IMAGE.finditer(blanked(CODE, text)):
        line, path = line_of(text, match.start()), match["path"]
        if not match["alt"].strip():
            yield Finding(context.text, line, f"the image `{path}` has no alt text", "describe in the brackets what it shows")
        for needed in dict.fromkeys([path, path.replace("-light.", "-dark.")]):
            if not (folder / needed).is_file():
                yield Finding(context.text, line, f"there is no image `{needed}`", "draw it with the reference implementation's `figures`")


def on_cards(context: LintContext) -> Iterator[Finding]:
    for card in context.lesson.cards:
        yield from _images_of(context, f"card `{card.id}`", "\n".join((card.front, card.back, card.cloze)), context.cards, card.line)


def for_widgets(context: LintContext) -> Iterator[Finding]:
    file = context.text.parent / "widgets" / "widgets.yaml"
    for name, widget in read_widgets(context.root, context.lesson.id).items():
        yield from _images_of(context, f"widget `{name}`", widget.figure, file, None)


def _images_of(context: LintContext, owner: str, text: str, file: Path, line: int | None) -> Iterator[Finding]:
    for match in IMAGE.finditer(text):
        path = match["path"]
        if not match["alt"].strip():
            yield Finding(file, line, f"{owner}: the image `{path}` has no alt text", "describe in the brackets what it shows")
        for needed in dict.fromkeys([path, path.replace("-light.", "-dark.")]):
            if not (context.root / context.text.parent / needed).is_file():
                yield Finding(file, line, f"{owner}: there is no image `{needed}`", "name a file of `figures/`")
