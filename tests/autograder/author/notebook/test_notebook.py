"""The notebook: what the course says, in nbgrader's format, and marked as the course marks."""

import base64
import contextlib
import gzip
import io
import json
import re
import sys
from functools import cache
from pathlib import Path

import pytest

import autograder.api  # noqa: F401  # before a bundle would make one up
from autograder.author.notebook import notebook
from autograder.course.loading import read_course
from autograder.course.student_files import read_handout
from autograder.grading.attempt import PUBLIC, load_materials
from autograder.grading.checks import seed_of
from autograder.grading.comparison import difference
from autograder.grading.recorded import unpack
from autograder.instructor.intake import open_folder
from autograder.instructor.uploads import read_submissions
from autograder.sandbox.guest.source import cells as read_cells
from tests.bundle import bundle

ROOT = Path(__file__).resolve().parents[4]
LESSON = read_course(ROOT).lessons[0]
EXERCISES = {exercise.id: exercise for exercise in LESSON.exercises}
SHIPPED = ROOT / "exercises" / LESSON.id / f"{LESSON.id}.ipynb"
MATERIALS = cache(lambda name: load_materials(EXERCISES[name]))
MISCONCEPTIONS = [(name, 0) for name in EXERCISES] + [(name, -1) for name in EXERCISES]


@pytest.fixture(autouse=True)
def own_modules():
    """The modules that a bundle makes up, in the place of ours, go with the test."""
    before = dict(sys.modules)
    yield
    for name, module in list(sys.modules.items()):
        if before.get(name) is not module and getattr(module, "__spec__", module) is None:
            del sys.modules[name]
            sys.modules.update({name: before[name]} if name in before else {})


pytestmark = pytest.mark.usefixtures("one_thread")


def marks(cell):
    return cell["metadata"].get("nbgrader", {})


def filled(book, sources):
    """Put a source into an exercise's first solution cell, and nothing into its others; exercises without a source stay as they are."""
    book, done = json.loads(json.dumps(book)), set()
    for cell in book["cells"]:
        exercise = marks(cell).get("grade_id", "").split("-")[0]
        if marks(cell).get("solution") and exercise in sources:
            cell["source"] = [] if exercise in done else [sources[exercise]]
            done.add(exercise)
    return book


def executed(book, exercise):
    """Run the cells of one exercise as Jupyter does; return the points of each of its checks."""
    namespace, points = {"__name__": "__main__"}, {}
    for cell in book["cells"]:
        name = marks(cell).get("grade_id", "") or cell["id"]
        if cell["cell_type"] != "code" or not name.startswith(("player", "imports", f"{exercise}-")):
            continue
        source = "".join(cell["source"])
        if not marks(cell).get("grade"):
            exec(source, namespace)
            continue
        points[name] = 0.0
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
            points[name] = eval(source.splitlines()[-1], namespace)
    return points


RECORDED = re.compile(r"'(H4sI[\w+/=]+)'")  # compressed answers, as text


def recorded(text):
    """Return the reference's answers in a notebook: for each check, each value with its tolerance."""
    packed = [json.loads(gzip.decompress(base64.b64decode(each))) for each in RECORDED.findall(text)]
    return [(check, [(unpack(value), atol, rtol) for value, atol, rtol in answers]) for each in packed for check, answers in each.items()]


def test_the_notebook_in_the_course_is_what_the_command_builds():
    """`course notebook` was run since an exercise changed. The last bits of a recorded number differ between processors."""
    shipped, built = SHIPPED.read_text(encoding="utf-8"), notebook(LESSON)
    assert RECORDED.sub("", shipped) == RECORDED.sub("", built)
    for (name, old), (check, new) in zip(recorded(shipped), recorded(built), strict=True):
        assert (name, len(old)) == (check, len(new))
        for (was, atol, rtol), (now, other_atol, other_rtol) in zip(old, new, strict=True):
            assert difference(was, now, 1e-6, 1e-5, nan_equal=True) == ""
            assert rtol == other_rtol
            assert atol == pytest.approx(other_atol, rel=9, abs=1e-6)  # 20 times a rounding error: of its size, no more


