"""The student's commands in a real terminal: a pager, questions typed key by key, and a watch."""

import threading

import pytest

from autograder.course.loading import read_course
from autograder.learner.start import start
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


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (60, 20)])
def test_the_lesson_is_read_a_screen_at_a_time_and_as_far_as_one_went(typed, columns, rows):
    """An answer waits for a key; a section counts once its end was on the screen, and leaving on the first page reads none but that."""
    short = typed("read", "one-step-by-hand", columns=100, rows=60).shows("One step by hand", "Predict first", "Any key shows the lesson's")
    assert "replaced by pure noise" not in short.flat
    assert short.press(" ").ends() == 0
    assert "replaced by pure noise" in short.flat
    whole = typed("read", columns=columns, rows=rows).shows("Why a third family", "Space: next page q: leave")
    assert max(map(len, whole.text.splitlines())) <= columns
    assert whole.press("q").ends() == 0
    left = typed("progress").shows("Next: course read why-a-third-family", "3 core questions, next file schedule.py")
    assert left.ends() == 0
    assert "2 of 7" not in left.text


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
@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (60, 20)])
def test_watch_waits_shows_the_first_failure_on_top_and_answers_keys(typed, columns, rows):
    """From a fresh workspace on. An editor that writes beside and renames is seen too, and a file that does not load ends nothing."""
    path = typed.folder / "forward.py"
    terminal = typed("check", "--watch", columns=columns, rows=rows).shows("Nothing is written yet: open schedule.py", "h hint n next r rerun q quit")
    path.write_text(RIGHT.replace("beta ** .5 * eps", "beta * eps"))
    terminal.shows("11 of 14 public checks pass", "You scaled the noise by β.", "Due today in course review: noise-scale")
    assert terminal.screen.display[0].startswith("forward.py: 11 of 14")
    assert terminal.screen.display[1].startswith("  ✗ The lesson's worked example")
    terminal.press("h").shows("forward_step, hint 1 of 3: β is a variance.")
    path.write_text("def f(:\n")
    terminal.shows("Nothing can be checked yet", "line 1: def f(:")
    beside = typed.folder / ".forward.py.swp~"
    beside.write_text(RIGHT)
    beside.replace(path)
    terminal.shows("14 of 14 public checks pass", "Next: schedule.py.")
    terminal.press("n").shows("schedule.py: 0 of ", "(line", "cosine_betas")
    terminal.press("r").shows("schedule.py: 0 of ")
    assert terminal.press("q").ends() == 0
    assert "is remembered." in terminal.flat
