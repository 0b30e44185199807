"""Search finds what one would type on a phone: symbols by their names, questions in one's own words; and it leaves code as it is."""

import json
import re

import pytest
from playwright.sync_api import expect

from autograder.web.pages import frame_of
from autograder.web.reading import places

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
def search(visit_once, as_files):
    page = visit_once(as_files + "search.html")

    def find(words):
        page.get_by_role("searchbox").fill(words)
        return page.locator("#found li"), page.get_by_role("status").text_content()

    return find


@pytest.mark.parametrize(
    ("typed", "title", "symbol"),
    [
        ("beta", "βₜ", "β"),
        ("β", "βₜ", "β"),
        ("alpha", "αₜ", "αₜ"),
        ("alpha bar", "ᾱₜ", "ᾱₜ"),
        ("ALPHA BAR", "ᾱₜ", "ᾱₜ"),
        ("eps hat", "ε̂", "ε̂"),
        ("epsilon hat", "ε̂", "ε̂"),
        ("x hat", "x̂₀", "x̂₀"),
        ("mu tilde", "μ̃ₜ", "μ̃ₜ"),
        ("x0", "x₀", "x₀"),
        ("what is w?", "w", "w"),
        ("ε", "ε", "ε"),
        ("epsilon", "ε", "ε"),
    ],
)
def test_a_symbol_is_found_by_its_name(search, typed, title, symbol):
    rows, count = search(typed)
    titles = rows.locator("a").evaluate_all("(all) => all.map((one) => one.querySelector('math')?.getAttribute('aria-label') ?? one.textContent)")
    assert title == titles[0]
    assert len(titles) >= 4, count


def test_a_symbol_and_its_name_find_the_same(search):
    named, letter = (search(words)[1] for words in ("beta", "β"))
    assert named.endswith(" places")
    assert int(named.split()[0]) >= int(letter.split()[0]) > 20


@pytest.mark.parametrize(("asked", "title"), [("how does guidance work", "Classifier-free guidance"), ("what is a skip connection?", "skip connection"), ("in", None), ("zebra guidance", "Classifier-free guidance")])
def test_a_question_in_plain_words_finds_what_it_is_about(search, asked, title):
    rows, count = search(asked)
    assert count.split()[1].startswith("place")
    if title:
        assert title.lower() in [one.lower() for one in rows.locator("a").all_text_contents()[:3]]


@pytest.mark.parametrize("asked", ["token", "tokens", "What is a token?", "skip connection", "classifier-free guidance", "DDIM"])
def test_a_term_comes_first_if_its_whole_name_is_asked_for(search, asked):
    row = search(asked)[0].first
    expect(row.locator(".label")).to_have_text("Term")
    assert row.locator("a").text_content().lower() in asked.lower()


def test_no_row_says_the_same_twice_or_shows_what_only_a_computer_reads(root, site):
    """A card with gaps has the words of the gaps below it, and a question no ids."""
    found = list(places(frame_of(root, site.session.lesson, (), served=False, kept=False)))
    assert [one.title for one in found if one.kind == "Card" and one.text.startswith(one.title.split("…")[0] or one.title)] == []
    questions = " ".join(one.text for one in found if one.kind == "Question")
    assert "What is each of these? DDIM U-Net" in questions
    assert "ddim:" not in questions
    assert "first. " not in questions


def test_a_word_that_nothing_holds_is_named(search):
    rows, count = search("mode zebras")
    assert count.endswith(" places, none with “zebras”")
    expect(rows.first).to_contain_text("mode")
    assert search("zebras")[1] == "Nothing found for “zebras”."


@pytest.mark.parametrize(("asked", "word"), [("mode", r"\bmodes?\b"), ("one", r"\bones?\b")])
def test_a_whole_word_comes_before_one_that_only_begins_so(search, asked, word):
    rows, _ = search(asked)
    marked = [re.search(word, text, re.IGNORECASE) is not None for text in rows.all_text_contents()]
    assert marked == sorted(marked, reverse=True)


def test_what_holds_every_word_comes_first(search):
    """Even where another place has one of them in its title."""
    rows, _ = search("noise guidance")
    texts = {one["href"]: f"{one['title']} {one['text']}".lower() for one in json.loads(rows.page.locator("#index").text_content()) if one["kind"] != "Card"}
    shown = rows.filter(has_not=rows.page.locator(".label").get_by_text("Card")).locator("a").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))")
    every = [all(word in texts[href] for word in ("noise", "guidance")) for href in shown]
    assert 1 < every.count(True) < len(every)
    assert every == sorted(every, reverse=True)


def test_what_is_rare_and_in_the_title_comes_first(search):
    rows, _ = search("the noise that guidance adds")
    assert "guidance" in rows.locator("a").first.text_content().lower()


def test_nothing_is_found_is_said_with_the_words(search):
    assert search("zebra")[1] == "Nothing found for “zebra”."
    assert search("")[1] == ""


def test_code_stays_code(search):
    """Without its fence's language, in its own letters, and with nothing in it set as a formula."""
    rows, _ = search("alpha_bars(linear_betas(1000))")
    code = rows.locator("p code").first
    expect(code).to_contain_text("alpha_bars(linear_betas(1000))")
    expect(code.locator("mark")).not_to_have_count(0)
    assert rows.locator("code math").count() == 0
    assert not any("python" in text for text in rows.locator("p").all_text_contents())
