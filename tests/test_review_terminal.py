"""`course review` as a person sees it: a real pty, a real screen, keys one by one."""

import os
import shutil
import signal
import sqlite3
import termios
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.pages import shown
from tests.terminal import Terminal

FIRST = "A diffusion model has two directions. Which one is learned?"
ANSWER = "The reverse one, from noise to image."
SECOND = "What does a diffusion model pay for stable training and diverse samples?"
FRONT, BACK = "Space shows the answer", "1 Again"


@pytest.fixture
def review(root, tmp_path):
    """Start `course review` outside a workspace, its answers kept in this test's folder."""
    started = []

    def start(*arguments, course=root, **more):
        cwd = tmp_path / "elsewhere"
        cwd.mkdir(exist_ok=True)
        command = "--course", str(course), "review", *arguments
        noon = f"NOON{datetime.now(UTC).hour - 12:+d}"  # where it is noon now: a day of cards ends at four in the morning
        started.append(Terminal(*command, cwd=cwd, XDG_DATA_HOME=str(tmp_path / "data"), TZ=noon, **more))
        return started[-1]

    yield start
    for terminal in started:
        terminal.close()


@pytest.fixture
def kept(tmp_path):
    """Read what is kept in the log: kind and rating of every row."""

    def read():
        path = tmp_path / "data" / "denoising-course" / "reviews.sqlite"
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            found = db.execute("SELECT kind, rating FROM log ORDER BY place").fetchall()
        db.close()
        return found

    return read


def test_a_session_from_the_first_card_to_leaving(review, kept, tmp_path):
    terminal = review().shows("New 10 Learning 0 Due 0", FIRST, FRONT)
    assert ANSWER not in terminal.flat
    terminal.press(" ").shows(ANSWER, "Why a third family", "1 Again 2 Hard 3 Good 4 Easy 1 min 6 min 10 min 8 days")
    terminal.press("\r").shows(SECOND, "New 9 Learning 1 Due 0", FRONT)  # Enter meant Good
    terminal.press("f").shows("Flagged.", "⚑ flagged")
    terminal.press("?").shows("Again: you did not know it.").press("x").shows(SECOND, FRONT)
    terminal.press(" ").shows(BACK).press("1").shows("New 8 Learning 2 Due 0", FRONT)
    assert kept() == [("review", 3), ("flag", 0), ("review", 1)]
    terminal.press("u").shows("Undone.", SECOND).press("u").shows("Undone.", FIRST)
    terminal.press("u").shows("There is no answer from today to undo.")
    terminal.press(" 4").shows("New 9 Learning 0 Due 0", SECOND)
    terminal.press("q")
    assert terminal.ends() == 0
    said = f"1 card answered. Left today: New 9, Learning 0, Due 0. Your answers are kept in {tmp_path}/data/denoising-course."
    assert said.replace(" ", "") in terminal.flat.replace(" ", "")


def test_the_docs_show_the_screen(review):
    screen = shown("docs/review.md", "A review session").removesuffix("\n")
    assert review().shows(FRONT).press(" ").shows(BACK).text == screen


def test_a_hundred_keys_typed_ahead_answer_card_after_card(review, kept):
    """Nothing that is typed fast is lost; the session ends by itself and says what comes."""
    terminal = review("--new", "25").shows(FRONT)
    terminal.press(" 4" * 25)
    assert terminal.ends() == 0
    assert kept() == [("review", 4)] * 25
    assert "25 cards answered. Next: 25 cards tomorrow." in terminal.flat


def test_a_narrow_low_window_shows_the_answer_and_cuts_the_question(review):
    terminal = review(columns=34, rows=9).shows(FIRST, "New 10 Learning 0 Due 0")
    terminal.press(" ").shows(ANSWER, "1 Again 2 Hard 3 Good 4 Easy", "1 min 6 min 10 min 8 days")
    assert terminal.text.splitlines()[2] == "…"


def test_a_resized_window_is_drawn_again(review):
    terminal = review(columns=120, rows=30).shows(FIRST, FRONT)
    assert terminal.screen.display[1].rstrip() == "─" * 84
    terminal.resize(40, 20)
    terminal.shows("─" * 40 + " ", FIRST, FRONT)
    assert terminal.screen.display[1] == "─" * 40


def test_no_color_means_none(review):
    terminal = review(NO_COLOR="1").shows(FIRST, FRONT).press(" ").shows(ANSWER)
    assert {terminal.screen.buffer[row][column].fg for row in range(24) for column in range(80)} == {"default"}
    coloured = review().shows(FIRST)
    assert coloured.screen.buffer[0][0].fg == "blue"


