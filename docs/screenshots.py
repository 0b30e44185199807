"""Photograph the pages that the guides show: `python -m docs.screenshots`, or `make screenshots`, with Chromium.

Beside the images, `shown.json` says what can be read in each, and of all the version, the colours and the letters: if one of these changes,
the images are old. `tests/test_screenshots.py` compares it with today's pages, without a browser. The class is that of `make demo`.
"""

import json
import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from autograder.author.scaffold import new_lesson
from autograder.course.loading import read_course
from autograder.web.app import write_site

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
SHOWN = IMAGES / "shown.json"
REPORT = ROOT / "build" / "demo" / "report.html"
SHEETS = ("autograder/web/static/base.css", "autograder/web/static/site.css")
SIZE = {"width": 1000, "height": 640}
COURSE = 'title: A small course\ntrack: Images\nphase: "Phase 1"\n'
TO_TOP = "(node) => scrollTo({ top: scrollY + node.getBoundingClientRect().top - 72, behavior: 'instant' })"
READ = """() => [...document.querySelectorAll("h1, h2, h3, th, summary, label, nav a, .asked, .mistake p")].filter((one) => {
  const box = one.getBoundingClientRect();
  return !one.closest(".stage, .mark-box") && box.width > 1 && box.bottom > 0 && box.bottom <= innerHeight && one.checkVisibility();
}).map((one) => one.textContent.replace(/\\s+/g, " ").trim())"""


class Shot(NamedTuple):
    """A page of a site, `course` or `new`, or the report; what is scrolled to the top, and what is typed as an answer."""

    site: str
    page: str
    at: str = ""
    answer: str = ""


SHOTS = {
    "learn": Shot("course", "play.html", "#widget-sampler"),
    "read": Shot("course", "lesson.html", "#one-step-by-hand"),
    "play": Shot("course", "play.html", "#widget-guidance"),
    "predict": Shot("course", "lesson.html", ".predict"),
    "practise": Shot("course", "question-fresh-step.html", "", "0.550"),
    "teach": Shot("report", "report.html"),
    "write": Shot("new", "lesson.html"),
}


@contextmanager
def pages() -> Iterator[dict[str, Path]]:
    """Write the site of this course, and that of one with a lesson just begun; they last as long as the context."""
    with tempfile.TemporaryDirectory() as folder:
        begun = Path(folder, "begun")
        begun.mkdir()
        (begun / "course.yaml").write_text(COURSE, encoding="utf-8")
        new_lesson(begun, "01_brightness", "Brightness")
        made = {}
        for name, root in (("course", ROOT), ("new", begun)):
            course = read_course(root)
            made[name] = write_site(course, course.lessons[:1], Path(folder, name)).place
        yield made


def look() -> dict[str, Any]:
    """Return the version, and what the stylesheets say of colours, measures and letters."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    sheets = {path: (ROOT / path).read_text(encoding="utf-8") for path in SHEETS}
    return {"version": version, "sheets": {path: re.findall(r"--[\w-]+: [^;{}]+|src: [^;{}]+", sheet) for path, sheet in sheets.items()}}


def main() -> None:
    """Photograph every page, and write what is shown."""
    from playwright.sync_api import sync_playwright

    if not REPORT.exists():
        raise SystemExit(f"{REPORT} is missing: run make demo")
    shown = {}
    with pages() as sites, sync_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        for name, shot in SHOTS.items():
            page = browser.new_page(viewport=SIZE, color_scheme="light", reduced_motion="reduce")  # type: ignore[arg-type]
            page.goto(((sites | {"report": REPORT.parent})[shot.site] / shot.page).as_uri())
            shown[name] = take(page, shot, IMAGES / f"{name}.png")
            print(f"{name}.png: {(IMAGES / f'{name}.png').stat().st_size:,} bytes")
        browser.close()
    SHOWN.write_text(json.dumps({**look(), "shown": shown}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def take(page: Any, shot: Shot, path: Path) -> list[str]:
    """Photograph a page, in 256 colours, and return what can be read there."""
    if shot.answer:
        page.locator("form.question input[type=text]").first.fill(shot.answer)
        page.keyboard.press("Enter")
    if shot.at:
        page.locator(shot.at).first.evaluate(TO_TOP)
    page.evaluate("() => document.fonts.ready")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)  # what is drawn on a canvas
    page.screenshot(path=path)
    with Image.open(path) as image:
        image.convert("RGB").quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(path, optimize=True)
    return list(page.evaluate(READ))


if __name__ == "__main__":
    main()
