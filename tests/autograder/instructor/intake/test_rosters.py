"""Rosters: read by their columns' names, joined by number, login, e-mail and name, and every mistake told with its line."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from autograder.course.errors import UsageError
from autograder.course.model import HandedIn
from autograder.instructor.intake import open_class
from autograder.instructor.roster import Person, letters, read_roster, with_groups

from .handouts import HANDOUT

LESSON = "12_diffusion"
BERLIN = ZoneInfo("Europe/Berlin")


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
    "first and last name": ("First name,Surname,ID number\nAda,Lovelace,501\n", "utf-8", [Person("Ada Lovelace", school_id="501")]),
    "Canvas's gradebook": (
        'Student,ID,SIS Login ID,Section,Noising (77)\n    Points Possible,,,,20\n"Lovelace, Ada",501,ada1,A,\n',
        "utf-8",
        [Person("Lovelace, Ada", "501", login="ada1", section="A")],
    ),
    "Moodle's worksheet": (
        "Identifier,Full name,Email address,Status\nParticipant 8001,Ada Lovelace,ada@example.org,Submitted\n",
        "utf-8",
        [Person("Ada Lovelace", "8001", "ada@example.org", late=False, participant="8001")],
    ),
    "Moodle's worksheet with the university's numbers": (
        "Identifier,Full name,ID number,Email address,Status,Grade,Maximum grade,Grade can be changed\n"
        "Participant 8001,Ada Lovelace,s4711,ada@example.org,Submitted,,20.00,Yes\n",
        "utf-8",
        [Person("Ada Lovelace", "8001", "ada@example.org", school_id="s4711", late=False, participant="8001")],
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
    assert read_roster(roster(tmp_path, text, encoding), BERLIN).people == people


MORE_FORMS = {
    "a separator that a spreadsheet is told": ("sep=;\nName;E-Mail\nAda;a@u.example\n", "utf-8", [Person("Ada", email="a@u.example")]),
    "a title above the names": ("CV101, winter 2026\nexported by Prof. X, 3 students\n\nname,id\nAda,1\n", "utf-8", [Person("Ada", "1")]),
    "German": (
        "Nachname;Vorname;Matrikelnummer;E-Mail-Adresse;Gruppe\nLovelace;Ada;4711;a@u.example;A\n",
        "cp1252",
        [Person("Ada Lovelace", email="a@u.example", school_id="4711", group="A")],
    ),
    "a name that is the last one": ("Name,Vorname\nLovelace,Ada\n", "utf-8", [Person("Ada Lovelace")]),
    "Blackboard's, in UTF-16": (
        '"Last Name"\t"First Name"\t"Username"\t"Student ID"\nLovelace\tAda\tada1\t4711\n',
        "utf-16",
        [Person("Ada Lovelace", login="ada1", school_id="4711")],
    ),
    "UTF-16 without a mark": ("name,id\nAda,1\n", "utf-16-le", [Person("Ada", "1")]),
    "Brightspace's": ("OrgDefinedId,Username,Last Name,First Name\n#4711,#ada1,Lovelace,Ada\n", "utf-8", [Person("Ada Lovelace", login="ada1", school_id="4711")]),
    "Canvas's groups": (
        "name,canvas_user_id,user_id,login_id,sections,group_name,canvas_group_id,group_id\nAda,101,s1,ada1,A,Team Red,7,\n",
        "utf-8",
        [Person("Ada", "101", login="ada1", section="A", school_id="s1", group="Team Red")],
    ),
    "an empty first cell": ("id,name,section\n1,Ada,A\n,Bo,A\n,Dora Absent,B\n", "utf-8", [Person("Ada", "1", section="A"), Person("Bo", section="A"), Person("Dora Absent", section="B")]),
    "cells that say nothing": ("name,id,email,login\nAda,(none),-,N/A\n", "utf-8", [Person("Ada")]),
    "two addresses": ("name,email\nAda,a@u.example; b@u.example\n", "utf-8", [Person("Ada", email="a@u.example", aliases=("b@u.example",))]),
    "no name but an address": ("name,email\n,a@u.example\n", "utf-8", [Person("a@u.example", email="a@u.example")]),
    "Moodle's worksheet with times": (
        "Identifier,Full name,Status,Last modified (submission)\n"
        'Participant 11,Ada,Submitted for grading - ,"Friday, 20 November 2026, 8:58 PM"\n'
        'Participant 12,Bo,"Submitted for grading - 4 days 2 hours late","Wednesday, 25 November 2026, 1:58 AM"\n'
        'Participant 13,Cy,"No submission - Extension granted until: Friday, 27 November 2026, 11:59 PM",-\n',
        "utf-8",
        [
            Person("Ada", "11", handed_in=datetime(2026, 11, 20, 19, 58, tzinfo=UTC), late=False, participant="11"),
            Person("Bo", "12", handed_in=datetime(2026, 11, 25, 0, 58, tzinfo=UTC), late=True, minutes_late=98 * 60, participant="12"),
            Person("Cy", "13", due=datetime(2026, 11, 27, 22, 59, tzinfo=UTC), participant="13"),
        ],
    ),
    "Moodle's worksheet in German": (
        "Bezeichner;Vollständiger Name;Status;Zuletzt geändert (Abgabe)\nTeilnehmer/in 11;Ada;Zur Bewertung abgegeben - 1 Tag 3 Stunden verspätet;Samstag, 21. November 2026, 02:58\n",
        "utf-8",
        [Person("Ada", "11", handed_in=datetime(2026, 11, 21, 1, 58, tzinfo=UTC), late=True, minutes_late=27 * 60, participant="11")],
    ),
    "a day instead of a time": ("name,due\nAda,27.11.2026\n", "utf-8", [Person("Ada", due=datetime(2026, 11, 27, 22, 59, tzinfo=UTC))]),
    "a time without a zone": ("name,due\nAda,2026-11-27 23:59\n", "utf-8", [Person("Ada", due=datetime(2026, 11, 27, 22, 59, tzinfo=UTC))]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "encoding", "people"), MORE_FORMS.values(), ids=MORE_FORMS.keys())
def test_a_roster_is_read_as_it_comes(tmp_path, text, encoding, people):
    read = read_roster(roster(tmp_path, text, encoding), BERLIN)
    assert (read.people, read.notes) == (people, ())


NOTED = {
    "no e-mail": ("name,email\nBo,bo\n", [Person("Bo")], "2: `bo` is not an e-mail address, so it is left out"),
    "an e-mail that is a formula": ("name,email\nBo,=cmd|x@example.org\n", [Person("Bo")], "2: `=cmd|x@example.org` is not an e-mail address, so it is left out"),
    "no time": ("name,due\nBo,\x1b[31mtomorrow\n", [Person("Bo")], "2: the time `�[31mtomorrow` is left out, because it is not a time"),
    "half a time": ("name,due\nBo,23:59\n", [Person("Bo")], "2: the time `23:59` is left out, because it is not a whole time"),
    "a time with two meanings": ("name,due\nBo,03/04/2026 23:59\n", [Person("Bo")], "2: the time `03/04/2026 23:59` is left out, because its day and month may be either"),
    "a footer": ("name,email\nBo,bo@u.example\nTotal: 2 students,\n", [Person("Bo", email="bo@u.example")], "3: `Total: 2 students` is no student, so it is left out"),
    "a footer with a figure": ("name,email\nBo,bo@u.example\nSumme,1\n", [Person("Bo", email="bo@u.example")], "3: `Summe` is no student, so it is left out"),
    "a footer that counts": ("name,id\nBo,1\n2 students,\n", [Person("Bo", "1")], "3: `2 students` is no student, so it is left out"),
    "when it was exported": ("name,id\nBo,1\nExported on 2026-11-20 by Canvas\n", [Person("Bo", "1")], "3: `Exported on 2026-11-20 by Canvas` is no student, so it is left out"),
    "Canvas's test student": ('Student,ID\nBo,1\n"Student, Test",2\n', [Person("Bo", "1")], "3: `Student, Test` is the platform's test student, so it is left out"),
    "two sections": ("name,id,section\nBo,1,A\nBo,1,B\n", [Person("Bo", "1", section="A, B")], " 1 row repeats a student, so they are merged"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "people", "note"), NOTED.values(), ids=NOTED.keys())
def test_no_cell_aborts_the_class_and_what_is_left_out_is_noted(tmp_path, text, people, note):
    read = read_roster(roster(tmp_path, text), BERLIN)
    assert (read.people, read.notes) == (people, (f"roster.csv:{note}",))


@pytest.mark.parametrize("name", ["Sum Wing", "Page Turner", "Stand, Bo", "Total Eclipse"])
def test_a_student_is_no_footer_for_a_name(tmp_path, name):
    assert [person.student for person in read_roster(roster(tmp_path, f'name,id\n"{name}",1\n')).people] == [name]


def test_times_without_a_zone_are_noted_once(tmp_path):
    read = read_roster(roster(tmp_path, "name,due\nAda,2026-11-27 23:59\nBo,2026-11-27 23:59\n"))
    assert [person.due for person in read.people] == [None, None]
    assert read.notes == ("roster.csv: times that name no zone are left out: add `time_zone` to `grading` in course.yaml",)


def test_a_quote_that_nobody_closed_costs_no_student(tmp_path):
    read = read_roster(roster(tmp_path, 'name,id\n"Ada,1\nBo,2\nCy,3\n'))
    assert [person.student for person in read.people] == ["Ada", "Bo", "Cy"]


MISTAKES = {
    "empty": ("", ": the roster is empty\n  fix: begin it with a line of column names: name,id,email"),
    "no line of names": ("Ada,1\n", ":1: no column `name`\n  fix: name the columns in the first line: name,id,email,login,section,due; this file has Ada, 1"),
    "no names": ("id,mail\n1,a@b.c\n", ":1: no column `name`\n  fix: name the columns in the first line: name,id,email,login,section,due; this file has id, mail"),
    "a spreadsheet": (b"PK\x03\x04abc", ": a spreadsheet, not a CSV\n  fix: save it as CSV"),
    "not text": (b"name\n\x81\x8d\n", ": not text\n  fix: save it as plain CSV in UTF-8"),
    "an endless cell": ('name\n"' + "x" * 200_000 + '"\n', ":2: field larger than field limit (131072)\n  fix: save it as plain CSV in UTF-8"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_what_is_no_roster_is_told_in_full(tmp_path, text, message):
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
    opened = open_class(handed_in(tmp_path, path), LESSON, people=read_roster(roster(tmp_path, text + "Bo B\n" if "," not in text else text + "Bo B,\n")).people)
    got = {one.student: one.status for one in opened.submissions(HANDOUT, ["forward"], every=False)}
    assert [*got.items()] in ([("Ada Lovelace", "present"), ("Bo B", "missing")], [("Lovelace, Ada", "present"), ("Bo B", "missing")])
    assert opened.missing == ("Bo B",)


def test_the_platforms_number_is_learnt_where_the_roster_has_none(tmp_path):
    opened = open_class(handed_in(tmp_path, "lovelaceada_77_9_forward.py"), LESSON, people=read_roster(roster(tmp_path, "name\nAda Lovelace\n")).people)
    assert opened.people == [Person("Ada Lovelace", "77")]


def test_who_is_not_in_the_roster_is_told_and_graded(tmp_path):
    opened = open_class(handed_in(tmp_path, "Eve/forward.py", "Ada/forward.py"), LESSON, people=read_roster(roster(tmp_path, "name\nAda\n")).people)
    assert [student.name for student in opened.students] == ["Ada", "Eve"]
    assert opened.notes == ["Eve: submitted, but is not in the roster"]


def test_a_name_that_two_share_joins_nobody(tmp_path):
    """Rather a line for the instructor than one student's grade for another."""
    opened = open_class(handed_in(tmp_path, "Li Wei/forward.py"), LESSON, people=read_roster(roster(tmp_path, "name,id\nLi Wei,1\nLi Wei,2\n")).people)
    assert opened.missing == ("Li Wei (1)", "Li Wei (2)")
    assert opened.notes == [
        "Li Wei: submitted, but may be any of Li Wei (1), Li Wei (2): put the number, login or e-mail address behind the name"
    ]


