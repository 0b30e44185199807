"""Results as plain files: `results.jsonl`, one line for a student and exercise, and `grades.csv` for a spreadsheet."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from autograder.course.errors import UsageError
from autograder.course.model import Policy, Result
from autograder.course.store import replaced
from autograder.course.text import cell, cell_text, clean, number
from autograder.instructor import gradescope, nbgrader
from autograder.instructor.grades import Grade, Sheet, StudentGrades, unjudged

COLUMNS = ("student", "lesson", "exercise", "status", "score", "max_score")


def write_jsonl(path: Path, results: Iterable[Result]) -> None:
    """Write each result as one line of JSON."""
    with replaced(path) as beside, beside.open("wb") as file:
        for result in results:
            file.write(msgspec.json.encode(result) + b"\n")


def write_csv(path: Path, results: Iterable[Result]) -> None:
    """Write the columns of the contract."""
    with replaced(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for result in results:
            writer.writerow([cell(getattr(result, name)) for name in COLUMNS])


def write_rows(path: Path, rows: Iterable[Iterable[str]]) -> None:
    """Write a CSV whose cells are harmless already."""
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
    """Write the CSV; say whom Canvas must find by name."""
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
        notes.append(f"{nameless} without Canvas's number or a login: Canvas finds these by name; a roster with `id` is safer")


_MOODLE_WHAT = "a CSV for Moodle's grade import"
_EMAIL = re.compile(r"[A-Za-z0-9_][^\s@]*@[^\s@]+")  # begins so that no spreadsheet takes it for a formula


def moodle_write(sheet: Sheet, path: Path) -> list[str]:
    """Write the CSV; say who has no e-mail."""
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
            row += [number(grade.final), feedback(grade, sheet.policy)] if grade and grade.judged else ["", ""]
        yield row
    if nameless:
        notes.append(f"{nameless} without an e-mail: Moodle finds students by it; grade with a --roster that has them")


def feedback(grade: Grade, policy: Policy) -> str:
    """Write what a student may read of one exercise as a line of HTML."""
    lines = [f"{number(grade.score)} of {number(grade.result.max_score)} points."]
    if grade.result.status == "missing":
        lines.append("Nothing was handed in.")
    if grade.penalty:
        lines.append(f"{number(grade.penalty)} points are taken for lateness: {number(grade.final)} count.")
    said: dict[str, str] = {}
    for check in grade.result.checks if policy.reveal != "nothing" else ():
        decided = grade.overrides.get(check.id)
        if check.outcome == "passed" and not decided:
            continue
        earned = decided.points if decided else check.points
        words = check.message if policy.reveal == "all" and check.message != said.get(check.outcome) else ""
        said[check.outcome] = check.message
        lines.append(f"{clean(check.title, 200)} ({number(earned)} of {number(check.max_points)}). {clean(words, 1_000)}".rstrip())
        if decided:
            lines.append(f"Your instructor gave {number(decided.points)}: {clean(decided.reason, 500)}")
    graded = {check.id for check in grade.result.checks}
    lines += [
        f"{number(one.points)} for {one.check}: {clean(one.reason, 500)}" for one in grade.overrides.values() if one.check not in graded
    ]
    return "<br>".join(html.escape(line, quote=False) for line in lines)


class Format(Struct, frozen=True):
    """One thing that results are exported to: what it is, and what writes it and returns lines for the instructor."""

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
    """Write a class for another tool. Raise `UsageError` where that cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        notes: list[str] = FORMATS[to].write(sheet, path)
    except (FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise UsageError(f"{path}: {error.strerror}", "choose a file that can be written with --out") from None
    return notes
