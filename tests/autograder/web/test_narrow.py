"""On a phone drawings can be enlarged and nothing speaks of keys; figures have captions, arrows have names, and nothing moves unasked."""

import re

import pytest
from playwright.sync_api import expect

from tests.autograder.web.test_browser import widget

PHONE = {"width": 375, "height": 800, "has_touch": True, "is_mobile": True}


def test_a_drawing_fits_a_narrow_page_and_opens_at_its_own_size(visit, as_files):
    page = visit(as_files + "lesson.html", axe=True, **PHONE)
    figure = page.locator("figure:has(> img):not(.still *)").first
    figure.scroll_into_view_if_needed()
    assert figure.locator("img.in-light").bounding_box()["width"] <= 375
    figure.get_by_role("button", name="Enlarge").click()
    box = page.get_by_role("dialog", name="The figure at its own size")
    wide = box.locator("img.in-light")
    expect(wide).to_be_visible()
    assert wide.bounding_box()["width"] == int(wide.get_attribute("width"))
    assert page.evaluate("async () => (await axe.run('dialog')).violations.map((one) => one.id)") == []
    page.keyboard.press("Escape")
    expect(figure.get_by_role("button", name="Enlarge")).to_be_focused()
    expect(page.locator("dialog.enlarged")).to_have_count(0)


def test_a_wide_page_has_nothing_to_enlarge(visit, as_files):
    page = visit(as_files + "lesson.html")
    expect(page.get_by_role("button", name="Enlarge")).to_have_count(0)


def test_every_figure_has_a_caption_and_stands_once(written):
    """Apart from those that stand for a widget on paper."""
    page = re.sub(r'<div class="still">.*?</div>', "", (written.place / "lesson.html").read_text(encoding="utf-8"), flags=re.DOTALL)
    drawn = [(re.search(r'src="(.*?)"', figure)[1], "<figcaption>" in figure) for figure in re.findall(r"<figure>(.*?)</figure>", page, re.DOTALL)]
    assert len(drawn) > 10
    assert [path for path, captioned in drawn if not captioned] == []
    assert len({path for path, _ in drawn}) == len(drawn)


def test_a_phone_sees_no_keys(visit, as_files):
    page = visit(as_files + "cards.html", **PHONE)
    expect(page.get_by_text("Show the answer").first).to_be_visible()
    assert page.locator("kbd, [data-help]").evaluate_all("(all) => all.filter((one) => one.checkVisibility()).length") == 0


def test_the_arrows_of_an_order_say_what_they_move(visit, as_files):
    page = visit(as_files + "question-sampling-loop.html")
    names = page.locator("[data-order] li").evaluate_all("(all) => all.map((one) => {"
        " const named = one.querySelector('.what').cloneNode(true);"
        " named.querySelectorAll('math').forEach((each) => each.replaceWith(` ${each.getAttribute('aria-label')} `));"
        " return named.textContent; })")
    for text in names:
        words = r"\s*".join(map(re.escape, text.split()))
        expect(page.get_by_role("button", name=re.compile(f"^Move up {words}$"))).to_have_count(1)
        expect(page.get_by_role("button", name=re.compile(f"^Move down {words}$"))).to_have_count(1)


def test_nothing_moves_by_itself_for_who_wants_nothing_to_move(visit, as_files):
    page = visit(as_files + "practice.html")
    moving = "() => [...document.querySelectorAll('*')].filter((one) => getComputedStyle(one).transitionDuration !== '0s' || getComputedStyle(one).animationName !== 'none').length"
    assert page.evaluate(moving) == 0


@pytest.mark.parametrize("name", ["lesson.html", "play.html"])
@pytest.mark.parametrize(("width", "height", "least"), [(375, 760, 145), (768, 1000, 300), (1280, 900, 300)])
def test_the_picture_is_large_and_moves_where_the_page_opens(visit, as_files, name, width, height, least):
    """x_t and x̂_0 side by side, as wide as the column, and seen without scrolling."""
    page = visit(as_files + name, width=width, height=height, moving=True)
    found = page.locator("#widget-sampler")
    expect(found).to_have_attribute("data-ready", "yes")
    canvases = found.locator(".films:not(.rests) canvas")
    expect(canvases).to_have_count(2)
    for canvas in canvases.all():
        expect(canvas).to_be_visible()
    boxes = [one.bounding_box() for one in canvases.all()]
    assert all(box["width"] >= least and box["y"] + box["height"] <= height for box in boxes)
    title = found.locator(".film > p")
    expect(title).to_contain_text("t = 9")
    page.clock.run_for(10_000)
    expect(title).to_contain_text("t = 0")
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


def test_who_lets_the_model_draw_sees_the_picture_and_nothing_jumps_for_who_sees_it(visit, site):
    page = visit(site.address + "play.html", **(PHONE | {"height": 760}))
    found = widget(page, "sampler")
    picture, start = found.locator("canvas").first, found.get_by_role("button", name="Denoise")
    start.scroll_into_view_if_needed()
    expect(picture).to_be_in_viewport(ratio=1)
    before = page.evaluate("scrollY")
    start.tap()
    expect(found.locator(".says")).to_contain_text("Done in")
    assert page.evaluate("scrollY") == before
    found.get_by_label("Side by side").evaluate("(one) => one.scrollIntoView({ block: 'start', behavior: 'instant' })")
    expect(picture).not_to_be_in_viewport()
    found.get_by_label("Side by side").select_option("5 and 20 steps")
    expect(picture).to_be_in_viewport(ratio=1)


def test_everything_that_can_be_played_with_follows_a_touch(visit, as_files):
    page = visit(as_files + "play.html", **PHONE)
    for name in ("sampler", "one-step", "noise", "schedule", "average", "field", "guidance"):
        slider = widget(page, name).get_by_role("slider").first
        before = slider.input_value()
        slider.scroll_into_view_if_needed()
        slider.tap(position={"x": 30, "y": slider.bounding_box()["height"] / 2})
        assert slider.input_value() != before, name
