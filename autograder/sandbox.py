"""The trusted side of the wall: start the fork server, open a guest, send calls, time them, kill it.

    this process --control socket--> fork server --fork--> guest
    this process <--wire: calls, callbacks, values--> guest        (limits before decoding, deadline on every call)
    this process <--pipe: what the guest prints-- guest            (the first 64 KiB are kept, the rest is read and dropped)

A guest holds the student's code and the arguments of calls already made, never an answer. What comes back is a value or a
reason why there is none; whether the value is right is decided elsewhere. CPU time decides when a call has run too long:
wall time, ten times as much, is the backstop. The guest is killed by its parent, the fork server, so no process id is ever
used after its process is gone. Trouble of ours raises `SandboxFault`; trouble of the guest's is an `Outcome`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import select
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import numpy as np

from autograder.errors import SandboxFault
from autograder.inside import stand_ins, walls, wire
from autograder.inside.forkserver import Ended
from autograder.model import Limits, Outcome, Raised

WALL_FACTOR = 10
START_SECONDS = 60
ASKS = 5_000
ASK_BYTES = 64 << 20

Callback = Callable[..., Any]


class Handle(msgspec.Struct, frozen=True):
    """An object that stayed inside a guest: call it, its methods, its weights through `Guest.call`."""

    number: int
    type_name: str


class _Lost(Exception):
    """The guest is gone or must go; the outcome says why."""

    def __init__(self, outcome: Outcome):
        self.outcome = outcome


# ---- the server


class Server:
    """A fork server and its control socket. `torch` says whether its guests find torch loaded."""

    def __init__(self, *, torch: bool, limits: Limits, wanted: tuple[str, ...] = walls.WALLS, user: int | None = None):
        self.torch, self.limits, self.wanted, self.user = torch, limits, wanted, user
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as this object)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the server and wait until it is warm. Raise `SandboxFault` with its own words where it does not come up."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(START_SECONDS)
        root = str(Path(__file__).resolve().parents[1])
        boot = f"import sys; sys.path.insert(0, {root!r}); from autograder.inside.forkserver import main; main({theirs.fileno()})"
        one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        kept = {name: value for name, value in os.environ.items() if name.startswith("OPENBLAS_CORETYPE")}
        self._errors.truncate(0)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-s", "-B", "-c", boot],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            pass_fds=[theirs.fileno()],
            env={"PYTHONHASHSEED": "0", "PATH": "/usr/bin:/bin", **one_thread, **kept},
            cwd="/",
            start_new_session=True,
        )
        theirs.close()
        self._control = ours
        memory = self.limits.memory_mib << 20
        seconds = int(self.limits.submission_seconds + self.limits.import_seconds) + 2
        readable, listed = readable_paths()
        plan = walls.Plan(self.wanted, readable, listed, memory, seconds, self.user)
        self._ask(msgspec.json.encode((plan, self.torch)))

    def stop(self) -> None:
        """Hang up and wait: the server ends, and with it any guest."""
        if self._control:
            self._control.close()
        if self._process:
            self._process.kill()
            self._process.wait()
        self._control = self._process = None

    def _ask(self, message: bytes, fds: tuple[int, ...] = ()) -> bytes:
        if self._control is None:
            raise SandboxFault("the fork server is not running")
        try:
            socket.send_fds(self._control, [message], fds)
            answer = self._control.recv(1 << 16)
        except OSError as error:
            answer, cause = b"", str(error)
        else:
            cause = "it ended"
        if not answer:
            said = self._words()
            self.stop()
            raise SandboxFault(f"the fork server does not answer: {said or cause}")
        return answer

    def _words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read(1 << 16).decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def open(self) -> Guest:
        """Fork a guest and wait until its walls stand. Raise `SandboxFault` where one of them does not."""
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
        return Guest(self, pid, ours, output)

    def end(self) -> Ended:
        """Kill the guest and reap it."""
        return msgspec.json.decode(self._ask(b"end"), type=Ended)


def readable_paths() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """List what a guest may read (the standard library, the given packages), and the folders that it may only list."""
    library = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    others = ("site-packages", "dist-packages", "__pycache__")
    files = [entry for folder in library for entry in folder.iterdir() if entry.name not in others]
    listed = set(library)
    for name in stand_ins.READABLE:
        spec = importlib.util.find_spec(name) if "." not in name else None
        if spec and spec.origin:
            origin = Path(spec.origin)
            files.append(origin.parent if origin.stem == "__init__" else origin)
            listed.add(origin.parents[1] if origin.stem == "__init__" else origin.parent)
    files += [folder / "numpy.libs" for folder in listed if (folder / "numpy.libs").is_dir()]
    return tuple(sorted(map(str, files))), tuple(sorted(map(str, listed)))


def free_user(slot: int) -> int | None:
    """Choose an unused user for guests, where this process is root and that user could read Python; None otherwise."""
    import pwd

    if os.geteuid() != 0:
        return None
    user = 61184 + slot % 4000  # a range that systemd, too, gives to nobody for long
    with contextlib.suppress(KeyError):
        pwd.getpwuid(user)
        return None
    readable, listed = readable_paths()
    folders = {parent for path in (*readable, *listed) for parent in Path(path).resolve().parents}
    return user if all(folder.stat().st_mode & 0o005 == 0o005 for folder in folders) else None


# ---- a guest


class Guest:
    """One forked process with one submission. Lives from `Server.open` until `close`; after a loss, `alive` is false."""

    def __init__(self, server: Server, pid: int, wire_socket: socket.socket, output: int):
        self.pid, self.alive = pid, True
        self.output, self.printed = bytearray(), 0
        self.callbacks: list[Callback] = []
        self.on_ask: Callable[[Callback, list[Any], dict[str, Any]], None] | None = None
        self.ended: Ended | None = None
        self._server, self._socket, self._pipe = server, wire_socket, output
        self._clock = (~pid << 3) | 2  # the kernel's name for the CPU clock of a process
        self._buffer = bytearray()
        self._socket.setblocking(False)
        os.set_blocking(output, False)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._poll.register(self._pipe, select.POLLIN)
        self._pipe_open = True
        self._await_walls()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def cpu_seconds(self) -> float:
        """CPU time used so far."""
        return time.clock_gettime(self._clock)

    def load(self, module: str, source: bytes, *, notebook: bool = False, seconds: float | None = None) -> Outcome:
        """Run a source as the module `module`. The outcome's value lists the names it defines."""
        limit = self._server.limits.import_seconds if seconds is None else seconds
        return self._exchange(lambda call: wire.Load(call, module, source, notebook), limit)

    def call(self, target: tuple[str | int, ...], args: tuple[Any, ...], kwargs: dict[str, Any], seconds: float | None = None) -> Outcome:
        """Call what `target` names (see `wire.Call`). Functions among the arguments become callbacks while the call lasts."""
        limit = self._server.limits.call_seconds if seconds is None else seconds
        return self._exchange(lambda call: wire.Call(call, list(target), list(args), kwargs), limit)

    def forget(self) -> None:
        """Free every handle."""
        if self.alive:
            with contextlib.suppress(_Lost):
                self._write(wire.Free(), _Deadline(self, self._server.limits.call_seconds))

    def close(self) -> None:
        """Kill the guest; keep what it printed and how it ended. Closing twice is harmless."""
        if self._socket.fileno() == -1:
            return
        self.alive = False
        try:
            self._drain()
            self.ended = self._server.end()
        finally:
            self._socket.close()
            os.close(self._pipe)

    # -- one exchange

    def _await_walls(self) -> None:
        try:
            first = self._read(_Deadline(self, START_SECONDS))
            missing = wire.unpack(first, wire.FromGuest, _no_reference, _as_numpy)
        except (_Lost, wire.WireError) as error:
            self.close()
            raise SandboxFault(f"a guest did not come up: {error}") from None
        if not isinstance(missing, wire.Raised) or missing.missing:
            self.close()
            reasons = missing.missing.items() if isinstance(missing, wire.Raised) else [("all", "the guest did not say")]
            names = ", ".join(f"{wall} ({reason})" for wall, reason in reasons)
            raise SandboxFault(f"walls that did not stand: {names}")

    def _exchange(self, message: Callable[[str], wire.Load | wire.Call], seconds: float) -> Outcome:
        if not self.alive:
            raise SandboxFault("a call to a guest that is gone")
        deadline = _Deadline(self, seconds)
        try:
            self._nothing_early()
            call = secrets.token_hex(8)
            self._write(message(call), deadline)
            reply = self._answer_until_reply(call, deadline)
        except _Lost as lost:
            self.close()
            return msgspec.structs.replace(lost.outcome, seconds=deadline.used())
        except wire.WireError as error:
            self.close()
            return Outcome("refused", detail=f"it sent {error}", seconds=deadline.used())
        finally:
            self.callbacks.clear()
        return _outcome(reply, deadline.used())

    def _answer_until_reply(self, call: str, deadline: _Deadline) -> wire.Reply:
        asks = size = 0
        while True:
            body = self._read(deadline)
            wire.scan(body)
            message = wire.unpack(body, wire.FromGuest, _handle, _as_numpy)
            if isinstance(message, wire.Raised) or message.id != call:
                raise wire.WireError("a reply to something that was not asked")
            if isinstance(message, wire.Reply):
                return message
            asks, size = asks + 1, size + len(body)
            if asks > ASKS or size > ASK_BYTES:
                raise wire.WireError(f"more than {ASKS} questions, or more than {ASK_BYTES >> 20} MiB in them")
            self._write(self._answered(message), deadline)

    def _answered(self, ask: wire.Ask) -> wire.Answer:
        """Answer a callback. It is a pure function of the check file, so what it raises is about its arguments: refused."""
        if not 0 <= ask.callback < len(self.callbacks):
            raise wire.WireError("a call of a function that was not given")
        callback = self.callbacks[ask.callback]
        try:
            if self.on_ask:
                self.on_ask(callback, ask.args, ask.kwargs)
            return wire.Answer(ask.id, callback(*ask.args, **ask.kwargs))
        except Exception as error:
            words = f"`{getattr(callback, '__name__', 'the function')}` was called with something it cannot take: {error}"
            raise _Lost(Outcome("refused", detail=words)) from None

    # -- bytes

    def _nothing_early(self) -> None:
        with contextlib.suppress(BlockingIOError):
            early = self._socket.recv(1)
            if early or self._buffer:
                raise wire.WireError("a reply before it was asked")
            raise _Lost(Outcome("killed", detail="the process ended between two calls"))

    def _write(self, message: wire.ToGuest, deadline: _Deadline) -> None:
        data = memoryview(wire.pack(message, self._number))
        while data:
            try:
                data = data[self._socket.send(data) :]
            except BlockingIOError:
                self._wait(deadline, writing=True)
            except OSError:
                raise _Lost(Outcome("killed", detail="the process ended by itself")) from None

    def _number(self, value: Any) -> wire.Reference:
        if isinstance(value, Handle):
            return wire.Reference("handle", value.number, value.type_name)
        if not callable(value):
            raise TypeError(f"a check passed a {type(value).__name__}, which cannot cross the wall")
        self.callbacks.append(value)
        return wire.Reference("callback", len(self.callbacks) - 1)

    def _read(self, deadline: _Deadline) -> bytearray:
        """Read one frame's body; the length is checked before a byte of it is kept."""
        need = wire.HEADER.size
        body = False
        while True:
            while len(self._buffer) >= need:
                if body:
                    frame, self._buffer = self._buffer[:need], self._buffer[need:]
                    if self._buffer:
                        raise wire.WireError("two replies at once")
                    return frame
                need, body = wire.HEADER.unpack(self._buffer[: wire.HEADER.size])[0], True
                del self._buffer[: wire.HEADER.size]
                if need > wire.FRAME_BYTES:
                    raise wire.WireError(f"a frame of {need >> 20} MiB, where {wire.FRAME_BYTES >> 20} may be sent")
            try:
                chunk = self._socket.recv(min(1 << 20, max(4096, need - len(self._buffer))))
            except BlockingIOError:
                self._wait(deadline)
                continue
            except OSError:
                chunk = b""
            if not chunk:
                raise _Lost(self._death())
            self._buffer += chunk

    def _wait(self, deadline: _Deadline, *, writing: bool = False) -> None:
        """Sleep until there is something to read (or to write); drain what is printed; raise `_Lost` when time is up."""
        self._poll.modify(self._socket, select.POLLIN | (select.POLLOUT if writing else 0))
        for fd, _ in self._poll.poll(deadline.milliseconds()):
            if fd == self._pipe:
                self._drain_once()
        deadline.check()

    def _drain_once(self) -> bool:
        try:
            chunk = os.read(self._pipe, 1 << 16)
        except BlockingIOError:
            return False
        if not chunk and self._pipe_open:
            self._poll.unregister(self._pipe)
            self._pipe_open = False
        room = (self._server.limits.output_kib << 10) - len(self.output)
        self.output += chunk[: max(0, room)]
        self.printed += len(chunk)
        return bool(chunk)

    def _drain(self) -> None:
        for _ in range(64):  # a guest that still prints does not hold us up
            if not self._drain_once():
                return

    def _death(self) -> Outcome:
        """Say how the guest died: by itself, or by a limit that the kernel enforces."""
        self.close()
        status = self.ended.status if self.ended else 0
        if status == -24:  # SIGXCPU
            return Outcome("timed_out", detail="it used all of the submission's time")
        how = f"the process ended itself with status {status}" if status >= 0 else f"the process died of signal {-status}"
        return Outcome("killed", detail=how)


