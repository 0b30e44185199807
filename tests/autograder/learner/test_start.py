"""A workspace is filled, completed and put back, and never loses what somebody wrote."""

import re

import pytest

from autograder.course.answers import Names, read_answers
from autograder.course.errors import UsageError
from autograder.course.loading import read_course
from autograder.course.student_files import exercises_of
from autograder.learner.files import file_of
from autograder.learner.start import refuse_crowded, reset, start
from autograder.learner.workspace import course_of, open_workspace


def test_start_gives_every_file_that_is_to_be_written(workspace, lesson):
    """Each exercise and the practice questions have their file, byte for byte the starter."""
    assert all(file_of(workspace, exercise) for exercise in exercises_of(lesson))
    for exercise in lesson.exercises:
        assert (workspace.folder / exercise.starter.name).read_bytes() == exercise.starter.read_bytes()


def test_the_readme_is_short_and_names_every_way_to_work(workspace):
    lines = (workspace.folder / "README.md").read_text().splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    assert all(way in "\n".join(lines) for way in ("--watch", "12_diffusion.ipynb", "Colab", "course use notebook", "course serve"))


def test_the_empty_answers_have_a_place_for_each_question_and_answer_none(workspace, lesson):
    answers = read_answers((workspace.folder / "answers.yaml").read_bytes(), Names()).given
    assert list(answers) == [question.id for question in lesson.questions]
    leaves = [leaf for value in answers.values() for leaf in (value.values() if isinstance(value, dict) else [value])]
    assert set(leaves) == {None}


def test_nothing_of_a_solution_is_in_a_workspace(workspace, root):
    """No file of solutions/ is there, nor any line of an answer that the starters do not have themselves."""
    texts = "".join(path.read_text() for path in workspace.folder.glob("[!.]*.*") if path.suffix != ".ipynb")
    for path in (root / "solutions" / workspace.lesson.id).glob("*.py"):
        assert path.read_text() not in texts
        returned = [line.strip() for line in path.read_text().splitlines() if line.strip().startswith("return ") and len(line) > 20]
        assert [line for line in returned if line in texts] == []


def test_starting_again_overwrites_nothing_and_puts_back_what_is_missing(workspace, root, lesson):
    (workspace.folder / "forward.py").write_text("my work")
    (workspace.folder / "loss.py").unlink()
    again = start(workspace.folder, root, lesson)
    assert again.made == ("loss.py",)
    assert "forward.py" in again.kept
    assert (workspace.folder / "forward.py").read_text() == "my work"


def test_reset_puts_a_starter_back_and_keeps_a_copy_of_every_version(workspace, lesson):
    path = workspace.folder / "forward.py"
    kept = []
    for text in ("first", "second"):
        path.write_text(text)
        kept.append(reset(workspace, "forward.py"))
        assert path.read_bytes() == lesson.exercises[[e.id for e in lesson.exercises].index("forward")].starter.read_bytes()
    assert [one.read_text() for one in kept] == ["first", "second"]


def test_reset_of_what_is_as_it_was_given_keeps_no_copy(workspace):
    assert reset(workspace, "forward.py") is None


def test_reset_gives_a_file_back_that_was_deleted(workspace):
    (workspace.folder / "answers.yaml").unlink()
    assert reset(workspace, "answers.yaml") is None
    assert (workspace.folder / "answers.yaml").is_file()


def test_a_workspace_is_found_from_a_folder_below(workspace, root):
    below = workspace.folder / "notes"
    below.mkdir()
    assert open_workspace(below, root).folder == workspace.folder
    assert course_of(below) == root


def test_a_course_that_moved_is_replaced_by_the_one_this_code_came_with(workspace, root):
    origin = workspace.hidden / "course.json"
    origin.write_text(re.sub(r'"course": ".*?"', '"course": "/gone"', origin.read_text()))
    assert (course_of(workspace.folder) / "course.yaml").is_file()


def told(act):
    with pytest.raises(UsageError) as error:
        act()
    return str(error.value)


def test_a_folder_that_is_no_workspace_is_told(tmp_path, root):
    assert told(lambda: open_workspace(tmp_path, root)) == (
        f"{tmp_path}: this is not a workspace, and no folder above is\n"
        "  fix: go into the folder that `course start` made, or make one: `course start my-course`"
    )


def test_the_courses_own_folder_is_no_workspace(root, lesson):
    assert told(lambda: start(root, root, lesson)) == (
        f"{root}: this is the course's own folder\n  fix: create the workspace elsewhere: `course start ../my-course`"
    )


def test_a_crowded_folder_that_nobody_named_is_left_alone(tmp_path, lesson):
    (tmp_path / "thesis.tex").touch()
    assert told(lambda: refuse_crowded(tmp_path, lesson)) == (
        f"{tmp_path}: this folder is not empty (thesis.tex is there)\n  fix: use an empty folder: `course start diffusion`"
    )


def test_a_place_that_cannot_be_written_is_told(tmp_path, root, lesson):
    (tmp_path / "file").touch()
    assert told(lambda: start(tmp_path / "file" / "w", root, lesson)) == (
        f"{tmp_path}/file/w: Not a directory\n  fix: choose a folder that you may write to, like `course start ~/my-course`"
    )


def test_a_read_only_disk_is_told_and_the_file_stays(workspace, monkeypatch):
    """Whoever runs the tests may be root, for whom no folder is read-only, so the disk's answer is put in its place."""
    from pathlib import Path

    path = workspace.folder / "forward.py"
    path.write_text("my work")

    def refuse(*args):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "replace", refuse)
    words = told(lambda: reset(workspace, "forward.py"))
    assert words == f"{path}: Read-only file system\n  fix: make the folder writable; the file is unchanged"
    assert path.read_text() == "my work"


def test_a_damaged_origin_is_told(workspace, root):
    path = workspace.hidden / "course.json"
    path.write_text("{")
    assert told(lambda: open_workspace(workspace.folder, root)) == (
        f"{path}: damaged\n  fix: remove this file and run `course start .` in {workspace.folder}: it is written anew, and your work stays"
    )


def test_a_lesson_that_the_course_no_longer_has_is_told(workspace, root):
    path = workspace.hidden / "course.json"
    path.write_text(path.read_text().replace("12_diffusion", "99_gone"))
    assert told(lambda: open_workspace(workspace.folder, root)) == (
        f"{root}: the course has no lesson 99_gone any more\n  fix: it has: {', '.join(one.id for one in read_course(root).lessons)}"
    )


def test_only_given_files_can_be_reset(workspace):
    words = told(lambda: reset(workspace, "notes.txt"))
    assert words == f"notes.txt: not one of the files that `course start` creates\n  fix: take one of {', '.join(workspace.given)}"
