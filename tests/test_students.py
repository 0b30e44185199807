"""The student's commands as a student types them, in an own folder: what they print, and how they end."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.cli.main import main
from autograder.course.errors import SandboxFault
from autograder.sandbox.servers import Sandbox
from tests.autograder.learner.conftest import RIGHT
from tests.courses import ROOT
from tests.programs import running

MISTAKEN = RIGHT.replace("beta ** .5 * eps", "beta * eps")


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Type a command in an empty folder, `typed` as answers; gives what is printed, and the exit status."""
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")
    monkeypatch.setenv("COLUMNS", "100")

    def course(*command, typed=None):
        done = CliRunner().invoke(main, list(command), input=typed, catch_exceptions=False)
        return re.sub(r"[ \t]+\n", "\n", done.output), done.exit_code

    return course


@pytest.fixture
def started(course):
    course("start", "--lesson", "12")
    return course


def write(name, text):
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)


def test_from_an_empty_folder_to_a_submission(course, walls):
    """Start, write, check, see the misconception, mend it, practise, look at the progress, pack: nobody has to be asked."""
    said, status = course("start", "--lesson", "12")
    assert (said.split(":")[0], status) == ("Created in this folder", 0)
    write("forward.py", MISTAKEN)
    said, status = course("check", "forward.py")
    assert status == 1
    assert said.startswith("forward.py: 11 of 14 public checks pass, 15.5 of 20 points\n")
    write("forward.py", RIGHT)
    said, status = course("check", "forward.py")
    assert status == 0
    assert said.startswith("forward.py: 14 of 14 public checks pass, 20 of 20 points\n")
    assert course("practice", "fresh-step", typed="0.790\n\n")[1] == 0
    said, _ = course("progress")
    assert "Next: course read why-a-third-family" in said
    said, status = course("submit", "--name", "Ada Lovelace")
    assert said.splitlines()[-2].startswith("Ada Lovelace.zip: ")
    assert said.splitlines()[-2].endswith(" files of Ada Lovelace, 20 points by the public checks.")
    assert (status, os.path.isfile("Ada Lovelace.zip")) == (0, True)


def test_what_was_submitted_is_graded_as_it_is(started, walls, tmp_path):
    """`course grade` takes a folder of these zips; the name is the one that was given, and nothing of the manifest is believed."""
    write("forward.py", RIGHT)
    write("answers.yaml", "fresh-step: 0.790\n")
    (tmp_path / "class").mkdir()
    for name in ("Ada Lovelace", "Bo"):
        started("submit", "--name", name, "--out", str(tmp_path / "class" / f"{name}.zip"))
    said, status = started("--course", str(ROOT), "grade", str(tmp_path / "class"), "--out", str(tmp_path / "out"), "--exercise", "forward", "--exercise", "practice")
    assert status == 0, said
    rows = (tmp_path / "out" / "grades.csv").read_text().splitlines()[1:]
    assert rows == [f"{name},12_diffusion,{rest}" for name in ("Ada Lovelace", "Bo") for rest in ("forward,graded,20.0,20.0", "practice,graded,4.0,70.0")]


def test_a_failure_shows_the_call_the_misconception_the_section_the_card_and_a_line_to_paste(started, walls):
    write("forward.py", MISTAKEN)
    said, _ = started("check", "forward.py")
    shown = " ".join(said.split())
    assert (
        "✗ The lesson's worked example: x = 0.8, β = 0.1, ε = −0.3 `forward_step(x_prev=0.8, beta=0.1, eps=-0.3)` gave 0.7289 where 0.664 was "
        "expected. You scaled the noise by β. β is the noise's variance: multiply ε by its square root. "
        "Reread: One step by hand (course read one-step-by-hand) Card: noise-scale "
    ) in shown
    assert """ -c "from forward import *; print(forward_step(0.8, 0.1, -0.3))"\n""" in said
    assert said.endswith(
        "  – 2 more checks wait until these pass.\n"
        "  Due today in course review: noise-scale\n"
        "  Stuck? course hint forward.py\n"
        "These are the public checks. Your grade comes from the same checks with hidden numbers.\n"
    )