class _Deadline:
    """The time of one call: CPU seconds decide, ten times as many wall seconds are the backstop."""

    def __init__(self, guest: Guest, seconds: float):
        self._guest, self._seconds = guest, seconds
        self._cpu, self._wall = guest.cpu_seconds, time.monotonic()
        self._last = 0.0

    def used(self) -> float:
        """CPU seconds since the call began; after the guest's end, what was last seen."""
        with contextlib.suppress(OSError):
            self._last = self._guest.cpu_seconds - self._cpu
        return max(0.0, self._last)

    def milliseconds(self) -> int:
        """How long to sleep before looking again: one thread cannot use more CPU time than wall time."""
        return max(1, int(1000 * min(self._seconds - self._last, self._seconds * WALL_FACTOR)) + 1)

    def check(self) -> None:
        if time.monotonic() - self._wall > self._seconds * WALL_FACTOR:
            raise _Lost(Outcome("timed_out", detail=f"no answer in {self._seconds * WALL_FACTOR:g} s"))
        if self.used() > self._seconds:
            raise _Lost(Outcome("timed_out", detail=f"no answer in {self._seconds:g} s of computing"))


def _outcome(reply: wire.Reply, seconds: float) -> Outcome:
    changed = tuple(str(name) for name in reply.changed)
    if reply.kind in ("raised", "out_of_memory"):
        raised = Raised(reply.exception[:100], reply.message[:2000], tuple(where[:60] for where in reply.where[:4]))
        return Outcome(reply.kind, value=reply.value, raised=raised, seconds=seconds)
    if reply.kind == "refused":
        return Outcome("refused", detail=reply.message[:500], seconds=seconds)
    return Outcome("returned", value=reply.value, changed=changed, seconds=seconds)


