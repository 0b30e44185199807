"""Guests without walls, for who runs their own file at home: a process for each guest, a time limit, and any system.

No fork, no poll and no file descriptor is passed on, since Windows has none of them: the guest is a fresh interpreter that
calls back over the loopback and says a token first. It speaks the same wire as a guest behind walls. There is no clock of
its CPU time either, so the time that a call takes on the wall decides. Strangers' code must not be run this way.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from autograder.course.errors import SandboxFault
from autograder.course.model import Limits
from autograder.sandbox.channels import READ, HungUp, body_size
from autograder.sandbox.guest import protocol
from autograder.sandbox.guest.forkserver import Ended
from autograder.sandbox.guests import START_SECONDS, Guest
from autograder.sandbox.outcome import Deadline

BOOT = (
    "import sys; sys.path.insert(0, {root!r}); from autograder.sandbox.guest.forkserver import main_without_walls; "
    "main_without_walls({port}, {token!r}, {profile!r})"
)
LARGEST_WAIT = 0.5


class LocalRunner:
    """Opens guests without walls, one process each. With `ahead`, the next process warms up while one is in use."""

    def __init__(self, limits: Limits, *, ahead: bool = False):
        self.limits, self._ahead = limits, ahead
        self._spare: dict[str, _Starting] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def prepare(self, profile: str) -> None:
        """Start a process that the next `open` of this profile will find warm."""
        if profile not in self._spare:
            self._spare[profile] = _Starting(profile)

    def open(self, profile: str) -> Guest:
        """Open a guest that finds this much loaded. Raise `SandboxFault` where it does not come up."""
        starting = self._spare.pop(profile, None) or _Starting(profile)
        line = starting.answered(self.limits.output_kib << 10)
        if self._ahead:
            self.prepare(profile)
        return Guest(_Supervisor(self.limits, starting.process), starting.process.pid, line)

    def close(self) -> None:
        """End the processes that nobody opened."""
        for starting in self._spare.values():
            starting.stop()
        self._spare.clear()


class _Supervisor:
    """Ends one process, and says how it ended."""

    def __init__(self, limits: Limits, process: subprocess.Popen[bytes]):
        self.limits, self._process = limits, process

    def end(self) -> Ended:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.05)  # a process that hung up is about to say its status
        if self._process.poll() is None:
            self._process.kill()
        return Ended(self._process.wait(), 0.0, 0)


class _Starting:
    """A process that was started and has not called back yet."""

    def __init__(self, profile: str):
        self._token, self._listener = secrets.token_hex(16), socket.create_server(("127.0.0.1", 0))
        boot = BOOT.format(
            root=str(Path(__file__).resolve().parents[2]), port=self._listener.getsockname()[1], token=self._token, profile=profile
        )
        kept = {name: value for name, value in os.environ.items() if name.upper() in ("PATH", "SYSTEMROOT", "TEMP", "TMP")}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-s", "-B", "-c", boot],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**kept, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )

    def answered(self, kept: int) -> LocalChannel:
        """Wait for its call. Raise `SandboxFault` with its own words where it does not come."""
        began = time.monotonic()
        self._listener.settimeout(0.2)
        while time.monotonic() - began < START_SECONDS and self.process.poll() is None:
            with contextlib.suppress(TimeoutError):
                connection, _ = self._listener.accept()
                connection.settimeout(5)
                if secrets.compare_digest(_exactly(connection, len(self._token)), self._token.encode()):
                    self._listener.close()
                    assert self.process.stdout is not None
                    return LocalChannel(connection, self.process.stdout, kept)
                connection.close()  # some other program of this machine
        said = self.stop().strip().splitlines()
        raise SandboxFault(f"Python could not be started for your file: {said[-1] if said else 'it did not answer'}")

    def stop(self) -> str:
        """End the process; give what it printed."""
        self._listener.close()
        self.process.kill()
        return self.process.communicate()[0].decode(errors="replace")


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    with contextlib.suppress(OSError):
        while len(data) < size and (chunk := connection.recv(size - len(data))):
            data += chunk
    return data


class LocalChannel:
    """The line to a guest without walls: a socket with a timeout, and a thread that reads what is printed."""

    def __init__(self, connection: socket.socket, printed: IO[bytes], kept: int):
        self.output, self.printed = bytearray(), 0
        self._socket, self._pipe, self._kept = connection, printed, kept
        self._buffer, self._busy, self._since = bytearray(), 0.0, 0.0
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    @property
    def cpu_seconds(self) -> float:
        """How long it was waited for: all that can be known everywhere of what it computed."""
        return self._busy + (time.monotonic() - self._since if self._since else 0.0)

    @property
    def waiting(self) -> bool:
        return bool(self._buffer)

    @property
    def closed(self) -> bool:
        return self._socket.fileno() == -1

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send all bytes. Raise `HungUp` at the end of the line, `Lost` where time is up."""
        rest = memoryview(data)
        with self._timed():
            while rest:
                self._wait(deadline)
                try:
                    rest = rest[self._socket.send(rest) :]
                except TimeoutError:
                    continue
                except OSError:
                    raise HungUp from None

    def frame(self, deadline: Deadline) -> bytearray:
        """Read one frame's body. Raise `HungUp` at the end of the line."""
        with self._timed():
            size = body_size(self._filled(protocol.HEADER.size, deadline))
            self._filled(size, deadline)
        frame, self._buffer = self._buffer[:size], self._buffer[size:]
        return frame

    def drain(self) -> None:
        """Read what is printed so far: the thread does."""

    def dead(self) -> bool:
        """Say no: who killed it cannot be told everywhere."""
        return False

    def close(self) -> None:
        self._socket.close()
        self._reader.join(1)
        if not self._reader.is_alive():
            self._pipe.close()

    def _filled(self, size: int, deadline: Deadline) -> bytearray:
        while len(self._buffer) < size:
            self._wait(deadline)
            try:
                chunk = self._socket.recv(max(READ, size - len(self._buffer)))
            except TimeoutError:
                continue
            except OSError:
                chunk = b""
            if not chunk:
                raise HungUp
            self._buffer += chunk
        return self._buffer

    def _wait(self, deadline: Deadline) -> None:
        deadline.check()
        self._socket.settimeout(min(deadline.milliseconds() / 1000, LARGEST_WAIT))

    @contextlib.contextmanager
    def _timed(self) -> Iterator[None]:
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._busy, self._since = self._busy + time.monotonic() - self._since, 0.0

    def _listen(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while chunk := self._pipe.read1(READ):  # type: ignore[attr-defined]  # a BufferedReader
                self.output += chunk[: max(0, self._kept - len(self.output))]
                self.printed += len(chunk)
