"""The guest: one process that runs one submission and answers calls.

It reads frames from its socket and answers each: load a source, call a function, forget handles. The student's code runs in this very
process and can do here what it likes: it can write its own replies, and earns by that only what the values in them are worth. So
nothing here decides anything. What follows is for the student's sake, not for safety: seeded randomness, errors with the student's own
lines, harmless stubs for plots and progress bars, and a list of the arguments that a function changed in place.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import itertools
import os
import random
import socket
import sys
import threading
import traceback
import types
from collections.abc import Callable
from typing import Any, Literal, NoReturn

import msgspec
import numpy as np

from autograder.sandbox.guest import frameworks, protocol, source, stubs

HANDLES = 100
MESSAGE = 2_000
LOOK = 1.0  # seconds between two looks at whether the supervisor still lives

# What students import most: loaded once, so that no guest pays for it.
PRELOADED = """abc bisect cmath collections contextlib copy ctypes dataclasses decimal enum fractions functools hashlib heapq
    inspect io itertools json linecache math operator os pathlib random re statistics string textwrap threading time traceback
    types typing unittest.mock warnings weakref _bz2 _crypt _curses _curses_panel _lzma _sqlite3 _ssl _uuid pyexpat zlib
    numpy numpy.linalg numpy.random numpy.typing""".split()

_leave = os._exit  # the student's code finds another one while it is loaded

WARM_UPS = 20
_WARM_UP = b"""
import numpy as np
def f(x, n, a, table):
    y = np.asarray(x) * a + np.sqrt(table) ** 2
    z = np.cumsum(np.concatenate([np.zeros(1), np.linspace(0, 1, n)])).reshape(-1, 1)
    return float((y + z[np.arange(1)]).sum()) and y
"""


# ---- before the first line of a student


def preload(profile: str) -> frozenset[str]:
    """Import what guests will want, and use it once. Return the packages that came with it."""
    os.environ.clear()
    for name in PRELOADED:
        with contextlib.suppress(ImportError):  # parts of the standard library need libraries that not every machine has
            importlib.import_module(name)
    before = set(sys.modules)
    frameworks.load(profile)
    return frozenset(name for name in set(sys.modules) - before if "." not in name)


def install_stubs(finder: stubs.Finder) -> None:
    """Install what every guest shares, once in the server: stubs, seeded randomness, and no way to the course."""
    stubs.install(finder)
    stubs.hide_the_course()
    np.random.seed(0)
    for framework in frameworks.loaded():
        framework.seed()


def warm_up() -> None:
    """Load and call once in the server, so that no guest has to prepare what Python prepares at first use."""
    theirs, ours = socket.socketpair()
    warm_ups = [_WARM_UP, *(framework.warm_up for framework in frameworks.loaded())]
    with theirs, ours:
        guest, spare = over(theirs.fileno()), over(ours.fileno())
        before = set(sys.modules)
        x = np.linspace(0, 1, 6).reshape(2, 3)
        for _ in range(WARM_UPS):
            for one in warm_ups:
                for message in (
                    protocol.Load("0", "warm_up", one),
                    protocol.Call("0", ["warm_up", "f"], [x, 2, 0.5], {"table": x[0]}),
                    protocol.Call("0", ["warm_up", "missing"], [], {}),
                ):
                    ours.sendall(protocol.pack(message, spare.refer))
                    body = guest.read_frame()
                    assert body is not None
                    guest.reply(guest.decode(body))
                    spare.read_frame()
        for name in set(sys.modules) - before:
            del sys.modules[name]


# ---- one guest


def over(fd: int, finder: stubs.Finder | None = None) -> GuestRuntime:
    """Return a guest that reads and writes a file descriptor."""
    return GuestRuntime(lambda most: os.read(fd, most), lambda data: os.write(fd, data), finder or stubs.Finder())


def serve(guest: GuestRuntime, missing: dict[str, str]) -> None:
    """Report which walls are missing, then answer until the other side hangs up."""
    sys.stdin = io.StringIO()
    sys.stdout = sys.stderr = guest.output
    np.seterr(divide="ignore")  # an infinite entry may be the right one, so a warning would only worry
    random.seed(0)  # the state of numpy and of the frameworks is seeded already
    guest.send(protocol.Raised(missing))
    while (body := guest.read_frame()) is not None:
        message = guest.decode(body)
        if isinstance(message, protocol.Free):
            guest.handles.clear()
        else:
            guest.reply(message)


def main_without_fork(port: int, token: str, profile: str, packages: tuple[str, ...]) -> None:
    """Be a guest without walls, in an interpreter of its own: call the supervisor on this port and serve until it hangs up."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
    connection.sendall(token.encode())
    finder = stubs.Finder(profile, packages, preload(profile))
    install_stubs(finder)
    guest = GuestRuntime(connection.recv, connection.send, finder)
    guest.loader.start_clock()
    serve(guest, {})


