"""The pages of a reader's exercises: each file with the results of its last check, kept up to date, and a page to write each on.

What is shown is what `course check` found, in a terminal or from these pages (`editing`).
"""

import ast
import re
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any

import msgspec
from markupsafe import Markup
from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from autograder.course.errors import UsageError
from autograder.course.loading import read_hints, writing_minutes
from autograder.course.model import Card, Section
from autograder.course.schema import did_you_mean
from autograder.course.student_files import exercises_of, given_files, names_of
from autograder.grading.feedback import CheckFeedback, check_feedback
from autograder.learner.check import Checked, Remark, is_unwritten
from autograder.learner.files import Held, held, work_files
from autograder.learner.progress import HIDDEN_REMAIN, following_exercise, remarks_of, results_of
from autograder.learner.workspace import digest
from autograder.web.live import Event, changed, streamed
from autograder.web.markdown import highlighted
from autograder.web.pages import Frame, fragment, page, shown
from autograder.web.server import ReaderSession

PAUSE = 0.25  # seconds between two looks at the files
PRINTED = 12  # lines of a reader's own output


class Told(msgspec.Struct, frozen=True):
    """One check as it is shown: the grader's feedback, what stands beside it, and where to read on. `unwritten` takes one line."""

    feedback: CheckFeedback
    title: str
    remark: Remark = Remark()
    section: Section | None = None
    card: Card | None = None
    unwritten: bool = False


class Row(msgspec.Struct, frozen=True):
    """One exercise: its file, its state in a word, and what its last check found, if there was one."""

    exercise: str
    title: str
    name: str
    stand: str
    facts: dict[str, Any] | None = None
    checked: Checked | None = None
    told: tuple[Told, ...] = ()
    waiting: int = 0  # checks; where nothing can be checked, that is said instead
    unanswered: tuple[str, ...] = ()
    printed: tuple[str, ...] = ()
    at: str = ""
    changed: bool = False
    minutes: int = 0


def routes(session: ReaderSession, frame: Frame) -> list[BaseRoute]:
    """Return the routes of the exercises."""
    return [
        Route("/exercises.html", shown(frame, lambda request: _page(session, frame, request))),
        Route("/exercise-{id}.html", shown(frame, lambda request: _one(session, frame, request))),
        Route("/exercises-events", streamed(lambda request: changes(session))),
    ]


def _page(session: ReaderSession, frame: Frame, request: Request) -> str:
    rows = rows_of(session) if session.kept else []
    table = fragment("rows.html", rows=rows, frame=frame, following=_following(session))
    if request.headers.get("x-part") == "rows":
        return table
    minutes = writing_minutes(session.workspace.root, session.lesson)
    files = [(one, names_of(one)[0], _title(session, one), minutes.get(one, 0)) for one in exercises_of(session.lesson)]
    return page(frame, "exercises", "Exercises", table=table, folder=session.workspace.folder.name, files=files)


def _one(session: ReaderSession, frame: Frame, request: Request) -> str:
    """The page of one exercise: what is asked, the reader's file, and what its check found."""
    exercise, known = request.path_params["id"], exercises_of(session.lesson)
    if exercise not in known:
        raise UsageError(f"there is no exercise `{exercise[:40]}`", did_you_mean(exercise, known, f"take one of {', '.join(known)}"))
    row = next((one for one in rows_of(session) if one.exercise == exercise), None) if session.kept else None
    found = fragment("row.html", row=row, frame=frame) if row else Markup()
    other = _other(session, exercise, known, passes=row is not None and row.stand == "passes")
    if part := {"found": found, "other": other}.get(request.headers.get("x-part", "")):
        return part
    name = row.name if row else names_of(exercise)[0]
    told = {"row": row, "found": found, "other": other, "exercise": exercise, "file": name, "about": _title(session, exercise)}
    help = read_hints(session.workspace.root, session.lesson.id).get(exercise)
    told["minutes"] = help.minutes if help else 0
    told["sections"] = [one for one in session.lesson.main if help and one.id in help.sections]
    told["remain"] = HIDDEN_REMAIN
    told["editable"] = session.kept and not name.endswith(".ipynb")
    told["source"] = highlighted(_source(session, exercise, name), "yaml" if exercise == "practice" else "python")
    return page(frame, "exercise", f"{name} · Exercises", has_hints=help is not None, **told)


