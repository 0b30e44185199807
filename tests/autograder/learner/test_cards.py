"""A named misconception brings its card back, today and once; progress counts what is due."""

from datetime import UTC, datetime, timedelta

from autograder.course.kinds import Mark
from autograder.course.model import CheckResult
from autograder.learner.progress import bring_back, cards_left
from autograder.learner.review.deck import Chosen, Deck
from autograder.learner.review.stats import stats_of

MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)
MISCONCEPTION = CheckResult("by_hand", "By hand", 0, 2, "failed", "wrong", "", "beta_as_standard_deviation", "one-step-by-hand", "noise-scale")


def test_a_named_misconception_makes_its_card_due_today_once(workspace):
    assert bring_back(workspace, [MISCONCEPTION, MISCONCEPTION], "check forward", MORNING) == ("noise-scale",)
    assert bring_back(workspace, [MISCONCEPTION], "check forward", MORNING + timedelta(hours=5)) == ()
    with Deck.open(workspace.hidden, [workspace.lesson], Chosen(new=0)) as deck:
        assert deck.next_card(MORNING).id == "12_diffusion/noise-scale"
        assert [row.about for row in deck.log.since(0)] == ["check forward"]


def test_a_practice_answer_brings_its_card_too_and_what_has_no_name_brings_none(workspace):
    told = [
        Mark(0, "failed", (), "beta_as_standard_deviation", "one-step-by-hand", "noise-scale"),
        Mark(0, "failed", (), None, "one-step-by-hand", "signal-root"),
        CheckResult("right", "Right", 2, 2, "passed", card="alpha-bar", misconception="x"),
    ]
    assert bring_back(workspace, told, "practice fresh-step", MORNING) == ("noise-scale",)


def test_progress_tells_no_cards_before_there_are_any_and_then_those_of_each_objective(workspace):
    assert cards_left(workspace, MORNING) is None
    bring_back(workspace, [MISCONCEPTION], "check forward", MORNING)
    left = cards_left(workspace, MORNING)
    assert (left.due, left.new) == ({"forward-step": 1}, 10)


def test_progress_statistics_and_the_review_agree_on_what_is_due(workspace):
    """A card that was just answered isn't, until its minute has come."""
    bring_back(workspace, [MISCONCEPTION], "check forward", MORNING)
    for minutes, counted in ((0, 1), (1, 0), (20, 1)):
        now = MORNING + timedelta(minutes=minutes)
        with Deck.open(workspace.reviews, [workspace.lesson]) as deck:
            if minutes == 1:
                deck.answer(deck.next_card(now), 3, now)
            assert deck.counts(now).due == sum(part.due for part in stats_of(deck, now).parts) == counted
        assert cards_left(workspace, now).due["forward-step"] == counted
