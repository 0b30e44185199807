"""The class list: a CSV of your own, or one that a platform exports, read by the names of its columns.

    name,id,email,login,section,due,handed in

Only a name is required, or a first and a last name. `id` is the platform's number, and `student id` the school's; `due` replaces the
course's due date for one student; `handed in` is when they submitted, if the platform knows it but its download does not say so.
No cell aborts the class: what cannot be read is left out, with a note. How uploads are matched with people is in `intake`.
"""

import csv
import hashlib
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from autograder.course.errors import UsageError
from autograder.course.text import NoZone, clean, read_time
from autograder.instructor.file_tree import text_of

K = TypeVar("K")
V = TypeVar("V")
LARGEST_ROSTER = 16 << 20  # bytes
HEADER_WITHIN = 20  # lines
_COLUMNS = {  # as Canvas, Moodle, Brightspace, Blackboard, Gradescope and GitHub Classroom name them, and in other languages
    "student": "name; student; full name; student name; display name; teilnehmer; vollständiger name; nom complet; nombre completo",
    "first": "first name; firstname; given name; vorname; prénom; nombre",
    "last": "last name; lastname; surname; family name; nachname; familienname; nom de famille; apellido(s); apellidos",
    "id": "id; user id; canvas user id; canvas_user_id",
    "participant": "identifier; bezeichner; participant number",
    "school_id": "student id; studentid; student number; id number; sis user id; user_id; sid; orgdefinedid; org defined id; "
    "university id; matrikelnummer; matr.-nr.; matrikel-nr.; matrikelnr.; matrikelnr; id-nummer; número de id; numéro d'identification",
    "email": "email; e-mail; email address; e-mail address; mail; e-mail-adresse; emailadresse; adresse de courriel; dirección de correo",
    "login": "login; login id; login_id; sis login id; username; user name; github_username; github username; github; "
    "benutzername; anmeldename; nutzername; kennung; nom d'utilisateur",
    "section": "section; sections; section(s); sektion; kurs",
    "group": "group; groups; group name; group_name; group code; team; teams; gruppe; gruppen",
    "members": "members; mitglieder",
    "due": "due; extension; extended until; fällig",
    "handed_in": "handed in; handed_in; submitted at; last modified (submission); zuletzt geändert (abgabe); date submitted",
    "status": "status",
    "exercise": "exercise",
}
WHO = {"student", "id", "participant", "school_id", "email", "login"}  # the columns that can name a student
_NAMED = {name.strip(): column for column, names in _COLUMNS.items() for name in names.split(";")}
_EMAIL = re.compile(r"[A-Za-z0-9_][\w.!#$%&'*+/=?^`{|}~-]*@[\w.-]+")  # begins so that no spreadsheet takes it for a formula
_NUMBERED = re.compile(r"\A[^\W\d_][^\d]*?\s?(\d+)\Z")  # "Participant 8001", in any language
_NOTHING = {"", "-", "–", "none", "(none)", "n/a", "na", "null", "nan", "(empty)", "keine", "."}
_PEOPLE = r"(?:students?|participants?|teilnehmer\w*|users?|rows?|records?)"
_FOOTER = re.compile(
    rf"(?:total|sum|summe|gesamt|count|anzahl|average|mean|durchschnitt)(?:[\s:=\d.,%()/]|{_PEOPLE}|of|von|number|points|punkte)*"
    rf"|(?:exported|generated|created|printed|erstellt|exportiert|stand|page|seite)\b.*[:\d].*|\d+ {_PEOPLE}",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"[\d.,%/ ]+")
_TEST_STUDENTS = ("student, test", "test student", "teststudent")  # Canvas's and Moodle's views of a course as a student
_LATE = re.compile(  # as Moodle's worksheet says it, in English and German
    r"(?:(\d+) (?:days?|tage?))? ?(?:(\d+) (?:hours?|stunden?))? ?(?:(\d+) (?:mins?|minuten?))?(?: ?\d+ (?:secs?|sekunden?))? ?"
    r"(?:late|zu spät|verspätet)",
    re.IGNORECASE,
)
_EXTENDED = re.compile(r"(?:extension granted until|verlängerung bis):?\s*(.+)", re.IGNORECASE)


