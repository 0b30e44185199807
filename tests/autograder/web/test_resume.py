"""Reading goes on where one was."""

import pytest
from playwright.sync_api import expect

from autograder.learner.progress import next_section
from tests.autograder.web.test_browser import own
from tests.programs import wait_for

pytestmark = pytest.mark.xdist_group("browser")
own = own


@pytest.mark.parametrize("files", [False, True])
def test_home_leads_back_to_the_section_one_was_in(own, visit, as_files, files):
    """Where one stayed for five seconds: a look at the end, from a link, isn't reading. `course progress` says the same."""
    home, lesson = as_files if files else own.address, own.session.lesson
    page = visit("about:blank")
    page.clock.install()
    page.goto(home + "lesson.html")
    for section, seconds in ((lesson.main[4], 9), (lesson.main[-1], 3), (lesson.main[0], 1)):
        link = page.locator(f'.contents a[data-section="{section.id}"]')
        link.click()
        expect(link).to_have_attribute("aria-current", "true")
        page.clock.run_for(1000 * seconds)
    if not files:
        wait_for(lambda: any(own.session.state().events("reading")))
        assert next_section(lesson, own.session.state()) == lesson.main[4]
    page.goto(home + "index.html")
    door = page.locator("#door-read a")
    expect(door).to_contain_text(f"Read on {lesson.main[4].title}")
    expect(door).to_have_attribute("href", f"lesson.html#{lesson.main[4].id}")
    expect(page.get_by_role("heading", name="Go on")).to_be_visible()
