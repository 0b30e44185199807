"""Measure whole `course grade` runs, and the bare machine beside them, in one go.

    python -m bench                 all of it (about ten minutes on two cores: the class with its hangs takes most)
    python -m bench --without-hangs

Each figure is taken three times, the rates of ours and of the bare machine in turn; median, minimum and maximum are
printed. `whole` is a run over 200 copies from the start of the process to its end, imports and warm servers included;
`steady` is what 1,000 copies take longer than 200, so nothing of the start is in it.
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

from autograder.attempt import load_materials
from autograder.content import read_course
from autograder.inside.walls import WALLS
from autograder.model import Limits
from autograder.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[1]
CLASS = ROOT / "examples" / "class"
TIMES = 3
COPIES, MANY = 200, 1_000

# What is handed in: a file that only names torch (so its server has it loaded), one that computes with it, one that never names it.
NUMPY = CLASS / "Amara Okafor" / "forward.py"
TORCH = CLASS / "Jean-Pierre Lefèvre" / "forward.py"


def grade(submissions: Path, workers: int = 2) -> tuple[float, float]:
    """Run `course grade` on a folder; return wall seconds and CPU seconds of the whole process and all below it."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "autograder", "grade", str(submissions), "--out", out, "--exercise", "forward"]
        used, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run([*command, "--json", "--workers", str(workers)], cwd=ROOT, capture_output=True, text=True)
        seconds = time.monotonic() - started
        if done.returncode or json.loads(done.stdout)["statuses"]["graded"] != len(list(submissions.iterdir())):
            sys.exit(done.stderr or "not everything was graded")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime


def copies(source: bytes, folder: Path, count: int) -> Path:
    """Lay out a class in which everyone handed in the same file."""
    for number in range(count):
        (folder / f"s{number:05d}").mkdir(parents=True)
        (folder / f"s{number:05d}" / "forward.py").write_bytes(source)
    return folder


def fork_and_call(source: bytes) -> float:
    """Fork a guest, load the file and make the calls of the checks, without walls, checks or records; return guests a second."""
    exercise = next(e for e in read_course(ROOT).lessons[0].exercises if e.id == "forward")
    materials = load_materials(exercise)
    runs = [materials.diagnosis.rerun(check, number, None) for number, check in enumerate(materials.checks)]
    calls = [call for run in runs for call in run.calls]
    warmth = "torch" if b"torch" in source else "numpy"
    with Sandbox(Limits(), ()) as sandbox:
        sandbox.open(warmth).close()
        started = time.monotonic()
        for _ in range(COPIES):
            with sandbox.open(warmth) as guest:
                guest.load("forward", source)
                for call in calls:
                    guest.call(("forward", call.function), call.args, call.kwargs)
        return COPIES / (time.monotonic() - started)


def bare(source: bytes) -> float:
    """The same on two processes at once: what the machine gives to whoever does nothing but fork and call."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        return sum(pool.map(fork_and_call, [source] * 2))


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
    """Rates of whole and of steady runs, interleaved with the bare machine's."""
    handed_in = {
        "torch loaded": b"import torch\n" + NUMPY.read_bytes(),
        "computing with torch": TORCH.read_bytes(),
        "numpy only": NUMPY.read_bytes(),
    }
    for name, source in handed_in.items():
        few, many = copies(source, folder / name / "few", COPIES), copies(source, folder / name / "many", MANY)
        whole, steady, cpu, machine = [], [], [], []
        for _ in range(TIMES):
            (short, short_cpu), (long, long_cpu) = grade(few), grade(many)
            whole.append(COPIES / short)
            steady.append((MANY - COPIES) / (long - short))
            cpu.append(1000 * (long_cpu - short_cpu) / (MANY - COPIES))
            machine.append(bare(source))
        row(f"`forward`, {name}, whole run of {COPIES}", whole, "submissions/s")
        row(f"`forward`, {name}, steady", steady, "submissions/s")
        row(f"`forward`, {name}, CPU of all processes for one more", cpu, "ms")
        row(f"the same forks and calls, {name}, no walls, checks or records", machine, "submissions/s")
        row(f"overhead over those, {name}", sorted(m / o for m, o in zip(machine, steady, strict=True)), "times")


def hangs(folder: Path) -> None:
    """The example class fifty times over, its endless loops and its memory eaters included."""
    for number in range(50):
        for student in CLASS.iterdir():
            if student.is_dir():
                shutil.copytree(student, folder / f"{student.name} {number}")
    count = len(list(folder.iterdir()))
    row(f"`examples/class` times 50 ({count}), hangs included, whole run", [count / grade(folder)[0]], "submissions/s")


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
