"""Put on all the weight there is, and see that nothing gives.

    python -m bench.load greedy     200 submissions at once that each take all their memory and all their time
    python -m bench.load guests     50,000 guests, one after the other, by one fork server

`greedy` says what the machine was like meanwhile: how much memory was left, and how late a sleeper of 10 ms woke.
`guests` says whether the fork server grew: memory, open files, children.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from autograder.course.policy import Limits
from autograder.sandbox.servers import Server
from tests.hostile import arena
from tests.hostile.attack import STARVES, Attack

GREEDY = """
held = []
try:
    while True:
        held.append(bytearray(b"x") * (8 << 20))
except MemoryError:
    pass


def forward_step(x_prev, beta, eps):
    while True:
        pass
"""
SOURCE = b"def f(x): return x + 1"


def _memory_free() -> int:
    """Give what the kernel says could still be had, in MiB."""
    line = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable"))
    return int(line.split()[1]) >> 10


class Watch(threading.Thread):
    """Looks at the machine every 10 ms until it is told to stop: how late it wakes, how little memory is left."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.late: list[float] = []
        self.least_free = _memory_free()
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.is_set():
            started = time.monotonic()
            time.sleep(0.01)
            self.late.append(time.monotonic() - started - 0.01)
            self.least_free = min(self.least_free, _memory_free())

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def greedy(count: int) -> int:
    """Grade `count` greedy submissions beside honest ones; say what the machine was like. Return how much went wrong."""
    attacks = [Attack(f"greedy {number:03}", "It takes all it may", GREEDY, reasons=STARVES) for number in range(count)]
    before, watch, started = _memory_free(), Watch(), time.monotonic()
    watch.start()
    with tempfile.TemporaryDirectory() as folder:
        report = arena.run(attacks, Path(folder))
    watch.stop()
    seconds, late = time.monotonic() - started, [1e3 * each for each in sorted(watch.late)]
    results = report["results"]
    reasons = [check["reason"] for attack in attacks for check in results[attack.id]["checks"] if check["reason"] in STARVES]
    honest = [results[name]["score"] == results[name]["max_score"] for name in arena.HONEST]
    print(f"{count} greedy submissions and {len(honest)} honest ones in {seconds:.0f} s, exit status {report['status']}")
    print(f"  ended by a limit: {len(reasons)} checks; points that greedy ones got: {sum(results[a.id]['score'] for a in attacks):g}")
    print(f"  honest ones with all points: {sum(honest)} of {len(honest)}; left behind: {report['left'] or 'nothing'}")
    print(f"  memory: {before} MiB free before, never less than {watch.least_free}")
    print(f"  a sleeper of 10 ms woke late by {statistics.median(late):.1f} ms (median), {late[-len(late) // 100]:.1f} (1 in 100)")
    return report["status"] + (not all(honest)) + len(report["left"]) + len(report["harm"])


def guests(count: int) -> int:
    """Open and end `count` guests with one call each; say how the fork server stands after each tenth. Return how much it grew."""
    print(f"{'guests':>8} {'MiB':>6} {'files':>6} {'children':>9} {'per s':>6}")
    seen = []
    with Server(profile="numpy", limits=Limits()) as server:
        started = time.monotonic()
        for number in range(1, count + 1):
            with server.open() as guest:
                guest.load("forward", SOURCE)
                if guest.call(("forward", "f"), (number,), {}).value != number + 1:
                    sys.exit(f"guest {number} gave a wrong value")
            if number in (100, *range(count // 10, count + 1, max(1, count // 10))):
                seen.append(_standing(server.pid or 0))
                rate = number / (time.monotonic() - started)
                print(f"{number:8} {seen[-1][0]:6.1f} {seen[-1][1]:6} {seen[-1][2]:9} {rate:6.0f}", flush=True)
    grown = seen[-1][0] - seen[0][0]
    return int(grown > 5) + int(seen[-1][1:] != seen[0][1:])


def _standing(pid: int) -> tuple[float, int, int]:
    """Give a process's memory in MiB, its open files, its children."""
    status = Path(f"/proc/{pid}/status").read_text()
    memory = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return memory, len(os.listdir(f"/proc/{pid}/fd")), len(children)


def main() -> None:
    """Run the part that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["greedy", "guests"])
    parser.add_argument("--count", type=int, help="how many; 200 greedy ones, 50,000 guests")
    asked = parser.parse_args()
    wrong = greedy(asked.count or 200) if asked.part == "greedy" else guests(asked.count or 50_000)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
