"""The site of one lesson: the routes of the served app, and the same pages written as static files.

Every page is rendered per request, in a thread, so that none holds up another. `server` runs the app; nothing here listens.
"""

import mimetypes
import shutil
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec
from markupsafe import Markup
from msgspec import Struct
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from autograder.course.loading import read_policy
from autograder.course.model import Lesson
from autograder.course.own_practice import PRACTICE_WORDS
from autograder.course.store import replaced_folder
from autograder.grading.questions import question_text
from autograder.learner.review.queue import faces_of
from autograder.web import cards, exercises, practice
from autograder.web.live import Event, Studio, streamed
from autograder.web.pages import STATIC, Answer, Frame, frame_of, nothing_here, page, reading, shown
from autograder.web.server import ReaderSession

# What files are is known here: Windows lets any program change it, and a browser runs no script that is called plain text.
KINDS = {".css": "text/css", ".js": "text/javascript", ".json": "application/json", ".png": "image/png", ".svg": "image/svg+xml"}
PAGES = ("index", "play", "practice", "cards", "exercises")


def build(session: ReaderSession, grades_in: Path | None = None) -> Starlette:
    """Build the app of a lesson; `grades_in` is the output folder of `course grade`, for instructors."""
    for ending, kind in KINDS.items():
        mimetypes.add_type(kind, ending)
    pages = (*PAGES, "grades") if grades_in else PAGES
    frame = frame_of(session.workspace.root, session.lesson, pages, served=True, kept=session.kept)
    text = reading(frame.lesson, frame.prose)  # once: it depends on the course alone

    def lesson(request: Request) -> str:
        with session.state() as state:
            read = {event.subject for event in state.events("read")}
        return page(frame, "index", session.lesson.title, reading=text, read=read & {section.id for section in session.lesson.sections})

    studios = {name: Studio(session.workspace.root, frame.widgets[name].live) for name in sorted(frame.live)}

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        for studio in studios.values():
            await studio.close()

    routes = [
        Route("/", lambda request: RedirectResponse("index.html")),
        Route("/index.html", shown(frame, lesson)),
        Route("/play.html", shown(frame, lambda request: play(frame))),
        Route("/read", _remembering(session), methods=["POST"]),
        *practice.routes(session, frame),
        *cards.routes(session, frame),
        *exercises.routes(session, frame),
        *(_grades(session.workspace.root, grades_in, frame) if grades_in else ()),
        *(Route(f"/live-{name}", streamed(partial(_frames, studio)), methods=["GET"]) for name, studio in studios.items()),
        Mount("/static", StaticFiles(directory=STATIC)),
        *(Mount(f"/{folder.name}", StaticFiles(directory=folder)) for folder in frame.folders),
    ]
    middleware = [Middleware(GZipMiddleware, minimum_size=1000, compresslevel=6)]
    return Starlette(routes=routes, lifespan=lifespan, middleware=middleware, exception_handlers={404: nothing_here(frame)})


def _grades(root: Path, out: Path, frame: Frame) -> list[BaseRoute]:
    """Return the routes of an instructor's pages. What grades a class is imported for them alone: a student's site opens without it."""
    from autograder.web import class_view

    return class_view.routes(out, root, frame, best=read_policy(root).counts == "best")


def play(frame: Frame) -> str:
    """Render the page of all widgets."""
    return page(frame, "play", "Play", hosts=[frame.host(widget, 2) for widget in frame.widgets])


def _frames(studio: Studio, request: Request) -> AsyncGenerator[Event, None]:
    asked = {name[:40]: value[:400] for name, value in list(request.query_params.items())[:20] if name not in ("id", "go")}
    return studio.show(asked)


def _remembering(session: ReaderSession) -> Answer:
    sections = {section.id for section in session.lesson.sections}

    def remember(section: str) -> None:
        with session.state() as state:
            if section in sections and not any(state.events("read", section)):
                state.add("read", section)

    async def answer(request: Request) -> Response:
        try:
            section = msgspec.json.decode(await request.body(), type=str)
        except msgspec.DecodeError:
            return Response(status_code=400)
        await run_in_threadpool(remember, section)
        return Response(status_code=204)

    return answer


STATIC_PAGES = ("index", "play", "practice", "cards")
MARK = "made-by-course.txt"
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".*", "*.yaml")


class Written(Struct, frozen=True):
    """The site that was written: its folder, number of files and size in bytes."""

    place: Path
    files: int
    bytes: int


def write_site(root: Path, lesson: Lesson, out: Path) -> Written:
    """Write a lesson's site to the folder `out`. Raises UsageError if the folder holds something else or cannot be written."""
    frame = frame_of(root, lesson, STATIC_PAGES, served=False, kept=False)
    with replaced_folder(out, MARK) as new:
        for folder in (STATIC, *frame.folders):
            shutil.copytree(folder, new / folder.name, ignore=LEFT_OUT)
        for name, html in _pages(frame).items():
            (new / name).write_text(html, encoding="utf-8")
        (new / MARK).write_text("Written by `course site`, which may overwrite this folder.\n", encoding="utf-8")
    sizes = [path.stat().st_size for path in out.rglob("*") if path.is_file()]
    return Written(out, len(sizes), sum(sizes))


def _pages(frame: Frame) -> dict[str, str]:
    lesson = frame.lesson
    published = {one.id: {name: drawn.published for name, drawn in one.numbers.items()} for one in lesson.questions}
    questions = [(one.id, Markup(frame.prose.blocks(question_text(one, published[one.id])))) for one in lesson.questions]
    words = Markup(frame.prose.line(PRACTICE_WORDS[lesson.practice]))
    return {
        "index.html": page(frame, "index", lesson.title, reading=reading(lesson, frame.prose), read=set()),
        "play.html": play(frame),
        "practice.html": page(frame, "practice", "Practice", "questions.html", questions=questions, words=words),
        "cards.html": page(frame, "cards", "Cards", "deck.html", decks=_decks(frame)),
    }


def _decks(frame: Frame) -> list[tuple[str, str, list[tuple[Markup, Markup]]]]:
    sides: dict[str, list[tuple[Markup, Markup]]] = defaultdict(list)
    for face in faces_of([frame.lesson]):
        sides[face.card.section].append((Markup(frame.prose.blocks(face.front)), Markup(frame.prose.blocks(face.back))))
    return [(section.id, section.title, sides[section.id]) for section in frame.lesson.sections if section.id in sides]