class Person(Struct, frozen=True):
    """One student as in the roster or the platform's file names; `student` is the name in results."""

    student: str
    id: str = ""  # the platform's number
    email: str = ""
    login: str = ""
    section: str = ""
    due: datetime | None = None  # instead of the course's
    handed_in: datetime | None = None  # if the roster says so
    school_id: str = ""
    group: str = ""
    aliases: tuple[str, ...] = ()  # other e-mail addresses
    late: bool | None = None  # if the roster says so, and how much
    minutes_late: int = 0
    participant: str = ""  # Moodle's number in one assignment
    due_of: dict[str, datetime | None] = {}  # what the roster said when each exercise was graded
    key: str = ""  # that the gradebook knows them by for ever; empty: `student`
    former: tuple[str, ...] = ()  # names that they had in results

    @property
    def known_by(self) -> str:
        return self.key or self.student


class Roster(Struct, frozen=True):
    """Who is in the class, and notes for the instructor: what was left out or merged."""

    people: list[Person] = []
    notes: tuple[str, ...] = ()


class Table(Struct, frozen=True):
    """The rows below a line of known column names: the number of its line, and its cells by column."""

    path: Path
    columns: set[str]
    rows: list[tuple[int, dict[str, str]]]
    heading: tuple[str, ...]


def read_roster(path: Path, zone: tzinfo | None = None) -> Roster:
    """Read who is in the class; times without a zone are in `zone`. Raise `UsageError` if it is no class list."""
    table = read_table(path)
    if not table.heading:
        raise UsageError(f"{path}: the roster is empty", "begin it with a line of column names: name,id,email")
    if not table.columns & {"student", "last", "group"}:
        fix = f"name the columns in the first line: name,id,email,login,section,due; this file has {clean(', '.join(table.heading), 120)}"
        raise UsageError(f"{path}:1: no column `name`", fix)
    notes: list[str] = []
    people = [person for line, cells in table.rows for person in _people(path, line, cells, zone, notes)]
    return Roster(_distinct(_merged(people, path, notes)), tuple(notes))


def read_table(path: Path) -> Table:
    """Read a CSV by its columns' names. The separator may be a comma, a semicolon or a tab, and a title may stand above the names."""
    text = _text(path)
    tried = [_rows(path, text, separator) for separator in ",;\t"]
    places = [_heading(rows) for rows in tried]
    rows, place = max(zip(tried, places, strict=True), key=lambda one: len(_columns(one[0][one[1]][1])) if one[0] else 0)
    if not rows:
        return Table(path, set(), [], ())
    columns = _columns(rows[place][1])
    listed = [(line, _cells(columns, row)) for line, row in rows[place + 1 :]]
    return Table(path, set(columns.values()), [(line, cells) for line, cells in listed if cells], tuple(rows[place][1]))


def _rows(path: Path, text: str, separator: str) -> list[tuple[int, list[str]]]:
    if re.match(r"sep=.\r?\n", text):
        text = "\n" + text.split("\n", 1)[1]
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
        if not any("\n" in row[0] for _, row in rows):
            return rows
        reader = csv.reader(io.StringIO(text), delimiter=separator, quoting=csv.QUOTE_NONE)  # a quote that nobody closed
        return [(reader.line_num, [cell.strip('"') for cell in row]) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise UsageError(f"{path}:{reader.line_num}: {error}", "save it as plain CSV in UTF-8") from None


def _heading(rows: list[tuple[int, list[str]]]) -> int:
    """Return which of the first rows has the most known column names."""
    return max(range(len(rows[:HEADER_WITHIN])), key=lambda place: len(_columns(rows[place][1])), default=0)


def _columns(row: list[str]) -> dict[int, str]:
    """Return the known columns by place. `Name` beside a first name is the last name."""
    names = [" ".join(name.strip().casefold().lstrip("\ufeff").rstrip(":*").split()) for name in row]
    found = {place: _NAMED[name] for place, name in enumerate(names) if name in _NAMED}
    if "first" in found.values() and "last" not in found.values():
        found |= {place: "last" for place, column in found.items() if column == "student"}
    return found


def _cells(columns: dict[int, str], row: list[str]) -> dict[str, str]:
    """Return what a row says in each column, without what stands for nothing."""
    cells: dict[str, str] = {}
    for place, column in columns.items():
        cell = text_of(row[place].strip()) if place < len(row) else ""
        if cell.casefold() not in _NOTHING:
            cells.setdefault(column, cell)
    return cells


def _text(path: Path) -> str:
    """Decode a file as spreadsheets write it: UTF-8, UTF-16 with its mark or without, or else Windows' code page."""
    try:
        if path.stat().st_size > LARGEST_ROSTER:
            raise UsageError(f"{path}: larger than {LARGEST_ROSTER >> 20} MiB", "give a CSV with one line for each student")
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "give a CSV with one line for each student") from None
    if data[:4] == b"PK\x03\x04":
        raise UsageError(f"{path}: a spreadsheet, not a CSV", "save it as CSV")
    wide = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else {(1, 0): "utf-16-le", (0, 1): "utf-16-be"}.get(_zeros(data))
    for encoding in (wide or "utf-8-sig", "cp1252"):
        with suppress(UnicodeDecodeError):
            return data.decode(encoding)
    raise UsageError(f"{path}: not text", "save it as plain CSV in UTF-8")