def test_every_check_has_a_locked_cell_with_its_points():
    cells = json.loads(SHIPPED.read_text(encoding="utf-8"))["cells"]
    tests = {marks(cell)["grade_id"]: marks(cell) for cell in cells if marks(cell).get("grade") and cell["cell_type"] == "code"}
    checks = {f"{name}-check-{check.id}".replace("_", "-"): check.points for name in EXERCISES for check in MATERIALS(name).checks}
    assert {name: mark["points"] for name, mark in tests.items()} == checks
    assert all(mark["locked"] and not mark["solution"] for mark in tests.values())


def test_two_questions_are_marked_by_hand():
    cells = json.loads(SHIPPED.read_text(encoding="utf-8"))["cells"]
    by_hand = [marks(cell) for cell in cells if cell["cell_type"] == "markdown" and marks(cell).get("grade")]
    assert [(mark["points"], mark["solution"], mark["locked"]) for mark in by_hand] == [(2.0, True, False)] * 2


def test_names_of_cells_are_their_own():
    cells = json.loads(SHIPPED.read_text(encoding="utf-8"))["cells"]
    for names in ([cell["id"] for cell in cells], [marks(cell)["grade_id"] for cell in cells if marks(cell)]):
        assert len(names) == len(set(names))


def test_no_answer_and_no_secret_stands_in_it():
    """Not a telling line of an answer, and only seeds that are published."""
    text = "\n".join("".join(cell["source"]) for cell in json.loads(SHIPPED.read_text(encoding="utf-8"))["cells"])
    for exercise in LESSON.exercises:
        starter = exercise.starter.read_text() + exercise.checks.read_text() + (ROOT / "exercises" / LESSON.id / "props.py").read_text()
        answer = [line.strip() for line in exercise.answer.read_text().splitlines()]
        telling = [line for line in answer if len(line) > 20 and not line.startswith(("import", "from", "#", "def ", '"""')) and line not in starter]
        assert [line for line in telling if line in text] == []
        assert all(str(seed_of(PUBLIC, exercise.id, check.id)) in text for check in MATERIALS(exercise.id).checks)


@pytest.mark.parametrize("name", [name for name in EXERCISES if name != "train"])
def test_an_answer_earns_all_points_in_the_notebook(name):
    book = filled(json.loads(SHIPPED.read_text()), {name: bundle(EXERCISES[name].answer)})
    assert sum(executed(book, name).values()) == sum(check.points for check in MATERIALS(name).checks)


@pytest.mark.parametrize("name", EXERCISES)
def test_a_starter_earns_nothing_in_the_notebook(name):
    assert sum(executed(json.loads(SHIPPED.read_text()), name).values()) == 0


@pytest.mark.parametrize(("name", "which"), [(name, which) for name in EXERCISES for which in (0, -1) if name != "train"])
def test_a_misconception_loses_the_same_checks_as_in_the_course(name, which):
    """The first and the last misconception of each exercise, with the published numbers."""
    materials = MATERIALS(name)
    misconception = materials.misconceptions[which]
    ours: dict[str, float] = {}
    for check in materials.checks:
        run = materials.diagnosis.reruns.rerun(check, seed_of(PUBLIC, name, check.id), misconception)
        ours[check.id] = check.points if run.passed and all(ours[need] for need in check.needs) else 0
    source = bundle(EXERCISES[name].answer, EXERCISES[name].misconceptions, {misconception.of: misconception.id})
    theirs = executed(filled(json.loads(SHIPPED.read_text()), {name: source}), name)
    assert theirs == {f"{name}-check-{check}".replace("_", "-"): points for check, points in ours.items()}


def test_grading_takes_the_students_cells_and_leaves_the_locked_ones_out():
    book = filled(json.loads(SHIPPED.read_text()), {"forward": "def forward_step(x_prev, beta, eps):\n    return 1"})
    sources = [source for _, source in read_cells(json.dumps(book))]
    assert any("def forward_step" in source for source in sources)
    assert not any("course.play" in source or "course.load" in source or "course_player" in source for source in sources)


def test_the_notebook_stands_for_every_exercise_that_has_no_file_of_its_own(tmp_path):
    (tmp_path / f"{LESSON.id}.ipynb").write_bytes(SHIPPED.read_bytes())
    (tmp_path / "forward.py").write_text("x = 1\n")
    taken = {one.exercise: one.name for one in read_submissions(open_folder(tmp_path, "ada"), read_handout(ROOT, LESSON), ["forward", "ddim", "practice"], print)}
    assert taken == {"forward": "forward.py", "ddim": f"{LESSON.id}.ipynb", "practice": "answers.yaml"}
