"""Guests without walls, for students who run their own file at home: a process for each guest, a time limit, and any system.

Windows has no fork and no poll, and passes no file descriptors on. So the guest is a fresh interpreter that connects over the loopback and
sends a token first. It uses the same protocol as a guest behind walls. Never run untrusted code this way.
"""

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

from autograder.course.errors import SandboxFault
from autograder.course.policy import Limits
from autograder.sandbox.channels import LocalChannel
from autograder.sandbox.guest.forkserver import Ended
from autograder.sandbox.guests import START_SECONDS, Guest

BOOT = (
    "import sys; sys.path.insert(0, {root!r}); from autograder.sandbox.guest.runtime import main_without_fork; "
    "main_without_fork({port}, {token!r}, {profile!r}, {packages!r})"
)


class LocalRunner(contextlib.AbstractContextManager["LocalRunner"]):
    """Opens guests without walls, one process each. With `ahead`, the next process warms up while one is in use."""

    def __init__(self, limits: Limits, *, ahead: bool = False):
        self.limits, self._ahead = limits, ahead
        self._spare: dict[str, _Starting] = {}

    def __exit__(self, *raised: object) -> None:
        self.close()

    def prepare(self, profile: str) -> None:
        """Start a process that the next `open` with this profile will use."""
        if profile not in self._spare:
            self._spare[profile] = _Starting(profile, self.limits.packages)

    def open(self, profile: str) -> Guest:
        """Open a guest with this preload profile. Raise `SandboxFault` if it does not come up."""
        starting = self._spare.pop(profile, None) or _Starting(profile, self.limits.packages)
        line = starting.answered(self.limits.output_kib << 10)
        if self._ahead:
            self.prepare(profile)
        return Guest(_Supervisor(self.limits, starting.process), starting.process.pid, line)

    def close(self) -> None:
        """End the processes that were not used."""
        for starting in self._spare.values():
            starting.stop()
        self._spare.clear()


class _Supervisor:
    """Ends one process, and says how it ended."""

    def __init__(self, limits: Limits, process: subprocess.Popen[bytes]):
        self.limits, self._process = limits, process

    def end(self) -> Ended:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.05)  # a process that hung up is about to end
        if self._process.poll() is None:
            self._process.kill()
        return Ended(self._process.wait(), 0.0, 0)


class _Starting:
    """A process that was started and has not connected yet."""

    def __init__(self, profile: str, packages: tuple[str, ...]):
        self._token, self._listener = secrets.token_hex(16), socket.create_server(("127.0.0.1", 0))
        root, port = str(Path(__file__).resolve().parents[2]), self._listener.getsockname()[1]
        boot = BOOT.format(root=root, port=port, token=self._token, profile=profile, packages=packages)
        kept = {name: value for name, value in os.environ.items() if name.upper() in ("PATH", "SYSTEMROOT", "TEMP", "TMP")}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-s", "-B", "-c", boot],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**kept, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )

    def answered(self, kept: int) -> LocalChannel:
        """Wait until it connects. Raise `SandboxFault`, with what it printed, if it does not."""
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
        """End the process; return what it printed."""
        self._listener.close()
        self.process.kill()
        return self.process.communicate()[0].decode(errors="replace")


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    with contextlib.suppress(OSError):
        while len(data) < size and (chunk := connection.recv(size - len(data))):
            data += chunk
    return data
