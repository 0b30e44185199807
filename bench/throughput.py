"""Measure whole `course grade` runs, and the bare machine beside them, in one go.

    python -m bench                 all of it (about ten minutes on two cores: the class with its hangs takes most)
    python -m bench --without-hangs

Each figure is taken three times, the rates of ours and of the bare machine in turn; median, minimum and maximum are
printed. A rate counts from the first submission handed out to the last result written (`run`), and also the whole process
from start to end, imports and warm servers included (`process`).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from autograder.inside.walls import WALLS
from autograder.model import Limits
from autograder.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[1]
CLASS = ROOT / "examples" / "class"
TIMES = 3
COPIES = 200

NUMPY = CLASS / "Amara Okafor" / "forward.py"
TORCH = CLASS / "Jean-Pierre Lefèvre" / "forward.py"


def grade(submissions: Path, workers: int = 2) -> dict[str, float]:
    """Run `course grade` on a folder; return submissions a second of the run and of the process, and CPU milliseconds each."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "autograder", "grade", str(submissions), "--out", out, "--exercise", "forward"]
        used, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run([*command, "--json", "--workers", str(workers)], cwd=ROOT, capture_output=True, text=True)
        seconds = time.monotonic() - started
        if not done.stdout:
            sys.exit(done.stderr)
        summary = json.loads(done.stdout)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    results = summary["results"]
    return {"run": results / summary["seconds"], "process": results / seconds, "cpu": 1000 * cpu / results}


def copies(source: Path, folder: Path, count: int) -> Path:
    """Lay out a class in which everyone handed in the same file."""
    for number in range(count):
        (folder / f"s{number:05d}").mkdir(parents=True)
        shutil.copy(source, folder / f"s{number:05d}" / source.name)
    return folder


def fork_and_call(arguments: tuple[str, int]) -> float:
    """Fork a guest, load the file and call one function, without walls, checks or records; return guests a second."""
    path, count = arguments
    source = Path(path).read_bytes()
    warmth = "torch" if b"torch" in source else "numpy"
    with Sandbox(Limits(), ()) as sandbox:
        sandbox.open(warmth).close()
        started = time.monotonic()
        for _ in range(count):
            with sandbox.open(warmth) as guest:
                guest.load("forward", source)
                guest.call(("forward", "forward_step"), (np.zeros((4, 3, 8, 9)), 0.1, np.ones((4, 3, 8, 9))), {})
        return count / (time.monotonic() - started)


def bare(source: Path) -> float:
    """The same on two processes at once: what the machine gives to whoever does nothing but fork and call."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        return sum(pool.map(fork_and_call, [(str(source), COPIES)] * 2))


def guest_milliseconds(walls: tuple[str, ...], warmth: str) -> float:
    """Wall milliseconds from asking for a guest to its answer to one call, with these walls."""
    with Sandbox(Limits(), walls) as sandbox:
        sandbox.open(warmth).close()
        times = []
        for _ in range(COPIES // 2):
            started = time.monotonic()
            with sandbox.open(warmth) as guest:
                guest.load("forward", b"def f(x): return x")
                guest.call(("forward", "f"), (1.0,), {})
            times.append(time.monotonic() - started)
    return 1000 * statistics.median(times)


def several(measure: Callable[[], float]) -> list[float]:
    return sorted(measure() for _ in range(TIMES))


def row(what: str, figures: list[float], unit: str) -> None:
    print(f"| {what} | {statistics.median(figures):.1f} | {min(figures):.1f} to {max(figures):.1f} | {unit} |", flush=True)


def throughput(folder: Path) -> None:
    """Rates of whole runs, interleaved with the bare machine's."""
    for name, source in (("torch", TORCH), ("numpy", NUMPY)):
        submissions = copies(source, folder / name, COPIES)
        ours, whole, cpu, machine = [], [], [], []
        for _ in range(TIMES):
            one = grade(submissions)
            ours.append(one["run"])
            whole.append(one["process"])
            cpu.append(one["cpu"])
            machine.append(bare(source))
        row(f"`forward` with {name}, {COPIES} copies, run", ours, "submissions/s")
        row(f"`forward` with {name}, {COPIES} copies, process", whole, "submissions/s")
        row(f"`forward` with {name}, CPU of all processes for one", cpu, "ms")
        row(f"fork and call with {name}, no walls", machine, "guests/s")
        row(f"overhead over fork and call with {name}", sorted(m / o for m, o in zip(machine, ours, strict=True)), "times")


def hangs(folder: Path) -> None:
    """The example class fifty times over, its endless loops and its memory eaters included."""
    for number in range(50):
        for student in CLASS.iterdir():
            if student.is_dir():
                shutil.copytree(student, folder / f"{student.name} {number}")
    row("`examples/class` times 50, hangs included, run", [grade(folder)["run"]], "submissions/s")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--without-hangs", action="store_true", help="leave the slow class out")
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, Linux {platform.release()}\n")
    print("| what | median | range | unit |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        throughput(Path(folder))
        for warmth in ("numpy", "torch"):
            row(f"a guest and one call, {warmth}, no walls", several(lambda w=warmth: guest_milliseconds((), w)), "ms")  # type: ignore[misc]
            row(f"a guest and one call, {warmth}, all walls", several(lambda w=warmth: guest_milliseconds(WALLS, w)), "ms")  # type: ignore[misc]
        if not options.without_hangs:
            hangs(Path(folder) / "class")