def _other(session: ReaderSession, exercise: str, known: tuple[str, ...], passes: bool) -> Markup:
    """Lead on to the first file that does not pass yet, and where that is this one or there is none, to the one after this."""
    open_one = _following(session)
    other = open_one if open_one and open_one != exercise else known[(known.index(exercise) + 1) % len(known)]
    return fragment("other.html", exercise=other, name=names_of(other)[0], passes=passes and open_one is not None)


def _following(session: ReaderSession) -> str | None:
    with session.state() as state:
        return following_exercise(session.workspace, state)


def _source(session: ReaderSession, exercise: str, name: str) -> str:
    """Return what is in the reader's file, or the starter where there is none, or none that can be shown."""
    path = session.workspace.folder / name
    data = path.read_bytes() if session.kept and path.is_file() and not name.endswith(".ipynb") else None
    return (given_files(session.workspace.root, session.lesson)[names_of(exercise)[0]] if data is None else data).decode(errors="replace")


def rows_of(session: ReaderSession) -> list[Row]:
    """Return a row for each exercise of the workspace."""
    with session.state() as state:
        last = {event.subject: event for event in state.events("check")}
    found, minutes = held(session.workspace), writing_minutes(session.workspace.root, session.lesson)
    rows = (_row(session, exercise, found.get(exercise), last.get(exercise)) for exercise in exercises_of(session.lesson))
    return [msgspec.structs.replace(row, minutes=minutes.get(row.exercise, 0)) for row in rows]


def _row(session: ReaderSession, exercise: str, holding: Held | None, event: Any) -> Row:
    path, title = holding.path if holding else None, _title(session, exercise)
    name = path.name if path else names_of(exercise)[0]
    if holding is None or path is None:
        return Row(exercise, title, name, "missing")
    untouched = not holding.begun
    if event is None or not event.facts["checks"]:
        return Row(exercise, title, name, "not started" if untouched else "not checked yet")
    facts = event.facts
    results, remarks = results_of(facts), remarks_of(facts)
    checked = Checked(exercise, name, facts["sha256"], results, remarks, facts.get("printed", ""), facts.get("problem", ""))
    stand = "passes" if facts["passed"] == facts["checks"] else "begun" if not untouched else "not started"
    when = datetime.fromisoformat(event.at).astimezone()
    return Row(
        exercise, title, name, stand, facts, checked, tuple(_told(session, checked)),
        0 if checked.stopper else sum(one.outcome == "not_judged" for one in results),
        tuple(one.id for one in results if _is_unanswered(one)),
        tuple(checked.stdout.splitlines()[:PRINTED]), f"{when:%Y-%m-%d %H:%M}", digest(path.read_bytes()) != facts["sha256"],
    )  # fmt: skip


def _is_unanswered(check: Any) -> bool:
    return check.failure is not None and check.failure.kind == "unanswered"


def _told(session: ReaderSession, checked: Checked) -> list[Told]:
    """Return what is said of each check, as the terminal does: what is not written yet takes a line each but for the first of it."""
    lesson, made, unwritten = session.lesson, list[Told](), False
    sections, cards = {one.id: one for one in lesson.sections}, {one.id: one for one in lesson.cards}
    stopper = checked.stopper
    for feedback in check_feedback((stopper,) if stopper else checked.checks, {one.id: one.title for one in lesson.sections}):
        check = feedback.check
        if check.outcome == "not_judged" or _is_unanswered(check):
            continue
        again = unwritten and is_unwritten(check)
        unwritten = unwritten or is_unwritten(check)
        remark = Remark() if feedback.again else checked.remarks.get(check.id, Remark())
        section, card = (sections.get(check.section or ""), cards.get(check.card or "")) if feedback.next else (None, None)
        made.append(Told(feedback, "Nothing can be checked yet" if stopper else check.title, remark, section, card, again))
    return made


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
