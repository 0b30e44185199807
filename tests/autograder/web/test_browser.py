"""The pages in a real Chromium: by mouse and by keyboard, light and dark, narrow and wide, and with nothing said on the console."""

import contextlib
import itertools
import re

import msgspec
import numpy as np
import pytest
from playwright.sync_api import TimeoutError, expect

from autograder.course.kinds import Drawn, form_of, mark_answer
from autograder.course.own_practice import practised
from autograder.course.text import to_html
from autograder.grading.feedback import WORDS
from autograder.grading.questions import values, variant
from autograder.instructor.roster import file_slug
from autograder.learner.practice import ask
from autograder.learner.review.deck import KEYS
from autograder.learner.start import start
from autograder.web import pages, practice
from autograder.web.markdown import with_symbols
from tests.autograder.web.conftest import serving
from tests.autograder.web.test_grades import keep, result
from tests.autograder.web.test_work import WRONG, check
from tests.courses import ROOT
from tests.programs import PAGE

pytestmark = pytest.mark.xdist_group("browser")  # one browser for all of them

FEEDBACK = f"feedback/{file_slug('Zoë')}.html"
SERVED = ["index.html", "lesson.html", "play.html", "practice.html", "question-fresh-step.html", "question-method-choice.html", "question-training-loop.html",
          "question-technique-or-what.html", "cards.html", "exercises.html", "exercise-forward.html", "search.html?words=noise", "nothing.html", "grades.html", "report.html", FEEDBACK, "student.html?name=Zoë", "decide.html?name=Zoë"]  # fmt: skip
AS_FILES = ["index.html", "lesson.html", "play.html", "practice.html", "cards.html", "search.html", "question-technique-or-what.html"]
IN_THE_DARK = ["color-contrast", "link-in-text-block", "image-alt", "svg-img-alt"]  # what a colour or a picture could break
BROKEN = """async ({ part, only }) => {
  const found = [], look = async (where, more) => found.push(...(await axe.run(where, { preload: false, resultTypes: ["violations"], ...more })).violations);
  if (!only) await look(document, part ? { rules: { "color-contrast": { enabled: false } } } : {});
  if (part || only) await look(part ?? document, { runOnly: only ?? ["color-contrast"] });
  return found.map((one) => [one.id, one.nodes[0].html.slice(0, 200), one.nodes[0].failureSummary.slice(0, 300)]);
}"""
SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture
def own(root, site, tmp_path):
    """A site with a workspace in which nothing was done yet."""
    start(tmp_path / "work", root, site.session.lesson)
    with serving(root, tmp_path / "work") as served:
        yield served


def widget(page, name):
    """Bring a widget into sight, and wait until it is there."""
    found = page.locator(f"#widget-{name}")
    found.scroll_into_view_if_needed()
    expect(found).to_have_attribute("data-ready", "yes")
    return found


def press(page, key, times=1):
    for _ in range(times):
        page.keyboard.press(key)


def rest(page, place):
    """Let the mouse rest on a place until it is explained: what comes up above may move it away from under the mouse."""
    tip = page.locator(".tip")
    for _ in range(PAGE):
        place.hover()
        with contextlib.suppress(TimeoutError):
            tip.wait_for(timeout=1000)
            break
    return tip


def unfold(page):
    page.locator("details").evaluate_all("(all) => all.forEach((one) => { one.open = true; })")


def all_in_place(page):
    """Open every fold, and bring up all that can be played with; folds of what came up, too."""
    unfold(page)
    for holder in page.locator("[data-script]").all():
        holder.scroll_into_view_if_needed()
        expect(holder).to_have_attribute("data-ready", "yes")
    unfold(page)


def demand_nothing_broken(page, part=None, only=None):
    """Every rule of axe-core, its best practices too, or `only` some. Where the rest of the page is as another test has seen it, contrast,
    which takes most of the time, in the `part` that is not."""
    assert page.evaluate(BROKEN, {"part": part, "only": only}) == []


