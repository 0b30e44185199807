"""The cards of a site without a server, in a real Chromium: the terminal's schedule, and a log that goes to it and comes back."""

import random
from datetime import datetime

import msgspec
import pytest
from playwright.sync_api import expect

from autograder.learner.review.deck import NEW_A_DAY, Deck
from autograder.learner.review.log import Row, grouped
from autograder.learner.review.queue import faces_of, queue_of
from autograder.learner.review.schedule import Scheduling, State, replay

pytestmark = pytest.mark.xdist_group("browser")

STATES = "(text) => Object.fromEntries(deck.statesOf(deck.read(text)).states)"
MINUTE, DAY = 60_000, 86_400_000
PAUSES = (MINUTE // 2, 9 * MINUTE, 5 * 60 * MINUTE, DAY, 17 * DAY, 400 * DAY)


def history(faces, scheduling):
    """Draw what a learner did on two devices: answers at all hours, some taken back, flags, cards brought back, a clock set right."""
    drawn, rows = random.Random(12), []
    for face in faces:
        at = 1_780_000_000_000 + drawn.randrange(DAY)
        for _ in range(drawn.randrange(1, 30)):
            at += drawn.choice(PAUSES) + drawn.randrange(1000)
            kind = drawn.choices(["review", "flag", "bring", "undo", "clock"], [30, 1, 1, 3, 0.2])[0]
            last = next((row.id for row in reversed(rows) if row.card == face.id and row.kind == "review"), "")
            more = {"rating": drawn.choice((1, 3, 3, 3, 2, 4)), "scheduling": scheduling.id} if kind == "review" else {"about": last if kind == "undo" else ""}
            card = "" if kind == "clock" else face.id
            rows.append(Row(f"{len(rows):032x}", drawn.choice("ab"), len(rows) + 1, at, drawn.choice((0, 60, -480, 330)), kind, card, **more))
    return rows


def test_the_page_and_the_terminal_give_each_card_the_same_dates(site, visit, as_files):
    scheduling = Scheduling()
    rows = history(faces_of([site.session.lesson]), scheduling)
    clocks = grouped((row for row in rows if row.kind == "clock"), "device")
    states = replay(grouped((row for row in rows if row.card), "card"), clocks, scheduling)
    page = visit(as_files + "cards.html")
    found = page.evaluate(STATES, "\n".join(msgspec.json.encode(row).decode() for row in rows))
    assert {card: (one["phase"], one["due"], one["reviews"], one["wanted"], one["flagged"]) for card, one in found.items()} == {
        card: (one.phase, one.due, one.reviews, one.wanted, one.flagged) for card, one in states.items() if one != State()
    }
    assert {one.phase for one in states.values()} >= {"learning", "review", "relearning"}


def test_cards_come_one_at_a_time_and_are_remembered(visit, as_files):
    page = visit(as_files + "cards.html")
    told, counts, back = page.locator(".told"), page.locator(".counts"), page.locator(".card .back")
    expect(counts).to_contain_text("10 new")
    undo = page.get_by_role("button", name="Take the last one back")
    expect(undo).to_have_count(0)
    expect(page.get_by_role("button", name="Good")).to_be_hidden()
    page.keyboard.press("Space")
    expect(back).to_be_visible()
    expect(page.get_by_role("button", name="Good")).to_contain_text("10 min")
    page.keyboard.press("3")
    expect(told).to_have_text("Answered: Good.")
    page.reload()
    expect(counts).to_contain_text("9 new")
    expect(counts).to_contain_text("1 learning")
    expect(undo).to_be_visible()
    page.keyboard.press("f")
    expect(counts).to_contain_text("flagged")
    page.keyboard.press("u")
    expect(told).to_have_text("Undone.")
    expect(counts).to_contain_text("10 new")


def test_the_cards_of_a_section_come_first(site, visit, as_files):
    """As on the page that is served, and no more of them in a day."""
    lesson, now = site.session.lesson, datetime.now().astimezone()
    page = visit(as_files + "lesson.html")
    page.locator("#faster .now").get_by_role("link", name="the 8 cards").click()
    expect(page.get_by_text("The cards of “Three ways to be faster” come first.")).to_be_visible()
    expect(page.locator(".counts")).to_contain_text("10 new")
    queue = queue_of(faces_of([lesson]), {}, now, NEW_A_DAY, f"{lesson.id}/faster")
    for face in queue.new:
        expect(page.locator('[name="face"]')).to_have_value(face.id)
        page.keyboard.press("Space")
        page.keyboard.press("4")
    expect(page.get_by_role("heading", name="Nothing is left for now")).to_be_visible()


def test_answers_go_to_the_terminal_and_come_back(site, visit, as_files, tmp_path):
    """The file that the page saves is merged by `course review --merge`, and the page takes the terminal's `reviews.jsonl`."""
    page = visit(as_files + "cards.html")
    answered = page.locator('[name="face"]').get_attribute("value")
    page.locator(".card summary").click()
    page.get_by_role("button", name="Easy").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save them to a file").click()
    download.value.save_as(tmp_path / "reviews.jsonl")
    now = datetime.now().astimezone()
    with Deck.open(tmp_path / "own", [site.session.lesson]) as deck:
        merged = deck.merge(tmp_path / "reviews.jsonl", now)
        assert (merged.new, merged.known, merged.refused) == (1, 0, 0)
        assert (deck.states[answered].phase, deck.states[answered].reviews) == ("review", 1)
        assert deck.states[answered].due == page.evaluate("([id]) => deck.statesOf(deck.read(localStorage['reviews.jsonl'])).states.get(id).due", [answered])
        deck.answer(deck.next_card(now), 3, now)
    assert page.locator("label:has(#bring)").text_content() == "bring a file from elsewhere"  # no space at its end is underlined
    page.get_by_label("bring a file from elsewhere").set_input_files(tmp_path / "own" / "reviews.jsonl")
    expect(page.locator(".told")).to_have_text("1 new entry, 1 known already.")
    expect(page.locator(".counts")).to_contain_text("1 learning")


def test_a_line_that_is_no_review_is_told_with_its_place(visit, as_files):
    """And nothing is lost: neither what is kept here, nor what is right in the file."""
    page = visit(as_files + "cards.html")
    page.keyboard.press("Space")
    page.keyboard.press("3")
    expect(page.locator(".told")).to_have_text("Answered: Good.")
    row = Row("a" * 32, "b", 1, 1_780_000_000_000, 0, "review", page.locator('[name="face"]').get_attribute("value"), 3)
    for lines, said in (
        ("hello\n{\"a\":1}\n", "bad.jsonl, line 1: not a review. Choose a file that Cards or course review saved."),
        (f"{msgspec.json.encode(row).decode()}\nhello\n", "1 new entry, 0 known already. Line 2 is not a review and was left out."),
        ("null\n{}\n\n" + msgspec.json.encode(row).decode(), "0 new entries, 1 known already. 2 lines are not reviews and were left out, the first in line 1."),
    ):
        page.get_by_label("bring a file from elsewhere").set_input_files({"name": "bad.jsonl", "mimeType": "text/plain", "buffer": lines.encode()})
        expect(page.locator(".told")).to_have_text(said)
    assert page.evaluate("() => deck.read(localStorage['reviews.jsonl']).rows.length") == 2


def test_a_site_that_is_opened_as_a_file_asks_its_cards_too(visit, written):
    page = visit((written.place / "cards.html").as_uri(), missing=True)
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator(".told")).to_have_text("Answered: Good.")


