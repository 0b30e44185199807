"""`course serve`, killed while a reader answers and the sampler shows: what was acknowledged is kept, and the next start works.

Every third kill hits a site outside a workspace: there only the cards are kept, and the folder that it worked in must be gone
when the next one has started.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from autograder.course.loading import read_course
from autograder.course.model import Lesson
from autograder.course.student_files import HIDDEN
from autograder.learner.start import start
from autograder.learner.workspace import State
from bench.chaos import Broken, demand, tell
from bench.chaos.leavings import adopting, demand_no_child, demand_no_scratch
from bench.chaos.review import ROOT, rows_of

QUESTION = "fresh-step"
PATIENCE = 60.0  # seconds until the sampler shows something; only a failure waits so long


class Reader:
    """A browser's work without the browser. What it was answered is in `questions` and `cards`, by number, and counted in `frames`."""

    def __init__(self, address: str, first: int, reviews: dict[str, int]):
        self.questions, self.cards, self.frames, self.last = list[int](), list[int](), 0, first - 1
        self._address, self._reviews, self._broken = address, reviews, list[Broken]()
        self._at_work = [threading.Thread(target=self._until_it_ends, args=(work,)) for work in (self._answer, self._watch)]
        for thread in self._at_work:
            thread.start()

    def ended(self) -> None:
        """Wait until nothing is answered any more. Raise what was `Broken` meanwhile."""
        for thread in self._at_work:
            thread.join()
        for broken in self._broken:
            raise broken

    @property
    def answers(self) -> int:
        return len(self.questions) + len(self.cards)

    def _until_it_ends(self, work: Callable[[], None]) -> None:
        try:
            while True:
                work()
        except (OSError, HTTPException):  # it was killed
            return
        except Broken as broken:
            self._broken.append(broken)

    def _answer(self) -> None:
        self.last += 1
        if self.last % 2:
            self._send(f"question-{QUESTION}.html", "mark", {"seed": self.last, "answer": "0.5"})
            self.questions.append(self.last)
            return
        face = sorted(self._reviews)[self.last % len(self._reviews)]
        sent = {"face": face, "seen": self._reviews[face], "took": self.last, "do": 3}
        demand("Answered: Good." in self._send("cards.html", "card", sent), "a card that nobody else answers is answered")
        self.cards.append(self.last)
        self._reviews[face] += 1

    def _send(self, page: str, part: str, fields: Mapping[str, object]) -> str:
        request = Request(self._address + page, urlencode(fields).encode(), {"X-Part": part})
        with urlopen(request, timeout=PATIENCE) as answer:
            return str(answer.read().decode())

    def _watch(self) -> None:
        with urlopen(self._address + "live-sampler?model=fashion&sampler=ddpm&seed=1", timeout=PATIENCE) as events:
            for line in events:
                self.frames += line == b"event: frame\n"


def killed(kills: int, moments: random.Random, folder: Path) -> str:
    """Kill so many sites; say what came of it. Raise `Broken` where something that was acknowledged is missing, or left behind."""
    lesson = read_course(ROOT).lessons[0]
    start(folder / "workspace", ROOT, lesson)
    (folder / "outside").mkdir()
    answers = frames = 0
    with adopting() as before:
        for kill in range(kills):
            reader = _one(folder, "outside" if kill % 3 == 2 else "workspace", moments, lesson)
            tell(f"kill {kill + 1}: {reader.answers} answers acknowledged, {reader.frames} frames shown")
            demand_no_child(before)
            demand_no_scratch(folder / "scratch", allowed=1)  # the killed one's, until the next start
            answers, frames = answers + reader.answers, frames + reader.frames
        _end(*_started(folder, "outside"))
        demand_no_child(before)
        demand_no_scratch(folder / "scratch")
    kept = f"each of {answers} answers is kept once, {frames} frames were shown"
    return f"{kills} kills of `course serve`: {kept}; no child and no scratch is left"


def _one(folder: Path, where: str, moments: random.Random, lesson: Lesson) -> Reader:
    """Start a site, read and answer, kill it, and look at what is kept."""
    place = folder / "workspace" / HIDDEN if where == "workspace" else folder / "denoising-course"
    first, reviews = _known(place, lesson)
    process, address = _started(folder, where)
    reader = Reader(address, first, reviews)
    _wait(reader, moments.randint(0, 40), moments.choice((0, moments.randint(1, 20))))
    time.sleep(moments.uniform(0, 0.1))
    process.kill()
    process.communicate()
    reader.ended()
    _demand_kept(place, lesson, reader, first, questions=where == "workspace")
    return reader


def _known(place: Path, lesson: Lesson) -> tuple[int, dict[str, int]]:
    """Give the first number that no answer has, and how often each of some cards was answered."""
    rows = rows_of(place, (lesson,))
    with State(place) as state:
        numbers = [event.facts["seed"] for event in state.events("practice", QUESTION)]
    counted = Counter(row.card for row in rows)
    faces = [f"{lesson.id}/{card.id}" for card in lesson.cards if not card.cloze][:20]
    return 1 + max([0, *numbers, *(row.took for row in rows)]), {face: counted[face] for face in faces}


def _wait(reader: Reader, answers: int, frames: int) -> None:
    until = time.monotonic() + PATIENCE
    while reader.answers < answers or reader.frames < frames:
        demand(time.monotonic() < until, f"{answers} answers and {frames} frames come in {PATIENCE:g} s")
        time.sleep(0.01)


def _demand_kept(place: Path, lesson: Lesson, reader: Reader, first: int, *, questions: bool) -> None:
    """Each answer that was acknowledged is there once, and at most the one that was under way besides."""
    took = [row.took for row in rows_of(place, (lesson,)) if row.took >= first]
    with State(place) as state:
        demand(not state.note, f"the state opens without a word, but: {state.note}")
        seeds = [event.facts["seed"] for event in state.events("practice", QUESTION) if event.facts["seed"] >= first]
    demand(took in (reader.cards, [*reader.cards, reader.last]), f"cards {reader.cards} are kept once, but there is {took}")
    told = reader.questions if questions else []
    demand(seeds in (told, [*told, reader.last]), f"questions {told} are kept once, but there is {seeds}")


def _started(folder: Path, where: str) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-u", "-m", "autograder", "--course", str(ROOT), "serve"]
    environment = {**os.environ, "XDG_DATA_HOME": str(folder)}
    process = subprocess.Popen(command, cwd=folder / where, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    found = re.search(r"http\S+", process.stdout.readline())
    demand(found, "the site starts")
    assert found
    return process, found[0]


def _end(process: subprocess.Popen[str], address: str) -> None:
    with urlopen(address, timeout=PATIENCE):
        process.send_signal(signal.SIGINT)
    process.communicate()
    demand(process.returncode == 0, "Ctrl-C ends the site")
