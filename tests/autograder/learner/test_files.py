"""Which file counts for an exercise, and which exercises a file named on the command line is checked for: that file, and no other."""

import json

import pytest
from msgspec.structs import replace

from autograder.course.errors import UsageError
from autograder.course.student_files import exercises_of, names_of
from autograder.learner.files import file_of, held, named, rivalries

STUB = 'raise NotImplementedError("forward_step")'
WRITTEN = "def forward_step(x_prev, beta, eps):\n    return x_prev\n"


@pytest.fixture(autouse=True)
def _inside(workspace, monkeypatch):
    monkeypatch.chdir(workspace.folder)


@pytest.fixture
def name(workspace):
    """Name a file as on the command line; gives the exercises and the files to check."""
    return lambda word, **more: named(workspace, word, held(workspace), **more)


@pytest.fixture
def book(workspace):
    """Write the lesson's notebook, with its code cells changed by a function, under a name; with `bare`, without metadata."""
    path = workspace.folder / "12_diffusion.ipynb"
    given = json.loads(path.read_text(encoding="utf-8"))

    def book(change, to="12_diffusion.ipynb", *, bare=False):
        codes = {"".join(cell["source"]): cell["metadata"] for cell in given["cells"] if cell["cell_type"] == "code"}
        cells = [{"cell_type": "code", "source": code, "metadata": {} if bare else codes.get(code, {})} for code in change(list(codes))]
        (workspace.folder / to).write_text(json.dumps({"cells": cells}))

    return book


def written(codes):
    return [code.replace(STUB, "return x_prev") for code in codes]


def above(codes):
    return [WRITTEN, *codes]


def deleted(codes):
    return [code for code in codes if STUB not in code]


def scratch(codes):
    return [*codes, "x = 1"]


def told(act):
    with pytest.raises(UsageError) as error:
        act()
    return str(error.value)


def test_a_path_is_that_file_wherever_it_lies(workspace, name, tmp_path):
    """Not the one of the same name in the workspace."""
    for folder in (workspace.folder / "sub", tmp_path / "elsewhere"):
        folder.mkdir()
        (folder / "forward.py").write_text("x = 1")
        assert [(one.exercise, one.path) for one in name(str(folder / "forward.py"))] == [("forward", folder / "forward.py")]
    assert name("sub/forward.py")[0].path == workspace.folder / "sub" / "forward.py"


@pytest.mark.parametrize("copy", ["forward (1).py", "Copy of forward.py", "forward.py.txt", "my_forward.py", "hw1.py"])
def test_a_copy_under_another_name_is_checked_for_what_it_is(workspace, name, copy):
    (workspace.folder / "sub").mkdir()
    (workspace.folder / "sub" / copy).write_text((workspace.folder / "forward.py").read_text().replace(STUB, "return x_prev"))
    assert [(one.exercise, one.path.name) for one in name(f"sub/{copy}")] == [("forward", copy)]


ONE_LINE = "def forward_step(x_prev, beta, eps): return x_prev  # in a line"


@pytest.mark.parametrize(("to", "source"), [
    ("my forward.py", ONE_LINE),
    ("mine.ipynb", json.dumps({"cells": [{"cell_type": "code", "source": ONE_LINE}]})),
    ("forward (1).py", "\ufeff" + ONE_LINE),
    ("my forward.py", ONE_LINE + "\r\n"),
])  # fmt: skip
def test_a_function_in_one_line_is_work(workspace, name, to, source):
    (workspace.folder / to).write_text(source, encoding="utf-8", newline="")
    assert [(one.exercise, one.path.name) for one in name(to)] == [("forward", to)]


@pytest.mark.parametrize("body", ["pass", "...", "return None", 'raise NotImplementedError("forward_step")'])
def test_a_function_in_one_line_that_does_nothing_is_none(workspace, name, body):
    (workspace.folder / "my forward.py").write_text(f"def forward_step(x_prev, beta, eps): {body}\n")
    assert told(lambda: name("my forward.py")).startswith("my forward.py: what you wrote is in no function of an exercise\n")