def test_a_browser_that_keeps_nothing_says_so(visit, as_files):
    page = visit(as_files + "index.html")
    page.add_init_script("Storage.prototype.setItem = () => { throw new Error('full'); }")
    for name in ("index", "practice", "cards"):
        page.goto(f"{as_files}{name}.html")
        expect(page.locator("[data-unkept]")).to_contain_text("since this browser keeps nothing.")
    page.locator(".card summary").click()
    page.get_by_role("button", name="Good").click()
    expect(page.locator(".told")).to_have_text("Answered: Good. This browser keeps nothing: save your answers to a file.")
    expect(page.locator(".counts")).to_contain_text("1 learning")


def test_without_scripts_all_cards_are_there(visit, as_files):
    page = visit(as_files + "cards.html", java_script_enabled=False)
    page.locator(".flip summary").first.click()
    expect(page.locator(".flip .reverse").first).to_be_visible()
    assert "All of them are below." in page.content()


def test_the_home_page_counts_what_is_due(visit, as_files, site):
    """Nothing before the first review; then what the page of cards says, also on another day."""
    page = visit(as_files + "index.html", moving=True)
    page.clock.set_system_time(datetime(2026, 11, 30, 12, 0))
    due = page.locator("#door-cards > .quiet")
    expect(due).to_have_text("30 core cards")
    page.goto(as_files + "cards.html")
    for rating in ("1", "4", "4"):
        page.keyboard.press("Space")
        page.keyboard.press(rating)
        expect(page.locator(".told")).to_contain_text("Answered")
    for day, count in ((datetime(2026, 11, 30, 12, 0), 0), (datetime(2026, 11, 30, 12, 5), 1), (datetime(2027, 3, 1, 12, 0), 3)):
        page.clock.set_system_time(day)
        page.goto(as_files + "cards.html")
        new = page.locator(".counts b").first.text_content()
        expect(page.locator(".counts b").last).to_have_text(str(count))
        page.goto(as_files + "index.html")
        expect(due).to_have_text(f"{count} card{'s' * (count != 1)} due, {new} new")