def test_a_file_that_does_not_load_is_told_once(started, walls):
    write("forward.py", "def f(x:\n    return 1\n")
    said, status = started("check", "forward.py")
    assert status == 1
    assert re.sub(r"\S+ -c", "python -c", said) == (
        "forward.py: 0 of 14 public checks pass, 0 of 20 points\n"
        "  ✗ Nothing can be checked yet\n"
        "      `forward.py` raised SyntaxError (line 1): '(' was never closed. Python cannot read this line:\n"
        "      look for a missing bracket, quote or colon in it or just above.\n"
        "        line 1: def f(x:\n"
        '      python -c "import forward"\n'
        "These are the public checks. Your grade comes from the same checks with hidden numbers.\n"
    )
    write("forward.py", "")
    assert started("check", "forward.py") == ("forward.py\n  forward.py is empty: save it in your editor first.\n", 1)


def test_no_walls_can_be_asked_for(started):
    write("forward.py", RIGHT)
    said, status = started("check", "--no-walls", "forward.py")
    first, second, *_ = said.splitlines()
    assert first == "Without walls, as you asked: your files run in a plain process with a time limit, and can do whatever you can."
    assert (second, status) == ("forward.py: 14 of 14 public checks pass, 20 of 20 points", 0)


def test_a_fault_of_the_sandbox_is_told_and_the_other_files_are_checked(started, walls, monkeypatch):
    """Neither `check` nor `submit` runs the file in another way: one ends with status 3, the other packs it all the same."""
    opened = Sandbox.open

    def fails_for_torch(self, profile):
        if profile != "numpy":
            raise SandboxFault("the fork server does not answer: it ended")
        return opened(self, profile)

    monkeypatch.setattr(Sandbox, "open", fails_for_torch)
    write("forward.py", RIGHT)
    write("timestep.py", "import torch\n")
    said, status = started("check", "forward.py", "timestep.py")
    told = "not checked, because the sandbox failed (the fork server does not answer: it ended)."
    assert (said.splitlines()[0], status) == ("forward.py: 14 of 14 public checks pass, 20 of 20 points", 3)
    assert f"timestep: {told} This is not a mistake of yours: check it again.\n" in said
    said, status = started("submit")
    why = "because the sandbox failed (the fork server does not answer: it ended). This is not a mistake of yours."
    assert f"note: timestep.py is packed unchecked, {why}\n" in said
    assert status == 0


def test_what_a_file_prints_is_shown_harmless_and_short(started, walls):
    write("forward.py", RIGHT + "print('\\x1b[31mred')\nfor i in range(30): print(i)\n")
    said, _ = started("check", "forward.py")
    assert "  What your code printed:\n    [31mred\n    0\n" in said
    assert "    ... and 19 more lines\n" in said
    assert "\x1b" not in said


def test_checking_all_takes_what_was_begun(started, walls):
    write("forward.py", RIGHT)
    write("answers.yaml", "fresh-step: 0,79\n")
    said, status = started("check")
    assert said.startswith("forward.py: 14 of 14")
    assert "answers.yaml: 1 of " in said
    assert "  – No answer yet: method-choice, " in said
    assert status == 1


def test_hints_open_one_by_one(started, walls):
    said, status = started("hint", "forward.py")
    assert (said, status) == (
        "2 of 2 hints for linear_betas are closed: an attempt opens one.\n"
        "An attempt is a version that you saved and checked: course check forward.py\n",
        0,
    )
    write("forward.py", MISTAKEN)
    started("check", "forward.py")
    said, _ = started("hint", "forward.py")
    assert said.startswith("forward_step, hint 1 of 3\n")
    assert "2 of 3 hints for forward_step are closed: another attempt opens one.\n" in said
    write("forward.py", RIGHT)
    started("check", "forward.py")
    assert started("hint", "forward.py") == ("All of forward.py passes the public checks: you need no hint.\n", 0)


def test_a_solution_is_shown_after_a_pass(started, walls, monkeypatch):
    """Annotated by its hints; a release has none but those that the course allows."""
    early = (
        "the solution of forward is shown once its public checks have passed\n"
        "  fix: first pass them all: `course check forward`, and `course hint forward` if you are stuck\n"
    )
    assert started("show-solution", "forward") == (early, 2)
    write("forward.py", RIGHT)
    assert "\n  To compare yours with the solution: course show-solution forward\n" in started("check", "forward.py")[0]
    said, status = started("show-solution", "forward.py")
    assert "\n# β is a variance. ε and x are each multiplied by a square root: the root of\n#   what?\n" in said
    assert status == 0
    assert started("show-solution", "forwad") == ("there is no exercise `forwad`\n  fix: did you mean `forward`?\n", 2)
    monkeypatch.setattr("autograder.learner.progress.solution_file", lambda exercise: None)
    assert started("show-solution", "forward") == (
        "the solution of forward is not shown in this course\n  fix: ask your instructor: `show_solutions` in the course's policy allows it\n", 2,
    )  # fmt: skip


