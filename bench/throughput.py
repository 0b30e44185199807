"""Measure whole `course grade` runs, and the bare machine beside them, in turn.

`whole` is a run over 200 copies from the start of the process to its end, imports and warm servers included; `steady` is
what 1,000 copies (600 of a wrong file) take longer than 200, so nothing of the start is in it. Rates depend on what else the
machine does; the CPU time of one more submission (user and system, of every process that takes part) hardly does, so both
are told.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from autograder.course.loading import read_course
from autograder.course.policy import Limits
from autograder.grading.attempt import load_materials
from autograder.sandbox.guest.walls import WALLS
from autograder.sandbox.preload import profile_for
from autograder.sandbox.servers import Sandbox

ROOT = Path(__file__).resolve().parents[1]
CLASS = ROOT / "examples" / "class"
TIMES = 3
COPIES, SOME, MANY = 200, 600, 1_000
CLASSES = 50
TICK = os.sysconf("SC_CLK_TCK")

# What is handed in: a file that only names torch (so its server has it loaded), one that computes with it, one that never names it.
NUMPY = (CLASS / "Amara Okafor" / "forward.py").read_bytes()
HANDED_IN = {
    "torch loaded": b"import torch\n" + NUMPY,
    "computing with torch": (CLASS / "Jean-Pierre Lefèvre" / "forward.py").read_bytes(),
    "numpy only": NUMPY,
}


def changed(line: bytes, wrong: bytes) -> bytes:
    """Give the right file with another line in its place."""
    assert line in NUMPY, line
    return NUMPY.replace(line, wrong)


# How the idea of a wrong answer is found, and one whose idea is not.
WRONG = {
    "a written misconception": changed(b"keep * x_prev + add * eps", b"keep * x_prev + beta * eps"),
    "read off the numbers": changed(b"keep * x_prev + add * eps", b"keep * x_prev + 0.9 * add * eps"),
    "a rewrite": changed(b"product = product * (1.0 - beta)", b"product = product * (1.0 - beta) ** 2"),
    "no idea": changed(b"product = product * (1.0 - beta)", b"product = product * math.cos(beta + product)"),
}


class Spent(NamedTuple):
    """What something took: wall seconds, and CPU seconds of all processes that took part."""

    wall: float
    cpu: float


def command(submissions: Path, out: Path) -> list[str]:
    """Give the command that is measured: two workers, the exercise `forward` alone."""
    grade = [sys.executable, "-m", "autograder", "grade", str(submissions), "--out", str(out)]
    return [*grade, "--exercise", "forward", "--json", "--workers", "2"]


def grade(submissions: Path) -> Spent:
    """Run `course grade` on a folder, and see that everything in it was graded."""
    with tempfile.TemporaryDirectory() as out:
        used, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run(command(submissions, Path(out)), cwd=ROOT, capture_output=True, text=True)
        seconds = time.monotonic() - started
        if done.returncode or json.loads(done.stdout)["statuses"]["graded"] != len(list(submissions.iterdir())):
            sys.exit(done.stderr or "not everything was graded")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Spent(seconds, after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime)


def copies(source: bytes, folder: Path, count: int) -> Path:
    """Lay out a class in which everyone handed in the same file."""
    for number in range(count):
        (folder / f"s{number:05d}").mkdir(parents=True)
        (folder / f"s{number:05d}" / "forward.py").write_bytes(source)
    return folder


def one_more(short: Spent, long: Spent, more: int) -> Spent:
    """Give what one more submission takes once everything is warm: what a class that is larger by so many takes beyond the smaller."""
    return Spent((long.wall - short.wall) / more, (long.cpu - short.cpu) / more)


def fork_and_call(source: bytes) -> Spent:
    """Fork a guest, load the file and make the calls of the checks, without walls, checks or records; give what 200 of these took."""
    exercise = next(e for e in read_course(ROOT).lessons[0].exercises if e.id == "forward")
    materials = load_materials(exercise)
    runs = [materials.diagnosis.reruns.rerun(check, number, None) for number, check in enumerate(materials.checks)]
    calls = [call for run in runs for call in run.calls]
    profile = profile_for(source)
    with Sandbox(Limits(), ()) as sandbox:
        sandbox.open(profile).close()
        (server,) = sandbox.pids()
        used, started = _below(server) + time.process_time(), time.monotonic()
        for _ in range(COPIES):
            with sandbox.open(profile) as guest:
                guest.load("forward", source)
                for call in calls:
                    guest.call(("forward", call.function), call.args, call.kwargs)
        return Spent(time.monotonic() - started, _below(server) + time.process_time() - used)


def _below(pid: int) -> float:
    """Give the CPU seconds of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICK


