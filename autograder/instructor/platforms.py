"""The platforms that submissions come from: how Canvas, Moodle, Brightspace, Blackboard, Gradescope and nbgrader name files.

A `Platform` recognises a tree by the names in it, and finds the students with an upload for each attempt. It reads no submission and knows
no roster; `intake` chooses it, and `uploads` reads what it found. All names are untrusted. To add a platform, write a section and an entry
in `PLATFORMS`.
"""

import hashlib
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from itertools import accumulate

from msgspec import Struct
from msgspec.structs import replace

from autograder.course.model import HandedIn
from autograder.course.strict_yaml import read_plainly
from autograder.course.text import clean, read_time, shared_abbreviation
from autograder.instructor.file_tree import FileTree, Unreadable, joined, text_of, visible
from autograder.instructor.roster import Person, marked
from autograder.instructor.uploads import Student, Upload

OWN_FILES = ("groups.csv", "index.html")  # what lies beside submissions: ours, and Brightspace's list
LARGEST_LIST = 64 << 20  # bytes of a platform's own list of submissions


class Platform(Struct, frozen=True):
    """One platform: whether a tree is its download, the students in it, and words for what it reads."""

    matches: Callable[[FileTree], bool]
    students: Callable[[FileTree, str, tzinfo | None], list[Student]]  # of a tree, for a lesson, with the course's time zone
    wanted: str


def folders_of(tree: FileTree, kinds: tuple[str, ...] = ("folder", "link")) -> list[str]:
    """List what is at the top of a tree and of one of these kinds, but for hidden names."""
    return [name for name in visible(tree) if tree.kind(name) in kinds]


def problem_of(tree: FileTree, folder: str) -> str:
    """Return why a student's folder cannot be read at all, or ""."""
    if tree.kind(folder) == "link":
        return "the student's folder is a link, which is not followed"
    return f"the student's folder cannot be read: {problem}" if (problem := tree.problem(folder)) else ""


def student_names(entries: list[str], endings: tuple[str, ...] = ()) -> dict[str, str]:
    """Name the student of each entry, without such an ending; the later of two equal names get a hash after them."""
    names: dict[str, str] = {}
    used: set[str] = set()
    for entry in entries:
        ending = next((each for each in endings if entry.lower().endswith(each)), "")
        name = text_of(entry[: len(entry) - len(ending)])
        if name in used:
            name = f"{name} ({hashlib.sha256(os.fsencode(entry)).hexdigest()[:8]})"
        used.add(name)
        names[entry] = name
    return names


# ---- Canvas: NAME_12345_67890_FILE, with a late mark and the attempt's number; anonymous grading hides the name, a group's name takes
# its place, and typed text is NAME_12345_text.html (instructure/canvas-lms, lib/content_zipper.rb: add_submission)

_CANVAS_FILE = r"_(?:(?P<number>\d+)_(?P<file>.+)|(?P<typed>(?:text|link)\.html))"
_CANVAS_NAME = re.compile(rf"(?P<name>.+?)(?P<late>_LATE)?_(?P<id>\d+){_CANVAS_FILE}")
_CANVAS_ANONYMOUS = re.compile(rf"(?P<late>LATE_)?(?P<name>anon_(?P<id>[A-Za-z0-9]{{5}})){_CANVAS_FILE}")
_CANVAS_ATTEMPT = re.compile(r"(?P<stem>.+?)-(?P<number>[1-9]\d{0,2})(?P<suffix>\.[A-Za-z]+)")


def is_canvas(tree: FileTree) -> bool:
    """Return whether most files are named as Canvas names them."""
    files = [name for name in visible(tree) if tree.kind(name) != "folder"]
    return bool(files) and sum(bool(_canvas_match(name)) for name in files) * 2 > len(files)


