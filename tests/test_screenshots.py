"""The images of docs/images are of this version: `make screenshots` takes them anew, and writes what they show into shown.json."""

import html
import json
import re
from pathlib import Path

import pytest

from docs import screenshots
from tests.test_example_class import run  # noqa: F401  # the fixture: one graded class serves both


@pytest.fixture(scope="module")
def told():
    return json.loads(screenshots.SHOWN.read_text(encoding="utf-8"))


def words(page):
    """Return what a page says, without its tags and its spaces."""
    return re.sub(r"\s", "", html.unescape(re.sub(r"<[^>]*>", "", page)))


def unread(lines, page):
    said = words(page)
    return [line for line in lines if re.sub(r"\s", "", line) not in said]


def test_every_image_is_taken_by_the_command_and_light_to_load(told):
    assert set(told["shown"]) == set(screenshots.SHOTS)
    assert {path.stem for path in screenshots.IMAGES.glob("*.png")} == {*screenshots.SHOTS, "film", "film-still"}
    assert all(path.stat().st_size < (400_000 if path.stem == "film" else 80_000) for path in screenshots.IMAGES.glob("*.png"))


def test_the_images_are_of_this_version_in_its_colours_and_letters(told):
    assert {key: told[key] for key in ("version", "sheets")} == screenshots.look()


def test_the_sites_pages_still_say_what_their_images_show(told):
    with screenshots.pages() as sites:
        for name, shot in screenshots.SHOTS.items():
            if shot.site in sites:
                assert unread(told["shown"][name], (sites[shot.site] / shot.page).read_text(encoding="utf-8")) == [], f"{name}: run make screenshots"


@pytest.mark.xdist_group("example-class")
def test_the_report_still_says_what_its_image_shows(told, run):  # noqa: F811  # the fixture
    assert unread(told["shown"]["teach"], Path(run["out"], "report.html").read_text(encoding="utf-8")) == [], "run make screenshots"
