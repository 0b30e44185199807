"""Folders of submissions: what is taken, what is not, and the words for each."""

import hashlib
import json
import os

import pytest

from autograder.course.errors import UsageError
from autograder.instructor.file_tree import Folder, Unreadable, text_of
from autograder.instructor.intake import open_class

from .handouts import HANDOUT

LESSON = "12_diffusion"


def taken(folder, *exercises):
    """Read the submissions of one student's folder in its class."""
    opened = open_class(folder.parent, LESSON)
    assert opened.kind == "folder"
    return [one for one in opened.submissions(HANDOUT, list(exercises or ("forward",)), every=False) if one.student == text_of(folder.name)]


def students(root):
    return [student.name for student in open_class(root, LESSON).students]


@pytest.fixture
def student(tmp_path):
    folder = tmp_path / "Zoë Ångström"
    folder.mkdir()
    return folder


def test_a_file_is_taken_with_its_hash(student):
    (student / "forward.py").write_bytes(b"x = 1\n")
    (one,) = taken(student)
    assert (one.student, one.name, one.source, one.status) == ("Zoë Ångström", "forward.py", b"x = 1\n", "present")
    assert one.sha256 == hashlib.sha256(b"x = 1\n").hexdigest()


def test_the_lessons_folder_comes_before_the_students_own(student):
    (student / "forward.py").write_text("old = 1")
    (student / "12_diffusion").mkdir()
    (student / "12_diffusion" / "forward.py").write_text("new = 1")
    assert taken(student)[0].source == b"new = 1"


def test_a_notebook_is_taken_where_there_is_no_file(student):
    (student / "forward.ipynb").write_text("{}")
    assert taken(student)[0].name == "forward.ipynb"


def test_answers_are_the_exercise_practice(student):
    (student / "answers.yaml").write_text("fresh-step: 0.790")
    assert taken(student, "practice")[0].name == "answers.yaml"


def test_what_is_missing_is_said(student):
    (one,) = taken(student)
    assert (one.status, one.problem, one.source) == ("missing", "no forward.py or forward.ipynb", None)


@pytest.mark.parametrize("name", ["Forward.py", "forward (1).py", "FORWARD(2).PY"])
def test_a_file_that_is_almost_named_right_is_taken_with_a_line(student, name):
    (student / name).write_text("x = 1")
    opened = open_class(student.parent, LESSON)
    (one,) = opened.submissions(HANDOUT, ["forward"], every=False)
    assert (one.name, one.source) == ("forward.py", b"x = 1")
    assert opened.notes == [f"Zoë Ångström: `{name}` is used as forward.py"]


def test_of_two_files_that_are_almost_named_right_none_is_taken(student):
    (student / "Forward.py").write_text("x = 1")
    (student / "forward (1).py").write_text("x = 2")
    assert taken(student)[0].status == "unrecognised"


def link(path):
    path.symlink_to("/etc/passwd")


def fifo(path):
    os.mkfifo(path)


UNREADABLE = {
    "a link": (link, "forward.py is a link, which is not followed"),
    "a pipe that never answers": (fifo, "forward.py is not a file"),
    "a folder": (os.mkdir, "forward.py is not a file"),
    "not text": (lambda path: path.write_bytes(b"\xff\xfex = 1"), "forward.py is not text in UTF-8"),
    "zero bytes": (lambda path: path.write_bytes(b"x \0 = 1"), "forward.py is not text: it contains zero bytes"),
    "seven megabytes": (lambda path: path.write_bytes(b"#" * (7 << 20)), "forward.py is larger than 6 MiB: clear the notebook's outputs, leave data out"),
}


