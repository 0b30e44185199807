"""The zip for Gradescope, unpacked as Gradescope does and run by its own `run_autograder`; and the form of what it writes."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from autograder.author.release import build_gradescope
from autograder.course.errors import SandboxFault, UsageError
from autograder.course.model import CheckResult, HandedIn, Result
from autograder.course.policy import Policy
from autograder.instructor import gradescope
from autograder.instructor.grades import Grade
from autograder.instructor.gradescope import gradescope_results
from autograder.sandbox.properties import missing_walls
from tests.autograder.learner.conftest import RIGHT

MISTAKEN = RIGHT.replace("beta ** .5 * eps", "beta * eps") + "print('hello \\x1b[31m')\n"


def unpacked(zipped, place):
    """Lay out /autograder as Gradescope's documentation says: the zip in source/, and run_autograder beside it."""
    with zipfile.ZipFile(zipped) as archive:
        for info in archive.infolist():
            Path(archive.extract(info, place / "source")).chmod(info.external_attr >> 16 & 0o777)
    shutil.copy(place / "source" / "run_autograder", place / "run_autograder")
    (place / "results").mkdir()
    (place / "submission").mkdir()
    return place


@pytest.fixture(scope="module")
def layout(root, tmp_path_factory):
    base = tmp_path_factory.mktemp("gradescope")
    return unpacked(build_gradescope(root, base / "out"), base / "autograder")


