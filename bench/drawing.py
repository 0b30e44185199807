"""How long the model takes to draw: in the reader's browser, and in the process that `course serve` starts for it.

    python -m bench.drawing [--times 5]

Play is opened in Chromium as a reader does; the page's own figure is read, "Done in 0.8 s", from pressing Denoise to the last frame.
The first drawing loads the model, so it is given apart.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from autograder.course.loading import read_course
from autograder.web.app import write_site
from bench.paint import ROOT, served
from tests.browsers import FLAGS

STEPS = (5, 20)
DONE = re.compile(r"Done in ([0-9.]+) s")
LONGEST = 120_000  # milliseconds


def drawings(page: Any, steps: int, times: int) -> list[float]:
    """Have the page's model draw so often in so many steps; return the seconds of each."""
    sampler = page.locator("#widget-sampler")
    sampler.get_by_label("steps").fill(str(steps))
    return [_drawn(sampler) for _ in range(times)]


def _drawn(sampler: Any) -> float:
    sampler.get_by_role("button", name=re.compile("^Denoise|^Let the model draw")).click()
    sampler.get_by_role("button", name="Stop").and_(sampler.locator(":enabled")).wait_for(timeout=LONGEST)
    says = sampler.locator(".says").filter(has_text=DONE)
    says.wait_for(timeout=LONGEST)
    found = DONE.search(says.text_content())
    assert found is not None
    return float(found[1])


def main() -> None:
    """Print the table."""
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m bench.drawing", description=__doc__, formatter_class=shape)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    from playwright.sync_api import sync_playwright

    print(f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}, load {os.getloadavg()[0]:.1f}\n")
    print(f"| drawn | first | {' | '.join(f'{steps} steps, median | range' for steps in STEPS)} |\n{'| --- ' * (2 + 2 * len(STEPS))}|")
    with ExitStack() as open_, tempfile.TemporaryDirectory() as name:
        course = read_course(ROOT)
        site = write_site(course, course.lessons[:1], Path(name, "site")).place
        ways = {
            "in the page": f"{site.as_uri()}/",
            "by the site's process": open_.enter_context(served(Path(name, "work"))),
        }
        playwright = open_.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for way, address in ways.items():
            page = browser.new_page(reduced_motion="reduce")
            page.goto(f"{address}play.html")
            sampler = page.locator("#widget-sampler")
            sampler.scroll_into_view_if_needed()
            first = _drawn(sampler)
            cells = []
            for steps in STEPS:
                taken = drawings(page, steps, times)
                cells.append(f"{statistics.median(taken):.1f} s | {min(taken):.1f} to {max(taken):.1f} s")
            print(f"| {way} | {first:.1f} s | {' | '.join(cells)} |", flush=True)
        browser.close()
    print(f"\nload after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
