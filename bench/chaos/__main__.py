"""kill -9 at random moments, subject after subject.

    python -m bench.chaos                                  all subjects
    python -m bench.chaos review --kills 20 --seed 7       one of them, so many times

\b
grading   `course grade`, then finished: the gradebook equals that of a run that nobody disturbed, but for times
clock     the same, with a clock that jumps by years, to and fro, at every look
workers   the parts of `course grade`, which must go on: workers killed and out of memory, guests, fork servers
review    a deck and `course review`: each answer that was acknowledged is kept once, the schedule is the log replayed
site      `course serve`, while questions and cards are answered and the sampler shows: what was acknowledged is kept

After each kill no child process may be left, and no scratch once the command was given again. How it goes is told on standard
error; at the end a table stands on standard output. The status is 1 where a promise broke.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click

from bench.chaos import Broken, grading, review, site, tell, workers

Subject = Callable[[int, random.Random, Path], str]
SUBJECTS: dict[str, tuple[int, Subject]] = {
    "grading": (40, grading.killed),
    "clock": (12, grading.killed_with_a_jumping_clock),
    "workers": (30, workers.killed),
    "review": (40, review.killed),
    "site": (30, site.killed),
}


@click.command(help=__doc__)
@click.argument("subjects", nargs=-1, type=click.Choice(list(SUBJECTS)))
@click.option("--kills", type=click.IntRange(1), help=f"How many of each, not {', '.join(str(kills) for kills, _ in SUBJECTS.values())}.")
@click.option("--seed", type=int, default=1, show_default=True)
def main(subjects: tuple[str, ...], kills: int | None, seed: int) -> None:
    """Kill, and print what came of it."""
    before, rows, broke = _load(), [], False
    for name in subjects or SUBJECTS:
        usual, run = SUBJECTS[name]
        began = time.monotonic()
        try:
            came = _run(run, kills or usual, seed)
        except Broken as broken:
            came, broke = f"BROKEN: {broken}", True
        tell(f"{name}: {came}")
        rows.append(f"| {name} | {kills or usual} | {time.monotonic() - began:.0f} s | {came} |")
    print(f"Seed {seed}; load {before} before, {_load()} after.\n\n| what | kills | took | what came of it |\n|---|---|---|---|")
    print("\n".join(rows))
    sys.exit(broke)


def _run(run: Subject, kills: int, seed: int) -> str:
    """Run one subject with a folder of its own, and one for scratch that it must leave empty."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = str(Path(folder, "scratch"))
        Path(folder, "scratch").mkdir()
        try:
            return run(kills, random.Random(seed), Path(folder))
        finally:
            del os.environ["TMPDIR"]


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()
