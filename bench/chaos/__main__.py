"""kill -9 at random moments, subject after subject.

    python -m bench.chaos                                  all subjects
    python -m bench.chaos review --kills 20 --seed 7       one of them, so many times

`grading`: `course grade`, then finished: the gradebook equals that of a run that nobody disturbed, but for times.
`review`: a deck and `course review`: each answer that was acknowledged is in the log once, and the schedule is the log replayed.
`site`: `course serve`, while questions and cards are answered and the sampler shows: what was acknowledged is kept.
After each kill no child process may be left, and no scratch once the command was given again.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from bench.chaos import Broken, grading, review, site

Subject = Callable[[int, random.Random, Path], str]
SUBJECTS: dict[str, tuple[int, Subject]] = {"grading": (40, grading.killed), "review": (40, review.killed), "site": (30, site.killed)}


@click.command(help=__doc__)
@click.argument("subjects", nargs=-1, type=click.Choice(list(SUBJECTS)))
@click.option("--kills", type=click.IntRange(1), help="How many of each subject, instead of 40, 40 and 30.")
@click.option("--seed", type=int, default=1, show_default=True)
def main(subjects: tuple[str, ...], kills: int | None, seed: int) -> None:
    """Kill, and print what came of it."""
    for name in subjects or SUBJECTS:
        usual, run = SUBJECTS[name]
        with tempfile.TemporaryDirectory() as folder:
            os.environ["TMPDIR"] = str(Path(folder, "scratch"))
            Path(folder, "scratch").mkdir()
            try:
                print(run(kills or usual, random.Random(seed), Path(folder)), flush=True)
            except Broken as broken:
                sys.exit(f"{name}, seed {seed}: {broken}")
            finally:
                del os.environ["TMPDIR"]


if __name__ == "__main__":
    main()
