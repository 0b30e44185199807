"""The guest: one forked process that runs one submission and answers calls.

It reads frames from its socket and answers each: load a source, call a function, forget handles. Student code runs in this
very process and may do here what it likes: it can write its own replies, and all that earns is what the replies' values
are worth. So nothing here decides anything. What is done here for the student's sake, not for safety: seeded randomness,
errors with the student's own lines, harmless stand-ins for plots and progress bars, and telling which arguments a function
changed in place.
"""

from __future__ import annotations

import io
import itertools
import os
import random
import socket
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np

from autograder.sandbox.guest import notebook, protocol, stubs

HANDLES = 100
MESSAGE = 2_000
NAMES = 200
USED = 20  # names that are told of what one function uses


def install_stubs() -> None:
    """Put in place, once and in the server, what every guest shares: stand-ins, and seeded randomness."""
    stubs.install()
    np.random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


class GuestChannel(NamedTuple):
    """How bytes come in and go out: `read(most)` gives none at the end, `write(data)` says how many it took."""

    read: Callable[[int], bytes]
    write: Callable[[memoryview], int]


def over(fd: int) -> GuestChannel:
    """Read and write a file descriptor."""
    return GuestChannel(lambda most: os.read(fd, most), lambda data: os.write(fd, data))


def serve(room: GuestRuntime, missing: dict[str, str]) -> None:
    """Say which walls are missing, then answer until the other side hangs up."""
    sys.stdin = io.StringIO()
    sys.stdout = sys.stderr = room.output
    random.seed(0)  # numpy's and torch's state is seeded already
    room.send(protocol.Raised(missing))
    while (body := room.read_frame()) is not None:
        message = room.decode(body)
        if isinstance(message, protocol.Free):
            room.handles.clear()
        else:
            room.reply(message)


def warm_up() -> None:
    """Go through loads and calls once in the server: what Python prepares at first use, no guest then has to."""
    theirs, ours = socket.socketpair()
    with theirs, ours:
        room, spare = GuestRuntime(over(theirs.fileno())), GuestRuntime(over(ours.fileno()))
        before = set(sys.modules)
        for _ in range(REHEARSALS):
            x = np.linspace(0, 1, 6).reshape(2, 3)
            for message in (
                protocol.Load("0", "rehearsal", _REHEARSED + (_REHEARSED_TORCH if "torch" in sys.modules else b"")),
                protocol.Call("0", ["rehearsal", "f"], [x, 2, 0.5], {"table": x[0]}),
                protocol.Call("0", ["rehearsal", "missing"], [], {}),
            ):
                ours.sendall(protocol.pack(message, spare.refer))
                body = room.read_frame()
                assert body is not None
                room.reply(room.decode(body))
                spare.read_frame()
        for name in set(sys.modules) - before:
            del sys.modules[name]


REHEARSALS = 20
_REHEARSED = b"""
import numpy as np
def f(x, n, a, table):
    y = np.asarray(x) * a + np.sqrt(table) ** 2
    z = np.cumsum(np.concatenate([np.zeros(1), np.linspace(0, 1, n)])).reshape(-1, 1)
    return float((y + z[np.arange(1)]).sum()) and y
"""
_REHEARSED_TORCH = b"""
import torch
def g(x, n, a, table):
    y = torch.as_tensor(x, dtype=torch.float64) * a + torch.sqrt(torch.as_tensor(table)) ** 2
    z = torch.cat([torch.zeros(1, dtype=torch.float64), torch.linspace(0, 1, n, dtype=torch.float64)]).cumsum(0).view(-1, 1)
    return y + z[torch.as_tensor([0])].float()
numpy_f = f
def f(x, n, a, table):
    numpy_f(x, n, a, table)
    return g(x, n, a, table)
"""


