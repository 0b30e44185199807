"""Single key presses from a terminal, and a signal when the screen must be redrawn.

Inside `with`, keys arrive at once and are not echoed; Ctrl-C and Ctrl-Z work as usual. The terminal is restored on leaving, after
an exception, and while the program is suspended.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

import click

if sys.platform != "win32":
    import termios
    import tty

ENTER, REDRAW, END = "\r", "", "\x04"
_LONGEST = 64  # bytes of one read: nobody types more at once


class Keys:
    """Key presses. `get` returns one, or REDRAW after the window was resized or the program resumed.

    `screen` is called with False before another program gets the terminal or this one is suspended, and with True afterwards.
    """

    def __init__(self, screen: Callable[[bool], object] = bool):
        self._screen = screen

    def __enter__(self) -> Self:
        self._waiting: list[str] = []
        if sys.platform == "win32":
            return self
        self._keyboard = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._keyboard)
        self._wakeup, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        self._handlers = {name: signal.signal(name, self._wake) for name in (signal.SIGWINCH, signal.SIGCONT)}
        for name in (signal.SIGTERM, signal.SIGHUP):
            self._handlers[name] = signal.signal(name, _leave)
        self._handlers[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, self._sleep)
        tty.setcbreak(self._keyboard, termios.TCSADRAIN)
        return self

    def __exit__(self, *raised: object) -> None:
        if sys.platform == "win32":
            return
        for name, handler in self._handlers.items():
            signal.signal(name, handler)
        termios.tcsetattr(self._keyboard, termios.TCSADRAIN, self._before)
        os.close(self._wakeup)
        os.close(self._waker)

    def get(self) -> str:
        """Wait for a key and return it, or END if the terminal is gone."""
        if self._waiting:
            return self._waiting.pop(0)
        if sys.platform == "win32":
            return click.getchar()
        ready, _, _ = select.select([self._keyboard, self._wakeup], [], [])
        if self._wakeup in ready:
            os.read(self._wakeup, _LONGEST)
            return REDRAW
        self._waiting += _keys_of(os.read(self._keyboard, _LONGEST))
        return self._waiting.pop(0)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Lend the restored terminal to another program."""
        if sys.platform == "win32":
            yield
            return
        self._screen(False)
        termios.tcsetattr(self._keyboard, termios.TCSADRAIN, self._before)
        try:
            yield
        finally:
            tty.setcbreak(self._keyboard, termios.TCSADRAIN)
            self._screen(True)

    def _sleep(self, number: int, frame: FrameType | None) -> None:
        with self.aside():
            os.kill(os.getpid(), signal.SIGSTOP)

    def _wake(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGCONT:
            tty.setcbreak(self._keyboard, termios.TCSADRAIN)
        try:
            os.write(self._waker, b"x")
        except BlockingIOError:
            return  # a redraw is pending already


def _leave(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _keys_of(data: bytes) -> list[str]:
    """Split input into keys. An escape sequence, like an arrow, is one key."""
    if not data:
        return [END]
    if data.startswith(b"\x1b"):
        return [data.decode("utf-8", "replace")]
    return [ENTER if key == "\n" else key for key in data.decode("utf-8", "replace")]
