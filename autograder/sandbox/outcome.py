"""What the sandbox saw of one call, as frozen data: how it ended, with which value, or with which exception."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any, Literal, Protocol

from msgspec import Struct

from autograder.course.errors import SandboxFault


class Raised(Struct, frozen=True):
    """An exception of the student's code: its kind, its message, and the student's own lines it passed through."""

    kind: str
    message: str
    where: tuple[str, ...] = ()


class Outcome(Struct, frozen=True):
    """What the sandbox saw of one call: a value, or why there is none.

    `idle`: it was stopped by the clock on the wall alone, so it slept, or this machine was too busy for it. `missing`: the file
    defines no such function.
    """

    kind: Literal["returned", "raised", "timed_out", "out_of_memory", "killed", "refused"]
    value: Any = None
    raised: Raised | None = None
    detail: str = ""
    changed: tuple[str, ...] = ()
    seconds: float = 0.0
    idle: bool = False
    missing: bool = False


WALL_FACTOR = 10


class Lost(Exception):
    """The guest is gone or must go; the outcome says why."""

    def __init__(self, outcome: Outcome):
        self.outcome = outcome


class Clocked(Protocol):
    """Whatever has used some CPU time."""

    @property
    def cpu_seconds(self) -> float: ...


class Deadline:
    """The time of one call: CPU seconds decide, ten times as many seconds of waiting are the backstop.

    Only waiting for the guest counts as waiting: while we compute what it asked for, the backstop stands still.
    """

    def __init__(self, guest: Clocked, seconds: float):
        self._guest, self._seconds = guest, seconds
        self._cpu, self._began = guest.cpu_seconds, time.monotonic()
        self._last = self._waited = 0.0
        self._since: float | None = None

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the time of this block as waited for the guest."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._waited, self._since = self.waited, None

    @property
    def waited(self) -> float:
        """Seconds waited for the guest so far."""
        return self._waited + (0.0 if self._since is None else time.monotonic() - self._since)

    def used(self) -> float:
        """CPU seconds since the call began; after the guest's end, what was last seen."""
        with contextlib.suppress(SandboxFault):
            self._last = self._guest.cpu_seconds - self._cpu
        return max(0.0, self._last)

    def milliseconds(self) -> int:
        """How long to sleep before looking again: one thread cannot use more CPU time than wall time."""
        return max(1, int(1000 * min(self._seconds - self._last, self._seconds * WALL_FACTOR)) + 1)

    def check(self) -> None:
        if time.monotonic() - self._began < self._seconds:
            return  # one thread cannot have used more CPU time than that
        if self.used() > self._seconds:
            raise Lost(Outcome("timed_out", detail=f"no answer in {self._seconds:g} s of computing"))
        if self.waited > self._seconds * WALL_FACTOR:
            raise Lost(Outcome("timed_out", detail=f"no answer in {self._seconds * WALL_FACTOR:g} s", idle=True))
