"""The student's first hour in a real terminal and in a real kernel: reading, a watch, questions typed key by key."""

import json
import shutil
import threading
from functools import partial

import pytest

from autograder.course.loading import read_course
from autograder.course.policy import Policy
from autograder.learner.check import Checker
from autograder.learner.start import start
from autograder.learner.workspace import open_workspace
from tests.autograder.learner.conftest import RIGHT
from tests.programs import PATIENCE
from tests.terminal import Terminal


@pytest.fixture
def typed(root, tmp_path):
    """Start a command in a fresh workspace on a screen of its own."""
    folder, started, guards = tmp_path / "Ada", [], []
    start(folder, root, read_course(root).lessons[0])

    def typed(*command, **more):
        started.append(Terminal(*command, cwd=folder, **{"columns": 100, "rows": 40, **more}))
        guards.append(threading.Timer(PATIENCE, started[-1].kill))  # nothing waits for ever for a program that does not end
        guards[-1].start()
        return started[-1]

    typed.folder = folder
    yield typed
    for guard, terminal in zip(guards, started, strict=True):
        guard.cancel()
        guard.join()
        terminal.close()


def test_practice_answers_each_key_and_leaves_by_ctrl_d_and_ctrl_c(typed):
    terminal = typed("practice", "fresh-step").shows("A number with 3 decimals:")
    terminal.press("0.550\n").shows("is 0.550. You scaled the noise by β.", "or see the working (w):")
    terminal.press("\n").shows("or see the working (w): A number with 3 decimals:")
    terminal.press("0.79\n").shows("✓ Right.", "sum: 0.4899 + (0.3000) = 0.790", "fresh-step (seed ", ", core")
    assert terminal.press("\x04").ends() == 0
    assert terminal.text.endswith("Until next time. Your answers are saved.")
    left = typed("practice").shows("A number with 3 decimals:")
    assert left.press("\x03").ends() == 0
    assert left.text.endswith("Until next time. Your answers are saved.")


@pytest.mark.usefixtures("walls")
def test_the_first_hour(typed):
    """A newcomer's way, from an empty folder to a submission, on a small screen: nothing is cut, blames anybody or claims what is not so."""

    def screen(*command):
        return typed(*command, columns=60, rows=20)

    shutil.rmtree(typed.folder)
    typed.folder.mkdir()
    begun = screen("start", "--lesson", "12")
    assert begun.shows("README.md", "Next:", "open schedule.py; each save is checked", "the core, about 15 minutes").ends() == 0
    explained = screen("read", "--mistake", "beta-as-std").shows("beta_as_standard_deviation", "leave")
    assert "replaced by pure noise" not in explained.flat
    assert explained.press("q").ends() == 0
    read(screen)
    read(partial(typed, columns=80, rows=24))
    watch(screen, typed.folder)
    asked = screen("practice").shows("fresh-step, core", "A number with 3 decimals:")
    asked.press("0,55\n").shows("You scaled the noise by β.", "see the working (w):")
    assert asked.press("0,79\n").shows("✓ Right.", "fresh-step (seed ").press("\n").ends() == 0
    far = screen("progress")
    assert far.shows("Next: course read why-a-third-family", "Today: 14 min reading left, 3 core questions, 1 card due, 10 new cards, next schedule.py (25 min)").ends() == 0
    assert screen("show-solution", "forward").shows("def per_sample(").ends() == 0
    assert screen("check").shows("forward.py: 14 of 14 public checks pass").ends() == 0
    assert screen("submit", "--name", "Ada").shows("Ada.zip: 12 files of Ada, 20 points by the public checks.").ends() == 0


def read(screen):
    """Read: whoever leaves on the first page has read no section to its end."""
    whole = screen("read").shows("Why a third family", "Space: next page q: leave")
    assert whole.press("q").ends() == 0
    assert max(map(len, whole.text.splitlines())) <= whole.screen.columns


def watch(screen, folder):
    """Write with a watch beside it. An editor that writes beside and renames is seen too; a file that does not load ends nothing."""
    path = folder / "forward.py"
    terminal = screen("check", "--watch").shows("Nothing is written yet: open schedule.py", "h hint n next r rerun q quit")
    path.write_text(RIGHT.replace("beta ** .5 * eps", "beta * eps"))
    terminal.shows("11 of 14 public checks pass", "You scaled the noise by β.", "Due today in course review: noise-scale")
    assert terminal.screen.display[0].startswith("forward.py: 11 of 14")
    assert terminal.screen.display[1].startswith("  ✗ The lesson's worked example")
    terminal.press("h").shows("forward_step, hint 1 of 3: β is a variance.")
    path.write_text("def f(:\n")
    terminal.shows("Nothing can be checked yet", "line 1: def f(:")
    beside = folder / ".forward.py.swp~"
    beside.write_text(RIGHT)
    beside.replace(path)
    terminal.shows("14 of 14 public checks pass", "Next: schedule.py.")
    terminal.press("n").shows("schedule.py: 0 of ", "(line", "cosine_betas")
    terminal.press("r").shows("schedule.py: 0 of ")
    assert terminal.press("q").ends() == 0
    assert "is remembered." in terminal.flat


@pytest.mark.usefixtures("walls")
def test_the_first_hour_in_a_notebook(typed, root):
    """In a real kernel: a line below a failure calls the student's function, not the starter's that lies beside the notebook."""
    jupyter = pytest.importorskip("jupyter_client", reason="NO JUPYTER HERE, so no kernel is tried")
    cells = [RIGHT.replace("beta ** .5 * eps", "beta * eps"), "def noise_mse(eps_model, x0, t, eps, alpha_bars): return 7.5"]
    book = typed.folder / "12_diffusion.ipynb"
    book.write_text(json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]}))
    workspace = open_workspace(typed.folder, root)
    with Checker(Policy(), tell=pytest.fail) as checker:
        wrong, called = (checker.check(workspace, exercise, book).remarks for exercise in ("forward", "loss"))
    lines = [wrong["by_hand"].command, next(remark.command for remark in called.values() if "again(" in remark.command)]
    manager = jupyter.KernelManager()
    manager.start_kernel(cwd=str(typed.folder))
    client = manager.blocking_client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=PATIENCE)
        printed = []
        for code in [*cells, *lines]:
            client.execute_interactive(code, timeout=PATIENCE, output_hook=lambda message: printed.append(message["content"].get("text", "")))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert [round(float(one), 4) for one in "".join(printed).split()] == [0.7289, 7.5]