def test_two_hand_ins_of_one_student_are_told(tmp_path):
    opened = open_class(handed_in(tmp_path, "ada/forward.py", "al4/forward.py"), LESSON, people=read_roster(roster(tmp_path, "name,login\nAda,al4\n")).people)
    assert [student.name for student in opened.students] == ["Ada"]
    assert opened.notes == ["Ada: submitted as ada, al4; only the last is graded"]


def test_when_it_was_handed_in_comes_from_the_roster(tmp_path):
    text = "name,handed in\nAda,2026-11-21 08:00Z\n"
    opened = open_class(handed_in(tmp_path, "ada/forward.py"), LESSON, people=read_roster(roster(tmp_path, text)).people)
    (one,) = opened.submissions(HANDOUT, ["forward"], every=False)
    assert one.handed_in == HandedIn(at=datetime(2026, 11, 21, 8, tzinfo=UTC))


@pytest.mark.parametrize(("name", "written"), [("Doe, Jane", "doejane"), ("O'Brien-Smith, Zoë", "obriensmithzoë"), ("李 伟", "李伟"), ("Zoe\u0308", "zoë")])
def test_letters_are_those_that_canvas_keeps(name, written):
    assert letters(name) == written


# ---- kinds of identity are kept apart


def joined(tmp_path, text, *paths, groups=""):
    """Return who was given which path, and the notes."""
    listed = read_roster(roster(tmp_path, text)).people
    if groups:
        (tmp_path / "groups.csv").write_text(groups)
        listed = with_groups(listed, tmp_path / "groups.csv").people
    for path in paths:
        (tmp_path / "in" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / path).write_text(f"x = {path!r}\n")
    opened = open_class(tmp_path / "in", LESSON, people=listed)
    found = {one.student: one.source for one in opened.submissions(HANDOUT, ["forward"], every=False)}
    return {student: source and eval(source.decode().removeprefix("x = ")).split("/")[0].partition("_")[0] for student, source in found.items()}, opened.notes


