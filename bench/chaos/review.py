"""A learner's answers, killed between them: what was acknowledged is in the log once, and the schedule is the log replayed.

Every other kill hits a process that uses `Deck` itself (this file as a program: it prints the number of each answer that was
kept), the rest `course review` in a terminal with its keys typed ahead: there the next card on the screen acknowledges an answer.
"""

from __future__ import annotations

import itertools
import os
import pty
import random
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

from autograder.course.loading import read_course
from autograder.course.model import Lesson
from autograder.learner.review.deck import NEW_A_DAY, Deck
from autograder.learner.review.log import NAME, Row, Spare
from autograder.learner.review.schedule import clocks_of, replay
from bench.chaos import demand, tell
from bench.chaos.leavings import adopting, demand_no_child, demand_no_scratch

ROOT = Path(__file__).resolve().parents[2]
ASKED = b" shows the answer"
A_LOG = 4  # kills of one log; then another begins
LATEST = 24  # answers before a kill, so that a log has cards left to ask


def killed(kills: int, moments: random.Random, folder: Path) -> str:
    """Kill so many times; say what came of it. Raise `Broken` where an answer is lost or doubled."""
    lessons = read_course(ROOT).lessons
    told = 0
    with adopting() as before:
        for kill in range(kills):
            home = folder / f"home{kill // A_LOG}"
            place = home / "denoising-course"
            known = rows_of(place, lessons)
            acknowledged = (_deck if kill % 2 == 0 else _terminal)(home, moments, known, lessons)
            tell(f"kill {kill + 1}: {acknowledged} answers acknowledged, {len(rows_of(place, lessons))} in the log")
            demand_no_child(before)
            demand_no_scratch(folder / "scratch")
            told += acknowledged
    return f"{kills} kills of a deck and of `course review`: each of {told} answers is in the log once, each schedule is the log replayed"


def rows_of(place: Path, lessons: tuple[Lesson, ...]) -> list[Row]:
    """Open the log as the next start does, demand that it is whole, and give its rows."""
    with Deck.open(place, lessons) as deck:
        demand(not deck.log.note, f"a log opens without a word, but: {deck.log.note}")
        demand(deck.states == replay(deck.log.of(), clocks_of(deck.log), deck.scheduling), "the schedule is the log replayed")
        spare = Counter(one.id for one in Spare((place / NAME).with_suffix(".jsonl")).read() if isinstance(one, Row))
        rows = deck.log.since(0)
        demand(all(spare[row.id] == 1 for row in rows), "each row is in the spare copy once")
        return rows


def _deck(home: Path, moments: random.Random, known: list[Row], lessons: tuple[Lesson, ...]) -> int:
    """Kill a process that answers by itself; give how many answers it was told are kept."""
    first, last = 1 + max((row.took for row in known), default=0), moments.choice((0, moments.randint(1, LATEST)))
    command = [sys.executable, "-m", "bench.chaos.review", str(home / "denoising-course"), str(first)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout
    told = [int(process.stdout.readline()) for _ in range(last)]
    time.sleep(moments.uniform(0, 0.05 if last else 2))
    process.kill()
    told += [int(line) for line in process.stdout if line.endswith(b"\n")]
    process.wait()
    kept = [row.took for row in rows_of(home / "denoising-course", lessons)[len(known) :]]
    demand(kept in (told, [*told, first + len(told)]), f"what was acknowledged, {told}, is in the log once, but there is {kept}")
    return len(told)


def _terminal(home: Path, moments: random.Random, known: list[Row], lessons: tuple[Lesson, ...]) -> int:
    """Kill `course review`; give how many answers were followed by the next card."""
    ratings = [moments.choice((1, 2, 3, 4)) for _ in range(LATEST)]
    pid, screen = pty.fork()
    if pid == 0:
        os.chdir(home)
        environment = {**os.environ, "TERM": "xterm", "XDG_DATA_HOME": str(home)}
        os.execve(sys.executable, [sys.executable, "-m", "autograder", "--course", str(ROOT), "review", "--new", "1000"], environment)
    seen = _read_until(screen, b"", 1)
    os.write(screen, "".join(f" {rating}" for rating in ratings).encode())
    seen = _read_until(screen, seen, moments.randint(1, LATEST // 2))
    time.sleep(moments.uniform(0, 0.05))
    os.kill(pid, signal.SIGKILL)
    seen = _read_until(screen, seen, LATEST + 2)
    demand(os.WIFSIGNALED(os.waitpid(pid, 0)[1]), "there are cards left to ask when it is killed")
    os.close(screen)
    told = seen.count(ASKED) - 1
    kept = [row.rating for row in rows_of(home / "denoising-course", lessons)[len(known) :]]
    demand(len(kept) in (told, told + 1), f"{told} answers were acknowledged, but {len(kept)} are in the log")
    demand(kept == ratings[: len(kept)], f"the answers {ratings} are in the log in their order, but there is {kept}")
    return told


def _read_until(screen: int, seen: bytes, cards: int) -> bytes:
    """Read what is shown until so many cards were asked, or the program is gone."""
    while seen.count(ASKED) < cards and select.select([screen], [], [], 60)[0]:
        try:
            seen += os.read(screen, 65536)
        except OSError:
            break
    return seen


def main(place: Path, first: int) -> None:
    """Answer without an end, and say each time which answer is kept: its number stands in the log as the time it took."""
    chance = random.Random(first)
    with Deck.open(place, read_course(ROOT).lessons) as deck:
        faces = list(deck.faces.values())[:NEW_A_DAY]
        for number in itertools.count(first):
            now = datetime.now().astimezone()
            deck.answer(deck.next_card(now) or chance.choice(faces), chance.choice((1, 2, 3, 3, 4)), now, number)
            print(number, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
