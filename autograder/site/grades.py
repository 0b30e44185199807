"""A class as it is being graded: who got what, which slips many made, and at once what a running `course grade` adds.

It reads the gradebook and writes nothing. What students wrote, their names too, reaches the page through templates that escape it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from autograder.explain import clean
from autograder.gradebook import Gradebook
from autograder.model import Result
from autograder.report.summary import Summary
from autograder.site.answering import shown
from autograder.site.events import Events, stamps
from autograder.site.pages import Frame, fragment, page

PAUSE = 1.0  # seconds between two looks at the gradebook
SHOWN = 500  # students in the table
SLIPS = 12
REPORT = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"  # its own policy is stricter


class Student(msgspec.Struct, frozen=True):
    """One student's results, by exercise."""

    name: str
    results: dict[str, Result]


class Class(msgspec.Struct, frozen=True):
    """What is known of a class by now."""

    exercises: tuple[str, ...]
    students: tuple[Student, ...]
    summary: Summary
    slips: tuple[tuple[str, int], ...]


def routes(out: Path, frame: Frame) -> list[BaseRoute]:
    """Give the addresses of the grades in `out`."""

    async def events(request: Request) -> Response:
        return Events(changes(out))  # type: ignore[return-value]  # what a route returns is called as an ASGI app

    async def report(request: Request) -> Response:
        return FileResponse(out / "report.html", headers={"Content-Security-Policy": REPORT})

    made = [Route("/grades.html", shown(frame, lambda request: _page(out, frame, request))), Route("/grades-events", events)]
    return [*made, Route("/report.html", report)] if out.is_dir() else [*made]


def _page(out: Path, frame: Frame, request: Request) -> str:
    found = class_of(out, [exercise.id for exercise in frame.lesson.exercises])
    sections = {section.id: section.title for section in frame.lesson.sections}
    table = fragment("class.html", found=found, shown=SHOWN, report=(out / "report.html").is_file(), sections=sections)
    return table if request.headers.get("x-part") == "class" else page(frame, "grades", "Grades", table=table, folder=out.name)


def class_of(out: Path, order: list[str]) -> Class | None:
    """Read the last run of the gradebook in `out`; None where nothing is graded yet."""
    path = out / "gradebook.sqlite"
    if not path.is_file():
        return None
    summary, students = Summary({}), dict[str, dict[str, Result]]()
    with Gradebook(path) as gradebook:
        run = gradebook.last_run()
        for result in gradebook.results(run) if run else ():
            summary.add(result)
            students.setdefault(result.student, {})[result.exercise] = result
    named = [exercise for exercise in (*order, "practice") if any(exercise == one for _, one in summary.exercises)]
    slips = Counter[str]()
    for one in summary.exercises.values():
        slips.update({slip: count for (slip, _), count in one.slips.items()})
    rows = tuple(Student(clean(name, 80), own) for name, own in sorted(students.items()))
    return Class(tuple(named), rows, summary, tuple(slips.most_common(SLIPS)))


async def changes(out: Path) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
    """Tell each time when the gradebook has grown."""
    before = None
    while True:
        seen = stamps(out / name for name in ("gradebook.sqlite", "gradebook.sqlite-wal", "report.html"))
        if seen != before:
            before = seen
            yield "changed", {}
        await asyncio.sleep(PAUSE)
