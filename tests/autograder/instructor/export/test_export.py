"""Exports say what counts, in each platform's form, and are safe to open wherever they are opened."""

import csv
import json

import pytest
from msgspec.structs import replace

from autograder.cli.results import export as command
from autograder.course.errors import UsageError
from autograder.course.model import CheckResult, HandedIn
from autograder.course.policy import Policy
from autograder.course.text import number
from autograder.instructor.export import FORMATS, export
from tests.autograder.instructor.export.conftest import DECIDED, result


def rows(path):
    return list(csv.reader(path.read_text(encoding="utf-8").splitlines()))


def test_the_command_offers_every_format():
    [to] = [option for option in command.params if option.name == "to"]
    assert list(to.type.choices) == list(FORMATS)


def test_canvas_gets_its_header_its_points_row_and_the_scores_that_count(make, tmp_path):
    """As Canvas's importer demands: Student, ID, ..., Section last; then `Title (id)`; then the row of points."""
    notes = export(make(forward="Noising (4711)"), "canvas", tmp_path / "c.csv")
    assert rows(tmp_path / "c.csv") == [
        ["Student", "ID", "SIS Login ID", "Section", "Noising (4711)", "practice"],
        ["    Points Possible", "", "", "", "5", "2"],
        ["'=cmd|'x'!A1", "", "", "", "3", ""],
        ["Ada Lovelace", "501", "al4", "A", "5", "2"],
        ["Bo", "502", "", "", "3.6", ""],
        ["Cy", "", "", "", "0", ""],
        ["Di", "", "", "", "", ""],
    ]
    assert notes == [
        "Di: forward was not judged",
        "3 without Canvas's number or a login: Canvas finds them by name; a roster with `id` is safer",
    ]


def test_moodle_gets_grades_and_feedback_and_the_e_mail_as_given(make, tmp_path):
    notes = export(make(), "moodle", tmp_path / "m.csv")
    header, _, ada, bo, cy, di = rows(tmp_path / "m.csv")
    assert header == ["Full name", "Number", "Email address", "forward", "forward (feedback)", "practice", "practice (feedback)"]
    assert ada == ["Ada Lovelace", "501", "ada@example.org", "5", "5 of 5 points.", "2", "2 of 2 points."]
    assert bo[:4] == ["Bo", "502", "bo+x@example.org", "3.6"]
    assert bo[4] == (
        "4 of 5 points.<br>Submitted a day late: 0.4 points are deducted, so 3.6 count."
        "<br>By hand (1 of 2). <code>f(1)</code> gave &lt;b&gt;1&lt;/b&gt; where 2 was expected."
        "<br>Your instructor gave 1 instead of 0: half &lt;i&gt;right&lt;/i&gt;"
    )
    assert cy == ["Cy", "", "'=cmd@example.org", "0", "0 of 5 points.<br>Nothing was submitted.", "", ""]
    assert di[3:5] == ["", ""]
    assert notes == ["Di: forward was not judged", "2 without an e-mail address, which Moodle finds students by: grade with a --roster that has them"]


def test_moodle_gets_a_line_for_each_part_of_a_question(make, tmp_path):
    parts = CheckResult("q", "Two numbers", 0, 2, "failed", "wrong", "Part 1 of 2: 3 is too much.\nPart 2 of 2: there is no answer yet.")
    export(make(results=[(result("Bo", [parts]), HandedIn())]), "moodle", tmp_path / "m.csv")
    bo = next(row for row in rows(tmp_path / "m.csv") if row[0] == "Bo")
    assert bo[4] == "0 of 5 points.<br>Two numbers (0 of 2). Part 1 of 2: 3 is too much.<br>Part 2 of 2: there is no answer yet."


@pytest.mark.parametrize(("reveal", "said"), [("titles", "By hand (0 of 2)."), ("nothing", "3 of 5 points.")])
def test_moodles_feedback_reveals_no_more_than_the_policy_does(make, tmp_path, reveal, said):
    export(make(Policy(reveal=reveal)), "moodle", tmp_path / "m.csv")
    assert rows(tmp_path / "m.csv")[1][4].endswith(said)


def test_the_table_has_what_was_graded_beside_what_counts_and_why(make, tmp_path):
    export(make(), "csv", tmp_path / "t.csv")
    header, eve, ada, bo, cy, di = rows(tmp_path / "t.csv")
    assert header[5:] == ["forward graded", "forward counts", "forward of", "practice graded", "practice counts", "practice of", "percent", "passed", "remarks"]
    assert ada[5:] == ["5", "5", "5", "2", "2", "2", "100", "yes", ""]
    assert bo[5:] == ["3", "3.6", "5", "", "", "", "72", "yes", "forward 1 day late, takes 0.4; forward.by_hand given 1: half <i>right</i>"]
    assert cy[5:] == ["0", "0", "5", "", "", "", "0", "no", "forward missing"]
    assert di[5:] == ["", "", "5", "", "", "", "", "", "forward not judged"]
    assert eve[0] == "'=cmd|'x'!A1"


