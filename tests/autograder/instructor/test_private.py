"""Who may read and write what `course grade` wrote, and which rows of a gradebook are believed."""

import json
import os
import shutil
import sqlite3
import stat
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from autograder.author.release import build_gradescope
from autograder.course.errors import UsageError
from autograder.course.loading import read_course
from autograder.course.model import HandedIn, Override, Submission
from autograder.grading.rounds import Round, Seals, find_round, open_round
from autograder.instructor.grade import GradeRequest, exclusive_lock, grade, open_graded
from autograder.instructor.gradebook import Gradebook, Kept
from autograder.instructor.regrade import regrade
from autograder.instructor.roster import Person
from autograder.web.class_view import ClassView, View
from tests.autograder.instructor.test_results import result

TINY = Path(__file__).parents[2] / "broken_courses" / "tiny"
FOREIGN = "{}: it belongs to another user\n  fix: use one of your own, or make a copy that is yours"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """What `course grade` wrote for nobody's file, with a umask that hides nothing, into a folder that everybody may read."""
    base = tmp_path_factory.mktemp("private")
    (base / "class" / "Ada").mkdir(parents=True)
    (base / "out").mkdir(0o755)
    before = os.umask(0)
    try:
        course = read_course(TINY)
        grade(course, GradeRequest(base / "class", base / "out"), lambda done, expected: None)
        assert os.umask(0) == 0  # as it was
    finally:
        os.umask(before)
    return base


@pytest.fixture
def graded(written, tmp_path):
    """A copy of that, with its modes."""
    return shutil.copytree(written, tmp_path, dirs_exist_ok=True) / "out"


def modes(folder):
    return {str(path.relative_to(folder.parent)): stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}


# ---- permissions


def test_nobody_else_can_read_what_is_graded(graded):
    """Folders are 0700 and files 0600, whatever the umask and the folder were before."""
    for path, mode in modes(graded).items():
        assert mode == (0o700 if (graded.parent / path).is_dir() else 0o600), path


def test_what_an_earlier_version_left_open_is_closed(graded):
    for path in (graded, graded / "feedback", graded / "gradebook.sqlite"):
        path.chmod(0o777)
    with exclusive_lock(graded):
        pass
    assert {modes(graded)[name] for name in ("out", "out/feedback")} == {0o700}
    assert modes(graded)["out/gradebook.sqlite"] == 0o600


def test_a_folder_that_holds_other_things_keeps_its_mode(tmp_path):
    """With `--out .` in a home folder, only what is written is closed."""
    tmp_path.chmod(0o755)
    (tmp_path / "letter.txt").write_text("")
    with exclusive_lock(tmp_path):
        (tmp_path / "results.jsonl").write_text("")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "results.jsonl").stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o1777, 0o777, 0o775, 0o1700], ids=oct)
def test_a_folder_that_others_can_write_to_is_refused(tmp_path, mode):
    """As /tmp is: anybody could put links where files are about to be written."""
    (tmp_path / "others").write_text("")
    tmp_path.chmod(mode)
    with pytest.raises(UsageError) as refused, exclusive_lock(tmp_path):
        pass
    assert str(refused.value) == f"{tmp_path}: others can write to this folder\n  fix: choose a new or empty folder with --out"
    assert stat.S_IMODE(tmp_path.stat().st_mode) == mode


def test_a_link_where_a_file_is_about_to_be_written_is_replaced(graded, tmp_path):
    (tmp_path / "letter.txt").write_text("Dear Ada")
    for name in ("results.jsonl", "results.jsonl.new", "report.html.new", "grades.csv.new"):
        (graded / name).unlink(missing_ok=True)
        (graded / name).symlink_to(tmp_path / "letter.txt")
    grade(read_course(TINY), GradeRequest(tmp_path / "class", graded), lambda done, expected: None)
    assert (tmp_path / "letter.txt").read_text() == "Dear Ada"
    assert not any(path.is_symlink() for path in graded.iterdir())


def test_the_zip_for_gradescope_is_its_owners(tmp_path):
    """It holds the solutions and a secret."""
    made = build_gradescope(TINY, tmp_path / "out")
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert "private/rounds.json" in zipfile.ZipFile(made).namelist()


# ---- owners


