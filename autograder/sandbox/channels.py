"""The channel to a guest's process: bytes out, frames in, and what the process prints, with a deadline for every wait.

It knows sockets, pipes and clocks, and no message. `ForkedChannel` leads to a guest behind walls, `LocalChannel` to one that is a plain
process, on any system. They differ in how they wait and in what they know about the process; `Frames` is the same for both.
"""

import contextlib
import math
import os
import select
import selectors
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol

from autograder.course.errors import SandboxFault
from autograder.sandbox.deadline import Deadline
from autograder.sandbox.guest import protocol

READ = 1 << 16
LARGEST_READ = 1 << 20
DYING_MILLISECONDS = 500


class HungUp(Exception):
    """The other end of the channel is gone."""


class Printed:
    """What a process printed: the first `kept` bytes, and how many there were."""

    def __init__(self, kept: int):
        self.output, self.size, self._kept = bytearray(), 0, kept

    def add(self, chunk: bytes) -> None:
        self.output += chunk[: max(0, self._kept - len(self.output))]
        self.size += len(chunk)


class Frames:
    """Whole frames over a socket. `wait(deadline, writing)` returns when the socket may be ready, or raises `Lost`."""

    def __init__(self, connection: socket.socket, wait: Callable[[Deadline, bool], None]):
        self._socket, self._wait, self._buffer = connection, wait, bytearray()

    @property
    def waiting(self) -> bool:
        """Whether bytes have come that nobody asked for."""
        return bool(self._buffer)

    @property
    def closed(self) -> bool:
        return self._socket.fileno() == -1

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send all bytes. Raise `HungUp` at the end of the channel, `Lost` when time is up."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                self._wait(deadline, True)
            except OSError:
                raise HungUp from None

    def receive(self, deadline: Deadline) -> bytearray:
        """Read one frame's body; its size is checked before more is read. Raise `HungUp` at the end of the channel, `Lost` when time is up.

        What follows a frame has no call's id to echo, so the next call refuses it.
        """
        self._fill(protocol.HEADER.size, deadline)
        size = int(protocol.HEADER.unpack(self._taken(protocol.HEADER.size))[0])
        if size > protocol.FRAME_BYTES:
            raise protocol.ProtocolError(f"a frame of {size >> 20} MiB, where {protocol.FRAME_BYTES >> 20} may be sent")
        self._fill(size, deadline)
        return self._taken(size)

    def close(self) -> None:
        self._socket.close()

    def _taken(self, size: int) -> bytearray:
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def _fill(self, size: int, deadline: Deadline) -> None:
        while len(self._buffer) < size:
            self._wait(deadline, False)
            try:
                chunk = self._socket.recv(min(LARGEST_READ, max(READ, size - len(self._buffer))))
            except BlockingIOError:
                continue
            except OSError:
                chunk = b""
            if not chunk:
                raise HungUp
            self._buffer += chunk


class Channel(Protocol):
    """What an open guest needs of its channel."""

    frames: Frames
    printed: Printed

    @property
    def cpu_seconds(self) -> float: ...

    @property
    def idle_clock(self) -> float: ...

    @property
    def asleep(self) -> bool: ...

    def drain(self) -> None: ...

    def dead(self) -> bool: ...

    def close(self) -> None: ...