def demand_all_can_read(page, part=None):
    """Nothing that axe-core finds, in the light and in the dark; and no sideways scrolling, from a phone to a wide window."""
    for theme, only in (("light", None), ("dark", IN_THE_DARK)):
        page.emulate_media(color_scheme=theme)
        demand_nothing_broken(page, part, only)
    for width in (360, 768, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(SETTLED)
        assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0, width


@pytest.mark.parametrize("name", SERVED)
def test_all_can_read_what_is_served(visit, class_site, name):
    """Of what is read and played with, the parts that differ from the site as files, below."""
    page = visit(class_site.address + name, axe=True, missing=name == "nothing.html")
    all_in_place(page)
    demand_all_can_read(page, "header, footer, .now, #widget-sampler" if name in ("lesson.html", "play.html") else None)


@pytest.mark.parametrize("name", ["report.html", FEEDBACK])
def test_all_can_read_a_file_of_its_own(visit, class_out, name):
    page = visit((class_out / name).as_uri(), axe=True)
    expect(page.get_by_role("banner")).to_have_text("Computer vision, as a course you can run")
    unfold(page)
    demand_all_can_read(page)


@pytest.mark.parametrize("name", ["report.html", "feedback.html?name=Zoë", "student.html?name=Zoë"])
def test_a_page_that_was_written_has_the_sites_letters_and_theme(visit, class_site, name):
    page = visit(class_site.address + name)
    heading = page.get_by_role("heading", level=1)
    assert heading.evaluate("(one) => getComputedStyle(one).fontFamily").startswith('"Course Sans"')
    assert "Course Sans" in page.evaluate("async () => [...await document.fonts.ready].filter((one) => one.status === 'loaded').map((one) => one.family.replaceAll('\"', ''))")
    page.get_by_role("button", name="Dark page").press("Enter")
    page.goto(class_site.address + "grades.html")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("name", AS_FILES)
def test_all_can_read_the_site_as_files(visit, as_files, name):
    page = visit(as_files + name, axe=True)
    demand_nothing_broken(page, "h1, .predict")  # also as it opens: what is predicted with is gone as soon as the answer is there
    all_in_place(page)
    demand_all_can_read(page)


@pytest.mark.parametrize("name", ["lesson.html", "play.html"])
def test_opened_as_a_file_everything_can_be_played_with(visit, written, name):
    """They are the files that a web server gave above: what is said of them there is true here as well."""
    all_in_place(visit((written.place / name).as_uri()))


@pytest.mark.parametrize("name", [*AS_FILES, "question-training-loop.html", "question-where-mistakes-show.html"])
def test_without_javascript_nothing_is_offered_that_needs_it(visit, written, name):
    page = visit((written.place / name).as_uri(), java_script_enabled=False)
    assert page.locator("button:visible, input[type=search]:visible, label[for]:has(input[type=file]):visible").all() == []
    assert page.get_by_text("kept in this browser").locator("visible=true").all() == []


def test_without_javascript_what_is_served_has_only_buttons_that_send(visit, site):
    for name in ("index.html", "lesson.html", "practice.html", "question-training-loop.html", "cards.html", "exercises.html", "exercise-forward.html"):
        page = visit(site.address + name, java_script_enabled=False)
        assert page.locator("button[type=button]:visible").all() == [], name


def test_without_javascript_the_page_says_what_is_missing(visit, written):
    stages = visit((written.place / "play.html").as_uri(), java_script_enabled=False).locator(".stage p")
    words = "This is interactive, and needs JavaScript, which is off in this browser."
    expect(stages).to_have_text([words] * 7)


def test_what_cannot_be_loaded_is_said_in_its_place(visit, site):
    page = visit("about:blank", missing=True)
    page.route("**/data/images.js", lambda route: route.abort())
    page.goto(site.address + "play.html")
    page.locator("#widget-noise").scroll_into_view_if_needed()
    expect(page.locator("#widget-noise .stage")).to_have_text("This could not be loaded. Reload the page, or look whether the site still runs.")


def test_the_widget_that_the_authors_guide_shows_works(visit, site):
    guide = (ROOT / "docs" / "author.md").read_text(encoding="utf-8")
    shown = {"brightness.js": re.search(r"```js\n(.*?)```", guide, re.DOTALL)[1], "data/pixel.js": re.search(r"`data/pixel.js` holds `(.*?)`", guide)[1]}
    page = visit(site.address + "cards.html")
    for name in shown:
        page.route(f"**/widgets/{name}", lambda route: route.fulfill(body=shown[route.request.url.partition("widgets/")[2]], content_type="text/javascript"))
    page.evaluate("async () => (await course.use('widgets/brightness.js')).mount(document.querySelector('main'))")
    expect(page.locator(".says")).to_have_text("The pixel is 0.60.")
    page.get_by_label("factor").press("End")
    expect(page.locator(".says")).to_have_text("The pixel is 1.00.")


def test_the_lesson_is_light_and_soon_there(visit, site):
    """Under a megabyte with every figure, and 400 kB before anything is scrolled to or played. What is seen first needs two files and no
    picture."""
    page = visit("about:blank")
    sizes = {}
    page.on("response", lambda answer: sizes.__setitem__(answer.url, answer.request.sizes()["responseBodySize"]))
    page.goto(site.address + "lesson.html")
    before_paint = page.evaluate("() => performance.getEntriesByType('resource').filter((one) => one.renderBlockingStatus === 'blocking').map((one) => one.name)")
    assert sorted(url.rsplit("/", 1)[1] for url in before_paint) == ["base.css", "kept.js", "site.css"]
    page.wait_for_load_state("networkidle")
    assert sum(sizes.values()) < 400_000
    assert sorted(url.rsplit("/", 1)[1] for url in sizes if "/recorded/" in url) == ["index.js", "purple-banana.js"]
    height = page.evaluate("() => document.body.scrollHeight")
    for top in range(0, height, 500):
        page.mouse.wheel(0, 500)
        page.evaluate("(top) => scrollTo({ top, behavior: 'instant' })", top)
    page.wait_for_load_state("networkidle")
    assert sum(url.endswith("-light.svg") for url in sizes) >= 5
    assert not any(url.endswith("-dark.svg") for url in sizes)
    assert sum(sizes.values()) < 1_000_000


def test_a_server_that_compresses_nothing_sends_little_before_anything_is_played(visit, as_files):
    page = visit("about:blank")
    sizes = {}
    page.on("response", lambda answer: sizes.__setitem__(answer.url.rpartition("/")[2], answer.request.sizes()["responseBodySize"]))
    page.goto(as_files + "lesson.html")
    expect(page.locator("#widget-sampler")).to_have_attribute("data-ready", "yes")
    page.wait_for_load_state("networkidle")
    assert sizes.pop("purple-banana.js") > 100_000  # what plays
    assert sum(sizes.values()) < 400_000


def test_the_contents_follow_and_what_was_read_is_kept(visit, site):
    page = visit("about:blank")
    page.clock.install()
    page.goto(site.address + "lesson.html")
    link = page.locator('.contents a[data-section="one-step-by-hand"]')
    expect(link).not_to_have_attribute("aria-current", "true")
    link.click()
    expect(link).to_have_attribute("aria-current", "true")
    with page.expect_response("**/read"):
        page.locator("#jump-to-any-t").evaluate("(section) => scrollTo({ top: section.offsetTop - 600, behavior: 'instant' })")
        page.clock.run_for(100_000)
    expect(link).to_have_attribute("data-read", "yes")
    with page.expect_response(re.compile("/lesson.html")):
        page.reload()
    expect(link).to_have_attribute("data-read", "yes")
    assert any(site.session.state().events("read", "one-step-by-hand"))


@pytest.mark.parametrize("width", [375, 1200])
def test_a_link_to_a_section_leaves_the_one_before_it_unread(visit, written, width):
    page = visit("about:blank", width=width, missing=True)
    page.clock.install()
    page.goto((written.place / "lesson.html").as_uri())
    before, link = (page.locator(f'.contents a[data-section="{name}"]') for name in ("one-step-by-hand", "jump-to-any-t"))
    if width == 375:
        page.locator(".contents summary").click()
    link.click()
    expect(link).to_have_attribute("aria-current", "true")
    expect(page.locator("#jump-to-any-t")).to_be_in_viewport()
    page.clock.run_for(5000)
    assert before.get_attribute("data-read") is None
    page.locator("#jump-to-any-t").evaluate("(section) => scrollTo({ top: section.offsetTop - 600, behavior: 'instant' })")
    expect(before).to_have_attribute("aria-current", "true")
    page.clock.run_for(3000)
    assert before.get_attribute("data-read") is None
    page.clock.run_for(100_000)
    expect(before).to_have_attribute("data-read", "yes")


def test_a_link_leads_to_its_section_though_there_is_much_to_play_with_above_it(visit, site):
    page = visit(site.address + "lesson.html#guidance")
    expect(page.locator("#widget-guidance")).to_have_attribute("data-ready", "yes")
    section = page.locator("#guidance")
    assert 40 < section.bounding_box()["y"] < 120
    link = page.locator('.contents a[data-section="side-by-side"]')
    link.click()
    expect(link).to_have_attribute("aria-current", "true")
    assert 40 < page.locator("#side-by-side").bounding_box()["y"] < 120


def test_who_comes_back_to_the_lesson_stands_where_they_were(visit, site):
    """What is below is laid out a moment later than what is seen first, and what can be played with above is a little higher when it is there."""
    page = visit(site.address + "lesson.html")
    read = page.locator("#text-to-image h2")
    read.evaluate("(heading) => heading.scrollIntoView({ block: 'center', behavior: 'instant' })")
    page.wait_for_function("() => history.state?.left")
    page.reload()
    expect(read).to_be_in_viewport()
    page.goto(site.address + "practice.html")
    page.evaluate("() => { setTimeout(() => history.back()); }")
    expect(page).to_have_url(re.compile("lesson.html"))
    expect(read).to_be_in_viewport()


@pytest.mark.parametrize(("kind", "width"), [("served", 375), ("served", 1280), ("plain", 375), ("file", 1280)])
def test_a_reload_shows_the_text_that_was_read(visit, site, as_files, written, width, kind):
    """To the pixel, once all that is near has come; from then on the reader moves freely, and the way back leads where they left."""
    home = {"served": site.address, "plain": as_files, "file": f"{written.place.as_uri()}/"}[kind]
    page = visit(home + "lesson.html", width=width, height=800)
    if width == 375:
        page.locator(".contents summary").click()
    page.locator('.contents a[data-section="faster"]').click()
    page.evaluate("() => scrollBy({ top: 900, behavior: 'instant' })")
    page.wait_for_function("() => history.state?.left")
    page.wait_for_load_state("networkidle")
    tops = """() => [...document.querySelectorAll("#main > section > p")].map((one) => one.getBoundingClientRect().top)"""
    before = page.evaluate(tops)
    read = next(place for place, top in enumerate(before) if top > 100)
    for _ in range(2):
        page.reload()
        page.wait_for_load_state("networkidle")
        assert page.evaluate(tops)[read] == pytest.approx(before[read], abs=1.5)
    page.keyboard.press("Home")
    page.wait_for_function("() => scrollY === 0 && history.state.left.block < 3")
    page.goto(home + "practice.html")
    page.evaluate("() => { setTimeout(() => history.back()); }")
    expect(page).to_have_url(re.compile("lesson.html"))
    expect(page.locator("h1")).to_be_in_viewport()


def forget(page):
    """Open a page again as who never was there."""
    page.evaluate("() => localStorage.clear()")
    page.reload()


def prediction(page, words):
    return page.locator(".predict").filter(has_text=words)


def test_nothing_is_revealed_before_a_guess_and_then_both_stand_side_by_side(visit, site):
    """By keyboard alone, a choice."""
    found = prediction(visit(site.address + "lesson.html", axe=True), "The pixels of your images")
    answer = found.locator("details p")
    expect(answer).to_be_hidden()
    found.get_by_label("It stays 1/4.").focus()
    press(found.page, "Enter")
    expect(found.get_by_role("status")).to_have_text("Make a guess first, or show the answer without one.")
    expect(answer).to_be_hidden()
    press(found.page, "ArrowDown", 2)
    press(found.page, "Enter")
    expect(found.locator(".compared")).to_have_text("Your guessIt falls towards 0.The answerIt grows towards 1.")
    expect(found.locator(".compared")).to_be_focused()
    expect(found.locator("[data-right]")).to_have_attribute("data-right", "no")
    expect(answer).to_be_visible()
    demand_nothing_broken(found.page, ".predict:has([data-right])")


def test_a_number_is_drawn_beside_the_right_one(visit, written):
    """Also where the page is opened as a file."""
    page = visit((written.place / "lesson.html").as_uri(), missing=True)
    found = prediction(page, "half of the variance")
    for typed, right in (("500", "no"), ("0,5", "no"), ("t = 259", "yes")):
        found.get_by_role("textbox").fill(typed)
        found.get_by_role("button").click()
        expect(found.locator(".compared")).to_have_text(f"Your guess{typed}The answer259")
        expect(found.locator("[data-right]")).to_have_attribute("data-right", right)
        expect(found.locator(".guesses i")).to_have_count(2)
        forget(page)


def test_what_holds_no_number_of_the_range_is_asked_again_and_nothing_is_revealed(visit, site):
    found = prediction(visit(site.address + "lesson.html"), "half of the variance")
    for typed in ("abc", "-1", "", "1001"):
        found.get_by_role("textbox").fill(typed)
        press(found.page, "Enter")
        expect(found.get_by_role("status")).to_have_text("Write a number from 0 to 1000." if typed else "Make a guess first, or show the answer without one.")
        expect(found.get_by_role("textbox")).to_be_focused()
        expect(found.locator("details p").first).to_be_hidden()
        assert found.page.evaluate("localStorage.length") == 0


def test_a_guess_is_dragged_by_keyboard_and_by_mouse_and_drawn_on_the_curve(visit, site):
    found = prediction(visit(site.address + "lesson.html", axe=True), "half of the variance")
    mark, typed = found.get_by_role("slider"), found.get_by_role("textbox")
    mark.focus()
    press(found.page, "Home")
    press(found.page, "ArrowRight", 2)
    expect(typed).to_have_value("2")
    box = mark.bounding_box()
    found.page.mouse.move(box["x"] + 3, box["y"] + box["height"] / 2)
    found.page.mouse.down()
    found.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=3)
    found.page.mouse.up()
    assert 480 <= float(typed.input_value()) <= 520
    typed.fill("600")
    expect(mark).to_have_value("600")
    found.get_by_role("button").click()
    plot = found.locator(".guesses")
    expect(plot.locator("span")).to_have_text(["0", "1000"])
    expect(plot.locator("b")).to_have_text(["259", "you 600"])
    expect(found.locator("figcaption")).to_have_text("share of the variance that is noise, 0 to 1")
    heights = plot.locator("i").evaluate_all("(all) => all.map((one) => parseFloat(one.style.height))")
    bars = np.cumprod(1 - np.r_[0, np.linspace(0.0001, 0.02, 1000)])
    assert heights == pytest.approx([100 * (1 - bars[259]), 100 * (1 - bars[600])], abs=1)
    demand_nothing_broken(found.page, ".predict:has(.guesses)")


