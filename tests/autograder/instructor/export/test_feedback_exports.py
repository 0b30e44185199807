"""Feedback goes back to the student it belongs to, in the form that each platform's own code reads, and to nobody else."""

import csv
import re
import zipfile
from email import policy
from email.parser import BytesParser

import pytest
from msgspec.structs import replace

from autograder.course.errors import UsageError
from autograder.course.model import CheckResult, HandedIn, Override, Result
from autograder.course.policy import Policy
from autograder.instructor.export import export
from autograder.instructor.gradebook import Gradebook, Kept
from autograder.instructor.grades import Grade, StudentGrades, read_rules
from autograder.instructor.roster import Person
from autograder.instructor.sheet import Column, Sheet, sheet_of

WRONG = CheckResult("by_hand", "By hand", 0, 5, "failed", "wrong", "`f(1)` gave <b>1</b> where 2 was expected.")
ADA = Person("Ada Lovelace", email="ada@example.org", school_id="s4711")


def student(person, score=3.0, platform="", start="", *, attempt=1, judged=True, overrides=(), exercise="forward"):
    """One student's grade in one exercise, as handed in under a platform's name."""
    result = Result(person.student, "12_diffusion", exercise, "graded" if judged else "not_judged", score, 5.0, (WRONG,), "", "0", "r", "", "")
    handed_in = HandedIn(attempt, origin=(platform, start) if platform else None)
    grade = Grade(result, handed_in, {one.check: one for one in overrides}, score, 0, 0.0)
    return StudentGrades(person, {exercise: grade}, 20 * score if judged else None, None)


def sheet(*students, exercises=("forward",), reveal="all"):
    columns = tuple(Column("12_diffusion", exercise, exercise, 5.0) for exercise in exercises)
    return Sheet(columns, lambda: iter(students), Policy(reveal=reveal), {}, {}, len(students))


