"""Where submissions enter: a folder or a zip is opened, its kind detected or given, and its students matched with the roster.

`platforms` and `folders` know how each platform names its files, `roster` says who is in the class, and `uploads` reads the files.
Nothing is graded here.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from autograder.course.errors import UsageError
from autograder.course.model import Submission
from autograder.course.student_files import Handout, Prefer
from autograder.course.text import clean
from autograder.instructor.archives import Archive
from autograder.instructor.file_tree import FileTree, Folder, Subtree, Unreadable, innermost, joined, visible
from autograder.instructor.folders import FOLDER, KINDS, ZIPS
from autograder.instructor.platforms import Platform
from autograder.instructor.roster import Person, letters, unique
from autograder.instructor.uploads import Student, Upload, read_submissions


class ClassUploads(Struct):
    """What a class uploaded. `notes` grows while submissions are read: what was skipped, renamed or is not in the roster."""

    kind: str
    students: list[Student]
    people: list[Person]
    notes: list[str]
    missing: tuple[str, ...] = ()  # names in the roster without a submission

    def submissions(self, handout: Handout, exercises: list[str], *, every: bool, prefer: Prefer = "py") -> Iterator[Submission]:
        """Read the submissions one by one; with `every`, each attempt at an exercise and not only the last."""
        people = {person.student: person for person in self.people}
        for student in self.students:
            ids = _ids(student, people.get(student.name))
            for submission in read_submissions(student, handout, exercises, self.notes.append, every=every, prefer=prefer):
                yield replace(submission, ids=ids)


def open_class(path: Path, lesson: str, kind: str | None = None, people: Sequence[Person] = (),
               zone: tzinfo | None = None) -> ClassUploads:  # fmt: skip
    """Open a class's folder or zip, and match it with the roster, if there is one. Raise `UsageError` if there is no class in it."""
    tree = _open_tree(path)
    detected, tree = _detect(tree, lesson) if kind is None else (kind, _root(tree, lesson, KINDS[kind]))
    platform = KINDS[detected]
    students = platform.students(tree, lesson, zone) if platform.matches(tree) else []
    if detected == "folder" and len(students) == 1 and isinstance(tree, Folder):
        _doubt(tree, students[0].name, lesson)
    if not students:
        if kind in (None, "folder"):
            raise UsageError(f"{path}: no student's folder in it", "put each student's files into a folder named after the student")
        raise UsageError(f"{path}: no submissions from `{kind}` in it", f"give {platform.wanted}, or leave --from out")
    missing: tuple[str, ...] = ()
    if people:
        students, unmatched = join(students, people)
        tree.notes += unmatched
        missing = tuple(student.name for student in students if not student.uploads)
    return ClassUploads(detected, students, _merge_people(students, people, detected), tree.notes, missing)


# ---- who is who: kinds of identity are kept apart, and a name has the last word

MOST = 20  # namesakes that are listed
NUMBERS = ("school_id", "login", "email", "id")
_LETTERS = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "ı": "i", "đ": "d", "ð": "d", "þ": "th"}  # that have no accent to lose
_LETTERS |= {"ی": "ي", "ى": "ي", "ک": "ك", "ة": "ه", "ۀ": "ه"}  # Persian keyboards have other letters than Arabic ones
_WRITTEN_OUT = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"}  # as in file names of northern Europe
BARE = str.maketrans(_LETTERS)
WRITTEN_OUT = str.maketrans(_LETTERS | _WRITTEN_OUT)
_MARK = re.compile(r"\s*\((?P<mark>[^()]*)\)$")
WITH_NUMBER = re.compile(r"(?P<name>.*?[^\W\d_].*?)[\s_-]+(?P<number>\d{3,})|(?P<number_first>\d{3,})[\s_-]+(?P<rest>.*[^\W\d_].*)")
Known = Mapping[tuple[str, str], Person]  # by kind of identity and value


