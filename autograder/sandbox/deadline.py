"""The time of one call to a guest: what counts as computing, as sleep, and as a machine that is too busy.

It knows clocks, and no process: `channels` reads those of a guest.
"""

import contextlib
import time
from collections.abc import Iterator
from typing import Literal, Protocol

from autograder.course.errors import SandboxFault

LARGEST_WAIT = 0.5  # seconds
SLEEP_FACTOR = 2  # for a guest that seems to sleep, but perhaps waits for a disk
WALL_FACTOR = 10


class Lost(Exception):
    """The guest is gone or must go; `kind`, `detail`, `idle` and `lacks` are those of the call's outcome."""

    def __init__(self, kind: Literal["timed_out", "killed", "refused"], detail: str, *, idle: bool = False, lacks: str = ""):
        super().__init__(detail)
        self.kind, self.detail, self.idle, self.lacks = kind, detail, idle, lacks


class Clocked(Protocol):
    """Something that uses CPU time."""

    @property
    def cpu_seconds(self) -> float: ...

    @property
    def idle_clock(self) -> float:
        """A clock that stands still while the process runs, or while it or this thread waits for a core."""

    @property
    def asleep(self) -> bool:
        """Whether what the process waited for, beside a core, was no disk."""


class Deadline:
    """The time of one call: CPU seconds decide, and a guest may sleep for as many.

    Ten times as many seconds of waiting are the backstop, for a machine that is too busy. Only waiting for the guest counts as waiting
    and sleeping: while we compute what it asked for, it can do nothing else.
    """

    def __init__(self, guest: Clocked, seconds: float):
        self._guest, self._seconds = guest, seconds
        self._cpu, self._began = guest.cpu_seconds, time.monotonic()
        self._last = self._waited = self._slept = 0.0
        self._since: tuple[float, float] | None = None  # by the clock, and by the guest's idle clock

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the time of this block as waited for the guest."""
        self._since = time.monotonic(), self._guest.idle_clock
        try:
            yield
        finally:
            self._waited, self._slept, self._since = self.waited, self.slept, None

    @property
    def waited(self) -> float:
        """Seconds waited for the guest so far."""
        return self._waited + (time.monotonic() - self._since[0] if self._since else 0.0)

    @property
    def slept(self) -> float:
        """Seconds of these in which the guest wanted no core."""
        return self._slept + (max(0.0, self._guest.idle_clock - self._since[1]) if self._since else 0.0)

    def excuse(self, seconds: float) -> None:
        """Take back seconds of the wait that goes on: this process was stopped, and could not have seen an answer."""
        if self._since and seconds > 0:
            self._since = self._since[0] + seconds, self._since[1] + seconds

    def used(self) -> float:
        """Return the CPU seconds since the call began; after the guest's end, those last seen."""
        with contextlib.suppress(SandboxFault):
            self._last = self._guest.cpu_seconds - self._cpu
        return max(0.0, self._last)

    def milliseconds(self) -> int:
        """Return how long to sleep before looking again: one thread cannot use more CPU time than wall time."""
        return max(1, int(1000 * min(self._seconds - self._last, LARGEST_WAIT)) + 1)

    def check(self, *, computing_alone: bool = False) -> None:
        """Raise `Lost` when time is up."""
        if time.monotonic() - self._began < self._seconds:
            return  # one thread cannot have used more CPU time than that
        if self.used() > self._seconds:
            raise Lost("timed_out", f"no answer in {self._seconds:g} s of computing")
        if computing_alone:
            return
        if (slept := self.slept) > self._seconds and self._guest.asleep:
            raise Lost("timed_out", f"it slept for {self._seconds:g} s")
        if slept > self._seconds * SLEEP_FACTOR:
            raise Lost("timed_out", f"no answer in {self._seconds * SLEEP_FACTOR:g} s", idle=True)
        if self.waited > self._seconds * WALL_FACTOR:
            raise Lost("timed_out", f"no answer in {self._seconds * WALL_FACTOR:g} s", idle=True)
