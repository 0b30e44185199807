"""What is packed, what is warned of, and that grading reads it as it is."""

import json
import zipfile

import pytest
from msgspec.structs import replace

from autograder.course.errors import UsageError
from autograder.course.student_files import exercises_of, names_of
from autograder.learner.check import Checked
from autograder.learner.progress import remember
from autograder.learner.submit import submit
from autograder.learner.workspace import digest


@pytest.fixture
def pack(workspace, state, checker):
    def pack(out=None, student=None):
        return submit(workspace, state, checker, out, student)

    return pack


def untouched(workspace, *but):
    names = [names_of(exercise)[0] for exercise in exercises_of(workspace.lesson)]
    return f"still the starter, or not saved: {', '.join(name for name in names if name not in but)}."


def test_the_zip_holds_the_files_below_the_lesson_and_a_manifest_that_describes_them(workspace, pack, right):
    (workspace.folder / "forward.py").write_text(right)
    made = pack()
    with zipfile.ZipFile(workspace.folder / "Ada.zip") as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert set(archive.namelist()) == {"manifest.json", *manifest["files"]}
        for name, packed in manifest["files"].items():
            data = archive.read(name)
            assert name.startswith("12_diffusion/")
            assert packed == {"sha256": digest(data), "bytes": len(data)}
    assert manifest["format"] == 1
    assert manifest["lesson"] == "12_diffusion"
    assert manifest["student"] == "Ada"
    assert manifest["public"] == {"forward": {"score": 20.0, "max_score": 20.0, "passed": 14, "checks": 14}}
    assert made.warnings == (untouched(workspace, "forward.py"),)


def test_a_notebook_with_large_outputs_is_packed_with_its_code_alone(workspace, pack, right):
    cells = [{"cell_type": "code", "source": right, "outputs": ["x" * (7 << 20)]}, {"cell_type": "markdown", "source": "y" * (7 << 20)}]
    (workspace.folder / "12_diffusion.ipynb").write_text(json.dumps({"cells": cells}))
    made = pack()
    assert made.notes == ("`12_diffusion.ipynb` is packed without its outputs.",)
    assert made.manifest.public["forward"].score == 20
    with zipfile.ZipFile(workspace.folder / "Ada.zip") as archive:
        assert json.loads(archive.read("12_diffusion/12_diffusion.ipynb"))["cells"] == [{"cell_type": "code", "source": right}]


def test_what_was_seen_of_just_this_file_is_not_run_again(workspace, state, pack, right, monkeypatch):
    from autograder.learner.check import Checker

    (workspace.folder / "forward.py").write_text(right)
    pack()

    def fail(*args):
        raise AssertionError("checked again")

    monkeypatch.setattr(Checker, "check", fail)
    assert pack().manifest.public["forward"].score == 20


def test_what_is_unfinished_is_said_and_packed_all_the_same(workspace, pack, right):
    (workspace.folder / "forward.py").write_text(right.replace("beta ** .5 * eps", "beta * eps"))
    (workspace.folder / "loss.py").write_text("def f(:\n")
    (workspace.folder / "ddim.py").unlink()
    (workspace.folder / "ddpm.py").write_bytes(b"")
    (workspace.folder / "answers.yaml").write_text("fresh-step: 0.55\nfresh-step: 0.790\n")
    made = pack()
    assert made.warnings == (
        "`forward.py`: 11 of 14 public checks pass.",
        "`loss.py` cannot be read: line 1: invalid syntax.",
        "`ddpm.py` is empty: save it in your editor first.",
        "`ddim.py` is missing.",
        "`answers.yaml`: 0 of 21 answers are right.",
        "`answers.yaml`: line 2: `fresh-step` has another answer here than on line 1: keep one of them.",
        untouched(workspace, "forward.py", "loss.py", "ddpm.py", "ddim.py", "answers.yaml"),
    )
    assert "12_diffusion/loss.py" in made.manifest.files


@pytest.mark.parametrize(("name", "form"), [("Forward.PY", "py"), ("Forward.IPYNB", "ipynb")])
def test_an_ending_in_capitals_is_the_same_ending(workspace, pack, right, name, form):
    (workspace.folder / "forward.py").unlink()
    source = right if form == "py" else json.dumps({"cells": [{"cell_type": "code", "source": right}]})
    (workspace.folder / name).write_text(source, encoding="utf-8")
    made = pack()
    assert made.warnings == (untouched(workspace, "forward.py"),)
    assert made.manifest.public["forward"].score == 20


def test_a_notebook_that_is_cut_short_is_said(workspace, pack):
    (workspace.folder / "forward.py").unlink()
    (workspace.folder / "forward.ipynb").write_text('{"cells": [')
    assert "`forward.ipynb` cannot be read: it is truncated or not a Jupyter notebook." in pack().warnings


