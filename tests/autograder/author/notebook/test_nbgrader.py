"""The notebook in the hands of the real nbgrader: assigned, handed in, autograded, with feedback; its scores are ours."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.author.release import config
from autograder.course.loading import read_course
from autograder.course.policy import Limits
from autograder.course.student_files import read_handout
from autograder.grading.attempt import PUBLIC, attempt, load_materials
from autograder.instructor.intake import open_folder
from autograder.instructor.uploads import read_submissions
from tests.autograder.author.notebook.test_notebook import EXERCISES, LESSON, ROOT, SHIPPED, filled
from tests.bundle import bundle
from tests.once import once
from tests.shared import SharedSandbox

pytestmark = pytest.mark.xdist_group("nbgrader")
TRIED = ("schedule", "forward", "ddim")  # what is answered
UNTOUCHED = ("attention",)
KEPT = (*TRIED, *UNTOUCHED, "introduction", "player", "imports", "explain")  # a whole one takes a minute


def small():
    """Give the notebook with some of its exercises."""
    book = json.loads(SHIPPED.read_text())
    return json.dumps(book | {"cells": [cell for cell in book["cells"] if cell["id"].startswith(KEPT)]})


def sources(student):
    """Write what each student hands in: all right; and a misconception, a cell that ends in the middle, another misconception."""
    if student == "ada":
        return {name: bundle(EXERCISES[name].answer) for name in TRIED} | {"explain": "Its loss has a fixed target."}
    misconceptions = {name: load_materials(EXERCISES[name]).misconceptions[0] for name in TRIED}
    made = {name: bundle(EXERCISES[name].answer, EXERCISES[name].misconceptions, {misconception.of: misconception.id}) for name, misconception in misconceptions.items()}
    return made | {"forward": "def linear_betas(T, first=1e-4, last=0.02):\n    return [0"}


def nbgrader(root, *arguments):
    """Run the real nbgrader; it calls `alembic` by name, so the environment's programs must be found."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    settings = {"PATH": path, "HOME": str(root), "JUPYTER_PLATFORM_DIRS": "1", "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([sys.executable, "-m", "nbgrader", *arguments], cwd=root, env={**os.environ, **settings}, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def run_nbgrader(root):
    """Give out the notebook, hand in two, grade them; return what nbgrader says of each cell and who has feedback."""
    (root / "nbgrader_config.py").write_text(config(read_course(ROOT)))
    (root / "source" / LESSON.id).mkdir(parents=True)
    (root / "source" / LESSON.id / SHIPPED.name).write_text(small())
    said = [nbgrader(root, "generate_assignment", LESSON.id)]
    released = json.loads((root / "release" / LESSON.id / SHIPPED.name).read_text())
    for student in ("ada", "bo"):
        (root / "submitted" / student / LESSON.id).mkdir(parents=True)
        (root / "submitted" / student / LESSON.id / SHIPPED.name).write_text(json.dumps(filled(released, sources(student))))
    said += [nbgrader(root, "autograde", LESSON.id), nbgrader(root, "generate_feedback", LESSON.id)]
    said.append(nbgrader(root, "validate", str(root / "submitted" / "ada" / LESSON.id / SHIPPED.name)))
    return {"root": str(root), "said": said, "scores": scores(root), "feedback": sorted(path.parts[-3] for path in root.glob("feedback/*/*/*.html"))}


def scores(root):
    from nbgrader.api import Gradebook

    found = {}
    with Gradebook(f"sqlite:///{root}/gradebook.db") as gradebook:
        for student in ("ada", "bo"):
            notebook = gradebook.find_submission(LESSON.id, student).notebooks[0]
            found[student] = {grade.name: [grade.auto_score, grade.max_score, grade.needs_manual_grade] for grade in notebook.grades}
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    pytest.importorskip("nbgrader") if "CI" not in os.environ else __import__("nbgrader")
    return once(tmp_path_factory, "nbgrader", lambda: run_nbgrader(tmp_path_factory.mktemp("nbgrader")))


def test_it_is_assigned_graded_and_given_back(run):
    """`generate_assignment`, `autograde` and `generate_feedback` end well, and each student has feedback."""
    assert [code for code, _ in run["said"][:3]] == [0, 0, 0], run["said"]
    assert run["feedback"] == ["ada", "bo"]


def test_validate_names_what_is_not_answered_yet(run):
    """Real `nbgrader validate` finds the untouched exercises failing, and nothing of what is answered."""
    _, said = run["said"][3]
    assert "failed" in said
    assert "course.play(\"attention\"" in said
    assert "course.play(\"forward\"" not in said


def test_the_questions_in_words_wait_for_a_person(run):
    by_hand = {name: marks for name, marks in run["scores"]["ada"].items() if name.startswith("explain")}
    assert {name: (most, waits) for name, (_, most, waits) in by_hand.items()} == {"explain-1": (2.0, True), "explain-2": (2.0, True)}


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize("student", ["ada", "bo"])
def test_its_scores_are_ours_on_the_published_numbers(run, student, tmp_path):
    """The same notebook through our own grader, with the published seed: check by check."""
    book = filled(json.loads(small()), sources(student))
    (tmp_path / SHIPPED.name).write_text(json.dumps(book))
    ours = {}
    with SharedSandbox(Limits()) as sandbox:
        for submission in read_submissions(open_folder(tmp_path, student), read_handout(ROOT, LESSON), TRIED, print):
            made = attempt(submission, load_materials(EXERCISES[submission.exercise]), sandbox, PUBLIC)
            ours |= {f"{submission.exercise}-check-{check.id}".replace("_", "-"): check.points for check in made.checks}
    theirs = {name: score for name, (score, _, _) in run["scores"][student].items() if name.startswith(TRIED)}
    assert theirs == ours


def test_what_nobody_answered_earns_nothing(run):
    untouched = [score for name, (score, _, _) in run["scores"]["ada"].items() if not name.startswith((*TRIED, "explain"))]
    assert untouched
    assert set(untouched) == {0.0}
