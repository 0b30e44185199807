"""Nothing that was handed in is silent: work is taken under whatever name and wherever it lies, or listed with the reason."""

import bz2
import gzip
import json
import lzma
import os
import zipfile

import pytest

from autograder.course.model import Unused
from autograder.course.student_files import Candidate, Fit, choose
from autograder.instructor.intake import open_class
from autograder.instructor.uploads import MOST_FILES

from .handouts import GIVEN, HANDOUT, LESSON
from .packing import packed, sevened, tarred

RIGHT = "def forward_step(x_prev, beta, eps):\n    return (1 - beta) ** 0.5 * x_prev + beta ** 0.5 * eps\n"
OTHER = RIGHT.replace("0.5 * x_prev", ".5 * x_prev")
DDPM = "def posterior(x):\n    return x\n"
STARTER = GIVEN["forward.py"].decode()
ANSWERS = "fresh-step: 0.790\n"
THEMSELVES = "hand in the .py or .ipynb file itself"


def notebook(*codes, form=4):
    cells = [{"cell_type": "code", "source": code.splitlines(keepends=True), "outputs": [], "metadata": {}} for code in codes]
    if form == 3:
        old = [{"cell_type": "code", "input": code.splitlines(keepends=True), "outputs": []} for code in codes]
        return json.dumps({"nbformat": 3, "worksheets": [{"cells": old}]})
    return json.dumps({"nbformat": 4, "cells": cells, "metadata": {}})


def handed_in(tmp_path, files, exercises=("forward", "practice"), **options):
    """Hand in files as one student; return the submissions by exercise, and the notes."""
    folder = tmp_path / "class" / "Ada"
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    opened = open_class(tmp_path / "class", LESSON.id)
    found = {one.exercise: one for one in opened.submissions(HANDOUT, list(exercises), every=False, **options)}
    return found, [note.removeprefix("Ada: ") for note in opened.notes]


# ---- names

AS_FORWARD = [
    "forward (1).py", "forward(2).py", "forward-2.py", "forward_2.py", "forward_v2.py", "forward-v3.py", "forward v2.py", "Forward.PY", "FORWARD.py",
    "forward.py ", " forward.py", "forward.py.txt", "forward.txt", "forward", "forward.py.py", "forward.py.bak", "hw1_forward.py", "forward_jane_doe.py",
    "jane-forward-final.py", "forward+(1).py", "forward-Copy1.py", "forward - Copy.py", "forward copy 2.py", "Copy of forward.py", "forward_final.py",
    "forward - Kopie (2).py", "forward (final).py", "forwardFinal2.py", "12_forward.py", "main.py", "solution.py", "test.py", "my work.py", "hw.txt", "code",
    ".forward.py",
]  # fmt: skip


@pytest.mark.parametrize("name", AS_FORWARD)
def test_work_is_taken_under_whatever_name_with_a_note(tmp_path, name):
    found, notes = handed_in(tmp_path, {name: RIGHT})
    assert (found["forward"].status, found["forward"].name, found["forward"].source) == ("present", "forward.py", RIGHT.encode())
    assert (found["forward"].handed_in.name, notes) == (name.strip(), [f"`{name.strip()}` is used as forward.py"])
    assert found["practice"].status == "missing"


NOTEBOOKS = {
    "forward-Copy1.ipynb": "forward.ipynb", "forward (1).ipynb": "forward.ipynb", "Untitled.ipynb": "forward.ipynb", "Untitled1.ipynb": "forward.ipynb",
    "forward.ipynb.json": "forward.ipynb", "forward.ipynb.txt": "forward.ipynb", "forward.json": "forward.ipynb", "hw1.ipynb": "forward.ipynb",
    "12_diffusion-Jane.ipynb": "12_diffusion.ipynb", "NoFay_12_diffusion.ipynb": "12_diffusion.ipynb", "Copy of 12_diffusion.ipynb": "12_diffusion.ipynb",
    "12_diffusion (3).ipynb": "12_diffusion.ipynb", "12_Diffusion.ipynb": "12_diffusion.ipynb", "12_diffusion.json": "12_diffusion.ipynb",
}  # fmt: skip


