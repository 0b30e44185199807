"""The notebook: what the course says, in nbgrader's format, and marked as the course marks."""

import base64
import contextlib
import gzip
import io
import json
import re
import sys
import types
from functools import cache

import msgspec
import pytest

import autograder.api  # noqa: F401  # before a bundle would make one up
from autograder.author.notebook import SHIM, notebook
from autograder.course.loading import read_course
from autograder.course.student_files import code_of, read_handout, without_outputs
from autograder.grading.attempt import PUBLIC, load_materials
from autograder.grading.checks import seed_of
from autograder.grading.comparison import difference
from autograder.grading.recorded import read_recordings, unpack
from autograder.instructor.intake import open_folder
from autograder.instructor.uploads import read_submissions
from autograder.sandbox.guest.source import cells as read_cells
from tests.autograder.grading.test_readings import MISTAKES as READ
from tests.autograder.grading.test_rewrites import MISTAKES as AS_IF
from tests.autograder.grading.test_rewrites import OWN, RANDOM
from tests.bundle import bundle
from tests.courses import ROOT
from tests.in_process import judged_source

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
    return {name: points for name, (points, _) in outcomes(book, exercise).items()}


def outcomes(book, exercise):
    """Run the cells of one exercise as Jupyter does; return the points of each of its checks, and what it says."""
    namespace, made = {"__name__": "__main__"}, {}
    for cell in book["cells"]:
        name = marks(cell).get("grade_id", "") or cell["id"]
        if cell["cell_type"] != "code" or not name.startswith(("player", "imports", f"{exercise}-")):
            continue
        source = "".join(cell["source"])
        if not marks(cell).get("grade"):
            exec(source, namespace)
            continue
        points, said = 0.0, io.StringIO()
        try:
            with contextlib.redirect_stdout(said):
                points = eval(source.splitlines()[-1], namespace)
        except Exception as error:
            said.write(str(error))
        made[name] = points, said.getvalue().strip()
    return made


RECORDED = re.compile(r"'(H4sI[\w+/=]+)'")  # compressed recordings, as text


def recorded(text):
    """Return what a notebook has recorded of each exercise."""
    return [json.loads(gzip.decompress(base64.b64decode(each))) for each in RECORDED.findall(text)]


def exact(one):
    """Return what is the same on every processor: all but the numbers, and which rewrites give the same."""
    read = one["recordings"]
    runs = {check: {by: [(call["of"], call["kind"]) for call in calls] for by, calls in own.items()} for check, own in read["runs"].items()}
    asked = {check: [function for function, _ in calls] for check, calls in one["asked"].items()}
    kept = {name: read[name] for name in ("exercise", "checks", "parameters", "misconceptions", "linear", "letters", "format")}
    return kept, runs, asked, one["sections"], [*read["rewrites"]]


def test_the_notebook_in_the_course_is_what_the_command_builds(released):
    """`course notebook` was run since an exercise changed. The last bits of a recorded number differ between processors."""
    recordings = {exercise.id: exercise for exercise in read_course(released).lessons[0].exercises}
    built = notebook(LESSON, lambda materials: read_recordings(recordings[materials.exercise.id]))
    shipped = SHIPPED.read_text(encoding="utf-8")
    assert RECORDED.sub("", shipped) == RECORDED.sub("", built)
    for old, new in zip(recorded(shipped), recorded(built), strict=True):
        assert exact(old) == exact(new)
        for name, answers in old["recordings"]["answers"].items():
            for was, now in zip(answers.values(), new["recordings"]["answers"][name].values(), strict=True):
                assert difference(unpack(was["value"]), unpack(now["value"]), 1e-6, 1e-5, nan_equal=True) == ""
                assert was["rtol"] == now["rtol"]
                assert was["atol"] == pytest.approx(now["atol"], rel=9, abs=1e-6)  # 20 times a rounding error: of its size, no more
        for of, rewrites in old["recordings"]["rewrites"].items():
            assert len(rewrites["told"]) == pytest.approx(len(new["recordings"]["rewrites"][of]["told"]), rel=0.1)


WRITTEN = {name: ("written", name, "") for name in ("forward", "ddim", "attention")}
UNWRITTEN = {name: ("coefficients", exercise, source) for name, (exercise, source, _) in [*READ.items()][:3]}
UNWRITTEN |= {name: ("rewrite", *AS_IF[name][:2]) for name in ("an axis", "a loop", "a comparison")}  # in functions that no other one uses


