"""The class list: a CSV of your own, or one that a platform exports, read by the names of its columns.

    name,id,email,login,section,due,handed in

Only a name is required, or a first and a last name. `id` is the platform's number; `due` replaces the course's due date for one
student; `handed in` is when they submitted, if the platform knows it but its download does not say so. Both are times with a zone.
Students are matched by number, login, e-mail or name; what two people share matches neither.
"""

import csv
import hashlib
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from autograder.course.errors import UsageError
from autograder.course.text import clean
from autograder.instructor.file_tree import text_of
from autograder.instructor.uploads import Student

V = TypeVar("V")
LARGEST_ROSTER = 16 << 20  # bytes
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


class Person(Struct, frozen=True):
    """One student as in the roster or the platform's file names; `student` is the name in results."""

    student: str
    id: str = ""
    email: str = ""
    login: str = ""
    section: str = ""
    due: datetime | None = None  # instead of the course's
    handed_in: datetime | None = None  # if the roster says so


def read_roster(path: Path) -> list[Person]:
    """Read who is in the class. Raise `UsageError` with the line of the first mistake."""
    rows = read_csv(path)
    if not rows:
        raise UsageError(f"{path}: the roster is empty", "begin it with a line of column names: name,id,email")
    columns = [_NAMED.get(name.strip().casefold().lstrip("\ufeff"), "") for name in rows[0][1]]
    if "student" not in columns and "last" not in columns:
        fix = f"name the columns in the first line: name,id,email,login,section,due; this file has {clean(', '.join(rows[0][1]), 120)}"
        raise UsageError(f"{path}:1: no column `name`", fix)
    people = [_person(path, line, columns, row) for line, row in rows[1:] if any(cell.strip() for cell in row) and not _points_row(row)]
    return _distinct(people)


