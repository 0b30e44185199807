"""Pages that are one file each and need no other: the report, a student's feedback, and what lies behind a grade.

They look as the site does, whose first stylesheet they hold, but bring no letters: one of them is written for every student.
"""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from autograder.course.lesson_text import titled
from autograder.course.symbols import html_of
from autograder.course.text import clean, number

PAGES = Path(__file__).parent / "pages"
BASE = Path(__file__).parents[1] / "web" / "static" / "base.css"
SHEETS = {"feedback": ("feedback.css",), "student": ("feedback.css", "report.css"), "report": ("feedback.css", "report.css")}


@cache
def _environment() -> Environment:
    made = Environment(loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters.update(clean=clean, titled=titled, words=lambda text: text.replace("_", " "), code=lambda text: Markup(html_of(text)))
    made.globals["points"] = number
    return made


class Inlined(NamedTuple):
    """A style or a script in a page, and the hash by which the page allows it."""

    text: Markup
    hash: str


@cache
def _inlined(*files: Path) -> Inlined:
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    return Inlined(Markup(text), "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode())


def render(name: str, **told: object) -> str:
    """Render a page of this package: a file that needs no other. The site shows its `main` in a frame of its own."""
    style = _inlined(BASE, *(PAGES / sheet for sheet in SHEETS[name]))
    return _environment().get_template(f"{name}.html").render(name=name, style=style, script=_inlined(PAGES / "report.js"), **told)