@pytest.fixture(scope="module")
def graded(layout, walls):
    """A submission with a misconception, an answer, and nothing else; run as Gradescope runs it."""
    (layout / "submission" / "forward.py").write_text(MISTAKEN)
    (layout / "submission" / "answers.yaml").write_text("fresh-step: 0.550\n")
    python = layout.parent / "python" / "bin"
    python.mkdir(parents=True)
    (python / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (python / "python").chmod(0o755)
    settings = {**os.environ, "AUTOGRADER": str(layout), "COURSE_ENV": str(python.parent)}
    done = subprocess.run([layout / "run_autograder"], env=settings, cwd=layout, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done, json.loads((layout / "results" / "results.json").read_text())


def test_run_autograder_writes_results_in_gradescopes_format(graded):
    """Every field is one of the specification, with its type; the score is the sum of the tests'."""
    _, results = graded
    known = {"score", "execution_time", "output", "output_format", "visibility", "stdout_visibility", "extra_data", "tests"}
    assert set(results) == known
    assert results["score"] == sum(test["score"] for test in results["tests"])
    assert isinstance(results["execution_time"], float)
    assert (results["visibility"], results["stdout_visibility"], results["output_format"]) == ("visible", "hidden", "text")
    for test in results["tests"]:
        assert set(test) == {"name", "number", "score", "max_score", "status", "output", "tags", "visibility", "output_format"}
        assert 0 <= test["score"] <= test["max_score"]
        assert test["status"] in ("passed", "failed")
        assert all(isinstance(tag, str) for tag in test["tags"])


def test_the_student_is_told_what_course_grade_tells(graded):
    _, results = graded
    by_hand = next(test for test in results["tests"] if test["name"].startswith("forward: The lesson's worked example"))
    assert by_hand["output"] == (
        "`forward_step(x_prev=0.8, beta=0.1, eps=-0.3)` gave 0.7289 where 0.664 was expected. You scaled the noise by β. β is the noise's "
        "variance: multiply ε by its square root.\nReread: One step by hand (`course read one-step-by-hand`)\nCard: `noise-scale`"
    )
    assert by_hand["tags"] == ["forward", "beta_as_standard_deviation"]
    assert (by_hand["score"], by_hand["max_score"]) == (0, 2)
    assert results["output"] == "What forward printed:\nhello [31m"


def test_what_was_not_handed_in_is_said_once(graded):
    _, results = graded
    (loss,) = [test for test in results["tests"] if test["name"] == "loss"]
    assert (loss["score"], loss["output"]) == (0, "Nothing was submitted for this exercise.")
    assert loss["max_score"] > 0


def test_the_instructor_reads_score_and_walls_on_stdout(graded):
    done, results = graded
    most = sum(test["max_score"] for test in results["tests"])
    words = f"{results['score']:g} of {most:g} points in {results['execution_time']:g} s. Walls: landlock, seccomp, limits, privileges.\n"
    assert done.stdout == words


def test_what_judges_is_not_for_others_to_read(graded, layout):
    assert {(layout / name).stat().st_mode & 0o777 for name in ("source", "results")} == {0o700}


def test_every_submission_meets_the_same_secret_numbers(layout):
    """The round is drawn when the zip is built, and only its owner can read it."""
    rounds = layout / "source" / "private" / "rounds.json"
    assert len(json.loads(rounds.read_bytes())) == 1
    assert rounds.stat().st_mode & 0o077 == 0


def test_setup_installs_python_torch_and_the_course(layout):
    """With every program in its place that would change a machine, it calls them in order, and fails where one fails."""
    place = layout.parent / "setup"
    place.mkdir()
    log = place / "log"
    for name in ("apt-get", "python3.11"):
        (place / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {log}\n')
        (place / name).chmod(0o755)
    (place / "env" / "bin").mkdir(parents=True)
    (place / "env" / "bin" / "python").write_text(f'#!/bin/sh\necho python "$@" >> {log}\n')
    (place / "env" / "bin" / "python").chmod(0o755)
    settings = {"PATH": f"{place}:/usr/bin:/bin", "AUTOGRADER": str(layout), "COURSE_ENV": str(place / "env")}
    subprocess.run(["bash", layout / "source" / "setup.sh"], env=settings, check=True, timeout=60)
    called = log.read_text().replace(str(layout), "/autograder").splitlines()
    source = "/autograder/source/course"
    assert called[0] == "apt-get update -qq"
    assert called[-2].startswith("python -m pip install --quiet torch==")
    assert called[-1] == f"python -m pip install --quiet -c {source}/constraints.txt -e {source}[grade]"


def test_a_layout_that_is_not_gradescopes_is_refused(tmp_path):
    with pytest.raises(UsageError) as refused:
        gradescope.grade_in_container(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path}: not laid out like Gradescope's /autograder\n  fix: only run_autograder runs this command, on Gradescope"
    )


def test_nothing_is_run_where_no_wall_keeps_the_solutions(monkeypatch):
    """Landlock is missing and no other user can be taken: better no result than the answers read."""
    monkeypatch.setattr(gradescope, "missing_walls", lambda limits: {"landlock": "not in this kernel"})
    monkeypatch.setattr(gradescope, "free_user", lambda slot: None)
    with pytest.raises(UsageError) as refused:
        gradescope.standing_walls(None)
    assert str(refused.value) == (
        "nothing keeps a submission from reading the solutions: landlock is missing (not in this kernel)\n"
        "  fix: run this as root: then submissions run as another user"
    )
    monkeypatch.setattr(gradescope, "free_user", lambda slot: 61184)
    assert gradescope.standing_walls(None) == ("seccomp", "limits", "privileges")


FAILED = CheckResult("by_hand", "By hand", 0, 2, "failed", "wrong", "gave 1", "misconception", "a-section", "a-card")
RESULT = Result("student", "12_diffusion", "forward", "graded", 0, 2, (FAILED,), "printed", None, "round-1", "", "0")
GRADE = Grade(RESULT, HandedIn(), {}, 0, 0, 0)


@pytest.mark.parametrize(
    ("reveal", "output", "tags", "visibility", "printed"),
    [
        (
            "all",
            "gave 1\nReread: a-section (`course read a-section`)\nCard: `a-card`",
            ("forward", "misconception"),
            "visible",
            "What forward printed:\nprinted",
        ),
        ("titles", "", ("forward",), "visible", ""),
        ("nothing", "", ("forward",), "hidden", ""),
    ],
)
def test_the_courses_policy_says_what_is_shown(reveal, output, tags, visibility, printed):
    made = gradescope_results([GRADE], {}, Policy(reveal=reveal), seconds=1.234)
    (test,) = made.tests
    assert (test.output, test.tags, test.visibility, made.output, made.execution_time) == (output, tags, visibility, printed, 1.23)


def test_what_is_revealed_later_is_shown_when_the_instructor_publishes():
    made = gradescope_results([GRADE], {}, Policy(), seconds=1, early=True)
    assert (made.tests[0].visibility, made.output) == ("after_published", "")


def test_a_fault_of_ours_is_no_zero():
    """No results.json is written then: Gradescope shows that the autograder failed, and the submission can be run again."""
    lost = Result("student", "12_diffusion", "forward", "not_judged", 0, 2, (), "", None, "round-1", "", "0")
    with pytest.raises(SandboxFault, match=r"^`forward` was not judged, by a fault of the grader$"):
        gradescope_results([Grade(lost, HandedIn(), {}, 0, 0, 0)], {}, Policy(), seconds=1)


def test_walls_are_tried_for_real(walls):
    assert gradescope.standing_walls(gradescope.Limits()) == ("landlock", "seccomp", "limits", "privileges")
    assert missing_walls(gradescope.Limits()) == {}
