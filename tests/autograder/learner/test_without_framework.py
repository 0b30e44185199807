"""A student without torch: what needs none works, and the rest says which command adds it."""

import sys
import tomllib

import pytest
from click.testing import CliRunner

from autograder.cli.main import main
from autograder.course.errors import CourseError, UsageError
from autograder.grading.reference import load_module
from autograder.sandbox.guest import frameworks
from tests.autograder.learner.conftest import RIGHT

ADDING = 'pip install "denoising-course[torch]" --extra-index-url https://download.pytorch.org/whl/cpu'
LOSS = f"loss.py needs torch, which is not installed here\n  fix: add it: `{ADDING}`\n"


@pytest.fixture
def course(workspace, monkeypatch):
    """Type a command in a workspace, where torch is not installed; gives what is printed, and the exit status."""
    monkeypatch.setattr(frameworks, "find_spec", lambda name: None)
    monkeypatch.chdir(workspace.folder)

    def course(*command):
        done = CliRunner().invoke(main, list(command), catch_exceptions=False)
        return done.output, done.exit_code

    return course


def test_every_framework_is_an_extra_of_the_package(root):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {name: project["optional-dependencies"][name][0].partition(">")[0] for name in frameworks.FRAMEWORKS} == {"torch": "torch"}
    assert not any(line.startswith(tuple(frameworks.FRAMEWORKS)) for line in project["dependencies"])


def test_start_says_what_can_be_checked_and_what_adds_the_rest(course):
    said, status = course("start", "again")
    assert said.splitlines()[1:3] == [
        "Without torch, which is not installed here, you can check schedule.py and forward.py. To add it:",
        f"  {ADDING}",
    ]
    assert status == 0


def test_an_exercise_that_needs_it_says_so(course):
    assert course("check", "loss.py") == (LOSS, 2)


def test_images_need_it_and_nothing_else_is_said_to_be_missing(course):
    said, status = course("check", "loss.py", "--show")
    assert said == LOSS + LOSS.replace("loss.py", "--show")
    assert status == 2


def test_a_file_that_imports_it_says_so_too(course):
    with open("forward.py", "a", encoding="utf-8") as file:
        file.write("import torch\n")
    assert course("check", "forward.py") == (LOSS.replace("loss.py", "forward.py"), 2)


@pytest.mark.usefixtures("walls")
def test_the_other_files_are_checked_all_the_same(course):
    for name, text in (("forward.py", RIGHT), ("loss.py", "def noise_mse(a, b): return 0\n")):
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)
    said, status = course("check")
    assert "forward.py: 14 of 14 public checks pass, 20 of 20 points" in said
    assert LOSS in said
    assert status == 2
    said, status = course("submit")
    assert "note: loss.py needs torch, which is not installed here: it is packed unchecked.\n" in said
    assert ", 20 points by the public checks." in said
    assert status == 0


def test_a_course_file_that_needs_it_says_so_to_an_instructor(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    (tmp_path / "checks.py").write_text("import torch\n")
    with pytest.raises(UsageError) as refused:
        load_module(tmp_path / "checks.py")
    assert str(refused.value) == f"{tmp_path}/checks.py: it needs torch, which is not installed\n  fix: add it: `{ADDING}`"


def test_a_module_of_the_course_that_is_missing_is_the_authors_fault(tmp_path):
    (tmp_path / "checks.py").write_text("import nowhere\n")
    with pytest.raises(CourseError) as fault:
        load_module(tmp_path / "checks.py")
    problem = f"{tmp_path}/checks.py:1: this file cannot be imported: ModuleNotFoundError: No module named 'nowhere'"
    assert str(fault.value).splitlines()[0] == problem


def test_a_guest_has_what_is_there(monkeypatch):
    """A profile that names it preloads the rest, and nobody asks for a fuller one that cannot be had."""
    monkeypatch.setattr(frameworks, "find_spec", lambda name: None)
    frameworks.load("torch training")
    assert frameworks.lacking("numpy", ["pandas"]) == ["pandas"] + ["torch._dynamo"] * ("torch" in sys.modules)