def _end_with(connection: socket.socket) -> NoReturn:
    """End when the supervisor hangs up, however it ended: student code that never returns would outlive it."""
    with contextlib.suppress(OSError):  # Windows may call it a reset
        while connection.recv(1, socket.MSG_PEEK):
            threading.Event().wait(LOOK)  # until the main thread has read what came
    os._exit(0)


class GuestRuntime:
    """What lives as long as the guest: its channel, output, modules and handles. Made before the fork, used after it.

    `receive(most)` returns no bytes at the end of the channel, `transmit(data)` returns how many it took.
    """

    def __init__(self, receive: Callable[[int], bytes], transmit: Callable[[memoryview], int], finder: stubs.Finder):
        self._receive, self._transmit, self._finder = receive, transmit, finder
        finder.lack = self.lack
        self.output = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), "utf-8", errors="replace", line_buffering=True, write_through=True)
        self.modules: dict[str, types.ModuleType] = {}
        self.covered: dict[str, dict[Any, Any]] = {}  # of each module what lost its name to another value
        self.handles: dict[int, Any] = {}
        self.running, self.loader = "", source.Loader()
        self._numbers = itertools.count(1)

    # -- frames

    def read_frame(self) -> bytes | None:
        header = self._read(protocol.HEADER.size)
        return None if header is None else self._read(protocol.HEADER.unpack(header)[0])

    def _read(self, size: int) -> bytes | None:
        chunks = []
        while size:
            chunk = self._receive(size)
            if not chunk:
                return None
            chunks.append(chunk)
            size -= len(chunk)
        return b"".join(chunks)

    def send(self, message: protocol.FromGuest) -> None:
        data = memoryview(protocol.pack(message, self.refer))
        while data:
            data = data[self._transmit(data) :]

    def decode(self, body: bytes) -> Any:
        return protocol.unpack(body, protocol.ToGuest, self.resolve, frameworks.rebuilt)

    def refer(self, value: Any) -> protocol.Reference:
        if len(self.handles) >= HANDLES:
            raise protocol.NotData(f"more than {HANDLES} objects that are not data")
        number = next(self._numbers)
        self.handles[number] = value
        return protocol.Reference("handle", number, type(value).__name__)

    def resolve(self, reference: protocol.Reference) -> Any:
        if reference.kind == "handle":
            return self.handles[reference.number] if reference.number else self.target(list(reference.label.split(".")))
        return _Callback(self, reference.number)

    # -- answering

    def reply(self, message: protocol.Load | protocol.Call) -> None:
        """Do what was asked and send exactly one reply."""
        self.running = message.id
        try:
            reply = self.load(message) if isinstance(message, protocol.Load) else self.call(message)
        except BaseException as error:
            reply = self.failed(error)
        try:
            self.send(reply)
        except protocol.NotData as error:
            self.send(protocol.Reply(message.id, "refused", message=f"it returned {error}"))
        except Exception as error:  # a sparse tensor, one without data: whatever cannot be turned into bytes
            self.send(protocol.Reply(message.id, "refused", message=f"it returned a value that cannot be sent ({type(error).__name__})"))

    def load(self, message: protocol.Load) -> protocol.Reply:
        """Run a source, statement by statement: one that fails or takes too long costs nothing but what it defines."""
        module = types.ModuleType(message.module)
        module.__file__ = f"{message.module}.py"
        sys.modules[message.module] = self.modules[message.module] = module
        parts = source.parts(message.source.decode(), module.__file__, notebook=message.notebook)
        if message.most and sum(len(part.text) for part in parts) > message.most:
            return protocol.Reply(message.id, "refused", message=f"its code is larger than {message.most >> 10} KiB")
        failures = [self.failed(error) for error in self.loader.run(parts, vars(module), message.seconds)]
        self.covered[message.module] = covered = self.loader.covered(vars(module))
        functions = source.described(module, covered)
        for name in covered:
            print(f"`{name}` has another value after its definition. What is defined is checked.")
        for failure in failures if functions else ():
            after = "nothing" if failure.exception == "SystemExit" else "only imports and definitions"
            print(f"{', then '.join(failure.where)} raised {failure.exception}: {failure.message or 'no message'}. After it, {after} ran.")
        reply = failures[0] if failures else protocol.Reply(message.id, "returned")
        return msgspec.structs.replace(reply, value=functions)

    def call(self, message: protocol.Call) -> protocol.Reply:
        function = self.target(message.target)
        given: dict[str | int, Any] = dict(enumerate(message.args)) | message.kwargs
        before = {name: _bytes(value) for name, value in given.items()}
        try:
            value = function(*message.args, **message.kwargs)
        except TypeError as error:
            if (takes := _misfit(function, message.args, message.kwargs)) is None:
                raise
            return msgspec.structs.replace(self.failed(error), takes=takes)
        changed = [name for name, was in before.items() if was is not None and _bytes(given[name]) != was]
        return protocol.Reply(message.id, "returned", value=value, changed=changed)

    def failed(self, error: BaseException) -> protocol.Reply:
        """Reply that an exception ended the call, unless a library is missing that a fuller profile has."""
        if self._finder.lacking and (library := stubs.missing_library(error)):
            self.lack(library)
        return _raised(self.running, error, f"{next(iter(self.modules), '')}.py")

    def lack(self, module: str) -> None:
        """Say that the submission needs a fuller profile, and wait for the end: nothing counts any more that it does."""
        self.send(protocol.Lacks(self.running, module))
        while self._receive(protocol.HEADER.size):
            pass
        _leave(0)

    def target(self, target: list[str | int]) -> Any:
        owner, *rest = target
        if isinstance(owner, str):
            return self.covered[owner].get(rest[0]) or getattr(self.modules[owner], str(rest[0]))
        held = self.handles[owner]
        return frameworks.part_of(held, str(rest[0])) if rest else held


