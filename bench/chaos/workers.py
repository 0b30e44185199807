"""`course grade`, struck in its parts while it goes on: the run must come to its end, and equal one that nobody disturbed, but for times.

What is struck: a worker, killed (as the kernel kills one where memory is short) or left without memory (a limit, so that it fails
at whatever it does next); a guest, a fork server, the process that imported torch for all. What could not be judged for it is told as
a fault of ours, never as a student's zero, and the same command given again judges it.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bench.chaos import demand, tell
from bench.chaos.grading import ROOT, command, contents, files, finish, results, small_class
from bench.chaos.leavings import adopting, demand_no_child, demand_no_scratch

STUDENTS = 120
A_RUN = 6  # strikes at one run at most: what is struck twice is a fault of ours, and these should be few
PAGE = resource.getpagesize()
LARGE = b"\nimport %s as library\ndef predict_x0(x_t, t, eps, alpha_bars): return library.zeros(900_000)\n"  # megabytes, and wrong

Strike = Callable[[int], object]


def kill(pid: int) -> None:
    """End a process as the kernel does where memory is short."""
    os.kill(pid, signal.SIGKILL)


def starve(pid: int) -> None:
    """Let a process have no more memory than it holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
    resource.prlimit(pid, resource.RLIMIT_AS, (pages * PAGE, resource.prlimit(pid, resource.RLIMIT_AS)[1]))


STRIKES: dict[str, tuple[str, Strike]] = {
    "worker killed": ("worker", kill),
    "worker out of memory": ("worker at work", starve),
    "guest killed": ("guest", kill),
    "fork server killed": ("fork server", kill),
    "import killed": ("import", kill),
}


def strike(run: int, name: str, moments: random.Random) -> bool:
    """Strike a part of a run; say whether there was one to strike."""
    what, act = STRIKES[name]
    with suppress(OSError):  # it ended meanwhile
        if found := parts(run, what):
            act(moments.choice(found))
            return True
    return False


def parts(run: int, what: str) -> list[int]:
    """Find a run's workers, its fork servers, its guests, or the process that imports for them, by where they stand below it.

    A worker is at work when it has children; before that it imports, and without memory Python itself says so.
    """
    below = children_of(run)
    workers = [pid for pid in below if b"pool import serve" in _command(pid)]
    importing = [pid for pid in below if b"guest.forkserver" in _command(pid)] if workers else []  # before that the walls are tried
    servers = [pid for one in workers + importing for pid in children_of(one)]
    guests = [pid for one in servers for pid in children_of(one)]
    working = [pid for pid in workers if children_of(pid)]
    return {"worker": workers, "worker at work": working, "import": importing, "fork server": servers, "guest": guests}[what]


def children_of(pid: int) -> list[int]:
    """Find the children of any process. Raise OSError where it ends meanwhile."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def mixed_class(folder: Path, count: int, library: str) -> Path:
    """Lay out students, some of whom give much, made by `library`."""
    small_class(folder, count)
    for file in sorted(folder.glob("*/forward.py"))[::3]:
        file.write_bytes(file.read_bytes() + LARGE % library.encode())
    return folder


def struck(submissions: Path, out: Path, act: Callable[[int], object]) -> str:
    """Grade to the end while `act` does with the run what it likes, again and again; give what was told. Raise `Broken` where it fails."""
    process = subprocess.Popen(command(submissions, out), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        while process.poll() is None:
            act(process.pid)
            time.sleep(0.01)
        told = process.communicate()[1]
    finally:
        process.kill()
    faults = [line for line in told.splitlines() if line.startswith("not judged: ")]
    demand(process.returncode == bool(faults), f"the run ends, but its status is {process.returncode}: {told}")
    return told


def demand_equal(out: Path, calm: Path) -> int:
    """Demand of a run that went to its end that each result equals the undisturbed one, or is told as a fault; count the faults."""
    right = {one["student"]: one for one in results(calm)}
    faults = [one for one in results(out) if one["status"] == "not_judged"]
    demand(len(results(out)) == len(right), "each student has one result")
    wrong = [one["student"] for one in results(out) if one["status"] != "not_judged" and one != right[one["student"]]]
    demand(not wrong, f"no student's result is changed, but these are: {', '.join(wrong)}")
    return len(faults)


def demand_mended(submissions: Path, out: Path, calm: Path) -> None:
    """Give the command again, and demand that all is as if nothing had been, each attempt once."""
    finish(submissions, out)
    demand((results(out), files(out)) == (results(calm), files(calm)), "given again, the results equal the undisturbed ones")
    judged = [row for row in contents(out) if json.loads(row)[2] is not None]
    demand(judged == contents(calm), "given again, the gradebook holds each attempt once")


def killed(kills: int, moments: random.Random, folder: Path) -> str:
    """Strike so many times, several in a run; say what came of it. Raise `Broken` where a result differs."""
    submissions, calm = mixed_class(folder / "class", STUDENTS, "torch"), folder / "calm"
    finish(submissions, calm)
    done, runs, faults = Counter[str](), 0, 0
    with adopting() as before:
        while done.total() < kills:
            out, began = folder / f"out{runs}", done.total()
            hit = _Hitting(min(kills, began + A_RUN), moments, done)
            struck(submissions, out, hit)
            faults += demand_equal(out, calm)
            demand_no_child(before)
            demand_mended(submissions, out, calm)
            demand_no_child(before)
            demand_no_scratch(folder / "scratch")
            tell(f"run {runs}: struck {done.total() - began} times, {faults} not judged so far")
            runs += 1
    each = ", ".join(f"{count} {name}" for name, count in sorted(done.items()))
    equal = "each result equals the undisturbed one but for times"
    return f"{done.total()} strikes in {runs} runs ({each}): {equal}, {faults} were told as faults, which the next run judged"


class _Hitting:
    """Strikes a run now and then, until there were `kills`."""

    def __init__(self, kills: int, moments: random.Random, done: Counter[str]):
        self._kills, self._moments, self._done = kills, moments, done
        self._began, self._next = time.monotonic(), moments.uniform(0, 2)

    def __call__(self, run: int) -> None:
        since = time.monotonic() - self._began
        if since < self._next or self._done.total() >= self._kills:
            return
        name = self._moments.choice(list(STRIKES))
        if strike(run, name, self._moments):
            self._done[name] += 1
            self._next = since + self._moments.uniform(0.2, 1.5)
