"""Warm server: import numpy and a framework once, then fork a guest for each submission.

A fresh interpreter, started by `preload`. It belongs to the untrusted side: a child inherits all of its memory, so it must never hold an
answer, a path to one, or the gradebook.

    sandbox --plan, open, end-->   forkserver --fork--> guest   (one submission, then killed)
    sandbox <--calls and answers, over the guest's own socket--> guest
    preload --share-->   a server without a plan --fork--> forkserver, for another supervisor   (one import for all)

It runs no student code, judges nothing and enforces no time: the sandbox does, by asking for `end`. Only the parent can kill and reap
without a race, so this process does both. One guest at a time, and one thread only: a child forked while another thread holds a lock
can hang for ever.
"""

import contextlib
import ctypes
import gc
import os
import signal
import socket
from collections.abc import Callable
from typing import NoReturn

import msgspec

from autograder.sandbox.guest import runtime, stubs, walls

MADV_COLLAPSE = 25  # Linux 6.1; an older kernel refuses, and forks stay as dear as they were
HUGE_PAGE = 1 << 21

CHANNEL_FD = 3  # the server's control socket, in a guest its own: nothing else stays open above the standard streams


class Ended(msgspec.Struct):
    """How a guest ended: its exit status (negative: the signal), CPU seconds, and the most memory it held, in KiB."""

    status: int
    cpu_seconds: float
    memory_kib: int


def main(control_fd: int, profile: str) -> NoReturn:
    """Serve until the supervisor hangs up."""
    walls.die_with(os.getppid())
    os.dup2(control_fd, CHANNEL_FD)
    os.close(control_fd)
    gc.disable()  # an import leaves next to nothing to collect
    brought = runtime.preload(profile)
    _settle()
    control, plan = _planned(socket.socket(fileno=CHANNEL_FD))
    if plan:
        serve(control, msgspec.json.decode(plan, type=walls.Plan), profile, brought)
    os._exit(0)


def _planned(control: socket.socket) -> tuple[socket.socket, bytes]:
    """Wait for a plan; meanwhile fork a server for each other supervisor, which waits for its own. No plan: it hung up."""
    server = os.getpid()
    servers: list[int] = []
    while True:
        message, fds, _, _ = socket.recv_fds(control, 1 << 20, 1)
        if not fds:
            for other in servers:
                os.kill(other, signal.SIGKILL)
                os.waitpid(other, 0)
            return control, message
        other = os.fork()
        if other == 0:
            walls.die_with(server)
            control.detach()
            os.dup2(fds[0], CHANNEL_FD)
            os.closerange(CHANNEL_FD + 1, 1 << 16)
            return _planned(socket.socket(fileno=CHANNEL_FD))
        servers.append(other)
        os.close(fds[0])


def serve(control: socket.socket, plan: walls.Plan, profile: str, brought: frozenset[str]) -> None:
    """Report that this server is ready, then open and end guests on request."""
    if plan.cores:
        os.sched_setaffinity(0, plan.cores)
    prepared = walls.prepare(msgspec.structs.replace(plan, read=(*plan.read, *stubs.paths_of(brought))))
    runtime.install_stubs(finder := stubs.Finder(profile, plan.packages, brought))
    runtime.warm_up()
    guest = runtime.over(CHANNEL_FD, finder)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server, child, fork = os.getpid(), 0, _forking()
    _settle()
    prepared = walls.enter(prepared)
    gc.enable()
    control.send(b"%d" % server)
    while True:
        request, fds, _, _ = socket.recv_fds(control, 16, 2)
        if not request:
            return
        if request == b"open":
            child = fork()
            if child == 0:
                _become_guest(guest, prepared, fds[0], fds[1])
            os.close(fds[0])
            os.close(fds[1])
            control.send(b"%d" % child)
        elif request == b"end":
            control.send(msgspec.json.encode(_end(child)))


def _settle() -> None:
    """Exempt every object from garbage collection: a collection in a child would write to all of them, and so copy every page."""
    gc.collect()
    gc.freeze()
    _gather_pages()


def _gather_pages() -> None:
    """Collapse memory into huge pages: a fork then copies one entry of the page table instead of 512."""
    with open("/proc/self/maps") as file:
        mappings = [line.split() for line in file]
    for span, mode, _, _, _, *name in mappings:
        if mode == "rw-p" and name in ([], ["[heap]"]):
            start, end = (int(address, 16) for address in span.split("-"))
            first, last = -(-start // HUGE_PAGE) * HUGE_PAGE, end // HUGE_PAGE * HUGE_PAGE
            for page in range(first, last, HUGE_PAGE):  # one at a time: a range ends at the first empty one
                walls.libc.madvise(ctypes.c_void_p(page), ctypes.c_size_t(HUGE_PAGE), MADV_COLLAPSE)


def _forking() -> Callable[[], int]:
    """Choose how to fork: with `_Fork` of the C library if it has one, which skips what Python does in a child because of threads.

    That work touches more pages than everything else that a guest does before its first call.
    """
    bare = getattr(ctypes.PyDLL(None, use_errno=True), "_Fork", None)
    if bare is None or len(os.listdir("/proc/self/task")) > 1:
        return os.fork

    def fork() -> int:
        child = int(bare())
        if child < 0:
            raise OSError(ctypes.get_errno(), "fork")
        return child

    return fork


def _become_guest(guest: runtime.GuestRuntime, prepared: walls.Prepared, channel_fd: int, output_fd: int) -> NoReturn:
    try:
        os.dup2(walls.open_null(prepared), 0)
        os.dup2(output_fd, 1)
        os.dup2(output_fd, 2)
        os.dup2(channel_fd, CHANNEL_FD)
        guest.loader.start_clock()  # before the walls, which deny timers
        missing = walls.raise_walls(prepared)
        os.closerange(CHANNEL_FD + 1, 1 << 16)
        runtime.serve(guest, missing)
    finally:
        os._exit(0)


def _end(child: int) -> Ended:
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    return Ended(os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
