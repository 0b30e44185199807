"""Canvas's gradebook CSV, as its "Import" takes it.

Canvas demands `Student` and `ID` first and `Section` last of what it knows of students, then a column `Title (id)` for each
assignment, and a row `Points Possible`. It finds students by number, then by login, then by name. A column whose title has no
number of an assignment becomes a new assignment: `--title forward="Noising (4711)"` names one that is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from autograder.export.sheet import Sheet, unjudged
from autograder.export.table import number, text, write_rows

WHAT = "Canvas's gradebook CSV"


def write(sheet: Sheet, path: Path) -> list[str]:
    """Write the CSV; say whom Canvas must find by name."""
    notes: list[str] = []
    write_rows(path, _rows(sheet, notes))
    return notes


def _rows(sheet: Sheet, notes: list[str]) -> Iterator[list[str]]:
    yield ["Student", "ID", "SIS Login ID", "Section", *(text(column.title) for column in sheet.columns)]
    yield ["    Points Possible", "", "", "", *(number(column.max_score) for column in sheet.columns)]
    nameless = 0
    for standing in sheet.rows():
        person, notes[:] = standing.person, [*notes, *unjudged(standing)]
        nameless += not (person.id or person.login)
        grades = [standing.grades.get(column.exercise) for column in sheet.columns]
        scores = [number(grade.final) if grade and grade.judged else "" for grade in grades]
        yield [text(person.student), text(person.id), text(person.login), text(person.section), *scores]
    if nameless:
        notes.append(f"{nameless} without Canvas's number or a login: Canvas finds these by name; a roster with `id` is safer")