def test_reset_says_where_the_copy_is(started):
    write("forward.py", "mine")
    said, status = started("reset", "forward.py")
    kept = re.fullmatch(r"forward\.py is the starter again\. Your version: (\.course/kept/forward-[0-9-]+\.py)\n", said)
    assert (Path(kept.group(1)).read_text(), status) == ("mine", 0)
    assert started("reset", "forward.py")[0] == "forward.py is the starter again.\n"


def test_starting_in_a_folder_of_its_own_says_where_to_go(course):
    said, _ = course("start", "my-course", "--lesson", "12")
    assert said.startswith("Created in my-course: schedule.py, ")
    assert said.endswith(
        "Next:\n  cd my-course\n  course read           the lesson, 14 minutes\n  course check --watch  open schedule.py; each save is checked\n"
        "  course practice       the core, about 15 minutes\n"
    )
    assert course("start", "my-course", "--lesson", "12")[0].startswith("Nothing to do: my-course has every file.\n")


def test_a_folder_with_a_space_is_written_as_a_shell_takes_it(course):
    assert 'Next:\n  cd "mein kurs"\n  course read ' in course("start", "mein kurs", "--lesson", "12")[0]


def test_who_gives_no_name_is_told_which_one_is_handed_in(started):
    said, _ = started("submit")
    assert said.splitlines()[-2] == '"home" is the name of this folder. To use your own: course submit --name "Ada Lovelace"'
    assert "is the name of this folder" not in started("submit", "--name", "Ada Lovelace")[0]


def test_packing_only_starters_is_no_success(started):
    """A student who did not save would hand in nothing. The zip is there all the same."""
    told = "No function and no answer is written in it yet, or your files are not saved. Pack it again before you hand it in.\n"
    said, status = started("submit", "--name", "Ada")
    assert (said.endswith(told), "Hand in this one file" in said, status, os.path.isfile("Ada.zip")) == (True, False, 1, True)
    write("answers.yaml", "fresh-step: 0.790\n")
    assert started("submit", "--name", "Ada")[1] == 0


def test_untouched_answers_are_one_line(started):
    """Questions of several parts and matches that hold blanks alone are no failures to reread for."""
    said, _ = started("check", "answers.yaml")
    assert "  – No answer yet: fresh-step, method-choice, guidance-trajectory, " in said
    assert "✗" not in said


def test_the_contents_name_every_section_as_read_takes_it(started):
    names = [line.split("  ")[0] for line in started("read", "--contents")[0].splitlines()]
    assert "one-step-by-hand" in names
    assert all(started("read", name)[1] == 0 for name in names)


def test_a_terminal_that_cannot_show_greek_gets_escapes_and_no_traceback(started):
    """So does a file on Windows, whose encoding is often not UTF-8."""
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "read", "one-step-by-hand"], capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"One step with \\u03b2 = 0.1" in done.stdout


