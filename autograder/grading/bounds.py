"""What this process may use while it works with a submission's values: private memory, and CPU time.

A check demands shapes before it uses values, so it needs little of either. The bounds are for a value that nobody thought of: it costs
its own submission the check, and nobody else anything. Memory that this machine does not have is another matter: it stays a `MemoryError`.
CPU time does not pass while this process waits, so a busy machine costs no student points.

Both belong to a process and its main thread on Linux, so whatever grades others' work is a process of its own (see `instructor.pool`).
Elsewhere (in another thread, on a student's own Windows) nothing is bounded here.
"""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import NoReturn

from autograder.course import system

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

MEMORY_BYTES = 512 << 20  # beyond what the process has mapped when a check begins
SECONDS = 20.0  # for all checks of a submission together; a usual one takes a tenth of a second
AGAIN_SECONDS = 0.1  # an exception can get lost, for example in a destructor: it is raised again


class OutOfTime(BaseException):
    """The CPU time is used up. No `Exception`, so that what handles those does not stop it."""


class OutOfMemory(Exception):
    """The memory is used up that the bound allows."""


PASSED = OutOfTime, OutOfMemory
# What a submission's values can bring about where we compute with them.
TROUBLE = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, *PASSED)


@contextmanager
def bounded(memory: int, seconds: float) -> Iterator[None]:
    """Let this block map only so many bytes more and use so much CPU time; it ends with `OutOfMemory` or `OutOfTime`."""
    bounding = system.LINUX and threading.current_thread() is threading.main_thread()
    before = _pages()[0] if bounding else 0
    try:
        with _limited(memory, seconds) if bounding else nullcontext():
            yield
    except MemoryError:
        if bounding and not _had_room(before, memory):
            raise
        raise OutOfMemory from None


def _had_room(before: int, memory: int) -> bool:
    """Whether this process could have had all the memory of the bound, so that nothing but the bound ended the block."""
    soft = resource.getrlimit(resource.RLIMIT_AS)[0]
    return soft == resource.RLIM_INFINITY or soft - before * resource.getpagesize() >= memory


@contextmanager
def _limited(memory: int, seconds: float) -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_DATA)
    most = _pages()[5] * resource.getpagesize() + memory
    resource.setrlimit(resource.RLIMIT_DATA, (most if limits[0] == resource.RLIM_INFINITY else min(most, limits[0]), limits[1]))
    try:
        with _alarmed(seconds):
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, limits)


@contextmanager
def _alarmed(seconds: float) -> Iterator[None]:
    before, began = signal.signal(signal.SIGPROF, _out_of_time), time.process_time()
    outer, _ = signal.setitimer(signal.ITIMER_PROF, max(seconds, AGAIN_SECONDS), AGAIN_SECONDS)
    try:
        yield
    finally:
        left = max(outer - (time.process_time() - began), AGAIN_SECONDS) if outer else 0.0  # of a block around this one
        signal.setitimer(signal.ITIMER_PROF, left, AGAIN_SECONDS)
        signal.signal(signal.SIGPROF, before)


def _out_of_time(*_: object) -> NoReturn:
    raise OutOfTime


def _pages() -> list[int]:
    """Return how many pages this process has mapped: all of them first, those of private memory sixth."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return [int(number) for number in file.read().split()]