class GuestRuntime:
    """What lives as long as the guest: its line, its output, its modules, its handles. Made before the fork, used after it."""

    def __init__(self, line: GuestChannel):
        self.line = line
        self.output = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), "utf-8", errors="replace", line_buffering=True, write_through=True)
        self.modules: dict[str, types.ModuleType] = {}
        self.handles: dict[int, Any] = {}
        self.running = ""
        self._numbers = itertools.count(1)

    # -- frames

    def read_frame(self) -> bytes | None:
        header = self._read(protocol.HEADER.size)
        return None if header is None else self._read(protocol.HEADER.unpack(header)[0])

    def _read(self, size: int) -> bytes | None:
        chunks = []
        while size:
            chunk = self.line.read(size)
            if not chunk:
                return None
            chunks.append(chunk)
            size -= len(chunk)
        return b"".join(chunks)

    def send(self, message: protocol.FromGuest) -> None:
        data = memoryview(protocol.pack(message, self.refer))
        while data:
            data = data[self.line.write(data) :]

    def decode(self, body: bytes) -> Any:
        return protocol.unpack(body, protocol.ToGuest, self.resolve, _array)

    def refer(self, value: Any) -> protocol.Reference:
        if len(self.handles) >= HANDLES:
            raise protocol.NotData(f"more than {HANDLES} objects that are not data")
        number = next(self._numbers)
        self.handles[number] = value
        return protocol.Reference("handle", number, type(value).__name__)

    def resolve(self, reference: protocol.Reference) -> Any:
        if reference.kind == "handle":
            return self.handles[reference.number]
        return _Callback(self, reference.number)

    # -- answering

    def reply(self, message: protocol.Load | protocol.Call) -> None:
        """Do what was asked and send exactly one reply."""
        self.running = message.id
        try:
            reply = self.load(message) if isinstance(message, protocol.Load) else self.call(message)
        except BaseException as error:
            reply = _raised(message.id, error)
        try:
            self.send(reply)
        except protocol.NotData as error:
            self.send(protocol.Reply(message.id, "refused", message=f"it gave {error}"))
        except Exception as error:  # a sparse tensor, one without data: whatever cannot be turned into bytes
            self.send(protocol.Reply(message.id, "refused", message=f"it gave a value that cannot be sent ({type(error).__name__})"))

    def load(self, message: protocol.Load) -> protocol.Reply:
        module = types.ModuleType(message.module)
        module.__file__ = f"{message.module}.py"
        sys.modules[message.module] = self.modules[message.module] = module
        sources = list(notebook.cells(message.source)) if message.notebook else [(module.__file__, message.source)]
        if message.most and sum(len(source) for _, source in sources) > message.most:
            return protocol.Reply(message.id, "refused", message=f"its code is larger than {message.most >> 10} KiB")
        problem = None
        if message.notebook:
            module.__dict__["display"] = print
        for name, source in sources:
            try:
                exec(compile(source, name, "exec"), module.__dict__)
            except BaseException as error:
                problem = problem or _raised(message.id, error)
                if not message.notebook:
                    return problem
        if problem:  # the cells after the one that failed were run all the same
            return msgspec.structs.replace(problem, value=_functions(module))
        return protocol.Reply(message.id, "returned", value=_functions(module))

    def call(self, message: protocol.Call) -> protocol.Reply:
        function = self.target(message.target)
        before = [protocol.pack_array(_plain(a), False) if _is_array(a) else None for a in (*message.args, *message.kwargs.values())]
        value = function(*message.args, **message.kwargs)
        names: list[str | int] = [*range(len(message.args)), *message.kwargs]
        after = zip(names, (*message.args, *message.kwargs.values()), before, strict=True)
        changed = [name for name, a, was in after if was is not None and protocol.pack_array(_plain(a), False) != was]
        return protocol.Reply(message.id, "returned", value=value, changed=changed)

    def target(self, target: list[str | int]) -> Any:
        owner, *rest = target
        if isinstance(owner, str):
            return getattr(self.modules[owner], str(rest[0]))
        thing = self.handles[owner]
        if not rest:
            return thing
        if rest[0] == "@weights":
            return thing.state_dict
        if rest[0] == "@set_weights":
            return lambda weights: thing.load_state_dict(weights) and None
        return getattr(thing, str(rest[0]))


class _Callback:
    """A function of the trusted side: calling it sends the question and waits for the answer."""

    def __init__(self, room: GuestRuntime, number: int):
        self._room, self._number = room, number

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._room.send(protocol.Ask(self._room.running, self._number, list(args), kwargs))
        body = self._room.read_frame()
        if body is None:
            os._exit(0)
        answer = self._room.decode(body)
        if answer.refused:
            raise ValueError(answer.refused)
        return answer.value


def _array(array: np.ndarray[Any, Any], torch: bool) -> Any:
    if torch:
        import torch as library

        return library.from_numpy(array)
    return array


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or (type(value).__module__ == "torch" and hasattr(value, "detach"))


def _plain(value: Any) -> np.ndarray[Any, Any]:
    return value if isinstance(value, np.ndarray) else np.asarray(value.detach().numpy())


def _functions(module: types.ModuleType) -> dict[str, list[str]]:
    """List what can be called, each with what it uses of the module: the last ones, since own definitions come after a star's imports."""
    known = [(name, value) for name, value in list(vars(module).items()) if callable(value) and not name.startswith("_")][-NAMES:]
    return {name: sorted(_used(value, module, set()) - {name})[:USED] for name, value in known}


def _used(value: Any, module: types.ModuleType, found: set[str]) -> set[str]:
    """Collect the names of the module's own functions and classes that the code of this one reaches."""
    decorated = vars(value).get("__wrapped__") if isinstance(value, types.FunctionType) else None
    methods = vars(value).values() if isinstance(value, type) and value.__module__ == module.__name__ else ()
    own = [part for part in (value, decorated, *methods) if isinstance(part, types.FunctionType) and part.__globals__ is vars(module)]
    for name in {name for part in own for name in _names(part.__code__)} - found:
        if isinstance(used := vars(module).get(name), types.FunctionType | type) and used is not value:
            found.add(name)
            _used(used, module, found)
    return found


def _names(code: types.CodeType) -> set[str]:
    return set(code.co_names).union(*(_names(part) for part in code.co_consts if isinstance(part, types.CodeType)))


def _raised(call: str, error: BaseException) -> protocol.Reply:
    if isinstance(error, protocol.NotData):
        return protocol.Reply(call, "refused", message=f"it sent {error}")
    kind: Literal["out_of_memory", "raised"] = "out_of_memory" if is_memory(error) else "raised"
    try:
        message = str(error.msg if isinstance(error, SyntaxError) else error)[:MESSAGE]
    except BaseException:
        message = ""
    return protocol.Reply(call, kind, exception=type(error).__name__[:100], message=message, where=_where(error))


def is_memory(error: BaseException) -> bool:
    """Say whether memory ran out: torch has no exception of its own for that."""
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and "allocate memory" in str(error))


def _where(error: BaseException) -> list[str]:
    """List the student's own lines that the exception passed through, outermost first, at most the first two and the last two."""
    lines = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        lines.append((error.filename or "", error.lineno))
    own = [_line(name, line) for name, line in lines if "/" not in name and not name.startswith("<")]
    own = [line for line, _ in itertools.groupby(own)]  # a comprehension is a frame of its own
    return own[:2] + own[2:][-2:]


def _line(name: str, line: int | None) -> str:
    return f"{name}, line {line}" if name.startswith("cell ") else f"line {line}"
