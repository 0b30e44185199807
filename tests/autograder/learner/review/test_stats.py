"""What the log tells: counted over logs whose figures are known."""

import io
from datetime import date, datetime, timedelta

import fsrs
import msgspec
import pytest
from click.testing import CliRunner
from rich.console import Console

from autograder.cli.main import main
from autograder.cli.views import stats_view
from autograder.course.errors import UsageError
from autograder.course.loading import read_course
from autograder.learner.review.deck import Deck
from autograder.learner.review.stats import Days, Month, draw, stats_of
from tests.autograder.learner.review.conftest import MORNING, card, later, lesson_of, lived
from tests.pages import shown

TWO = card("one"), card("two", objective="carry")


@pytest.fixture
def deck(opened):
    return opened(lesson_of(*TWO))


def answer(deck, name, rating, moment, took=0):
    deck.answer(deck.faces[f"13_adding/{name}"], rating, moment, took)


def test_an_empty_log_has_figures_too(deck):
    stats = stats_of(deck, MORNING)
    assert (stats.answers, stats.due, stats.months, stats.days) == (0, (0,) * 30, (), Days(0, 0, 0))
    assert [(part.objective, part.faces, part.begun, part.known) for part in stats.parts] == [("add", 1, 0, None), ("carry", 1, 0, None)]


def test_retention_counts_cards_that_came_back_after_a_day_or_more_by_month(deck):
    """Answers while a card is learned or learned again are no test of memory."""
    answer(deck, "one", 1, later())
    answer(deck, "one", 4, later(minutes=1))  # learned
    answer(deck, "one", 1, later(days=10))  # asked: not known
    answer(deck, "one", 3, later(days=10, minutes=10))  # learned again
    answer(deck, "one", 3, later(days=20))  # asked: known
    answer(deck, "two", 4, later())
    answer(deck, "two", 3, later(days=31))  # asked: known, in April
    assert stats_of(deck, later(days=40)).months == (Month(date(2026, 3, 1), 1, 2), Month(date(2026, 4, 1), 1, 1))


def test_what_is_overdue_is_due_today_and_the_rest_on_its_day(deck):
    answer(deck, "one", 4, later())  # eight days
    assert stats_of(deck, later(days=3)).due[:7] == (0, 0, 0, 0, 0, 1, 0)
    assert stats_of(deck, later(days=30)).due[:3] == (1, 0, 0)


@pytest.mark.parametrize(
    ("days", "now", "told"),
    [
        ([0, 1, 2], 2, Days(3, 3, 3)),
        ([0, 1, 2], 3, Days(3, 3, 3)),  # today is not over
        ([0, 1, 2], 4, Days(0, 3, 3)),
        ([0, 1, 2, 5], 5, Days(1, 3, 4)),
    ],
)
def test_a_row_of_days_ends_only_when_a_whole_day_has_passed(deck, days, now, told):
    for day in days:
        answer(deck, "one", 3, later(days=day))
    assert stats_of(deck, later(days=now)).days == told


def test_a_night_belongs_to_the_day_before(deck):
    answer(deck, "one", 3, datetime(2026, 3, 3, 2, tzinfo=MORNING.tzinfo))
    answer(deck, "one", 3, datetime(2026, 3, 3, 22, tzinfo=MORNING.tzinfo))
    assert stats_of(deck, later(days=1)).days == Days(2, 2, 2)


def test_the_hardest_are_those_forgotten_most_and_flags_are_told(deck):
    for day in (0, 10, 11, 22):
        answer(deck, "two", 4 if day in (0, 11) else 1, later(days=day))
        answer(deck, "two", 4, later(days=day, minutes=10), took=60_000)
    answer(deck, "one", 4, later())
    deck.flag(deck.faces["13_adding/one"], later())
    stats = stats_of(deck, later(days=30))
    assert [(hard.face.card.id, hard.lapses) for hard in stats.hardest] == [("two", 2)]
    assert [face.card.id for face in stats.flagged] == ["one"]
    assert (stats.answers, stats.minutes) == (9, 4.0)
    assert [part.begun for part in stats.parts] == [1, 1]
    scheduler = fsrs.Scheduler(enable_fuzzing=False)
    easy, _ = scheduler.review_card(fsrs.Card(1), fsrs.Rating.Easy, MORNING)
    assert stats.parts[0].known == pytest.approx(scheduler.get_card_retrievability(easy, later(days=30)))


@pytest.fixture
def learner(root, tmp_path, monkeypatch):
    """The course's own deck after a hundred days of a learner, and the command line on the day after."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("autograder.cli.cards.now", lambda: later(days=100))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    with Deck.open(tmp_path / "denoising-course", read_course(root).lessons) as deck, deck.log.writing():
        deck.log.insert(lived(list(deck.faces.values())[:60], 100))
    return lambda *arguments: CliRunner().invoke(main, ["--course", str(root), *map(str, arguments)])


def test_the_docs_show_what_stats_prints(learner):
    printed = "\n".join(line.rstrip() for line in learner("stats").output.splitlines()) + "\n"
    assert printed == shown("docs/review.md", "Statistics")


@pytest.mark.parametrize(
    ("answers", "minutes", "days", "said"),
    [
        (0, 0, Days(0, 0, 0), "No answers yet."),
        (4, 0.4, Days(1, 1, 1), "4 answers in less than a minute, on 1 day."),
        (1, 1.2, Days(0, 1, 2), "1 answer in 1 minute, on 2 days."),
        (9, 130, Days(0, 3, 8), "9 answers in 2 hours, on 8 days; the longest streak: 3 days."),
        (9, 75, Days(2, 3, 8), "9 answers in 75 minutes, 2 days in a row (the longest streak: 3)."),
    ],
)
def test_answers_are_counted_in_plain_words(deck, answers, minutes, days, said):
    console = Console(width=100, file=io.StringIO())
    console.print(stats_view(msgspec.structs.replace(stats_of(deck, MORNING), answers=answers, minutes=minutes, days=days)))
    assert console.file.getvalue().startswith(f"{said}\n")


def test_a_picture_is_drawn(learner, tmp_path):
    done = learner("stats", "--png", tmp_path / "stats.png")
    assert done.output.endswith(f"Drawn: {tmp_path}/stats.png\n")
    assert (tmp_path / "stats.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_what_cannot_be_drawn_is_told(deck, tmp_path, monkeypatch):
    stats = stats_of(deck, MORNING)
    with pytest.raises(UsageError) as raised:
        draw(stats, tmp_path / "no" / "stats.png")
    assert str(raised.value) == f"{tmp_path}/no/stats.png: No such file or directory\n  fix: name a file that can be written: --png PATH"
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(UsageError) as raised:
        draw(stats, tmp_path / "stats.png")
    assert str(raised.value) == "drawing needs matplotlib\n  fix: install it: `pip install matplotlib`"


def test_who_has_not_begun_is_told_how(root, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    done = CliRunner().invoke(main, ["--course", str(root), "stats"])
    assert (done.exit_code, done.output) == (0, "No reviews yet. Start with: course review\n")


def test_figures_do_not_depend_on_the_order_of_rows(opened, tmp_path):
    lesson = lesson_of(*TWO)
    rows = lived(list(opened(lesson).faces.values()), 60)
    found = []
    for name, some in (("forth", rows), ("back", rows[::-1])):
        made = opened(lesson, place=tmp_path / name)
        with made.log.writing():
            made.log.insert(some)
        found.append(stats_of(made, MORNING + timedelta(days=60)))
    assert found[0] == found[1]