def _as_numpy(array: np.ndarray[Any, Any], torch: bool) -> np.ndarray[Any, Any]:
    return array


def _handle(reference: wire.Reference) -> Handle:
    if reference.kind != "handle":
        raise wire.WireError("a function of ours")
    return Handle(reference.number, reference.label)


def _no_reference(reference: wire.Reference) -> Handle:
    raise wire.WireError("an object before any call")


# ---- servers for one worker


class Sandbox:
    """The fork servers of one worker: with torch and without, each started when first needed."""

    def __init__(self, limits: Limits, wanted: tuple[str, ...] = walls.WALLS, slot: int = 0):
        self.limits, self.wanted = limits, wanted
        self._user = free_user(slot) if "privileges" in wanted else None
        self._servers: dict[bool, Server] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        for running in self._servers.values():
            running.stop()

    def open(self, *, torch: bool) -> Guest:
        """Open a guest by the server that fits: files that never name torch are served by the lighter one."""
        if torch not in self._servers:
            self._servers[torch] = Server(torch=torch, limits=self.limits, wanted=self.wanted, user=self._user)
        return self._servers[torch].open()

    def pids(self) -> Iterator[int]:
        """The process ids of the running servers."""
        for server in self._servers.values():
            if server.pid:
                yield server.pid