@pytest.mark.parametrize(("to", "source"), [("new.py", ""), ("new.ipynb", ""), ("new.ipynb", "{}"), ("new.ipynb", "null"), ("new.py", "  \n")])
def test_a_file_without_code_is_told_as_that(workspace, name, to, source):
    (workspace.folder / to).write_text(source)
    assert told(lambda: name(to)) == f"{to}: there is no code in it\n  fix: write it, and save the file in your editor or in Jupyter (Ctrl+S)"


@pytest.mark.parametrize("to", ["12_diffusion.ipynb", "12_diffusion (1).ipynb", "12_diffusion-Copy1.ipynb", "Ada_12_diffusion.ipynb"])
@pytest.mark.parametrize("change", [written, above, deleted])
def test_a_copy_of_the_notebook_is_checked_for_what_was_done_in_it(name, book, change, to):
    """A function was written, or written above the starter's cell, or that cell was deleted: something is in it."""
    book(change, to)
    assert [(one.exercise, one.path.name) for one in name(to)] == [("forward", to)]


def test_a_notebook_without_metadata_is_checked_for_what_was_done_in_it(name, book):
    """Its locked cells are not known as such any more, and what stands in their texts is nobody's work."""
    book(written, bare=True)
    assert [one.exercise for one in name("12_diffusion.ipynb")] == ["forward"]


def test_a_notebook_is_checked_although_the_file_counts(workspace, name, book):
    book(written)
    (workspace.folder / "forward.py").write_text(WRITTEN)
    assert file_of(workspace, "forward").name == "forward.py"
    assert [(one.exercise, one.path.name) for one in name("12_diffusion.ipynb")] == [("forward", "12_diffusion.ipynb")]


@pytest.mark.parametrize(("change", "said"), [
    (list, "nothing is written in it yet, or it is not saved\n"
           "  fix: write in it, and save it in Jupyter (Ctrl+S): the file on disk is still the one that `course start` made"),
    (scratch, "what you wrote is in no function of an exercise\n  fix: write it into one of the starter's functions, like `cosine_betas`"),
], ids=["saved again", "a cell of one's own"])  # fmt: skip
def test_a_notebook_in_which_no_exercise_is_begun_is_told_by_what_is_in_it(workspace, name, book, change, said):
    book(change)
    assert told(lambda: name("12_diffusion.ipynb")) == f"12_diffusion.ipynb: {said}"
    assert {one.exercise for one in name("12_diffusion.ipynb", unwritten=True)} == {one.id for one in workspace.lesson.exercises}


def test_an_id_means_the_file_that_counts(workspace, name, book):
    """Work before a starter, whatever its file is called; a file before a notebook, unless the student or the course says otherwise."""
    assert name("forward")[0].path.name == "forward.py"
    book(written)
    assert name("forward")[0].path.name == "12_diffusion.ipynb"
    (workspace.folder / "forward.py").write_text(WRITTEN)
    assert name("forward")[0].path.name == "forward.py"
    assert file_of(replace(workspace, prefer="notebook"), "forward").name == "12_diffusion.ipynb"
    assert file_of(workspace, "schedule").name == "schedule.py"


def test_where_notebook_and_file_hold_work_it_is_said_once_with_what_counts(workspace, book):
    book(lambda codes: [code.replace("raise NotImplementedError", "return print") for code in codes])
    for exercise, code in (("forward", WRITTEN), ("loss", "x = 1")):
        (workspace.folder / f"{exercise}.py").write_text(code)
    assert rivalries(held(workspace)) == [
        "`forward.py` and `12_diffusion.ipynb` both hold work for forward: `forward.py` counts. To change that: `course use notebook`.",
        "`loss.py` and `12_diffusion.ipynb` both hold work for loss: `loss.py` counts. To change that: `course use notebook`.",
    ]
    assert rivalries(held(replace(workspace, prefer="notebook")))[0] == (
        "`12_diffusion.ipynb` and `forward.py` both hold work for forward: `12_diffusion.ipynb` counts. To change that: `course use files`."
    )


