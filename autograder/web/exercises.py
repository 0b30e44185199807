"""The page of a reader's exercises: each file with the results of its last check, kept up to date.

Nothing is run here: `course check`, in a terminal, runs the checks and saves their results.
"""

import ast
import re
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from autograder.course.model import CheckResult
from autograder.course.student_files import exercises_of, names_of
from autograder.learner.files import Held, held, work_files
from autograder.learner.progress import results_of
from autograder.learner.workspace import digest
from autograder.web.live import Event, changed, streamed
from autograder.web.pages import Frame, fragment, page, shown
from autograder.web.server import ReaderSession

PAUSE = 0.25  # seconds between two looks at the files


class Row(msgspec.Struct, frozen=True):
    """One exercise: its file, its state in a word, and the facts and results of its last check, if there was one."""

    exercise: str
    title: str
    name: str
    stand: str
    facts: dict[str, Any] | None = None
    checks: tuple[CheckResult, ...] = ()
    at: str = ""
    changed: bool = False


def routes(session: ReaderSession, frame: Frame) -> list[BaseRoute]:
    """Return the routes of the exercises."""
    return [
        Route("/exercises.html", shown(frame, lambda request: _page(session, frame, request))),
        Route("/exercises-events", streamed(lambda request: changes(session))),
    ]


def _page(session: ReaderSession, frame: Frame, request: Request) -> str:
    rows = rows_of(session) if session.kept else []
    sections = {section.id: section.title for section in session.lesson.sections}
    table = fragment("rows.html", rows=rows, sections=sections)
    if request.headers.get("x-part") == "rows":
        return table
    titles = [_title(session, exercise) for exercise in exercises_of(session.lesson)]
    return page(frame, "exercises", "Exercises", table=table, folder=session.workspace.folder.name, exercises=titles)


def rows_of(session: ReaderSession) -> list[Row]:
    """Return a row for each exercise of the workspace."""
    with session.state() as state:
        last = {event.subject: event for event in state.events("check")}
    found = held(session.workspace)
    return [_row(session, exercise, found.get(exercise), last.get(exercise)) for exercise in exercises_of(session.lesson)]


def _row(session: ReaderSession, exercise: str, holding: Held | None, event: Any) -> Row:
    path, title = holding.path if holding else None, _title(session, exercise)
    name = path.name if path else names_of(exercise)[0]
    if holding is None or path is None:
        return Row(exercise, title, name, "missing")
    untouched = not holding.begun
    if event is None:
        return Row(exercise, title, name, "as given" if untouched else "not checked yet")
    facts = event.facts
    stand = "passes" if facts["passed"] == facts["checks"] else "begun" if not untouched else "as given"
    when = datetime.fromisoformat(event.at).astimezone()
    is_changed = digest(path.read_bytes()) != facts["sha256"]
    return Row(exercise, title, name, stand, facts, results_of(facts), f"{when:%Y-%m-%d %H:%M}", is_changed)


def _title(session: ReaderSession, exercise: str) -> str:
    """Return the first sentence of the starter's docstring."""
    found = next((one for one in session.lesson.exercises if one.id == exercise), None)
    if found is None:
        return "Answers to the practice questions"
    text = ast.get_docstring(ast.parse(found.starter.read_text(encoding="utf-8"))) or exercise
    sentence = text.split("\n\n")[0].replace("\n", " ").partition(". ")[0].rstrip(".")
    words = re.sub(f"^Exercise `{exercise}`[:,] ", "", sentence).replace("`", "")
    return words[:1].upper() + words[1:]


def changes(session: ReaderSession) -> AsyncGenerator[Event, None]:
    """Yield an event whenever a file or the results of its checks have changed."""
    workspace = session.workspace
    own = {workspace.folder / name for exercise in exercises_of(session.lesson) for name in names_of(exercise)}
    return changed(
        [*sorted({*own, *work_files(workspace.folder)}), workspace.hidden / "state.sqlite", workspace.hidden / "state.sqlite-wal"], PAUSE
    )
