"""Terminals of Windows, played here; those of other systems are real ones, for the most part in `tests/test_review_terminal.py`."""

import ctypes
import io
import os
import pty
import signal
import sys
import types

import pytest
from rich.console import Console

from autograder.cli import terminal
from autograder.course import system
from tests.windows import Kernel


@pytest.fixture
def windows(monkeypatch):
    """Windows, whose console has these keys pressed. Gives them."""
    pressed = []
    console = types.SimpleNamespace(kbhit=lambda: bool(pressed), getwch=lambda: pressed.pop(0))
    monkeypatch.setattr(system, "WINDOWS", True)
    monkeypatch.setitem(sys.modules, "msvcrt", console)
    monkeypatch.delenv("PAGER", raising=False)
    return pressed


KEYS = {
    "a letter": (["q"], "q"),
    "Enter": (["\r"], terminal.ENTER),
    "an arrow": (["\xe0", "H"], "\xe0H"),
    "a function key": (["\x00", ";"], "\x00;"),
    "an accented letter that begins as an arrow does": (["\xe0"], "\xe0"),
    "Ctrl-Z, with which a file ends": (["\x1a"], terminal.END),
}


@pytest.mark.parametrize(("pressed", "key"), KEYS.values(), ids=KEYS)
def test_a_key_of_a_windows_console_is_one_key(windows, pressed, key):
    windows += pressed
    with terminal.keys() as keys:
        assert keys.get() == key
    assert windows == []


def test_ctrl_c_in_a_windows_console_interrupts(windows):
    windows.append("\x03")
    with terminal.keys() as keys, pytest.raises(KeyboardInterrupt):
        keys.get()


def test_a_resized_windows_console_is_drawn_again(windows, monkeypatch):
    sizes = [os.terminal_size((80, 24)), os.terminal_size((80, 24)), os.terminal_size((60, 24))]
    monkeypatch.setattr(terminal.shutil, "get_terminal_size", lambda: sizes.pop(0))
    monkeypatch.setattr(terminal, "_LOOK", 0)
    with terminal.keys() as keys:
        assert keys.get() == terminal.REDRAW


def test_another_program_gets_the_screen_of_a_windows_console_for_a_while(windows):
    told = []
    with terminal.keys(told.append) as keys, keys.aside():
        told.append("aside")
    assert told == [False, "aside", True]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGWINCH, signal.SIGCONT])
def test_a_signal_just_before_a_key_is_awaited_ends_the_wait(monkeypatch, number):
    """Python's handler may have run by then, or be still to run: what waits has to return for either."""
    keyboard, behind = pty.openpty()
    before = signal.getsignal(number)
    with open(behind, closefd=False) as typed, monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", typed)
        with terminal.keys() as keys:
            assert not keys.wait(0)
            signal.signal(number, lambda *_: None)
            signal.raise_signal(number)
            assert keys.wait(0)
            assert keys.get() == terminal.REDRAW
            assert not keys.wait(0)
    signal.signal(number, before)
    os.close(keyboard)
    os.close(behind)


def test_windows_own_pager_is_not_used_but_another_is(windows, monkeypatch):
    """`more` shows neither colours nor Greek letters."""
    console = Console(file=io.StringIO())
    paged = []
    monkeypatch.setattr(console, "pager", lambda styles: paged.append(styles) or terminal.nullcontext())
    terminal.paged(console, "-R")
    assert paged == []
    monkeypatch.setenv("PAGER", "less")
    terminal.paged(console, "-R")
    assert paged == [True]


@pytest.fixture
def prepared(windows, monkeypatch):
    """Prepare a terminal whose standard output is encoded so; gives the encoding that it has then."""
    kernel = Kernel()
    kernel.modes[-12] = 7
    monkeypatch.setattr(ctypes, "windll", types.SimpleNamespace(kernel32=kernel), raising=False)
    monkeypatch.setattr(signal, "SIGBREAK", signal.SIGUSR1, raising=False)
    before = signal.getsignal(signal.SIGUSR1)

    def prepare(encoding="cp1252", console=False):
        stream = io.TextIOWrapper(io.BytesIO(), encoding)
        stream.isatty = lambda: console
        monkeypatch.setattr(sys, "stdout", stream)
        terminal.prepare()
        print("β ✓")
        return stream.encoding, kernel.modes

    yield prepare
    signal.signal(signal.SIGUSR1, before)


def test_an_old_windows_console_shows_colours(prepared):
    """Rich and click look at the same bit."""
    assert prepared()[1] == {-11: 7, -12: 7}


def test_ctrl_break_ends_a_command_as_ctrl_c_does(prepared):
    prepared()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGUSR1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_who_asks_a_command_to_end_is_heard_as_ctrl_c_is_but_not_what_nohup_ignores(number):
    before = signal.signal(number, signal.SIG_DFL)
    terminal.prepare()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    signal.signal(number, signal.SIG_IGN)
    terminal.prepare()
    signal.raise_signal(number)
    signal.signal(number, before)


def test_what_goes_into_a_pipe_on_windows_is_utf_8(prepared, monkeypatch):
    """Not an old code page, which has no β. A console has its own way, and an encoding that somebody chose stays."""
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    assert prepared()[0] == "utf-8"
    assert prepared(console=True)[0] == "cp1252"
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    assert prepared()[0] == "cp1252"
