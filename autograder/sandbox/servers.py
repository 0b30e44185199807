"""Fork servers as the trusted side sees them, and what their guests may reach: the files to read, and the user to become."""

import contextlib
import importlib.util
import os
import socket
import subprocess
import sysconfig
import zoneinfo
from collections.abc import Callable
from pathlib import Path
from typing import IO, NoReturn, Self

import msgspec

from autograder.course.errors import SandboxFault
from autograder.course.policy import Limits
from autograder.sandbox.channels import ForkedChannel
from autograder.sandbox.guest import stubs, walls
from autograder.sandbox.guest.forkserver import Ended
from autograder.sandbox.guests import START_SECONDS, Guest
from autograder.sandbox.preload import Launched, launch

POWERS = (0, 5, 6, 7)  # CAP_CHOWN, CAP_KILL, CAP_SETGID, CAP_SETUID: linux/capability.h


def readable_paths() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what a guest may read (the standard library, the given packages), and the folders that it may only list."""
    library = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    others = ("site-packages", "dist-packages", "__pycache__")
    files = [entry for folder in library for entry in folder.iterdir() if entry.name not in others]
    listed = set(library)
    for name in stubs.READABLE:
        spec = importlib.util.find_spec(name) if "." not in name else None
        if spec and spec.origin:
            origin = Path(spec.origin)
            files.append(origin.parent if origin.stem == "__init__" else origin)
            listed.add(origin.parents[1] if origin.stem == "__init__" else origin.parent)
    files += [folder / "numpy.libs" for folder in listed if (folder / "numpy.libs").is_dir()]
    files += [folder for folder in map(Path, zoneinfo.TZPATH) if folder.is_dir()]
    return tuple(sorted(map(str, files))), tuple(sorted(map(str, listed)))


def free_user(slot: int) -> int | None:
    """Return an unused user for guests, if this process is root with its powers and that user can read Python; otherwise None."""
    import pwd

    if os.geteuid() != 0 or not _has_powers():
        return None
    user = 61184 + slot % 4000  # a range that systemd uses only for a short time, if at all
    with contextlib.suppress(KeyError):
        pwd.getpwuid(user)
        return None
    readable, listed = readable_paths()
    folders = {parent for path in (*readable, *listed) for parent in Path(path).resolve().parents}
    return user if all(folder.stat().st_mode & 0o005 == 0o005 for folder in folders) else None


def _has_powers() -> bool:
    """Say whether root may give files away, become others and end what they run: a container can take that from it."""
    held = next(int(line.split()[1], 16) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff:"))
    return all(held >> capability & 1 for capability in POWERS)


class Server:
    """A fork server and its control socket. `profile` names what its guests find loaded (see `preload.profile_for`).

    `also`: paths that its guests may read besides what every guest may.
    """

    def __init__(
        self,
        *,
        profile: str,
        limits: Limits,
        wanted: tuple[str, ...] = walls.WALLS,
        user: int | None = None,
        also: tuple[str, ...] = (),
    ):
        self.profile, self.limits, self.wanted, self.user, self.also = profile, limits, wanted, user, also
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._errors: IO[bytes] | None = None
        self.pid: int | None = None  # known when it is warm

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and wait until it is warm. Raise `SandboxFault`, with its last error, if it does not come up."""
        self.begin()
        self._settle()

    def begin(self, launched: Launched | None = None) -> None:
        """Start the server, or take one that was launched, without waiting. It dies with the thread that started it."""
        self._control, self._process, self._errors = launched or launch(self.profile)
        self._control.settimeout(START_SECONDS)
        memory = self.limits.memory_mib << 20
        seconds = int(self.limits.submission_seconds + self.limits.import_seconds) + 2
        readable, listed = readable_paths()
        cores = tuple(os.sched_getaffinity(0))  # a server launched by another process would keep its cores
        plan = walls.Plan(
            walls.at_hand(self.wanted),
            landlock=walls.landlock_version()[0],
            read=(*readable, *self.also),
            list_only=listed,
            memory_bytes=memory,
            cpu_seconds=seconds,
            user=self.user,
            cores=cores,
            packages=self.limits.packages,
        )
        try:
            self._control.send(msgspec.json.encode(plan))
        except OSError as error:
            self._fail(str(error))

    def _settle(self) -> None:
        if self.pid is None:
            self.pid = int(self._answer())

    def stop(self) -> None:
        """End the server, and with it any guest."""
        if self._control:
            self._control.close()
        if self._process:
            self._process.kill()
            self._process.wait()
        if self._errors:
            self._errors.close()
        self._control = self._process = self._errors = self.pid = None

    def _ask(self, message: bytes, fds: tuple[int, ...] = ()) -> bytes:
        if self._control is None:
            raise SandboxFault("the fork server is not running")
        self._settle()
        return self._answer(lambda control: socket.send_fds(control, [message], fds))

    def _answer(self, ask: Callable[[socket.socket], object] = bool) -> bytes:
        assert self._control is not None
        try:
            ask(self._control)
            answer = self._control.recv(1 << 16)
        except OSError as error:
            answer, cause = b"", str(error)
        else:
            cause = "it ended"
        if not answer:
            self._fail(cause)
        return answer

    def _fail(self, cause: str) -> NoReturn:
        """Stop the server and raise `SandboxFault` with the last line of its standard error, or else the cause."""
        lines = [cause]
        if self._errors:
            self._errors.seek(0)
            lines += self._errors.read(1 << 16).decode(errors="replace").strip().splitlines()
        self.stop()
        raise SandboxFault(f"the fork server does not answer: {lines[-1]}")

    def open(self) -> Guest:
        """Fork a guest and wait until its walls stand. Raise `SandboxFault` if one of them does not."""
        if self._control is None:
            self.start()
        ours, theirs = socket.socketpair()
        output, printed = os.pipe()
        try:
            pid = int(self._ask(b"open", (theirs.fileno(), printed)))
        except SandboxFault:
            ours.close()
            os.close(output)
            raise
        finally:
            theirs.close()
            os.close(printed)
        return Guest(self, pid, ForkedChannel(pid, ours, output, self.limits.output_kib << 10))

    def end(self) -> Ended:
        """Kill the guest and reap it."""
        return msgspec.json.decode(self._ask(b"end"), type=Ended)


class Sandbox(contextlib.AbstractContextManager["Sandbox"]):
    """The fork servers of one worker: one for each preload profile, started when it is first needed."""

    def __init__(self, limits: Limits, wanted: tuple[str, ...] = walls.WALLS, slot: int = 0):
        self.limits, self.wanted = limits, wanted
        self._user = free_user(slot) if "privileges" in wanted else None
        self._servers: dict[str, Server] = {}

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop all servers; the next `open` starts them afresh."""
        for running in self._servers.values():
            running.stop()
        self._servers.clear()

    def prepare(self, profile: str, launched: Launched | None = None) -> None:
        """Start a server, or take one that was launched, without waiting until it is warm."""
        if profile not in self._servers:
            self._servers[profile] = Server(profile=profile, limits=self.limits, wanted=self.wanted, user=self._user)
            self._servers[profile].begin(launched)

    def open(self, profile: str) -> Guest:
        """Open a guest with this preload profile (see `preload.profile_for`)."""
        self.prepare(profile)
        return self._servers[profile].open()

    def pids(self) -> list[int]:
        """The process ids of the running servers."""
        return [server.pid for server in self._servers.values() if server.pid]
