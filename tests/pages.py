"""The project's own pages: README and what lies in docs/, their sections and fenced blocks."""

import re
from typing import NamedTuple

from tests.courses import ROOT

PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
BLOCK = re.compile(r"^(?P<indent> *)```(?P<kind>\w*)\n(?P<text>.*?)^ *```$", re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: its page, the `##` section it is in, its kind (`console`, `text`, ...), and its text without indentation."""

    page: str
    section: str
    kind: str
    text: str


def read(page):
    """Return a page's text."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(*pages):
    """Yield each fenced block of the pages, in order; of all pages by default."""
    for page in pages or PAGES:
        for section in read(page).split("\n## "):
            title = section.split("\n", 1)[0]
            for found in BLOCK.finditer(section):
                lines = (line.removeprefix(found["indent"]) for line in found["text"].splitlines(keepends=True))
                yield Block(page, title, found["kind"], "".join(lines))


def shown(page, section, kind="text"):
    """Return the text of the one block of this kind in a page's section."""
    (text,) = [block.text for block in blocks(page) if (block.section, block.kind) == (section, kind)]
    return text
