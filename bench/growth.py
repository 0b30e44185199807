"""What grows with what, in CPU seconds of all processes that take part (about two minutes of CPU).

    python -m bench.growth            measures, writes figures/growth.json, draws figures/growth.svg
    python -m bench.growth --draw     draws again what was measured

Submissions: whole `course grade` runs over copies of one `forward`. Checks: attempts at an exercise of a tiny course made here, whose
every check draws 100 numbers and makes one call. Arrays: one call that gives back the array of float64 that it got. A line is fitted by
least squares of relative errors, so that the smallest point counts like the largest; `off` is how far the worst point lies from it.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from autograder.course.loading import read_course
from autograder.course.model import Submission
from autograder.course.policy import Limits
from autograder.grading.attempt import PUBLIC, attempt, load_materials
from autograder.sandbox.servers import Sandbox
from bench.throughput import NUMPY, _below, copies, grade
from solutions.diffusion.figures.theme import LIGHT

FIGURES = Path(__file__).parent / "figures"
TURNS = 3
SUBMISSIONS = (50, 100, 200, 400, 800)
CHECKS, ATTEMPTS = (5, 10, 20, 40, 80), 60
KIBIBYTES = (1, 4, 16, 64, 256, 512, 1024, 2048, 4096)
CALLS, MIB_SENT = 3_000, 800  # the kernel counts CPU in steps of 10 ms, so it takes many calls

TINY = {
    "course.yaml": 'title: A tiny course\ntrack: Arithmetic\nphase: "Phase 1: Sums"\n',
    "lessons/01_sums/lesson.md": """---
title: Sums
number: 1
minutes: 1
objectives:
  - id: add
    text: Add.
prerequisites: [Counting.]
reference: []
---

# Sums

