"""Start a fork server before anything slow is imported: it warms up while this process does the same.

This module needs the standard library alone. The server asks for its plan once it is warm, and dies with the thread that started it.
Several supervisors on one machine can share one import: see `Preloader`.
"""

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, NamedTuple

from autograder.sandbox.guest.frameworks import FRAMEWORKS, NUMPY, TRAINING

LAST_SECONDS = 10
GUESSED_BYTES = 1 << 20  # of a source, in which its imports are looked for
_IMPORT, _WITHOUT_QUOTES = re.compile(rb"\b(?:import|from)\b"), re.compile(rb"""[^\n"']+""")
SHARE = b"share"  # the request, with a socket, to a server that has no plan yet
_BOOT = "import sys; sys.path.insert(0, {root!r}); from autograder.sandbox.guest.forkserver import main; main({control}, {profile!r})"


class Launched(NamedTuple):
    """A fork server that is warming up: the control socket, its process, and its standard error.

    The last two are None if another process started it: it ends when its control socket is closed, or with that process.
    """

    control: socket.socket
    process: subprocess.Popen[bytes] | None = None
    errors: IO[bytes] | None = None


class Preloader:
    """A server that imports once and forks a fork server, with a control socket of its own, on each request.

    It runs no guest. The servers that it forked end with it.
    """

    def __init__(self, profile: str):
        self.profile = profile
        self._control, self._process, self._errors = launch(profile)

    def server(self) -> socket.socket:
        """Return the control socket of a new fork server; it is closed if this one is gone."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, contextlib.suppress(OSError):
            socket.send_fds(self._control, [SHARE], [theirs.fileno()])
        return ours

    def close(self) -> None:
        """Hang up, and wait until it and all its servers are gone."""
        self._control.close()
        assert self._process is not None
        assert self._errors is not None
        try:
            self._process.wait(LAST_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()


def profile_for(source: bytes, imported: Iterable[str] = ()) -> str:
    """Guess the lightest preload profile that has what a source imports, and what its exercise does (`imported`).

    A guest that finds out that the guess was too light says so, and a fuller one takes its place.
    """
    for name, framework in FRAMEWORKS.items():
        if name in imported or any(_imports(name, part[0]) for part in _WITHOUT_QUOTES.finditer(source[:GUESSED_BYTES])):
            return f"{name} {TRAINING}" if framework.optimiser in source else name
    return NUMPY


def _imports(name: str, code: bytes) -> bool:
    """Whether the name stands after the first `import` or `from`. A stranger wrote the code, so each part of it is looked at once."""
    first = _IMPORT.search(code) if name.encode() in code else None
    return first is not None and re.search(rf"\b{name}\b".encode(), code[first.end() :]) is not None


def fullest(packages: Iterable[str]) -> str:
    """Return the profile that preloads everything that there is."""
    return " ".join((NUMPY, *FRAMEWORKS, TRAINING, *packages))


def launch(profile: str) -> Launched:
    """Start a fork server with this preload profile, and do not wait."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    boot = _BOOT.format(root=str(Path(__file__).resolve().parents[2]), control=theirs.fileno(), profile=profile)
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    large_pages = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}  # a fork copies half as much, and a child touches half as much
    kept = {name: value for name, value in os.environ.items() if name.startswith("OPENBLAS_CORETYPE")}
    errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed when the server is stopped)
    process = subprocess.Popen(
        [sys.executable, "-P", "-s", "-B", "-c", boot],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        pass_fds=[theirs.fileno()],
        env={"PYTHONHASHSEED": "0", "PATH": "/usr/bin:/bin", **one_thread, **large_pages, **kept},
        cwd="/",
        start_new_session=True,
    )
    theirs.close()
    return Launched(ours, process, errors)
