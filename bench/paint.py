"""How soon a page of the site is seen, how much comes before, and how much it jumps: each way to open it, in Chromium, with nothing kept.

    python -m bench.paint [--page lesson.html] [--times 9] [--width 1280]

First paint is the browser's own figure (first contentful paint, from the start of the navigation). Sizes are of what is sent: files as they
lie on disk, but for `course serve`, which compresses them. What jumps is the browser's own score (cumulative layout shift), the most of all
visits; below 0.1 is good. The recording that the sampler plays by itself comes after the first paint, and is counted apart.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from autograder.course.loading import read_course
from autograder.web.app import write_site
from tests.browsers import FLAGS

ROOT = Path(__file__).resolve().parents[1]
PAINTED = """() => new Promise((done) => new PerformanceObserver((list) => {
  const paint = list.getEntriesByName("first-contentful-paint")[0];
  if (paint) done(paint.startTime);
}).observe({ type: "paint", buffered: true }))"""
SHIFT = """() => {
  const seen = new PerformanceObserver(() => {});
  seen.observe({ type: "layout-shift", buffered: true });
  return seen.takeRecords().reduce((sum, one) => sum + one.value, 0);
}"""
RECORDING = re.compile(r"/recorded/(?!index\.)")


class Visit(NamedTuple):
    """Milliseconds until something was seen, how much it jumped, bytes of all that came but for what plays, and bytes of that."""

    paint: float
    shift: float
    before: int
    recording: int


class Plain(http.server.SimpleHTTPRequestHandler):
    """A web server that does nothing but send files."""

    def log_message(self, format: str, *words: Any) -> None:
        pass


@contextmanager
def plain(site: Path) -> Iterator[str]:
    """Have a plain server send a site's files; give its address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Plain, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Run `course serve` in a fresh workspace; give the address that it prints."""
    course = [sys.executable, "-m", "autograder"]
    subprocess.run([*course, "start", folder], cwd=ROOT, check=True, capture_output=True)
    settings = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen([*course, "serve"], cwd=folder, stdout=subprocess.PIPE, text=True, env=settings) as process:
        assert process.stdout is not None
        try:
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found is not None
            yield found[0]
        finally:
            process.terminate()


@contextmanager
def chromium() -> Iterator[Any]:
    """Start the browser, and say under which load it begins and ends."""
    from playwright.sync_api import sync_playwright

    print(f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}, load {os.getloadavg()[0]:.1f}\n")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()
    print(f"\nload after: {os.getloadavg()[0]:.1f}")


def written(folder: Path) -> str:
    """Write the site as files; give its address."""
    course = read_course(ROOT)
    return f"{write_site(course, course.lessons[:1], folder).place.as_uri()}/"


def visit(browser: Any, address: str, width: int) -> Visit:
    """Open a page in a profile of its own, and wait until it is at rest."""
    context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="no-preference")
    page, asked = context.new_page(), {}
    page.on("response", lambda answer: asked.__setitem__(answer.url, answer))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    sizes = {url: _sent(answer) for url, answer in list(asked.items())}
    recording = sum(size for url, size in sizes.items() if RECORDING.search(url))
    found = Visit(page.evaluate(PAINTED), page.evaluate(SHIFT), sum(sizes.values()) - recording, recording)
    context.close()
    return found


def _sent(answer: Any) -> int:
    return len(answer.body()) if answer.url.startswith("file:") else int(answer.request.sizes()["responseBodySize"])


def main() -> None:
    """Print the table."""
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m bench.paint", description=__doc__, formatter_class=shape)
    parser.add_argument("--page", default="lesson.html")
    parser.add_argument("--times", type=int, default=9)
    parser.add_argument("--width", type=int, default=1280)
    asked = parser.parse_args()
    print(asked.page, end=", ")
    with ExitStack() as open_, tempfile.TemporaryDirectory() as name, chromium() as browser:
        print(f"| opened | first paint, median | range | jumps | before anything is played | what plays |\n{'| --- ' * 6}|")
        site = Path(name, "site")
        ways = {
            "as a file": written(site),
            "from a plain server": open_.enter_context(plain(site)),
            "from `course serve`": open_.enter_context(served(Path(name, "work"))),
        }
        for way, address in ways.items():
            first, *visits = [visit(browser, address + asked.page, asked.width) for _ in range(asked.times + 1)]
            paints, shift = [one.paint for one in visits], max(one.shift for one in (first, *visits))
            print(f"| {way} | {statistics.median(paints):.0f} ms | {min(paints):.0f} to {max(paints):.0f} ms | {shift:.3f}"
                  f" | {first.before / 1000:.0f} kB | {first.recording / 1000:.0f} kB |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
