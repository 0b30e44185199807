"""What this process may use while it works with a submission's values: private memory, and CPU time.

A check demands shapes before it uses values, so it needs little of either. The bounds are for a value that nobody thought of: it costs
its own submission the check, and nobody else anything. The memory bound makes numpy raise `MemoryError`; CPU time does not pass while
this process waits, so a busy machine costs no student points.

Both belong to a process and its main thread on Linux. Elsewhere (in a thread of a cluster's worker, on a student's own Windows) nothing
is bounded here.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

MEMORY_BYTES = 512 << 20  # beyond what the process has mapped when a check begins
SECONDS = 20.0  # for all checks of a submission together; a usual one takes a tenth of a second
AGAIN_SECONDS = 0.1  # an exception can get lost, for example in a destructor: it is raised again


class OutOfTime(BaseException):
    """The CPU time is used up. No `Exception`, so that what handles those does not stop it."""


@contextmanager
def bounded(memory: int, seconds: float) -> Iterator[None]:
    """Let this block map only so many bytes more and use so much CPU time; then `MemoryError` or `OutOfTime` is raised in it."""
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        yield
        return
    limits = resource.getrlimit(resource.RLIMIT_DATA)
    most = _mapped() + memory
    resource.setrlimit(resource.RLIMIT_DATA, (most if limits[0] == resource.RLIM_INFINITY else min(most, limits[0]), limits[1]))
    try:
        with _alarmed(seconds):
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, limits)


@contextmanager
def _alarmed(seconds: float) -> Iterator[None]:
    before = signal.signal(signal.SIGPROF, _out_of_time)
    signal.setitimer(signal.ITIMER_PROF, max(seconds, AGAIN_SECONDS), AGAIN_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _out_of_time(*_: object) -> NoReturn:
    raise OutOfTime


def _mapped() -> int:
    """Return how much private memory this process has mapped."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[5]) * resource.getpagesize()
