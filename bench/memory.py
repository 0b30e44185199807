"""Measure whether memory grows with the number of submissions: what each process of a run holds at the 200th and at the 2,200th.

What is counted is the memory that each process holds and that shows no file (`RssAnon`); a guest shares its fork server's.
"""

from __future__ import annotations

import re
import sqlite3
import subprocess
import tempfile
import time
from contextlib import closing
from pathlib import Path

from bench.chaos.workers import parts
from bench.throughput import HANDED_IN, ROOT, command, copies, row

EARLY, LATE = 200, 2_200
LOOK = 0.1  # seconds between two looks

Held = dict[str, list[float]]  # MiB of each process, by what it is


def memory() -> None:
    """Grade 2,300 copies and print what the processes of the run hold early and late."""
    with tempfile.TemporaryDirectory() as folder:
        submissions, out = copies(HANDED_IN["torch loaded"], Path(folder) / "in", LATE + 100), Path(folder) / "out"
        run = subprocess.Popen(command(submissions, out), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        early, late = (_held_at(run, out, count) for count in (EARLY, LATE))
        run.wait()
    for what in early:
        for held, when in ((early, EARLY), (late, LATE)):
            row(f"memory, {what}, at submission {when:,}", held[what], "MiB")


def _held_at(run: subprocess.Popen[bytes], out: Path, count: int) -> Held:
    """Wait until so many are graded, then look at every process of the run that is no guest."""
    while run.poll() is None and _graded(out) < count:
        time.sleep(LOOK)
    there = {"workers": "worker", "the import": "import", "fork servers": "fork server"}
    return {"`course grade`": [_own(run.pid)]} | {name: [_own(pid) for pid in parts(run.pid, what)] for name, what in there.items()}


def _graded(out: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{out / 'gradebook.sqlite'}?mode=ro", uri=True)) as book:
            return int(book.execute("SELECT count(*) FROM attempts").fetchone()[0])
    except sqlite3.Error:  # not there yet
        return 0


def _own(pid: int) -> float:
    (held,) = re.findall(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(held) / 1024
