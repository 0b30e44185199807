"""Who is in the class: a CSV of one's own, or one that a platform exports, read by the names of its columns.

    name,id,email,login,section,due,handed in

Only a name is needed, or first and last name. `id` is the platform's number, `due` a time in place of the course's, and
`handed in` when the student handed in, where a platform knows it and its download does not say so. Both are times with a zone.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from autograder.errors import UsageError
from autograder.explain import clean
from autograder.intake.trees import text_of
from autograder.model import Person

LARGEST_ROSTER = 16 << 20
_COLUMNS = {
    "student": ("name", "student", "full name", "student name"),
    "first": ("first name", "firstname", "given name"),
    "last": ("last name", "lastname", "surname", "family name"),
    "id": ("id", "user id", "identifier", "student id", "id number"),
    "email": ("email", "e-mail", "email address", "e-mail address", "mail"),
    "login": ("login", "login id", "sis login id", "username", "user name", "github_username", "github username", "github"),
    "section": ("section", "group"),
    "due": ("due", "extension", "extended until"),
    "handed_in": ("handed in", "handed_in", "submitted at"),
}
_NAMED = {name: column for column, names in _COLUMNS.items() for name in names}
_EMAIL = re.compile(r"[A-Za-z0-9_][\w.!#$%&'*+/=?^`{|}~-]*@[\w.-]+")  # begins so that no spreadsheet takes it for a formula
_PARTICIPANT = re.compile(r"participant\s+(\d+)", re.IGNORECASE)


def read_roster(path: Path) -> list[Person]:
    """Read who is in the class. Raise `UsageError` with the line of the first thing that cannot be."""
    rows = list(_rows(path))
    if not rows:
        raise UsageError(f"{path}: the roster is empty", "begin it with a line of column names: name,id,email")
    columns = [_NAMED.get(name.strip().casefold().lstrip("\ufeff"), "") for name in rows[0][1]]
    if "student" not in columns and "last" not in columns:
        fix = f"name the columns in the first line: name,id,email,login,section,due; here are {clean(', '.join(rows[0][1]), 120)}"
        raise UsageError(f"{path}:1: no column `name`", fix)
    people = [_person(path, line, columns, row) for line, row in rows[1:] if any(cell.strip() for cell in row) and not _points_row(row)]
    return _apart(people)


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    text = _text(path)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        return [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise UsageError(f"{path}:{reader.line_num}: {error}", "save the roster as plain CSV") from None


def _text(path: Path) -> str:
    """Read text as spreadsheets write it: UTF-8, UTF-16 with its mark, or else the code page of Windows."""
    try:
        if path.stat().st_size > LARGEST_ROSTER:
            raise UsageError(f"{path}: larger than {LARGEST_ROSTER >> 20} MiB", "give a CSV with one line for each student")
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "give the CSV that names the class") from None
    if data[:4] == b"PK\x03\x04":
        raise UsageError(f"{path}: a spreadsheet, not a CSV", "save it as CSV")
    for encoding in ("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UsageError(f"{path}: not text", "save the roster as plain CSV in UTF-8")


def _points_row(row: list[str]) -> bool:
    """Tell the row of points that Canvas puts below its columns, and the one that is empty but for a remark."""
    return row[0].strip() in ("Points Possible", "") and not any("@" in cell for cell in row)


def _person(path: Path, line: int, columns: list[str], row: list[str]) -> Person:
    cells = [(column, text_of(cell.strip())) for column, cell in zip(columns, row, strict=False) if column and cell.strip()]
    said = dict(sorted(cells, key=lambda cell: bool(_PARTICIPANT.fullmatch(cell[1]))))  # last, so kept: what Moodle's files are named by
    name = said.get("student") or " ".join(filter(None, (said.get("first"), said.get("last")))) or said.get("id", "")
    if not name:
        raise UsageError(f"{path}:{line}: this line has no name", "give every student a name, or remove the line")
    if said.get("email") and not _EMAIL.fullmatch(said["email"]):
        raise UsageError(f"{path}:{line}: `{clean(said['email'], 60)}` is no e-mail address", "mend it, or leave it empty")
    number = _PARTICIPANT.fullmatch(said.get("id", ""))
    return Person(
        student=name,
        id=number[1] if number else said.get("id", ""),
        email=said.get("email", ""),
        login=said.get("login", ""),
        section=said.get("section", ""),
        due=_moment(path, line, "due", said),
        handed_in=_moment(path, line, "handed_in", said),
    )


def _moment(path: Path, line: int, column: str, said: dict[str, str]) -> datetime | None:
    if column not in said:
        return None
    try:
        moment = datetime.fromisoformat(said[column])
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        problem = f"`{clean(said[column], 40)}` is no time with its zone"
        raise UsageError(f"{path}:{line}: {problem}", "write it like 2026-11-20 23:59+01:00")
    return moment


def _apart(people: list[Person]) -> list[Person]:
    """Keep people of one name apart: by number, login or e-mail, and else by their place."""
    often = Counter(person.student for person in people)
    kept: dict[str, Person] = {}
    for place, person in enumerate(people, 1):
        name = person.student
        if often[name] > 1:
            name = f"{name} ({person.id or person.login or person.email or place})"
        kept[name] = replace(person, student=name)
    return list(kept.values())