@pytest.mark.parametrize("end", ["\x03", "q", "\x04", signal.SIGTERM, signal.SIGHUP])
def test_however_it_is_left_the_terminal_is_as_it_was(review, end):
    terminal = review()
    before = terminal.modes
    terminal.shows(FRONT)
    assert not terminal.modes[3] & termios.ECHO
    terminal.kill(end) if isinstance(end, signal.Signals) else terminal.press(end)
    terminal.shows("No cards answered.")
    assert terminal.modes == before
    assert b"\x1b[?1049l" in terminal.raw
    assert terminal.ends() == 0


def test_killed_between_answer_and_next_nothing_is_lost(review, kept):
    terminal = review().shows(FRONT).press(" ").shows(BACK).press("3").shows(SECOND)
    terminal.kill()
    assert terminal.ends() == -signal.SIGKILL
    assert kept() == [("review", 3)]
    review().shows(SECOND, "New 9 Learning 1 Due 0")


def test_what_one_terminal_answered_another_does_not_ask(review, kept):
    one, two = review().shows(FIRST), review().shows(FIRST)
    one.press(" 4").shows(SECOND)
    two.press(" 4").shows(SECOND, "New 9")  # both had asked the first card, and both answers are kept
    one.press(" 4").shows("To which range are images scaled", "New 8", FRONT)
    two.press("u").shows("Undone.", FIRST)  # its own answer, not the other terminal's
    assert kept() == [("review", 4)] * 3 + [("undo", 0)]


def test_the_section_opens_in_the_pager_and_the_card_is_there_again(review, tmp_path):
    pager = tmp_path / "pager"
    pager.write_text("#!/bin/sh\nhead -20; echo THE PAGER; read line < /dev/tty\n")
    pager.chmod(0o755)
    terminal = review(PAGER=str(pager), rows=40).shows(FRONT).press("e").shows("THE PAGER", "Why a third family")
    terminal.press("\n").shows(FIRST, FRONT)


def test_a_card_without_a_figure_says_so(review):
    review().shows(FRONT).press("o").shows("This card has no figure.")


def test_a_figure_opens_in_the_browser(review, tmp_path):
    """In a small course, whose first card shows a picture; the browser is a script that writes down what it was given."""
    course, browser = tmp_path / "course", tmp_path / "browser"
    shutil.copytree(Path(__file__).parent / "broken_courses" / "tiny", course)
    cards = course / "lessons" / "13_adding" / "flashcards.yaml"
    cards.write_text(cards.read_text().replace("What is $a + b$?", "What is this? ![two bars](figures/bars-light.svg)"))
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    terminal = review(course=course, BROWSER=str(browser)).shows("What is this? Image: two bars (o opens it)")
    terminal.press("o").press("?").shows("Press any key to go back.")
    assert (tmp_path / "opened").read_text() == (course / "lessons/13_adding/figures/bars-light.svg").as_uri() + "\n"
    (course / "lessons/13_adding/figures/bars-light.svg").unlink()
    terminal.press("x").shows(FRONT).press("o").shows("Cannot open the figure:")


def test_cramming_asks_until_known_and_leaves_the_schedule(review, kept):
    terminal = review("--cram", "--tag", "pixels_not_scaled").shows("Cramming: 1 left", "To which range")
    terminal.press(" ").shows(BACK).press("1").shows("Cramming: 1 left", FRONT).press(" ").shows(BACK).press("3")
    assert terminal.ends() == 0
    assert kept() == [("cram", 1), ("cram", 3)]


def test_a_clock_set_back_is_asked_about(review, kept, tmp_path):
    review().shows(FRONT).press(" 4").shows(SECOND).press("q").ends()
    path = tmp_path / "data" / "denoising-course" / "reviews.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("UPDATE log SET at = at + 4 * 365 * 86400000")
    db.close()
    terminal = review().shows("but your last answer here is dated", "Is the clock right now? [y/N]:").press("n\n")
    assert terminal.ends() == 2
    assert "the clock is wrong fix: set the clock and try again: nothing is lost" in terminal.flat
    review().shows("Is the clock right now?").press("y\n").shows(SECOND, FRONT)
    assert kept() == [("review", 4), ("clock", 0)]


def test_ctrl_z_gives_the_terminal_back_and_waking_draws_anew(review):
    terminal = review()
    before = terminal.modes
    terminal.shows(FRONT).press("\x1a")
    os.waitpid(terminal.pid, os.WUNTRACED)
    terminal.shows()
    assert terminal.modes == before
    assert terminal.raw.endswith(b"\x1b[?1049l")
    terminal.screen.reset()
    os.kill(terminal.pid, signal.SIGCONT)
    terminal.shows(FIRST, FRONT).press(" ").shows(ANSWER)
    assert terminal.raw.count(b"\x1b[?1049h") == 2
