"""Parameters fitted by fsrs's own optimizer: only with enough answers, only when better, only when agreed to."""

import math

import fsrs
import pytest
from click.testing import CliRunner

from autograder.cli.main import main
from autograder.course.errors import UsageError
from autograder.course.loading import read_course
from autograder.learner.review import stats
from autograder.learner.review.deck import Deck
from autograder.learner.review.schedule import Scheduling
from autograder.learner.review.stats import Fit, fit, loss
from tests.autograder.learner.review.conftest import MORNING, card, later, lesson_of, lived

FITTED = Scheduling(parameters=(*Scheduling().parameters[:3], 2.0, *Scheduling().parameters[4:]))


def test_the_optimizer_finds_parameters_that_foretell_a_forgetful_learner_better(root, opened, monkeypatch):
    monkeypatch.setattr("fsrs.optimizer.num_epochs", 1)
    deck = opened(*read_course(root).lessons)
    with deck.log.writing():
        deck.log.insert(lived(list(deck.faces.values())[:60], 160, forgets=1.8))
    deck.refresh()
    found = fit(deck)
    assert found.counted == 870
    assert found.after < found.before - 0.01
    assert found.scheduling.parameters != Scheduling().parameters
    assert found.scheduling.scheduler().parameters == found.scheduling.parameters  # in fsrs's bounds


def test_the_loss_is_that_of_the_probabilities_that_fsrs_gave(opened):
    deck = opened(lesson_of(card("one")))
    for day, rating in ((0, 4), (10, 3), (10, 3), (40, 1)):  # the second answer of a day tells nothing about memory
        deck.answer(deck.faces["13_adding/one"], rating, later(days=day))
    scheduler, state, given = fsrs.Scheduler(enable_fuzzing=False), fsrs.Card(1), []
    for day, rating in ((0, 4), (10, 3), (10, 3), (40, 1)):
        given.append(scheduler.get_card_retrievability(state, later(days=day)))
        state, _ = scheduler.review_card(state, fsrs.Rating(rating), later(days=day))
    assert loss(deck, Scheduling()) == pytest.approx((-math.log(given[1]) - math.log(1 - given[3])) / 2)


def test_too_few_answers_are_told(opened):
    deck = opened()
    deck.answer(deck.next_card(MORNING), 4, MORNING)
    deck.answer(deck.faces["13_adding/one"], 4, later(days=8))
    with pytest.raises(UsageError) as raised:
        fit(deck)
    assert str(raised.value) == (
        "512 answers are needed, and 1 count so far: those given a day or more after the previous one\n"
        "  fix: keep reviewing; FSRS's default parameters are good ones"
    )


def test_what_is_not_installed_is_told(opened, monkeypatch):
    class Missing:
        def __init__(self, logs):
            raise ImportError

    monkeypatch.setattr(fsrs, "Optimizer", Missing, raising=False)
    monkeypatch.setattr(stats, "ENOUGH", 0)
    deck = opened()
    with pytest.raises(UsageError) as raised:
        fit(deck)
    assert str(raised.value) == "fitting needs pandas and tqdm\n  fix: install them: `pip install pandas tqdm`"


@pytest.fixture
def optimise(root, tmp_path, monkeypatch):
    """Give the command with a fit that came to these losses, `typed` as the answer, and the parameters in force afterwards."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    def run(*arguments, before=0.5, after=0.4, typed=""):
        monkeypatch.setattr("autograder.cli.cards.fit", lambda deck: Fit(870, before, after, FITTED))
        done = CliRunner().invoke(main, ["--course", str(root), "optimise", *arguments], input=typed)
        with Deck.open(tmp_path / "denoising-course", read_course(root).lessons) as deck:
            return done.output, deck.scheduling

    return run


def test_it_asks_and_adopts_only_when_agreed_to(optimise):
    said, scheduling = optimise(typed="n\n")
    assert (said, scheduling) == ("870 answers count. Mean log loss over them: 0.5000 now, 0.4000 fitted.\nAdopt them? Every card is rescheduled [y/N]: n\n", Scheduling())
    said, scheduling = optimise(typed="y\n")
    assert said.endswith("y\nAdopted. To go back: course optimise --defaults\n")
    assert scheduling == FITTED
    said, scheduling = optimise("--defaults")
    assert (said, scheduling) == ("Cards are scheduled by FSRS's default parameters again.\n", Scheduling())


def test_parameters_that_are_no_better_are_not_offered(optimise):
    said, scheduling = optimise(after=0.5)
    assert said.endswith("\nThe fitted parameters are no better: nothing is changed.\n")
    assert scheduling == Scheduling()