@pytest.mark.parametrize(("kind", "exercise", "source"), [*WRITTEN.values(), *UNWRITTEN.values()], ids=[*WRITTEN, *UNWRITTEN])
def test_a_mistake_is_told_as_by_course_check(kind, exercise, source):
    """The call, the values, the idea and the section: of a misconception, of factors that are read off, and of a rewrite."""
    if kind == "written":
        one = MATERIALS(exercise).misconceptions[0]
        source = bundle(EXERCISES[exercise].answer, EXERCISES[exercise].misconceptions, {one.of: one.id})
    told = outcomes(filled(json.loads(SHIPPED.read_text()), {exercise: source}), exercise)
    checks = judged_source(MATERIALS(exercise), source).checks
    assert {check.diagnosis.kind for check in checks if check.diagnosis} == {kind}
    for check in checks:
        points, said = told[f"{exercise}-check-{check.id}".replace("_", "-")]
        reread = [f"Reread: {one.title}" for one in LESSON.sections if one.id == check.section]
        assert (points, said) == (check.points, "\n".join([check.message, *reread]))
        assert len(reread) == (check.misconception is not None)


def test_what_uses_a_wrong_function_says_so():
    """Only perhaps is it the cause: the reference's answers to the student's own questions were not recorded."""
    exercise, source, _ = AS_IF["a root in a sum of two"]
    told = outcomes(filled(json.loads(SHIPPED.read_text()), {exercise: source}), exercise)
    uses = {name.rpartition("check-")[2]: said.partition("It uses ")[2] for name, (_, said) in told.items() if "It uses " in said}
    assert uses == dict.fromkeys(("a-step-with-noise", "the-walk"), "`posterior`, which is not right yet: that may be the cause.")


def test_random_numbers_of_ones_own_are_told():
    exercise, source = RANDOM["noise_to"]
    told = outcomes(filled(json.loads(SHIPPED.read_text()), {exercise: source}), exercise)
    assert any(said.endswith(OWN) for _, said in told.values())


def test_where_numbers_are_rounded_otherwise_a_check_compares_the_same_and_names_nothing():
    book = filled(json.loads(SHIPPED.read_text()), {"forward": READ["left out"][1]})
    for cell in book["cells"]:
        cell["source"] = [line.replace("astype(np.float16) + np.float16(0)", "astype(np.float32)") for line in cell["source"]]
    points, said = outcomes(book, "forward")["forward-check-in-the-middle"]
    assert points == 0
    assert said.endswith("values differ).")


VALUES = {
    "small": [None, True, 0, 127, -32, 1.5, "a", b"a", (1,), {"b": 1, "a": [2]}],
    "integers": [sign * 2**bits + one for sign in (1, -1) for bits in (7, 8, 15, 16, 31, 32, 63) for one in (-1, 0, 1) if sign * 2**bits + one >= -(2**63)],
    "long": ["é" * 20, "x" * 300, "x" * 70_000, b"x" * 300, b"x" * 70_000, [0] * 20, [0] * 70_000, {f"{i}": i for i in range(20)}],
    "others": [1j],
}


@pytest.mark.parametrize("name", VALUES)
def test_what_stands_in_for_msgspec_writes_the_same_bytes(name):
    shim = types.ModuleType("shim")
    exec(SHIM.read_text(), shim.__dict__)
    one, other = (module.msgpack.encode(VALUES[name], enc_hook=repr, order="deterministic") for module in (msgspec, shim))
    assert one == other


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
    text += json.dumps(recorded(text))
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


def test_what_is_kept_of_a_notebook_is_the_students_code():
    """The locked cells, which are large, stay as empty ones: errors name cells by their numbers."""
    kept = without_outputs(SHIPPED.read_bytes())
    assert len(kept) < 100_000 < SHIPPED.stat().st_size
    assert [part.text for part in read_cells(kept.decode())] == [part.text for part in read_cells(SHIPPED.read_text())]
    assert "course_player" not in code_of(SHIPPED.name, SHIPPED.read_bytes())


@pytest.mark.parametrize("metadata", [1, {"nbgrader": []}, {"nbgrader": {"locked": False}}, {"other": {"locked": True}}], ids=str)
def test_a_cell_that_nbgrader_does_not_lock_is_kept(metadata):
    cell = {"cell_type": "code", "metadata": metadata, "source": "x = 1", "outputs": []}
    assert code_of("a.ipynb", json.dumps({"cells": [cell]}).encode()) == "x = 1"


def test_the_notebook_stands_for_every_exercise_that_has_no_file_of_its_own(tmp_path):
    (tmp_path / f"{LESSON.id}.ipynb").write_bytes(SHIPPED.read_bytes())
    (tmp_path / "forward.py").write_text("x = 1\n")
    taken = {one.exercise: one.name for one in read_submissions(open_folder(tmp_path, "ada"), read_handout(ROOT, LESSON), ["forward", "ddim", "practice"], print)}
    assert taken == {"forward": "forward.py", "ddim": f"{LESSON.id}.ipynb", "practice": "answers.yaml"}