class _Callback:
    """A function of the trusted side: calling it sends the question and waits for the answer. Messages call it a function."""

    __module__, __qualname__ = "builtins", "function"

    def __init__(self, guest: GuestRuntime, number: int):
        self._guest, self._number = guest, number

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._guest.send(protocol.Ask(self._guest.running, self._number, list(args), kwargs))
        body = self._guest.read_frame()
        if body is None:
            _leave(0)
        answer = self._guest.decode(body)
        if answer.refused:
            raise ValueError(answer.refused)
        return answer.value


_Callback.__name__ = "function"


def _bytes(value: Any) -> bytes | None:
    """Encode an array or a tensor, to see later whether it was changed; None for every other value."""
    framework = frameworks.framework_of(value)
    array = framework.to_numpy(value) if framework else value
    return protocol.pack_array(array, 0) if isinstance(array, np.ndarray) else None


def _misfit(function: Any, args: list[Any], kwargs: dict[str, Any]) -> str | None:
    """Write the parameters of a function that cannot be called with these arguments; None if it can, or if Python cannot know."""
    try:
        signature = inspect.signature(function)
    except Exception:
        return None
    with contextlib.suppress(TypeError):
        signature.bind(*args, **kwargs)
        return None
    return str(signature.replace(return_annotation=inspect.Signature.empty))[1:-1][:MESSAGE]


def _raised(call: str, error: BaseException, file: str) -> protocol.Reply:
    if isinstance(error, protocol.NotData):
        return protocol.Reply(call, "refused", message=f"it sent {error}")
    kind: Literal["out_of_memory", "raised"] = "out_of_memory" if frameworks.is_out_of_memory(error) else "raised"
    try:
        message = stubs.words(error)[:MESSAGE]
    except BaseException:
        message = ""
    return protocol.Reply(call, kind, exception=type(error).__name__[:100], message=message, where=_where(error, file))


def _where(error: BaseException, file: str) -> list[str]:
    """List the lines of the student's file that an exception passed through, outermost first: the first two and the last two at most."""
    lines = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        lines.append((error.filename or "", error.lineno))
    cell = "cell "
    named = [(f"{name}, " if name.startswith(cell) else "", line) for name, line in lines if name == file or name.startswith(cell)]
    own = [f"{name}line {line}" for (name, line), _ in itertools.groupby(named)]  # a comprehension is a frame of its own
    return own[:2] + own[2:][-2:]
