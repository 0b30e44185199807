"""Which address shows what: the pages of one lesson, what is answered, and what moves while one watches.

Pages are made for each request and never hold another request up: what takes time runs in a thread or a process of its own.
`serving.py` starts this; nothing here listens or prints.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from autograder.content.lessons import read_policy
from autograder.site import cards, exercises, grades, practice
from autograder.site.answering import Answer, nothing_here, shown
from autograder.site.desk import Desk
from autograder.site.events import Events
from autograder.site.live import Studio
from autograder.site.pages import STATIC, Frame, frame_of, page

PAGES = ("index", "play", "practice", "cards", "exercises")


def build(desk: Desk, grades_in: Path | None = None) -> Starlette:
    """Put the site of a lesson together; `grades_in` is the folder of a `course grade`, for who teaches."""
    pages = (*PAGES, "grades") if grades_in else PAGES
    frame = frame_of(desk.workspace.root, desk.lesson, pages, served=True, kept=desk.kept)
    reading = frame.read()  # once: it changes with the course alone

    def lesson(request: Request) -> str:
        with desk.state() as state:
            read = {event.subject for event in state.events("read")}
        sections = {section.id for section in desk.lesson.sections}
        return page(frame, "index", desk.lesson.title, reading=reading, read=sections if desk.lesson.id in read else read & sections)

    studios = {name: Studio(desk.workspace.root, frame.widgets[name].live) for name in sorted(frame.live)}

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        for studio in studios.values():
            await studio.close()

    routes = [
        Route("/", _to_the_lesson),
        Route("/index.html", shown(frame, lesson)),
        Route("/play.html", shown(frame, lambda request: play(frame))),
        Route("/read", _remembering(desk), methods=["POST"]),
        *practice.routes(desk, frame),
        *cards.routes(desk, frame),
        *exercises.routes(desk, frame),
        *(grades.routes(grades_in, frame, best=read_policy(desk.workspace.root).counts == "best") if grades_in else ()),
        *(Route(f"/live-{name}", _showing(studio), methods=["GET"]) for name, studio in studios.items()),
        Mount("/static", StaticFiles(directory=STATIC)),
        *(Mount(f"/{folder.name}", StaticFiles(directory=folder)) for folder in frame.folders),
    ]
    middleware = [Middleware(GZipMiddleware, minimum_size=1000, compresslevel=6)]
    return Starlette(routes=routes, lifespan=lifespan, middleware=middleware, exception_handlers={404: nothing_here(frame)})


def play(frame: Frame) -> str:
    """Write the page with all that can be played with."""
    return page(frame, "play", "Play", hosts=[frame.host(widget, 2) for widget in frame.widgets])


def _showing(studio: Studio) -> Answer:
    """Answer with the frames of a lesson's own process, as they are computed."""

    async def answer(request: Request) -> Response:
        asked = {name[:40]: value[:400] for name, value in list(request.query_params.items())[:20] if name not in ("id", "go")}
        return Events(studio.show(asked))  # type: ignore[return-value]  # what a route returns is called as an ASGI app

    return answer


async def _to_the_lesson(request: Request) -> Response:
    return RedirectResponse("index.html")


def _remembering(desk: Desk) -> Answer:
    """Write down which section was read, once."""
    sections = {section.id for section in desk.lesson.sections}

    def remember(section: str) -> None:
        with desk.state() as state:
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