@pytest.mark.parametrize("form", [3, 4])
@pytest.mark.parametrize(("name", "used"), NOTEBOOKS.items())
def test_a_notebook_is_taken_under_whatever_name_with_a_note(tmp_path, name, used, form):
    found, notes = handed_in(tmp_path, {name: notebook("import numpy as np", RIGHT, form=form)})
    assert (found["forward"].status, found["forward"].name) == ("present", used)
    assert notes == [f"`{name}` is used as {used}"]


def test_what_a_file_holds_counts_and_not_its_ending(tmp_path):
    """A notebook that was saved as .py, and code that was saved as .ipynb."""
    found, notes = handed_in(tmp_path, {"forward.py": notebook("import numpy as np", RIGHT), "ddpm.ipynb": DDPM}, ["forward", "ddpm"])
    assert [(one.status, one.name) for one in found.values()] == [("present", "forward.ipynb"), ("present", "ddpm.py")]
    assert notes == ["`forward.py` is used as forward.ipynb", "`ddpm.ipynb` is used as ddpm.py"]


def test_a_notebook_that_is_cut_short_is_no_code(tmp_path):
    found, _ = handed_in(tmp_path, {"forward.ipynb": notebook("import numpy as np", RIGHT)[:-40]})
    assert found["forward"].name == "forward.ipynb"


@pytest.mark.parametrize("name", ["answers.yml", "answers.yaml.txt", "Answers.YAML", "answers (1).yaml", "answers.txt", "jane_answers.yaml", "my.yaml", "practice.txt", "answers.md", "answers.json"])
def test_answers_are_taken_under_whatever_name(tmp_path, name):
    found, notes = handed_in(tmp_path, {name: '{"fresh-step": 0.79}' if name.endswith("json") else ANSWERS})
    assert (found["practice"].status, found["practice"].name, found["forward"].status) == ("present", "answers.yaml", "missing")
    assert notes == [f"`{name}` is used as answers.yaml"]


def test_one_file_with_several_exercises_is_taken_for_each(tmp_path):
    found, notes = handed_in(tmp_path, {"all.py": RIGHT + DDPM}, ["forward", "ddpm", "ddim"])
    assert [one.status for one in found.values()] == ["present", "present", "missing"]
    assert notes == ["`all.py` is used as forward.py, ddpm.py"]


def test_a_file_of_one_exercise_that_copies_a_function_of_another_is_not_taken_for_that(tmp_path):
    found, _ = handed_in(tmp_path, {"ddpm.py": DDPM + "def alpha_bars(betas):\n    return betas\n"}, ["forward", "ddpm"])
    assert {name: one.status for name, one in found.items()} == {"forward": "missing", "ddpm": "present"}


@pytest.mark.parametrize("name", ["test_forward.py", "forward_plot.py", "plots.py"])
def test_a_name_that_only_contains_the_word_needs_the_functions(tmp_path, name):
    found, notes = handed_in(tmp_path, {name: "import forward\nprint(forward)\n"})
    assert (found["forward"].status, found["practice"].status) == ("unrecognised", "unrecognised")
    assert notes == [f"`{name}` was not taken, because it defines no function that an exercise asks for"]


# ---- places

WORK = ("hw/forward.py", RIGHT.encode())
PLACES = {
    "deep folders": lambda: {"a/b/c/d/forward.py": RIGHT},
    "the lesson's folder, deep": lambda: {"work/12_diffusion/forward.py": RIGHT},
    "beside other folders": lambda: {"one/forward.py": RIGHT, "two/notes.py": "", "three/x.csv": ""},
    "several top folders in a zip": lambda: {"hw.zip": packed(WORK, ("data/x.csv", b""), ("report/y.csv", b""))},
    "a zip beside other files": lambda: {"hw.zip": packed(WORK), "answers.yaml": ANSWERS},
    "a zip in a folder": lambda: {"sub/hw.zip": packed(WORK)},
    "a zip named anyhow": lambda: {"HW.ZIP": packed(WORK)},
    "tar.gz": lambda: {"hw.tar.gz": tarred(WORK, pack=gzip.compress)},
    "tgz": lambda: {"hw.tgz": tarred(WORK, pack=gzip.compress)},
    "tar": lambda: {"hw.tar": tarred(WORK)},
    "tar.bz2": lambda: {"hw.tar.bz2": tarred(WORK, pack=bz2.compress)},
    "tar.xz": lambda: {"hw.tar.xz": tarred(WORK, pack=lzma.compress)},
    "a tar that is called a zip": lambda: {"hw.zip": tarred(WORK, pack=gzip.compress)},
    "one compressed file": lambda: {"forward.py.gz": gzip.compress(RIGHT.encode())},
    "7z": lambda: {"hw.7z": sevened(WORK)},
    "two archives": lambda: {"code.zip": packed(WORK), "answers.zip": packed(("answers.yaml", ANSWERS))},
}  # fmt: skip


