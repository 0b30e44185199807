"""A file is written, saved and checked on its page in a real Chromium, by keyboard, and what another editor saved is never lost."""

import pytest
from playwright.sync_api import expect

from autograder.learner.start import start
from tests.autograder.web.conftest import serving
from tests.autograder.web.test_browser import demand_all_can_read, demand_nothing_broken, press
from tests.autograder.web.test_work import WRONG, check

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture
def work(root, site, tmp_path):
    start(tmp_path / "work", root, site.session.lesson)
    with serving(root, tmp_path / "work") as served:
        yield served


def opened(visit, work, **more):
    """Open the editor, by keyboard."""
    page = visit(work.address + "exercise-forward.html", **more)
    page.get_by_role("button", name="Edit forward.py").focus()
    press(page, "Enter")
    expect(editor(page)).to_be_focused()
    return page


def editor(page):
    return page.get_by_role("textbox", name="forward.py, to edit")


def write(page, text):
    press(page, "Control+a")
    press(page, "Delete")
    page.keyboard.insert_text(text)


@pytest.mark.usefixtures("walls")
def test_a_file_is_written_and_checked_by_keyboard_alone(work, visit):
    page = opened(visit, work, axe=True)
    demand_nothing_broken(page)  # the starter is longer and wider than the editor
    write(page, WRONG)
    press(page, "Control+Enter")
    expect(page.locator("[data-says]")).to_have_text("0 of 14 public checks pass. Due in your cards: noise-scale.")
    assert (work.folder / "forward.py").read_text() == WRONG
    found = page.locator("[data-part=found]")
    expect(found).to_contain_text("You scaled the noise by β.")
    expect(found.get_by_role("link", name="One step by hand")).to_have_attribute("href", "lesson.html#one-step-by-hand")
    page.get_by_role("button", name="Hint").focus()
    press(page, "Enter")
    expect(page.get_by_role("heading", name="linear_betas, hint 1 of 2")).to_be_visible()
    demand_all_can_read(page)


@pytest.mark.usefixtures("walls")
def test_the_next_file_is_offered_as_soon_as_this_one_passes(root, work, visit):
    answer = (root / "solutions" / "12_diffusion" / "schedule.py").read_text(encoding="utf-8")
    (work.folder / "schedule.py").write_text(answer, encoding="utf-8")
    page = visit(work.address + "exercise-schedule.html")
    other = page.get_by_role("navigation", name="Another file")
    expect(other).to_have_text("Another file: forward.py")
    page.get_by_role("button", name="Check").press("Enter")
    expect(other).to_have_text("Next: forward.py")


def test_tab_indents_and_can_be_left_with(work, visit):
    page = opened(visit, work)
    write(page, "a = 1")
    press(page, "Home")
    press(page, "Tab")
    press(page, "Escape")
    press(page, "Tab")
    expect(editor(page)).not_to_be_focused()
    press(page, "Shift+Tab")
    expect(editor(page)).to_be_focused()
    press(page, "Control+s")
    expect(page.locator("[data-says]")).to_have_text("Saved.")
    assert (work.folder / "forward.py").read_text() == "    a = 1"


@pytest.mark.parametrize("width", [375, 1200])
def test_from_home_one_press_leads_to_writing_the_next_file(work, visit, width):
    page = visit(work.address + "index.html", width=width)
    page.get_by_role("link", name="Next file").press("Enter")
    expect(page.get_by_role("textbox", name="schedule.py, to edit")).to_be_focused()


def test_the_row_of_an_exercise_that_an_address_names_is_open(work, visit):
    row = visit(work.address + "exercises.html#exercise-forward").locator("#exercise-forward")
    expect(row).to_have_attribute("open", "")


def test_the_editor_is_loaded_when_it_is_opened(work, visit):
    page, asked = visit("about:blank"), []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    page.goto(work.address + "exercise-forward.html")
    expect(page.get_by_role("button", name="Edit forward.py")).to_be_visible()
    assert "codemirror.js" not in asked
    page.get_by_role("button", name="Edit forward.py").click()
    expect(editor(page)).to_be_focused()
    assert "codemirror.js" in asked


def test_a_phone_sees_no_keys_beside_the_editor(work, visit):
    page = opened(visit, work, width=375, has_touch=True, is_mobile=True)
    expect(page.get_by_text("Tab indents")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") == 375


def conflict(work, visit):
    page = opened(visit, work)
    write(page, "# mine\n")
    (work.folder / "forward.py").write_text("# theirs\n")
    press(page, "Control+s")
    expect(page.locator("[data-says]")).to_contain_text("was changed elsewhere since you opened it, so nothing was saved.")
    assert (work.folder / "forward.py").read_text() == "# theirs\n"
    return page


def test_what_is_on_the_disk_is_taken_and_what_was_written_here_comes_back(work, visit):
    page = conflict(work, visit)
    page.get_by_role("button", name="Take the one on the disk").press("Enter")
    expect(editor(page)).to_have_text("# theirs")
    press(page, "Control+z")
    expect(editor(page)).to_have_text("# mine")


def test_what_was_written_here_is_saved_and_the_other_version_kept(work, visit):
    page = conflict(work, visit)
    page.get_by_role("button", name="Save mine, keep the other aside").press("Enter")
    expect(page.locator("[data-says]")).to_have_text("Saved. The other version is in .course/kept.")
    assert (work.folder / "forward.py").read_text() == "# mine\n"
    assert [one.read_text() for one in (work.folder / ".course" / "kept").iterdir()] == ["# theirs\n"]


def test_who_comes_back_from_another_editor_sees_what_was_saved_there(work, visit):
    page = opened(visit, work)
    (work.folder / "forward.py").write_text("# theirs\n")
    page.evaluate("() => dispatchEvent(new Event('focus'))")
    expect(editor(page)).to_have_text("# theirs")


def test_a_page_with_something_to_save_asks_before_it_is_left(work, visit):
    page = opened(visit, work)
    write(page, "# mine\n")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.close(run_before_unload=True)
    expect(editor(page)).to_have_text("# mine")
    assert asked == ["beforeunload"]


def test_a_line_that_repeats_a_failure_is_copied(work, visit, root):
    (work.folder / "forward.py").write_text(WRONG)
    check(work, "forward", root)
    page = visit(work.address + "exercise-forward.html", permissions=["clipboard-read", "clipboard-write"])
    page.locator(".check").filter(has_text="You scaled the noise by β.").get_by_role("button", name="Copy").click()
    assert page.evaluate("() => navigator.clipboard.readText()").endswith('from forward import *; print(forward_step(0.8, 0.1, -0.3))"')