def test_a_guess_near_the_truth_covers_neither_its_mark_nor_its_number(visit, as_files):
    page = visit(as_files + "lesson.html")
    found = prediction(page, "half of the variance")
    alone = "(one) => document.querySelectorAll('main > *').forEach((each) => each.contains(one) || each.remove())"
    marked = """(all, around) => all.map((one) => {
      const { left, top, width, height } = one.getBoundingClientRect();
      return around ? { x: left - 6, y: top - 6, width: 12, height: 12 } : { x: left, y: top, width, height };
    })"""

    def meet(one, other):
        return all(one[side] < other[side] + other[size] and other[side] < one[side] + one[size] for side, size in (("x", "width"), ("y", "height")))

    for guess in ("0", "151", "240", "255", "259", "263", "280", "400", "1000"):
        found.get_by_role("textbox").fill(guess)
        found.get_by_role("button").click()
        expect(found.locator(".guesses b")).to_have_count(2)
        found.evaluate(alone)  # or each other width takes long
        for width in (375, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate(SETTLED)
            labels, marks = found.locator(".guesses b").evaluate_all(marked, False), found.locator(".guesses i").evaluate_all(marked, True)
            assert not meet(*labels), (guess, width)
            assert not any(meet(label, mark) for label in labels for mark in marks), (guess, width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, guess
        forget(page)


def test_without_a_guess_the_answer_alone_is_drawn_on_the_curve(visit, site):
    found = prediction(visit(site.address + "lesson.html"), "half of the variance")
    found.scroll_into_view_if_needed()
    found.page.evaluate("async () => { await course.use('static/predict.js'); }")
    found.locator("summary").press("Enter")
    expect(found.locator(".guesses b")).to_have_text(["259"])
    expect(found.locator(".guesses span")).to_have_text(["0", "1000"])


@pytest.fixture(scope="module")
def reading(visit_once, site):
    """The lesson, for tests that do not alter what another one looks at."""
    return visit_once(site.address + "lesson.html")


def test_without_a_range_the_line_goes_from_zero_to_beyond_both_numbers(reading):
    found = prediction(reading, "attends to 77 tokens")
    found.get_by_role("textbox").fill("77")
    found.get_by_role("button").click()
    expect(found.locator(".guesses span")).to_have_text(["0", "400"])
    places = found.locator(".guesses i").evaluate_all("(all) => all.map((one) => parseFloat(one.style.left))")
    assert places == pytest.approx([64, 19.25])


def test_a_number_that_may_be_in_the_thousands_is_asked_about_as_in_practice(visit, written):
    found = prediction(visit((written.place / "lesson.html").as_uri(), missing=True), "half of the variance")
    for typed in ("1,234", "t = 1,234,567"):
        found.get_by_role("textbox").fill(typed)
        press(found.page, "Enter")
        expect(found.get_by_role("status")).to_have_text(WORDS["thousands"].format(given=typed.removeprefix("t = ")))
        expect(found.locator("details p").first).to_be_hidden()
    found.get_by_role("textbox").fill("259")
    press(found.page, "Enter")
    expect(found.locator(".compared [data-right]")).to_have_attribute("data-right", "yes")


def test_a_guess_is_kept_over_a_reload(visit, site):
    page = visit(site.address + "lesson.html")
    prediction(page, "The pixels of your images").get_by_label("It grows towards 1.").check()
    prediction(page, "The pixels of your images").get_by_role("button", name="Compare").click()
    prediction(page, "half of the variance").get_by_role("textbox").fill("500")
    prediction(page, "half of the variance").get_by_role("button", name="Compare").click()
    page.reload()
    expect(prediction(page, "The pixels of your images").locator(".compared")).to_have_text("Your guessIt grows towards 1.The answerIt grows towards 1.")
    expect(prediction(page, "half of the variance").locator(".compared")).to_have_text("Your guess500The answer259")
    expect(page.locator(".compared").nth(0)).not_to_be_focused()
    expect(page.locator(".predict details[open]")).to_have_count(2)


def test_the_answer_is_shown_without_a_guess_if_one_asks_for_it_also_without_scripts(browser, site):
    with contextlib.closing(browser.new_context(java_script_enabled=False)) as context:
        page = context.new_page()
        page.goto(site.address + "lesson.html")
        found = page.locator(".predict").first
        expect(found.get_by_role("button", name="Compare")).to_be_hidden()
        expect(found.locator("details p")).to_be_hidden()
        found.locator("summary").click()
        expect(found.locator("details p")).to_be_visible()


def test_a_mistake_is_a_note_where_the_text_warns_of_it(reading, site):
    """By keyboard; of a belief that nobody computes, it is the card about it."""
    page = reading
    note = page.locator("#one-step-by-hand .mistake").filter(has_text="Beta as standard deviation")
    expect(note.locator("p").last).to_be_hidden()
    note.locator("summary").focus()
    press(page, "Enter")
    expect(note.locator("p").last).to_have_text("You scaled the noise by β. β is the noise's variance: multiply ε by its square root.")
    belief = page.locator("#faster .mistake").filter(has_text="More steps are better")
    belief.locator("summary").click()
    expect(belief.locator("p").last).to_contain_text(next(card.back for card in site.session.lesson.cards if card.id == "more-steps")[:20])


def test_on_paper_nothing_is_folded(visit, site):
    """Every answer and the appendix are there, by the stylesheet, and where a browser knows no better by a script; afterwards all is as it was."""
    page = visit(site.address + "lesson.html")
    expect(page.locator("#widget-sampler")).to_have_attribute("data-ready", "yes")  # it has folds, too
    hidden = "() => [...document.querySelectorAll('main details:not(.widget details) > :not(summary, .compared, .widget, .symbols)')].filter((one) => !one.checkVisibility({ contentVisibilityAuto: true })).length"
    folded = "() => document.querySelectorAll('details:not([open])').length"
    before = page.evaluate(folded)
    page.emulate_media(media="print")
    page.wait_for_function(f"() => ({hidden})() === 0")  # a frame later
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(folded) == 0
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(folded) == before > 10


def test_a_figure_of_a_dark_page_stands_in_the_middle_and_is_light_on_paper(visit, site):
    page = visit(site.address + "lesson.html", theme="dark")
    dark, light = (page.locator(f"#forward-noising figure img.in-{form}") for form in ("dark", "light"))
    dark.scroll_into_view_if_needed()
    left, right = dark.evaluate("(image) => { const [own, all] = [image, image.parentElement].map((one) => one.getBoundingClientRect()); return [own.x - all.x, all.right - own.right]; }")
    assert left > 10
    assert left == pytest.approx(right, abs=1)
    page.emulate_media(media="print")
    expect(light).to_be_visible()
    expect(dark).to_be_hidden()
    assert min(map(int, re.findall("[0-9]+", page.evaluate("() => getComputedStyle(document.body).backgroundColor")))) > 240


def test_a_section_leads_to_its_neighbours_and_ends_with_something_to_do(own, visit):
    page = visit(own.address + "lesson.html#one-step-by-hand", axe=True)
    section = page.locator("#one-step-by-hand")
    expect(section.get_by_role("link", name="Previous section")).to_have_attribute("href", "#forward-noising")
    expect(section.get_by_role("link", name="Next section")).to_have_attribute("href", "#jump-to-any-t")
    now = section.get_by_role("group", name="Now you")
    expect(now.get_by_role("link", name="forward.py")).to_have_attribute("href", "exercises.html#exercise-forward")
    now.get_by_label("Your answer").fill("0.550")
    press(page, "Enter")
    expect(now.get_by_role("status")).to_contain_text("You scaled the noise by β.")
    now.get_by_label("Your answer").fill("0.790")
    press(page, "Enter")
    expect(now.get_by_role("status")).to_contain_text("Right")
    demand_nothing_broken(page, "#one-step-by-hand")
    expect(page.locator("#why-a-third-family").get_by_role("group", name="Now you").get_by_role("radio")).to_have_count(4)


@pytest.mark.parametrize("files", [False, True])
def test_the_first_part_of_a_question_is_answered_after_its_section_and_kept_for_the_others(visit, site, written, files):
    """Marked where it is, without a word on the other parts, nor a wrong answer to the whole."""
    page = visit((written.place / "lesson.html").as_uri() if files else site.address + "lesson.html", axe=True, missing=files)
    now = page.locator("#guidance").get_by_role("group", name="Now you")
    expect(now.get_by_role("heading", name="Part 1 of 8")).to_be_attached()
    now.get_by_label("Your answer").fill("0.20")
    press(page, "Enter")
    box = now.get_by_role("status")
    expect(box).to_contain_text("Not yet")
    expect(box.locator("[data-lines]")).not_to_contain_text("Part 1:")
    expect(box).not_to_contain_text("working")
    demand_nothing_broken(page, "#guidance")
    now.get_by_label("Your answer").fill("0.25")
    press(page, "Enter")
    expect(box).to_have_text(re.compile(r"^\s*Right\s*$"))
    page.reload()
    now.scroll_into_view_if_needed()
    expect(box).to_have_text(re.compile(r"^\s*Right\s*$"))
    now.get_by_role("link", name="Parts 2 to 8").click()
    expect(page.get_by_role("heading", name="Part 8 of 8")).to_be_visible()
    expect(page.get_by_label("Your answer").first).to_have_value("0.25")
    expect(page.locator("#mark")).to_be_empty()


def test_every_section_ends_with_a_question_inline(reading, site):
    sections = reading.locator("section:has(> .onward)").all()
    assert len(sections) == len(site.session.lesson.main)
    for section in sections:
        assert section.locator(".now form.question :is(input:not([type=hidden]), select, [data-order])").count(), section.get_attribute("id")


def test_a_site_without_a_server_names_no_command_after_a_section(visit, written):
    """But the file to write, and where it is said how to get it."""
    page = visit((written.place / "lesson.html").as_uri(), missing=True)
    files = page.locator(".now li", has_text=re.compile(r"^Write \w+\.py: how to get it\.$"))
    expect(files).not_to_have_count(0)
    expect(page.locator(".now", has_text="course check")).to_have_count(0)


def test_at_the_width_of_a_phone_formulas_fit_and_a_table_that_does_not_is_shaded(visit, site):
    page = visit(site.address + "lesson.html")
    page.set_viewport_size({"width": 375, "height": 800})
    unfold(page)
    wide = page.locator(".formula, .table").evaluate_all("(all) => all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.className)")
    assert set(wide) <= {"table"}
    expect(page.locator("#systems .table")).to_have_css("background-attachment", "local, local, scroll, scroll")


def test_the_appendix_has_anchors_too(reading, site):
    press(reading, "Tab")  # from here on what has the focus shows it
    for section in site.session.lesson.sections:
        link = reading.locator(f"#{section.id}").get_by_role("link", name="Link to this section")
        assert link.evaluate("(one) => { one.focus({ preventScroll: true }); return getComputedStyle(one).opacity; }") == "1"


@pytest.mark.parametrize("files", [False, True])
def test_words_are_found_in_sections_questions_and_cards(visit, site, written, files):
    page = visit((written.place / "search.html").as_uri() if files else site.address + "search.html", missing=files)
    expect(page.get_by_role("searchbox", name="Find")).to_be_focused()
    page.keyboard.type("GUIDANCE null")
    expect(page.get_by_role("status")).to_have_text(re.compile("[0-9]+ places"))
    expect(page.locator("#found mark").first).to_be_visible()
    expect(page.locator("#found a").first).to_have_attribute("href", "lesson.html#guidance")
    page.get_by_role("searchbox").fill("zebra")
    expect(page.get_by_role("status")).to_have_text("Nothing found for “zebra”.")
    page.get_by_role("searchbox").fill("fresh step")
    page.locator("#found a").first.click()
    expect(page).to_have_url(re.compile(r"question-fresh-step\.html$"))


def test_the_rest_of_a_word_that_is_found_is_no_variable(visit, site):
    page = visit("about:blank")
    for words, cut in (("mistakes draw", "drawn"), ("imag", "images")):
        page.goto(f"{site.address}search.html?words={words}")
        expect(page.locator("#found p math").first).to_be_attached()  # variables have been set
        found = page.locator("#found p").evaluate_all("(all) => all.map((one) => one.innerHTML)")
        assert [html for html in found if re.search(r"[^\W\d_]</mark>(<span[^>]*>)?<math|</math>(</span>)?<mark>[^\W\d_]", html)] == []
        expect(page.locator("#found p").filter(has_text=cut)).not_to_have_count(0)


@pytest.mark.parametrize("files", [False, True])
def test_who_is_new_is_told_where_to_begin_how_long_it_takes_and_sees_the_model_draw(own, visit, written, files):
    """In a wide window and on a phone."""
    page = visit((written.place / "index.html").as_uri() if files else own.address)
    expect(page.locator(".opening .label")).to_contain_text("about 14 minutes of reading, 15 of core practice, and 11 files to write in about 5 hours")
    expect(page.locator("#door-cards")).to_contain_text("30 core cards")
    for width in (1280, 375):
        page.set_viewport_size({"width": width, "height": 900})
        expect(page.get_by_role("heading", name="Begin here")).to_be_in_viewport()
        page.get_by_role("link", name="Begin reading").click()
        expect(page.locator("h1")).to_be_in_viewport()
        expect(page.locator("#widget-sampler")).to_be_in_viewport()
        page.go_back()


def test_the_home_page_leads_on_from_what_was_read(own, visit):
    first, second, *_ = own.session.lesson.main
    page = visit(own.address)
    following = page.locator(".doors [data-next]")
    expect(following).to_contain_text(first.title)
    with own.session.state() as state:
        state.add("read", first.id)
    page.reload()
    expect(following).to_contain_text(second.title)
    expect(page.locator(".objectives")).to_contain_text("1 of ")
    following.get_by_role("link").click()
    expect(page).to_have_url(f"{own.address}lesson.html#{second.id}")
    page.get_by_role("navigation", name="Previous and next page").get_by_role("link", name="Play").click()
    expect(page).to_have_url(own.address + "play.html")


def test_the_home_page_of_a_site_as_files_remembers_what_was_read(visit, as_files, site):
    first, second, *_ = site.session.lesson.main
    page = visit(as_files + "index.html")
    read = page.locator("#door-read")
    expect(read).to_contain_text(f"Begin reading {first.title} {site.session.lesson.minutes} min of reading left")
    practice = page.locator("#door-practice")
    expect(practice).to_contain_text("Next question Fresh step 3 core questions left")
    page.get_by_role("link", name="Next file schedule.py").click()
    task = page.get_by_role("listitem").filter(has_text="Write schedule.py")
    expect(task).to_be_in_viewport()
    task.get_by_role("link", name="how to get it").click()
    expect(page.get_by_text("course start gives you all of them to fill in")).to_be_in_viewport()
    page.evaluate("(log) => localStorage.setItem(`practice:${document.body.dataset.lesson}`, JSON.stringify(log))", {"fresh-step": [[seed, True] for seed in range(3)]})
    page.reload()
    expect(page.get_by_role("heading", name="Go on")).to_be_visible()
    expect(read).to_contain_text("Begin reading")
    page.evaluate("(id) => localStorage.setItem(`read:lesson.html:${document.title}`, JSON.stringify([id]))", first.id)
    page.reload()
    expect(read).to_contain_text(f"Read on {second.title}")
    expect(practice).to_contain_text("Next question Method choice 2 core questions left")
    expect(page.locator(".objectives > li").filter(has_text="Compute one forward noising step")).to_contain_text("questions mastered 1 of ")


def test_the_links_at_the_foot_are_in_line_with_the_text(visit, as_files):
    page = visit("about:blank")
    edges = """() => {
      const [main, foot] = ["main", ".foot .onward"].map((one) => document.querySelector(one));
      const box = main.getBoundingClientRect(), { paddingLeft, paddingRight } = getComputedStyle(main), links = foot.getBoundingClientRect();
      return [[box.left + parseFloat(paddingLeft), box.right - parseFloat(paddingRight)], [links.left, links.right]];
    }"""
    for name in ("index", "play", "practice", "cards"):
        page.goto(f"{as_files}{name}.html")
        for width in (375, 800, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate(SETTLED)
            text, links = page.evaluate(edges)
            assert links == text, (name, width)


def test_the_first_stop_of_the_keyboard_skips_to_the_content(visit, site):
    page = visit(site.address + "practice.html")
    press(page, "Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    press(page, "Enter")
    expect(page.locator("main")).to_be_focused()


def test_the_dark_page_is_a_choice_that_is_kept(visit, site):
    page = visit(site.address + "practice.html", theme="light")
    ground = "() => getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    button = page.get_by_role("button", name="Dark page")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.focus()
    press(page, "Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    dark = page.evaluate(ground)
    page.goto(site.address + "lesson.html")
    assert page.evaluate(ground) == dark != light
    picture = page.locator("#forward-noising figure img.in-dark")
    picture.scroll_into_view_if_needed()
    expect(picture).to_be_visible()
    expect(page.locator("#forward-noising figure img.in-light")).to_be_hidden()


# ---- to play with


@pytest.fixture(scope="module")
def playing(visit_once, site):
    """Everything that can be played with, for tests that each play with something of their own."""
    return visit_once(site.address + "play.html")


def test_the_noise_slider_shows_the_mistake_beside_the_correct_image(playing):
    """By keyboard: t = 100, where the lesson's table has both factors."""
    found = widget(playing, "noise")
    slider = found.get_by_role("slider", name="t", exact=True)
    slider.focus()
    press(found.page, "Home")
    expect(found.locator(".says")).to_contain_text("At t = 0 the two look the same")
    press(found.page, "PageUp", 1)
    press(found.page, "Home")
    press(found.page, "ArrowRight", 100)
    expect(found.locator(".says")).to_have_text("At t = 100 the mistake adds too little noise: 0.103 where 0.321 is right, 0.218 too small.")
    expect(found.get_by_role("img", name="ankle boot at t = 100, noise times 0.321")).to_be_visible()
    expect(found.get_by_role("status")).to_contain_text("At t = 100")
    press(found.page, "End")
    expect(found.locator(".says")).to_contain_text("you cannot see a missing root here")


def test_the_noise_slider_by_mouse(playing):
    found = widget(playing, "noise")
    slider = found.get_by_role("slider", name="t", exact=True)
    box = slider.bounding_box()
    slider.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    expect(found.locator(".says")).to_contain_text(re.compile(r"At t = (49\d|50\d) "))
    found.get_by_label("Schedule").select_option("cosine")
    expect(found.locator(".readout dd").first).to_have_text(re.compile(r"0\.4[89]|0\.50"))


def test_the_forward_step_starts_with_the_lessons_example_and_follows_the_keys(playing):
    found = widget(playing, "one-step")
    expect(found.locator(".readout")).to_contain_text("the new pixel0.664")
    expect(found.locator(".readout")).to_contain_text("β for √β0.729")
    expect(found.locator(".readout")).to_contain_text("no root on 1 − β0.625")
    expect(found.locator(".readout .mistake").first).to_have_css("border-left-width", "0px")  # it is no note of a mistake
    found.get_by_label("variance β").focus()
    press(found.page, "End")
    expect(found.locator(".readout")).to_contain_text("the new pixel−0.300")


def test_the_pixel_and_the_noise_can_be_dragged_and_the_mistakes_are_drawn_beside(visit, site):
    """The axis fits: it goes from 0 to 1 for the lesson's example, and stands while something is held."""
    found = widget(visit(site.address + "play.html"), "one-step")
    expect(found.get_by_role("img")).to_have_attribute("aria-label", re.compile(
        "On a line from 0.0 to 1.0: .* noise moves it to 0.664; with β for √β it would be 0.729, with 1 − β for its root 0.625"))

    def drag(name, across):
        box = found.locator(f'[data-grab="{name}"]').bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        found.page.mouse.move(x, y)
        found.page.mouse.down()
        found.page.mouse.move(x + across, y)
        expect(found.get_by_role("img")).to_have_attribute("aria-label", re.compile("On a line from 0.0 to 1.0"))
        found.page.mouse.up()

    others = ".widget:not(#widget-one-step)"  # they would move it when they come
    found.page.evaluate(f"document.querySelectorAll('{others}').forEach((one) => one.remove())")
    found.get_by_role("img").scroll_into_view_if_needed()
    unit = found.get_by_role("img").bounding_box()["width"] - 48
    drag("x", -0.3 * unit)
    expect(found.get_by_label("pixel x")).to_have_value("0.5")
    drag("eps", 0.2 * unit)
    expect(found.get_by_label("noise ε")).to_have_value("0.3")


def test_the_schedule_plot_has_the_reference_implementations_numbers(playing):
    from solutions.diffusion.schedules import alpha_bars, cosine_betas, linear_betas

    found = widget(playing, "schedule")
    found.get_by_role("slider", name="t", exact=True).focus()
    press(found.page, "ArrowRight", 41)
    linear, cosine = alpha_bars(linear_betas(1000)), alpha_bars(cosine_betas(1000))
    expect(found.locator(".says")).to_contain_text(f", the image's share: linear {linear[300]:.4f}, cosine {cosine[300]:.4f}.")
    expect(found.locator(".readout")).to_contain_text("linear: half is noise att = 259")
    expect(found.locator(".readout")).to_contain_text("cosine: half is noise att = 496")


CENTRES = np.array([[-0.9, 0.1], [-0.1, 0.9], [0.1, -0.9], [0.9, -0.1]])  # of the plane; the first two are the requested class


def ends(starts, w):
    """Where trajectories of the plane end, by the reference implementation."""
    from solutions.diffusion.exact import exact_eps
    from solutions.diffusion.guidance import guide
    from solutions.diffusion.samplers import ddim_sample, even_path
    from solutions.diffusion.schedules import alpha_bars, cosine_betas

    bars = alpha_bars(cosine_betas(999))[:1000]

    def eps_model(x, t):
        return guide(exact_eps(x, bars[t], CENTRES), exact_eps(x, bars[t], CENTRES[:2]), w)

    return ddim_sample(eps_model, starts, bars, even_path(998, 60), clip=None)


def guided(starts, w):
    """The plane's figures: the share in the class, the standard deviation within a cluster, the share two of the data's outside."""
    found = ends(starts, w)
    distances = np.linalg.norm(found[:, None] - CENTRES, axis=2)
    nearest = distances.argmin(axis=1)
    own = np.array([found[nearest == k].mean(axis=0) for k in nearest])
    std = np.sqrt(((found - own) ** 2).sum(axis=1).mean())
    return [f"{100 * np.mean(nearest < 2):.0f} %", f"{std:.2f}", f"{100 * np.mean(distances.min(axis=1) > 2 * 0.12):.0f} %"]


def test_the_plane_has_the_trajectories_of_the_reference_implementation(playing):
    """The same starts under the same guidance end at the same places as `solutions.diffusion` computes."""
    starts = np.random.default_rng(1).standard_normal((6, 2))
    for w in (0, 1, 4):
        wanted = ends(starts, w)
        script = "async ([starts, w]) => { const { trajectory } = await course.use('widgets/guidance.js'); return starts.map((start) => trajectory(start, w).at(-1)); }"
        np.testing.assert_allclose(playing.evaluate(script, [starts.tolist(), w]), wanted, atol=1e-6)


def test_more_guidance_crowds_each_cluster_and_leaves_the_data_by_keys_and_by_dragging(playing):
    """Its figures are what the reference implementation computes from the same starts."""
    page = playing
    found = widget(page, "guidance")
    starts = np.array(page.evaluate("async () => (await course.use('widgets/guidance.js')).starts"))
    says, drawing = found.locator(".says"), found.locator("svg.plane")

    def figures():
        return found.locator(".readout dd").all_text_contents()

    assert figures() == guided(starts, 1) == ["100 %", "0.17", "12 %"]
    found.get_by_label("Guidance w").focus()
    press(page, "Home")
    expect(says).to_contain_text("The condition is ignored")
    assert figures() == guided(starts, 0)
    press(page, "ArrowRight", 12)
    expect(says).to_have_text("w = 3.00. The trajectories bend away from the other class, and their ends crowd together.")
    assert figures() == guided(starts, 3) == ["100 %", "0.14", "17 %"]
    drawing.scroll_into_view_if_needed()
    box = drawing.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 100 - box["width"] / 4, box["y"] + 100)
    page.mouse.up()
    expect(says).to_contain_text("w = 1.00.")
    found.get_by_label("Guidance w").press("End")
    expect(says).to_contain_text("Too much")
    assert figures() == guided(starts, 8) == ["100 %", "0.13", "68 %"]


def test_the_model_denoises_while_one_watches(visit, site):
    """By keyboard; then back through the frames; and what it cannot draw is said in its words."""
    found = widget(visit(site.address + "play.html"), "sampler")
    expect(found.get_by_role("img", name="The noisy images: 2 images at t = 0")).to_be_visible()  # a recorded run
    found.get_by_label("Steps").focus()
    press(found.page, "Home")
    press(found.page, "ArrowRight", 2)
    found.get_by_role("button", name="Denoise").focus()
    press(found.page, "Enter")
    expect(found.locator(".says")).to_contain_text("Done in")
    expect(found.get_by_role("img", name="The noisy images: 2 images at t = 0")).to_be_visible()
    expect(found.get_by_role("button", name="Denoise")).to_be_focused()
    found.get_by_label("Step", exact=True).focus()
    press(found.page, "Home")
    expect(found.get_by_role("img", name="The noisy images: 2 images at t = 666")).to_be_visible()
    found.get_by_text("More").click()
    found.get_by_label("Model").select_option("shapes")
    found.get_by_role("combobox", name="Prompt").fill("a purple dog")
    found.get_by_role("button", name="Denoise").click()
    expect(found.locator(".says")).to_contain_text("unknown word purple; choose from a, small, large")


def test_two_runs_of_ones_own_stand_side_by_side_and_differ_in_one_thing(visit, site):
    found = widget(visit(site.address + "play.html"), "sampler")
    titles, beside = found.locator(".film > p"), found.get_by_label("Side by side")
    found.get_by_role("combobox", name="Prompt").fill("red heart")
    found.get_by_label("Steps").focus()
    press(found.page, "Home")
    press(found.page, "ArrowRight", 2)
    beside.select_option("w = 1 and w = 5")
    expect(titles).to_have_text([f"red heart, DDIM in 3 steps, w = {w}, seed 0: t = 0" for w in (1, 5)])
    expect(found.locator(".says")).to_contain_text("Only w differs: all else is as you chose it.")
    beside.select_option("two prompts, one noise")
    expect(titles).to_have_text([f"{prompt}, DDIM in 3 steps, w = 3, seed 0: t = 0" for prompt in ("red heart", "purple banana")])
    expect(found.locator(".says")).to_contain_text("Only the prompt differs")
    beside.select_option("5 and 20 steps")
    expect(titles).to_have_text([f"red heart, DDIM in {steps} steps, w = 3, seed 0: t = 0" for steps in (5, 20)])
    expect(found.locator(".says")).to_contain_text("Done in")
    beside.select_option("one run")
    expect(titles).to_have_text(["red heart, DDIM in 20 steps, w = 3, seed 0: t = 0"])
    expect(found.locator(".says")).to_have_text("To see it with these settings, press Denoise.")  # in 3 steps
    found.get_by_label("Steps").fill("20")
    found.get_by_role("button", name="Denoise").click()
    expect(found.locator(".says")).to_contain_text("Done in")
    expect(found.locator(".stale")).to_have_count(0)
    found.get_by_text("More").click()
    found.get_by_label("Model").select_option("fashion")
    expect(found.locator(".says")).to_have_text("To see it with these settings, press Denoise.")
    expect(found.locator(".films.stale")).not_to_have_count(0)


def test_a_showing_can_be_stopped_and_another_window_waits_for_it(visit, site):
    first, second = (widget(visit(site.address + "play.html"), "sampler") for _ in range(2))
    first.get_by_text("More").click()
    first.get_by_label("Sampler").select_option("ddpm")
    first.get_by_role("button", name="Denoise").click()
    expect(first.locator(".says")).to_contain_text("of 1000")
    second.get_by_role("button", name="Denoise").click()
    expect(second.locator(".says")).to_have_text("Waiting in line: 1 ahead of you.")
    first.get_by_role("button", name="Stop").click()
    expect(first.locator(".says")).to_have_text("Stopped.")
    expect(second.locator(".says")).to_contain_text("Done in")


def test_a_recorded_run_plays_by_itself_and_is_paused_stepped_and_played_by_keyboard(visit, written):
    page = visit((written.place / "play.html").as_uri(), moving=True)
    found = widget(page, "sampler")

    def at(t):
        expect(found.get_by_role("img", name=f"The noisy images: 2 images at t = {t}")).to_be_visible()
        expect(found.get_by_role("img", name=f"The estimates of the clean images: 2 images at t = {t}")).to_be_visible()

    at(900)
    page.clock.run_for(600)  # at six frames a second
    at(600)
    found.get_by_role("button", name="Pause").focus()
    press(page, "Enter")
    page.clock.run_for(10_000)
    at(600)
    found.get_by_role("button", name="Step", exact=True).press("Enter")
    at(500)
    found.get_by_role("button", name="Step back").press("Enter")
    at(600)
    found.get_by_text("More").click()
    found.get_by_label("Frames a second").select_option("4")
    found.get_by_role("button", name="Play").press("Enter")
    page.clock.run_for(600)
    at(400)
    page.clock.run_for(10_000)
    at(0)
    expect(found.get_by_role("button", name="Play")).to_be_visible()


def test_recordings_are_chosen_and_stand_side_by_side(visit, written):
    """For a reader who wants nothing to move each stands on its last frame. What is offered is what was recorded."""
    page = visit((written.place / "play.html").as_uri())
    found = widget(page, "sampler")
    titles = found.locator(".film > p")
    expect(titles).to_have_text(["purple banana, DDIM in 20 steps, w = 3, seed 0: t = 0"])
    found.get_by_label("Prompt").select_option("ankle boot")
    expect(titles).to_have_text(["ankle boot, DDIM in 20 steps, w = 1.5, seed 0: t = 0"])
    found.get_by_role("button", name="New seed").click()
    expect(titles).to_have_text(["ankle boot, DDIM in 20 steps, w = 1.5, seed 1: t = 0"])
    found.get_by_label("Steps").select_option("5")
    expect(titles).to_have_text(["ankle boot, DDIM in 5 steps, w = 1.5, seed 0: t = 0"])
    expect(found.get_by_role("button", name="New seed")).to_be_disabled()
    expect(found.get_by_text("Recorded with seed 0 only: to draw with another, let the model draw.")).to_be_visible()
    found.get_by_role("button", name="Pin").click()
    found.get_by_label("Prompt").select_option("bag")
    expect(titles).to_have_text(["ankle boot, DDIM in 5 steps, w = 1.5, seed 0: t = 0", "bag, DDIM in 20 steps, w = 1.5, seed 0: t = 0"])
    found.get_by_label("Step", exact=True).press("Home")
    expect(titles).to_have_text([re.compile("t = 800"), re.compile("t = 950")])
    found.get_by_role("button", name="Unpin").click()
    expect(titles).to_have_text([re.compile("^bag")])
    found.get_by_label("Side by side").select_option("w = 1 and w = 5")
    expect(titles).to_have_text([re.compile("w = 1, .*t = 0"), re.compile("w = 5, .*t = 0")])
    expect(found.locator(".says")).to_contain_text("Only w differs")
    chosen = found.locator(".control select:visible").evaluate_all("(all) => all.slice(0, 2).map((one) => one.selectedOptions[0].text)")
    assert chosen == ["ankle boot", "20, DDIM"]
    found.get_by_text("More", exact=True).click()
    expect(found.get_by_label("Guidance w").locator("option:checked")).to_have_text("1 and 5")
    found.get_by_label("Side by side").select_option("two prompts, one noise")
    expect(found.get_by_label("Prompt").locator("option:checked")).to_have_text("ankle boot and bag")
    found.get_by_label("Side by side").select_option("one run")
    expect(titles).to_have_text([re.compile("^bag, DDIM in 20 steps, w = 1.5, seed 0")])
    expect(found.get_by_label("Prompt").locator("option:checked")).to_have_text("bag")
    found.get_by_label("Prompt").select_option("dress")
    expect(titles).to_have_text([re.compile("^dress")])


def test_where_the_model_lacks_a_package_the_page_plays_recordings_and_names_the_cure(root, workspace, visit, monkeypatch):
    monkeypatch.setattr(pages, "_installed", lambda package: package == "torch")
    with serving(root, workspace) as served:
        found = widget(visit(served.address + "play.html"), "sampler")
        expect(found.get_by_text("These are recordings.")).to_have_text(
            "These are recordings. To let the model draw through the site, which is faster, run pip install safetensors pillow and start course serve again.")
        expect(found.get_by_role("button", name="Denoise")).to_have_count(0)
        expect(found.get_by_role("button", name="Pin")).to_be_visible()


# ---- practice


def test_a_question_is_answered_by_keyboard_and_the_misconception_is_named(visit, site):
    page = visit(site.address + "question-fresh-step.html?seed=11")
    question = next(one for one in site.session.lesson.questions if one.id == "fresh-step")
    right, misconceptions = values(question, variant(question, 11, site.session.functions()), site.session.functions())
    misconception, value = next(pair for pair in misconceptions if pair[0].id == "beta_as_standard_deviation")
    page.get_by_label("Your answer").focus()
    page.keyboard.type(f"{value:.3f}")
    press(page, "Enter")
    mark = page.locator("#mark")
    expect(mark).to_contain_text(misconception.sentence)
    expect(mark).to_be_focused()
    assert page.url.endswith("?seed=11")
    page.get_by_label("Your answer").fill(f"{right:.3f}")
    page.get_by_role("button", name="Check").click()
    expect(mark.get_by_role("heading", name="Right")).to_be_visible()


def test_an_order_is_put_right_by_its_arrows_and_by_dragging(visit, site):
    page = visit(site.address + "question-training-loop.html")
    right = ["draw", "jump", "ask", "loss", "update"]

    def order():
        return page.locator("[data-order] li").evaluate_all("(items) => items.map((item) => item.dataset.id)")

    page.locator('[data-id="draw"]').get_by_role("button", name="Move up").focus()
    press(page, "Enter", order().index("draw"))
    assert order()[0] == "draw"
    expect(page.locator("[data-moved]")).to_contain_text("Now 1 of 5.")
    for place, name in enumerate(right[1:], 1):
        for _ in range(order().index(name) - place):
            here = page.locator(f'[data-id="{name}"] .what').bounding_box()
            above = page.locator("[data-order] li").nth(order().index(name) - 1).bounding_box()
            page.mouse.move(here["x"] + 20, here["y"] + here["height"] / 2)
            page.mouse.down()
            page.mouse.move(here["x"] + 20, above["y"] + 3, steps=4)
            page.mouse.up()
    assert order() == right
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#mark")).to_contain_text("Right")


def test_a_choice_is_made_by_keyboard(visit, site):
    page = visit(site.address + "question-why-not-one-step.html")
    page.get_by_role("radio").first.focus()
    press(page, "Space")
    press(page, "ArrowDown")
    expect(page.get_by_role("radio").nth(1)).to_be_checked()
    press(page, "Enter")
    expect(page.locator("#mark")).to_contain_text("Right")


def answers_to(part, key, drawn):
    """Answers that are right, wrong in each way, and no answer at all."""
    if form_of(part).control == "number":
        right, misconceptions = drawn.values(part)
        numbers = [right, *(value for _, value in misconceptions)]
        written = [f"{number:.{digits}f}" for number in numbers for digits in (part.decimals, max(0, part.decimals - 1), 0)]
        return [*written, f"{-right:.3f}".replace("-", "−"), f"{right:.3f}".replace(".", ","), "750.5", ".25", "0,5", "1,5e-3", "1,234", "-12,500", "1,234,5", "0, 5", "much", "3000000000", ""]
    return [practice._right(part, key), *practice._misses(part, key).values()]


def test_a_site_without_a_server_marks_as_the_terminal_does(visit, written, site):
    """The same lines, section and worth, for every question, published and fresh, and each way to miss it."""
    page, functions = visit((written.place / "question-fresh-step.html").as_uri()), site.session.functions()
    script = """async ([id, seed, answers]) => {
      const asked = (await course.use(`answers/${id}.js`)).variants.find((one) => one.seed === seed);
      return answers.map((answer) => marks.marked(asked, answer)).map((note) => note && [note.lines, note.section ?? null, note.readable]);
    }"""
    for question, seed in itertools.product(practised(site.session.lesson), (None, 0, practice.FRESH - 1)):
        if seed is not None and not question.numbers:
            continue
        asked = ask(site.session.workspace, question, seed, functions)
        drawn = Drawn(asked.numbers, lambda part, asked=asked: values(part, asked.numbers, functions))
        answers = answers_to(question, asked.key, drawn) if not question.parts else [
            dict(zip((part.id for part in question.parts), each, strict=True))
            for each in itertools.zip_longest(*(answers_to(part, asked.key.part(part.id), drawn) for part in question.parts), fillvalue="")]
        made = [mark_answer(question, asked.key, answer, drawn) for answer in answers]
        wanted = [None if one.outcome == "passed" else [[with_symbols(to_html(practice._line(asked, remark))) for remark in one.remarks], one.section, one.readable] for one in made]
        assert page.evaluate(script, [question.id, seed, answers]) == wanted, (question.id, seed)


def test_practice_without_a_server_names_the_idea_gives_fresh_numbers_and_remembers(visit, written, site):
    page = visit((written.place / "practice.html").as_uri())
    page.get_by_role("link", name="Fresh step", exact=True).click()
    question = next(one for one in site.session.lesson.questions if one.id == "fresh-step")
    mark, functions = page.locator("#mark"), site.session.functions()

    def answer(written):
        page.get_by_label("Your answer").fill(written)
        page.get_by_role("button", name="Check").click()

    answer("0.550")
    expect(mark).to_contain_text("You scaled the noise by β. β is the noise's variance")
    expect(mark.get_by_role("link")).to_have_attribute("href", "lesson.html#one-step-by-hand")
    answer("0.790")
    expect(mark.get_by_role("heading", name="Right")).to_be_visible()
    expect(mark).to_contain_text("mastered once you are right with fresh numbers 3 times in a row")
    expect(mark).not_to_contain_text("answers.yaml")  # there is none
    answer("much")
    expect(page.get_by_label("Your answer")).to_be_focused()
    expect(mark.get_by_role("heading")).to_have_text("Not yet")
    expect(mark).not_to_contain_text("streak")
    answer("0.790")
    for row in (1, 2, 3):
        page.locator("#mark").get_by_role("link", name="Fresh numbers").click()
        expect(page.locator("#seed")).to_contain_text("fresh numbers, seed")
        seed = int(re.search(r"\d+", page.locator("#seed").text_content())[0])
        right, _ = values(question, variant(question, seed, functions), functions)
        answer(f"{right:.3f}")
        expect(mark).to_contain_text("Mastered." if row == 3 else f"{row} of 3 fresh variants in a row.")
    page.goto((written.place / "practice.html").as_uri())
    expect(page.locator('[data-question="fresh-step"] .state')).to_have_text("Mastered")
    expect(page.locator("#go-on")).to_contain_text("Go on: ")
    page.goto((written.place / "lesson.html").as_uri())  # and so after the section
    form = page.locator('.now form[data-question="fresh-step"]')
    form.get_by_label("Your answer").fill("0.550")
    form.get_by_role("button", name="Check").click()
    expect(form.locator("+ [role=status]")).to_contain_text("You scaled the noise by β.")


# ---- cards, exercises, grades, and the site as files


def face(page):
    return page.locator('[name="face"]').get_attribute("value")


def test_cards_are_reviewed_by_the_terminals_keys(own, visit):
    page = visit(own.address + "cards.html")
    card, told = page.locator(".card"), page.locator(".told")
    first = face(page)
    expect(card.locator(".back")).to_be_hidden()
    press(page, "4")
    assert face(page) == first  # what is not seen is not pressed
    press(page, "Space")
    expect(card.locator(".back")).to_be_visible()
    expect(card.get_by_role("button", name="Good")).to_be_focused()
    press(page, "1")
    expect(told).to_have_text("Answered: Again.")
    expect(page.locator(".counts")).to_contain_text("1 learning")
    assert face(page) != first
    press(page, "f")
    expect(told).to_have_text("Flagged.")
    expect(page.locator(".counts")).to_contain_text("flagged")
    press(page, "u")
    expect(told).to_have_text("Undone.")
    assert face(page) == first
    press(page, "Enter")
    press(page, "Enter")
    expect(told).to_have_text("Answered: Good.")
    press(page, "o")
    expect(told).to_have_text("This card has no figure.")
    with page.context.expect_page() as opened:
        press(page, "e")
    assert re.search(r"/lesson\.html#[a-z-]+$", opened.value.url)
    press(page, "q")
    expect(page).to_have_url(own.address + "index.html")


def test_help_shows_every_key_of_the_terminal_and_gives_the_focus_back(own, visit):
    page = visit(own.address + "cards.html")
    help = page.get_by_role("dialog", name="Keys")
    press(page, "?")
    expect(help.get_by_role("button", name="Close")).to_be_focused()
    rows = [" ".join(row.split()) for row in help.locator("dl div").all_inner_texts()]
    assert rows == [f"{key.replace(',', '')} {does}" for key, does in KEYS]
    press(page, "u")
    expect(page.locator(".told")).to_have_text("")  # behind it nothing is pressed
    press(page, "?")
    expect(help).to_be_hidden()
    expect(page.locator("summary")).to_be_focused()


def test_who_speaks_to_a_browser_can_turn_the_keys_off(own, visit):
    page = visit(own.address + "cards.html")
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("These keys work on this page").uncheck()
    page.get_by_role("button", name="Close").click()
    page.reload()
    press(page, "f")
    press(page, "Space")  # the button in focus
    expect(page.locator(".back")).to_be_visible()
    expect(page.locator(".told")).to_have_text("")


def test_cards_are_reviewed_by_mouse(own, visit):
    page = visit(own.address + "cards.html")
    undo = page.get_by_role("button", name="Take the last one back")
    expect(undo).to_have_count(0)
    press(page, "u")
    expect(page.locator(".told")).to_have_text("There is no answer from today to undo.")
    page.locator("summary").click()
    page.get_by_role("button", name="Easy").click()
    expect(page.locator(".told")).to_have_text("Answered: Easy.")
    undo.click()
    expect(page.locator(".told")).to_have_text("Undone.")
    expect(undo).to_have_count(0)
    page.get_by_role("button", name="Flag this card").click()
    expect(page.get_by_role("button", name="Take the flag away")).to_be_visible()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open its section in another tab").click()
    assert "/lesson.html#" in opened.value.url


def test_a_cards_figure_opens_by_itself_in_the_form_that_is_seen(own, visit):
    lesson = own.session.lesson
    drawn = tuple(msgspec.structs.replace(card, front="What is it? ![A drawing](figures/denoise-strip-light.svg)", cloze="", back="It.") for card in lesson.cards)
    own.session.reviewed = (msgspec.structs.replace(lesson, cards=drawn),)
    page = visit(own.address + "cards.html", theme="dark")
    with page.context.expect_page() as opened:
        press(page, "o")
    assert opened.value.url == own.address + "figures/denoise-strip-dark.svg"
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Open its figure in another tab").click()
    assert opened.value.url == own.address + "figures/denoise-strip-dark.svg"


def test_an_exercise_changes_before_ones_eyes_and_what_was_open_stays_open(own, visit, root):
    page = visit(own.address + "exercises.html")
    row = page.locator("#exercise-forward")
    row.locator("summary").focus()
    press(page, "Enter")
    expect(row.locator(".said")).to_contain_text("Nothing is written in it yet.")
    (own.folder / "forward.py").write_text(WRONG)
    expect(row.locator(".said")).to_contain_text("Not checked yet")
    check(own, "forward", root)
    expect(row.locator(".said")).to_contain_text("You scaled the noise by β.")
    expect(row.locator("summary")).to_be_focused()
    expect(page.get_by_role("status")).to_contain_text("forward.py")


def test_the_site_as_files_plays_recordings_and_remembers_what_was_read(visit, as_files):
    page = visit(as_files + "play.html")
    found = widget(page, "sampler")
    found.get_by_label("Prompt").select_option("ankle boot")
    found.get_by_label("Steps").select_option("5")
    expect(found.locator(".says")).to_have_text("Recorded: ankle boot, DDIM in 5 steps, w = 1.5, seed 0.")
    expect(found.get_by_role("img", name="The noisy images: 4 images at t = 0")).to_be_visible()
    page.goto(as_files + "cards.html")
    page.locator(".flip summary").first.click()
    expect(page.locator(".flip p").nth(1)).to_be_visible()
    page.clock.install()
    page.goto(as_files + "lesson.html")
    link = page.locator('.contents a[data-section="forward-noising"]')
    page.locator("#one-step-by-hand").evaluate("(section) => scrollTo({ top: section.offsetTop - 600, behavior: 'instant' })")
    page.clock.run_for(100_000)
    expect(link).to_have_attribute("data-read", "yes")
    page.reload()
    expect(link).to_have_attribute("data-read", "yes")


# ---- for instructors


@pytest.fixture
def large(root, workspace, tmp_path):
    """A site before a class of 150, for instructors."""
    keep(tmp_path, *(result(f"Student {number:03}", number % 21) for number in range(150)))
    with serving(root, workspace, grades_in=tmp_path) as served:
        yield served


def test_a_class_is_searched_and_sorted_while_it_is_graded(large, visit, tmp_path):
    page = visit(large.address + "grades.html")
    rows, find, forward = page.locator(".class-table tbody tr"), page.get_by_label("Find"), page.get_by_role("link", name="forward")
    expect(rows).to_have_count(100)
    page.get_by_role("link", name="Next").click()
    expect(rows).to_have_count(50)
    find.fill("student 14")  # whole: where Chromium comes to the `#students` of the address, late perhaps, it takes the focus away
    expect(page.get_by_role("status")).to_have_text("12 of 150 students")
    forward.click()
    expect(page.get_by_role("columnheader", name="forward")).to_have_attribute("aria-sort", "ascending")
    forward.click()
    expect(page.get_by_role("columnheader", name="forward")).to_have_attribute("aria-sort", "descending")
    expect(rows.first).to_contain_text("Student 146")  # 20 points
    forward.focus()
    keep(tmp_path, result("Student 14 the latecomer", 20.5))
    expect(rows.first).to_contain_text("Student 14 the latecomer")
    expect(forward).to_be_focused()
    expect(find).to_have_value("student 14")


def test_what_is_typed_before_the_script_is_there_is_found(large, visit):
    page, held = visit("about:blank"), []
    page.route("**/static/live.js", lambda route: held.append(route))
    page.goto(large.address + "grades.html", wait_until="commit")
    page.get_by_label("Find").fill("student 14")
    while not held:
        page.wait_for_timeout(10)
    held[0].continue_()
    expect(page.get_by_role("status")).to_have_text("12 of 150 students")


def test_the_report_sorts_and_follows_the_light_that_was_chosen_on_the_site(visit, class_site):
    page = visit(class_site.address + "grades.html", theme="light")
    page.get_by_role("button", name="Dark page").click()
    page.get_by_role("link", name="The whole report").click()
    names = page.locator("#students tbody td:first-child")
    page.get_by_role("button", name="student").click()
    page.get_by_role("button", name="student").click()
    expect(names).to_have_text(["Zoë", "Aiko"])
    page.get_by_label("Filter the students").fill("aiko")
    expect(names.and_(page.locator(":visible"))).to_have_text(["Aiko"])
    dark = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    names.get_by_role("link", name="Aiko").click()
    expect(page.get_by_role("heading", name="Aiko")).to_be_visible()
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == dark == "rgb(20, 23, 31)"
