"""In Firefox: what other files promise of Chromium, for each kind of page, opened as a file, from a plain web server and from `course serve`.

`pytest tests/autograder/web --firefox` runs all of those there. Some fail, since this driver cannot give Firefox another light, paper, a
screen that is touched, or a page without scripts, and does not see its dialogs, downloads and new tabs in time.
"""

import pytest
from playwright.sync_api import expect

from tests import browsers
from tests.autograder.web import test_browser, test_browser_editing, test_onnx
from tests.autograder.web.test_browser import all_in_place, press, widget

pytestmark = pytest.mark.xdist_group("firefox")

work = test_browser_editing.work
test_a_file_is_edited = test_browser_editing.test_tab_indents_and_can_be_left_with
test_the_pixel_is_dragged = test_browser.test_the_pixel_and_the_noise_can_be_dragged_and_the_mistakes_are_drawn_beside
test_practice_is_marked_and_remembered = test_browser.test_practice_without_a_server_names_the_idea_gives_fresh_numbers_and_remembers


@pytest.fixture(scope="module")
def browser(driver):
    with browsers.firefox(driver) as opened:
        yield opened


@pytest.fixture(params=["file", "web server", "course serve"])
def address(request, written, as_files, site):
    return {"file": f"{written.place.as_uri()}/", "web server": as_files, "course serve": site.address}[request.param]


def test_the_lesson_is_there_with_its_letters_and_all_that_can_be_played_with(visit, address):
    page = visit(address + "lesson.html")
    all_in_place(page)
    own = "() => [...document.fonts].filter((one) => !one.family.includes('As Wide')).map((one) => one.status)"
    assert sorted(page.evaluate(own)) == ["loaded"] * 5 + ["unloaded"]  # letters that only names need, and nobody here has one


def test_a_term_is_explained_by_keyboard_and_enter_leads_to_the_glossary(visit, site):
    page = visit(site.address + "lesson.html")
    page.locator("#faster a.term").filter(has_text="DDIM").first.focus()
    expect(page.locator(".tip")).to_contain_text("DDIM")
    press(page, "Enter")
    expect(page.locator("#term-DDIM")).to_be_in_viewport()


def test_what_is_done_on_one_page_is_known_on_the_others(visit, written, site):
    """Also of files, each of which has a store of its own there."""
    place, (first, second, *_) = f"{written.place.as_uri()}/", site.session.lesson.main
    page = visit(place + "lesson.html")
    page.evaluate("(id) => kept.set(`read:lesson.html:${document.title}`, JSON.stringify([id]))", first.id)
    page.get_by_role("button", name="Dark page").click()
    page.goto(place + "cards.html")
    assert page.evaluate("() => localStorage.getItem('theme')") is None  # in this page's own store
    press(page, "Enter", 2)
    expect(page.locator(".told")).to_have_text("Answered: Good.")
    page.goto(place + "index.html")
    expect(page.get_by_role("button", name="Dark page")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#door-read")).to_contain_text(second.title)
    expect(page.locator("#door-cards")).to_contain_text("0 cards due, 9 new")


def test_however_much_is_kept_comes_back(visit, written):
    """In as many pieces as it takes; what is shorter later leaves none behind."""
    page = visit(written.place.joinpath("index.html").as_uri())
    for kept in ("ÿ; =" * 5000, "short", "12345" * 1400):
        page.evaluate("(text) => kept.set('a key; = 1', text)", kept)
        assert page.evaluate("() => kept.get('a key; = 1')") == kept
    page.goto(written.place.joinpath("practice.html").as_uri())
    assert page.evaluate("() => kept.get('a key; = 1')") == kept
    assert page.evaluate("() => kept.get('a key')") is None


def test_the_model_draws_in_a_page_that_is_opened_as_a_file(visit, written):
    found = widget(visit(written.place.joinpath("play.html").as_uri()), "sampler")
    found.get_by_role("button", name=test_onnx.OFFER).click()
    expect(found.locator(".says")).to_contain_text("Done in")
