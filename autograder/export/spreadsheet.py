"""A table for people: for each exercise what the grader gave and what counts, the whole, and why they differ."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from autograder.export.sheet import Sheet, unjudged
from autograder.export.table import number, text, write_rows
from autograder.grades.counting import Grade, Standing

WHAT = "a table with what was graded and what counts"
PERSON = ("student", "id", "email", "login", "section")


def write(sheet: Sheet, path: Path) -> list[str]:
    """Write one line for each student."""
    notes: list[str] = []
    write_rows(path, _rows(sheet, notes))
    return notes


def _rows(sheet: Sheet, notes: list[str]) -> Iterator[list[str]]:
    graded = [word for column in sheet.columns for word in (f"{column.title} graded", f"{column.title} counts", f"{column.title} of")]
    yield [*PERSON, *(text(word) for word in graded), "percent", "passed", "remarks"]
    for standing in sheet.rows():
        notes += unjudged(standing)
        row = [text(str(getattr(standing.person, name))) for name in PERSON]
        for column in sheet.columns:
            row += _cells(standing.grades.get(column.exercise))
        yield [*row, *_whole(standing), text(_remarks(standing), 5_000)]


def _cells(grade: Grade | None) -> list[str]:
    if grade is None:
        return ["", "", ""]
    graded = number(grade.result.score) if grade.result.status != "not_judged" else ""
    return [graded, number(grade.final) if grade.judged else "", number(grade.result.max_score)]


def _whole(standing: Standing) -> list[str]:
    percent = "" if standing.percent is None else number(standing.percent)
    return [percent, "" if standing.passed is None else "yes" if standing.passed else "no"]


def _remarks(standing: Standing) -> str:
    remarks = []
    for name, grade in standing.grades.items():
        if grade.result.status != "graded":
            remarks.append(f"{name} {grade.result.status.replace('_', ' ')}")
        if grade.days_late:
            remarks.append(f"{name} {grade.days_late} {'day' if grade.days_late == 1 else 'days'} late, takes {number(grade.penalty)}")
        remarks += [f"{name}.{one.check} given {number(one.points)}: {one.reason}" for one in grade.decided.values()]
    return "; ".join(remarks)
