"""What an instructor does after grading, by the public commands: decide, export, grade again. On a course of one check, so it is quick."""

import csv
import json
import os
import re
import shutil
import signal
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from autograder.cli.main import main
from autograder.course import store
from autograder.instructor import evidence, gradebook
from autograder.instructor.grade import GradeRequest
from autograder.instructor.gradebook import Gradebook
from autograder.web import class_view, written
from tests.autograder.instructor.intake.packing import packed

TINY = Path(__file__).parent / "broken_courses" / "tiny"
RIGHT, WRONG = "def total(a, b=0.0):\n    return a + b\n", "def total(a, b=0.0):\n    return a - b\n"
FILES = {"lovelaceada_501_11_sums.py": RIGHT, "bo_LATE_502_12_sums.py": WRONG, "bo_502_13_sums-1.py": RIGHT}
ROSTER = 'name,id,email\n"Lovelace, Ada",501,ada@example.org\nBo,502,bo@example.org\nCy,503,cy@example.org\n'
CHECK = '    close(student.total(1.5, 2.25), reference.total(1.5, 2.25))\n'
STRICTER = CHECK + '    close(student.total(2.0), reference.total(2.0))\n    close(student.total(True, 1), 2.5)\n'

pytestmark = pytest.mark.usefixtures("examined")


