"""From what was handed in to what counts, with the real command: who gets which grade, and when it was late."""

import csv
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.cli.main import main

TINY = Path(__file__).parent / "broken_courses" / "tiny"
RIGHT = "def total(a, b=0.0):\n    return a + b\n"
POLICY = "grading:\n  time_zone: Europe/Berlin\n  due: {due}\n  late: {{percent: 10, per: day}}\n"

pytestmark = pytest.mark.usefixtures("examined")


@pytest.fixture
def place(tmp_path):
    shutil.copytree(TINY, tmp_path / "course", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def decide(place, due):
    """Give the course a due time, and a penalty for each day."""
    file = place / "course" / "course.yaml"
    file.write_text(file.read_text().partition("grading:")[0] + POLICY.format(due=due))


def hand_in(place, files):
    for name, text in files.items():
        (place / "class" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "class" / name).write_text(text)


def course(place, *arguments):
    done = CliRunner().invoke(main, ["--course", str(place / "course"), *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def graded(place, *options):
    """Grade the class; return what counts for each student, and what was said."""
    done = course(place, "grade", place / "class", "--out", place / "out", "--exercise", "sums", "--workers", 1, *options)
    course(place, "export", place / "out", "--to", "csv", "--out", place / "counts.csv")
    rows = csv.DictReader((place / "counts.csv").read_text(encoding="utf-8").splitlines())
    return {row["student"]: row["remarks"] for row in rows}, done.stderr.splitlines()[1:]


def test_moodles_worksheet_says_who_was_late(place):
    decide(place, "2026-11-20 23:59")
    hand_in(place, {"Ada_11_assignsubmission_file_/sums.py": RIGHT, "Bo_12_assignsubmission_file_/sums.py": RIGHT, "Cy_13_assignsubmission_file_/sums.py": RIGHT})
    (place / "worksheet.csv").write_text(
        "Identifier,Full name,Status,Last modified (submission)\n"
        'Participant 11,Ada,Submitted for grading - ,"Friday, 20 November 2026, 11:59 PM"\n'
        'Participant 12,Bo,"Submitted for grading - 4 days 2 hours late","Wednesday, 25 November 2026, 1:58 AM"\n'
        "Participant 13,Cy,,-\n"
    )
    remarks, said = graded(place, "--roster", place / "worksheet.csv")
    assert remarks == {"Ada": "", "Bo": "sums 5 days late, takes 0.5", "Cy": ""}
    assert said == ["1 result has no known time, so it counts as on time: give a --roster with `handed in`, or the platform's worksheet"]


def test_the_night_in_which_the_clock_changes_is_one_day(place):
    decide(place, "2026-10-24 23:59")
    hand_in(place, {"submitted/ada/ps1/sums.py": RIGHT, "submitted/ada/ps1/timestamp.txt": "2026-10-25 23:30:00 Europe/Berlin"})
    assert graded(place) == ({"ada": "sums 1 day late, takes 0.1"}, [])


def test_a_group_is_graded_for_every_member_also_when_it_is_graded_again(place):
    hand_in(place, {"Team Red_41_assignsubmission_file_/my sums.py": RIGHT, "groups.csv": "group,name\nTeam Red,Ada\nTeam Red,Bo\n"})
    remarks, said = graded(place)
    assert remarks == {"Ada": "", "Bo": ""}
    assert said == ["Team Red: handed in for Ada, Bo", "Ada: `my sums.py` is used as sums.py", "Bo: `my sums.py` is used as sums.py"]
    assert course(place, "regrade", place / "out").stdout.startswith("2 results, 0 graded again, 0 changed.")


def test_what_was_not_taken_is_told_to_both_sides(place):
    hand_in(place, {"Ada/hw.rar": "Rar!", "Bo/sums.py": RIGHT})
    _, said = graded(place)
    assert said == ["Ada: `hw.rar` was not taken, because RAR archives are not read"]
    feedback = next((place / "out" / "feedback").glob("ada-*.md")).read_text()
    assert "You handed in `hw.rar`. It was not taken, because RAR archives are not read. Hand in a zip, or the files themselves." in feedback
    assert "hw.rar" in (place / "out" / "report.html").read_text()
