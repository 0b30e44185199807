"""Feedback for a platform to hand out: zips that Moodle and Canvas take back, and a folder of mail that is ready to be sent.

A platform finds a student by the name that its own download gave to what was handed in (`HandedIn.origin`), so each file is named after
that. Feedback holds what the policy reveals now, and no more. Whoever is left out is told to the instructor.
"""

import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from autograder.course.files import replaced, replaced_folder
from autograder.course.text import clean
from autograder.instructor.grades import StudentGrades
from autograder.instructor.intake import name_keys
from autograder.instructor.outputs import student_markdown, student_page
from autograder.instructor.roster import file_slug
from autograder.instructor.sheet import Sheet, unjudged

EPOCH = (1980, 1, 1, 0, 0, 0)  # the same feedback makes the same zip
MARK = "made-by-course.txt"
Render = Callable[[StudentGrades, Sheet], str]
Place = Callable[[StudentGrades, list[str]], str]  # the start of a file's name, or "" with a note that says why there is none


def given_out(sheet: Sheet, notes: list[str]) -> Iterator[StudentGrades]:
    """Yield the students whose feedback may leave the house, with their exercises in the order of the columns."""
    for student in sheet.rows():
        notes += unjudged(student)
        if student.on_hold:
            continue
        grades = {column.exercise: student.grades[column.exercise] for column in sheet.columns if column.exercise in student.grades}
        yield replace(student, grades=grades)


# ---- zips


def write_moodle(sheet: Sheet, path: Path) -> list[str]:
    """Write the zip for Moodle's “Upload multiple feedback files in a zip”.

    Moodle reads NAME_NUMBER_PLUGINTYPE_PLUGIN_FILE, where the number is a participant's, or a team's if they hand in as teams, and the
    name has no underscore (moodle/moodle, mod/assign/feedback/file/importziplib.php: is_valid_filename_for_import).
    """

    numbers = moodle_numbers(sheet)

    def place(student: StudentGrades, notes: list[str]) -> str:
        person = student.person
        participant = "" if numbers.of_teams else numbers.participant(student)  # a participant's may be some team's, too
        start = _origin(student, "moodle", notes) or (participant and f"{person.student}_{participant}")
        if not start:
            notes.append(f"{clean(person.student, 60)}: left out, because Moodle's participant number is not known")
            return ""
        name, _, number = start.rpartition("_")
        return f"{name.replace('_', ' ')}_{number}_assignfeedback_file_feedback.html"

    return _write_zip(sheet, path, place, _page)


def write_canvas(sheet: Sheet, path: Path) -> list[str]:
    """Write the zip for Canvas's “Upload submissions”, which makes each file a comment on what the student handed in.

    Canvas reads NAME_USER_ATTACHMENT_FILE, or anon_ID_ATTACHMENT_FILE, where the attachment belongs to the student's latest attempt; it
    shows the file under that attachment's name. Since that may be forward.py, it is plain text (instructure/canvas-lms,
    app/models/abstract_assignment.rb: infer_comment_context_from_filename).
    """

    def place(student: StudentGrades, notes: list[str]) -> str:
        if start := _origin(student, "canvas", notes):
            return f"{start}_feedback.txt"
        notes.append(f"{clean(student.person.student, 60)}: left out, because there is no file from Canvas to comment on")
        return ""

    return _write_zip(sheet, path, place, _markdown)


def origins(student: StudentGrades, platform: str) -> set[str]:
    """Return a platform's names for what a student handed in last: several if it was for several assignments."""
    known = [(one.attempt, *one.origin) for one in (grade.handed_in for grade in student.grades.values()) if one.origin]
    own = [(attempt, start) for attempt, name, start in known if name == platform]
    return {start for attempt, start in own if attempt == max(own)[0]}


def _origin(student: StudentGrades, platform: str, notes: list[str]) -> str:
    """Return the start of a file's name for feedback; "" if there is none, or if it were for several assignments."""
    starts = {start.rpartition("_")[2]: start for start in origins(student, platform)}  # by number: a name may change
    if len(starts) > 1:
        notes.append(f"{clean(student.person.student, 60)}: handed in for several assignments: export one at a time, with --exercise")
    return clean(next(iter(starts.values())), 200).replace("/", "-").replace("\\", "-") if len(starts) == 1 else ""


