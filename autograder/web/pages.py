"""Rendering pages: Jinja templates with escaping on, and routes that render in a thread."""

import hmac
import re
from collections.abc import Awaitable, Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from autograder.course.errors import CourseError, UsageError
from autograder.course.glossary import Entry, read_glossary
from autograder.course.lesson_text import titled
from autograder.course.loading import Widget, read_widgets
from autograder.course.mistakes import Mistake, read_mistakes
from autograder.course.model import Lesson
from autograder.course.text import lasting, to_html
from autograder.web.markdown import Prose, with_symbols

HERE = Path(__file__).parent
STATIC = HERE / "static"
ONNX = HERE / "onnx"  # what runs ONNX graphs in the reader's browser: 5 MB
NAV = {
    "index": "Home",
    "lesson": "Lesson",
    "play": "Play",
    "practice": "Practice",
    "cards": "Cards",
    "exercises": "Exercises",
    "grades": "Grades",
}


class Frame(Struct, frozen=True):
    """What every page needs: the lesson, the site's pages, whether a server answers and saves progress, and the widgets.

    `live` are those that compute now, `missing` those that could if the packages that it names were installed."""

    lesson: Lesson
    folder: Path
    pages: tuple[str, ...]
    served: bool
    kept: bool
    widgets: dict[str, Widget]
    live: frozenset[str]
    missing: dict[str, list[str]]
    glossary: tuple[Entry, ...] = ()
    mistakes: dict[str, Mistake] = {}
    above: str = ""  # where the index of all lessons is, if there is one

    @property
    def folders(self) -> tuple[Path, ...]:
        """The lesson's folders with files for pages."""
        return tuple(self.folder / name for name in ("figures", "widgets") if (self.folder / name).is_dir())

    @property
    def onnx(self) -> str:
        """The address of what runs ONNX graphs, the same for all lessons of a site; empty if no widget has any."""
        return "" if not any(widget.onnx for widget in self.widgets.values()) else "../onnx/" if self.above else "onnx/"

    @property
    def prose(self) -> Prose:
        return Prose(self.folder, self.host)

    def host(self, widget: str, level: int = 3) -> str:
        """Return the HTML that hosts a widget, with a heading of this level; empty if there is no such widget."""
        if widget not in self.widgets:
            return ""
        found = self.widgets[widget]
        still = Prose(self.folder).blocks(found.figure)
        return fragment("widget.html", frame=self, id=widget, widget=found, level=level, still=still)


def frame_of(root: Path, lesson: Lesson, pages: tuple[str, ...], *, served: bool, kept: bool, above: str = "") -> Frame:
    """Collect what the site needs of a lesson. Its own processes run only where its solutions are."""
    widgets = read_widgets(root, lesson.id)
    can_live = served and (root / "solutions").is_dir()
    computing = {name: widget for name, widget in widgets.items() if widget.live and can_live}
    missing = {name: [package for package in widget.needs if not _installed(package)] for name, widget in computing.items()}
    live = frozenset(name for name, packages in missing.items() if not packages)
    folder, glossary, mistakes = root / "lessons" / lesson.id, read_glossary(root, lesson), read_mistakes(root, lesson)
    return Frame(lesson, folder, pages, served, kept, widgets, live, missing, glossary, mistakes, above)


def _installed(package: str) -> bool:
    try:
        return bool(distribution(package))
    except PackageNotFoundError:
        return False


def page(frame: Frame, name: str, title: str, template: str = "", **told: Any) -> str:
    """Render a page with its template, by default the one of the same name."""
    nav = [(each, label) for each, label in NAV.items() if each in frame.pages]
    return _environment().get_template(template or f"{name}.html").render(frame=frame, name=name, title=title, nav=nav, **told)


def fragment(template: str, **told: Any) -> Markup:
    """Render a part of a page."""
    return Markup(_environment().get_template(template).render(**told))


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(HERE / "templates")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters["words"] = _words
    made.filters["line"] = lambda text: Markup(Prose().line(text))
    made.filters["plain"] = plain_text
    made.filters["many"] = lambda count, noun: f"{count} {noun}{'s' * (count != 1)}"
    made.filters["lasting"] = lasting
    made.filters["coded"] = lambda text: Markup(with_symbols(to_html(text)))
    return made


@pass_context
def _words(context: Context, name: str) -> str:
    frame = context.get("frame")
    return titled(name, frame.lesson.text if frame else "")


_MATHS = re.compile(r'<math aria-label="([^"]*)".*?</math>', re.DOTALL)


def plain_text(html: str) -> str:
    """Return what HTML says, its formulas in Unicode, for places where only text may stand."""
    return Markup(_MATHS.sub(r"\1", html)).striptags()


Answer = Callable[[Request], Awaitable[Response]]
LARGEST = 64 * 1024  # bytes of a form
FORGED = "this form is not of this page, so nothing was done"


def shown(frame: Frame, write: Callable[[Request], str]) -> Answer:
    """Return a route that renders the page of `write`, or a page that explains the error."""

    async def answer(request: Request) -> Response:
        return await run_in_threadpool(_written, frame, lambda: write(request))

    return answer


def formed(frame: Frame, write: Callable[[Request, dict[str, list[str]]], str], secret: str = "") -> Answer:
    """The same for a submitted form: `write` also gets its fields, each a list of strings. With a `secret`, one of them must hold it."""

    def checked(request: Request, fields: dict[str, list[str]]) -> str:
        if not hmac.compare_digest("".join(fields.get("secret", [])).encode(), secret.encode()):
            raise UsageError(FORGED, "open the page again, and send the form from there")
        return write(request, fields)

    async def answer(request: Request) -> Response:
        length = request.headers.get("content-length", "")
        if not length.isdigit() or int(length) > LARGEST:
            return HTMLResponse(_trouble(frame, "This form is too large.", "Send a shorter text."), 413)
        fields = parse_qs((await request.body()).decode(errors="replace"), keep_blank_values=True, max_num_fields=200)
        return await run_in_threadpool(_written, frame, lambda: checked(request, fields))

    return answer


def _written(frame: Frame, write: Callable[[], str]) -> Response:
    try:
        return HTMLResponse(write())
    except UsageError as error:
        return HTMLResponse(_trouble(frame, sentence(error.problem), sentence(error.fix)), 404)
    except CourseError as error:
        return HTMLResponse(_trouble(frame, "The course has faults.", str(error)), 500)


def sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "?")) else ".")


def nothing_here(frame: Frame) -> Callable[[Request, Exception], Response]:
    """Return a handler for unknown addresses."""

    def answer(request: Request, error: Exception) -> Response:
        words = "There is nothing at this address."
        below = "/" in request.url.path.strip("/")  # a page there would not find its stylesheet
        return PlainTextResponse(words, 404) if below else HTMLResponse(_trouble(frame, words, "Choose a page above."), 404)

    return answer


def _trouble(frame: Frame, problem: str, fix: str) -> str:
    return page(frame, "trouble", "This cannot be shown", problem=problem, fix=fix)
