"""The terminal: what to set up for every command, single key presses, and the pager.

Inside `Keys`, keys arrive at once and are not echoed; Ctrl-C and Ctrl-Z work as usual. The terminal is restored on leaving, after an
exception, and while the program is suspended. It imports little: `course --help` comes by here.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol, Self

from autograder.course import system

if TYPE_CHECKING:
    from rich.console import Console

ENTER, REDRAW, END = "\r", "", "\x04"
_LONGEST = 64  # bytes of one read: nobody types more at once
_LOOK = 0.05  # seconds between two looks for a key
_ENDS = ("SIGTERM", "SIGHUP", "SIGBREAK")  # from a queue or a system that stops, a terminal that closes, and Windows' Ctrl-Break
_STDOUT, _STDERR, _ANSI = -11, -12, 4  # Windows' numbers of the streams, and of the mode in which a console understands ANSI's sequences


def prepare() -> None:
    """Let every text be printed, every request to end do what Ctrl-C does, and an old Windows console show colours.

    Where names of files may have ASCII letters only, which nobody's disk keeps to, the command starts again with UTF-8.
    """
    if sys.getfilesystemencoding() == "ascii":
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])
    atexit.register(gc.freeze)  # Python would look through all that a framework brought, for nearly half a second
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # where β cannot be encoded, print \\u03b2 instead of failing
            stream.reconfigure(encoding="utf-8" if _is_guessed(stream) else None, errors="backslashreplace")
    if os.environ.get("TERM") in ("dumb", "unknown"):  # rich would assume 80 columns
        for name, size in zip(("COLUMNS", "LINES"), shutil.get_terminal_size(), strict=True):
            os.environ.setdefault(name, str(size))
    for number in (getattr(signal, name) for name in _ENDS if hasattr(signal, name)):
        if signal.getsignal(number) is signal.SIG_DFL:  # what `nohup` ignores stays ignored
            signal.signal(number, signal.default_int_handler)
    if system.WINDOWS:
        _prepare_windows()


def _is_guessed(stream: io.TextIOWrapper) -> bool:
    """Whether nobody chose this encoding: for a pipe or a file, Windows takes an old code page. What reads it takes UTF-8."""
    return system.WINDOWS and not stream.isatty() and "PYTHONIOENCODING" not in os.environ


def _prepare_windows() -> None:
    ctypes: Any = import_module("ctypes")
    kernel = ctypes.windll.kernel32
    for number in (_STDOUT, _STDERR):
        stream, mode = kernel.GetStdHandle(number), ctypes.c_uint32()
        if kernel.GetConsoleMode(stream, ctypes.byref(mode)):  # it is a console
            kernel.SetConsoleMode(stream, mode.value | _ANSI)


def has_pager() -> bool:
    """Whether there is a pager that shows colours and Greek letters. Windows' own shows neither; PAGER may name another."""
    return not system.WINDOWS or "PAGER" in os.environ


def paged(console: Console, less: str) -> AbstractContextManager[object]:
    """Show what is printed a screen at a time, if there is a pager; `less` are the options of the usual one."""
    os.environ.setdefault("LESS", less)
    return console.pager(styles=True) if has_pager() else nullcontext()


class Keys(Protocol):
    """Key presses, while it is entered."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *raised: object) -> None: ...

    def wait(self, seconds: float) -> bool:
        """Wait so long for a key at most. Return whether `get` has one, or another reason to return at once."""

    def get(self) -> str:
        """Wait for a key and return it, REDRAW after the window was resized or the program resumed, or END if the terminal is gone."""

    def aside(self) -> AbstractContextManager[None]:
        """Lend the restored terminal to another program."""


def keys(screen: Callable[[bool], object] = bool) -> Keys:
    """Return the key presses of this system's terminal.

    `screen` is called with False before another program gets the terminal or this one is suspended, and with True afterwards.
    """
    return _WindowsKeys(screen) if system.WINDOWS else _UnixKeys(screen)


class _WindowsKeys:
    """Of a Windows console, which tells nobody that its window was resized: its size is looked at while a key is awaited."""

    def __init__(self, screen: Callable[[bool], object]):
        self._screen, self._console, self._size = screen, import_module("msvcrt"), shutil.get_terminal_size()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        pass

    def wait(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while not self._console.kbhit() and self._size == shutil.get_terminal_size():
            if time.monotonic() >= until:
                return False
            time.sleep(_LOOK)
        return True

    def get(self) -> str:
        while not self._console.kbhit():
            size, self._size = self._size, shutil.get_terminal_size()
            if self._size != size:
                return REDRAW
            time.sleep(_LOOK)
        key = str(self._console.getwch())
        if key in ("\x00", "\xe0") and self._console.kbhit():  # an arrow's second half follows at once; after `à` there is none
            key += self._console.getwch()
        if key == "\x03":
            raise KeyboardInterrupt
        return END if key == "\x1a" else key  # Ctrl-Z ends a file there

    @contextmanager
    def aside(self) -> Iterator[None]:
        self._screen(False)
        try:
            yield
        finally:
            self._screen(True)


class _UnixKeys:
    """Of a terminal with termios and signals."""

    def __init__(self, screen: Callable[[bool], object]):
        self._screen, self._termios, self._tty = screen, import_module("termios"), import_module("tty")

    def __enter__(self) -> Self:
        self._waiting: list[str] = []
        self._keyboard = sys.stdin.fileno()
        self._before = self._termios.tcgetattr(self._keyboard)
        self._wakeup, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        self._woken = signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)  # also if it comes just before a key is awaited
        wakes = ((name, self._wake) for name in (signal.SIGWINCH, signal.SIGCONT))
        ends = ((name, signal.default_int_handler) for name in (signal.SIGTERM, signal.SIGHUP))  # whatever `nohup` ignores
        self._handlers = {name: signal.signal(name, handler) for name, handler in (*wakes, *ends, (signal.SIGTSTP, self._sleep))}
        self._key_by_key()
        return self

    def __exit__(self, *raised: object) -> None:
        for name, handler in self._handlers.items():
            signal.signal(name, handler)
        self._as_before()
        signal.set_wakeup_fd(self._woken)
        os.close(self._wakeup)
        os.close(self._waker)

    def wait(self, seconds: float) -> bool:
        return bool(self._waiting or select.select([self._keyboard, self._wakeup], [], [], seconds)[0])

    def get(self) -> str:
        if self._waiting:
            return self._waiting.pop(0)
        ready, _, _ = select.select([self._keyboard, self._wakeup], [], [])
        if self._wakeup in ready:
            os.read(self._wakeup, _LONGEST)
            return REDRAW
        text = os.read(self._keyboard, _LONGEST).decode("utf-8", "replace") or END
        self._waiting += [text] if text.startswith("\x1b") else text.replace("\n", ENTER)  # an escape sequence, like an arrow, is one key
        return self._waiting.pop(0)

    @contextmanager
    def aside(self) -> Iterator[None]:
        self._screen(False)
        self._as_before()
        try:
            yield
        finally:
            self._key_by_key()
            self._screen(True)

    def _key_by_key(self) -> None:
        self._tty.setcbreak(self._keyboard, self._termios.TCSADRAIN)

    def _as_before(self) -> None:
        self._termios.tcsetattr(self._keyboard, self._termios.TCSADRAIN, self._before)

    def _sleep(self, number: int, frame: FrameType | None) -> None:
        with self.aside():
            os.kill(os.getpid(), signal.SIGSTOP)

    def _wake(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGCONT:
            self._key_by_key()
