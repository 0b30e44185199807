"""The course folder for nbgrader, in the hands of the real nbgrader. (How it grades is held in tests/autograder/notebook.)"""

import json
import os

import pytest

from autograder.author.release import build_nbgrader
from autograder.course.errors import UsageError
from tests.autograder.author.notebook.test_nbgrader import nbgrader
from tests.once import once

pytestmark = pytest.mark.xdist_group("nbgrader")
ANSWER = "def total(a, b=0.0):\n    return a + b"


@pytest.fixture
def tiny(root):
    return root / "tests" / "broken_courses" / "tiny"


def test_it_is_a_course_folder_with_an_assignment_for_each_lesson(tiny, tmp_path):
    made = build_nbgrader(tiny, tmp_path / "out")
    assert [str(path.relative_to(tmp_path / "out")) for path in made] == ["nbgrader_config.py", "source/13_adding/13_adding.ipynb"]
    assert (tmp_path / "out" / "nbgrader_config.py").read_text() == (
        "c = get_config()\n"
        "c.CourseDirectory.course_id = 'a-tiny-course'\n"
        "c.ExecutePreprocessor.timeout = 64  # for one cell\n"
        "c.ClearSolutions.enabled = False  # the cells hold starters: no solution to clear\n"
    )


def test_building_again_keeps_what_nbgrader_and_the_instructor_made_there(tiny, tmp_path):
    build_nbgrader(tiny, tmp_path)
    (tmp_path / "nbgrader_config.py").write_text("# mine\n")
    (tmp_path / "gradebook.db").write_text("kept")
    assert [path.name for path in build_nbgrader(tiny, tmp_path)] == ["13_adding.ipynb"]
    assert [(tmp_path / name).read_text() for name in ("nbgrader_config.py", "gradebook.db")] == ["# mine\n", "kept"]


def test_another_folder_is_refused(tiny, tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(UsageError) as refused:
        build_nbgrader(tiny, tmp_path)
    assert str(refused.value) == f"{tmp_path}: not empty, and not made by this command\n  fix: choose a new or empty folder with --out"


def run_nbgrader(tiny, out):
    """Build, assign, answer what was given out, validate; return what nbgrader says, and the cells as they were given out."""
    build_nbgrader(tiny, out)
    said = [nbgrader(out, "generate_assignment", "13_adding")]
    released = out / "release" / "13_adding" / "13_adding.ipynb"
    book = json.loads(released.read_text())
    own = [cell for cell in book["cells"] if cell["cell_type"] == "code" and cell["metadata"].get("nbgrader", {}).get("solution")]
    given = ["".join(cell["source"]) for cell in own]
    for cell in own:
        cell["source"] = ANSWER
    released.write_text(json.dumps(book))
    said.append(nbgrader(out, "validate", str(released)))
    return {"said": said, "given": given}


@pytest.fixture(scope="module")
def run(root, tmp_path_factory):
    pytest.importorskip("nbgrader") if "CI" not in os.environ else __import__("nbgrader")
    tiny = root / "tests" / "broken_courses" / "tiny"
    return once(tmp_path_factory, "nbgrader-release", lambda: run_nbgrader(tiny, tmp_path_factory.mktemp("course")))


def test_the_real_nbgrader_assigns_it_and_students_see_the_starters(run):
    """nbgrader clears a cell that is marked as a solution; here what is asked for would go with it."""
    code, words = run["said"][0]
    assert code == 0, words
    (starter,) = run["given"]
    assert starter.startswith('def total(a, b=0.0):\n    """Return the sum of two numbers."""\n')


def test_the_real_nbgrader_validates_an_answer(run):
    _, said = run["said"][1]
    assert "Success! Your notebook passes all the tests." in said, said
