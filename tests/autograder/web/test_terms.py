"""Symbols and terms explain themselves where they stand, and lead to the glossary."""

import pytest
from playwright.sync_api import expect

from autograder.course.glossary import read_glossary
from autograder.web.markdown import Prose
from tests.autograder.web.test_browser import demand_nothing_broken, press, rest

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
    demand_nothing_broken(page, ".tip, #faster")
    press(page, "Escape")
    expect(tip).to_be_hidden()
    press(page, "Enter")
    expect(page.locator("#term-DDIM")).to_be_in_viewport()


def test_the_symbols_of_a_formula_are_explained_under_the_mouse(visit, written):
    """Also where the page is opened as a file; the mouse may go on to what is explained."""
    page = visit((written.place / "lesson.html").as_uri())
    tip = rest(page, page.locator("#jump-to-any-t .symbols a").first)
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




@pytest.mark.parametrize("files", [False, True])
def test_a_symbol_in_a_sentence_and_in_a_formula_is_explained_under_the_mouse(visit, site, written, files):
    page = visit((written.place / "lesson.html").as_uri() if files else site.address + "lesson.html", axe=True)
    tip = rest(page, page.locator('#forward-noising p math[aria-label="t"] mi').first)
    expect(tip).to_contain_text("How many noising steps an image has seen")
    demand_nothing_broken(page, ".tip, #forward-noising")
    page.mouse.move(5, 5)
    expect(tip).to_be_hidden()
    formula = page.locator("#jump-to-any-t .formula").first
    rest(page, formula.locator("msub:has(> mover) mi").first)  # the α of ᾱ_t, under a root
    expect(tip).to_contain_text("The product of all α up to t")
    tip.hover()
    expect(tip).to_be_visible()
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()


def test_a_symbol_is_explained_by_a_tap(visit, site):
    page = visit(site.address + "lesson.html", width=375, has_touch=True)
    tip = page.locator(".tip")
    page.locator('#forward-noising p math[aria-label="t"] mi').first.tap()
    expect(tip).to_contain_text("How many noising steps an image has seen")
    page.locator("#forward-noising h2").tap()
    expect(tip).to_be_hidden()


def test_every_symbol_that_the_glossary_has_is_known_by_its_form(visit, site, glossary):
    """Where it stands in a formula or a sentence; an index of its own, like x_0, before any index, like x_{t−1}."""
    page = visit(site.address + "lesson.html")
    found = page.evaluate("""async () => {
        const of = await course.use("static/meanings.js"), all = {};
        for (const math of document.querySelectorAll("main > section:not(#glossary) math")) {
            for (const part of math.querySelectorAll("mi")) { const it = of(part); if (it) (all[it[1]] ??= new Set()).add(it[0].textContent); }
        }
        return Object.entries(all).map(([id, texts]) => [id, [...texts]]);
    }""")
    found = dict(found)
    assert [entry.id for entry in glossary if entry.is_symbol and entry.id not in found] == []
    assert found["term-x-0"] == ["x0"]
    assert "xt−1" in found["term-x-t"]