@pytest.mark.parametrize(("make", "problem"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_is_a_submission_with_the_reason(student, make, problem):
    make(student / "forward.py")
    (one,) = taken(student)
    assert (one.status, one.problem, one.source) == ("unreadable", problem, None)


def test_of_a_large_notebook_the_code_is_taken_whatever_its_size(student):
    """Its hash is the whole file's."""
    cells = [{"cell_type": "code", "source": "def alpha_bars(betas): return 1", "outputs": ["x" * (30 << 20)]}, {"cell_type": "markdown"}]
    whole = json.dumps({"cells": cells}).encode()
    (student / "forward.ipynb").write_bytes(whole)
    (one,) = taken(student)
    assert (one.status, one.sha256) == ("present", hashlib.sha256(whole).hexdigest())
    assert json.loads(one.source)["cells"] == [{"cell_type": "code", "source": cells[0]["source"]}]


def test_a_notebook_with_too_much_code_is_told(student):
    (student / "forward.ipynb").write_text(json.dumps({"cells": [{"cell_type": "code", "source": "#" * (7 << 20)}]}))
    assert taken(student)[0].problem == "forward.ipynb is larger than 6 MiB: clear the notebook's outputs, leave data out"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_file_in_another_encoding_is_taken_as_it_is(student, encoding):
    (student / "forward.py").write_text("x = 'é'  # ü\n", encoding=encoding)
    (one,) = taken(student)
    assert (one.status, one.source) == ("present", "x = 'é'  # ü\n".encode(encoding))


def test_a_student_folder_that_is_a_link_is_not_followed(tmp_path, student):
    (student / "forward.py").write_text("x = 1")
    (tmp_path / "Eve").symlink_to(student)
    assert students(tmp_path) == ["Eve", "Zoë Ångström"]
    assert taken(tmp_path / "Eve")[0].problem == "the student's folder is a link, which is not followed"


def test_a_lesson_folder_that_is_a_link_is_not_followed(student, tmp_path):
    (student / "12_diffusion").symlink_to(tmp_path)
    assert taken(student)[0].problem == "the folder 12_diffusion is a link, which is not followed"


SWAPPED = {  # what takes the place of a path -> what is said of it
    "a link for the file": ("Ada/12_diffusion/forward.py", lambda path, secret: path.symlink_to(secret / "forward.py"), "forward.py cannot be read: Too many levels of symbolic links"),
    "a pipe for the file": ("Ada/12_diffusion/forward.py", lambda path, secret: os.mkfifo(path), "forward.py is not a file"),
    "a folder for the file": ("Ada/12_diffusion/forward.py", lambda path, secret: path.mkdir(), "forward.py is not a file"),
    "a larger file": ("Ada/12_diffusion/forward.py", lambda path, secret: path.write_bytes(b"#" * (7 << 20)), "forward.py is larger than 6 MiB: clear the notebook's outputs, leave data out"),
    "a link for the lesson's folder": ("Ada/12_diffusion", lambda path, secret: path.symlink_to(secret), "forward.py cannot be read: Not a directory"),
    "a link for the student's folder": ("Ada", lambda path, secret: path.symlink_to(secret.parent), "forward.py cannot be read: Not a directory"),
    "nothing": ("Ada", lambda path, secret: None, "forward.py cannot be read: No such file or directory"),
}


@pytest.mark.parametrize(("swapped", "make", "problem"), SWAPPED.values(), ids=SWAPPED)
def test_what_takes_a_files_place_between_two_looks_is_not_read(tmp_path, monkeypatch, swapped, make, problem):
    """A student who can write to the folder may exchange it at any moment: also after we saw that it is a file."""
    own, secret = tmp_path / "class" / "Ada" / "12_diffusion", tmp_path / "secret" / "12_diffusion"
    for folder in (own, secret):
        folder.mkdir(parents=True)
        (folder / "forward.py").write_text(str(folder))
    tree, looked = Folder(tmp_path / "class"), Folder.kind

    def swap(self, path):
        found = looked(self, path)
        (tmp_path / "class" / swapped).rename(tmp_path / "away")
        make(tmp_path / "class" / swapped, secret)
        return found

    monkeypatch.setattr(Folder, "kind", swap)
    with pytest.raises(Unreadable) as refused:
        tree.read("Ada/12_diffusion/forward.py")
    assert str(refused.value).endswith(problem)


@pytest.mark.parametrize("link", ["Ada", "Ada/12_diffusion", "Ada/12_diffusion/forward.py"])
def test_nothing_is_seen_through_a_link(tmp_path, link):
    own, secret = tmp_path / "class" / "Ada" / "12_diffusion", tmp_path / "secret" / "Ada" / "12_diffusion"
    for folder in (own, secret):
        folder.mkdir(parents=True)
        (folder / "forward.py").write_text("")
    (tmp_path / "class" / link).rename(tmp_path / "away")
    (tmp_path / "class" / link).symlink_to(tmp_path / "secret" / link)
    tree = Folder(tmp_path / "class")
    assert tree.kind(link) == "link"
    below = [path for path in ("Ada/12_diffusion", "Ada/12_diffusion/forward.py") if path.startswith(f"{link}/")]
    assert [tree.kind(path) for path in below] == ["none"] * len(below)
    assert [tree.time(path) for path in below] == [0.0] * len(below)
    assert tree.names("Ada/12_diffusion") == (["forward.py"] if link.endswith(".py") else [])
    with pytest.raises(Unreadable):
        tree.read("Ada/12_diffusion/forward.py")


def test_reading_leaves_no_file_open(student):
    (student / "forward.py").write_text("x = 1")
    before = os.listdir("/proc/self/fd")
    tree = Folder(student.parent)
    for _ in range(3):
        tree.read(f"{student.name}/forward.py")
        tree.names(f"{student.name}/nowhere")
        tree.kind(f"{student.name}/forward.py/below")
    assert os.listdir("/proc/self/fd") == before


def test_other_encodings_that_say_so_are_read(student):
    (student / "forward.py").write_bytes("# coding: latin-1\nx = 'é'\n".encode("latin-1"))
    assert taken(student)[0].status == "present"


NAMES = {"accents are composed": ("Zoe\u0308", "Zoë"), "control characters go": ("a\x1b[31mb\n", "a�[31mb�"), "spaces stay": ("Li Wei", "Li Wei")}


@pytest.mark.parametrize(("folder", "name"), NAMES.values(), ids=NAMES.keys())
def test_names_are_text_that_every_export_can_write(tmp_path, folder, name):
    (tmp_path / folder).mkdir()
    assert students(tmp_path) == [name]


def test_a_name_that_is_not_text_becomes_text(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9")).mkdir()
    assert students(tmp_path) == ["caf�"]


def test_two_folders_are_two_students_even_when_their_names_read_the_same(tmp_path):
    (tmp_path / "Zo\u00eb").mkdir()
    (tmp_path / "Zoe\u0308").mkdir()
    first, second = students(tmp_path)
    assert first == "Zoë"
    assert second.startswith("Zoë (")


def test_files_beside_the_students_are_left_alone(tmp_path, student):
    (tmp_path / "roster.csv").write_text("x")
    (tmp_path / ".git").mkdir()
    assert students(tmp_path) == [student.name]


def test_a_hidden_folder_is_told(tmp_path, student):
    (tmp_path / ".Bo Byte").mkdir()
    opened = open_class(tmp_path, LESSON)
    assert [one.name for one in opened.students] == [student.name]
    assert opened.notes == ["`.Bo Byte` is hidden, so it is no student's folder: take the dot off if it is"]


EMPTY = {
    "missing": (lambda path: None, "{path}: no such folder or zip\n  fix: give the folder that holds one folder for each student, or a platform's zip"),
    "empty": (os.mkdir, "{path}: no student's folder in it\n  fix: put each student's files into a folder named after the student"),
    "a file": (lambda path: path.write_text(""), "{path}: neither a folder nor an intact zip\n  fix: download it again, or unpack it and give the folder"),
}


@pytest.mark.parametrize(("make", "message"), EMPTY.values(), ids=EMPTY.keys())
def test_a_class_that_is_not_there_is_refused_in_full(tmp_path, make, message):
    path = tmp_path / "class"
    make(path)
    with pytest.raises(UsageError) as caught:
        students(path)
    assert str(caught.value) == message.format(path=path)
