"""nbgrader's own `gradebook.db`, through its API, so that its formgrader shows our scores and takes what is graded by hand.

PATH is the database of an nbgrader course, or a new one. Each check is a grade cell, named as in the course's notebook; points
that a person decided are manual scores, and what lateness takes is nbgrader's late penalty. Questions in free text wait for a
person, and what was given for them in formgrader stays. Where the course holds what was submitted, its notebooks are put where
formgrader looks for graded ones, without outputs, which nobody has run here.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from autograder.course.errors import UsageError
from autograder.course.text import clean
from autograder.instructor.grades import Grade, Sheet, StudentGrades, unjudged

WHAT = "nbgrader's gradebook.db, for its formgrader"
LARGEST = 6 << 20


def write(sheet: Sheet, path: Path) -> list[str]:
    """Put scores into a gradebook, new or there; say what has no place in it. Raise `UsageError` without nbgrader."""
    notes: list[str] = []
    path = path / "gradebook.db" if path.is_dir() else path
    with _opened(path) as book:
        for lesson in dict.fromkeys(column.lesson for column in sheet.columns):
            cells = _assignment(book, lesson, sheet)
            known = {column.exercise for column in sheet.columns if any(cell.startswith(_cell(column.exercise, "")) for cell in cells)}
            others = [column.exercise for column in sheet.columns if column.lesson == lesson and column.exercise not in known]
            notes += [f"{name}: {lesson}'s notebook has no cells for it, so it is left out" for name in others]
            for standing in sheet.rows():
                notes += unjudged(standing)
                own = [grade for grade in standing.grades.values() if grade.result.lesson == lesson and grade.result.exercise in known]
                if any(grade.result.status != "missing" or grade.overrides for grade in own):
                    _student(book, lesson, standing, own, path.resolve().parent)
    return notes


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open nbgrader's gradebook. It calls `alembic` by name, which lies beside this Python."""
    try:
        from nbgrader.api import Gradebook
        from sqlalchemy.exc import SAWarning, SQLAlchemyError
    except ImportError:
        raise UsageError("nbgrader is not installed", "pip install -c constraints.txt -e .[nbgrader]") from None
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{before}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # of nbgrader's own queries
            with Gradebook(f"sqlite:///{path.resolve()}") as book, _one_transaction(book.db()):
                yield book
    except SQLAlchemyError as error:
        reason = clean(str(getattr(error, "orig", error)), 200)
        raise UsageError(f"{path}: {reason}", "give an nbgrader course's gradebook.db, or a file that is not there yet") from None
    finally:
        os.environ["PATH"] = before


@contextmanager
def _one_transaction(session: Any) -> Iterator[None]:
    """Make one transaction of all: nbgrader's API commits three times for each student, and reads all again after each."""
    session.commit, session.expire_on_commit = session.flush, False
    yield
    del session.commit
    session.commit()


def _cell(exercise: str, check: str) -> str:
    """Name a check's cell as the course's notebook does."""
    return f"{exercise}-check-{check}".replace("_", "-")


def _assignment(book: Any, lesson: str, sheet: Sheet) -> list[str]:
    """Find the assignment's grade cells, or make them: those of the checks that were graded, and those that are graded by hand."""
    from nbgrader.api import MissingEntry

    try:
        found = [cell.name for notebook in book.find_assignment(lesson).notebooks for cell in notebook.grade_cells]
        if found:
            return found
    except MissingEntry:
        book.add_assignment(lesson)
    book.update_or_create_notebook(lesson, lesson)
    cells = dict(_cells(lesson, sheet))
    for name, points in cells.items():
        book.update_or_create_grade_cell(name, lesson, lesson, max_score=points, cell_type="code")
    for name, points in sheet.by_hand.items():
        book.update_or_create_grade_cell(name, lesson, lesson, max_score=points, cell_type="markdown")
        book.update_or_create_solution_cell(name, lesson, lesson)
    return [*cells, *sheet.by_hand]


def _cells(lesson: str, sheet: Sheet) -> Iterator[tuple[str, float]]:
    in_notebook = {column.exercise for column in sheet.columns if column.lesson == lesson and column.exercise != "practice"}
    for standing in sheet.rows():
        for grade in standing.grades.values():
            if grade.result.exercise in in_notebook and grade.result.lesson == lesson:
                yield from ((_cell(grade.result.exercise, check.id), check.max_points) for check in grade.result.checks)


def _student(book: Any, lesson: str, standing: StudentGrades, own: list[Grade], course: Path) -> None:
    person = standing.person
    name = text_id(person.login or person.student)
    first, _, last = person.student.rpartition(" ")
    book.update_or_create_student(name, first_name=first or None, last_name=last, email=person.email or None)
    when = _hand_over(course, name, lesson) or next((f"{g.handed_in.at:%Y-%m-%d %H:%M:%S.%f %Z}" for g in own if g.handed_in.at), None)
    submission = book.update_or_create_submission(lesson, name, **({"timestamp": when} if when else {}))
    scores = {_cell(grade.result.exercise, check.id): (grade, check) for grade in own for check in grade.result.checks}
    decided = {_cell(grade.result.exercise, check): one.points for grade in own for check, one in grade.overrides.items()}
    for notebook in submission.notebooks:
        notebook.late_submission_penalty = sum(grade.penalty for grade in own)
        for cell in notebook.grades:
            if cell.name in scores or cell.name in decided:
                grade, check = scores.get(cell.name, (None, None))
                cell.auto_score = check.points if grade and check and grade.result.status != "not_judged" else None
                cell.manual_score = decided.get(cell.name, cell.manual_score)
                cell.needs_manual_grade = cell.auto_score is None and cell.manual_score is None
            elif cell.cell.cell_type == "markdown":
                cell.needs_manual_grade = cell.manual_score is None


def text_id(name: str) -> str:
    """Make a name one that can be a folder's, as nbgrader demands of a student's id."""
    return clean(name, 120).replace("/", "-").lstrip(".") or "student"


def _hand_over(course: Path, student: str, lesson: str) -> str | None:
    """Put a submitted notebook where formgrader looks for graded ones; give the time that stands beside it, if one does.

    Outputs go: they are a stranger's, and formgrader would show them as they are.
    """
    given, taken = (course / kind / student / lesson for kind in ("submitted", "autograded"))
    notebook, stamp = given / f"{lesson}.ipynb", given / "timestamp.txt"
    if any(place.is_symlink() for place in (given.parent, given, notebook, stamp, taken.parent, taken)) or not notebook.is_file():
        return None
    try:
        content = _without_outputs(notebook.read_bytes() if notebook.stat().st_size <= LARGEST else b"")
        when = stamp.read_text(encoding="ascii").strip()[:100] if stamp.is_file() and stamp.stat().st_size < 1 << 10 else None
    except (ValueError, RecursionError, OSError):
        return None
    taken.mkdir(parents=True, exist_ok=True)
    (taken / notebook.name).write_text(content, encoding="utf-8")
    if when:
        (taken / stamp.name).write_text(when, encoding="ascii")
    return when


def _without_outputs(data: bytes) -> str:
    """Read a notebook and leave its outputs out. Raise `ValueError` where it is none."""
    book: Any = msgspec.json.decode(data)
    if not isinstance(book, dict) or not isinstance(book.get("cells"), list) or not all(isinstance(cell, dict) for cell in book["cells"]):
        raise ValueError("not a notebook")
    for cell in book["cells"]:
        if cell.get("cell_type") == "code":
            cell["outputs"], cell["execution_count"] = [], None
        cell.pop("attachments", None)
    return json.dumps(book, ensure_ascii=False, indent=1) + "\n"
