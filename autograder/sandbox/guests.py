"""An open guest as the trusted side sees it: one call at a time, each with a deadline and an outcome."""

import contextlib
import os
import re
import secrets
import sysconfig
from collections.abc import Callable
from itertools import islice
from typing import Any, Literal, Protocol

import msgspec

from autograder.course.errors import SandboxFault, WallsMissing
from autograder.course.policy import Limits
from autograder.course.text import clean
from autograder.sandbox.channels import Channel, HungUp
from autograder.sandbox.deadline import Deadline, Lost
from autograder.sandbox.guest import protocol, walls
from autograder.sandbox.guest.forkserver import Ended
from autograder.sandbox.guest.frameworks import is_out_of_memory
from autograder.sandbox.guest.source import NAMES, USED

START_SECONDS = 60
TEXT, NAME = 300, 60  # characters that are kept of what a guest says
WHERE = re.compile(r"(?:cell (\d{1,6}), )?line (\d{1,6})")
LINES = 10_000  # the last line that is named: a number of the file's choice could say much
ASKS = 5_000
LABEL = 100
ARGUMENTS = 20
ASK_BYTES = 64 << 20  # of memory
SIGKILL, SIGXCPU = -9, -24
PLACES = re.compile(
    b"|".join(re.escape(f"{sysconfig.get_path(name)}{os.sep}".encode()) for name in ("purelib", "platlib", "stdlib", "platstdlib"))
)

Callback = Callable[..., Any]


class Raised(msgspec.Struct, frozen=True):
    """An exception of the student's code: its type, its message, and the student's own lines that it passed through.

    `takes`: the parameters of a function that could not be called with the arguments it was given.
    """

    kind: str
    message: str
    where: tuple[str, ...] = ()
    takes: str | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What the sandbox saw of one call: a value, or why there is none.

    `idle`: only the time on the wall ran out, so the guest slept, or this machine was too busy for it. `missing`: the file defines no
    such function. `lacks`: a module that it needs and that a fuller preload profile has.
    """

    kind: Literal["returned", "raised", "timed_out", "out_of_memory", "killed", "refused"]
    value: Any = None
    raised: Raised | None = None
    detail: str = ""
    changed: tuple[str, ...] = ()
    seconds: float = 0.0
    idle: bool = False
    missing: bool = False
    lacks: str = ""


class Defined(msgspec.Struct, frozen=True):
    """What a file says of one of its functions: which others it uses, and its parameters. It is a stranger's word."""

    uses: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()

    def named(self, wanted: tuple[str, ...], args: tuple[Any, ...]) -> dict[str, Any]:
        """Return arguments by name, if the parameters are those that are wanted, in another order; nothing if they fit as they are."""
        fits = self.takes[: len(args)] == wanted[: len(args)] or sorted(self.takes) != sorted(wanted)
        return {} if fits else dict(zip(wanted, args, strict=False))


def defined(loaded: Outcome) -> dict[str, Defined]:
    """Return what a loaded file defines, by name."""
    claimed = loaded.value if isinstance(loaded.value, dict) else {}
    named = {clean(name, LABEL): one for name, one in islice(claimed.items(), NAMES) if isinstance(name, str) and isinstance(one, dict)}
    return {name: Defined(_words(one.get("uses")), _words(one.get("takes"))) for name, one in named.items()}


def _words(claimed: Any) -> tuple[str, ...]:
    return tuple(one[:LABEL] for one in claimed[:USED] if isinstance(one, str)) if isinstance(claimed, list) else ()


class Supervisor(Protocol):
    """What opened the guest: it knows the limits, and it alone can end the process."""

    @property
    def limits(self) -> Limits: ...

    def end(self) -> Ended: ...


class Handle:
    """An object that stayed inside a guest; `Guest.call` calls it or its methods, and gets or sets its weights.

    A plain class: MessagePack would write a Struct as data, and this must cross as a number. No hash: a map with one as a key is refused.
    """

    __slots__ = ("number", "type_name")

    def __init__(self, number: int, type_name: str):
        self.number, self.type_name = number, type_name

    def __repr__(self) -> str:
        return f"{self.type_name} {self.number}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Handle) and (self.number, self.type_name) == (other.number, other.type_name)


