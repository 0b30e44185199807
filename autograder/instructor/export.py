"""What results count, exported for other tools: Canvas, Moodle, a spreadsheet; Gradescope and nbgrader have files of their own."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from autograder.course.errors import UsageError
from autograder.course.store import replaced
from autograder.course.text import cell_text, clean, number, to_html
from autograder.instructor import gradescope, nbgrader
from autograder.instructor.grades import Grade, Sheet, StudentGrades, unjudged
from autograder.instructor.outputs import exercise_feedback


def write_rows(path: Path, rows: Iterable[Iterable[str]]) -> None:
    """Write a CSV; its cells are harmless already."""
    with replaced(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


_SPREADSHEET_WHAT = "a table with what was graded and what counts"
PERSON = ("student", "id", "email", "login", "section")


def spreadsheet_write(sheet: Sheet, path: Path) -> list[str]:
    """Write one line for each student."""
    notes: list[str] = []
    write_rows(path, _spreadsheet_rows(sheet, notes))
    return notes


def _spreadsheet_rows(sheet: Sheet, notes: list[str]) -> Iterator[list[str]]:
    graded = [word for column in sheet.columns for word in (f"{column.title} graded", f"{column.title} counts", f"{column.title} of")]
    yield [*PERSON, *(cell_text(word) for word in graded), "percent", "passed", "remarks"]
    for standing in sheet.rows():
        notes += unjudged(standing)
        row = [cell_text(str(getattr(standing.person, name))) for name in PERSON]
        for column in sheet.columns:
            row += _cells(standing.grades.get(column.exercise))
        yield [*row, *_whole(standing), cell_text(_remarks(standing), 5_000)]


def _cells(grade: Grade | None) -> list[str]:
    if grade is None:
        return ["", "", ""]
    graded = number(grade.result.score) if grade.result.status != "not_judged" else ""
    return [graded, number(grade.final) if grade.judged else "", number(grade.result.max_score)]


def _whole(standing: StudentGrades) -> list[str]:
    percent = "" if standing.percent is None else number(standing.percent)
    return [percent, "" if standing.passed is None else "yes" if standing.passed else "no"]


def _remarks(standing: StudentGrades) -> str:
    remarks = []
    for name, grade in standing.grades.items():
        if grade.result.status != "graded":
            remarks.append(f"{name} {grade.result.status.replace('_', ' ')}")
        if grade.days_late:
            remarks.append(f"{name} {grade.days_late} {'day' if grade.days_late == 1 else 'days'} late, takes {number(grade.penalty)}")
        remarks += [f"{name}.{one.check} given {number(one.points)}: {one.reason}" for one in grade.overrides.values()]
    return "; ".join(remarks)


_CANVAS_WHAT = "Canvas's gradebook CSV"


def canvas_write(sheet: Sheet, path: Path) -> list[str]:
    """Write the CSV; note the students whom Canvas can only find by name."""
    notes: list[str] = []
    write_rows(path, _canvas_rows(sheet, notes))
    return notes


def _canvas_rows(sheet: Sheet, notes: list[str]) -> Iterator[list[str]]:
    yield ["Student", "ID", "SIS Login ID", "Section", *(cell_text(column.title) for column in sheet.columns)]
    yield ["    Points Possible", "", "", "", *(number(column.max_score) for column in sheet.columns)]
    nameless = 0
    for standing in sheet.rows():
        person, notes[:] = standing.person, [*notes, *unjudged(standing)]
        nameless += not (person.id or person.login)
        grades = [standing.grades.get(column.exercise) for column in sheet.columns]
        scores = [number(grade.final) if grade and grade.judged else "" for grade in grades]
        yield [cell_text(person.student), cell_text(person.id), cell_text(person.login), cell_text(person.section), *scores]
    if nameless:
        notes.append(f"{nameless} without Canvas's number or a login: Canvas finds them by name; a roster with `id` is safer")


_MOODLE_WHAT = "a CSV for Moodle's grade import"
_EMAIL = re.compile(r"[A-Za-z0-9_][^\s@]*@[^\s@]+")  # no spreadsheet takes one that begins so for a formula


def moodle_write(sheet: Sheet, path: Path) -> list[str]:
    """Write the CSV; note the students without an e-mail address."""
    notes: list[str] = []
    write_rows(path, _moodle_rows(sheet, notes))
    return notes


def _moodle_rows(sheet: Sheet, notes: list[str]) -> Iterator[list[str]]:
    titles = [title for column in sheet.columns for title in (column.title, f"{column.title} (feedback)")]
    yield ["Full name", "Number", "Email address", *(cell_text(title) for title in titles)]
    nameless = 0
    for standing in sheet.rows():
        person, notes[:] = standing.person, [*notes, *unjudged(standing)]
        nameless += not person.email
        row = [cell_text(person.student), cell_text(person.id), person.email if _EMAIL.fullmatch(person.email) else cell_text(person.email)]
        for column in sheet.columns:
            grade = standing.grades.get(column.exercise)
            row += [number(grade.final), moodle_feedback(grade, sheet)] if grade and grade.judged else ["", ""]
        yield row
    if nameless:
        notes.append(f"{nameless} without an e-mail address, which Moodle finds students by: grade with a --roster that has them")


def moodle_feedback(grade: Grade, sheet: Sheet) -> str:
    """Write what a student may read about one exercise as a line of HTML; checks that passed are left out."""
    told = exercise_feedback(grade, sheet.sections, sheet.policy)
    lines = [f"{told.points}.", *told.remarks]
    for check in told.checks:
        if check.check.outcome != "passed" or check.override:
            message = () if check.repeated else check.message
            lines += [" ".join((f"{clean(check.check.title, 200)} ({check.points}).", *message)), *check.override]
    return "<br>".join(to_html(clean(line, 1_000)) for line in lines)


class Format(Struct, frozen=True):
    """One export format: what it is, and a function that writes it and returns notes for the instructor."""

    what: str
    write: Callable[[Sheet, Path], list[str]]


FORMATS = {
    "canvas": Format(_CANVAS_WHAT, canvas_write),
    "moodle": Format(_MOODLE_WHAT, moodle_write),
    "csv": Format(_SPREADSHEET_WHAT, spreadsheet_write),
    "gradescope": Format(gradescope.WHAT, gradescope.write),
    "nbgrader": Format(nbgrader.WHAT, nbgrader.write),
}


def export(sheet: Sheet, to: str, path: Path) -> list[str]:
    """Write a class for another tool, and return notes for the instructor. Raise `UsageError` if it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        notes: list[str] = FORMATS[to].write(sheet, path)
    except (FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise UsageError(f"{path}: {error.strerror}", "choose a file that can be written with --out") from None
    return notes