def test_canvas_numbers_are_not_the_schools(tmp_path):
    """Two grades were exchanged, because each was the other's number."""
    found, notes = joined(tmp_path, 'Name,Student ID\n"Lovelace, Ada",4243\n"Byte, Bo",4242\n', "bytebo_4243_9002_forward.py", "lovelaceada_4242_9001_forward.py")
    assert (found, notes) == ({"Lovelace, Ada": "lovelaceada", "Byte, Bo": "bytebo"}, [])


def test_participant_numbers_are_not_the_schools(tmp_path):
    found, notes = joined(tmp_path, "First name,Last name,ID number\nAda,Lovelace,1002\nBo,Byte,1001\n", "Ada Lovelace_1001_assignsubmission_file_/forward.py")
    assert (found, notes) == ({"Ada Lovelace": "Ada Lovelace", "Bo Byte": None}, [])


def test_a_join_by_number_that_a_name_contradicts_is_not_made_and_told(tmp_path):
    text = "name,id\nAda Lovelace,1\nBo Byte,2\nCy Katz,3\n"
    found, notes = joined(tmp_path, text, "lovelaceada_2_9_forward.py", "katzcy_3_9_forward.py")
    assert found == {"Ada Lovelace": "lovelaceada", "Bo Byte": None, "Cy Katz": "katzcy"}
    assert notes == ["lovelaceada: the id `2` is Bo Byte's in the roster, but the name is Ada Lovelace's, which counts"]