def bare(source: bytes) -> Spent:
    """The same on two processes at once, for one: what the machine gives to whoever does nothing but fork and call."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        both = list(pool.map(fork_and_call, [source] * 2))
    return Spent(1 / sum(COPIES / one.wall for one in both), sum(one.cpu for one in both) / COPIES / 2)


def row(what: str, figures: list[float], unit: str) -> None:
    """Print one line of the table."""
    print(f"| {what} | {statistics.median(figures):.1f} | {min(figures):.1f} to {max(figures):.1f} | {unit} |", flush=True)


def rates(name: str) -> None:
    """Measure whole and steady runs of one kind of file, and the bare machine, in turn."""
    with tempfile.TemporaryDirectory() as folder:
        source = HANDED_IN[name]
        few, many = copies(source, Path(folder) / "few", COPIES), copies(source, Path(folder) / "many", MANY)
        whole, steady, machine = [], [], []
        for _ in range(TIMES):
            short, long = grade(few), grade(many)
            whole.append(COPIES / short.wall)
            steady.append(one_more(short, long, MANY - COPIES))
            machine.append(bare(source))
    row(f"`forward`, {name}, whole run of {COPIES}", whole, "submissions/s")
    row(f"`forward`, {name}, steady", [1 / one.wall for one in steady], "submissions/s")
    row(f"`forward`, {name}, CPU of all processes for one more", [1000 * one.cpu for one in steady], "ms")
    row(f"the same forks and calls, {name}, no walls, checks or records", [1 / one.wall for one in machine], "submissions/s")
    row(f"CPU of one of those, {name}", [1000 * one.cpu for one in machine], "ms")
    row(f"overhead over those by time, {name}", [ours.wall / its.wall for ours, its in zip(steady, machine, strict=True)], "times")
    row(f"overhead over those by CPU, {name}", [ours.cpu / its.cpu for ours, its in zip(steady, machine, strict=True)], "times")


def wrong() -> None:
    """Measure what one more wrong file takes, beside a right one, in turn."""
    kinds = {"right": NUMPY, **WRONG}
    with tempfile.TemporaryDirectory() as folder:
        classes = {
            name: [copies(source, Path(folder) / f"{count}" / name, count) for count in (COPIES, SOME)] for name, source in kinds.items()
        }
        taken: dict[str, list[Spent]] = {name: [] for name in kinds}
        for _ in range(TIMES):
            for name, (few, many) in classes.items():
                taken[name].append(one_more(grade(few), grade(many), SOME - COPIES))
    for name, own in taken.items():
        row(f"`forward`, numpy only, {name}, steady", [1 / one.wall for one in own], "submissions/s")
        row(f"the same, CPU of all processes for one more, {name}", [1000 * one.cpu for one in own], "ms")
        ratios = [one.cpu / right.cpu for one, right in zip(own, taken["right"], strict=True)]
        row(f"the same, compared with a right one by CPU, {name}", ratios, "times")


def guest_milliseconds(walls: tuple[str, ...], profile: str) -> float:
    """Wall milliseconds from asking for a guest to its answer to one call, with these walls."""
    with Sandbox(Limits(), walls) as sandbox:
        sandbox.open(profile).close()
        times = []
        for _ in range(COPIES // 2):
            started = time.monotonic()
            with sandbox.open(profile) as guest:
                guest.load("forward", b"def f(x): return x")
                guest.call(("forward", "f"), (1.0,), {})
            times.append(time.monotonic() - started)
    return 1000 * statistics.median(times)


def guests() -> None:
    """Measure how long a guest and one call take without walls, with each alone, with all, and as on a kernel without Landlock, in turn."""
    older = ("namespaces", *WALLS[1:])
    chosen = {"no walls": (), **{f"{wall} alone": (wall,) for wall in WALLS}, "all walls": WALLS, "namespaces for landlock": older}
    for profile in ("numpy", "torch"):
        turns = [{name: guest_milliseconds(walls, profile) for name, walls in chosen.items()} for _ in range(TIMES)]
        for name in chosen:
            row(f"a guest and one call, {profile}, {name}", [turn[name] for turn in turns], "ms")


def hangs() -> None:
    """Grade the example class fifty times over, its endless loops and its memory eaters included. Once: it takes minutes."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(CLASSES):
            for student in (one for one in CLASS.iterdir() if one.is_dir()):
                shutil.copytree(student, Path(folder) / f"{student.name} {number}")
        count = len(list(Path(folder).iterdir()))
        spent = grade(Path(folder))
    row(f"`examples/class` times {CLASSES} ({count}), hangs included, whole run", [count / spent.wall], "submissions/s")
    row(f"`examples/class` times {CLASSES} ({count}), CPU for one", [1000 * spent.cpu / count], "ms")