def test_progress_on_a_narrow_terminal_is_lines(started, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    said, _ = started("progress")
    assert said.startswith("Describe the two directions of a\ndiffusion model and explain why\n")
    assert "\n  0 of 6 sections read\n  0 of 4 questions mastered\n  0 of 3 files pass\n" in said
    assert max(map(len, said.splitlines())) <= 40


def test_reading_is_remembered(started):
    started("read", "one-step-by-hand")
    said, _ = started("progress")
    assert "1 of " in said


def test_a_damaged_state_is_said_once_and_all_goes_on(started):
    write(".course/state.sqlite", "damaged" * 1000)
    said, status = started("progress")
    assert re.search(r"state\.sqlite was damaged: it is kept as state-damaged-[0-9-]+\.sqlite, and a new one is begun\.", said)
    assert status == 0
    assert "damaged" not in started("progress")[0]


def test_only_the_file_that_counts_is_remembered(started, walls):
    """Another one of the same name is judged, and is neither progress nor an attempt."""
    os.mkdir("sub")
    write("sub/forward.py", RIGHT)
    said, status = started("check", "sub/forward.py")
    assert said.startswith("sub/forward.py: 14 of 14 public checks pass, 20 of 20 points\n")
    assert "\n  This file does not count: forward.py does, in your workspace.\n" in said
    assert status == 0
    assert started("hint", "forward.py")[0].startswith("2 of 2 hints for linear_betas are closed")


def test_notebook_and_file_are_told_apart_until_one_is_chosen(started):
    """Every command says it that looks at the files, and `course use` settles it."""
    write("forward.py", RIGHT)
    write("12_diffusion.ipynb", json.dumps({"cells": [{"cell_type": "code", "source": MISTAKEN}]}))
    note = "note: forward.py and 12_diffusion.ipynb both hold work for forward: forward.py counts. To change that: course use notebook.\n"
    for command in (["hint", "forward"], ["progress"]):
        assert started(*command)[0].count(note) == 1
    assert started("use") == ("The Python file counts where several hold work.\n  forward.py: forward\n", 0)
    assert started("use", "notebook") == ("The notebook counts where several hold work.\n  12_diffusion.ipynb: forward\n", 0)
    started("start", ".")
    assert "12_diffusion.ipynb counts. To change that: course use files.\n" in started("progress")[0]


# ---- practice


def test_practice_tells_at_once_shows_the_working_and_the_line_for_answers(started):
    said, status = started("practice", "fresh-step", typed="0.550\n0.790\n\n")
    assert status == 0
    assert "✗ Your answer for x = 0.5, β = 0.04, ε = 1.5 is 0.550. You scaled the noise by β." in said
    assert "  Reread: course read one-step-by-hand\n" in said
    assert "  ✓ Right.\n  To hand it in, write in answers.yaml: fresh-step: 0.790\n    x_t = " in said
    assert said.endswith("Until next time. Your answers are saved.\n")


def test_practice_of_a_seed_is_asked_once(started):
    said, _ = started("practice", "fresh-step", "--seed", "7", typed="1\nw\n")
    assert "fresh-step (seed 7)" in said
    assert said.count("A pixel has the value") == 1
    assert said.endswith("  0 of 3 fresh variants in a row.\n")


def test_practice_asks_parts_one_by_one_and_on_a_further_try_only_the_wrong_ones(started):
    parts = "gan-crisp\ndiffusion-rare\ndiffusion-targets\nvae-code\ngan-drafts\nvae-calm\n"
    said, _ = started("practice", "method-choice", typed=parts + "\ndiffusion-text\n")
    assert "1 of 6: video-filter\n" in said
    assert " 4 gan-likelihood: A GAN: it bounds the likelihood of each frame, so bad frames can be dropped.\nOne of 1 to 4: gan-crisp\n" in said
    assert said.count("1 of 6: video-filter") == 1
    assert said.count("5 of 6: poster-drafts") == 2
    assert "To hand it in, write in answers.yaml: method-choice: {video-filter: gan-crisp, rare-tissue: diffusion-rare, " in said


def test_a_choice_is_answered_by_its_number_its_letter_or_its_id_and_again_at_the_next_prompt(started):
    """What is mistyped costs nothing, and there is nothing to reread for it; what is typed at "Try again" is the answer."""
    said, _ = started("practice", "lines-to-mend", typed="9\nfixed-betas b\n2, D\n")
    assert "Which of them must be fixed?" in said
    assert "All that apply, like 1 2: 9\n  There is no choice `9`: take one of fixed-betas, raw-pixels, shrinks, uniform-noise.\n" in said
    assert said.count("Reread") == 1
    assert "Try again, or see the working (w): 2, D\n  ✓ Right.\n  To hand it in, write in answers.yaml: lines-to-mend: [raw-pixels, uniform-noise]\n" in said


def test_a_typed_answer_after_a_wrong_part_is_the_first_wrong_parts(started):
    said, _ = started("practice", "method-choice", typed="1\nd\n1\n3\nb\n4\nb\n")
    assert "Try again, or see the working (w): b\n  ✓ Right.\n  To hand it in, write in answers.yaml: method-choice: {video-filter: gan-crisp, " in said


def test_the_core_comes_first_and_the_rest_is_optional(started):
    said, _ = started("practice", "--list")
    lines = [line.strip() for line in said.splitlines()]
    assert lines[:5] == [
        "Core, about 15 minutes", "fresh-step               0 of 3 in a row", "method-choice            not yet",
        "guidance-trajectory      not yet", "Optional",
    ]  # fmt: skip
    started("practice", "method-choice", typed="b\nd\na\nc\nb\nd\n")
    assert "  method-choice            done\n" in started("practice", "--list")[0]
    assert started("practice", typed="\n")[0].startswith("\nfresh-step, core ─")
    given = Path("answers.yaml").read_text(encoding="utf-8")
    assert "\nfresh-step:  # core, a number with 3 decimals\n" in given
    assert "\nlines-to-mend:  # optional, a list of all that apply: [fixed-betas, raw-pixels, shrinks, uniform-noise]\n" in given


def test_practice_asks_matches_one_by_one(started):
    said, _ = started("practice", "systems-and-parts", typed="latents\ncascade\nprior\ncaptions\n")
    assert "To hand it in, write in answers.yaml: systems-and-parts: {stable-diffusion: latents, imagen: cascade, dalle2: prior, dalle3: captions}" in said
    assert "  Done.\n" in said


# ---- what goes wrong, in full


def test_outside_a_workspace_every_command_says_so(course, tmp_path):
    words = (
        f"{tmp_path}/home: this is not a workspace, and no folder above is\n"
        "  fix: go into the folder that `course start` made, or make one: `course start my-course`\n"
    )
    for command in (["check"], ["check", "forward.py"], ["hint", "forward.py"], ["practice"], ["reset", "forward.py"], ["submit"], ["progress"]):
        assert course(*command) == (words, 2)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            ["check", "forwrad.py"],
            "forwrad.py: no exercise has a file of this name\n  fix: did you mean `forward.py`? Files keep the names that `course start` gave them\n",
        ),
        (["practice", "fresh-stop"], "there is no question `fresh-stop`\n  fix: did you mean `fresh-step`?\n"),
        (["submit", "--out", "forward.py"], "forward.py: this file exists and is not a zip\n  fix: give another name: `--out my-work.zip`\n"),
    ],
    ids=["renamed", "question", "out"],
)
def test_a_wrong_word_is_answered_in_one_clear_line(started, command, words):
    assert started(*command) == (words, 2)


