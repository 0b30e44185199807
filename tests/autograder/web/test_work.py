"""Cards and exercises over HTTP: what the terminal writes is seen, and what is done here the terminal knows."""

import json
import re
import threading
import time
import urllib.request
from datetime import datetime
from urllib.parse import urlencode

import pytest

from autograder.course.loading import read_policy
from autograder.course.model import CheckResult
from autograder.course.text import to_html
from autograder.learner.check import Checker
from autograder.learner.progress import remember
from autograder.learner.review.deck import Deck
from autograder.learner.start import start
from autograder.web.pages import plain_text
from tests.autograder.web.conftest import serving
from tests.autograder.web.test_guard import ask
from tests.programs import PATIENCE, wait_for


@pytest.fixture
def work(root, site, tmp_path):
    """A workspace of its own with a site before it."""
    start(tmp_path / "work", root, site.session.lesson)
    with serving(root, tmp_path / "work") as served:
        yield served


def now():
    return datetime.now().astimezone()


# ---- cards


def deck_of(site):
    return Deck.open(site.session.workspace.hidden, (site.session.lesson,))


def rate(site, rating, *, took="4000"):
    """Answer the card that the page shows."""
    text = ask(site.address + "cards.html")[2]
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', text)) | {"took": took, "do": rating}
    return fields["face"], ask(site.address + "cards.html", method="POST", body=urlencode(fields).encode(), X_Part="card")[2]


def test_a_rating_on_the_page_is_a_row_of_the_terminals_log(work):
    with deck_of(work) as deck:
        wanted = deck.next_card(now())
    face, text = rate(work, "1")
    assert face == wanted.id
    assert "Answered: Again." in text
    with deck_of(work) as deck:
        assert deck.state(wanted).reviews == 1
        assert deck.state(wanted).learning
        assert (deck.log.since(0)[-1].rating, deck.log.since(0)[-1].took) == (1, 4000)


def test_the_terminal_may_review_at_the_same_time(work):
    """A card that was answered there is not asked here again, and an answer to it that was on its way here is not written down."""
    text = ask(work.address + "cards.html")[2]
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', text))
    with deck_of(work) as deck:
        deck.answer(deck.faces[fields["face"]], 4, now())
    told = ask(work.address + "cards.html", method="POST", body=urlencode(fields | {"do": "1"}).encode(), X_Part="card")[2]
    assert "This card was answered elsewhere in the meantime. Here is the next one." in told
    assert f'value="{fields["face"]}"' not in told
    with deck_of(work) as deck:
        assert deck.state(deck.faces[fields["face"]]).reviews == 1


def test_an_answer_is_taken_back_and_its_card_shown_again(work):
    face, _ = rate(work, "3")
    text = ask(work.address + "cards.html", method="POST", body=b"do=undo", X_Part="card")[2]
    assert "Undone." in text
    assert f'name="face" value="{face}"' in text
    with deck_of(work) as deck:
        assert deck.state(deck.faces[face]).reviews == 0
    assert "There is no answer from today to undo." in ask(work.address + "cards.html", method="POST", body=b"do=undo", X_Part="card")[2]


@pytest.mark.parametrize("sent", [{}, {"do": "5"}, {"face": "x/y", "do": "3"}, {"do": "3", "face": "<b>"}, {"do": "flag"}])
def test_what_is_no_answer_writes_nothing(work, sent):
    assert ask(work.address + "cards.html", method="POST", body=urlencode(sent).encode())[0] == 200
    with deck_of(work) as deck:
        assert deck.log.since(0) == []


def test_a_thought_that_took_hours_counts_ten_minutes(work):
    rate(work, "3", took="999999999")
    with deck_of(work) as deck:
        assert deck.log.since(0)[-1].took == 600_000


def test_the_cards_of_a_section_come_first_and_then_all_others(work):
    section = work.session.lesson.main[-1]
    own = {card.id for card in work.session.lesson.cards if card.section == section.id}
    with deck_of(work) as deck:
        deck.bring([f"{work.session.lesson.id}/{next(card.id for card in work.session.lesson.cards if card.id not in own)}"], now(), "")
    address, asked = f"{work.address}cards.html?section={section.id}", []
    text = ask(address)[2]
    assert f"The cards of “{section.title}” come first." in text
    while len(asked) <= len(own):
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', text)) | {"do": "4"}
        asked.append(fields["face"].split("/")[1])
        text = ask(address, method="POST", body=urlencode(fields).encode(), X_Part="card")[2]
    assert set(asked[:-1]) == own
    assert asked[-1] not in own


def test_when_nothing_is_left_the_page_says_when_the_next_come(work):
    with deck_of(work) as deck:
        while face := deck.next_card(now()):
            deck.answer(face, 4, now())
    text = ask(work.address + "cards.html")[2]
    assert "Nothing is left for now" in text
    assert re.search(r"Next: [0-9]+ cards? (tomorrow|in [0-9]+ days)\.", text)


# ---- exercises


def check(site, exercise, root):
    with Checker(read_policy(root), tell=str, walls=False) as checker, site.session.state() as state:
        checked = checker.check(site.session.workspace, exercise)
        remember(state, checked)
        return checked


WRONG = "def forward_step(x_prev, beta, eps):\n    return (1 - beta) ** 0.5 * x_prev + beta * eps\n"


