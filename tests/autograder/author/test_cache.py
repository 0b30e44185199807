"""What takes long is answered from an earlier run, for as long as nothing that it was computed from has changed."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import autograder
from autograder.author import cache
from autograder.author.cache import graded_once
from autograder.author.lint import rules
from autograder.cli.main import main
from autograder.course.errors import Finding
from tests.autograder.author.test_lint import tiny

__all__ = ["tiny"]  # the fixture


def check_course_once(root, only=None, *, fresh=False):
    """As `course lint` calls it."""
    return cache.check_course_once(root, only, lambda: rules.check_course(root, only), fresh=fresh)

FOUND = [Finding(Path("lessons/13_adding/lesson.md"), 7, "β is wrong", "mend it", "text-computed"), Finding(Path("a"), None, "b", "c")]


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """The folder of what is remembered, empty at first."""
    monkeypatch.setattr(cache.platformdirs, "user_cache_path", lambda *_, **__: tmp_path / "kept")
    return tmp_path / "kept"


@pytest.fixture
def runs(kept, monkeypatch):
    """Each run of the rules, as (course, lesson)."""
    runs = []
    monkeypatch.setattr("autograder.author.lint.rules.check_course", lambda root, only: runs.append((root, only)) or FOUND)
    return runs


def test_a_second_run_gives_the_same_findings_and_runs_no_rule(tiny, runs):
    assert [check_course_once(tiny), check_course_once(tiny)] == [FOUND, FOUND]
    assert runs == [(tiny, None)]


def test_one_lesson_and_the_whole_course_are_remembered_apart(tiny, runs):
    for only in (None, "13_adding", None, "13_adding"):
        check_course_once(tiny, only)
    assert runs == [(tiny, None), (tiny, "13_adding")]


@pytest.mark.parametrize("file", ["course.yaml", "lessons/13_adding/lesson.md", "exercises/13_adding/sums.py", "solutions/13_adding/sums.py"])
def test_an_edited_file_of_the_course_runs_the_rules_again(tiny, runs, file):
    check_course_once(tiny)
    (tiny / file).write_text((tiny / file).read_text(encoding="utf-8") + "\n", encoding="utf-8")
    check_course_once(tiny)
    assert len(runs) == 2


@pytest.mark.parametrize("change", [lambda path: path.rename(path.with_name("other.md")), Path.unlink, lambda path: path.with_name("new.md").touch()], ids=["renamed", "removed", "added"])
def test_a_file_that_comes_goes_or_moves_runs_the_rules_again(tiny, runs, change):
    check_course_once(tiny)
    change(tiny / "lessons" / "13_adding" / "lesson.md")
    check_course_once(tiny)
    assert len(runs) == 2


def test_a_lesson_that_is_a_link_is_read_through_it(tiny, runs, tmp_path):
    lesson = tiny / "lessons" / "13_adding"
    lesson.rename(tmp_path / "elsewhere")
    lesson.symlink_to(tmp_path / "elsewhere")
    check_course_once(tiny)
    (tmp_path / "elsewhere" / "lesson.md").write_text("# Other\n")
    check_course_once(tiny)
    assert len(runs) == 2


def test_what_is_no_file_of_the_course_changes_nothing(tiny, runs):
    """Beside the course, compiled by Python, or a link to nothing, as an editor leaves one."""
    check_course_once(tiny)
    (tiny / "notes.txt").touch()
    (tiny / "solutions" / "sums.cpython-311.pyc").touch()
    (tiny / "solutions" / ".#sums.py").symlink_to("nobody@nowhere")
    check_course_once(tiny)
    assert len(runs) == 1


def test_the_engine_is_all_of_it():
    assert Path(autograder.__file__).parent == cache.ENGINE


def test_a_change_of_the_engine_runs_the_rules_again(tiny, runs, tmp_path, monkeypatch):
    engine = tmp_path / "engine"
    engine.mkdir()
    monkeypatch.setattr(cache, "ENGINE", engine)
    for text in ("one", "two", "two"):
        (engine / "rules.py").write_text(text)
        check_course_once(tiny)
    assert len(runs) == 2


@pytest.mark.parametrize("name", ["numpy", "torch", "markdown-it-py"])
def test_another_version_of_a_dependency_runs_the_rules_again(tiny, runs, monkeypatch, name):
    check_course_once(tiny)
    before = cache.version
    monkeypatch.setattr(cache, "version", lambda one: "0.0" if one == name else before(one))
    check_course_once(tiny)
    assert len(runs) == 2


def test_another_python_runs_the_rules_again(tiny, runs, monkeypatch):
    check_course_once(tiny)
    monkeypatch.setattr(cache.platform, "python_version", lambda: "4.0.0")
    check_course_once(tiny)
    assert len(runs) == 2


@pytest.mark.parametrize("damage", [b"", b"\xff", b"{}", b'{"key": 1, "result": []}', b'{"key": "a", "result": [{"path": 1}]}'])
def test_a_damaged_memory_is_ignored_and_replaced(tiny, runs, kept, damage):
    check_course_once(tiny)
    [path] = kept.iterdir()
    path.write_bytes(damage)
    assert [check_course_once(tiny), check_course_once(tiny)] == [FOUND, FOUND]
    assert len(runs) == 2


def test_where_nothing_can_be_remembered_the_rules_run_each_time(tiny, runs, kept):
    kept.write_text("no folder")
    assert [check_course_once(tiny), check_course_once(tiny)] == [FOUND, FOUND]
    assert len(runs) == 2


def test_no_cache_runs_the_rules_again(tiny, runs):
    for options in ([], ["--no-cache"], []):
        done = CliRunner().invoke(main, ["--course", str(tiny), "lint", *options])
        assert done.stdout.endswith("2 findings\n")
    assert len(runs) == 2


def test_what_fails_is_not_remembered(tiny, runs, kept, monkeypatch):
    monkeypatch.setattr("autograder.author.lint.rules.check_course", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        check_course_once(tiny)
    assert not kept.exists()


def test_an_answer_from_memory_imports_nothing_slow(tiny):
    """Neither the rules nor what they run on."""
    code = (
        "import sys; from pathlib import Path; from autograder.author import cache\n"
        "cache._read = lambda *_: cache.Kept(cache._key(cache._contents(Path(sys.argv[1]), cache.CONTENT)), [])\n"
        "from autograder.cli.main import main\n"
        "main(['--course', sys.argv[1], 'lint'], standalone_mode=False)\n"
        "print({'torch', 'numpy', 'autograder.author.lint.rules'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tiny)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("No findings.\nset()\n", "")


def test_equal_files_give_an_equal_result_wherever_they_are(kept, tmp_path):
    """So that a copy of a course does not compute it again."""
    made = []
    for course, text in (("one", "a"), ("copy", "a"), ("other", "b")):
        (tmp_path / course).mkdir()
        (tmp_path / course / "file.py").write_text(text)
        made.append(graded_once("results", [tmp_path / course / "file.py"], tmp_path / course, str, lambda course=course: course))
    assert made == ["one", "one", "other"]


def test_the_oldest_results_go(kept, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "MOST", 2)
    for text in "abc":
        (tmp_path / "file.py").write_text(text)
        graded_once("results", [tmp_path / "file.py"], tmp_path, str, lambda: "made")
    assert len(list(kept.iterdir())) == 2
