"""What a killed process leaves: children, and files in the folder for scratch."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.chaos import demand

PR_SET_CHILD_SUBREAPER = 36
PATIENCE = 60.0  # seconds in which a child must notice that it is alone; only a failure waits so long


@contextmanager
def adopting() -> Iterator[set[int]]:
    """Take in all orphans of this process's descendants, as init would; give the children that are there before."""
    prctl = ctypes.CDLL(None).prctl
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield children()
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def children() -> set[int]:
    """Find the processes whose parent this one is, zombies too."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if stat.read_bytes().rpartition(b")")[2].split()[1] == str(os.getpid()).encode():
                found.add(int(stat.parent.name))
    return found


def demand_no_child(before: set[int]) -> None:
    """Wait until the orphans that came have ended by themselves."""
    until = time.monotonic() + PATIENCE
    while (left := children() - before) and time.monotonic() < until:
        for pid in left:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.02)
    demand(not left, f"no child is left behind, but these are: {', '.join(map(_named, sorted(left)))}")


def demand_no_scratch(folder: Path, allowed: int = 0) -> None:
    """Look into the folder that the processes took for temporary files."""
    found = sorted(path.name for path in folder.iterdir())
    demand(len(found) <= allowed, f"no scratch is left behind, but this is: {', '.join(found)}")


def _named(pid: int) -> str:
    with suppress(OSError):
        return f"{pid} {Path(f'/proc/{pid}/cmdline').read_bytes().replace(bytes(1), b' ').decode(errors='replace')[:200]}"
    return str(pid)