@pytest.mark.parametrize("make", PLACES.values(), ids=PLACES.keys())
def test_work_is_found_wherever_it_lies(tmp_path, make):
    found, notes = handed_in(tmp_path, make())
    assert (found["forward"].status, found["forward"].source) == ("present", RIGHT.encode())
    assert not [note for note in notes if "forward.py" in note]


# ---- what cannot be taken is told, with what to do

TOLD = {
    "rar": ({"hw.rar": b"Rar!\x1a\x07\x01\0"}, Unused("hw.rar", "RAR archives are not read", "hand in a zip, or the files themselves")),
    "a rar that is called a zip": ({"hw.zip": b"Rar!\x1a\x07\x01\0"}, Unused("hw.zip", "RAR archives are not read", "hand in a zip, or the files themselves")),
    "docx": ({"forward.docx": packed(("word/document.xml", b""))}, Unused("forward.docx", "it is a document, not code", THEMSELVES)),
    "pdf": ({"forward.pdf": b"%PDF-1.7"}, Unused("forward.pdf", "it is a document, not code", THEMSELVES)),
    "a page": ({"forward.html": b"<html>"}, Unused("forward.html", "it is a web page, not code", THEMSELVES)),
    "a photo": ({"IMG_1.HEIC": b"\0"}, Unused("IMG_1.HEIC", "it is an image, not code", THEMSELVES)),
    "compiled": ({"forward.pyc": b"\0"}, Unused("forward.pyc", "it is compiled", THEMSELVES)),
    "a shortcut": ({"forward.py - Shortcut.lnk": b"\0"}, Unused("forward.py - Shortcut.lnk", "it is only a shortcut to a file", "hand in the file itself")),
    "a half download": ({"forward.py.crdownload": b"x"}, Unused("forward.py.crdownload", "its download was not finished", "hand in the whole file")),
    "anything": ({"forward.xyz": b"x"}, Unused("forward.xyz", "no exercise takes a file of this kind", THEMSELVES)),
    "other code": ({"hw.py": b"x = 1"}, Unused("hw.py", "it defines no function that an exercise asks for", "keep the names that the starters have")),
    "an empty file": ({"hw.py": b" "}, Unused("hw.py", "it is empty", "save it in your editor, and hand it in again")),
    "other answers": ({"hw.yaml": b"a: 1"}, Unused("hw.yaml", "it answers none of the questions", "keep the names that the questions have in answers.yaml")),
    "a zip in a zip in a zip": (
        {"hw.zip": packed(("a.zip", packed(("b.zip", packed(WORK)))))},
        Unused("hw.zip/a.zip/b.zip", "it lies within 2 other archives", "hand in a zip, or the files themselves"),
    ),
    "what a program made": ({".ipynb_checkpoints/forward-checkpoint.ipynb": b"{}"}, Unused(".ipynb_checkpoints", "programs make such files beside work", THEMSELVES)),
}  # fmt: skip


@pytest.mark.parametrize(("files", "unused"), TOLD.values(), ids=TOLD.keys())
def test_what_cannot_be_taken_is_told_with_what_to_do(tmp_path, files, unused):
    found, notes = handed_in(tmp_path, files)
    assert {one.status for one in found.values()} == {"unrecognised"}
    assert found["forward"].handed_in.unused == (unused,)
    assert found["forward"].problem == f"`{unused.file}`: {unused.why}"
    assert notes == [f"`{unused.file}` was not taken, because {unused.why}"]


def test_missing_means_that_nothing_was_handed_in(tmp_path):
    """Empty folders, hidden files of programs, and what every workspace has hold nothing of a student's."""
    found, notes = handed_in(tmp_path, {"README.md": GIVEN["README.md"], "props.py": GIVEN["props.py"], ".DS_Store": b"", "__MACOSX/._x": b""})
    (tmp_path / "class" / "Ada" / "empty").mkdir()
    assert ({one.status for one in found.values()}, notes) == ({"missing"}, [])