@pytest.mark.parametrize("to", ["canvas", "moodle", "csv"])
def test_no_cell_is_a_formula(make, tmp_path, to):
    export(make(forward="=1+1", practice="@x"), to, tmp_path / "x.csv")
    cells = [cell for row in rows(tmp_path / "x.csv") for cell in row]
    assert len(cells) > 20
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []


def test_gradescope_gets_a_folder_for_each_student(make, tmp_path):
    notes = export(make(), "gradescope", tmp_path / "gs")
    found = {json.loads((path / "results.json").read_text())["extra_data"]["student"]: path.name for path in (tmp_path / "gs").iterdir()}
    assert set(found) == {"Ada Lovelace", "Bo", "Cy", "=cmd|'x'!A1"}
    assert notes == ["Di: forward was not judged, so there is no file for them"]
    bo = json.loads((tmp_path / "gs" / found["Bo"] / "results.json").read_text())
    assert (bo["score"], bo["output_format"]) == (3.6, "text")
    assert [(test["score"], test["name"], test["output"].split("\n")[0]) for test in bo["tests"]] == [
        (1.0, "forward: By hand", "Your instructor gave 1 instead of 0: half <i>right</i>"),
        (3.0, "forward: The jump", ""),
        (-0.4, "forward: Late: 0.4 of 4 points are deducted.", ""),
    ]


ALL = [  # Ada gets a bonus and is excused from the practice, Bo is on hold, Di gets points for what was not judged
    replace(DECIDED, student="Ada Lovelace", check="", kind="bonus", points=1.5, reason="a plot"),
    replace(DECIDED, student="Ada Lovelace", exercise="practice", check="", kind="excused", points=0.0, reason="ill"),
    replace(DECIDED, lesson="", exercise="", check="", kind="on_hold", points=0.0, reason="copied?"),
    replace(DECIDED, student="Di", check="", points=4.0, reason="by hand"),
]
GIVEN = {  # format -> the cells of Ada, Bo, Cy and Di, with `missing: blank`
    "canvas": {"Ada Lovelace": ["6.5", "EX"], "Bo": ["", ""], "Cy": ["", ""], "Di": ["4", ""]},
    "csv": {"Ada Lovelace": ["6.5", ""], "Bo": ["", ""], "Cy": ["", ""], "Di": ["4", ""]},
    "moodle": {"Ada Lovelace": ["6.5", ""], "Bo": ["", ""], "Cy": ["", ""], "Di": ["4", ""]},
}


@pytest.mark.parametrize("to", GIVEN)
def test_a_table_gives_out_what_was_decided_and_nothing_else(make, tmp_path, to):
    notes = export(make(Policy(missing="blank"), decided=ALL), to, tmp_path / "t.csv")
    head, *body = rows(tmp_path / "t.csv")
    columns = [place for place, name in enumerate(head) if name in ("forward", "practice", "forward counts", "practice counts")]
    assert {row[0]: [row[place] for place in columns] for row in body if row[0] in GIVEN[to]} == GIVEN[to]
    assert "Bo: on hold" in notes
    assert "copied" not in (tmp_path / "t.csv").read_text()


def test_gradescope_gets_what_counts_in_all(make, tmp_path):
    notes = export(make(decided=ALL), "gradescope", tmp_path / "gs")
    assert "Bo: on hold, so there is no file for them" in notes
    (ada,) = (json.loads(path.read_text()) for path in (tmp_path / "gs").glob("ada-*/results.json"))
    assert sum(test["score"] for test in ada["tests"]) == 6.5
    assert ("forward: +1.5 points by your instructor", "a plot") in [(test["name"], test["output"]) for test in ada["tests"]]


def test_a_place_that_cannot_be_written_is_told_in_full(make, tmp_path):
    (tmp_path / "there").mkdir()
    sheet = make()
    for to in ("canvas", "moodle", "csv"):
        with pytest.raises(UsageError) as caught:
            export(sheet, to, tmp_path / "there")
        assert str(caught.value) == f"{tmp_path / 'there'}: Is a directory\n  fix: choose a file that can be written with --out"
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError) as caught:
        export(sheet, "gradescope", tmp_path / "file")
    assert str(caught.value) == f"{tmp_path / 'file'}: File exists\n  fix: choose a file that can be written with --out"


def test_a_title_of_an_exercise_that_was_not_graded_is_told_in_full(make):
    with pytest.raises(UsageError) as caught:
        make(frward="x")
    assert str(caught.value) == "no exercise `frward` was graded here\n  fix: name one of: forward, practice"


@pytest.mark.parametrize(("value", "written"), [(0, "0"), (10, "10"), (100, "100"), (3.5, "3.5"), (1 / 3, "0.33"), (99.996, "100"), (1e6, "1000000")])
def test_numbers_are_written_without_needless_decimals(value, written):
    assert number(value) == written
