"""Export to nbgrader's own `gradebook.db`, through its API: formgrader then shows these scores, and can grade by hand.

The path is the database of an nbgrader course, or a new one. Each check is a grade cell, named as in the course's notebook; overrides
are manual scores, and lateness is nbgrader's late penalty. Questions in free text wait for a person; scores that were given for them in
formgrader are kept. If the course holds the submitted notebooks, they are copied to where formgrader looks for graded ones, without
their outputs, which nobody has run here.
"""

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
from autograder.course.files import replaced
from autograder.course.text import clean
from autograder.instructor.file_tree import Folder, Unreadable
from autograder.instructor.grades import Grade, StudentGrades
from autograder.instructor.sheet import Sheet, unjudged


def write(sheet: Sheet, path: Path) -> list[str]:
    """Write scores into a gradebook, new or existing. Return notes on what it has no place for. Raise `UsageError` without nbgrader."""
    notes: list[str] = []
    path = path / "gradebook.db" if path.is_dir() else path
    with _opened(path) as book:
        for lesson in dict.fromkeys(column.lesson for column in sheet.columns):
            cells = _assignment(book, lesson, sheet)
            exercises = [column.exercise.rpartition("/")[2] for column in sheet.columns if column.lesson == lesson]
            known = {name for name in exercises if any(cell.startswith(_cell(name, "")) for cell in cells)}
            notes += [f"{name}: {lesson}'s notebook has no cells for it, so it is left out" for name in exercises if name not in known]
            for student in sheet.rows():
                notes += unjudged(student)
                given = [grade for grade in student.grades.values() if not grade.excused]
                own = [grade for grade in given if grade.result.lesson == lesson and grade.result.exercise in known]
                if any(grade.result.status != "missing" or grade.overrides for grade in own):
                    _write_student(book, lesson, student, own, path.resolve().parent)
    return notes


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open nbgrader's gradebook. It runs `alembic` by name, which is beside this Python."""
    try:
        from nbgrader.api import Gradebook
        from sqlalchemy.exc import SAWarning, SQLAlchemyError
    except ImportError:
        raise UsageError("nbgrader is not installed", "pip install -c constraints.txt -e .[nbgrader]") from None
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{before}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # from nbgrader's own queries
            with Gradebook(f"sqlite:///{path.resolve()}") as book:
                session: Any = book.db()  # the API commits three times for each student, and reads everything again after each commit
                session.commit, session.expire_on_commit = session.flush, False
                yield book
                del session.commit
                session.commit()
    except SQLAlchemyError as error:
        reason = clean(str(getattr(error, "orig", error)), 200)
        raise UsageError(f"{path}: {reason}", "give the gradebook.db of an nbgrader course, or a file that does not exist yet") from None
    finally:
        os.environ["PATH"] = before


def _cell(exercise: str, check: str) -> str:
    """Name a check's cell as the course's notebook does."""
    return f"{exercise}-check-{check}".replace("_", "-")


def _assignment(book: Any, lesson: str, sheet: Sheet) -> list[str]:
    """Find the assignment's grade cells, or create them for the checks that were graded and the questions graded by hand."""
    from nbgrader.api import MissingEntry

    try:
        names = [cell.name for notebook in book.find_assignment(lesson).notebooks for cell in notebook.grade_cells]
        if names:
            return names
    except MissingEntry:
        book.add_assignment(lesson)
    book.update_or_create_notebook(lesson, lesson)
    results = (grade.result for student in sheet.rows() for grade in student.grades.values())
    graded = (result for result in results if result.lesson == lesson and result.exercise != "practice")
    cells = {_cell(result.exercise, check.id): check.max_points for result in graded for check in result.checks}
    for name, points in cells.items():
        book.update_or_create_grade_cell(name, lesson, lesson, max_score=points, cell_type="code")
    by_hand = sheet.by_hand.get(lesson, {})
    for name, points in by_hand.items():
        book.update_or_create_grade_cell(name, lesson, lesson, max_score=points, cell_type="markdown")
        book.update_or_create_solution_cell(name, lesson, lesson)
    return [*cells, *by_hand]


def _write_student(book: Any, lesson: str, student: StudentGrades, own: list[Grade], course: Path) -> None:
    person = student.person
    name = student_id(person.login or person.student)
    first, _, last = person.student.rpartition(" ")
    book.update_or_create_student(name, first_name=first or None, last_name=last, email=person.email or None)
    time = _copy_notebook(course, name, lesson) or next((f"{g.handed_in.at:%Y-%m-%d %H:%M:%S.%f %Z}" for g in own if g.handed_in.at), None)
    submission = book.update_or_create_submission(lesson, name, **({"timestamp": time} if time else {}))
    scores = {_cell(grade.result.exercise, check.id): (grade, check) for grade in own for check in grade.result.checks}
    overrides = {_cell(grade.result.exercise, check): override.points for grade in own for check, override in grade.overrides.items()}
    for notebook in submission.notebooks:
        notebook.late_submission_penalty = round(sum(grade.score - grade.final for grade in own), 2)  # also what was decided in all
        for cell in notebook.grades:
            if cell.name in scores or cell.name in overrides:
                grade, check = scores.get(cell.name, (None, None))
                cell.auto_score = check.points if grade and check and grade.result.status != "not_judged" else None
                cell.manual_score = overrides.get(cell.name, cell.manual_score)
                cell.needs_manual_grade = cell.auto_score is None and cell.manual_score is None
            elif cell.cell.cell_type == "markdown":
                cell.needs_manual_grade = cell.manual_score is None


def student_id(name: str) -> str:
    """Make a name into a student id for nbgrader, which must be a folder's name."""
    return clean(name, 120).replace("/", "-").lstrip(".") or "student"


def _copy_notebook(course: Path, student: str, lesson: str) -> str | None:
    """Copy a submitted notebook to where formgrader looks for graded ones; return the time beside it, if there is one.

    Outputs are left out: they are untrusted, and formgrader would show them as they are.
    """
    submitted, graded = Folder(course / "submitted"), course / "autograded" / student / lesson
    notebook, stamp = (f"{student}/{lesson}/{name}" for name in (f"{lesson}.ipynb", "timestamp.txt"))
    if graded.parent.is_symlink() or graded.is_symlink():
        return None
    try:
        content = _without_outputs(submitted.read(notebook))
        time = submitted.read(stamp, 1 << 10).decode("ascii").strip()[:100] if submitted.kind(stamp) != "none" else ""
    except (Unreadable, ValueError, RecursionError):
        return None
    graded.mkdir(parents=True, exist_ok=True)
    for name, text in {f"{lesson}.ipynb": content, "timestamp.txt": time}.items():
        if text:
            with replaced(graded / name) as beside:
                beside.write_text(text, encoding="utf-8")
    return time or None


def _without_outputs(data: bytes) -> str:
    """Return a notebook without its outputs. Raise `ValueError` if it is not a notebook."""
    book: Any = msgspec.json.decode(data)
    if not isinstance(book, dict) or not isinstance(book.get("cells"), list) or not all(isinstance(cell, dict) for cell in book["cells"]):
        raise ValueError("not a notebook")
    for cell in book["cells"]:
        if cell.get("cell_type") == "code":
            cell["outputs"], cell["execution_count"] = [], None
        cell.pop("attachments", None)
    return json.dumps(book, ensure_ascii=False, indent=1) + "\n"