def files(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def read_by_moodle(name):
    """Take a file's name apart as importziplib.php does: at the first four underscores."""
    parts = name.split("_", 4)
    return int(parts[1]), parts[2], parts[3], parts[4]


def read_by_canvas(name):
    """Take a file's name apart as abstract_assignment.rb does: the first two parts that are numbers, or those after `anon`."""
    parts = [part for part in name.split("_") if part != "LATE"]
    return tuple(parts[1:3]) if parts[0] == "anon" else tuple([part for part in parts if re.fullmatch(r"\d+", part)][:2])


def test_moodle_finds_each_students_file_by_the_participant_number(tmp_path):
    """The download's number, or for those who handed in nothing the worksheet's."""
    made = sheet(
        student(ADA, platform="moodle", start="Ada Lovelace_8001"),
        student(Person("Bo_B", participant="8002")),
        student(Person("Cy", id="7")),
    )
    notes = export(made, "moodle-feedback", tmp_path / "f.zip")
    found = files(tmp_path / "f.zip")
    assert [read_by_moodle(name) for name in found] == [(number, "assignfeedback", "file", "feedback.html") for number in (8001, 8002)]
    assert "&lt;b&gt;1&lt;/b&gt; where 2 was expected" in found["Ada Lovelace_8001_assignfeedback_file_feedback.html"]
    assert notes == ["Cy: left out, because Moodle's participant number is not known"]


def test_canvas_finds_each_students_file_by_the_number_of_what_was_handed_in(tmp_path):
    made = sheet(
        student(ADA, platform="canvas", start="lovelaceada_LATE_4242_9001"),
        student(Person("anon_Ab3xY"), platform="canvas", start="anon_Ab3xY_9008"),
        student(Person("Bo", id="4243")),
    )
    notes = export(made, "canvas-feedback", tmp_path / "f.zip")
    found = files(tmp_path / "f.zip")
    assert [read_by_canvas(name) for name in found] == [("4242", "9001"), ("Ab3xY", "9008")]
    assert found["lovelaceada_LATE_4242_9001_feedback.txt"].startswith("# Ada Lovelace\n")
    assert notes == ["Bo: left out, because there is no file from Canvas to comment on"]


def test_feedback_on_the_best_attempt_goes_to_the_latest(tmp_path):
    """Canvas takes a comment on no earlier file."""
    attempts = [(5.0, 1, "ada_1_11"), (3.0, 2, "ada_1_12")]
    made = [student(ADA, score, "canvas", start, attempt=number).grades["forward"] for score, number, start in attempts]
    (tmp_path / "out").mkdir()
    with Gradebook(tmp_path / "out" / "gradebook.sqlite") as book:
        book.begin("run", {})
        book.keep("run", [Kept(one.result, handed_in=one.handed_in) for one in made])
        rules = read_rules(tmp_path / "out", book, Policy(counts="best"))
        assert export(sheet_of(book, "run", rules, {}, {}, {}), "canvas-feedback", tmp_path / "f.zip") == []
    [(name, text)] = files(tmp_path / "f.zip").items()
    assert (read_by_canvas(name), "5 of 5 points" in text) == (("1", "12"), True)


@pytest.mark.parametrize("to", ["moodle-feedback", "canvas-feedback"])
def test_what_another_platform_says_is_not_used(tmp_path, to):
    other = {"moodle-feedback": "canvas", "canvas-feedback": "moodle"}[to]
    assert len(export(sheet(student(ADA, platform=other, start="lovelaceada_4242_9001")), to, tmp_path / "f.zip")) == 1
    assert files(tmp_path / "f.zip") == {}


def test_who_handed_in_together_gets_one_file_if_all_may_read_it(tmp_path):
    team = {"platform": "moodle", "start": "Team Red_41"}
    export(sheet(student(ADA, **team), student(Person("Bo"), **team)), "moodle-feedback", tmp_path / "f.zip")
    [(name, text)] = files(tmp_path / "f.zip").items()
    assert read_by_moodle(name)[0] == 41
    assert "<h1>Ada Lovelace, Bo</h1>" in text


def test_no_member_of_a_team_reads_what_was_decided_for_another(tmp_path):
    team = {"platform": "moodle", "start": "Team Red_41"}
    given = Override("Bo", "12_diffusion", "forward", "by_hand", 4.0, "was ill", "")
    notes = export(sheet(student(ADA, **team), student(Person("Bo"), **team, overrides=[given])), "moodle-feedback", tmp_path / "f.zip")
    assert files(tmp_path / "f.zip") == {}
    assert notes == ["Ada Lovelace, Bo: handed in together, but their feedback differs, so it is left out: `--to mail` gives each their own"]


def test_feedback_on_several_assignments_is_exported_one_at_a_time(tmp_path):
    first, second = (student(ADA, platform="moodle", start=f"Ada Lovelace_{number}", exercise=name) for name, number in (("forward", 1), ("loss", 2)))
    both = StudentGrades(ADA, {**first.grades, **second.grades}, 60.0, None)
    notes = export(sheet(both, exercises=("forward", "loss")), "moodle-feedback", tmp_path / "f.zip")
    assert notes[0] == "Ada Lovelace: handed in for several assignments: export one at a time, with --exercise"
    assert export(sheet(both, exercises=("loss",)), "moodle-feedback", tmp_path / "f.zip") == []
    assert list(files(tmp_path / "f.zip")) == ["Ada Lovelace_2_assignfeedback_file_feedback.html"]


@pytest.mark.parametrize("start", ["../../x_1", "a/b\\c_1", "a\nb_1"])
def test_no_name_leads_out_of_the_zip(tmp_path, start):
    export(sheet(student(ADA, platform="moodle", start=start)), "moodle-feedback", tmp_path / "f.zip")
    [name] = files(tmp_path / "f.zip")
    assert not set(name) & set("/\\\n")
    assert read_by_moodle(name)[0] == 1


def test_the_same_feedback_makes_the_same_file(tmp_path):
    for to in ("moodle-feedback", "canvas-feedback"):
        for number in (1, 2):
            export(sheet(student(ADA, platform=to.split("-")[0], start="ada_1_2")), to, tmp_path / f"{number}.zip")
        assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()


@pytest.mark.parametrize("to", ["moodle-feedback", "moodle-worksheet", "mail"])
def test_feedback_that_leaves_reveals_no_more_than_the_policy_does(tmp_path, to):
    export(sheet(student(ADA, platform="moodle", start="Ada Lovelace_8001"), reveal="nothing"), to, tmp_path / "f")
    if to == "mail":
        [message] = (tmp_path / "f").glob("*.eml")
        text = message.read_text()
    else:
        text = (tmp_path / "f").read_text() if to == "moodle-worksheet" else "".join(files(tmp_path / "f").values())
    assert "3 of 5 points" in text
    assert "By hand" not in text


@pytest.mark.parametrize("to", ["moodle-feedback", "canvas-feedback", "moodle-worksheet", "mail"])
def test_nothing_of_a_student_on_hold_leaves(tmp_path, to):
    held = replace(student(ADA, platform=to.split("-")[0], start="Ada Lovelace_8001"), on_hold=True)
    assert export(sheet(held), to, tmp_path / "f")[0] == "Ada Lovelace: on hold"
    if to == "mail":
        assert not list((tmp_path / "f").glob("*.eml"))
    else:
        assert not (rows(tmp_path / "f") if to == "moodle-worksheet" else files(tmp_path / "f"))


# ---- Moodle's grading worksheet


def rows(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_moodles_worksheet_has_both_numbers_the_grade_and_the_comments(tmp_path):
    """The columns that importgradeslib.php looks for, and the number after "Participant "."""
    made = sheet(student(ADA, platform="moodle", start="Lovelace, Ada_8001"), student(Person("=Bo", participant="8002", school_id="+1"), 5.0))
    notes = export(made, "moodle-worksheet", tmp_path / "w.csv")
    ada, bo = rows(tmp_path / "w.csv")
    assert list(ada) == ["Identifier", "Full name", "ID number", "Email address", "Grade", "Maximum grade", "Last modified (grade)", "Feedback comments"]
    assert list(ada.values())[:7] == ["Participant 8001", "Ada Lovelace", "s4711", "ada@example.org", "3", "5", "-"]
    assert ada["Feedback comments"] == (
        "<b>forward</b>: 3 of 5 points.<br>By hand (0 of 5). <code>f(1)</code> gave &lt;b&gt;1&lt;/b&gt; where 2 was expected."
    )
    assert list(bo.values())[:5] == ["Participant 8002", "'=Bo", "'+1", "", "5"]
    assert notes == ["In Moodle, the maximum grade of the assignment has to be 5"]


def test_the_worksheet_of_several_exercises_has_the_total_in_percent(tmp_path):
    person = Person("Ada Lovelace", participant="8001")
    both = StudentGrades(person, {**student(person).grades, **student(person, exercise="loss").grades}, 61.5, None)
    notes = export(sheet(both, exercises=("forward", "loss")), "moodle-worksheet", tmp_path / "w.csv")
    [ada] = rows(tmp_path / "w.csv")
    assert (ada["Grade"], ada["Maximum grade"]) == ("61.5", "100")
    assert notes == ["In Moodle, the maximum grade of the assignment has to be 100"]


def test_a_number_that_stands_beside_another_name_is_no_participants(tmp_path):
    """A team's number is some other participant's, so it may not say whose grade this is."""
    notes = export(sheet(student(ADA, platform="moodle", start="Team Red_41")), "moodle-worksheet", tmp_path / "w.csv")
    assert rows(tmp_path / "w.csv") == []
    assert notes[0] == "Ada Lovelace: left out, because Moodle's participant number is not known"


def test_a_roster_of_another_assignment_gives_no_numbers(tmp_path):
    """Each assignment numbers its participants anew: the download's own count, and where the two disagree, no other is used."""
    made = sheet(student(replace(ADA, participant="11"), platform="moodle", start="Ada Lovelace_8001"), student(Person("Bo", participant="12")))
    notes = export(made, "moodle-worksheet", tmp_path / "w.csv")
    assert [row["Identifier"] for row in rows(tmp_path / "w.csv")] == ["Participant 8001"]
    assert notes[0] == "Bo: left out, because Moodle's participant number is not known"
    export(made, "moodle-feedback", tmp_path / "f.zip")
    assert [read_by_moodle(name)[0] for name in files(tmp_path / "f.zip")] == [8001]


def test_blind_marking_is_known_by_the_rosters_numbers(tmp_path):
    made = sheet(student(replace(ADA, participant="11"), platform="moodle", start="Participant_11"), student(Person("Bo", participant="12")))
    export(made, "moodle-worksheet", tmp_path / "w.csv")
    assert [row["Identifier"] for row in rows(tmp_path / "w.csv")] == ["Participant 11", "Participant 12"]
    export(made, "moodle-feedback", tmp_path / "f.zip")
    assert [read_by_moodle(name)[0] for name in files(tmp_path / "f.zip")] == [11, 12]


def test_where_teams_hand_in_no_participant_is_taken_for_a_team(tmp_path):
    team = {"platform": "moodle", "start": "Team Red_41"}
    made = sheet(student(ADA, **team), student(Person("Bo"), **team), student(Person("Cy", participant="41")))
    notes = export(made, "moodle-feedback", tmp_path / "f.zip")
    assert [read_by_moodle(name)[0] for name in files(tmp_path / "f.zip")] == [41]
    assert notes == ["Cy: left out, because Moodle's participant number is not known"]


def test_what_was_not_judged_is_no_row_of_the_worksheet(tmp_path):
    """Moodle would keep the old grade and replace the comment."""
    notes = export(sheet(student(Person("Di", participant="8"), judged=False)), "moodle-worksheet", tmp_path / "w.csv")
    assert rows(tmp_path / "w.csv") == []
    assert notes[0] == "Di: forward was not judged"


# ---- mail


def test_mail_is_a_draft_for_each_student_with_text_and_a_page(tmp_path):
    notes = export(sheet(student(ADA), student(Person("Cy", email="no address"))), "mail", tmp_path / "mail")
    [path] = (tmp_path / "mail").glob("*.eml")
    message = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
    assert (message["To"], message["Subject"], message["X-Unsent"], message["From"]) == ("Ada Lovelace <ada@example.org>", "Feedback: forward", "1", None)
    assert "where 2 was expected" in message.get_body(("plain",)).get_content()
    assert "<h1>Ada Lovelace</h1>" in message.get_body(("html",)).get_content()
    assert notes == ["Cy: left out, because there is no e-mail address to send to"]
    export(sheet(student(ADA)), "mail", tmp_path / "again")
    assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("address", ["", "a", "a@b\nBcc: c@example.org", "a@b, c@example.org", "a b@c", "ä@example.org"])
def test_an_address_reaches_nobody_else(tmp_path, address):
    notes = export(sheet(student(Person("Bo\nBcc: c@example.org", email=address))), "mail", tmp_path / "mail")
    sent = [BytesParser(policy=policy.default).parsebytes(path.read_bytes()) for path in (tmp_path / "mail").glob("*.eml")]
    assert len(notes) + len(sent) == 1
    assert all(message["Bcc"] is None and len(message["To"].addresses) == 1 for message in sent)


def test_mail_of_an_earlier_export_goes_and_a_folder_of_somebody_elses_stays(tmp_path):
    export(sheet(student(ADA), student(Person("Bo", email="bo@example.org"))), "mail", tmp_path / "mail")
    export(sheet(student(ADA)), "mail", tmp_path / "mail")
    assert len(list((tmp_path / "mail").glob("*.eml"))) == 1
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "kept.eml").touch()
    with pytest.raises(UsageError) as caught:
        export(sheet(student(ADA)), "mail", tmp_path / "own")
    assert str(caught.value) == f"{tmp_path / 'own'}: not empty, and not made by this command\n  fix: choose a new or empty folder with --out"
