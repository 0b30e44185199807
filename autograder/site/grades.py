"""A class as it is being graded: who got what, which slips many made, and at once what a running `course grade` adds.

It writes nothing. What students wrote, their names too, reaches the page through templates that escape it; the report and the pages
of feedback are shown as `course grade` wrote them, under a policy that lets them load nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from autograder.site.answering import shown
from autograder.site.events import Events, stamps
from autograder.site.pages import Frame, fragment, page
from autograder.site.roll import Roll, View

PAUSE = 1.0  # seconds between two looks at the gradebook
WRITTEN = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"  # their own policy is stricter


def routes(out: Path, frame: Frame, *, best: bool) -> list[BaseRoute]:
    """Give the addresses of the grades in `out`, which may come later; `best` says which attempt counts (see `Roll`)."""
    roll = Roll(out / "gradebook.sqlite", tuple(exercise.id for exercise in frame.lesson.exercises), best=best)

    async def events(request: Request) -> Response:
        return Events(changes(out))  # type: ignore[return-value]  # what a route returns is called as an ASGI app

    return [
        Route("/grades.html", shown(frame, lambda request: _page(out, roll, frame, request))),
        Route("/grades-events", events),
        Route("/report.html", lambda request: _as_written(out / "report.html", request)),
        Route("/feedback/{name}.html", lambda request: _as_written(out / "feedback" / f"{request.path_params['name']}.html", request)),
    ]


def _page(out: Path, roll: Roll, frame: Frame, request: Request) -> str:
    asked = request.query_params
    number = asked.get("page", "")
    view = View(asked.get("find", "")[:200], asked.get("sort", "")[:200], int(number) if number.isascii() and number.isdigit() else 1)
    found = roll.look(view)
    summary = fragment("class.html", found=found, report=(out / "report.html").is_file())
    told = {one.feedback for one in found.shown if (out / "feedback" / one.feedback).is_file()}
    students = fragment("students.html", found=found, view=found.view, told=told)
    parts = {"class": summary, "students": students}
    return parts.get(request.headers.get("x-part", "")) or page(frame, "grades", "Grades", **parts, view=found.view, folder=out.name)


def _as_written(path: Path, request: Request) -> Response:
    """Answer with a page that `course grade` wrote, in the light or dark that the reader chose here."""
    try:
        html = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise HTTPException(404) from None
    theme = request.cookies.get("theme")
    if theme in ("light", "dark"):
        html = html.replace("<html ", f'<html data-theme="{theme}" ', 1)
    return HTMLResponse(html, headers={"Content-Security-Policy": WRITTEN})


async def changes(out: Path) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
    """Tell each time when the gradebook has grown."""
    before = None
    while True:
        seen = stamps(out / name for name in ("gradebook.sqlite", "gradebook.sqlite-wal", "report.html"))
        if seen != before:
            before = seen
            yield "changed", {}
        await asyncio.sleep(PAUSE)
