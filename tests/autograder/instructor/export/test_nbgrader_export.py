"""Real nbgrader: its own formgrader's API shows our scores beside the cells that its own assignment has, and takes what is graded by hand."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from autograder.course.errors import UsageError
from autograder.course.model import CheckResult, HandedIn, Override, Result
from autograder.course.policy import Late, Policy
from autograder.grading.attempt import load_materials
from autograder.instructor.export import export
from autograder.instructor.gradebook import Gradebook, Kept
from autograder.instructor.grades import read_rules
from autograder.instructor.nbgrader import student_id
from autograder.instructor.roster import Person
from autograder.instructor.sheet import sheet_of
from tests.autograder.author.notebook.test_nbgrader import EXERCISES, LESSON, SHIPPED, run  # noqa: F401  # the fixture: one build serves both

from .conftest import DUE, LATE

pytestmark = [pytest.mark.xdist_group("nbgrader"), pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"), pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def our_results(student, exercise, share):
    """Give a result of a real exercise, every check with this share of its points."""
    checks = tuple(CheckResult(c.id, c.title, c.points * share, c.points, "passed" if share == 1 else "failed") for c in load_materials(EXERCISES[exercise]).checks)
    most = sum(check.max_points for check in checks)
    return Result(student, LESSON.id, exercise, "graded", most * share, most, checks, "", "0", "round-1", "2026-01-01T00:00:00+00:00", "0.1.0")


@pytest.fixture
def alembic(monkeypatch):
    """nbgrader calls `alembic` by name."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)


@pytest.fixture
def course(run, tmp_path, alembic):  # noqa: F811
    """A copy of a course that the real nbgrader made, with what was submitted, and nothing of ours in it yet."""
    copy = shutil.copytree(run["root"], tmp_path / "course", ignore=shutil.ignore_patterns("autograded", "feedback"))
    (copy / "submitted" / "ada" / LESSON.id / "timestamp.txt").write_text("2026-11-21 12:00:00.123456 UTC")
    return copy


def exported(course, tmp_path, *, decided=()):
    """Export Ada's and Bo's results of two exercises and of the practice questions into the course."""
    out = tmp_path / f"out{len(list(tmp_path.iterdir()))}"
    out.mkdir()
    missing = Result("Cy", LESSON.id, "forward", "missing", 0, 20, (), "", None, "round-1", "", "0.1.0")
    practice = Result("ada", LESSON.id, "practice", "graded", 2, 2, (CheckResult("q", "Q", 2, 2, "passed"),), "", "", "round-1", "", "0.1.0")
    with Gradebook(out / "gradebook.sqlite") as book:
        book.begin("run", {})
        book.enrol([Person("Bo Sand", login="bo", email="bo@example.org")])
        made = [(our_results("ada", "forward", 1), LATE), (our_results("ada", "ddim", 0.5), HandedIn()), (our_results("Bo Sand", "forward", 0), HandedIn()), (missing, HandedIn()), (practice, HandedIn())]
        book.keep("run", [Kept(one, {}, handed_in) for one, handed_in in made])
        for one in decided:
            book.override(one)
        sheet = sheet_of(book, "run", read_rules(out, book, Policy(due=DUE, late=Late(10))), {}, {}, {"explain-1": 2.0, "explain-2": 2.0})
        return export(sheet, "nbgrader", course)


def asked(course, student):
    """Ask the API that formgrader itself asks."""
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory

    return NbGraderAPI(CourseDirectory(root=str(course))).get_submission(LESSON.id, student)


def cells(course, student):
    from nbgrader.api import Gradebook as Theirs

    with Theirs(f"sqlite:///{course}/gradebook.db") as book:
        submission = book.find_submission(LESSON.id, student)
        found = {cell.name: (cell.auto_score, cell.manual_score, cell.needs_manual_grade) for cell in submission.notebooks[0].grades}
        who = submission.student
        return found, (who.first_name, who.last_name, who.email, submission.score, submission.max_score, submission.notebooks[0].late_submission_penalty)


