r"""Cards as the HTML that Anki shows: formulas between `\(` and `\)`, which its MathJax sets, and pictures by their file's name."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt

from autograder.flashcards.faces import GAP
from autograder.model import Card, Lesson

PICTURE = re.compile(r"!\[(?P<words>[^\]]*)\]\((?P<path>[^)\s]+)\)")
_FORMULA = re.compile(r"(?<!\\)(\$\$?)(.+?)(?<!\\)\1", re.DOTALL)
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True})


def in_html(text: str, lesson: str) -> str:
    """Write a card's Markdown as HTML. Gaps stay as they are, for Anki asks them itself."""
    kept: list[str] = []

    def keep(piece: str) -> str:
        kept.append(piece)
        return f"\ue000{len(kept) - 1}\ue001"

    text = GAP.sub(lambda gap: f"{{{{c{gap['number']}::{_apart(gap['text'])}{'::' + gap['hint'] if gap['hint'] else ''}}}}}", text)
    text = PICTURE.sub(lambda found: keep(_image(found["path"], found["words"], lesson)), text)
    text = _FORMULA.sub(lambda found: keep(_mathjax(found[2], displayed=found[1] == "$$")), text).replace(r"\$", "$")
    made = _MARKDOWN.renderInline(text) if "\n\n" not in text else _MARKDOWN.render(text).strip()
    return re.sub("\ue000([0-9]+)\ue001", lambda found: kept[int(found[1])], made)


def figures(lesson: Lesson, card: Card, root: Path) -> Iterator[tuple[Path, str]]:
    """Give a card's figures: the file, and the name that it has in Anki."""
    for found in PICTURE.finditer("\n".join((card.front, card.back, card.cloze))):
        yield root / "lessons" / lesson.id / found["path"], media_name(lesson.id, found["path"])


def media_name(lesson: str, path: str) -> str:
    """Name a figure so that no other lesson's has the same name."""
    return f"{lesson}-{Path(path).name}"


def _image(path: str, words: str, lesson: str) -> str:
    return f'<img src="{html.escape(media_name(lesson, path))}" alt="{html.escape(words)}">'


def _mathjax(formula: str, *, displayed: bool) -> str:
    before, after = (r"\[", r"\]") if displayed else (r"\(", r"\)")
    return before + html.escape(formula, quote=False) + after


def _apart(text: str) -> str:
    """Part double braces: Anki ends a gap at the first of them."""
    while "}}" in text or "{{" in text:
        text = text.replace("}}", "} }").replace("{{", "{ {")
    return text if not text.endswith("}") else f"{text} "