def test_a_link_is_told_and_not_followed(tmp_path):
    (tmp_path / "class" / "Ada").mkdir(parents=True)
    (tmp_path / "class" / "Ada" / "work").symlink_to("/etc")
    found, _ = handed_in(tmp_path, {})
    assert found["forward"].handed_in.unused == (Unused("work", "it is a link, which is not followed", THEMSELVES),)


def test_what_is_not_taken_beside_work_is_told_too(tmp_path):
    found, _ = handed_in(tmp_path, {"forward.py": RIGHT, "report.pdf": b"", "old/forward.py": RIGHT})
    assert found["forward"].status == "present"
    assert found["forward"].handed_in.unused == (
        Unused("report.pdf", "it is a document, not code", THEMSELVES),
        Unused("old/forward.py", "it is the same as `forward.py`"),
    )


def test_a_damaged_archive_beside_work_costs_nothing_that_can_be_read(tmp_path):
    found, notes = handed_in(tmp_path, {"forward.py": RIGHT, "hw.zip": b"PK\3\4 cut"})
    assert {name: one.status for name, one in found.items()} == {"forward": "present", "practice": "unreadable"}
    assert notes == ["`hw.zip` was not taken, because hw.zip is not a zip file, or is damaged"]


def test_a_great_many_files_are_looked_at_up_to_a_limit_and_it_is_told(tmp_path):
    found, _ = handed_in(tmp_path, {"forward.py": RIGHT, **{f"data/{number}.csv": b"" for number in range(MOST_FILES + 5)}})
    assert found["forward"].status == "present"
    assert found["forward"].handed_in.unused[0] == Unused("all further files", f"only {MOST_FILES} are looked at", "hand in the exercises' files alone")
    assert len(found["forward"].handed_in.unused) == 21


# ---- the starter never beats work, and of two that were worked on the policy chooses

BLANK_NOTEBOOK = GIVEN["12_diffusion.ipynb"]
WORKSPACE = {name: data for name, data in GIVEN.items() if name != "forward.py"}
BEATS = {
    "a solved notebook": ({**GIVEN, "12_diffusion.ipynb": notebook(RIGHT)}, "12_diffusion.ipynb", []),
    "a notebook of the exercise": ({**GIVEN, "forward.ipynb": notebook(RIGHT)}, "forward.ipynb", []),
    "a starter in the lesson's folder": ({"12_diffusion/forward.py": STARTER, "forward.py": RIGHT}, "forward.py", []),
    "a numbered copy": ({**GIVEN, "forward (1).py": RIGHT}, "forward.py", ["`forward (1).py` is used as forward.py"]),
    "an empty file": ({"forward.py": "", "forward.ipynb": notebook(RIGHT)}, "forward.ipynb", ["`forward.py` was not taken, because it is empty"]),
    "a starter with a comment": ({"forward.py": "# Ada\n" + STARTER + "\n\n", "forward.ipynb": notebook(RIGHT)}, "forward.ipynb", []),
    "a starter with Windows' ends of lines": ({"forward.py": STARTER.replace("\n", "\r\n"), "forward.ipynb": notebook(RIGHT)}, "forward.ipynb", []),
    "the starter of last year": (
        {"forward.py": STARTER.replace("Return", "Give back"), "forward.ipynb": notebook(RIGHT)},
        "forward.ipynb",
        ["`forward.py` was not taken, because it holds no more than the starter"],
    ),
    "a starter that is not text": ({"forward.py": b"\xff\xfe\0", "forward.ipynb": notebook(RIGHT)}, "forward.ipynb", ["`forward.py` was not taken, because forward.py is not text in UTF-8"]),
    "a file beside a blank notebook": ({**WORKSPACE, "forward.py": RIGHT}, "forward.py", []),
    "two copies, one a starter": ({"forward (1).py": STARTER, "forward (2).py": RIGHT}, "forward.py", ["`forward (2).py` is used as forward.py"]),
}  # fmt: skip


@pytest.mark.parametrize(("files", "name", "notes"), BEATS.values(), ids=BEATS.keys())
def test_a_starter_never_beats_work(tmp_path, files, name, notes):
    found, told = handed_in(tmp_path, files, ["forward"])
    assert (found["forward"].name, found["forward"].status) == (name, "present")
    assert b"0.5 * eps" in found["forward"].source
    assert told == notes