class Guest(contextlib.AbstractContextManager["Guest"]):
    """One process with one submission. Lives from `Server.open` until `close`; once it is lost, `alive` is false."""

    def __init__(self, server: Supervisor, pid: int, channel: Channel):
        self.pid, self.alive = pid, True
        self.callbacks: list[Callback] = []
        self.on_ask: Callable[[Callback, list[Any], dict[str, Any]], None] | None = None
        self.ended: Ended | None = None
        self.waited = self.slept = 0.0  # seconds spent waiting for its calls, and how many of these it slept
        self.received = 0  # about how many bytes of memory its values take
        self._lines = 0  # how many its sources have, or cells
        self._server, self._channel, self._holding = server, channel, False
        self._await_walls()

    def __exit__(self, *raised: object) -> None:
        self.close()

    @property
    def cpu_seconds(self) -> float:
        """CPU time used so far. Raise `SandboxFault` if the process was taken away from under us."""
        return self._channel.cpu_seconds

    @property
    def idle_clock(self) -> float:
        """A clock that stands still while it runs, or while it or this thread waits for a core."""
        return self._channel.idle_clock

    @property
    def asleep(self) -> bool:
        """Whether it waits for something other than a core or a disk."""
        return self._channel.asleep

    @property
    def output(self) -> bytes:
        """The beginning of what the process printed, as much as the limits keep, without this machine's paths: warnings hold some."""
        return PLACES.sub(b"", self._channel.printed.output)

    @property
    def printed(self) -> int:
        """How many bytes it printed so far, kept or not."""
        if self.alive:
            self._channel.drain()
        return self._channel.printed.size

    def load(self, module: str, source: bytes, *, notebook: bool = False, seconds: float | None = None) -> Outcome:
        """Run a source as the module `module`. The outcome's value lists the names that it defines."""
        limits = self._server.limits
        limit = limits.import_seconds if seconds is None else seconds
        self._lines = min(LINES, self._lines + 1 + sum(map(source.count, (b"\n", b"\\n", b"cell_type"))))
        return self._exchange(lambda call: protocol.Load(call, module, source, notebook, limits.source_kib << 10, limit), limit)

    def call(self, target: tuple[str | int, ...], args: tuple[Any, ...], kwargs: dict[str, Any], seconds: float | None = None) -> Outcome:
        """Call what `target` names (see `protocol.Call`). Functions among the arguments become callbacks while the call lasts.

        Raise `NotData` if an argument cannot be sent, and what a callback raises if memory runs out in it.
        """
        limit = self._server.limits.call_seconds if seconds is None else seconds
        return self._exchange(lambda call: protocol.Call(call, list(target), list(args), kwargs), limit)

    def forget(self) -> None:
        """Free all handles, if there are any."""
        if self.alive and self._holding:
            self._holding = False
            with contextlib.suppress(Lost):
                self._write(protocol.Free(), Deadline(self, self._server.limits.call_seconds))

    def close(self) -> None:
        """Kill the guest; keep what it printed and how it ended. Closing twice is harmless."""
        if self._channel.frames.closed:
            return
        self.alive = False
        try:
            self._channel.drain()
            self.ended = self._server.end()
        finally:
            self._channel.close()

    # -- one exchange

    def _await_walls(self) -> None:
        try:
            first = self._read(Deadline(self, START_SECONDS))
            missing = protocol.unpack(first, protocol.FromGuest, _no_reference, lambda array, _: array)
        except (Lost, protocol.ProtocolError) as error:
            self.close()
            raise SandboxFault(f"a guest did not come up: {error}") from None
        if not isinstance(missing, protocol.Raised) or missing.missing:
            self.close()
            unsaid = dict.fromkeys(walls.WALLS, "the guest did not say")
            raise WallsMissing(missing.missing if isinstance(missing, protocol.Raised) else unsaid)

    def _exchange(self, message: Callable[[str], protocol.Load | protocol.Call], seconds: float) -> Outcome:
        if not self.alive:
            raise SandboxFault("a call to a guest that is gone")
        deadline = Deadline(self, seconds)
        try:
            if self._channel.frames.waiting:
                raise protocol.ProtocolError("a reply before it was asked")
            call = secrets.token_hex(8)
            self._write(message(call), deadline)
            reply = self._answer_until_reply(call, deadline)
        except Lost as lost:
            self.close()
            return Outcome(lost.kind, detail=lost.detail, seconds=deadline.used(), idle=lost.idle, lacks=lost.lacks)
        except protocol.ProtocolError as error:
            self.close()
            return Outcome("refused", detail=clean(f"it sent {error}", TEXT), seconds=deadline.used())
        except protocol.NotData:
            raise
        except BaseException:  # of a callback: the guest waits for its answer
            self.close()
            raise
        finally:
            self.callbacks.clear()
            self.waited += deadline.waited
            self.slept += deadline.slept
        return _outcome(reply, deadline.used(), self._lines)

    def _answer_until_reply(self, call: str, deadline: Deadline) -> protocol.Reply:
        asks = size = 0
        while True:
            body = self._read(deadline)
            weight = protocol.weight(body)
            self.received += weight
            message = protocol.unpack(body, protocol.FromGuest, self._handle, lambda array, _: array)
            if isinstance(message, protocol.Raised) or message.id != call:
                raise protocol.ProtocolError("a reply to something that was not asked")
            if isinstance(message, protocol.Reply):
                return _sensible(message)
            if isinstance(message, protocol.Lacks):
                raise Lost("refused", "it asked for more than there is", lacks=clean(message.module, LABEL))
            asks, size = asks + 1, size + weight
            if asks > ASKS or size > ASK_BYTES:
                raise protocol.ProtocolError(f"more than {ASKS} questions, or more than {ASK_BYTES >> 20} MiB in them")
            try:
                self._write(self._answered(message), deadline)
            except protocol.NotData as error:
                raise protocol.ProtocolError(f"a question whose answer is {error}") from None

    def _answered(self, ask: protocol.Ask) -> protocol.Answer:
        """Answer a callback. It is a pure function of the check file, so whatever it raises is the fault of its arguments: refused."""
        if not 0 <= ask.callback < len(self.callbacks):
            raise protocol.ProtocolError("a call of a function that was not given")
        callback = self.callbacks[ask.callback]
        try:
            if self.on_ask:
                self.on_ask(callback, ask.args, ask.kwargs)
            return protocol.Answer(ask.id, callback(*ask.args, **ask.kwargs))
        except Exception as error:
            if is_out_of_memory(error):  # of ours, not of the guest's
                raise MemoryError from None
            words = f"`{getattr(callback, '__name__', 'the function')}` was called with something it cannot take: {error}"
            raise Lost("refused", clean(words, TEXT)) from None

    # -- bytes

    def _write(self, message: protocol.ToGuest, deadline: Deadline) -> None:
        data = protocol.pack(message, self._number)
        try:
            with deadline.waiting():
                self._channel.frames.send(data, deadline)
        except HungUp:
            raise self._death() from None

    def _read(self, deadline: Deadline) -> bytearray:
        try:
            with deadline.waiting():
                return self._channel.frames.receive(deadline)
        except HungUp:
            raise self._death() from None

    def _number(self, value: Any) -> protocol.Reference:
        if isinstance(value, Handle):
            return protocol.Reference("handle", value.number, value.type_name)
        if not callable(value):
            raise TypeError(f"a check passed a {type(value).__name__}, which cannot cross the wall")
        self.callbacks.append(value)
        return protocol.Reference("callback", len(self.callbacks) - 1)

    def _handle(self, reference: protocol.Reference) -> Handle:
        if reference.kind != "handle":
            raise protocol.ProtocolError("a function of ours")
        if len(reference.label) > LABEL or not reference.label.isprintable():
            raise protocol.ProtocolError("an object with a label that is no type's name")
        self._holding = True
        return Handle(reference.number, reference.label)

    def _death(self) -> Lost:
        """Return how the guest died: by itself, or by a limit that the kernel enforces.

        Raise `SandboxFault` if it was killed from outside: it cannot kill itself, and nobody can say whose memory ran out.
        """
        dead = self._channel.dead()
        self.close()
        status, seconds = (self.ended.status, self.ended.cpu_seconds) if self.ended else (0, 0.0)
        if status == SIGXCPU or (status == SIGKILL and seconds > self._server.limits.submission_seconds):
            return Lost("timed_out", "it used all of the submission's time")
        if dead and status == SIGKILL:
            why = "a guest was killed from outside, as the kernel does when this machine has too little memory"
            raise SandboxFault(f"{why}: close other programs, or give fewer --workers")
        how = f"the process ended itself with status {status}" if status >= 0 else f"the process died of signal {-status}"
        return Lost("killed", how)


