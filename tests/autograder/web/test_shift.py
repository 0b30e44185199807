"""Nothing jumps while a page comes: the browser's own score (cumulative layout shift) is good, below 0.1, also where the letters come late."""

import pytest

from bench.paint import SHIFT
from tests.autograder.web.test_browser import AS_FILES, SERVED

pytestmark = pytest.mark.xdist_group("browser")
FILES = (*AS_FILES, "question-attention-by-hand.html", "question-sampling-loop.html")


@pytest.fixture(autouse=True)
def chromium(browser):
    if browser.browser_type.name != "chromium":
        pytest.skip("only Chromium keeps the score")


def jumps(visit, start, names, **more):
    """Return how much pages move after they were seen first, of those that move too much. They are waited for all at once."""
    pages = {name: visit(start + name, missing=name == "nothing.html", **more) for name in names}
    for page in pages.values():
        page.wait_for_load_state("networkidle")
    found = {name: page.evaluate(SHIFT) for name, page in pages.items()}
    return {name: shift for name, shift in found.items() if shift >= 0.1}


@pytest.mark.parametrize("width", [375, 768, 1280])
def test_nothing_jumps_on_the_site_as_files(visit, as_files, width):
    assert jumps(visit, as_files, FILES, width=width) == {}


@pytest.mark.parametrize("width", [375, 1280])
def test_nothing_jumps_where_the_course_is_served(visit, class_site, width):
    assert jumps(visit, class_site.address, SERVED, width=width) == {}


def test_the_contents_are_there_without_scripts(visit, written):
    page = visit((written.place / "lesson.html").as_uri(), width=375, java_script_enabled=False)
    assert page.locator(".contents a").first.is_visible()