def _zeros(data: bytes) -> tuple[int, int]:
    return int(b"\0" in data[1:200:2] and b"\0" not in data[0:200:2]), int(b"\0" in data[0:200:2] and b"\0" not in data[1:200:2])


def _people(path: Path, line: int, cells: dict[str, str], zone: tzinfo | None, notes: list[str]) -> Iterator[Person]:
    """Yield the student of a row, or each member of a group; nobody for a footer, a test student or a row without a name."""
    where = f"{path.name}:{line}"
    if members := cells.get("members"):
        for name in filter(None, map(str.strip, re.split(r"[;,]", members))):
            yield Person(name, group=cells.get("group", ""), email=name if _EMAIL.fullmatch(name) else "")
        return
    name = cells.get("student") or " ".join(filter(None, (cells.get("first"), cells.get("last"))))
    name = name or next((cells[column] for column in ("email", "id", "participant", "login", "school_id") if column in cells), "")
    if name in ("", "Points Possible"):  # Canvas writes the points below its columns, and remarks
        return
    others = [cell for column, cell in cells.items() if column not in ("student", "first", "last")]
    if name.casefold() in _TEST_STUDENTS or (_FOOTER.fullmatch(name) and all(map(_FIGURE.fullmatch, others))):
        what = "the platform's test student" if name.casefold() in _TEST_STUDENTS else "no student"
        notes.append(f"{where}: `{clean(name, 60)}` is {what}, so it is left out")
        return
    yield _person(where, name, cells, zone, notes)


def _person(where: str, name: str, cells: dict[str, str], zone: tzinfo | None, notes: list[str]) -> Person:
    emails = [word for word in re.split(r"[;,\s]+", cells.get("email", "")) if word]
    good = [word for word in emails if _EMAIL.fullmatch(word)]
    notes += [f"{where}: `{clean(word, 60)}` is not an e-mail address, so it is left out" for word in emails if word not in good]
    id, participant = (_NUMBERED.sub(r"\1", cells.get(column, "")) for column in ("id", "participant"))
    status = cells.get("status", "")
    late, extended = _LATE.search(status), _EXTENDED.search(status)
    days, hours, minutes = (int(part or 0) for part in late.groups()) if late else (0, 0, 0)
    return Person(
        name,
        id=id or participant,
        email=good[0] if good else "",
        login=cells.get("login", "").lstrip("#"),
        section=cells.get("section", ""),
        due=read_time_cell(where, cells.get("due") or (extended[1] if extended else ""), zone, notes, day_ends=True),
        handed_in=read_time_cell(where, cells.get("handed_in", ""), zone, notes),
        school_id=cells.get("school_id", "").lstrip("#"),
        group=cells.get("group", ""),
        aliases=tuple(good[1:]),
        late=True if late else False if status.casefold().startswith("submitted") else None,
        minutes_late=(days * 24 + hours) * 60 + minutes,
        participant=participant if participant.isdecimal() else "",
    )


def read_time_cell(where: str, text: str, zone: tzinfo | None, notes: list[str], *, day_ends: bool = False) -> datetime | None:
    """Read a time; note one that cannot be read, and return None for it."""
    if not text:
        return None
    try:
        return read_time(text, zone, day_ends=day_ends)
    except NoZone:
        line = f"{where.partition(':')[0]}: times that name no zone are left out: add `time_zone` to `grading` in course.yaml"
        notes += [] if line in notes else [line]
        return None
    except ValueError as error:
        notes.append(f"{where}: the time `{clean(text, 60)}` is left out, because {error}")
        return None


