"""Rosters: read by their columns' names, joined by number, login, e-mail and name, and every mistake told with its line."""

from datetime import UTC, datetime

import pytest

from autograder.course.errors import UsageError
from autograder.course.model import HandedIn
from autograder.instructor.intake import open_class
from autograder.instructor.roster import Person, letters, read_roster

from .handouts import HANDOUT

LESSON = "12_diffusion"


def roster(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "roster.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def handed_in(tmp_path, *paths):
    for path in paths:
        (tmp_path / "in" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / path).write_text("x = 1\n")
    return tmp_path / "in"


ADA = Person("Ada Lovelace", "501", "ada@example.org")
FORMS = {
    "one's own": ("name,id,email\nAda Lovelace,501,ada@example.org\n", "utf-8", [ADA]),
    "with a mark before it": ("name,id,email\nAda Lovelace,501,ada@example.org\n", "utf-8-sig", [ADA]),
    "from a spreadsheet": ("Name;ID;E-Mail\r\nAda Lovelace;501;ada@example.org\r\n", "utf-16", [ADA]),
    "in Windows' code page": ("name\nÅsa Öberg\n", "cp1252", [Person("Åsa Öberg")]),
    "tabs, and empty lines": ("name\temail\n\n\nBo\tbo@example.org\n\n", "utf-8", [Person("Bo", email="bo@example.org")]),
    "first and last name": ("First name,Surname,ID number\nAda,Lovelace,501\n", "utf-8", [Person("Ada Lovelace", "501")]),
    "Canvas's gradebook": (
        'Student,ID,SIS Login ID,Section,Noising (77)\n    Points Possible,,,,20\n"Lovelace, Ada",501,ada1,A,\n',
        "utf-8",
        [Person("Lovelace, Ada", "501", login="ada1", section="A")],
    ),
    "Moodle's worksheet": (
        "Identifier,Full name,Email address,Status\nParticipant 8001,Ada Lovelace,ada@example.org,Submitted\n",
        "utf-8",
        [Person("Ada Lovelace", "8001", "ada@example.org")],
    ),
    "Moodle's worksheet with the university's numbers": (
        "Identifier,Full name,ID number,Email address,Status,Grade,Maximum grade,Grade can be changed\n"
        "Participant 8001,Ada Lovelace,s4711,ada@example.org,Submitted,,20.00,Yes\n",
        "utf-8",
        [Person("Ada Lovelace", "8001", "ada@example.org")],
    ),
    "GitHub Classroom's": (
        '"identifier","github_username","github_id","name"\n"ada@example.org","adal","1",""\n',
        "utf-8",
        [Person("ada@example.org", "ada@example.org", login="adal")],
    ),
    "two of one name": ("name,id\nLi Wei,1\nLi Wei,2\n", "utf-8", [Person("Li Wei (1)", "1"), Person("Li Wei (2)", "2")]),
    "with more time": (
        "name,due,handed in\nBo,2026-11-27 23:59+01:00,2026-11-21T08:00Z\n",
        "utf-8",
        [Person("Bo", due=datetime(2026, 11, 27, 22, 59, tzinfo=UTC), handed_in=datetime(2026, 11, 21, 8, tzinfo=UTC))],
    ),
    "a formula for a name": ("name\n=1+1\n", "utf-8", [Person("=1+1")]),
    "more cells than columns": ("name\nBo,x,y,z\n", "utf-8", [Person("Bo")]),
}


@pytest.mark.parametrize(("text", "encoding", "people"), FORMS.values(), ids=FORMS.keys())
def test_a_roster_is_read_whoever_wrote_it(tmp_path, text, encoding, people):
    assert read_roster(roster(tmp_path, text, encoding)) == people


MISTAKES = {
    "empty": ("", ": the roster is empty\n  fix: begin it with a line of column names: name,id,email"),
    "no names": ("id,mail\n1,a@b.c\n", ":1: no column `name`\n  fix: name the columns in the first line: name,id,email,login,section,due; this file has id, mail"),
    "a line without a name": ("name,email\n,a@b.c\n", ":2: this line has no name\n  fix: give every student a name, or remove the line"),
    "no e-mail": ("name,email\nBo,bo\n", ":2: `bo` is not an e-mail address\n  fix: correct it, or leave it empty"),
    "an e-mail that is a formula": ("name,email\nBo,=cmd|x@example.org\n", ":2: `=cmd|x@example.org` is not an e-mail address\n  fix: correct it, or leave it empty"),
    "a time without a zone": ("name,due\nBo,2026-11-20 23:59\n", ":2: `2026-11-20 23:59` is not a time with a zone\n  fix: write it like 2026-11-20 23:59+01:00"),
    "no time": ("name,due\nBo,\x1b[31mtomorrow\n", ":2: `�[31mtomorrow` is not a time with a zone\n  fix: write it like 2026-11-20 23:59+01:00"),
    "a spreadsheet": (b"PK\x03\x04abc", ": a spreadsheet, not a CSV\n  fix: save it as CSV"),
    "not text": (b"name\n\x81\x8d\n", ": not text\n  fix: save it as plain CSV in UTF-8"),
    "an endless cell": ('name\n"' + "x" * 200_000 + '"\n', ":2: field larger than field limit (131072)\n  fix: save it as plain CSV in UTF-8"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_in_full_with_its_line(tmp_path, text, message):
    path = roster(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        read_roster(path)
    assert str(caught.value) == f"{path}{message}"


def test_a_roster_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UsageError) as caught:
        read_roster(tmp_path / "none.csv")
    assert str(caught.value) == f"{tmp_path / 'none.csv'}: No such file or directory\n  fix: give a CSV with one line for each student"


JOINED = {
    "by Canvas's number": ("xx_501_9_forward.py", "name,id\nAda Lovelace,501\n"),
    "by what Canvas makes of a name": ("lovelaceada_77_9_forward.py", 'name\n"Lovelace, Ada"\n'),
    "by the same of first name first": ("lovelaceada_77_9_forward.py", "name\nAda Lovelace\n"),
    "by Moodle's number": ("Somebody_8001_assignsubmission_file_/forward.py", "Full name,Identifier\nAda Lovelace,Participant 8001\n"),
    "by Moodle's name": ("ADA lovelace_8001_assignsubmission_file_/forward.py", "name\nAda Lovelace\n"),
    "by login": ("submitted/al4/12_diffusion/forward.py", "name,login\nAda Lovelace,al4\n"),
    "by GitHub's name": ("diffusion-2026-ada-l/.git/../forward.py", "name,github_username\nAda Lovelace,ada-l\n"),
    "by e-mail": ("ada@example.org/forward.py", "name,email\nAda Lovelace,Ada@Example.org\n"),
    "by folder": ("ada lovelace/forward.py", "name\nAda Lovelace\n"),
}


@pytest.mark.parametrize(("path", "text"), JOINED.values(), ids=JOINED.keys())
def test_a_hand_in_finds_its_student(tmp_path, path, text):
    if ".git" in path:
        (tmp_path / "in" / "diffusion-2026-ada-l" / ".git").mkdir(parents=True)
    opened = open_class(handed_in(tmp_path, path), LESSON, people=read_roster(roster(tmp_path, text + "Bo B\n" if "," not in text else text + "Bo B,\n")))
    got = {one.student: one.status for one in opened.submissions(HANDOUT, ["forward"], every=False)}
    assert [*got.items()] in ([("Ada Lovelace", "present"), ("Bo B", "missing")], [("Lovelace, Ada", "present"), ("Bo B", "missing")])
    assert opened.missing == ("Bo B",)


def test_the_platforms_number_is_learnt_where_the_roster_has_none(tmp_path):
    opened = open_class(handed_in(tmp_path, "lovelaceada_77_9_forward.py"), LESSON, people=read_roster(roster(tmp_path, "name\nAda Lovelace\n")))
    assert opened.people == [Person("Ada Lovelace", "77")]


def test_who_is_not_in_the_roster_is_told_and_graded(tmp_path):
    opened = open_class(handed_in(tmp_path, "Eve/forward.py", "Ada/forward.py"), LESSON, people=read_roster(roster(tmp_path, "name\nAda\n")))
    assert [student.name for student in opened.students] == ["Ada", "Eve"]
    assert opened.notes == ["Eve: submitted, but is not in the roster"]


def test_a_name_that_two_share_joins_nobody(tmp_path):
    """Rather a line for the instructor than one student's grade for another."""
    opened = open_class(handed_in(tmp_path, "Li Wei/forward.py"), LESSON, people=read_roster(roster(tmp_path, "name,id\nLi Wei,1\nLi Wei,2\n")))
    assert opened.missing == ("Li Wei (1)", "Li Wei (2)")
    assert opened.notes == ["Li Wei: submitted, but is not in the roster"]


def test_two_hand_ins_of_one_student_are_told(tmp_path):
    opened = open_class(handed_in(tmp_path, "ada/forward.py", "al4/forward.py"), LESSON, people=read_roster(roster(tmp_path, "name,login\nAda,al4\n")))
    assert [student.name for student in opened.students] == ["Ada"]
    assert opened.notes == ["Ada: submitted as ada, al4; only the last is graded"]


def test_when_it_was_handed_in_comes_from_the_roster(tmp_path):
    text = "name,handed in\nAda,2026-11-21 08:00Z\n"
    opened = open_class(handed_in(tmp_path, "ada/forward.py"), LESSON, people=read_roster(roster(tmp_path, text)))
    (one,) = opened.submissions(HANDOUT, ["forward"], every=False)
    assert one.handed_in == HandedIn(at=datetime(2026, 11, 21, 8, tzinfo=UTC))


@pytest.mark.parametrize(("name", "written"), [("Doe, Jane", "doejane"), ("O'Brien-Smith, Zoë", "obriensmithzoë"), ("李 伟", "李伟"), ("Zoe\u0308", "zoë")])
def test_letters_are_those_that_canvas_keeps(name, written):
    assert letters(name) == written
