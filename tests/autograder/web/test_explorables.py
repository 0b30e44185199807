"""What shows the average of all compatible images, for one pixel and for two: its numbers, by hand, by keyboard, and where nothing moves."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from solutions.diffusion.exact import ONE_PIXEL, TWO_PIXELS, average_image, exact_eps, image_posterior
from solutions.diffusion.samplers import ddim_sample
from solutions.diffusion.schedules import alpha_bars, linear_betas
from tests.autograder.web.test_browser import press, widget

pytestmark = pytest.mark.xdist_group("browser")
BARS = alpha_bars(linear_betas(1000))
NOTHING_ELSE = "(name) => document.querySelectorAll(`.widget:not(#widget-${name})`).forEach((one) => one.remove())"  # they would move it when they come


@pytest.fixture(scope="module")
def playing(visit_once, site):
    """Everything that can be played with, for tests that each play with something of their own."""
    return visit_once(site.address + "play.html")


def test_the_average_and_the_exact_noise_are_those_of_the_reference_implementation(playing):
    script = """async ([images, points, t]) => {
      const { alphaBars, averageImage, exactEps, imagePosterior, linearBetas } = await course.use("widgets/diffusion.js");
      const bar = alphaBars(linearBetas(1000))[t];
      return points.map((x) => [imagePosterior(x, bar, images), averageImage(x, bar, images), exactEps(x, bar, images, 0), exactEps(x, bar, images)]);
    }"""
    for images, t in ((ONE_PIXEL, 500), (ONE_PIXEL, 1), (TWO_PIXELS, 900), (TWO_PIXELS, 150)):
        points = np.random.default_rng(t).standard_normal((5, len(images[0])))
        found = playing.evaluate(script, [images, points.tolist(), t])
        wanted = (image_posterior(points, BARS[t], images), average_image(points, BARS[t], images), exact_eps(points, BARS[t], images, 0), exact_eps(points, BARS[t], images))
        for computed, right in zip(zip(*found, strict=True), wanted, strict=True):
            np.testing.assert_allclose(computed, right, atol=1e-9)


def test_the_way_back_is_that_of_ddim(playing):
    """From any t, in steps of ten, to one of the five images."""
    script = "async ([x, t]) => { const { way, pathFrom } = await course.use('widgets/field.js'); return [pathFrom(t), way(x, t)]; }"
    for t in (1000, 333, 10):
        start = np.random.default_rng(t).standard_normal(2)
        path, found = playing.evaluate(script, [start.tolist(), t])
        seen = [start[None]]
        ddim_sample(lambda x, t: exact_eps(x, BARS[t], TWO_PIXELS, 0), start[None], BARS, path, clip=None, callback=lambda t, x, x0, seen=seen: seen.append(x))
        assert (path[0], path[-1], len(path)) == (t, 0, -(-t // 10) + 1)
        np.testing.assert_allclose(found, np.concatenate(seen), atol=1e-9)
        assert np.abs(np.array(TWO_PIXELS) - found[-1]).max(axis=1).min() < 1e-6


def test_one_pixel_starts_with_the_lessons_example_and_follows_the_keys(playing):
    found = widget(playing, "average")
    expect(found.locator(".readout")).to_have_text("black, given xt0.410white, given xt0.590their average x^00.181its squared error, on average0.967that of the likelier image1.639")
    expect(found.locator(".says")).to_contain_text("a grey that leans to it")
    found.get_by_role("slider", name="t", exact=True).focus()
    press(found.page, "Home")
    expect(found.locator(".says")).to_contain_text("At t = 1, xt = 0.60 has the average 0.00 · (−1) + 1.00 · 1 = 1.00. This is almost surely white")
    expect(found.get_by_role("status")).to_contain_text("This is almost surely white")
    press(found.page, "End")
    expect(found.get_by_role("img")).to_have_attribute("aria-label", re.compile("At x_t = 0.60 black has probability 0.498, white 0.502, and the average is 0.004"))


def test_the_noisy_value_is_dragged(visit, site):
    found = widget(visit(site.address + "play.html"), "average")
    found.page.evaluate(NOTHING_ELSE, "average")
    found.get_by_role("img").scroll_into_view_if_needed()
    box = found.get_by_role("img").bounding_box()
    unit = (box["width"] - 40) / 6
    found.page.mouse.move(box["x"] + 28 + 3 * unit, box["y"] + 60)
    found.page.mouse.down()
    found.page.mouse.move(box["x"] + 28 + 2 * unit, box["y"] + 90)
    found.page.mouse.up()
    expect(found.get_by_label("noisy value")).to_have_value("-1")
    expect(found.locator(".says")).to_contain_text("more likely black")


def test_two_pixels_are_denoised_step_by_step_by_keyboard(playing):
    """Until one image is left: the one to which the way led from the beginning."""
    found = widget(playing, "field")
    says, back = found.locator(".says"), found.get_by_role("button", name=re.compile("A step back|Arrived"))
    expect(says).to_have_text("t = 700. Several images are compatible, and their average is a blur that is none of them. The way back ends at (0.85, −0.60).")
    back.focus()
    for t in range(650, -1, -50):
        expect(back).to_have_text(f"A step back, to t = {t}")
        press(found.page, "Enter")
    expect(says).to_have_text("t = 0. This is one of the five images, and no average of several.")
    expect(back).to_be_disabled()
    expect(found.locator(".readout")).to_contain_text("(0.85, −0.60)")
    found.get_by_role("button", name="New noise").press("Enter")
    expect(found.get_by_role("slider", name="t", exact=True)).to_have_value("1000")
    found.get_by_label("first pixel").focus()
    press(found.page, "Home")
    expect(found.get_by_role("img")).to_have_attribute("aria-label", re.compile(r"at t = 1000: x_t at \(−2\.40, "))


def test_two_pixels_are_dragged_and_put_elsewhere_by_a_click(visit, site):
    found = widget(visit(site.address + "play.html"), "field")
    found.page.evaluate(NOTHING_ELSE, "field")
    plane = found.get_by_role("img")
    plane.scroll_into_view_if_needed()
    box = plane.bounding_box()

    def place(x, y):
        return box["x"] + (x / 2.4 + 1) / 2 * box["width"], box["y"] + (1 - y / 2.4) / 2 * box["width"]

    found.page.mouse.move(*place(0.35, -1.6))
    found.page.mouse.down()
    found.page.mouse.move(*place(-0.5, 0.5), steps=3)
    found.page.mouse.up()
    expect(found.get_by_label("first pixel")).to_have_value("-0.5")
    expect(found.get_by_label("second pixel")).to_have_value("0.5")
    found.page.mouse.click(*place(1.5, 1))
    expect(found.get_by_label("first pixel")).to_have_value("1.5")


@pytest.mark.parametrize("name", ["play.html", "lesson.html"])
def test_a_figure_stands_for_each_without_javascript_and_on_paper(visit, written, name):
    """Below its title. On paper every image of the page has come, though most were never scrolled to."""
    without = visit((written.place / name).as_uri(), java_script_enabled=False)
    assert without.locator(".still img.in-light:visible").count() == without.locator(".widget:visible").count() >= 6  # one is folded
    assert max(box.bounding_box()["height"] for box in without.locator(".widget:visible").all()) < 250
    page = visit((written.place / name).as_uri())
    expect(page.locator(".still img:visible")).to_have_count(0)
    page.emulate_media(media="print")
    expect(page.locator(".stage:visible")).to_have_count(0)
    images = page.locator("main img.in-light")
    assert page.locator(".widget h2:visible, .widget h3:visible").count() == page.locator(".still img.in-light:visible").count() == 7
    page.wait_for_function("() => [...document.querySelectorAll('main img.in-light')].every((one) => one.complete && one.naturalWidth)")
    assert images.count() >= 7


def test_before_a_page_is_printed_every_image_comes(visit, written):
    page = visit((written.place / "lesson.html").as_uri())
    late = "() => [...document.querySelectorAll('main img')].filter((one) => !one.naturalWidth && one.classList.contains('in-light') && !one.closest('.still')).length"
    assert page.evaluate(late) > 5
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    page.wait_for_function(f"() => ({late})() === 0")