def _sensible(reply: protocol.Reply) -> protocol.Reply:
    """Return a reply. Raise `ProtocolError` if no call has such arguments as it says were changed."""
    names = [name if isinstance(name, str) else f"a{name}" for name in reply.changed]
    if len(names) > ARGUMENTS or not all(len(name) <= NAME and name.isidentifier() for name in names):
        raise protocol.ProtocolError("a list of changed arguments that makes no sense")
    return reply


def _outcome(reply: protocol.Reply, seconds: float, lines: int) -> Outcome:
    """Return what a result keeps of a reply. Whatever a guest says is cut and made harmless here, before anybody reads it."""
    if reply.kind == "refused":
        return Outcome("refused", detail=clean(reply.message, TEXT), seconds=seconds)
    if reply.kind == "returned":
        return Outcome("returned", value=reply.value, changed=tuple(map(str, reply.changed)), seconds=seconds)
    where = tuple(one for one in reply.where[:4] if (place := WHERE.fullmatch(one)) and all(int(n or 0) <= lines for n in place.groups()))
    takes = reply.takes and clean(reply.takes, TEXT)
    raised = Raised(clean(reply.exception, NAME), clean(reply.message, TEXT), where, takes)
    return Outcome(reply.kind, value=reply.value, raised=raised, seconds=seconds)


def _no_reference(reference: protocol.Reference) -> Handle:
    raise protocol.ProtocolError("an object before any call")