def course(place, *arguments):
    done = CliRunner().invoke(main, ["--course", str(place / "course"), *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture(scope="module")
def graded_once(tmp_path_factory, examined):
    """Grade a Canvas download of two students with a roster of three."""
    place = tmp_path_factory.mktemp("after")
    shutil.copytree(TINY, place / "course", ignore=shutil.ignore_patterns("__pycache__"))
    (place / "class.zip").write_bytes(packed(*FILES.items()))
    (place / "roster.csv").write_text(ROSTER)
    done = course(place, "grade", place / "class.zip", "--roster", place / "roster.csv", "--out", place / "out", "--exercise", "sums", "--workers", 1)
    return place, done


@pytest.fixture
def graded(graded_once, tmp_path):
    """A copy of it, to go on with."""
    shutil.copytree(graded_once[0], tmp_path / "copy")
    with Gradebook(tmp_path / "copy" / "out" / "gradebook.sqlite") as book:  # where the submissions lie is written there
        run = book.last_run()
        asked = book.request(run, GradeRequest)
        places = {name: tmp_path / "copy" / getattr(asked, name).name for name in ("submissions", "roster")}
        book.begin(run, replace(asked, **places))
    return tmp_path / "copy"


def state(place):
    """Give all that a command may write."""
    with sqlite3.connect(place / "out" / "gradebook.sqlite") as db:
        rows = [db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("attempts", "taken", "runs", "overrides")]
    db.close()
    files = [place / "out" / "results.jsonl", place / "out" / "grades.csv", *sorted((place / "out" / "feedback").iterdir())]
    return rows, [path.read_bytes() for path in files]


def scores(place):
    return {row["student"]: float(row["score"]) for row in table(place / "out" / "grades.csv")}


def table(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_a_platforms_zip_is_graded_and_who_is_missing_is_said(graded_once):
    place, (code, _, errors) = graded_once
    assert (code, errors.splitlines()[1:]) == (0, ["no submission from: Cy"])
    assert scores(place) == {"Bo": 1.0, "Cy": 0.0, "Lovelace, Ada": 1.0}


def test_the_summary_says_where_submissions_came_from_and_who_is_missing(graded):
    _, said, _ = course(graded, "grade", graded / "class.zip", "--roster", graded / "roster.csv", "--out", graded / "out", "--exercise", "sums", "--json")
    summary = json.loads(said)
    assert (summary["from"], summary["notes"], summary["missing"]) == ("canvas", [], ["Cy"])


def test_a_mended_check_changes_nothing_until_it_is_applied(graded):
    before = state(graded)
    mend(graded, STRICTER)
    code, said, _ = course(graded, "regrade", graded / "out")
    assert (code, state(graded)) == (0, before)
    assert re.search(r"sums +│ by_hand +│ +0 │ +2 ", said), said
    assert said.splitlines()[-2:] == ["3 results, 3 graded again, 2 changed.", "Nothing was written: use --apply to write."]
    code, said, _ = course(graded, "regrade", graded / "out", "--apply")
    assert (code, said.splitlines()[-1]) == (0, "Written.")
    assert scores(graded) == {"Bo": 0.0, "Cy": 0.0, "Lovelace, Ada": 0.0}
    assert "(0 of 1)" in next((graded / "out" / "feedback").glob("bo-*")).read_text(encoding="utf-8")
    assert course(graded, "regrade", graded / "out")[1] == "3 results, 0 graded again, 0 changed.\nNothing was written: use --apply to write.\n"


def test_the_copy_that_a_killed_regrade_left_goes_with_the_next(graded):
    left = graded / "out" / "private" / "regrade"
    left.mkdir()
    (left / "gradebook.sqlite").write_bytes(b"half of one")
    assert course(graded, "regrade", graded / "out")[1].startswith("3 results, 0 graded again, 0 changed.")
    assert not left.exists()


def mend(place, text):
    path = place / "course" / "exercises" / "13_adding" / "checks" / "sums.py"
    path.write_text(path.read_text(encoding="utf-8").replace(CHECK, text), encoding="utf-8")
    assert text in path.read_text(encoding="utf-8")


def test_what_was_decided_holds_when_all_is_graded_again(graded):
    code, said, _ = course(graded, "override", "bo@example.org", "by_hand", "--points", 0.5, "--reason", "late idea", "--out", graded / "out")
    assert (code, said.splitlines()[0]) == (0, "Bo: “Adds two numbers.” of sums now earns 0.5 of 1.")
    mend(graded, STRICTER)
    changes = json.loads(course(graded, "regrade", graded / "out", "--apply", "--json")[1])["changes"]
    assert [(one["student"], one["before"], one["after"], one["checks"][0]["overridden"]) for one in changes] == [
        ("Bo", 0.5, 0.5, True),
        ("Lovelace, Ada", 1.0, 0.0, False),
    ]
    text = next((graded / "out" / "feedback").glob("bo-*")).read_text(encoding="utf-8")
    assert "## sums: 0.5 of 1 points" in text
    assert "Your instructor gave 0.5 instead of 0: late idea" in text
    course(graded, "export", graded / "out", "--to", "canvas", "--out", graded / "c.csv")
    assert [row[-1] for row in csv.reader((graded / "c.csv").read_text(encoding="utf-8").splitlines())] == ["sums", "1", "0.5", "0", "0"]


def decide(place, *arguments):
    return course(place, "override", *arguments, "--reason", "because", "--out", place / "out")


def test_more_than_points_of_a_check_can_be_decided_and_withdrawn(graded):
    """On hold, the feedback says so and no export has the grade; a bonus may exceed the maximum; excused is `EX` for Canvas."""
    (page,) = (graded / "out" / "feedback").glob("bo-*.md")
    assert decide(graded, "bo", "--hold") == (0, f"Bo: feedback and grade are on hold until you withdraw that.\nRewritten: {page.name}, report.html\n", "")
    assert decide(graded, "cy", "sums", "--excuse")[1].splitlines()[0] == "Cy: sums is excused."
    said = decide(graded, "501", "sums", "--bonus", 0.5)[1].splitlines()
    assert said[0] == "Lovelace, Ada: sums gets a bonus of 0.5."
    assert said[1].startswith("sums: 1 before, 1.5 now. Rewritten: lovelace-ada-")
    assert [mark in (graded / "out" / "report.html").read_text(encoding="utf-8") for mark in ("On hold", "Excused", ">1.5<")] == [True] * 3
    assert page.read_text(encoding="utf-8") == "# Bo\n\nYour feedback and your grade are on hold. Ask your instructor.\n"
    _, _, notes = course(graded, "export", graded / "out", "--to", "canvas", "--out", graded / "c.csv")
    assert [row[-1] for row in csv.reader((graded / "c.csv").read_text(encoding="utf-8").splitlines())] == ["sums", "1", "", "EX", "1.5"]
    assert notes == "Bo: on hold\n"
    assert decide(graded, "bo", "--withdraw")[1].splitlines()[0] == "Bo: what was decided for everything is withdrawn."
    assert "## sums: 1 of 1 points" in page.read_text(encoding="utf-8")


def test_one_thing_is_decided_at_a_time(graded):
    told = "one decision at a time\n  fix: give one of --points, --bonus, --deduct, --excuse, --hold and --withdraw\n"
    assert decide(graded, "bo", "sums") == decide(graded, "bo", "sums", "--hold", "--points", 1) == (2, "", told)


def test_a_student_who_left_is_dropped_and_taken_back(graded):
    """Everything stays in the gradebook, a later run skips them, and giving the command again is no harm."""
    before = state(graded)
    code, said, _ = course(graded, "drop", "bo", "--out", graded / "out", "--reason", "left")
    assert (code, said.splitlines()) == (
        0,
        [
            f"Bo is no longer in the class. Students in {graded / 'out'}: 2.",
            f"Everything stays in the gradebook. To undo this: course drop Bo --undo --out {graded / 'out'}",
        ],
    )
    assert course(graded, "drop", "bo", "--out", graded / "out")[1] == said
    assert (set(scores(graded)), [*(graded / "out" / "feedback").glob("bo-*")]) == ({"Cy", "Lovelace, Ada"}, [])
    assert "feedback/bo-" not in (graded / "out" / "report.html").read_text(encoding="utf-8")
    again = ("--roster", graded / "roster.csv", "--out", graded / "out", "--exercise", "sums", "--workers", 1)
    _, _, errors = course(graded, "grade", graded / "class.zip", *again)
    assert "Bo: dropped from the class, so not graded; `course drop STUDENT --undo` takes them back" in errors
    assert set(scores(graded)) == {"Cy", "Lovelace, Ada"}
    code, said, _ = course(graded, "drop", "bo", "--undo", "--out", graded / "out")
    assert (code, said) == (0, f"Bo is in the class. Students in {graded / 'out'}: 3.\n")
    assert state(graded)[1] == before[1]


def killed(place, writing, *arguments):
    """Give a command in another process that is killed when it writes for the so-many-th time: a row of the gradebook, or a file."""
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    written = iter(range(1, 1_000))

    def die(do):
        def done(*given, **named):
            if next(written) == writing:
                os.kill(os.getpid(), signal.SIGKILL)
            return do(*given, **named)

        return done

    for owner, name in ((store, "transaction"), (gradebook, "transaction"), (Path, "replace"), (Path, "unlink")):
        setattr(owner, name, die(getattr(owner, name)))
    try:
        course(place, *arguments)
    finally:
        os._exit(0)


COMMANDS = {
    "drop": ("drop", "bo", "--reason", "left"),
    "hold": ("override", "bo", "--hold", "--reason", "copied?"),
    "bonus": ("override", "bo", "sums", "--bonus", 0.5, "--reason", "x"),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_a_command_that_is_killed_loses_nothing_and_given_again_is_as_if_it_had_not_been(graded, tmp_path, command):
    shutil.copytree(graded, tmp_path / "calm")
    course(tmp_path / "calm", *command, "--out", tmp_path / "calm" / "out")
    for writing in (1, 2, 3, 5):
        place = shutil.copytree(graded, tmp_path / str(writing))
        if not killed(place, writing, *command, "--out", place / "out"):
            break
        with Gradebook(place / "out" / "gradebook.sqlite") as book:
            assert book.students(book.last_run()) | book.dropped() == {"Bo", "Cy", "Lovelace, Ada"}
        assert course(place, *command, "--out", place / "out")[0] == 0
        assert state(place)[1] == state(tmp_path / "calm")[1]
    assert writing > 2


def test_a_second_run_over_fewer_students_adds(graded):
    """Ada hands in again; Bo and Cy are from before, in every file, and a mended check is tried on all of them."""
    (graded / "late").mkdir()
    (graded / "late" / "lovelaceada_501_21_sums-1.py").write_text(WRONG, encoding="utf-8")
    arguments = ("grade", graded / "late", "--from", "canvas", "--out", graded / "out", "--exercise", "sums", "--workers", 1)
    code, said, _ = course(graded, *arguments)
    assert (code, said.splitlines()[-3]) == (0, "1 graded, 2 from before")
    assert scores(graded) == {"Bo": 1.0, "Cy": 0.0, "Lovelace, Ada": 0.0}
    compared = "0 similar pairs among 2 students. Similar is not copied: read both before you ask anyone.\n"
    assert course(graded, "similar", graded / "out")[1] == compared, "of both places"
    mend(graded, STRICTER)
    code, said, _ = course(graded, "regrade", graded / "out", "--apply")
    assert (code, said.splitlines()[-2]) == (0, "4 results, 4 graded again, 1 changed.")
    assert scores(graded) == {"Bo": 0.0, "Cy": 0.0, "Lovelace, Ada": 0.0}
    course(graded, *arguments, "--only")
    assert set(scores(graded)) == {"Lovelace, Ada"}


def test_a_changed_policy_counts_at_once_and_without_grading(graded):
    """Bo's first attempt was late; with the best attempt counting, all are graded."""
    policy = graded / "course" / "course.yaml"
    policy.write_text(policy.read_text(encoding="utf-8") + "  counts: best\n  late: {percent: 50}\n  pass_mark: 60\n", encoding="utf-8")
    course(graded, "grade", graded / "class.zip", "--roster", graded / "roster.csv", "--out", graded / "out", "--exercise", "sums", "--workers", 1)
    course(graded, "export", graded / "out", "--to", "csv", "--out", graded / "t.csv")
    found = {row["student"]: row for row in table(graded / "t.csv")}
    assert {name: (row["percent"], row["passed"]) for name, row in found.items()} == {
        "Bo": ("100", "yes"),
        "Cy": ("0", "no"),
        "Lovelace, Ada": ("100", "yes"),
    }


def test_feedback_is_written_again_by_what_is_revealed_now(graded):
    policy = graded / "course" / "course.yaml"
    policy.write_text(policy.read_text(encoding="utf-8").replace("reveal: all", "reveal: nothing"), encoding="utf-8")
    code, said, _ = course(graded, "feedback", graded / "out")
    assert (code, said) == (0, f"3 files in {graded / 'out' / 'feedback'}/\n")
    assert next((graded / "out" / "feedback").glob("bo-*")).read_text(encoding="utf-8") == "# Bo\n\n## sums: 1 of 1 points\n"


def test_more_time_for_nobody_here_is_told_by_whatever_counts_it(graded):
    (graded / "out" / "extensions.csv").write_text("student,due,exercise\nbow,2026-11-27 23:59+01:00,\ncy,2026-11-27 23:59+01:00,sum\n")
    told = "extensions.csv: no student `bow`; did you mean Bo?\nextensions.csv: no exercise `sum`, for Cy; did you mean sums?\n"
    code, _, errors = course(graded, "feedback", graded / "out")
    assert (code, errors) == (0, told)
    again = ("--roster", graded / "roster.csv", "--out", graded / "out", "--exercise", "sums", "--workers", 1)
    code, _, errors = course(graded, "grade", graded / "class.zip", *again)
    assert (code, told in errors) == (0, True)


def moved(place):
    (place / "class.zip").rename(place / "elsewhere.zip")
    (place / "roster.csv").unlink()  # it was read before
    return ["regrade", place / "out"]


def lost(place):
    (place / "out" / "private" / "rounds.json").unlink()
    return ["regrade", place / "out"]


def untitled(place):
    return ["export", place / "out", "--to", "canvas", "--out", place / "c.csv", "--title", "sums"]


REFUSED = {
    "no results": (lambda place: ["export", place, "--to", "csv", "--out", place / "x"], "{place}: no graded results in this folder\n  fix: give the folder that `course grade --out` wrote\n"),
    "no results to grade again": (lambda place: ["regrade", place], "{place}: no graded results in this folder\n  fix: give the folder that `course grade --out` wrote\n"),
    "submissions that moved": (moved, "{place}/class.zip: the submissions are no longer there\n  fix: say where they are: `course regrade OUT SUBMISSIONS`\n"),
    "a round that is lost": (lost, "{place}/out/private: the secrets of these results are lost\n  fix: restore this folder, or grade into a new one with --out\n"),
    "nothing to show": (lambda place: ["show", "Bo", "--out", place], "{place}: no graded results in this folder\n  fix: give the folder that `course grade --out` wrote\n"),
    "a student to show who is not there": (lambda place: ["show", "Bob", "--out", place / "out"], "no student `Bob` was graded here\n  fix: did you mean Bo?\n"),
    "an exercise to show that was not graded": (lambda place: ["show", "Bo", "sum", "--out", place / "out"], "no exercise `sum` was graded for Bo\n  fix: choose one of: sums\n"),
    "a student to grade who is not there": (
        lambda place: ["grade", place / "class.zip", "--out", place / "out", "--student", "Eve"],
        "no student `Eve` is among the submissions\n  fix: use the name of their folder, or of the roster\n",
    ),
    "a student to grade again who is not there": (lambda place: ["regrade", place / "out", "--student", "Bob"], "no student `Bob` was graded here\n  fix: did you mean Bo?\n"),
    "a page to write where no folder is": (
        lambda place: ["show", "Bo", "--out", place / "out", "--html", place / "none" / "bo.html"],
        "{place}/none/bo.html: No such file or directory\n  fix: choose a file that can be written with --html\n",
    ),
    "no title": (untitled, '--title sums: no title\n  fix: write it as EXERCISE=TITLE: --title forward="Noising (4711)"\n'),
}  # fmt: skip


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_done_is_told_in_full_and_changes_nothing(graded, make, message):
    before = state(graded)
    code, said, errors = course(graded, *make(graded))
    assert (code, said, errors.removeprefix("walls: landlock, seccomp, limits, privileges\n")) == (2, "", message.format(place=graded))
    assert state(graded) == before


def test_submissions_are_graded_again_where_they_lie_now(graded):
    moved(graded)
    code, said, _ = course(graded, "regrade", graded / "out", graded / "elsewhere.zip", "--fresh")
    assert (code, said.splitlines()[0]) == (0, "3 results, 3 graded again, 0 changed.")


# ---- one student


def test_one_student_is_graded_alone_and_the_class_stays(graded):
    """Also when the class is graded again: who else is in that folder is still left alone."""
    (graded / "late.zip").write_bytes(packed(("lovelaceada_501_21_sums.py", WRONG), ("bo_502_22_sums.py", WRONG), ("eve_504_23_sums.py", RIGHT)))
    code, said, _ = course(graded, "grade", graded / "late.zip", "--out", graded / "out", "--exercise", "sums", "--student", "bo@example.org")
    assert (code, "1 graded, 2 from before\n" in said) == (0, True)
    assert scores(graded) == {"Bo": 0.0, "Cy": 0.0, "Lovelace, Ada": 1.0}
    assert "0 changed" in course(graded, "regrade", graded / "out", "--apply")[1]
    assert scores(graded) == {"Bo": 0.0, "Cy": 0.0, "Lovelace, Ada": 1.0}


def test_one_student_is_graded_again_alone(graded):
    mend(graded, STRICTER)
    code, said, _ = course(graded, "regrade", graded / "out", "--student", "502", "--apply")
    assert (code, said.splitlines()[-2:]) == (0, ["1 results, 1 graded again, 1 changed, 2 students as before.", "Written."])
    assert scores(graded) == {"Bo": 0.0, "Cy": 0.0, "Lovelace, Ada": 1.0}


# ---- an appeal: all that lies behind one student's grade

TIMES = re.compile(r"20\d\d-\d\d-\d\d \d\d:\d\d UTC")


def test_an_appeal_is_shown_the_code_every_call_the_attempts_and_what_was_decided(graded):
    before = state(graded)
    mend(graded, STRICTER)
    course(graded, "override", "bo", "by_hand", "--points", 0.5, "--reason", "late idea", "--out", graded / "out")
    code, said, errors = course(graded, "show", "bo@example.org", "sums", "--out", graded / "out")
    assert (code, errors, TIMES.sub("NOW", said)) == (
        0,
        "",
        """Bo · 502 · bo@example.org

sums: 0.5 of 1
  attempt 2: graded NOW in round-1, graded, 0.5 of 1, counts
  The calls were made again just now, with the numbers of round-1.
  Other points than when it was graded: by_hand. If the checks have changed, `course regrade` says for whom.

  sums.py
      1  def total(a, b=0.0):
      2      return a + b

  ✓ Adds two numbers. (0.5 of 1, by_hand)
    Your instructor gave 0.5 instead of 1: late idea
    total(a=1.5, b=2.25)
      gave 3.75
      expected 3.75
    total(a=2.0)
      gave 2.0
      expected 2.0
    total(a=True, b=1)
      gave 2
      expected 2.5
      wrong: gave 2 where 2.5 was expected
""",
    )
    assert state(graded)[1][:2] == before[1][:2]


def test_an_appeal_says_what_is_no_longer_there_and_takes_submissions_that_moved(graded):
    moved(graded)
    gone = "The file that was graded is no longer among the submissions, so neither its code nor its calls can be shown."
    assert gone in course(graded, "show", "Bo", "--out", graded / "out")[1]
    said = course(graded, "show", "Bo", "--out", graded / "out", "--submissions", graded / "elsewhere.zip")[1]
    assert gone not in said
    assert "total(a=1.5, b=2.25)\n      gave 3.75" in said


def test_what_a_function_raised_is_shown_with_its_call(graded):
    (graded / "class.zip").write_bytes(packed(("bo_502_13_sums.py", "def total(a, b):\n    print('<b>here')\n    return a / 0\n")))
    course(graded, "grade", graded / "class.zip", "--out", graded / "out", "--exercise", "sums", "--workers", 1)
    said = course(graded, "show", "Bo", "--out", graded / "out")[1]
    assert "\n  It printed:\n    <b>here\n" in said
    assert "    total(a=1.5, b=2.25)\n      raised ZeroDivisionError (line 3)" in said
    assert course(graded, "show", "Bo", "--out", graded / "out", "--html", graded / "bo.html")[1] == f"Bo: {graded}/bo.html\n"
    page = (graded / "bo.html").read_text(encoding="utf-8")
    assert "<code>total(a=1.5, b=2.25)</code><br><span class=\"bad\">raised ZeroDivisionError (line 3)" in page
    assert "&lt;b&gt;here" in page


def test_without_its_walls_a_file_is_not_run_again(graded, monkeypatch):
    monkeypatch.setattr(evidence, "missing_walls", lambda limits: {"landlock": "not there"})
    said = course(graded, "show", "Bo", "--out", graded / "out")[1]
    assert "  Not run again, because walls are missing here: landlock." in said
    assert "def total" in said
    assert "total(a=1.5" not in said


def test_the_served_page_runs_a_file_again_only_when_its_calls_are_asked_for(graded):
    routes = class_view.routes(graded / "out", graded / "course", SimpleNamespace(lesson=SimpleNamespace(exercises=())))
    asked = [SimpleNamespace(query_params=query, cookies={}) for query in ({"name": "Bo"}, {"name": "Bo", "exercise": "sums"})]
    first, second = (written.evidence_of(graded / "course", graded / "out", request) for request in asked)
    assert "/student.html" in [route.path for route in routes]
    assert '<a href="student.html?name=Bo&amp;exercise=sums">Run it again and show every call</a>' in first
    assert ("gave <code>3.75</code>" in first, "gave <code>3.75</code><br>expected <code>3.75</code>" in second) == (False, True)
