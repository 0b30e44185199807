"""What results count, as tables for other tools: Canvas, Moodle, a spreadsheet. The other formats have modules of their own."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from autograder.course.errors import UsageError
from autograder.course.files import write_csv
from autograder.course.symbols import html_of
from autograder.course.text import cell_text, clean, number, to_html
from autograder.instructor import feedback_exports, gradescope, nbgrader
from autograder.instructor.grades import Grade, StudentGrades
from autograder.instructor.outputs import exercise_feedback, unused_files
from autograder.instructor.sheet import Sheet, points_cell, unjudged

PERSON = ("student", "id", "email", "login", "section")
WHOLE = {"points": "given", "bonus": "bonus of", "deduction": "deduction of"}
_EMAIL = re.compile(r"[A-Za-z0-9_][^\s@]*@[^\s@]+")  # no spreadsheet takes one that begins so for a formula

Rows = Callable[[Sheet, list[str]], Iterator[list[str]]]  # of harmless cells; adds notes for the instructor to the list


def _write_csv(rows: Rows, sheet: Sheet, path: Path) -> list[str]:
    notes: list[str] = []
    write_csv(path, rows(sheet, notes))
    return notes


def _spreadsheet_rows(sheet: Sheet, notes: list[str]) -> Iterator[list[str]]:
    graded = [f"{column.title} {word}" for column in sheet.columns for word in ("graded", "counts", "of")]
    lessons = list(dict.fromkeys(column.lesson for column in sheet.columns))
    totals = lessons if len(lessons) > 1 else []
    yield [*PERSON, *map(cell_text, graded), *(cell_text(f"{lesson} percent") for lesson in totals), "percent", "passed", "remarks"]
    for student in sheet.rows():
        notes += unjudged(student)
        row = [cell_text(str(getattr(student.person, name))) for name in PERSON]
        for column in sheet.columns:
            row += _cells(student.grades.get(column.exercise), sheet)
        row += [number(student.percents[lesson]) if lesson in student.percents else "" for lesson in totals]
        percent = "" if student.percent is None else number(student.percent)
        passed = "" if student.passed is None else "yes" if student.passed else "no"
        yield [*row, percent, passed, cell_text("; ".join(_remarks(student)), 5_000)]


def _cells(grade: Grade | None, sheet: Sheet) -> list[str]:
    if grade is None:
        return ["", "", ""]
    graded = number(grade.result.score) if grade.result.status != "not_judged" else ""
    return [graded, points_cell(grade, sheet), number(grade.result.max_score)]


def _remarks(student: StudentGrades) -> Iterator[str]:
    if student.on_hold:
        yield "on hold"
    for name, grade in student.grades.items():
        if grade.result.status != "graded":
            yield f"{name} {grade.result.status.replace('_', ' ')}"
        if grade.days_late:
            yield f"{name} {grade.days_late} {'day' if grade.days_late == 1 else 'days'} late, takes {number(grade.penalty)}"
        yield from (f"{name}.{one.check} given {number(one.points)}: {one.reason}" for one in grade.overrides.values())
        for kind, one in grade.whole.items():
            yield f"{name} excused: {one.reason}" if kind == "excused" else f"{name} {WHOLE[kind]} {number(one.points)}: {one.reason}"


def _canvas_rows(sheet: Sheet, notes: list[str]) -> Iterator[list[str]]:
    yield ["Student", "ID", "SIS Login ID", "Section", *(cell_text(column.title) for column in sheet.columns)]
    yield ["    Points Possible", "", "", "", *(number(column.max_score) for column in sheet.columns)]
    nameless = 0
    for student in sheet.rows():
        notes += unjudged(student)
        person = student.person
        nameless += not (person.id or person.login)
        grades = [student.grades.get(column.exercise) for column in sheet.columns]
        scores = ["EX" if grade and grade.excused else points_cell(grade, sheet) for grade in grades]  # as Canvas reads it
        yield [*map(cell_text, (person.student, person.id, person.login, person.section)), *scores]
    if nameless:
        notes.append(f"{nameless} without Canvas's number or a login: Canvas finds them by name; a roster with `id` is safer")


def _moodle_rows(sheet: Sheet, notes: list[str]) -> Iterator[list[str]]:
    titles = [title for column in sheet.columns for title in (column.title, f"{column.title} (feedback)")]
    yield ["Full name", "Number", "Email address", *map(cell_text, titles)]
    nameless = 0
    for student in sheet.rows():
        notes += unjudged(student)
        person = student.person
        nameless += not person.email
        row = [cell_text(person.student), cell_text(person.id), person.email if _EMAIL.fullmatch(person.email) else cell_text(person.email)]
        for column in sheet.columns:
            grade = student.grades.get(column.exercise)
            row += [points_cell(grade, sheet), _moodle_feedback(grade, sheet)] if grade and grade.judged else ["", ""]
        yield row
    if nameless:
        notes.append(f"{nameless} without an e-mail address, which Moodle finds students by: grade with a --roster that has them")


def _moodle_feedback(grade: Grade, sheet: Sheet) -> str:
    """Write what a student may read about one exercise as a line of HTML; checks that passed are left out."""
    shown = exercise_feedback(grade, sheet.sections, sheet.policy)
    lines = [f"{shown.points}.", *shown.remarks, *unused_files([grade])]
    for check in shown.checks:
        if check.check.outcome != "passed" or check.override:
            title = f"{clean(check.check.title, 200)} ({check.points})."
            said = check.message if check.check.failure is None else (" ".join(check.message),)  # a question's parts are a line each
            lines += [" ".join((title, *said[:1])), *said[1:], *check.override]
    return "<br>".join(html_of(clean(line, 1_000)) for line in lines)


def _worksheet_rows(sheet: Sheet, notes: list[str]) -> Iterator[list[str]]:
    """Write Moodle's grading worksheet, with one grade: the points of the only exercise, or the total in percent.

    Moodle finds a student by the digits after "Participant ", skips a row without a grade but not its comment, and skips grades above the
    maximum or, unless told otherwise, older than its own. ID number and e-mail are for people (moodle/moodle,
    mod/assign/feedback/offline/importgradeslib.php and locallib.php: process_import_grades).
    """
    most = number(sheet.columns[0].max_score) if len(sheet.columns) == 1 else "100"
    numbers = feedback_exports.moodle_numbers(sheet)
    yield ["Identifier", "Full name", "ID number", "Email address", "Grade", "Maximum grade", "Last modified (grade)", "Feedback comments"]
    for student in feedback_exports.given_out(sheet, notes):
        person, grades = student.person, list(student.grades.values())
        percent = None if student.percent is None else number(student.percent)
        points = points_cell(grades[0], sheet) if len(sheet.columns) == 1 and grades and grades[0].judged else percent
        participant = numbers.participant(student)
        if not participant:
            notes.append(f"{clean(person.student, 60)}: left out, because Moodle's participant number is not known")
        elif points is not None:
            comments = "<br>".join(f"<b>{to_html(one.name)}</b>: {_moodle_feedback(one, sheet)}" for one in grades)
            facts = map(cell_text, (person.student, person.school_id, person.email))
            yield [f"Participant {participant}", *facts, points, most, "-", comments]
    notes.append(f"In Moodle, the maximum grade of the assignment has to be {most}")


FORMATS: dict[str, Callable[[Sheet, Path], list[str]]] = {  # each writes a class and returns notes for the instructor
    "canvas": partial(_write_csv, _canvas_rows),
    "moodle": partial(_write_csv, _moodle_rows),
    "moodle-worksheet": partial(_write_csv, _worksheet_rows),
    "moodle-feedback": feedback_exports.write_moodle,
    "canvas-feedback": feedback_exports.write_canvas,
    "mail": feedback_exports.write_mail,
    "csv": partial(_write_csv, _spreadsheet_rows),
    "gradescope": gradescope.write,
    "nbgrader": nbgrader.write,
}


def export(sheet: Sheet, to: str, path: Path) -> list[str]:
    """Write a class for another tool, and return notes for the instructor. Raise `UsageError` if it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return FORMATS[to](sheet, path)
    except (FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise UsageError(f"{path}: {error.strerror}", "choose a file that can be written with --out") from None
