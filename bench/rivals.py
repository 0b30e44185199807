"""The same twenty submissions graded by `course grade`, nbgrader and otter, in one run: what each takes.

    python -m bench.rivals

The others ask 5 questions in the student's own process (see `others`); ours asks the 14 checks of `forward`, behind walls, and names
misconceptions. Each is started as its handbook has it: nbgrader once for all, otter once for each, ours once for all.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.others import MOST, _otter, by_nbgrader, by_otter
from bench.throughput import NUMPY, ROOT, Spent

Sources = dict[str, str]
Grading = Callable[[Sources, Path], dict[str, float]]


def spent(grade: Grading, sources: Sources, folder: Path) -> tuple[Spent, dict[str, float]]:
    """Grade, and give what it took, the CPU of the processes that it ran included, and the marks."""
    used, started, own = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic(), time.process_time()
    marks = grade(sources, folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime + time.process_time() - own
    return Spent(time.monotonic() - started, cpu), marks


def by_course(sources: dict[str, str], folder: Path) -> dict[str, float]:
    """Grade sources by student with `course grade`, on one worker, as the others have one process."""
    for student, source in sources.items():
        (folder / "class" / student).mkdir(parents=True)
        (folder / "class" / student / "forward.py").write_text(source)
    command = [sys.executable, "-m", "autograder", "grade", str(folder / "class"), "--out", str(folder / "out"), "--exercise", "forward"]
    subprocess.run([*command, "--workers", "1"], cwd=ROOT, capture_output=True, check=True)
    results = (json.loads(line) for line in (folder / "out" / "results.jsonl").read_text().splitlines())
    return {one["student"]: one["score"] for one in results}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.rivals", description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--students", type=int, default=20)
    options = parser.parse_args()
    sources = {f"s{number:02d}": f"{NUMPY.decode()}\n# {number}\n" for number in range(options.students)}
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print(f"| {options.students} submissions by | wall s | CPU s | CPU against ours |\n| --- | --- | --- | --- |")
    ours = 0.0
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "otter").mkdir()
        _otter(Path(name) / "otter", "--version")  # its environment is made before time is taken
        graders: dict[str, tuple[Grading, float]] = {"course grade": (by_course, 20.0)}
        graders |= {"nbgrader": (by_nbgrader, MOST), "otter": (by_otter, MOST)}
        for what, (grade, most) in graders.items():
            took, marks = spent(grade, sources, Path(name) / what / "work")
            if set(marks.values()) != {most}:
                sys.exit(f"{what} did not give all {most} points: {marks}")
            ours = ours or took.cpu
            print(f"| {what} | {took.wall:.1f} | {took.cpu:.1f} | {took.cpu / ours:.1f} |", flush=True)


if __name__ == "__main__":
    main()