def test_where_nothing_is_begun_nothing_passes(started):
    words = "nothing to check: no function and no answer is written yet, or the file is not saved\n"
    assert started("check") == (f"{words}  fix: open schedule.py in your editor, or name a file: `course check schedule.py`\n", 1)


def test_starting_among_other_things_is_refused(course, tmp_path):
    write("thesis.tex", "")
    assert course("start", "--lesson", "12") == (
        f"{tmp_path}/home: this folder is not empty (thesis.tex is there)\n  fix: use an empty folder: `course start diffusion`\n",
        2,
    )


def test_who_works_in_the_lessons_notebook_is_checked_and_packed_from_it(started, walls):
    """The starters stay as they were given, so the notebook is what counts, and what is handed in."""
    cells = [{"cell_type": "code", "source": MISTAKEN}]
    write("12_diffusion.ipynb", json.dumps({"cells": cells}))
    said, _ = started("check", "forward")
    assert said.startswith("forward in 12_diffusion.ipynb: 11 of 14 public checks pass, 15.5 of 20 points\n")
    assert "\n      print(forward_step(0.8, 0.1, -0.3))\n" in said
    assert "  Stuck? course hint forward\n" in said
    assert started("hint", "forward")[0].startswith("forward_step, hint 1 of 3\n")


def test_watching_checks_again_at_a_save_and_ctrl_c_ends_it(started, walls):
    """A process of its own, without a terminal: it waits in a fresh workspace, answers a save, and ends well."""
    command = [sys.executable, "-m", "autograder", "check", "--watch"]
    with running(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"}) as process:
        said = read_until(process.stdout, "Watching: save a file to check it again. Ctrl-C stops.")
        assert len(said) == 1
        write("forward.py", RIGHT)
        said = read_until(process.stdout, "These are the public checks.")
        assert said[1] == "forward.py: 14 of 14 public checks pass, 20 of 20 points\n"
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0


def read_until(stream, words):
    """Read lines up to one that begins with these words, or to the end."""
    lines = []
    for line in stream:
        lines.append(line)
        if line.startswith(words):
            break
    return lines