def test_numbers_that_never_agree_with_the_names_are_not_used(tmp_path):
    found, notes = joined(tmp_path, "name,id\nAda Lovelace,2\nBo Byte,1\n", "lovelaceada_1_9_forward.py", "bytebob_2_9_forward.py")
    assert found == {"Ada Lovelace": "lovelaceada", "Bo Byte": None, "bytebob": "bytebob"}
    assert notes == [
        "the numbers in the roster are not those of the download, so students are matched without them",
        "bytebob: submitted, but is not in the roster",
    ]


def test_a_join_by_number_alone_is_told(tmp_path):
    found, notes = joined(tmp_path, "name,id\nWilliam Byte,7\n", "bytebill_7_9_forward.py")
    assert (found, notes) == ({"William Byte": "bytebill"}, ["bytebill: taken for William Byte by the number 7, though the names differ"])


@pytest.mark.parametrize("text", ["name,id\n1E5,77\nAda,1E5\n", "name,login\n1E5,x\nAda,1e5\n", "name,student id\n1E5,77\nAda,1E5\n"])
def test_a_student_named_like_a_number_is_not_the_owner_of_that_number(tmp_path, text):
    found, notes = joined(tmp_path, text, "1E5/forward.py")
    assert (found, notes) == ({"1E5": "1E5", "Ada": None}, [])


