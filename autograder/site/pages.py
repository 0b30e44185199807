"""Pages from templates, with escaping on. A page is a name, a title and what its template is told."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from msgspec import Struct

from autograder.content.widgets import Widget, read_widgets
from autograder.model import Lesson
from autograder.site.lesson import Reading, reading
from autograder.site.text import Prose

HERE = Path(__file__).parent
STATIC = HERE / "static"
NAV = {"index": "Lesson", "play": "Play", "practice": "Practice", "cards": "Cards", "exercises": "Exercises", "grades": "Grades"}


class Frame(Struct, frozen=True):
    """What stands around every page: the lesson, which pages there are, whether a server answers and remembers, what moves live."""

    lesson: Lesson
    folder: Path
    pages: tuple[str, ...]
    served: bool
    kept: bool
    widgets: dict[str, Widget]
    live: frozenset[str]

    @property
    def folders(self) -> tuple[Path, ...]:
        """The lesson's folders that a page takes files from."""
        return tuple(self.folder / name for name in ("figures", "widgets") if (self.folder / name).is_dir())

    @property
    def prose(self) -> Prose:
        return Prose(self.folder, self.host)

    def host(self, widget: str, level: int = 3) -> str:
        """Give the HTML that a widget of the lesson lives in, under a heading of a level; nothing for one that is not there."""
        return fragment("widget.html", frame=self, id=widget, widget=self.widgets[widget], level=level) if widget in self.widgets else ""

    def read(self) -> Reading:
        return reading(self.lesson, self.prose)


def frame_of(root: Path, lesson: Lesson, pages: tuple[str, ...], *, served: bool, kept: bool) -> Frame:
    """Look at what a lesson has for the site; its own processes run only where its solutions are."""
    widgets = read_widgets(root, lesson.id)
    can_live = served and (root / "solutions").is_dir()
    live = frozenset(name for name, widget in widgets.items() if widget.live and can_live)
    return Frame(lesson, root / "lessons" / lesson.id, pages, served, kept, widgets, live)


def page(frame: Frame, name: str, title: str, template: str = "", **told: Any) -> str:
    """Write a whole page, by the template of its name where none is named."""
    nav = [(each, label) for each, label in NAV.items() if each in frame.pages]
    return _environment().get_template(template or f"{name}.html").render(frame=frame, name=name, title=title, nav=nav, **told)


def fragment(template: str, **told: Any) -> Markup:
    """Write a part of a page."""
    return Markup(_environment().get_template(template).render(**told))


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(HERE / "templates")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters["words"] = lambda name: name.replace("-", " ").replace("_", " ").capitalize()
    made.filters["coded"] = coded
    return made


def coded(text: str) -> Markup:
    """Escape a text that is not ours, and set what stands between backticks as code."""
    pieces = text.split("`")
    whole = pieces if len(pieces) % 2 else [*pieces[:-2], "`".join(pieces[-2:])]
    return Markup("").join(Markup("<code>{}</code>").format(piece) if place % 2 else piece for place, piece in enumerate(whole))