## Sums {#sums}
""",
    "lessons/01_sums/flashcards.yaml": "[]\n",
    "exercises/01_sums/sums.py": "def total(a, b):\n    raise NotImplementedError\n",
    "solutions/01_sums/sums.py": "def total(a, b):\n    return a + b\n",
    "solutions/01_sums/misconceptions/sums.py": "",
}
CHECK = '''

@check(points=1, of="total")
def sum_{number}(student, reference, rng):
    """Adds a hundred numbers, time {number}"""
    a, b = rng.standard_normal((2, 100))
    close(student.total(a, b), reference.total(a, b))
'''


class Fit(NamedTuple):
    """The line `intercept + slope * x`, and the largest relative distance of a point from it."""

    intercept: float
    slope: float
    off: float


def fit(x: list[float], y: list[float]) -> Fit:
    """Fit a line through points, by least squares of relative errors."""
    at, seen = np.asarray(x, float), np.asarray(y, float)
    (intercept, slope), *_ = np.linalg.lstsq(np.c_[1 / seen, at / seen], np.ones(len(at)), rcond=None)
    return Fit(float(intercept), float(slope), float(np.max(np.abs((intercept + slope * at) / seen - 1))))


# ---- measuring: each gives CPU seconds for one value of what grows


def of_submissions(count: int) -> float:
    """Grade a class of so many."""
    with tempfile.TemporaryDirectory() as folder:
        return grade(copies(NUMPY, Path(folder), count)).cpu


@contextmanager
def _counted(sandbox: Sandbox) -> Iterator[list[float]]:
    """Append what this process, the fork server and its guests that end meanwhile use."""
    spent: list[float] = []
    (server,) = sandbox.pids()
    gc.collect()
    before = _below(server) + time.process_time()
    yield spent
    spent.append(_below(server) + time.process_time() - before)


def of_checks(count: int) -> float:
    """Judge a right answer by a check file of so many checks; the first attempt, which asks the reference too, is not counted."""
    with tempfile.TemporaryDirectory() as folder:
        checks = "".join(CHECK.format(number=number) for number in range(count))
        for name, text in {**TINY, "exercises/01_sums/checks/sums.py": f"from autograder.api import check, close\n{checks}"}.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (exercise,) = read_course(Path(folder)).lessons[0].exercises
        materials = load_materials(exercise)
        handed_in = Submission("s", "01_sums", "sums", "sums.py", exercise.answer.read_bytes(), None, "present")
        with Sandbox(Limits()) as sandbox:
            first = attempt(handed_in, materials, sandbox, PUBLIC)
            assert [check.outcome for check in first.checks] == ["passed"] * count
            with _counted(sandbox) as spent:
                for _ in range(ATTEMPTS):
                    attempt(handed_in, materials, sandbox, PUBLIC)
        return spent[0] / ATTEMPTS


def of_arrays(kibibytes: int) -> float:
    """Send an array of so many KiB to a function that gives it back. What a guest's start takes is spread over hundreds of calls."""
    calls = min(CALLS, 1024 * MIB_SENT // kibibytes)
    array = np.random.default_rng(0).standard_normal(kibibytes * 128)
    with Sandbox(Limits()) as sandbox:
        sandbox.open("numpy").close()
        with _counted(sandbox) as spent, sandbox.open("numpy") as guest:
            guest.load("sums", b"def f(x): return x")
            for _ in range(calls):
                given = guest.call(("sums", "f"), (array,), {}).value
    assert np.array_equal(given, array)
    return spent[0] / calls


def measured(take: Callable[[int], float], at: tuple[int, ...], turns: int) -> dict[str, list[float]]:
    """Take each point so many times, in turn; keep the least of each, for what disturbs a run only adds."""
    taken = [[take(value) for value in at] for _ in range(turns)]
    return {"at": list(at), "seconds": [round(min(column), 6) for column in zip(*taken, strict=True)]}


def measure() -> dict[str, Any]:
    """Take all there is to take, and say when and under which load."""
    before = os.getloadavg()[0]
    growth = {
        "submissions": measured(of_submissions, SUBMISSIONS, 2),
        "checks": measured(of_checks, CHECKS, TURNS),
        "kibibytes": measured(of_arrays, KIBIBYTES, TURNS),
    }
    load = [round(before, 1), round(os.getloadavg()[0], 1)]
    return {"date": time.strftime("%Y-%m-%d"), "cores": os.cpu_count(), "load": load, **growth}


# ---- showing

PANELS = (  # what, its title, its axis, seconds to the unit of the other axis, that unit
    ("submissions", "a whole run", "submissions of `forward`", 1, "s"),
    ("checks", "one attempt", "checks in the file", 1e3, "ms"),
    ("kibibytes", "one call, there and back", "KiB of the array", 1e3, "ms"),
)


def table(growth: dict[str, Any]) -> Iterator[str]:
    """Give the fitted figures as rows."""
    yield "| CPU of | to begin with | for one more | farthest point from the line |\n| --- | --- | --- | --- |"
    more = {"submissions": ("submission", 1e3), "checks": ("check", 1e3), "kibibytes": ("MiB each way", 1e3 * 1024)}
    for what, title, _, scale, unit in PANELS:
        line, (one, factor) = fit(growth[what]["at"], growth[what]["seconds"]), more[what]
        yield f"| {title} | {scale * line.intercept:.2f} {unit} | {factor * line.slope:.2f} ms a {one} | {100 * line.off:.0f} % |"


def draw(growth: dict[str, Any], path: Path) -> None:
    """Draw the points and the lines; the same numbers give the same bytes."""
    style: Any = {"svg.hashsalt": path.stem, "svg.fonttype": "path", **LIGHT.style()}
    with mpl.rc_context(style):
        figure = Figure(figsize=(10.5, 3.4), layout="constrained")
        for panel, (what, title, axis, scale, unit) in zip(figure.subplots(1, 3), PANELS, strict=True):
            at, seconds = growth[what]["at"], growth[what]["seconds"]
            line = fit(at, seconds)
            along = np.geomspace(at[0], at[-1], 200)
            panel.plot(along, scale * (line.intercept + line.slope * along), color=LIGHT.blue)
            panel.plot(at, scale * np.asarray(seconds), "o", color=LIGHT.orange)
            if what == "kibibytes":
                panel.set(xscale="log", yscale="log", xticks=at[::2], xticklabels=[f"{value:g}" for value in at[::2]])
                panel.minorticks_off()
            else:
                panel.set(xlim=0, ylim=0)
            panel.set(title=title, xlabel=axis, ylabel=f"{unit} of CPU")
            panel.grid(True)
        figure.savefig(path, format="svg", facecolor="white", metadata={"Date": None, "Creator": None, "Title": "What grows with what"})


def main() -> None:
    """Measure, or take what was measured; draw it, and print the fitted figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draw", action="store_true", help="measure nothing")
    numbers = FIGURES / "growth.json"
    if not parser.parse_args().draw:
        FIGURES.mkdir(exist_ok=True)
        numbers.write_text(json.dumps(measure(), indent=1) + "\n")
    growth = json.loads(numbers.read_text())
    draw(growth, FIGURES / "growth.svg")
    print(f"{growth['cores']} cores, {growth['date']}, load {growth['load'][0]} before, {growth['load'][1]} after\n")
    print("\n".join(table(growth)))


if __name__ == "__main__":
    main()