def join(students: Sequence[Student], people: Sequence[Person]) -> tuple[list[Student], list[str]]:
    """Match uploads with the roster. Return everyone in it, then students who are not in it; and notes for the instructor."""
    known, names, notes = _known(people), _names(people), list[str]()
    groups: dict[str, list[Person]] = {}
    for key, member in ((key, one) for one in people for key in group_keys(one)):
        groups.setdefault(key, []).append(member)
    kinds = NUMBERS if _same_numbers(students, names, notes) else NUMBERS[:-1]
    matched: dict[str, list[Student]] = {person.student: [] for person in people}
    strangers = []
    for student in students:
        told = next((groups[key] for word in student.groups if (key := letters(word)) in groups), [])
        members = told or ([] if _by_name(student, names) else groups.get(letters(student.name)) or _named_together(student, names))
        if members:
            notes.append(f"{student.name}: handed in for {', '.join(one.student for one in members)}")
            together = student.name, *(known_as for one in members for known_as in _ids(Student(one.student), one))
            student = replace(student, **dict.fromkeys(NUMBERS, ""), together=together)  # the numbers are one member's
        elif person := _person_of(student, known, names, kinds, notes):
            members = [person]
        for one in members:
            matched[one.student].append(student)
        if not members:
            name = f"{student.name} (not in the roster)" if student.name in matched else student.name
            strangers.append(replace(student, name=name))
            notes.append(f"{student.name}: submitted, but {_why_nobody(student, people)}")
    for name, own in matched.items():
        if len(own) > 1:
            notes.append(f"{name}: submitted as {', '.join(one.name for one in own)}; only the last is graded")
    return [*(_as_person(person, matched[person.student]) for person in people), *strangers], notes


def _why_nobody(student: Student, people: Sequence[Person]) -> str:
    namesakes = [one.student for one in people if name_keys(one.student) & name_keys(student.name)]
    if len(namesakes) < 2:
        return "is not in the roster"
    return f"may be any of {', '.join(clean(one, 60) for one in namesakes[:MOST])}: put the number, login or e-mail address behind the name"


def _ids(student: Student, person: Person | None) -> tuple[str, ...]:
    """Return all by which a student is known, the school's number first and the name last."""
    told = [getattr(one, kind) for one in (person, student) if one for kind in NUMBERS]
    return tuple(dict.fromkeys(filter(None, (*told, *student.aliases, student.name, *student.together))))


def group_keys(person: Person) -> set[str]:
    """Return the letters of a person's group, or of each of several, as Canvas writes them into file names."""
    return {letters(person.group), *map(letters, person.group.split(", "))} - {""}


def _known(people: Sequence[Person]) -> dict[tuple[str, str], Person]:
    pairs = [((kind, getattr(one, kind).casefold()), one) for one in people for kind in NUMBERS if getattr(one, kind)]
    pairs += [(("id", one.participant), one) for one in people if one.participant not in ("", one.id)]
    return unique([*pairs, *((("email", word.casefold()), one) for one in people for word in one.aliases)])


def _names(people: Sequence[Person]) -> dict[str, Person]:
    """Return people by the letters of their names, also with the last name first."""
    return unique((key, person) for person in people for key in name_keys(person.student))


def name_keys(name: str) -> set[str]:
    """Return the letters of a name, also without a number that namesakes have, with the last name first, and without accents."""
    plain = _MARK.sub("", unicodedata.normalize("NFKC", name))
    *first, last = plain.replace(",", " ").split() or [""]
    keys = [letters(name), letters(plain), letters(last + "".join(first))]
    bare = [f"~{_without_accents(key.translate(table))}" for key in keys[1:] for table in (BARE, WRITTEN_OUT)]
    return {key for key in (*keys, *bare) if key.strip("~")}


