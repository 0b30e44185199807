"""A question of several parts in a real Chromium: each is marked where it is, a comma will do, and answers come back."""

import re

import pytest
from playwright.sync_api import expect

from tests.autograder.web.test_browser import demand_all_can_read

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(params=["served", "files"])
def address(request, site, written):
    return site.address if request.param == "served" else f"{written.place.as_uri()}/"


def test_each_part_is_marked_where_it_is_and_the_first_wrong_one_has_the_focus(address, visit):
    page = visit(address + "question-where-mistakes-show.html", axe=True)
    numbers = page.locator("input.number")
    numbers.nth(0).fill("0,321")
    numbers.nth(1).fill("0.103")
    page.get_by_role("radio", name="t = 150").check()
    page.get_by_role("button", name="Check").click()
    wrong = page.locator('[data-part="missing"] .here')
    expect(wrong).to_contain_text("You gave the wrong factor, 1 − ")
    expect(numbers.nth(1)).to_be_focused()
    expect(numbers.nth(1)).to_have_accessible_description(re.compile("You gave the wrong factor"))
    header = page.locator(".top").bounding_box()
    assert numbers.nth(1).bounding_box()["y"] > header["y"] + header["height"]
    expect(page.locator('[data-part="factor"] .here')).to_have_text("Right")
    expect(page.locator("#mark").get_by_role("heading")).to_have_text("Not yet: 2 of 3 right")
    expect(numbers.nth(0)).to_have_value("0,321")
    demand_all_can_read(page)
    page.reload()
    expect(numbers.nth(1)).to_have_value("0.103")
    expect(page.get_by_role("radio", name="t = 150")).to_be_checked()
    expect(wrong).to_contain_text("You gave the wrong factor, 1 − ")
    expect(page.locator("#mark").get_by_role("heading")).to_have_text("Not yet: 2 of 3 right")
    expect(page.locator("body")).to_be_focused()
    if address.startswith("file:"):  # of a server, test_practice.py tells the same
        assert page.evaluate("() => JSON.parse(window.kept.get(`practice:${document.body.dataset.lesson}`))['where-mistakes-show'].length") == 1
    numbers.nth(1).fill("0.218")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#mark").get_by_role("heading")).to_have_text("Right")
    expect(page.locator("#mark")).to_be_focused()


def test_an_order_comes_back_as_it_was_left(address, visit):
    page = visit(address + "question-training-loop.html")
    page.locator('[data-id="draw"]').get_by_role("button", name="Move up").click()
    left = page.locator("[data-order] li").evaluate_all("(items) => items.map((item) => item.dataset.id)")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#mark").get_by_role("heading")).to_be_visible()
    page.reload()
    assert page.locator("[data-order] li").evaluate_all("(items) => items.map((item) => item.dataset.id)") == left


def test_lines_are_dragged_by_touch_where_their_dots_are_and_the_mark_fades(address, visit, browser):
    if browser.browser_type.name != "chromium":
        pytest.skip("only Chromium can be touched")
    page = visit(address + "question-training-loop.html", width=375, height=640, has_touch=True, is_mobile=True)
    lines, mark = page.locator("[data-order] li"), page.locator("#mark")
    page.get_by_role("button", name="Check").tap()
    expect(mark.get_by_role("heading")).to_be_visible()
    touch = page.context.new_cdp_session(page)

    def order():
        return lines.evaluate_all("(items) => items.map((item) => item.dataset.id)")

    def drag_up(place, by):
        lines.nth(place - 1).scroll_into_view_if_needed()
        box, end = lines.nth(place).locator(by).bounding_box(), lines.nth(place - 1).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        for kind, points in (("Start", [y]), ("Move", [y - 20]), ("Move", [end["y"] + 3]), ("End", [])):
            touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": [{"x": x, "y": at} for at in points]})

    first, second, third, *rest = order()
    drag_up(2, ".grip")
    assert order() == [first, third, second, *rest]
    expect(page.locator("[data-moved]")).to_contain_text("Now 2 of 5.")
    expect(page.locator("#mark.stale")).to_have_count(1)
    page.get_by_role("button", name="Check").press("Enter")
    expect(page.locator("#mark.stale")).to_have_count(0)
    drag_up(1, ".what")
    assert order() == [first, third, second, *rest]
    expect(page.locator("#mark.stale")).to_have_count(0)


def test_who_gave_no_answer_is_not_offered_the_working(address, visit):
    page = visit(address + "question-fresh-step.html")
    mark = page.locator("#mark")
    page.get_by_role("button", name="Check").click()
    expect(mark).to_contain_text("There is no answer yet")
    expect(mark.get_by_text("See the working")).to_have_count(0)
    page.get_by_label("Your answer").fill("0.123")
    page.get_by_role("button", name="Check").click()
    expect(mark.get_by_text("See the working")).to_be_visible()


def test_a_mark_after_a_section_is_no_section_of_the_lesson(address, visit):
    now = visit(address + "lesson.html#one-step-by-hand").locator("#one-step-by-hand .now")
    now.get_by_label("Your answer").fill("0.790")
    now.get_by_role("button", name="Check").click()
    expect(now.get_by_role("heading", name="Right")).to_have_attribute("aria-level", "4")


def test_a_mark_fades_as_soon_as_the_answer_is_another(address, visit):
    page = visit(address + "question-where-mistakes-show.html", axe=True)
    page.locator("input.number").nth(0).fill("0.1")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#mark").get_by_role("heading")).to_be_visible()
    expect(page.locator(".stale")).to_have_count(0)
    page.get_by_role("radio", name="t = 150").check()
    expect(page.locator("#mark.stale")).to_have_count(1)
    expect(page.get_by_role("radio", name="t = 150")).to_be_focused()
    demand_all_can_read(page)
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".stale")).to_have_count(0)
