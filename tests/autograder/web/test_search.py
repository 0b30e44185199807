"""Search finds what one would type on a phone: symbols by their names, questions in one's own words; and it leaves code as it is."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture
def search(visit, as_files):
    page = visit(as_files + "search.html")

    def find(words):
        page.get_by_role("searchbox").fill(words)
        return page.locator("#found li"), page.get_by_role("status").text_content()

    return find


@pytest.mark.parametrize(
    ("typed", "title", "symbol"),
    [
        ("beta", "βₜ", "β"),
        ("alpha bar", "ᾱₜ", "ᾱₜ"),
        ("ALPHA BAR", "ᾱₜ", "ᾱₜ"),
        ("eps hat", "ε̂", "ε̂"),
        ("epsilon hat", "ε̂", "ε̂"),
        ("x hat", "x̂₀", "x̂₀"),
        ("mu tilde", "μ̃ₜ", "μ̃ₜ"),
    ],
)
def test_a_symbol_is_found_by_its_name(search, typed, title, symbol):
    rows, count = search(typed)
    titles = rows.locator("a").evaluate_all("(all) => all.map((one) => one.querySelector('math')?.getAttribute('aria-label') ?? one.textContent)")
    assert title in titles[:4]
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