@pytest.mark.parametrize("part", ["", "gradebook.sqlite", "private", "private/rounds.json", "feedback"])
def test_results_of_another_user_are_refused(graded, part, give_away):
    give_away(graded / part)
    with pytest.raises(UsageError) as refused, open_graded(graded) as (book, run):
        list(book.results(run))
    assert str(refused.value) == FOREIGN.format(graded / part if os.geteuid() == 0 else graded)


@pytest.mark.parametrize("part", ["", "gradebook.sqlite", "private", "private/rounds.json"])
def test_grades_of_another_user_are_not_served(graded, part, give_away):
    give_away(graded / part)
    with pytest.raises(UsageError, match="it belongs to another user"):
        ClassView(graded / "gradebook.sqlite", ()).look(View())


@pytest.mark.parametrize("part", ["private", "private/rounds.json"])
def test_a_round_of_another_user_is_refused(tmp_path, part, give_away):
    """Who knows the secret knows the numbers that are asked."""
    open_round(tmp_path)
    give_away(tmp_path / part)
    for wanted in (lambda: open_round(tmp_path), lambda: find_round(tmp_path, "round-1")):
        with pytest.raises(UsageError, match="it belongs to another user"):
            wanted()


def test_a_round_that_is_lost_is_told(tmp_path):
    open_round(tmp_path)
    with pytest.raises(UsageError) as refused:
        find_round(tmp_path, "round-2")
    assert str(refused.value) == f"{tmp_path}/private: the numbers of `round-2` are lost\n  fix: grade again with `course grade --new-round`"


# ---- rows


ADA = Submission("Ada", "12_diffusion", "forward", "forward.py", b"", "0", "present", handed_in=HandedIn(late=True))


@pytest.fixture
def out(tmp_path):
    """A folder with two runs of a class: the second took over what the first graded."""
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        book.begin("first", GradeRequest(tmp_path / "class", tmp_path))
        book.enrol([Person("Ada", email="ada@example.org")])
        book.keep("first", [Kept(result(), key="k"), Kept(result("Bo", score=2.0), key="b")])
        book.begin("second", GradeRequest(tmp_path / "class", tmp_path))
        book.override(Override("Ada", "12_diffusion", "forward", "by_hand", 2, "right", ""))
        book.take("second", ADA, "k")
        book.keep("second", [])
    return tmp_path


def everything(out):
    """Read every row that the gradebook has, and look for one that can be reused."""
    with Gradebook(out / "gradebook.sqlite") as book:
        runs = [(book.request(run, GradeRequest), [*book.attempts(run)], [*book.added(run, (0, 0))[1]]) for run in ("first", "second")]
        return runs, book.people(), book.overrides(), book.take("third", ADA, "k")


def change(out, *statements):
    with closing(sqlite3.connect(out / "gradebook.sqlite")) as db, db:
        for statement in statements:
            db.execute(statement)


def test_rows_that_course_wrote_are_believed(out):
    runs, people, overrides, taken = everything(out)
    assert [len(attempts) for _, attempts, _ in runs] == [2, 1]
    assert [attempts[0][0].handed_in.late for _, attempts, _ in runs] == [None, True]
    assert (people["Ada"].email, overrides[0].points, taken) == ("ada@example.org", 2, result())


BETTER = "replace(result, '\"score\":1.0', '\"score\":2.0')"
COPY = "INSERT INTO attempts SELECT NULL, {run}, student, lesson, exercise, status, score, max_score, sha256, round, graded_at, version, {result}, private, handed_in, {key}, {seal} FROM attempts WHERE id = {of}"
FORGED = {  # what is done to the file -> the table that is named
    "a better result": (f"UPDATE attempts SET result = {BETTER} WHERE student = 'Ada'", "attempts"),
    "a note": ("UPDATE attempts SET private = '{}' || ' '", "attempts"),
    "a time": ("""UPDATE attempts SET handed_in = '{"attempt":9}'""", "attempts"),
    "a key": ("UPDATE attempts SET key = 'k' WHERE student = 'Bo'", "attempts"),
    "another student's result": ("UPDATE attempts SET student = 'Ada' WHERE student = 'Bo'", "attempts"),
    "an attempt without a seal": (COPY.format(run="'second'", result=BETTER, key="'k'", seal="NULL", of=1), "attempts"),
    "an attempt with another's seal": (COPY.format(run="'second'", result=BETTER, key="'k'", seal="seal", of=1), "attempts"),
    "an attempt moved to another run": (COPY.format(run="'second'", result="result", key="key", seal="seal", of=2), "attempts"),
    "a seal that is no text": ("UPDATE attempts SET seal = x'00ff'", "attempts"),
    "a seal of no round": ("UPDATE attempts SET seal = 'round-9 ' || substr(seal, 9)", "attempts"),
    "a seal with other letters": ("UPDATE attempts SET seal = seal || 'é'", "attempts"),
    "an attempt that was not taken over": ("INSERT INTO taken VALUES ('second', 2, '{}', NULL, NULL, NULL)", "taken"),
    "an attempt taken over for another": ("UPDATE taken SET attempt = 2", "taken"),
    "another time of what was taken over": ("UPDATE taken SET handed_in = '{}'", "taken"),
    "other submissions": ("UPDATE runs SET request = replace(request, 'class', 'mine')", "runs"),
    "another cluster": ("""UPDATE runs SET request = replace(request, '"cluster":""', '"cluster":"tcp://evil:1"')""", "runs"),
    "another person": ("UPDATE people SET person = replace(person, 'ada@', 'eve@')", "people"),
    "more points": ("""UPDATE overrides SET override = replace(override, '"points":2', '"points":99')""", "overrides"),
    "an override": ("INSERT INTO overrides SELECT NULL, student, replace(override, 'by_hand', 'more'), NULL FROM overrides", "overrides"),
}


