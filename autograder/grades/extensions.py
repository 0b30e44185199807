"""Who has more time: `OUT/extensions.csv`, which is read again whenever grades are counted.

    student,due,exercise
    Ada Lovelace,2026-11-27 23:59+01:00,forward

`student` is a name, number, login or e-mail as the roster has it; without an exercise the time holds for all of them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path

from autograder.errors import UsageError
from autograder.explain import clean
from autograder.grades.people import known_as
from autograder.model import Person

COLUMNS = ("student", "due", "exercise")


def read_extensions(path: Path, people: Mapping[str, Person]) -> dict[tuple[str, str], datetime]:
    """Read extensions by student and exercise, "" for all. Raise `UsageError` with the line of what cannot be."""
    if not path.exists():
        return {}
    try:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error):
        raise UsageError(f"{path}: not a CSV in UTF-8", f"begin it with a line of column names: {','.join(COLUMNS)}") from None
    header = [cell.strip().casefold() for cell in rows[0]] if rows else []
    if not {"student", "due"} <= set(header):
        raise UsageError(f"{path}:1: no columns `student` and `due`", f"begin it with a line of column names: {','.join(COLUMNS)}")
    known = known_as(people)
    found = {}
    for line, row in enumerate(rows[1:], 2):
        said = {column: cell.strip() for column, cell in zip(header, row, strict=False)}
        if any(said.values()):
            who = said.get("student", "")
            found[known.get(who.casefold(), who), said.get("exercise", "")] = _moment(path, line, said.get("due", ""))
    return found


def unmet(extensions: Iterable[tuple[str, str]], students: Collection[str], exercises: Collection[str]) -> Iterator[str]:
    """Say of each extension that meets nobody here, or no exercise, whom or what it names: a slip of the pen would cost a student."""
    for student, exercise in extensions:
        if student not in students:
            yield f"extensions.csv: nobody here is `{clean(student, 60)}`{_meant(student, students)}"
        elif exercise and exercise not in exercises:
            yield f"extensions.csv: no exercise `{clean(exercise, 60)}`, of {clean(student, 60)}{_meant(exercise, exercises)}"


def _meant(word: str, known: Collection[str]) -> str:
    small = {one.casefold(): one for one in sorted(known)}
    close = get_close_matches(word.casefold(), small, n=1)
    return f"; did you mean {clean(small[close[0]], 60)}?" if close else ""


def _moment(path: Path, line: int, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UsageError(f"{path}:{line}: `{clean(text, 40)}` is no time with its zone", "write it like 2026-11-27 23:59+01:00")
    return moment