def _merged(people: list[Person], path: Path, notes: list[str]) -> list[Person]:
    """Merge rows of one student, who may be in several sections or groups: they have a name and a number, login or e-mail in common."""
    kept: dict[int, Person] = {}
    by_key: dict[tuple[str, str, str], int] = {}
    for place, person in enumerate(people):
        keys = [
            (letters(person.student), kind, value)
            for kind in ("id", "school_id", "login", "email")
            if (value := getattr(person, kind).casefold())
        ]
        at = next((by_key[key] for key in keys if key in by_key), place)
        kept[at] = _with(kept[at], person) if at in kept else person
        by_key |= dict.fromkeys(keys, at)
    if len(kept) < len(people):
        more = len(people) - len(kept)
        notes.append(f"{path.name}: {more} {'row repeats a student' if more == 1 else 'rows repeat students'}, so they are merged")
    return list(kept.values())


def _with(one: Person, other: Person) -> Person:
    """Return a person with what another row says of them."""
    both = {name: ", ".join(dict.fromkeys(filter(None, (getattr(one, name), getattr(other, name))))) for name in ("section", "group")}
    more = {
        name: getattr(one, name) or getattr(other, name)
        for name in ("id", "school_id", "email", "login", "due", "handed_in", "aliases", "late", "participant")
    }
    return replace(one, **both, **more)


def with_groups(people: list[Person], path: Path) -> Roster:
    """Put people into the groups of a `groups.csv`, or make them the class if there is no roster."""
    listed = read_roster(path)
    if not people:
        return listed
    known, notes, groups = known_as({person.student: person for person in people}), list(listed.notes), dict[str, list[str]]()
    for member in listed.people:
        words = (member.school_id, member.login, member.email, member.id, re.sub(r" \([^()]*\)$", "", member.student))
        student = next((known[word.casefold()] for word in words if word.casefold() in known), None)
        if student is None:
            notes.append(f"{path.name}: `{clean(member.student, 60)}` is not in the roster")
        else:
            groups.setdefault(student, []).append(member.group)
    return Roster([replace(one, group=groups.get(one.student, [one.group])[0]) for one in people], tuple(notes))


def _distinct(people: list[Person]) -> list[Person]:
    return list({name: replace(person, student=name) for name, person in zip(marked(people), people, strict=True)}.values())


def marked(people: list[Person]) -> list[str]:
    """Return the names; those that several people have with a number, login or e-mail after it, or else their position."""
    marks = [one.id or one.school_id or one.login or one.email or str(position) for position, one in enumerate(people, 1)]
    pairs = list(zip((one.student for one in people), marks, strict=True))
    often = Counter(name for name, _ in set(pairs))
    return [f"{name} ({mark})" if often[name] > 1 else name for name, mark in pairs]


def letters(name: str) -> str:
    """Return a name as Canvas writes it into file names: only letters and digits, lower case, accents composed."""
    return "".join(c for c in unicodedata.normalize("NFC", name).casefold() if c.isalnum())


def unique(pairs: Iterable[tuple[K, V]]) -> dict[K, V]:
    """Make a dictionary without the keys that occur twice."""
    listed = list(pairs)
    often = Counter(key for key, _ in listed)
    return {key: value for key, value in listed if often[key] == 1}


def known_as(people: Mapping[str, Person]) -> dict[str, str]:
    """Map every name, also a former one, number, login and e-mail, in lower case, to its student.

    A name is not the number of somebody else.
    """
    numbers = unique(
        (word, person.student)
        for person in people.values()
        for word in {word.casefold() for word in (person.id, person.school_id, person.login, person.email, *person.aliases) if word}
    )
    former = unique((name.casefold(), person.student) for person in people.values() for name in person.former)
    return former | numbers | {person.student.casefold(): person.student for person in people.values()}


def file_slug(student: str) -> str:
    """Name a student's files: a slug that every file system accepts, and a hash that makes it unique."""
    plain = unicodedata.normalize("NFKD", student).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "student"
    return f"{slug}-{hashlib.sha256(student.encode()).hexdigest()[:8]}"
