"""The student's commands in odd surroundings: an old locale, names that are no text, no home, a folder that is gone."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.cli.main import main
from autograder.course.errors import UsageError
from autograder.course.loading import read_course
from autograder.learner.start import start

STRANGE = os.fsdecode(b"Zo\xeb")  # Latin-1 in a world of UTF-8


def course(*command):
    done = CliRunner().invoke(main, list(map(str, command)), catch_exceptions=False)
    return done.output, done.exit_code


def student_of(path):
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("manifest.json"))["student"]


def test_a_path_with_accents_works_in_the_c_locale(tmp_path):
    """Where Python takes file names for ASCII, too: then the command starts again with UTF-8."""
    ascii_only = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    def typed(*command, cwd):
        done = subprocess.run([sys.executable, "-m", "autograder", *command], cwd=cwd, env=ascii_only, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    assert typed("start", "Zoë Ångström", "--lesson", "12", cwd=tmp_path).startswith("Created in Zoë Ångström: ")
    here = tmp_path / "Zoë Ångström"
    (here / "answers.yaml").write_text("fresh-step: 0.790\n")
    assert "Zoë Ångström.zip: 12 files of Zoë Ångström" in typed("submit", cwd=here)
    assert student_of(here / "Zoë Ångström.zip") == "Zoë Ångström"


@pytest.fixture
def strange(root, tmp_path, monkeypatch):
    """A workspace in a folder whose name is no UTF-8."""
    folder = tmp_path / STRANGE
    start(folder, root, read_course(root).lessons[0])
    monkeypatch.chdir(folder)
    return folder


def test_a_folder_whose_name_is_no_text_can_be_handed_in_and_its_files_reset(strange):
    assert "Zo-.zip: 12 files of Zo�, 0 points" in course("submit")[0]
    assert student_of("Zo-.zip") == "Zo�"
    Path("forward.py").write_text("mine")
    assert course("submit", "--name", STRANGE, "--out", f"{STRANGE}.zip")[1] == 0
    assert course("reset", "forward.py")[1] == 0


def test_a_course_whose_path_is_no_text_cannot_be_started_and_it_is_said(root, tmp_path):
    elsewhere = tmp_path / STRANGE
    elsewhere.symlink_to(root)
    with pytest.raises(UsageError) as refused:
        start(tmp_path / "work", elsewhere, read_course(root).lessons[0])
    fix = "move the course to a folder with another name"
    assert str(refused.value) == f"{elsewhere}: this path of the course is no UTF-8\n  fix: {fix}"


HOMES = {
    "a home that cannot be written": {"HOME": "/proc/nobody"},
    "a home that is no folder": {"HOME": "/dev/null"},
    "no home": {"HOME": None},
}


@pytest.mark.parametrize("home", HOMES.values(), ids=HOMES)
def test_a_workspace_needs_no_home(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in home.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    assert course("start", "work", "--lesson", "12")[1] == 0
    monkeypatch.chdir("work")
    Path("answers.yaml").write_text("fresh-step: 0.790\n")
    for command in (["read", "one-step-by-hand"], ["hint", "forward.py"], ["progress"], ["stats"], ["submit"]):
        said, status = course(*command)
        assert (status, "cannot" in said) == (0, False), said


@pytest.mark.parametrize("home", [{"HOME": "/proc/nobody"}, {"HOME": "/dev/null"}], ids=["not to be written", "no folder"])
def test_what_is_kept_in_a_home_says_that_it_cannot_be(home, root, tmp_path, monkeypatch):
    """Cards outside a workspace, and the courses that were confirmed."""
    monkeypatch.chdir(tmp_path)
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", home["HOME"])
    log = f"{home['HOME']}/.local/share/denoising-course/reviews.sqlite"
    forgotten = f"{log} cannot be opened (unable to open database file): what you answer is not remembered.\n"
    assert course("stats") == (f"{forgotten}No reviews yet. Start with: course review\n", 0)
    place = f"{home['HOME']}/.config/denoising-course/trusted-courses.json"
    why = "No such file or directory" if home["HOME"] != "/dev/null" else "Not a directory"
    assert course("trust", root) == (f"{place}: {why}\n  fix: name the course each time: `course --course {root} ...`\n", 2)


@pytest.mark.parametrize("command", [["start"], ["read"], ["check", "forward.py"], ["stats"], ["submit"]], ids=" ".join)
def test_a_folder_that_is_gone_is_said(command, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert course(*command) == ("the current folder does not exist any more\n  fix: go into another one: `cd ~`\n", 2)
