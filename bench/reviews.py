"""Measure `course review` with 50,000 logged answers: how long until the first card, and from an answer to the next card."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from autograder.course.loading import read_course
from autograder.learner.review.deck import Deck
from autograder.learner.review.log import Row
from autograder.learner.review.schedule import milliseconds
from bench.throughput import ROOT, row

ANSWERS, TIMES = 50_000, 3
HOUR = 3_600_000


def reviews() -> None:
    """Log the answers of some years, one an hour, and look at the command and at the deck."""
    lessons, now = read_course(ROOT).lessons, datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        with Deck.open(Path(folder) / "denoising-course", lessons) as deck:
            names, start = list(deck.faces), milliseconds(now) - ANSWERS * HOUR
            rows = [
                Row(f"{n}", "bench", n + 1, start + n * HOUR, 0, "review", names[n % len(names)], 3 if n % 9 else 1, 4000)
                for n in range(ANSWERS)
            ]
            with deck.log.writing():
                deck.log.insert(rows)
            deck.refresh()
            answers = [_answer(deck, now) for _ in range(TIMES)]
        cpu, wall = zip(*(_first_card(folder) for _ in range(TIMES)), strict=True)
    row(f"`course review`, {ANSWERS:,} answers logged, from its start to the first card, CPU", list(cpu), "ms")
    row(f"`course review`, {ANSWERS:,} answers logged, from its start to the first card", list(wall), "ms")
    row("from an answer, on disk, to the next card", answers, "ms")


def _first_card(data: str) -> tuple[float, float]:
    """Run the command without a terminal: it chooses the first card, and ends where it would draw it."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "autograder", "review"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "XDG_DATA_HOME": data}, capture_output=True, text=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stderr.startswith("a review needs a terminal"), done
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime), 1000 * wall


def _answer(deck: Deck, now: datetime) -> float:
    face, start = deck.next_card(now), time.perf_counter()
    assert face is not None
    deck.answer(face, 3, now)
    deck.next_card(now)
    return 1000 * (time.perf_counter() - start)
