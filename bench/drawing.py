"""How long the model takes to draw: in the reader's browser, and in the process that `course serve` starts for it.

    python -m bench.drawing [--times 5]

Play is opened in Chromium as a reader does; the page's own figure is read, "Done in 0.8 s", from pressing Denoise to the last frame.
The first drawing loads the model, so it is given apart.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
from pathlib import Path
from typing import Any

from bench.paint import chromium, served, written

STEPS = (5, 20)
DONE = re.compile(r"Done in ([0-9.]+) s")
LONGEST = 120_000  # milliseconds


def drawings(page: Any, steps: int, times: int) -> list[float]:
    """Have the page's model draw so often in so many steps; return the seconds of each."""
    sampler = page.locator("#widget-sampler")
    sampler.get_by_label("Steps").fill(str(steps))
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
    with tempfile.TemporaryDirectory() as name, served(Path(name, "work")) as live, chromium() as browser:
        print(f"| drawn | first | {' | '.join(f'{steps} steps, median | range' for steps in STEPS)} |\n{'| --- ' * (2 + 2 * len(STEPS))}|")
        for way, address in {"in the page": written(Path(name, "site")), "by the site's process": live}.items():
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


if __name__ == "__main__":
    main()