def _write_zip(sheet: Sheet, path: Path, place: Place, render: Render) -> list[str]:
    """Write a file for each student, or for those who handed in together, and return notes."""
    notes: list[str] = []
    often = Counter(place(student, []) for student in given_out(sheet, []))
    together: dict[str, list[StudentGrades]] = defaultdict(list)
    with replaced(path) as beside, zipfile.ZipFile(beside, "w") as archive:
        for student in given_out(sheet, notes):
            if name := place(student, notes):
                if often[name] > 1:
                    together[name].append(student)
                else:
                    _add(archive, name, render(student, sheet))
        for name, members in together.items():
            if text := _shared(members, sheet, render, notes):
                _add(archive, name, text)
    return notes


def _add(archive: zipfile.ZipFile, name: str, text: str) -> None:
    archive.writestr(zipfile.ZipInfo(name, EPOCH), text, zipfile.ZIP_DEFLATED)


def _shared(members: list[StudentGrades], sheet: Sheet, render: Render, notes: list[str]) -> str:
    """Return what all who handed in together may read: the platform gives each of them the same file."""
    names = ", ".join(clean(one.person.student, 60) for one in members)
    texts = {render(replace(one, person=replace(one.person, student=names)), sheet) for one in members}
    if len(texts) == 1:
        return texts.pop()
    notes.append(f"{names}: handed in together, but their feedback differs, so it is left out: `--to mail` gives each their own")
    return ""


# ---- Moodle's numbers of participants


class MoodleNumbers(Struct, frozen=True):
    """Whose numbers there are: of teams in the download, and in the roster perhaps those of another assignment."""

    of_teams: bool
    roster_is_other: bool

    def participant(self, student: StudentGrades) -> str:
        """Return a student's number: the download's, where it stands beside this name, or otherwise the roster's; "" if it is not known."""
        known = {number for number, is_own in _numbers(student) if is_own}
        if known:
            return known.pop() if len(known) == 1 else ""
        return "" if self.roster_is_other else student.person.participant


def moodle_numbers(sheet: Sheet) -> MoodleNumbers:
    """Look through a class for what its numbers are: every assignment has its own, so some that disagree are of no use at all."""
    pairs = [(*one, student.person.participant) for student in given_out(sheet, []) for one in _numbers(student)]
    return MoodleNumbers(
        of_teams=any(number != roster for number, is_own, roster in pairs if not is_own),
        roster_is_other=any(number != roster for number, is_own, roster in pairs if is_own and roster),
    )


def _numbers(student: StudentGrades) -> list[tuple[str, bool]]:
    """Return the numbers of a student's hand-ins, each with whether it stands beside this student's name."""
    parts = (start.rpartition("_") for start in origins(student, "moodle"))
    return [(number, bool(name_keys(name) & name_keys(student.person.student))) for name, _, number in parts]


# ---- mail


def write_mail(sheet: Sheet, folder: Path) -> list[str]:
    """Write a message for each student with an e-mail address, as a draft: whoever sends it is its sender (RFC 5322, RFC 2046)."""
    notes: list[str] = []
    titles = [clean(column.title, 60) for column in sheet.columns]
    subject = f"Feedback: {', '.join(titles) if len(titles) <= 3 else f'{titles[0]} and {len(titles) - 1} more'}"
    with replaced_folder(folder, MARK) as new:
        new.mkdir()
        (new / MARK).write_text("Written by `course export`, which may overwrite this folder.\n", encoding="utf-8")
        for student in given_out(sheet, notes):
            try:
                message = _message(student, sheet, subject)
            except (ValueError, MessageError, LookupError):
                notes.append(f"{clean(student.person.student, 60)}: left out, because there is no e-mail address to send to")
            else:
                (new / f"{file_slug(student.person.student)}.eml").write_bytes(message)
    return notes


def _message(student: StudentGrades, sheet: Sheet, subject: str) -> bytes:
    """Write feedback as a message with text and a page. Raise an error of several kinds if the address is none."""
    text, page = _markdown(student, sheet), _page(student, sheet)
    message = EmailMessage(policy=SMTP)
    message["To"] = Address(clean(student.person.student, 100), addr_spec=student.person.email)
    message["Subject"] = subject
    message["X-Unsent"] = "1"  # mail programs open it as a draft
    message.set_content(text)
    message.add_alternative(page, subtype="html")
    message.set_boundary(f"=_{sha256(page.encode()).hexdigest()[:24]}")  # the same feedback makes the same message
    return message.as_bytes()


def _page(student: StudentGrades, sheet: Sheet) -> str:
    return student_page(student, sheet.sections, sheet.policy, course=sheet.course)


def _markdown(student: StudentGrades, sheet: Sheet) -> str:
    return student_markdown(student, sheet.sections, sheet.policy)
