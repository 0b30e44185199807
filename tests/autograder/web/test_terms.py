"""Symbols and terms explain themselves where they stand, and lead to the glossary."""

import pytest
from playwright.sync_api import expect

from autograder.course.glossary import read_glossary
from autograder.web.markdown import Prose
from tests.autograder.web.test_browser import BROKEN, press

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
def glossary(root, site):
    return read_glossary(root, site.session.lesson)


def test_the_first_use_in_a_text_is_a_link_and_no_other(glossary):
    """None in a link, a title, a table or an answer to a prediction."""
    text = "*FID* of [FID](#faster), FID\nand FID.\n\n| FID |\n|---|\n| CLIP |\n\n<details><summary>Predict first: T5?</summary>\n\nT5.\n\n</details>\n"
    html = Prose(glossary=glossary).blocks(text)
    assert html.count('class="term"') == 1
    assert '</a>, <a class="term" href="#term-FID" aria-describedby="term-FID">FID</a>\nand FID.' in html


def test_a_term_is_explained_by_keyboard_and_enter_leads_to_the_glossary(visit, site, glossary):
    page = visit(site.address + "lesson.html", axe=True)
    term, tip = page.locator("#faster a.term").filter(has_text="DDIM").first, page.locator(".tip")
    means = next(entry.means for entry in glossary if entry.name == "DDIM")
    term.focus()
    expect(tip).to_have_text(f"DDIM {means}")
    expect(term).to_have_accessible_description(f"DDIM {means} Three ways to be faster")
    assert page.evaluate(BROKEN, None) == []
    press(page, "Escape")
    expect(tip).to_be_hidden()
    press(page, "Enter")
    expect(page.locator("#term-DDIM")).to_be_in_viewport()


def test_the_symbols_of_a_formula_are_explained_under_the_mouse(visit, written):
    """Also where the page is opened as a file; the mouse may go on to what is explained."""
    page = visit((written.place / "lesson.html").as_uri())
    link, tip = page.locator("#jump-to-any-t .symbols a").first, page.locator(".tip")
    link.hover()
    expect(tip).to_contain_text("which says how much of the image's variance is left")
    tip.hover()
    expect(tip).to_be_visible()
    page.mouse.move(5, 5)
    expect(tip).to_be_hidden()


def test_a_tap_explains_and_a_second_one_leads_to_the_glossary(visit, site):
    page = visit(site.address + "lesson.html", width=375, has_touch=True)
    term, tip = page.locator("#faster a.term").first, page.locator(".tip")
    term.tap()
    expect(tip).to_be_visible()
    box = tip.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 375
    assert "#term" not in page.url
    page.locator("#faster h2").tap()
    expect(tip).to_be_hidden()
    term.tap()
    term.tap()
    expect(page.locator("#term-DDIM")).to_be_in_viewport()


def test_a_term_is_found_by_search(visit, site):
    page = visit(site.address + "search.html?words=velocity")
    page.get_by_role("link", name="rectified flow", exact=True).click()
    expect(page.locator("#term-rectified-flow")).to_be_in_viewport()


def test_without_javascript_a_term_leads_to_the_glossary(visit, written):
    page = visit((written.place / "lesson.html").as_uri(), java_script_enabled=False)
    page.locator("#glossary summary").click()
    expect(page.locator("#glossary dt")).not_to_have_count(0)
    expect(page.locator("#faster a.term").first).to_have_attribute("href", "#term-DDIM")