def test_formgrader_shows_our_scores_in_the_assignment_that_nbgrader_made(course, tmp_path):
    notes = exported(course, tmp_path)
    assert notes == ["practice: 12_diffusion's notebook has no cells for it, so it is left out"]
    forward = our_results("ada", "forward", 1)
    found, about = cells(course, "ada")
    ours = {f"forward-check-{check.id}".replace("_", "-"): (check.points, None, False) for check in forward.checks}
    assert {name: found[name] for name in ours} == ours
    shown = asked(course, "ada")
    ddim = our_results("ada", "ddim", 0.5)
    assert (shown["autograded"], shown["submitted"], shown["needs_manual_grade"]) == (True, True, True)
    schedule = sum(auto for name, (auto, _, _) in found.items() if name.startswith("schedule"))  # graded by nbgrader itself, and left as it was
    assert shown["score"] == pytest.approx(forward.score + ddim.score + schedule)
    assert about[-1] == pytest.approx(0.1 * forward.score), "nbgrader keeps what lateness takes apart and takes it off when it exports"


def test_what_was_graded_by_hand_stays_and_is_asked_for_where_it_was_not(course, tmp_path):
    from nbgrader.api import Gradebook as Theirs

    exported(course, tmp_path)
    with Theirs(f"sqlite:///{course}/gradebook.db") as book:
        grade = book.find_grade("explain-1", LESSON.id, LESSON.id, "ada")
        assert grade.needs_manual_grade
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        book.db.commit()
    exported(course, tmp_path)
    found, _ = cells(course, "ada")
    assert found["explain-1"][1:] == (1.5, False)
    assert found["explain-2"][1:] == (None, True)


def test_what_a_person_decided_is_a_manual_score(course, tmp_path):
    decided = Override("Bo Sand", LESSON.id, "forward", "by_hand", 2.0, "right idea", "2026-01-01T00:00:00+00:00")
    exported(course, tmp_path, decided=[decided])
    found, about = cells(course, "bo")
    assert found["forward-check-by-hand"] == (0.0, 2.0, False)
    assert about[:3] == ("Bo", "Sand", "bo@example.org")


def test_submitted_notebooks_come_without_outputs_and_links_are_left_alone(course, tmp_path):
    path = course / "submitted" / "ada" / LESSON.id / SHIPPED.name
    book = json.loads(path.read_text())
    book["cells"].append({"cell_type": "code", "id": "x", "metadata": {}, "execution_count": 1, "source": "", "outputs": [{"output_type": "display_data", "metadata": {}, "data": {"text/html": "<script>alert(1)</script>"}}]})
    path.write_text(json.dumps(book))
    theirs = course / "submitted" / "bo" / LESSON.id / SHIPPED.name
    theirs.unlink()
    theirs.symlink_to("/etc/passwd")
    exported(course, tmp_path)
    copied = (course / "autograded" / "ada" / LESSON.id / SHIPPED.name).read_text()
    assert len(json.loads(copied)["cells"]) == len(book["cells"])
    assert "<script>" not in copied
    assert not (course / "autograded" / "bo").exists()


def test_who_handed_nothing_in_has_no_submission(course, tmp_path):
    exported(course, tmp_path)
    assert asked(course, "Cy")["submitted"] is False


def test_a_new_gradebook_is_made_with_the_cells_that_were_graded(make, tmp_path, alembic):
    export(make(), "nbgrader", tmp_path / "new" / "gradebook.db")
    found, about = cells(tmp_path / "new", "al4")
    assert found == {"forward-check-by-hand": (2.0, None, False), "forward-check-the-jump": (3.0, None, False), "explain-1": (None, None, True), "explain-2": (None, None, True)}
    assert about[3:] == (5.0, 9.0, 0.0)
    found, _ = cells(tmp_path / "new", "Di")
    assert found["forward-check-by-hand"] == (None, None, True), "what was not judged waits for a person"


def test_a_file_that_is_no_gradebook_is_told_in_full(make, tmp_path):
    (tmp_path / "x.db").write_text("no database " * 200)
    with pytest.raises(UsageError) as caught:
        export(make(), "nbgrader", tmp_path / "x.db")
    assert str(caught.value) == f"{tmp_path / 'x.db'}: file is not a database\n  fix: give the gradebook.db of an nbgrader course, or a file that does not exist yet"
    assert (tmp_path / "x.db").read_text().startswith("no database")


def test_without_nbgrader_it_is_said_how_to_get_it(make, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nbgrader.api", None)
    with pytest.raises(UsageError) as caught:
        export(make(), "nbgrader", tmp_path / "x.db")
    assert str(caught.value) == "nbgrader is not installed\n  fix: pip install -c constraints.txt -e .[nbgrader]"


@pytest.mark.parametrize(("name", "id"), [("../../etc", "-..-etc"), ("Ada Lovelace", "Ada Lovelace"), ("a\nb", "a b"), ("..", "student")])
def test_a_students_id_names_a_folder_within_the_course(name, id):
    assert student_id(name) == id
