"""The release as a folder: what is in it, what is not, and how it is put in its place."""

import json
import shutil
from pathlib import Path

import pytest

from autograder.author import cache, release
from autograder.author.release import build
from autograder.course.errors import UsageError
from autograder.course.loading import read_course
from autograder.learner.progress import solution
from autograder.learner.start import start
from autograder.learner.workspace import State, open_workspace
from tests.autograder.author.release.searching import leaks
from tests.courses import SECOND


@pytest.fixture
def tiny(root):
    return root / "tests" / "broken_courses" / "tiny"


def test_no_file_of_solutions_and_no_line_of_their_code_is_in_a_release(released, root):
    """Lessons quote some formulas; code they do not hold, nor do notebook, hints, cards or recordings."""
    assert list(leaks(released, root)) == []


def test_the_search_finds_what_is_put_there(released, root, tmp_path):
    """The test of the test: an answer as a file, and a line of it in a hint."""
    answer = root / "solutions" / "12_diffusion" / "ddim.py"
    (tmp_path / "notes.txt").write_bytes(answer.read_bytes())
    (tmp_path / "hints.yaml").write_text("hint: x_t = ddim_step(x_t, t, t_prev, eps_model(x_t, t), alpha_bars, eta, draw_noise(t))")
    line = "x_t=ddim_step(x_t,t,t_prev,eps_model(x_t,t),alpha_bars,eta,draw_noise(t))"
    found = list(leaks(tmp_path, root))
    assert found[0] == f"hints.yaml holds {line}"
    assert found[1] == "notes.txt is solutions/12_diffusion/ddim.py"
    assert f"notes.txt holds {line}" in found


def test_a_release_holds_all_that_students_need(released, release):
    assert sorted(path.name for path in released.iterdir()) == ["course.yaml", "exercises", "lessons", "recordings", "release.json"]
    assert [exercise.id for exercise in release.exercises if not exercise.recordings.is_file()] == []
    assert (released / "exercises" / release.id / f"{release.id}.ipynb").is_file()
    assert len(release.cards) > 0


def test_the_lesson_is_in_a_release_whole(released, root, release):
    """Text, cards, figures, and what a reader plays with: recorded frames of the sampler are files there, too."""
    own, given = ({path.relative_to(place): path.read_bytes() for path in (place / "lessons").rglob("*") if path.is_file()} for place in (root, released))
    assert own == given


def test_a_release_of_two_lessons_is_the_releases_of_each_together(tiny, tmp_path):
    """What their marks say apart: which lessons there are."""
    course = shutil.copytree(tiny, tmp_path / "course", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(SECOND, course, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    build(course, tmp_path / "both")
    for lesson in ("13_adding", "13_edges"):
        build(course, tmp_path / lesson, only=lesson)
        shutil.copytree(tmp_path / lesson, tmp_path / "together", dirs_exist_ok=True)
    files = [{path.relative_to(place): path.read_bytes() for path in place.rglob("*") if path.is_file()} for place in (tmp_path / "both", tmp_path / "together")]
    marks = [json.loads(own.pop(Path("release.json")))["lessons"] for own in files]
    assert files[0] == files[1]
    assert marks == [["13_adding", "13_edges"], ["13_edges"]]


def test_the_same_course_gives_the_same_release(tiny, tmp_path, monkeypatch):
    """Byte for byte, so that a version of it can be named by a hash, and with nothing taken from the other."""
    for name in ("one", "two"):
        monkeypatch.setattr(cache.platformdirs, "user_cache_path", lambda *_, name=name, **__: tmp_path / "kept" / name)
        build(tiny, tmp_path / name)
    one, two = ({path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*") if path.is_file()} for name in ("one", "two"))
    assert one == two


def test_an_earlier_release_is_replaced_and_one_that_broke_off_leaves_it(tiny, tmp_path, monkeypatch):
    out = tmp_path / "out"
    build(tiny, out)
    (out / "stale").write_text("")

    def broken(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(release, "write_recordings", broken)
    with pytest.raises(KeyboardInterrupt):
        build(tiny, out)
    assert (out / "stale").exists()
    monkeypatch.undo()
    build(tiny, out)
    assert not (out / "stale").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_something_else_is_not_replaced(tiny, tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(UsageError) as refused:
        build(tiny, tmp_path)
    assert str(refused.value) == f"{tmp_path}: not empty, and not made by this command\n  fix: choose a new or empty folder with --out"


def test_a_release_of_a_release_is_refused(tiny, tmp_path):
    build(tiny, tmp_path / "out")
    with pytest.raises(UsageError) as refused:
        build(tmp_path / "out", tmp_path / "again")
    assert str(refused.value) == f"{tmp_path}/out: a student release, without solutions\n  fix: do this in a clone of the course"


def test_a_place_that_cannot_be_written_is_said(tiny):
    with pytest.raises(UsageError) as refused:
        build(tiny, release.Path("/proc/nowhere/out"))
    assert str(refused.value) == "/proc/nowhere/out: No such file or directory\n  fix: choose a folder that can be written with --out"


def test_what_python_leaves_behind_is_not_copied(tiny, tmp_path):
    shutil.copytree(tiny, tmp_path / "course", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "course" / "exercises" / "13_adding" / "__pycache__").mkdir()
    (tmp_path / "course" / "exercises" / "13_adding" / "answers.yaml").write_text("mine: 1")
    build(tmp_path / "course", tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").rglob("*")}
    assert not names & {"__pycache__", "answers.yaml"}


def test_a_release_holds_the_solutions_that_the_course_lets_students_see_as_text(tiny, tmp_path):
    """By default none; `course show-solution` shows what is there once the student's own passes."""
    shutil.copytree(tiny, tmp_path / "course")
    policy = tmp_path / "course" / "course.yaml"
    policy.write_text(policy.read_text().replace("  reveal: all\n", "  reveal: all\n  show_solutions: [sums]\n"))
    for course, expected in ((tiny, []), (tmp_path / "course", ["sums.solution.txt"])):
        build(course, tmp_path / "out")
        assert [path.name for path in (tmp_path / "out").rglob("*.solution.txt")] == expected
    lesson = read_course(tmp_path / "out").lessons[0]
    start(tmp_path / "work", tmp_path / "out", lesson)
    workspace = open_workspace(tmp_path / "work", tmp_path / "out")
    with State(workspace.hidden) as state:
        with pytest.raises(UsageError, match="the solution of sums is shown once its public checks have passed"):
            solution(workspace, state, "sums")
        state.add("check", "sums", passed=2, checks=2)
        answer = (tiny / "solutions" / "13_adding" / "sums.py").read_text()
        shown = solution(workspace, state, "sums")
    assert [line for line in shown.splitlines() if not line.startswith("#")] == answer.splitlines()
    assert "\n# " in shown
