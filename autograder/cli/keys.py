"""The keyboard of a terminal, key by key, and word of it when the screen must be drawn again.

Between `with` and its end the terminal gives each key at once and shows none; Ctrl-C, Ctrl-Z and the rest work as ever. It is put
back as it was whatever happens, and while the program sleeps.
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

ENTER, AGAIN, END = "\r", "", "\x04"
_LONGEST = 64  # bytes of one reading: a person types no more at once


class Keys:
    """The keys of a person. `get` gives one, or AGAIN where the window has another size or the program was asleep.

    `screen` is called with False when the terminal is lent to another program, or this one is put to sleep, and with True afterwards.
    """

    def __init__(self, screen: Callable[[bool], object] = bool):
        self._screen = screen

    def __enter__(self) -> Self:
        self._waiting: list[str] = []
        if sys.platform == "win32":
            return self
        self._keyboard = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._keyboard)
        self._told, self._tell = os.pipe()
        os.set_blocking(self._tell, False)
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
        os.close(self._told)
        os.close(self._tell)

    def get(self) -> str:
        """Wait for a key. END where the terminal is gone."""
        if self._waiting:
            return self._waiting.pop(0)
        if sys.platform == "win32":
            return click.getchar()
        ready, _, _ = select.select([self._keyboard, self._told], [], [])
        if self._told in ready:
            os.read(self._told, _LONGEST)
            return AGAIN
        self._waiting += _keys_of(os.read(self._keyboard, _LONGEST))
        return self._waiting.pop(0)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Lend the terminal to another program, as it was."""
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
            os.write(self._tell, b"x")
        except BlockingIOError:
            return  # it was told often enough


def _leave(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _keys_of(data: bytes) -> list[str]:
    """Divide what was read into keys; one of several bytes, like an arrow, is one key that nothing means."""
    if not data:
        return [END]
    if data.startswith(b"\x1b"):
        return [data.decode("utf-8", "replace")]
    return [ENTER if key == "\n" else key for key in data.decode("utf-8", "replace")]
