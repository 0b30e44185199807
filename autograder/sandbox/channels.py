"""The line to a guest's process: bytes out, frames in, and what the process prints, each wait with a deadline.

It knows sockets, pipes and clocks, and no message. `alone` has another one, for systems without fork.
"""

from __future__ import annotations

import os
import select
import socket
import time
from typing import Protocol

from autograder.course.errors import SandboxFault
from autograder.sandbox.guest import protocol
from autograder.sandbox.outcome import Deadline

READ = 1 << 16
DYING_MILLISECONDS = 500


class HungUp(Exception):
    """The other end of the line is gone."""


class Channel(Protocol):
    """What an open guest needs of its line."""

    output: bytearray
    printed: int

    @property
    def cpu_seconds(self) -> float: ...

    @property
    def waiting(self) -> bool: ...

    @property
    def closed(self) -> bool: ...

    def send(self, data: bytes, deadline: Deadline) -> None: ...

    def frame(self, deadline: Deadline) -> bytearray: ...

    def drain(self) -> None: ...

    def dead(self) -> bool: ...

    def close(self) -> None: ...


class ForkedChannel:
    """The line to a forked guest: a socket for frames, a pipe for what it prints, and the kernel's clock of its process."""

    def __init__(self, pid: int, wire_socket: socket.socket, output: int, kept: int):
        self.output, self.printed = bytearray(), 0
        self._socket, self._pipe, self._kept = wire_socket, output, kept
        self._pid = pid
        self._clock = (~pid << 3) | 2  # the kernel's name for the CPU clock of a process
        self._buffer = bytearray()
        self._socket.setblocking(False)
        os.set_blocking(output, False)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._poll.register(self._pipe, select.POLLIN)
        self._pipe_open = True

    @property
    def cpu_seconds(self) -> float:
        """CPU time used so far. Raise `SandboxFault` where the process was taken away from under us."""
        try:
            return time.clock_gettime(self._clock)
        except OSError:
            raise SandboxFault("a guest's process is gone") from None

    @property
    def waiting(self) -> bool:
        """Say whether bytes have come that nobody asked for."""
        return bool(self._buffer)

    @property
    def closed(self) -> bool:
        return self._socket.fileno() == -1

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send all bytes. Raise `HungUp` at the end of the line, `Lost` where time is up."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                self._wait(deadline, writing=True)
            except OSError:
                raise HungUp from None

    def frame(self, deadline: Deadline) -> bytearray:
        """Read one frame's body; its length is checked before more is read. Raise `HungUp` at the end of the line.

        What follows a frame has no call's id to echo, so the next call refuses it.
        """
        need = protocol.HEADER.size
        body = False
        while True:
            while len(self._buffer) >= need:
                if body:
                    frame, self._buffer = self._buffer[:need], self._buffer[need:]
                    return frame
                need, body = body_size(self._buffer), True
            self._wait(deadline)
            try:
                chunk = self._socket.recv(min(1 << 20, max(READ, need - len(self._buffer))))
            except BlockingIOError:
                continue
            except OSError:
                chunk = b""
            if not chunk:
                raise HungUp
            self._buffer += chunk

    def drain(self) -> None:
        """Read what is printed so far."""
        for _ in range(64):  # a guest that still prints does not hold us up
            if not self._drain_once():
                return

    def dead(self) -> bool:
        """Say whether the process has ended, once it has hung up; a moment is left for its last steps."""
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
        self._socket.close()
        os.close(self._pipe)

    def _wait(self, deadline: Deadline, *, writing: bool = False) -> None:
        """Sleep until there is something to read (or to write); drain what is printed; raise `Lost` when time is up."""
        if writing:
            self._poll.modify(self._socket, select.POLLIN | select.POLLOUT)
        for fd, _ in self._poll.poll(deadline.milliseconds()):
            if fd == self._pipe:
                self._drain_once()
        if writing:
            self._poll.modify(self._socket, select.POLLIN)
        deadline.check()

    def _drain_once(self) -> bool:
        try:
            chunk = os.read(self._pipe, 1 << 16)
        except BlockingIOError:
            return False
        if not chunk and self._pipe_open:
            self._poll.unregister(self._pipe)
            self._pipe_open = False
        self.output += chunk[: max(0, self._kept - len(self.output))]
        self.printed += len(chunk)
        return bool(chunk)


def body_size(buffer: bytearray) -> int:
    """Take a frame's header from the front of a buffer; return the size of its body. Raise `ProtocolError` where it is too large."""
    need = int(protocol.HEADER.unpack(buffer[: protocol.HEADER.size])[0])
    del buffer[: protocol.HEADER.size]
    if need > protocol.FRAME_BYTES:
        raise protocol.ProtocolError(f"a frame of {need >> 20} MiB, where {protocol.FRAME_BYTES >> 20} may be sent")
    return need