def test_answers_count_among_the_public_results(workspace, pack):
    (workspace.folder / "answers.yaml").write_text("fresh-step: 0.790\n")
    made = pack()
    assert made.manifest.public["practice"].passed == 1
    assert f"`answers.yaml`: 1 of {len(workspace.lesson.questions)} answers are right." in made.warnings


def test_packing_again_replaces_the_zip_and_nothing_else(workspace, pack, tmp_path):
    assert pack(tmp_path / "mine.zip").path == pack(tmp_path / "mine.zip").path
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Ada", "mine.zip"]


def told(act):
    with pytest.raises(UsageError) as error:
        act()
    return str(error.value)


def test_a_file_that_is_no_zip_is_never_replaced(workspace, pack):
    path = workspace.folder / "forward.py"
    assert told(lambda: pack(path)) == f"{path}: this file exists and is not a zip\n  fix: give another name: `--out my-work.zip`"


def test_an_empty_workspace_has_nothing_to_hand_in(workspace, pack):
    for path in workspace.folder.glob("*.*"):
        if path.is_file():
            path.unlink()
    assert told(pack) == f"{workspace.folder}: there is nothing to hand in\n  fix: `course reset FILE` restores a starter"


def test_a_place_that_cannot_be_written_is_told(pack, tmp_path):
    assert told(lambda: pack(tmp_path / "gone" / "mine.zip")) == (
        f"{tmp_path}/gone/mine.zip: No such file or directory\n  fix: choose a place that you may write to: `--out /tmp/my-work.zip`"
    )


@pytest.mark.parametrize(("student", "name"), [("Zoë Ångström", "Zoë Ångström.zip"), ("../x/y", "-x-y.zip"), ("..", "submission.zip"), ("O'Neil", "O'Neil.zip")])
def test_a_name_makes_a_file_name_that_every_system_takes(workspace, pack, student, name):
    assert pack(student=student).path == workspace.folder / name


def test_a_file_that_was_not_checked_leaves_no_trace(state):
    remember(state, Checked("forward", "forward.py", "", (), {}, problem="empty"))
    assert list(state.events("check")) == []


def packed_names(made):
    return {path.rpartition("/")[2] for path in made.manifest.files}


def notebook(*codes):
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": code} for code in codes]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.mark.parametrize("name", ["12_diffusion-Ada.ipynb", "12_diffusion (1).ipynb", "Copy of 12_diffusion.ipynb"])
def test_a_renamed_notebook_is_packed_under_its_right_name(workspace, pack, right, name):
    """And not the starter that lies beside it under that name."""
    (workspace.folder / name).write_text(notebook(right))
    made = pack()
    assert made.notes == (f"`{name}` is packed as 12_diffusion.ipynb.",)
    assert made.manifest.public["forward"].passed == 14
    assert made.manifest.files["12_diffusion/12_diffusion.ipynb"].sha256 == digest((workspace.folder / name).read_bytes())


def test_a_file_of_another_name_is_packed_for_what_it_defines(workspace, pack, right):
    (workspace.folder / "hw1.py").write_text(right)
    made = pack()
    assert made.notes == ("`hw1.py` is packed as forward.py.",)
    assert made.manifest.public["forward"].passed == 14


@pytest.mark.parametrize(("prefer", "counts"), [("py", "forward.py"), ("notebook", "12_diffusion.ipynb")])
def test_two_files_that_were_worked_on_are_said_with_the_one_that_counts(workspace, state, checker, right, prefer, counts):
    (workspace.folder / "forward.py").write_text(right + "# mine\nx = 1\n")
    (workspace.folder / "12_diffusion.ipynb").write_text(notebook(right))
    made = submit(replace(workspace, prefer=prefer), state, checker, None, None)
    first, second = ("forward.py", "12_diffusion.ipynb") if prefer == "py" else ("12_diffusion.ipynb", "forward.py")
    other = "notebook" if prefer == "py" else "files"
    assert made.notes == (f"`{first}` and `{second}` both hold work for forward: `{counts}` counts. To change that: `course use {other}`.",)
    assert counts in packed_names(made)


def test_of_two_copies_that_were_worked_on_neither_is_packed(workspace, pack, right):
    for number in (1, 2):
        (workspace.folder / f"forward ({number}).py").write_text(right + f"x = {number}\n")
    assert pack().notes == ("`forward (1).py` and `forward (2).py` both hold work for forward: none of them counts, so keep only one.",)


def test_a_starter_beside_work_is_not_packed_instead_of_it(workspace, pack, right):
    (workspace.folder / "forward (1).py").write_text(right)
    made = pack()
    assert made.notes == ("`forward (1).py` is packed as forward.py.",)
    assert made.manifest.files["12_diffusion/forward.py"].sha256 == digest(right.encode())