def read_csv(path: Path) -> list[tuple[int, list[str]]]:
    """Read the rows of a CSV with their line numbers; the separator may be a comma, a semicolon or a tab."""
    text = _text(path)
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count))
    try:
        return [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise UsageError(f"{path}:{reader.line_num}: {error}", "save it as plain CSV in UTF-8") from None


def read_time(path: Path, line: int, text: str) -> datetime:
    """Read a time that says its zone. Raise `UsageError` with the line."""
    with suppress(ValueError):
        if (time := datetime.fromisoformat(text)).tzinfo:
            return time
    raise UsageError(f"{path}:{line}: `{clean(text, 40)}` is not a time with a zone", "write it like 2026-11-20 23:59+01:00")


def _text(path: Path) -> str:
    """Decode a file as spreadsheets write it: UTF-8, UTF-16 with its mark, or else Windows' code page."""
    try:
        if path.stat().st_size > LARGEST_ROSTER:
            raise UsageError(f"{path}: larger than {LARGEST_ROSTER >> 20} MiB", "give a CSV with one line for each student")
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "give a CSV with one line for each student") from None
    if data[:4] == b"PK\x03\x04":
        raise UsageError(f"{path}: a spreadsheet, not a CSV", "save it as CSV")
    for encoding in ("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "cp1252"):
        with suppress(UnicodeDecodeError):
            return data.decode(encoding)
    raise UsageError(f"{path}: not text", "save it as plain CSV in UTF-8")


def _points_row(row: list[str]) -> bool:
    """Whether this is the row of points that Canvas writes below its columns, or its row with nothing but a remark."""
    return row[0].strip() in ("Points Possible", "") and not any("@" in cell for cell in row)


def _person(path: Path, line: int, columns: list[str], row: list[str]) -> Person:
    cells = [(column, text_of(cell.strip())) for column, cell in zip(columns, row, strict=False) if column and cell.strip()]
    known = dict(sorted(cells, key=lambda cell: bool(_PARTICIPANT.fullmatch(cell[1]))))  # last, so kept: Moodle's files carry it
    name = known.get("student") or " ".join(filter(None, (known.get("first"), known.get("last")))) or known.get("id", "")
    if not name:
        raise UsageError(f"{path}:{line}: this line has no name", "give every student a name, or remove the line")
    if known.get("email") and not _EMAIL.fullmatch(known["email"]):
        raise UsageError(f"{path}:{line}: `{clean(known['email'], 60)}` is not an e-mail address", "correct it, or leave it empty")
    if number := _PARTICIPANT.fullmatch(known.get("id", "")):
        known["id"] = number[1]
    facts: dict[str, Any] = {column: known[column] for column in ("id", "email", "login", "section") if column in known}
    facts |= {column: read_time(path, line, known[column]) for column in ("due", "handed_in") if column in known}
    return Person(name, **facts)


def _distinct(people: list[Person]) -> list[Person]:
    """Add a number, login or e-mail to names that several people have, or else their position."""
    often = Counter(person.student for person in people)
    kept: dict[str, Person] = {}
    for position, person in enumerate(people, 1):
        mark = f" ({person.id or person.login or person.email or position})" if often[person.student] > 1 else ""
        kept[person.student + mark] = replace(person, student=person.student + mark)
    return list(kept.values())


def join(students: list[Student], people: Sequence[Person]) -> tuple[list[Student], list[str]]:
    """Match uploads with the roster. Return everyone in it, then students who are not in it; and notes for the instructor."""
    known = _unique((key, person) for person in people for key in set(_person_keys(person)))
    matched: dict[str, list[Student]] = {person.student: [] for person in people}
    strangers, notes = [], []
    for student in students:
        if person := next((known[key] for key in _student_keys(student) if key in known), None):
            matched[person.student].append(student)
        else:
            name = f"{student.name} (not in the roster)" if student.name in matched else student.name
            strangers.append(replace(student, name=name))
            notes.append(f"{student.name}: submitted, but is not in the roster")
    for name, own in matched.items():
        if len(own) > 1:
            notes.append(f"{name}: submitted as {', '.join(one.name for one in own)}; only the last is graded")
    return [*(_as_person(person, matched[person.student]) for person in people), *strangers], notes


def _as_person(person: Person, own: list[Student]) -> Student:
    student = own[-1] if own else Student(person.student)
    uploads = student.uploads
    if person.handed_in and uploads:
        *earlier, last = uploads
        uploads = (*earlier, replace(last, facts=replace(last.facts, at=person.handed_in)))
    return Student(person.student, uploads, person.id or student.id, person.login)


def _unique(pairs: Iterable[tuple[str, V]]) -> dict[str, V]:
    """Make a dictionary without the keys that occur twice."""
    listed = list(pairs)
    often = Counter(key for key, _ in listed)
    return {key: value for key, value in listed if often[key] == 1}


def _person_keys(person: Person) -> Iterator[str]:
    yield from (f"exactly {word.casefold()}" for word in (person.id, person.login, person.email, person.student) if word)
    yield f"letters {letters(person.student)}"
    *first, last = person.student.replace(",", " ").split() or [""]
    yield f"letters {letters(last + ''.join(first))}"


def _student_keys(student: Student) -> Iterator[str]:
    words = [student.id, student.login, student.name, *student.aliases]
    yield from (f"exactly {word.casefold()}" for word in words if word)
    yield from (f"letters {letters(word)}" for word in words[2:] if letters(word))


def letters(name: str) -> str:
    """Return a name as Canvas writes it into file names: only letters and digits, lower case, accents composed."""
    return "".join(c for c in unicodedata.normalize("NFC", name).casefold() if c.isalnum())


def known_as(people: Mapping[str, Person]) -> dict[str, str]:
    """Map every name, number, login and e-mail, in lower case, to its student."""
    return _unique(
        (word, person.student)
        for person in people.values()
        for word in {word.casefold() for word in (person.student, person.id, person.login, person.email) if word}
    )


def find_student(word: str, names: Iterable[str], people: Mapping[str, Person]) -> str:
    """Find a graded student by name, number, login or e-mail. Raise `UsageError` with similar names."""
    graded = set(names)
    if word in graded:
        return word
    known = {name.casefold(): name for name in sorted(graded)} | {key: name for key, name in known_as(people).items() if name in graded}
    if word.casefold() in known:
        return known[word.casefold()]
    close = get_close_matches(word.casefold(), known, n=3, cutoff=0.5)
    similar = ", ".join(dict.fromkeys(known[key] for key in close))
    raise UsageError(f"no student `{word}` was graded here", f"did you mean {similar}?" if similar else "use the name in grades.csv")


def file_slug(student: str) -> str:
    """Name a student's files: a slug that every file system accepts, and a hash that makes it unique."""
    plain = unicodedata.normalize("NFKD", student).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "student"
    return f"{slug}-{hashlib.sha256(student.encode()).hexdigest()[:8]}"
