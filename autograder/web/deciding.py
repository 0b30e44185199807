"""Decide something in place of the grader, on a page for each student: the command `course override` with a form before it.

The feedback of the student is written at once, and the report in the background.
"""

import math
from pathlib import Path
from typing import Any, cast

import msgspec
from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from autograder.course.errors import StoreFault, UsageError
from autograder.course.loading import read_course, read_policy
from autograder.course.model import Override, OverrideKind
from autograder.course.text import clean
from autograder.instructor.decide import decide
from autograder.instructor.grade import GRADEBOOK, open_graded
from autograder.instructor.gradebook import Gradebook
from autograder.instructor.grades import StudentGrades, read_rules, student_grades
from autograder.instructor.overrides import Target
from autograder.web.pages import Frame, formed, page, sentence, shown
from autograder.web.written import Report, feedback_file, name_in

KINDS = {
    "points": "Give these points instead of the grader's",
    "bonus": "Add points to the exercise",
    "deduction": "Take points from the exercise",
    "excused": "Excuse: leave it out of the total",
    "on_hold": "Hold back the student's feedback and grade",
    "": "Withdraw what was decided before",
}


class Decision(msgspec.Struct, frozen=True):
    """One thing in force, with what it is for as a form names it."""

    target: str
    override: Override


def routes(out: Path, root: Path, frame: Frame, report: Report, secret: str) -> list[BaseRoute]:
    """Return the routes of a student's decisions."""

    def show(request: Request, **told: Any) -> str:
        return _page(out, root, frame, request, secret=secret, **told)

    def decided(request: Request, fields: dict[str, list[str]]) -> str:
        return show(request, **_decided(out, root, report, request, fields))

    return [
        Route("/decide.html", shown(frame, show), methods=["GET"]),
        Route("/decide.html", formed(frame, decided, secret), methods=["POST"]),
    ]


def _page(out: Path, root: Path, frame: Frame, request: Request, **told: Any) -> str:
    name = name_in(request)
    own, decisions = _student(out, root, name)
    kinds = [(kind, words) for kind, words in KINDS.items() if kind or decisions]
    told = {"said": "", "problem": "", "fields": {}, "wanted": request.query_params.get("target", "")[:200], **told}
    about: dict[str, Any] = {
        "student": clean(name, 80),
        "query": {"name": name},
        "own": own,
        "decisions": decisions,
        "kinds": kinds,
        "has_feedback": feedback_file(out, name).is_file(),
    }
    return page(frame, "decide", f"{clean(name, 80)} · Grades", "", **about, **told)


def _student(out: Path, root: Path, name: str) -> tuple[StudentGrades, list[Decision]]:
    """Read a student's grades, and what is in force of what a person decided."""
    nobody = UsageError(f"nobody called `{clean(name, 60)}` was graded", "choose a student in the table of grades")
    if not (out / GRADEBOOK).is_file():
        raise nobody
    with Gradebook(out / GRADEBOOK) as gradebook:
        run = gradebook.last_run() or ""
        rules = read_rules(out, gradebook, read_policy(root))
        own = next((one for one in student_grades(gradebook, run, rules, among=(name, name)) if one.person.student == name), None)
    if own is None:
        raise nobody
    decided = [one for key, made in rules.overrides.items() if key[0] == name for one in made.values() if one.kind != "dropped"]
    titles = {
        (grade.result.lesson, grade.result.exercise, one.id): one.title for grade in own.grades.values() for one in grade.result.checks
    }
    places = [(one.lesson, one.exercise, one.check) for one in decided]
    targets = [Target(*place, rules.several, titles.get(place, "")).words for place in places]
    return own, [Decision(target, one) for target, one in zip(targets, decided, strict=True)]


def _decided(out: Path, root: Path, report: Report, request: Request, fields: dict[str, list[str]]) -> dict[str, Any]:
    """Decide what the form says. Return what the page says of it: if it could not be decided, why, with the form as it was."""
    sent = {name: values[0] for name, values in fields.items()}
    try:
        kind = sent.get("kind", "-")
        if kind not in KINDS:
            raise UsageError("nothing is chosen", "choose what to decide")
        course, name = read_course(root), name_in(request)
        _student(out, root, name)  # of exactly this name: nobody is guessed
        with report.turn, open_graded(out) as (gradebook, run):
            rules = read_rules(out, gradebook, course.policy)
            chosen = cast(OverrideKind, kind) if kind else None
            points = _points(sent.get("points", "")) if kind in ("points", "bonus", "deduction") else 0.0
            made = decide(out, course, gradebook, run, rules, name, sent.get("target", ""), chosen, points, sent.get("reason", ""))
    except UsageError as error:
        problem = f"{sentence(error.problem)} {sentence(error.fix)}"
        return {"problem": problem, "fields": sent, "wanted": sent.get("target", "")}
    except StoreFault as fault:
        return {"problem": f"Nothing was decided: {fault}", "fields": sent}
    report.renew()
    return {"said": f"{made.said} {made.changed}Feedback is rewritten, and the report is being written."}


def _points(text: str) -> float:
    """Read a number, with a point or a comma."""
    try:
        points = float(text.strip().replace(",", "."))
    except ValueError:
        points = math.nan
    if not math.isfinite(points):
        raise UsageError(f"`{clean(text, 20)}` is not a number" if text.strip() else "there are no points", "write the points, like 1.5")
    return points
