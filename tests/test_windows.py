"""A student on Windows, as far as that can be had elsewhere: every command, with all taken away that Windows does not have.

`.github/workflows/ci.yml` goes the same way on the real ones. The differences themselves are held where they live: `course.system` and
`cli.terminal`.
"""

import json
import os
import re
import subprocess
import sys
import urllib.request

import pytest
from click.testing import CliRunner

from autograder.cli.main import COMMANDS, GRADING, main
from autograder.course import system
from tests.courses import CLONE
from tests.programs import running

FOLDER = "Zoë's course"
ALONE = "Without walls, as this system has none: your files run in a plain process with a time limit, and can do whatever you can."

# command, what is typed in it, exit status, what it says
WAY = {
    "start": (["start", FOLDER, "--lesson", "12"], [], 0, f"Created in {FOLDER}: schedule.py, forward.py,"),
    "read": (["read", "one-step-by-hand"], [], 0, "Predict first: what does a step with β = 1 do"),
    "check": (["check", "forward.py"], [], 1, f"{ALONE} forward.py: 0 of 14 public checks pass, 0 of 20 points"),
    "hint": (["hint", "forward.py"], [], 0, "2 of 2 hints for linear_betas are closed: an attempt opens one."),
    "practice": (["practice", "fresh-step"], ["0.790", "", ""], 0, "✓ Right."),
    "progress": (["progress"], [], 0, "Next: course read jump-to-any-t"),
    "review": (["review"], [" ", "4", "\xe0", "H", "?", "x", "\x1a"], 0, "1 card answered."),
    "stats": (["stats"], [], 0, "1 answer in less than a minute, on 1 day."),
    "deck": (["deck", "--to", "apkg", "--out", "cards.apkg"], [], 0, "cards.apkg: 79 cards."),
    "site": (["site", "--out", "site"], [], 0, "or put the folder on a web server."),
    "reset": (["reset", "forward.py"], [], 0, "forward.py is the starter again."),
    "submit": (["submit", "--name", "con"], [], 1, "-con.zip: 12 files of con, 0 points by the public checks."),
}


def windows(*commands):
    """The command that runs these commands as Windows runs them."""
    return [sys.executable, "-m", "tests.windows", json.dumps(commands)]


def settings(folder):
    """A student's environment, who has this folder for everything else."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONIOENCODING", "PYTHONUTF8")}
    return kept | {"PYTHONPATH": str(CLONE), "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "COLUMNS": "200", "LC_ALL": "C.UTF-8"}


@pytest.fixture(scope="module")
def way(tmp_path_factory):
    """What each command said, and its exit status, when all were typed one after another."""
    folder = tmp_path_factory.mktemp("windows")
    commands = windows(*((command, typed) for command, typed, *_ in WAY.values()))
    done = subprocess.run(commands, cwd=folder, env=settings(folder), capture_output=True, timeout=180)
    *said, _ = re.split(r"^-- (\w+): (\d+)\n", done.stdout.decode(), flags=re.MULTILINE)
    assert said[1::3] == list(WAY), done.stderr.decode()
    return {name: (text, int(status)) for text, name, status in zip(said[::3], said[1::3], said[2::3], strict=True)}


@pytest.mark.parametrize("name", list(WAY))
def test_a_students_command_needs_nothing_that_windows_lacks(way, name):
    said, status = way[name]
    *_, expected, words = WAY[name]
    assert words in " ".join(said.split())
    assert status == expected


def test_the_site_is_served_without_what_windows_lacks(tmp_path):
    """And its scripts are scripts, whatever a program wrote into the registry."""
    with running(windows((["serve", "--lesson", "12"], [])), cwd=tmp_path, env=settings(tmp_path), stdout=subprocess.PIPE) as process:
        address = process.stdout.readline().split()[-1]
        with urllib.request.urlopen(f"{address}static/site.js", timeout=60) as answer:
            assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize("command", list(COMMANDS[GRADING]))
def test_what_grades_says_that_it_needs_linux(command, monkeypatch):
    """Not an import that fails."""
    monkeypatch.setattr(system, "WINDOWS", True)
    done = CliRunner().invoke(main, [command])
    assert done.output == f"`course {command}` needs Linux\n  fix: use WSL, or a container: see docs/grade.md\n"
    assert done.exit_code == 2
