"""On a phone drawings can be enlarged and nothing speaks of keys; figures have captions, arrows have names, and nothing moves unasked."""

import re

from playwright.sync_api import expect

PHONE = {"width": 375, "height": 800, "has_touch": True, "is_mobile": True}


def test_a_drawing_fits_a_narrow_page_and_opens_at_its_own_size(visit, as_files):
    page = visit(as_files + "lesson.html", axe=True, **PHONE)
    figure = page.locator("figure:has(> img)").first
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


def test_every_figure_has_a_caption_and_stands_once(written, root):
    """But those that stand for a widget, which has a title."""
    page = (written.place / "lesson.html").read_text(encoding="utf-8")
    drawn = [(re.search(r'src="(.*?)"', figure)[1], "<figcaption>" in figure) for figure in re.findall(r"<figure>(.*?)</figure>", page, re.DOTALL)]
    instead = (root / "lessons" / "12_diffusion" / "widgets" / "widgets.yaml").read_text(encoding="utf-8")
    assert len(drawn) > 10
    assert [path for path, captioned in drawn if not captioned and path not in instead] == []
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