@pytest.mark.parametrize("column", ["id", "student id", "login", "email"])
def test_a_folder_may_be_named_by_any_identity(tmp_path, column):
    value = "ada@u.example" if column == "email" else "4711"
    assert joined(tmp_path, f"name,{column}\nAda,{value}\n", f"{value}/forward.py")[0] == {"Ada": value}


FOLDERS = {
    "with the number behind": "Byte_Bo_4711",
    "with the number before": "4711 Bo Byte",
    "as a university renames Brightspace's": "Byte, Bo - 4711",
    "without accents": "Bö Byte",
    "with the number in brackets": "Byte, Bo (4711)",
    "with the number in brackets alone": "B. (4711)",
    "another number behind": "Bo Byte 999",
}


@pytest.mark.parametrize("folder", FOLDERS.values(), ids=FOLDERS.keys())
def test_a_folder_may_be_named_by_name_and_number(tmp_path, folder):
    assert joined(tmp_path, "name,student id\nBo Byte,4711\nAda,1\n", f"{folder}/forward.py")[0]["Bo Byte"] is not None


WRITTEN = {
    "ü as ue": ("Jürgen Müller", "Juergen Mueller"),
    "ß as ss": ("Jürgen Groß", "Jurgen Gross"),
    "ø as oe": ("Søren Bø", "Soeren Boe"),
    "å as aa": ("Åse Ås", "Aase Aas"),
    "þ as th": ("Þór Æsir", "Thor Aesir"),
    "a Persian keyboard": ("علی کریم", "علي كريم"),
    "a final alif": ("منى", "مني"),
    "letters of full width": ("Ｊａｎｅ Ｄｏｅ", "Jane Doe"),
    "half-width kana": ("ｶﾅ", "カナ"),
    "no dots": ("Иван Чёрный", "Иван Черный"),
}


@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize("names", WRITTEN.values(), ids=WRITTEN)
def test_a_name_may_be_written_with_other_letters(tmp_path, names, way):
    name, folder = names[::way]
    assert joined(tmp_path, f"name\n{name}\nCy\n", f"{folder}/forward.py") == ({name: folder, "Cy": None}, [])


def test_names_in_other_scripts_are_not_taken_for_one_another(tmp_path):
    found, notes = joined(tmp_path, "name\nИван Петров\nمحمد علي\n李伟\n", "Пётр Иванов/forward.py", "علي أحمد/forward.py", "伟/forward.py")
    assert set(found.values()) == {None, "Пётр Иванов", "علي أحمد", "伟"}
    assert len(notes) == 3


def test_accents_matter_where_they_are_all_that_differs(tmp_path):
    found, notes = joined(tmp_path, "name\nZoë\nZoe\n", "Zoe/forward.py")
    assert (found, notes) == ({"Zoë": None, "Zoe": "Zoe"}, [])


def test_blind_marking_is_matched_by_number_without_a_word(tmp_path):
    text = "Identifier,Full name\nParticipant 11,Ada\nParticipant 12,Bo\n"
    found, notes = joined(tmp_path, text, "Participant_11_assignsubmission_file_/forward.py", "Participant_12_assignsubmission_file_/forward.py")
    assert (found, notes) == ({"Ada": "Participant", "Bo": "Participant"}, [])


# ---- groups: one submission, every member's grade

