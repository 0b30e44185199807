"""Notes on mistakes, where the text warns of them: what one would write, what it looks like, what to do."""

import re

import pytest
from playwright.sync_api import expect

from autograder.course.lesson_text import warned_of
from autograder.course.mistakes import read_mistakes
from tests.autograder.web.test_browser import demand_nothing_broken, press, rest

pytestmark = pytest.mark.xdist_group("browser")

CURE = "multiply ε by its square root."


def note_of(page, section, words):
    return page.locator(f"#{section} details.mistake").filter(has_text=words)


def test_each_note_of_the_lesson_says_what_one_writes_how_it_looks_and_what_to_do(root, site, visit):
    """A line of code or words, a sentence with a number or an image, and a last paragraph; also without scripts."""
    page = visit(site.address + "lesson.html", java_script_enabled=False)
    notes, known = page.locator("main details.mistake"), read_mistakes(root, site.session.lesson)
    expect(notes).to_have_count(len(warned_of(site.session.lesson.text)))
    for words in notes.evaluate_all("(all) => all.map((one) => [...one.querySelectorAll('p')].map((part) => part.textContent + [...part.querySelectorAll('img')].map((image) => image.alt)))"):
        made, looks, *more = words
        assert made in {one.writes or f"“{one.says}”" for one in known.values()}
        assert re.search("[0-9]", looks)
        assert more[-1].endswith(".")


@pytest.mark.parametrize("width", [1100, 1280, 1366, 1500])
def test_a_note_is_read_under_the_mouse_and_covers_none_of_the_text(visit, written, width):
    """Also where the page is opened as a file; the mouse may go over to it. It stands in the margin, or over the contents if that is wider."""
    page = visit((written.place / "lesson.html").as_uri(), width=width)
    note = note_of(page, "one-step-by-hand", "Beta as standard deviation")
    note.scroll_into_view_if_needed()
    for widget in page.locator(".opening [data-script], #one-step-by-hand [data-script]").all():
        expect(widget).to_have_attribute("data-ready", "yes")  # where it stands is compared with where its tip does
    tip = rest(page, note.locator("summary"))
    expect(tip).to_contain_text("sqrt(1 - beta) * x + beta * eps")
    expect(tip).to_contain_text("0.729, not 0.664")
    expect(tip).to_contain_text(CURE)
    above, beside, text = note.locator("summary").bounding_box(), tip.bounding_box(), page.locator("main").bounding_box()
    assert beside["y"] >= above["y"] - 1
    assert beside["x"] >= 0
    assert beside["x"] + beside["width"] < text["x"] or text["x"] + text["width"] < beside["x"] < width - beside["width"]
    tip.hover()
    expect(tip).to_be_visible()
    page.mouse.move(5, 5)
    expect(tip).to_be_hidden()
    expect(note.locator("p").first).to_be_hidden()


def test_a_mouse_that_only_passes_opens_no_note(visit, as_files):
    page = visit(as_files + "lesson.html", moving=True)
    page.clock.run_for(1000)
    summary, tip = note_of(page, "one-step-by-hand", "Beta as standard deviation").locator("summary"), page.locator(".tip")
    summary.scroll_into_view_if_needed()
    box = summary.bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + box["height"] / 2)
    page.clock.run_for(200)
    page.mouse.move(5, 5)
    page.clock.run_for(1000)
    assert tip.is_hidden()
    box = summary.bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + box["height"] / 2)
    page.clock.run_for(300)
    assert tip.is_visible()


def test_a_note_is_read_by_keyboard_and_enter_opens_it_where_it_stands(visit, site):
    page = visit(site.address + "lesson.html", axe=True)
    note, tip = note_of(page, "one-step-by-hand", "Missing root on signal"), page.locator(".tip")
    note_of(page, "one-step-by-hand", "Beta as standard deviation").locator("summary").focus()
    press(page, "Tab")
    expect(note.locator("summary")).to_be_focused()
    expect(tip).to_contain_text("(1 - beta) * x + sqrt(beta) * eps")
    demand_nothing_broken(page, ".tip, #one-step-by-hand")
    press(page, "Escape")
    expect(tip).to_be_hidden()
    press(page, "Enter")
    expect(note.locator("p").first).to_be_visible()
    expect(tip).to_be_hidden()
    press(page, "Enter")
    expect(note.locator("p").first).to_be_hidden()


def test_a_tap_opens_a_note_where_it_stands(visit, as_files):
    page = visit(as_files + "lesson.html", width=375, has_touch=True)
    note = note_of(page, "faster", "More steps are better")
    note.locator("summary").tap()
    expect(note).to_contain_text("“Ten times the steps, ten times the quality.”")
    expect(note.locator("p").first).to_be_visible()
    expect(page.locator(".tip")).to_be_hidden()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 375
    note.locator("summary").tap()
    expect(note.locator("p").first).to_be_hidden()


@pytest.mark.parametrize(("theme", "other"), [("light", "dark"), ("dark", "light")])
def test_an_image_comes_when_its_note_is_opened_and_shows_two_rows(visit, as_files, theme, other):
    """The right one, and the one with the mistake, each with the shape of a row, from one file."""
    page, asked = visit(as_files + "index.html", theme=theme), []
    page.on("request", lambda request: asked.append(request.url.split("/")[-1]))
    page.goto(as_files + "lesson.html")
    note = note_of(page, "generating", "Clamped on the way")
    note.locator("summary").scroll_into_view_if_needed()
    assert not any(name.startswith("mistakes-") for name in asked)
    note.locator("summary").click()
    rows = note.locator(f"img.in-{theme}")
    expect(rows).to_have_count(2)
    for row, view in ((rows.nth(0), "right"), (rows.nth(1), "clamped_on_the_way")):
        expect(row).to_have_attribute("src", f"figures/mistakes-{theme}.svg#{view}")
        page.wait_for_function("(image) => image.complete && image.naturalWidth", arg=row.element_handle())
        box = row.bounding_box()
        assert box["width"] / box["height"] == pytest.approx(361.44 / 44.64, rel=0.02)
    assert not any(name.startswith(f"mistakes-{other}") for name in asked)