@pytest.mark.parametrize(("statement", "table"), FORGED.values(), ids=FORGED)
def test_a_row_that_was_written_without_the_secret_is_refused(out, statement, table):
    change(out, statement)
    with pytest.raises(UsageError) as refused:
        everything(out)
    assert str(refused.value) == (
        f"{out}/gradebook.sqlite: a row of `{table}` was not written with this folder's secret\n"
        "  fix: restore it together with the folder `private` beside it, or grade into a new folder with --out"
    )


def test_an_older_file_format_is_no_way_around_the_seals(out):
    """Whoever drops the seals and says that the file is older has rows without seals, in a round whose rows all have one."""
    later = [(table, "seal") for table in ("attempts", "taken", "runs", "people", "overrides")] + [("taken", "found_by"), ("taken", "student")]
    change(out, *(f"ALTER TABLE {table} DROP COLUMN {column}" for table, column in later), "PRAGMA user_version = 2")
    with pytest.raises(UsageError, match="was not written with this folder's secret"):
        everything(out)


def test_rows_of_a_round_from_before_seals_are_believed_and_new_ones_are_sealed(out):
    known = json.loads((out / "private" / "rounds.json").read_text())
    del known[0]["seals"]
    (out / "private" / "rounds.json").write_text(json.dumps(known))
    change(out, "UPDATE attempts SET seal = NULL", "UPDATE runs SET seal = NULL", "UPDATE people SET seal = NULL", "UPDATE overrides SET seal = NULL")
    assert everything(out)[3] == result()
    change(out, f"UPDATE attempts SET result = {BETTER}, seal = 'round-1 0'")
    with pytest.raises(UsageError, match="was not written with this folder's secret"):
        everything(out)


def test_without_its_secrets_a_gradebook_is_not_believed(out):
    shutil.rmtree(out / "private")
    with pytest.raises(UsageError) as refused:
        everything(out)
    fix = "restore this folder, or grade into a new one with --out"
    assert str(refused.value) == f"{out}/private: the secrets of these results are lost\n  fix: {fix}"


def test_seals_of_every_round_hold_and_those_of_no_other():
    first, second = Round("round-1", b"1", seals=True), Round("round-2", b"2", seals=True)
    early, both = Seals([first]), Seals([first, second])
    assert both.holds(early.seal("a", "b"), "a", "b")
    assert both.holds(both.seal("a", "b"), "a", "b")
    assert not early.holds(both.seal("a", "b"), "a", "b")
    assert not both.holds(both.seal("a", "b"), "ab", "")
    assert not both.holds(Seals([Round("round-2", b"1")]).seal("a", "b"), "a", "b")


def test_a_regrade_obeys_no_request_that_was_changed(graded, tmp_path):
    """It would grade other files, or send the secret to another machine."""
    change(graded, """UPDATE runs SET request = replace(request, '"cluster":""', '"cluster":"tcp://evil:1"')""")
    with pytest.raises(UsageError, match="a row of `runs` was not written with this folder's secret"):
        regrade(read_course(TINY), graded, None, (), 1, lambda done, expected: None, apply=False, fresh=False)
