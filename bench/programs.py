"""Grade programs that nobody wrote, and see that each is graded.

    python -m bench.programs                 ten thousand, about an hour on a core
    python -m bench.programs 500 --seed 3    others

Prints what became of them. Each that is not judged, makes the grader fail or tells a path, a wall or a loader is printed; the command ends
with status 1 then.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from autograder.course.model import Submission
from autograder.grading.rounds import Round
from autograder.instructor.pool import Grader, Settings
from autograder.sandbox.guest.walls import WALLS
from tests.hostile.arena import short_course
from tests.random_programs import EXERCISES, forbidden, programs


def grade_programs(grader: Grader, count: int, number: int) -> tuple[Counter[str], list[str]]:
    """Grade so many programs; count their outcomes, and list what went wrong."""
    outcomes: Counter[str] = Counter()
    trouble: list[str] = []

    @seed(number)
    @settings(max_examples=count, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(drawn=st.sampled_from([*EXERCISES]).flatmap(lambda exercise: st.tuples(st.just(exercise), programs(exercise))))
    def look(drawn: tuple[str, str]) -> None:
        exercise, source = drawn
        outcomes["programs"] += 1
        try:
            given = Submission("s", "12_diffusion", exercise, f"{exercise}.py", source.encode(errors="replace"), "0", "present")
            made = grader.grade(given)
        except Exception as error:
            outcomes["crashes"] += 1
            trouble.append(f"{type(error).__name__}: {error}\n{source}")
            return
        outcomes[made.result.status] += 1
        outcomes.update(f"check {check.reason or 'passed'}" for check in made.result.checks)
        told = forbidden(source, [check.message for check in made.result.checks])
        if made.result.status != "graded" or made.notes.fault or told:
            outcomes["trouble"] += 1
            trouble.append(f"{made.result.status} {made.notes.fault} {told}\n{source}")

    look()
    return outcomes, trouble


def main() -> None:
    """Grade, and print what became of them."""
    options = {"description": __doc__, "formatter_class": argparse.RawDescriptionHelpFormatter}
    parser = argparse.ArgumentParser(prog="python -m bench.programs", **options)
    parser.add_argument("count", type=int, nargs="?", default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        course = short_course(Path(folder) / "course")
        with closing(Grader(Settings(str(course), Round("round-1", b"a secret"), WALLS))) as grader:
            outcomes, trouble = grade_programs(grader, asked.count, asked.seed)
    for one in trouble[:20]:
        print(one, "\n----")
    print(f"{time.monotonic() - began:.0f} s;", ", ".join(f"{name}: {count}" for name, count in sorted(outcomes.items())))
    print(f"not judged: {outcomes['not_judged']}, crashes: {outcomes['crashes']}, in trouble: {outcomes['trouble']}")
    sys.exit(1 if trouble else 0)


if __name__ == "__main__":
    main()