GROUPS = {
    "groups.csv": ("name\nAda\nBo\nCy\n", "group,name\nTeam Red,Ada\nTeam Red,Bo\n", "Team Red_41_assignsubmission_file_/forward.py"),
    "Canvas's export of groups": ("name,id\nAda,1\nBo,2\nCy,3\n", "name,canvas_user_id,group_name\nAda,1,Team Red\nBo,2,Team Red\n", "teamred_2_9_forward.py"),
    "members in one cell": ("name,email\nAda,a@u.example\nBo,b@u.example\nCy,c@u.example\n", "team,members\nTeam Red,a@u.example; Bo\n", "Team Red/forward.py"),
    "a column of the roster": ("name,group\nAda,Team Red\nBo,Team Red\nCy,\n", "", "Team Red_41_assignsubmission_file_forward.py"),
    "Brightspace": ("name,group\nAda,Team Red\nBo,Team Red\nCy,\n", "", "397063-2557369 - Team Red - Sep 24, 2026 926 PM/forward.py"),
    "Brightspace, with who handed in": ("name,group\nAda,Team Red\nBo,Team Red\nCy,\n", "", "397063-2557369 - Team Red - Ada - Sep 24, 2026 926 PM/forward.py"),
    "Brightspace, with a dash in the name": ("name,group\nAda,Lab - Red\nBo,Lab - Red\nCy,\n", "", "397063-2557369 - Lab - Red - Ada - Sep 24, 2026 926 PM/forward.py"),
    "Brightspace, without folders": ("name,group\nAda,Team Red\nBo,Team Red\nCy,\n", "", "397063-2557369 - Team Red - Ada - Sep 24, 2026 926 PM - forward.py"),
    "Blackboard": ("name,group\nAda,Team Red\nBo,Team Red\nCy,\n", "", "HW 1_Team Red_attempt_2026-11-20-22-58-11_forward.py"),
    "Blackboard, with an underscore in the name": ("name,group\nAda,Team_Red\nBo,Team_Red\nCy,\n", "", "HW 1_Team_Red_attempt_2026-11-20-22-58-11_forward.py"),
    "several groups of one student": ("name,id,group\nAda,1,Team Red\nBo,2,Team Red\nAda,1,Lab 1\nBo,2,Lab 2\nCy,3,Lab 2\n", "", "Team Red/forward.py"),
    "names in the download": ("name\nAda\nBo\nCy\n", "", "Ada, Bo_41_assignsubmission_file_/forward.py"),
    "names joined by and": ("name\nAda\nBo\nCy\n", "", "Ada and Bo/forward.py"),
}


@pytest.mark.parametrize(("text", "groups", "path"), GROUPS.values(), ids=GROUPS.keys())
def test_a_groups_submission_is_every_members(tmp_path, text, groups, path):
    found, notes = joined(tmp_path, text, path, groups=groups)
    assert found["Ada"] == found["Bo"] is not None
    assert found["Cy"] is None
    assert [note.partition(": ")[2] for note in notes] == ["handed in for Ada, Bo"]


def test_blackboards_groups_are_told_from_logins(tmp_path):
    """A group's name, perhaps with a login behind it; a class group that the assignment is named after is nobody's submission."""
    text = "name,login,group\nAda,ada,Red 1\nBo,bo,Red 1\nCy,cy,HW\n"
    paths = [f"HW_{name}_attempt_2026-11-20-22-58-11_forward.py" for name in ("Red 1_bo", "cy")]
    found, notes = joined(tmp_path, text, *paths)
    assert found == {"Ada": "HW", "Bo": "HW", "Cy": "HW"}
    assert notes == ["Red 1_bo: handed in for Ada, Bo"]


def test_a_group_in_brightspace_is_known_by_its_time_too(tmp_path):
    (tmp_path / "in" / "397063-2557369 - Team Red - Ada - Sep 24, 2026 926 PM").mkdir(parents=True)
    (tmp_path / "in" / "397063-2557369 - Team Red - Ada - Sep 24, 2026 926 PM" / "forward.py").touch()
    [one] = open_class(tmp_path / "in", LESSON, zone=BERLIN).students
    assert (one.name, one.uploads[0].facts.at) == ("Team Red - Ada", datetime(2026, 9, 24, 19, 26, tzinfo=UTC))


def test_without_a_roster_groups_are_the_class(tmp_path):
    (tmp_path / "groups.csv").write_text("group,name\nRed,Ada\nRed,Bo\n")
    assert [person.student for person in with_groups([], tmp_path / "groups.csv").people] == ["Ada", "Bo"]


def test_a_member_who_is_not_in_the_roster_is_told(tmp_path):
    (tmp_path / "groups.csv").write_text("group,name\nRed,Ada\nRed,Eve\n")
    read = with_groups([Person("Ada")], tmp_path / "groups.csv")
    assert (read.people, read.notes) == ([Person("Ada", group="Red")], ("groups.csv: `Eve` is not in the roster",))
