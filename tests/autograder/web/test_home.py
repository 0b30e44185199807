"""The home page says what `course progress` says."""

import re
from datetime import datetime, timedelta
from html import unescape

import pytest

from autograder.author.scaffold import new_lesson
from autograder.course.loading import read_course
from autograder.learner.progress import advice, cards_left, plan, standings
from autograder.learner.review.deck import Deck
from autograder.learner.start import start
from autograder.web.app import write_site
from tests.autograder.web.conftest import serving
from tests.autograder.web.test_guard import ask


@pytest.fixture(scope="module")
def work(root, site, tmp_path_factory):
    """A site with a workspace in which something was read and reviewed."""
    folder = tmp_path_factory.mktemp("home") / "work"
    start(folder, root, site.session.lesson)
    with serving(root, folder) as served, served.session.state() as state:
        for section in served.session.lesson.main[:3]:
            state.add("read", section.id)
        state.add("check", "schedule", passed=1, checks=1)
        with Deck.open(served.session.workspace.reviews, served.session.reviewed) as deck:
            for seconds, rating in ((300, 1), (270, 3)):  # ago: only the first is due again
                now = datetime.now().astimezone() - timedelta(seconds=seconds)
                deck.answer(deck.next_card(now), rating, now)
        yield served


def seen(html):
    return " ".join(unescape(re.sub("<[^>]*>", " ", html)).split())


def test_home_and_progress_have_the_same_figures(work):
    text, workspace = seen(ask(work.address + "index.html")[2]), work.session.workspace
    with work.session.state() as state:
        cards = cards_left(workspace, datetime.now().astimezone())
        found, left = standings(workspace, state, cards), plan(workspace, state, cards)
    assert (left.due, left.new, left.exercise) == (1, 8, "forward")
    assert f"{left.minutes} min of reading left" in text
    assert f"{left.core} core questions left" in text
    assert "1 card due, 8 new" in text
    assert "Next file forward.py about 35 minutes, course check forward.py" in text
    with work.session.state() as state:
        step = advice(workspace, state, found)
    section = next(one for one in workspace.lesson.main if one.id == step.subject)
    assert f"Read on {section.title}" in text
    for one in found:
        parts = {"sections read": one.read, "questions mastered": one.practised, "files that pass": one.checked}
        words = (f"{what} {f'{part.done} of {part.of}' if part.of else 'none'}" for what, part in parts.items())
        assert f"{' '.join(words)} cards due {one.due}" in text


def test_who_answered_a_question_before_reading_goes_on_and_begins_to_read(root, site, tmp_path):
    start(tmp_path / "work", root, site.session.lesson)
    with serving(root, tmp_path / "work") as served:
        assert "Begin here Read first." in seen(ask(served.address + "index.html")[2])
        with served.session.state() as state:
            state.add("practice", "fresh-step", seed=None, right=False, misconception=None)
        text = seen(ask(served.address + "index.html")[2])
    assert "Go on Begin reading" in text
    assert "Read first." not in text


def test_outside_a_workspace_it_says_that_nothing_is_kept(root, site, tmp_path):
    with serving(root, tmp_path, site.session.lesson.id) as served:
        text = seen(ask(served.address + "index.html")[2])
    assert "This is not a workspace, so what you do here is not kept. course start creates one." in text
    assert "30 core cards" in text


def test_a_lesson_just_begun_is_told_in_plain_words(tmp_path):
    (tmp_path / "solutions").mkdir()
    (tmp_path / "course.yaml").write_text('title: New\ntrack: Vision\nphase: "1"\n')
    new_lesson(tmp_path, "01_scaling")
    course = read_course(tmp_path)
    place = write_site(course, course.lessons, tmp_path / "site").place
    home, practice = (seen((place / f"{name}.html").read_text(encoding="utf-8")) for name in ("index", "practice"))
    assert "about 1 minute of reading, and 1 file to write" in home
    assert "Next question Factor of one optional" in home
    assert "each before you forget it 1 card Next file" in home
    assert "questions – 1" in home
    assert "Core" not in practice