def test_blank_answers_never_beat_answers(tmp_path):
    found, _ = handed_in(tmp_path, {"answers.yaml": GIVEN["answers.yaml"], "answers (1).yaml": ANSWERS})
    assert found["practice"].source == ANSWERS.encode()


def test_a_workspace_that_nobody_worked_in_is_graded_as_it_is(tmp_path):
    found, notes = handed_in(tmp_path, GIVEN)
    assert {one.status for one in found.values()} == {"present"}
    assert (found["forward"].name, notes) == ("forward.py", [])


PREFER = [
    ("py", {"forward.py": RIGHT, "12_diffusion.ipynb": notebook(OTHER)}, "forward.py", "12_diffusion.ipynb"),
    ("notebook", {"forward.py": RIGHT, "12_diffusion.ipynb": notebook(OTHER)}, "12_diffusion.ipynb", "forward.py"),
    ("notebook", {"forward.ipynb": notebook(RIGHT), "12_diffusion.ipynb": notebook(OTHER)}, "forward.ipynb", "12_diffusion.ipynb"),
    ("py", {"forward.ipynb": notebook(RIGHT), "utils.py": OTHER}, "forward.ipynb", "utils.py"),
    ("py", {"forward.py": RIGHT, "forward (1).py": OTHER}, "forward.py", "forward (1).py"),
    ("py", {"12_diffusion/forward.py": RIGHT, "forward.py": OTHER}, "12_diffusion/forward.py", "forward.py"),
    ("py", {"forward.py": RIGHT, "backup/forward.py": OTHER}, "forward.py", "backup/forward.py"),
]


@pytest.mark.parametrize(("prefer", "files", "counts", "other"), PREFER)
def test_of_two_files_that_were_worked_on_the_policy_chooses_and_it_is_told(tmp_path, prefer, files, counts, other):
    found, notes = handed_in(tmp_path, files, ["forward"], prefer=prefer)
    assert found["forward"].source == files[counts].encode()
    assert found["forward"].handed_in.unused == (Unused(other, f"`{counts}` is graded for forward", "hand in only the file that counts"),)
    assert notes == [f"`{other}` was not taken, because `{counts}` is graded for forward"]


@pytest.mark.parametrize("newer", ["forward.py", "12_diffusion.ipynb", "forward (1).py"])
def test_the_newest_counts_if_the_policy_says_so(tmp_path, newer):
    files = {"forward.py": RIGHT, "12_diffusion.ipynb": notebook(OTHER), "forward (1).py": RIGHT + "x = 1\n"}
    handed_in(tmp_path, files)
    for name in files:
        os.utime(tmp_path / "class" / "Ada" / name, (2e9 if name == newer else 1e9,) * 2)
    found, _ = handed_in(tmp_path, {}, ["forward"], prefer="newest")
    assert found["forward"].source == files[newer].encode()


def test_the_newest_in_a_zip_is_known_by_its_date(tmp_path):
    members = [(zipfile.ZipInfo(name, (2026, month, 1, 0, 0, 0)), data) for name, data, month in (("forward.py", RIGHT, 3), ("forward.ipynb", notebook(OTHER), 4))]
    found, _ = handed_in(tmp_path, {"hw.zip": packed(*members)}, ["forward"], prefer="newest")
    assert found["forward"].name == "forward.ipynb"


def test_of_two_that_are_equally_good_none_is_taken_and_both_are_told(tmp_path):
    found, notes = handed_in(tmp_path, {"forward (1).py": RIGHT, "forward (2).py": OTHER})
    assert {name: one.status for name, one in found.items()} == {"forward": "unrecognised", "practice": "missing"}
    assert notes == [
        "`forward (1).py` was not taken, because `forward (2).py` may be meant for forward just as well",
        "`forward (2).py` was not taken, because `forward (1).py` may be meant for forward just as well",
    ]


def test_two_equal_copies_are_one_work(tmp_path):
    found, _ = handed_in(tmp_path, {"forward (1).py": RIGHT, "forward (2).py": "# again\n" + RIGHT})
    assert (found["forward"].status, found["forward"].handed_in.unused) == ("present", (Unused("forward (2).py", "it is the same as `forward (1).py`"),))


def test_nothing_is_chosen_from_nothing():
    assert choose([]).taken is None
    one = Candidate("forward.py", "py", Fit(0), 2)
    assert choose([one]).taken == one