def test_of_two_equally_good_files_none_counts(workspace, name):
    for number in (1, 2):
        (workspace.folder / f"forward ({number}).py").write_text(f"x = {number}")
    assert rivalries(held(workspace)) == ["`forward (1).py` and `forward (2).py` both hold work for forward: none of them counts, so keep only one."]
    assert told(lambda: name("forward")) == (
        "forward (1).py and forward (2).py both hold work for forward: none of them counts, so keep only one\n"
        '  fix: or check one of them: `course check "forward (1).py"`'
    )


@pytest.mark.parametrize(("word", "words"), [
    ("forwrad.py", "forwrad.py: no exercise has a file of this name\n  fix: did you mean `forward.py`? Files keep the names that `course start` gave them"),
    ("forward2.py", "forward2.py: no exercise has a file of this name\n  fix: did you mean `forward.py`? Files keep the names that `course start` gave them"),
    ("FORWARD.PY", "FORWARD.PY: no exercise has a file of this name\n  fix: did you mean `forward.py`? Files keep the names that `course start` gave them"),
    ("sub/nosuch.py", "sub/nosuch.py: no exercise has a file of this name\n  fix: take one of {all}"),
    ("anwsers.yml", "anwsers.yml: no exercise has a file of this name\n  fix: did you mean `answers.yaml`? Files keep the names that `course start` gave them"),
    ("props.py", "props.py: no exercise has a file of this name\n  fix: take one of {all}"),
    ("nosuch/forward.py", "forward.py is not in nosuch\n  fix: `course check forward` checks `forward.py` in {folder}"),
    ("forward.ipynb", "forward.ipynb is not in {folder}\n  fix: `course check forward` checks `forward.py` in {folder}"),
    (".", ".: this is a folder\n  fix: name a file in it, or none to check every file that you have started"),
])  # fmt: skip
def test_what_is_no_file_of_an_exercise_is_told(workspace, name, word, words):
    every = ", ".join(names_of(exercise)[0] for exercise in exercises_of(workspace.lesson))
    assert told(lambda: name(word)) == words.format(all=every, folder=workspace.folder)


def test_a_file_that_cannot_be_read_is_told(workspace, name, monkeypatch):
    """Root may read everything, so the disk's answer is put in its place."""
    found = held(workspace)

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    monkeypatch.setattr("autograder.learner.files.read_handout", lambda *_: None)
    assert told(lambda: named(workspace, "forward.py", found)) == "forward.py: Permission denied\n  fix: make it readable for you"


@pytest.mark.parametrize("stray", ["forward (1).py", "my_forward.py", "forwad.py"])
def test_a_starter_that_was_renamed_is_found(workspace, name, stray):
    (workspace.folder / "forward.py").rename(workspace.folder / stray)
    assert told(lambda: name("forward.py")) == (
        f"forward.py is not in {workspace.folder}\n"
        f"  fix: rename `{stray}` to `forward.py`, if that is it; `course reset forward.py` puts the starter back"
    )


def test_a_file_that_is_gone_is_told(workspace, name):
    (workspace.folder / "forward.py").unlink()
    for word in ("forward.py", "forward"):
        assert told(lambda word=word: name(word)) == f"forward.py is not in {workspace.folder}\n  fix: `course reset forward.py` puts the starter back"


def test_a_damaged_notebook_is_checked_once_for_what_is_wrong_with_it(workspace, name):
    (workspace.folder / "12_diffusion.ipynb").write_text('{"cells": [')
    assert [one.exercise for one in name("12_diffusion.ipynb")] == [workspace.lesson.exercises[0].id]