def canvas_students(tree: FileTree, lesson: str, zone: tzinfo | None) -> list[Student]:
    """Group the files by student number and attempt."""
    files: dict[str, dict[int, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    names: dict[str, str] = {}
    late: set[tuple[str, int]] = set()
    last: dict[str, tuple[int, str]] = {}  # the latest attempt: Canvas takes feedback to no earlier one
    for path, match in _matching(tree, _canvas_match, "not named like a file from Canvas"):
        file = match["file"] or match["typed"]
        numbered = _CANVAS_ATTEMPT.fullmatch(file)
        attempt, name = (int(numbered["number"]) + 1, numbered["stem"] + numbered["suffix"]) if numbered else (1, file)
        own = files[match["id"]][attempt]
        own[file if name in own else name] = path
        names[match["id"]] = text_of(match["name"])
        if match["late"]:
            late.add((match["id"], attempt))
        if match["number"]:
            last[match["id"]] = max(last.get(match["id"], (0, "")), (attempt, text_of(path[: match.start("file") - 1])))
    origins = {id: ("canvas", start) for id, (_, start) in last.items()}
    uploads = {
        id: tuple(Upload(tree, "", own, HandedIn(n, late=(id, n) in late, origin=origins.get(id))) for n, own in sorted(attempts.items()))
        for id, attempts in files.items()
    }
    return _numbered_students(names, uploads)


def _canvas_match(path: str) -> re.Match[str] | None:
    return _CANVAS_ANONYMOUS.fullmatch(path) or _CANVAS_NAME.fullmatch(path)


def _matching(tree: FileTree, match: Callable[[str], re.Match[str] | None], why: str,
              known: Collection[str] = OWN_FILES) -> Iterator[tuple[str, re.Match[str]]]:  # fmt: skip
    """Yield the names that match; note each other one that is not hidden or known."""
    for name in tree.names():
        if found := match(name):
            yield name, found
        elif not name.startswith((".", "__MACOSX")) and name not in known:
            tree.notes.append(f"{text_of(name)}: {why}, so it is skipped")


def _numbered_students(names: Mapping[str, str], uploads: Mapping[str, tuple[Upload, ...]]) -> list[Student]:
    """Make the students of a platform that numbers them, by name; a shared name gets the number after it."""
    often = Counter(names.values())
    return [
        Student(name if often[name] == 1 else f"{name} ({id})", uploads[id], id, aliases=(name,), is_named_freely=often[name] > 1)
        for id, name in sorted(names.items(), key=lambda item: item[1])
    ]


# ---- Moodle: NAME_123456_assignsubmission_file_, a folder or the start of a file's name. A team's name and number take the student's
# place, without a number for students in no team (moodle/moodle, mod/assign/classes/downloader.php: get_student_prefix)

MOODLE_NAME = re.compile(r"(?P<name>.+?)(?:_(?P<id>\d+))?_assignsubmission_(?P<what>[a-z]+)(?:_(?P<file>.*))?")


def moodle_students(tree: FileTree, lesson: str, zone: tzinfo | None) -> list[Student]:
    """Group the files by participant number, with what was typed into Moodle."""
    files: dict[str, dict[str, str]] = defaultdict(dict)
    names: dict[str, str] = {}
    problems: dict[str, str] = {}
    for name, match in _matching(tree, MOODLE_NAME.fullmatch, "not named like a submission from Moodle"):
        key = match["id"] or match["name"]
        names[key] = text_of(match["name"])
        if match["file"]:
            files[key].setdefault(match["file"], name)
        else:
            if problem := problem_of(tree, name):
                problems.setdefault(key, problem)
            files[key].update({file: joined(name, file) for file in tree.names(name)})
    facts = {key: HandedIn(origin=("moodle", f"{name}_{key}") if key.isdecimal() else None) for key, name in names.items()}
    uploads = {key: (Upload(tree, "", None if key in problems else files[key], facts[key], problems.get(key, "")),) for key in names}
    return _numbered_students(names, uploads)


# ---- Brightspace: 12345-67890 - NAME - Sep 24, 2024 926 PM, a folder for each attempt or the start of a file's name; GROUP or GROUP - NAME

_BRIGHTSPACE_TIME = r"\w+\.? \d{1,2}, \d{4} \d{3,4} [AP]M|\d{1,2} \w+\.?,? \d{4} \d{3,4}(?: [AP]M)?|\d{4}-\d\d-\d\d \d{3,4}(?: [AP]M)?"
BRIGHTSPACE_NAME = re.compile(
    rf"(?P<id>\d{{4,}})-\d{{4,}} ?- (?:(?P<name>.+?) ?- (?P<time>{_BRIGHTSPACE_TIME})|(?P<untimed>.+?))(?: ?- (?P<file>.+))?"
)


def brightspace_students(tree: FileTree, lesson: str, zone: tzinfo | None) -> list[Student]:
    """Group the files by student and time; the list of all submissions, `index.html`, is Brightspace's own."""
    files: dict[str, dict[datetime, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    names: dict[str, str] = {}
    for path, match in _matching(tree, BRIGHTSPACE_NAME.fullmatch, "not named like a submission from Brightspace"):
        names[match["id"]] = text_of(match["name"] or match["untimed"])
        own = files[match["id"]][_brightspace_time(match["time"] or "")]
        own |= {match["file"]: path} if match["file"] else {name: joined(path, name) for name in tree.names(path)}
    found = _numbered_students(names, {id: _attempts(tree, attempts, zone) for id, attempts in files.items()})
    return [replace(one, groups=tuple(accumulate(names[one.id].split(" - ")[:-1], "{} - {}".format))[::-1]) for one in found]


def _brightspace_time(text: str) -> datetime:
    """Read a time from which the colon was dropped; the earliest of all, if it cannot be read."""
    text = re.sub(r"(\d{1,2})(\d\d)( [AP]M)?$", r"\1:\2\3", text.replace(".", "").replace(",", ""))
    for form in ("%b %d %Y", "%B %d %Y", "%d %b %Y", "%d %B %Y", "%Y-%m-%d"):
        with suppress(ValueError):
            return datetime.strptime(text, f"{form} {'%I:%M %p' if text.endswith('M') else '%H:%M'}")
    return datetime.min


def _attempts(tree: FileTree, files: Mapping[datetime, dict[str, str]], zone: tzinfo | None) -> tuple[Upload, ...]:
    """Make the attempts of one student, in the order of their times, which are by the platform's clock: it is taken for the course's."""
    known = {when: when.replace(tzinfo=zone).astimezone(UTC) if zone and when != datetime.min else None for when in files}
    return tuple(
        Upload(tree, files=own, facts=HandedIn(number, known[when])) for number, (when, own) in enumerate(sorted(files.items()), 1)
    )


def moment(tree: FileTree, who: str, text: str, zone: tzinfo | None) -> datetime | None:
    """Read when something was handed in; note what cannot be read, and what is read as the course would."""
    try:
        found = read_time(text, zone)
    except ValueError as error:
        tree.notes.append(f"{who}: the time `{clean(text, 60)}` counts as unknown, because {error}")
        return None
    if shared := shared_abbreviation(text):
        tree.notes.append(f"{who}: `{shared}` means several time zones, and is read as the course's")
    return found.astimezone(UTC)


# ---- Blackboard: ASSIGNMENT_LOGIN_attempt_2026-11-20-22-58-11_FILE, and a receipt without _FILE that names them; GROUP or GROUP_LOGIN

BLACKBOARD_NAME = re.compile(r"(?P<head>.+)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|(?P<receipt>\.txt))")
_RECEIPT_NAME = re.compile(r"^Name:(?P<name>.*)\((?P<login>[^()\n]+)\)[^\S\n]*$", re.MULTILINE)
_TYPED = re.compile(r"^(?:Submission Field|Comments):[^\S\n]*\n\s*(?!There (?:is|are) no student |\w+:)(\S.*)", re.MULTILINE)


def blackboard_students(tree: FileTree, lesson: str, zone: tzinfo | None) -> list[Student]:
    """Group the files by login and time; what was typed beside them is a file too."""
    files: dict[str, dict[datetime, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    names: dict[str, str] = {}
    groups: dict[str, tuple[str, ...]] = {}
    matching = list(_matching(tree, BLACKBOARD_NAME.fullmatch, "not named like a file from Blackboard"))
    start = os.path.commonprefix([match["head"] for _, match in matching]).rfind("_") + 1  # noqa: RUF071 (by letters, as meant)
    for path, match in matching:
        login = match["head"][start:]
        groups[login] = _group_names(match["head"][:start], login)
        own = files[login][datetime.strptime(match["time"], "%Y-%m-%d-%H-%M-%S")]
        if match["file"]:
            own[match["file"]] = path
            continue
        with suppress(Unreadable):
            receipt = tree.read(path, 1 << 20).decode("utf-8", errors="replace").replace("\r\n", "\n")
            if (named := _RECEIPT_NAME.search(receipt)) and named["login"] == login:
                names[login] = text_of(named["name"].strip())
            if _TYPED.search(receipt):
                own["typed text.txt"] = path
    uploads = {login: _attempts(tree, attempts, zone) for login, attempts in files.items()}
    found = _numbered_students({login: names.get(login, login) for login in files}, uploads)
    return [replace(one, id="", login=one.id, groups=groups[one.id]) for one in found]


def _group_names(before: str, rest: str, most: int = 12) -> tuple[str, ...]:
    """Return what a group's name may be where `rest` differs between submissions: without a login behind it, or with more before it."""
    first, last = text_of(before).split("_")[-most:-1], text_of(rest).split("_")[:most]
    ends = tuple(accumulate(last, "{}_{}".format))[::-1]
    return tuple("_".join([*first[start:], end]) for start in range(len(first), -1, -1) for end in ends)


# ---- Gradescope: submission_123/, with the students of each in submission_metadata.yml

GRADESCOPE_LIST = "submission_metadata.yml"


def gradescope_students(tree: FileTree, lesson: str, zone: tzinfo | None) -> list[Student]:
    """Find the students of each folder; all who submitted together get the same files."""
    listed = read_plainly(_kept_lines(tree.read(GRADESCOPE_LIST, LARGEST_LIST).decode("utf-8-sig", errors="replace")))
    known = {folder: facts for folder, facts in listed.items() if isinstance(facts, dict)} if isinstance(listed, dict) else {}
    students = []
    for folder in folders_of(tree):
        facts = known.get(folder, {})
        at = moment(tree, text_of(folder), str(facts[":created_at"]), zone) if facts.get(":created_at") else None
        upload = Upload(tree, folder, facts=HandedIn(at=at), problem=problem_of(tree, folder))
        for one in facts.get(":submitters") or [{}]:
            name, email, sid = (text_of(str(one.get(f":{key}") or "")) for key in ("name", "email", "sid"))
            students.append(Student(name or email or text_of(folder), (upload,), school_id=sid, email=email))
        if folder not in known:
            tree.notes.append(f"{text_of(folder)}: not in {GRADESCOPE_LIST}, so nobody's")
    names = marked([Person(one.name, school_id=one.school_id, email=one.email) for one in students])
    return [replace(one, name=name, aliases=(one.name,)) for one, name in zip(students, names, strict=True)]


def _kept_lines(text: str) -> str:
    """Keep the submitters and the time of each submission: the rest, what the grader printed, may be large."""
    kept, keeps = [], False
    for line in text.splitlines():
        if not line.startswith((" ", "-")):
            kept.append(line)
            keeps = False
        elif line.startswith("  :"):
            keeps = line.startswith(("  :submitters:", "  :created_at:"))
        if keeps:
            kept.append(line)
    return "\n".join(kept)


def _any_name(pattern: re.Pattern[str]) -> Callable[[FileTree], bool]:
    return lambda tree: any(map(pattern.fullmatch, tree.names()))


PLATFORMS = {  # in the order in which they are tried
    "gradescope": Platform(
        lambda tree: tree.kind(GRADESCOPE_LIST) == "file",
        gradescope_students,
        f"the folder with {GRADESCOPE_LIST}, as in Gradescope's export of submissions",
    ),
    "moodle": Platform(_any_name(MOODLE_NAME), moodle_students, "folders named NAME_123456_assignsubmission_file, as in Moodle's download"),
    "brightspace": Platform(
        _any_name(BRIGHTSPACE_NAME),
        brightspace_students,
        "folders named 12345-67890 - NAME - Sep 24, 2026 926 PM, as in Brightspace's download",
    ),
    "blackboard": Platform(
        _any_name(BLACKBOARD_NAME),
        blackboard_students,
        "files named ASSIGNMENT_LOGIN_attempt_2026-11-20-22-58-11_FILE, as in Blackboard's download",
    ),
    "canvas": Platform(is_canvas, canvas_students, "files named NAME_12345_67890_FILE, as in Canvas's download"),
}
