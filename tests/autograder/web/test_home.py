"""The home page says what `course progress` says."""

import re
from datetime import datetime, timedelta
from html import unescape

import pytest

from autograder.learner.progress import advice, due_by_objective, plan, standings
from autograder.learner.review.deck import Deck
from autograder.learner.start import start
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
        found = standings(workspace, state, due_by_objective(workspace, datetime.now().astimezone()))
        left = plan(workspace, state, found)
    assert (left.cards, left.exercise) == (1, "forward")
    assert f"{left.minutes} min of reading left" in text
    assert f"{left.core} core questions left" in text
    assert "1 card due" in text
    assert "Next file forward.py" in text
    with work.session.state() as state:
        step = advice(workspace, state, found)
    section = next(one for one in workspace.lesson.main if one.id == step.subject)
    assert f"Read on {section.title}" in text
    for one in found:
        parts = {"sections read": one.read, "questions mastered": one.practised, "files that pass": one.checked}
        words = (f"{what} {f'{part.done} of {part.of}' if part.of else 'none'}" for what, part in parts.items())
        assert f"{' '.join(words)} cards due {one.due}" in text


def test_outside_a_workspace_it_says_that_nothing_is_kept(root, site, tmp_path):
    with serving(root, tmp_path, site.session.lesson.id) as served:
        text = seen(ask(served.address + "index.html")[2])
    assert "This is not a workspace, so what you do here is not kept. course start creates one." in text
    assert "30 core cards" in text
