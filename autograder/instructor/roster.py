"""Who is in the class: a CSV of one's own, or one that a platform exports, read by the names of its columns.

    name,id,email,login,section,due,handed in

Only a name is needed, or first and last name. `id` is the platform's number, `due` a time in place of the course's, and
`handed in` when the student handed in, where a platform knows it and its download does not say so. Both are times with a zone.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path

from msgspec.structs import replace

from autograder.course.errors import UsageError
from autograder.course.model import Person
from autograder.course.text import clean
from autograder.instructor.file_tree import text_of
from autograder.instructor.uploads import Student, Upload

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


def join(students: list[Student], people: list[Person]) -> tuple[list[Student], list[str]]:
    """Give the class: who is in the roster, with what they handed in, and who handed in and is not in it; and lines about these."""
    known, notes = _keys(people), []
    owned: dict[str, list[Student]] = {person.student: [] for person in people}
    strangers = []
    for student in students:
        person = next((known[key] for key in _keys_of_student(student) if key in known), None)
        if person:
            owned[person.student].append(student)
        else:
            strangers.append(student)
            notes.append(f"{student.name}: handed in, and is not in the roster")
    joined = []
    for person in people:
        own = owned[person.student]
        joined.append(_joined(person, own[-1:]))
        if len(own) > 1:
            notes.append(f"{person.student}: handed in as {', '.join(one.name for one in own)}; the last of these is taken")
    return [*joined, *(_renamed(one, owned) for one in strangers)], notes


def _joined(person: Person, own: list[Student]) -> Student:
    uploads = own[0].uploads if own else ()
    if person.handed_in and uploads:
        uploads = (*uploads[:-1], _at(uploads[-1], person))
    return Student(person.student, uploads, person.id or (own[0].id if own else ""), person.login)


def _at(hand_in: Upload, person: Person) -> Upload:
    return replace(hand_in, facts=replace(hand_in.facts, at=person.handed_in))


def _renamed(stranger: Student, taken: Iterable[str]) -> Student:
    return replace(stranger, name=f"{stranger.name} (not in the roster)") if stranger.name in taken else stranger


def _keys(people: list[Person]) -> dict[str, Person]:
    """List what people are known by; what two share is nobody's."""
    pairs = [(key, person) for person in people for key in set(_keys_of_person(person))]
    often = Counter(key for key, _ in pairs)
    return {key: person for key, person in pairs if often[key] == 1}


def _keys_of_person(person: Person) -> Iterator[str]:
    yield from (f"exactly {word.casefold()}" for word in (person.id, person.login, person.email, person.student) if word)
    yield f"letters {letters(person.student)}"
    *first, last = person.student.replace(",", " ").split() or [""]
    yield f"letters {letters(last + ''.join(first))}"


def _keys_of_student(student: Student) -> Iterator[str]:
    words = [student.id, student.login, student.name, *student.aliases]
    yield from (f"exactly {word.casefold()}" for word in words if word)
    yield from (f"letters {letters(word)}" for word in words[2:] if letters(word))


def letters(name: str) -> str:
    """Give a name as Canvas writes it into files: its letters and digits alone, small, accents composed."""
    return "".join(c for c in unicodedata.normalize("NFC", name).casefold() if c.isalnum())


def known_as(people: Mapping[str, Person]) -> dict[str, str]:
    """Give students by the words they are known by, in small letters; what two share means nobody."""
    words = [(word.casefold(), one.student) for one in people.values() for word in {one.student, one.id, one.login, one.email} if word]
    often = Counter(word for word, _ in words)
    return {word: student for word, student in words if often[word] == 1}


def find_student(word: str, names: Iterable[str], people: Mapping[str, Person]) -> str:
    """Find who is meant by a name, number, login or e-mail. Raise `UsageError` with who may be meant."""
    graded = list(names)
    if word in graded:
        return word
    known = {name.casefold(): name for name in graded} | {w: s for w, s in known_as(people).items() if s in graded}
    if word.casefold() in known:
        return known[word.casefold()]
    close = get_close_matches(word.casefold(), known, n=3, cutoff=0.5)
    meant = ", ".join(dict.fromkeys(known[each] for each in close))
    raise UsageError(f"no student `{word}` was graded here", f"did you mean {meant}?" if meant else "give the name that grades.csv has")


def file_slug(student: str) -> str:
    """Name a student's files: a slug that any file system takes, and a hash that keeps two of them apart."""
    plain = unicodedata.normalize("NFKD", student).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "student"
    return f"{slug}-{hashlib.sha256(student.encode()).hexdigest()[:8]}"


def feedback_name(student: str) -> str:
    """Name a student's file."""
    return f"{file_slug(student)}.md"