def test_the_last_checks_feedback_is_shown_in_the_graders_words(root, work):
    (work.folder / "forward.py").write_text(WRONG)
    checked = check(work, "forward", root)
    text = plain_text(re.sub("</?code>", "`", ask(work.address + "exercises.html")[2]))
    wrong = next(one for one in checked.checks if one.misconception == "beta_as_standard_deviation")
    assert wrong.message in text
    assert f"{checked.passed} of {len(checked.checks)}" in text
    assert "The file has changed since." not in text
    (work.folder / "forward.py").write_text(WRONG + "# more\n")
    assert "The file has changed since." in ask(work.address + "exercises.html")[2]


def test_where_a_file_cannot_be_loaded_no_number_of_checks_waits(root, work):
    """Nothing can be checked then, which is said once: a number would leave some out."""
    for source, waits in ((WRONG, True), ("def f(:\n", False)):
        (work.folder / "forward.py").write_text(source)
        check(work, "forward", root)
        text = ask(work.address + "exercises.html")[2]
        assert (" until these pass." in text, "Nothing can be checked yet" in text) == (waits, not waits)


def test_each_file_says_how_it_stands(work):
    (work.folder / "loss.py").unlink()
    (work.folder / "ddim.py").write_text("# mine\n")
    stands = dict(re.findall(r'id="exercise-(\w+)" data-stand="([^"]*)"', ask(work.address + "exercises.html")[2]))
    assert (stands["loss"], stands["ddim"], stands["forward"]) == ("missing", "not checked yet", "not started")
    assert list(stands) == [*(one.id for one in work.session.lesson.exercises), "practice"]


def test_home_leads_to_where_the_next_file_is_written_and_the_list_marks_it(work):
    first = work.session.lesson.exercises[0].id
    assert f'href="exercise-{first}.html#write"' in ask(work.address + "index.html")[2]
    assert re.findall(r'id="exercise-(\w+)"[^>]* data-next>', ask(work.address + "exercises.html")[2]) == [first]


def test_the_next_file_is_offered_once_this_one_passes(work):
    def offered(on):
        text = ask(f"{work.address}exercise-{on}.html", X_Part="other")[2]
        assert text in ask(f"{work.address}exercise-{on}.html")[2]
        return re.search(r'href="exercise-(\w+)\.html#write">(.*)</a>', text).groups()

    def checked(exercise, passed):
        with work.session.state() as state:
            state.add("check", exercise, sha256="", score=2, max_score=20, passed=passed, checks=14, failing=[], unwritten=[], untouched=False, misconceptions=[])

    first, second, third, *_ = (one.id for one in work.session.lesson.exercises)
    assert offered(second) == (first, f"Another file: {first}.py")
    checked(first, 0)
    assert offered(first) == (second, f"Another file: {second}.py")
    checked(first, 14)
    assert offered(first) == (second, f"Next: {second}.py")
    checked(second, 14)
    assert offered(second) == (third, f"Next: {third}.py")
    assert offered(third)[1].startswith("Another file: ")
    for one in work.session.lesson.exercises:
        checked(one.id, 14)
    assert offered(first) == (second, f"Another file: {second}.py")


def test_what_a_student_wrote_is_never_html(work):
    with work.session.state() as state:
        bad = CheckResult("a", "<b>title</b>", 0, 1, "failed", "wrong", "<script>alert(1)</script>", None, '"><img src=x>')
        state.add("check", "forward", sha256="", score=0, max_score=1, passed=0, checks=1, failing=[], unwritten=[], untouched=False, misconceptions=[], results=[vars_of(bad)])
    text = ask(work.address + "exercises.html")[2]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert" not in text
    assert "<b>title</b>" not in text
    assert "<img src=x>" not in text


def vars_of(result):
    return {name: getattr(result, name) for name in result.__struct_fields__}


def test_a_check_that_an_earlier_version_wrote_down_is_shown_without_its_words(work):
    with work.session.state() as state:
        state.add("check", "forward", sha256="", score=2, max_score=20, passed=1, checks=14, failing=[], unwritten=[], untouched=False, misconceptions=[])
    assert "1 of 14" in ask(work.address + "exercises.html")[2]


def listen(address, count):
    """Collect that many events of an address, in a thread; `join` gives them."""
    heard = []

    def run():
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            while len(heard) < count:
                line = answer.readline().decode().strip()
                if line.startswith("event: "):
                    heard.append((line.removeprefix("event: "), time.monotonic()))

    thread = threading.Thread(target=run)
    thread.start()
    return thread, heard


def test_a_save_and_a_check_are_told_at_once(root, work):
    thread, heard = listen(work.address + "exercises-events", 3)
    for count, change in enumerate((lambda: (work.folder / "forward.py").write_text(WRONG), lambda: check(work, "forward", root)), 1):
        wait_for(lambda count=count: len(heard) >= count)
        change()
    thread.join(PATIENCE)
    assert [kind for kind, _ in heard] == ["changed"] * 3


def test_without_a_workspace_the_page_says_how_to_make_one(root, tmp_path):
    with serving(root, tmp_path) as served:
        assert "<code>course start</code>" in ask(served.address + "exercises.html")[2]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("`f(1)` gave `<b>`.", "<code>f(1)</code> gave <code>&lt;b&gt;</code>."),
        ("no code", "no code"),
        ("`a` and ` alone", "<code>a</code> and ` alone"),
        ("`", "`"),
        ("", ""),
    ],
)
def test_what_stands_between_backticks_is_code_and_all_of_it_is_escaped(text, html):
    assert to_html(text) == html


def test_an_event_source_is_json(site):
    with urllib.request.urlopen(site.address + "exercises-events", timeout=PATIENCE) as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.readline() == b"event: changed\n"
        assert json.loads(answer.readline().removeprefix(b"data: ")) == {}