def _without_accents(key: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", key) if letter.isalnum())


def _by_name(student: Student, names: Mapping[str, Person]) -> Person | None:
    return next((names[key] for word in (student.name, *student.aliases) for key in name_keys(word) if key in names), None)


def _same_numbers(students: Sequence[Student], names: Mapping[str, Person], notes: list[str]) -> bool:
    """Return whether the platform's numbers are those in the roster, as far as names can tell."""
    pairs = [(one.id, person) for one in students if one.id and (person := _by_name(one, names)) and person.id]
    if not pairs or any(number in (person.id, person.participant) for number, person in pairs):
        return True
    notes.append("the numbers in the roster are not those of the download, so students are matched without them")
    return False


def _person_of(student: Student, known: Known, names: Mapping[str, Person], kinds: Sequence[str], notes: list[str]) -> Person | None:
    """Find whose upload this is: by number, login or e-mail, unless the name is somebody else's; otherwise by name."""
    named = _by_name(student, names)
    keys = ((kind, getattr(student, kind).casefold()) for kind in kinds)
    kind, numbered = next(((key[0], known[key]) for key in keys if key in known), ("", None))
    if numbered and named and numbered is not named:
        what = f"{kind.replace('_', ' ')} `{clean(getattr(student, kind), 40)}`"
        notes.append(f"{student.name}: the {what} is {numbered.student}'s in the roster, but the name is {named.student}'s, which counts")
        return named
    if numbered and not named and kind == "id" and not student.is_named_freely:
        notes.append(f"{student.name}: taken for {numbered.student} by the number {clean(student.id, 40)}, though the names differ")
    if numbered or named or not student.is_named_freely:
        return numbered or named
    if parts := WITH_NUMBER.fullmatch(student.name):  # a folder like Doe_Jane_1234567
        number = parts["number"] or parts["number_first"]
        own = replace(student, name=(parts["name"] or parts["rest"]).replace("_", " "), id=number, school_id=number, is_named_freely=False)
        return _person_of(own, known, names, kinds, notes)
    if mark := _MARK.search(student.name):  # like Doe, Jane (jdoe)
        student = replace(student, name=student.name[: mark.start()], aliases=(*student.aliases, mark["mark"].strip()))
    words = [word.casefold() for word in (student.name, *student.aliases)]
    return next((known[kind, word] for word in words for kind in ("login", "email", "school_id", "id") if (kind, word) in known), None)


def _named_together(student: Student, names: Mapping[str, Person]) -> list[Person]:
    """Return the students that a group is named after, as in "Ada Lovelace, Bo B"; none unless all are known."""
    parts = [part for part in re.split(r"[,;&+/]| and | und | - ", student.name) if part.strip()]
    found = [person for part in parts if (person := next((names[key] for key in name_keys(part) if key in names), None))]
    return found if len(parts) == len(found) > 1 else []


def _as_person(person: Person, own: Sequence[Student]) -> Student:
    student = own[-1] if own else Student(person.student)
    uploads = student.uploads
    if uploads and (person.handed_in or person.late is not None):
        *earlier, last = uploads
        facts = replace(last.facts, at=person.handed_in or last.facts.at, late=person.late if last.facts.late is None else last.facts.late)
        uploads = (*earlier, replace(last, facts=replace(facts, minutes_late=person.minutes_late)))
    return Student(person.student, uploads, person.id or student.id, person.login, together=student.together)


def open_folder(path: Path, student: str) -> Student:
    """Open one student's own folder."""
    return Student(student, (Upload(Folder(path)),))


def _open_tree(path: Path) -> FileTree:
    if path.is_dir():
        folder = Folder(path)
        if problem := folder.problem(""):
            raise UsageError(f"{path}: {problem}", "make the folder readable, or run this as a user who may read it")
        return folder
    if not path.is_file():
        raise UsageError(f"{path}: no such folder or zip", "give the folder that holds one folder for each student, or a platform's zip")
    try:
        opened = Archive(path, path.name)
        opened.notes += [f"`{one.file}` is skipped, because {one.why}" for one in opened.skipped]
        return opened
    except Unreadable:
        raise UsageError(f"{path}: neither a folder nor an intact zip", "download it again, or unpack it and give the folder") from None


def _detect(tree: FileTree, lesson: str) -> tuple[str, FileTree]:
    """Return the first platform that matches, here or, if it finds several students there, in the only folder that is here."""
    special = {name: platform for name, platform in KINDS.items() if platform is not FOLDER}
    for name, platform in special.items():
        if platform.matches(tree):
            return name, tree
    inner = Subtree(tree, innermost(tree, lesson))
    for name, platform in special.items():
        if platform is ZIPS and isinstance(tree, Folder):  # more likely one student who uploaded several
            continue
        if inner.folder and platform.matches(inner) and len(platform.students(inner, lesson, None)) > 1:
            return name, inner
    return "folder", _root(tree, lesson, FOLDER)


def _doubt(tree: FileTree, folder: str, lesson: str) -> None:
    """Note if the only folder holds nothing but folders: it may be the class, and they the students."""
    names = visible(tree, folder)
    if names and lesson not in names and all(tree.kind(joined(folder, name)) == "folder" for name in names):
        tree.notes.append(f"`{clean(folder, 80)}` holds only folders: if they are the students, give that folder")


def _root(tree: FileTree, lesson: str, platform: Platform) -> FileTree:
    """Return where a platform's files begin: here, or below folders that hold nothing but one folder, which a zip may have around them."""
    if platform is not FOLDER:
        return tree if platform.matches(tree) else Subtree(tree, innermost(tree, lesson))
    if not isinstance(tree, Archive):
        return tree
    folder = innermost(tree, lesson)
    names = visible(tree, folder)
    holds_students = names and lesson not in names and all(tree.kind(joined(folder, name)) == "folder" for name in names)
    return Subtree(tree, folder if holds_students else folder.rpartition("/")[0])


def _merge_people(students: list[Student], roster: Sequence[Person], kind: str) -> list[Person]:
    known = {person.student: person for person in roster}
    for student in students:
        if facts := {key: value for key in NUMBERS if (value := getattr(student, key))}:
            person = known.get(student.name, Person(student.name, participant=student.id if kind == "moodle" else ""))
            known[student.name] = replace(person, **{key: getattr(person, key) or value for key, value in facts.items()})
    return list(known.values())