class ForkedChannel:
    """The channel to a forked guest: a socket for frames, a pipe for what it prints, and the kernel's clock of its process."""

    def __init__(self, pid: int, connection: socket.socket, output: int, kept: int):
        self.frames, self.printed = Frames(connection, self._wait), Printed(kept)
        self._socket, self._pipe, self._pid = connection, output, pid
        self._clock = (~pid << 3) | 2  # the kernel's name for the CPU clock of a process
        self._socket.setblocking(False)
        os.set_blocking(output, False)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._poll.register(self._pipe, select.POLLIN)
        self._pipe_open = True
        self._schedules = [_opened(f"/proc/{pid}/schedstat"), _opened("/proc/thread-self/schedstat")]

    @property
    def cpu_seconds(self) -> float:
        """CPU time used so far. Raise `SandboxFault` if the process was taken away from under us."""
        try:
            return time.clock_gettime(self._clock)
        except OSError:
            raise SandboxFault("a guest's process is gone") from None

    @property
    def idle_clock(self) -> float:
        """The clock, minus what the process ran, and what it and this thread waited for a core; no number if the kernel does not say."""
        try:
            guest, own = (list(map(int, os.pread(schedule, 100, 0).split())) for schedule in self._schedules)
        except (OSError, ValueError):
            return math.nan
        return time.monotonic() - (guest[0] + guest[1] + own[1]) / 1e9

    @property
    def asleep(self) -> bool:
        """Whether the kernel says that it waits for no disk; what dozes may just be running."""
        try:
            return Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()[0] != "D"
        except OSError:
            return False

    def drain(self) -> None:
        """Read what is printed so far."""
        for _ in range(64):  # a guest that still prints does not hold us up
            if not self._drain_once():
                return

    def dead(self) -> bool:
        """Return whether the process has ended, once it has hung up; a moment is left for its last steps."""
        try:
            watched = os.pidfd_open(self._pid)
        except OSError:
            return True
        poll = select.poll()
        poll.register(watched, select.POLLIN)
        try:
            return bool(poll.poll(DYING_MILLISECONDS))
        finally:
            os.close(watched)

    def close(self) -> None:
        self.frames.close()
        for descriptor in (self._pipe, *self._schedules):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _wait(self, deadline: Deadline, writing: bool) -> None:
        """Sleep until there is something to read (or to write), and drain what is printed.

        What has come is read before anything but computing counts: this process may have been stopped while it came.
        """
        if writing:
            self._poll.modify(self._socket, select.POLLIN | select.POLLOUT)
        if self._socket.fileno() not in dict(self._poll.poll(0)):
            deadline.check()
        began, most = time.monotonic(), deadline.milliseconds()
        ready = dict(self._poll.poll(most))
        waited = time.monotonic() - began
        late = waited - most / 1000
        deadline.excuse(waited if late > 0 and self._socket.fileno() in ready else late)  # nobody knows when it came
        if self._pipe in ready:
            self._drain_once()
        if writing:
            self._poll.modify(self._socket, select.POLLIN)
        deadline.check(computing_alone=True)

    def _drain_once(self) -> bool:
        try:
            chunk = os.read(self._pipe, READ)
        except BlockingIOError:
            return False
        if not chunk and self._pipe_open:
            self._poll.unregister(self._pipe)
            self._pipe_open = False
        self.printed.add(chunk)
        return bool(chunk)


def _opened(path: str) -> int:
    """Open a file to read; -1 if there is none."""
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1


class LocalChannel:
    """The channel to a guest without walls, on any system: a socket, and a thread that reads what is printed.

    Not every system reports another process's CPU time, so the time spent waiting for it counts instead.
    """

    def __init__(self, connection: socket.socket, output: IO[bytes], kept: int):
        self.frames, self.printed = Frames(connection, self._wait), Printed(kept)
        self._pipe, self._busy, self._since = output, 0.0, 0.0
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._key = self._selector.register(connection, selectors.EVENT_READ)
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    @property
    def cpu_seconds(self) -> float:
        """Seconds spent waiting for it."""
        return self._busy + (time.monotonic() - self._since if self._since else 0.0)

    @property
    def idle_clock(self) -> float:
        """No number: while it sleeps, it is waited for, and that counts as computing."""
        return math.nan

    @property
    def asleep(self) -> bool:
        """Return False: not every system says it."""
        return False

    def drain(self) -> None:
        """Read what is printed so far: the thread does."""

    def dead(self) -> bool:
        """Return False: not every system reports what killed a process."""
        return False

    def close(self) -> None:
        self._selector.close()
        self.frames.close()
        self._reader.join(1)
        if not self._reader.is_alive():
            self._pipe.close()

    def _wait(self, deadline: Deadline, writing: bool) -> None:
        self._since = time.monotonic()
        try:
            self._selector.modify(self._key.fileobj, selectors.EVENT_WRITE if writing else selectors.EVENT_READ)
            self._selector.select(deadline.milliseconds() / 1000)
            deadline.check()
        finally:
            self._busy, self._since = self._busy + time.monotonic() - self._since, 0.0

    def _listen(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while chunk := self._pipe.read1(READ):  # type: ignore[attr-defined]  # a BufferedReader
                self.printed.add(chunk)
