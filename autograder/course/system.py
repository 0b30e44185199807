"""What differs between operating systems: which one this is, locks, moving a file into place, names of files, words of a shell.

Other modules ask here instead of comparing names of systems; terminals are the business of `cli.terminal`, and the untrusted side, which
imports nothing of this, looks for what it needs.
"""

import os
import shlex
import sys
import time
import unicodedata
from importlib import import_module
from pathlib import Path

LINUX, WINDOWS = sys.platform == "linux", sys.platform == "win32"  # only Linux has walls
PATIENCE, LOOK = 2.0, 0.02  # seconds to wait for a file that another program has open; between two tries
LONGEST_NAME = 80  # characters: four bytes each at most, and there is an ending too
_DEVICES = ("CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", *(f"{port}{one}" for port in ("COM", "LPT") for one in "123456789¹²³"))


def lock(folder: Path) -> int:
    """Lock a folder until the returned descriptor is closed. Raise `BlockingIOError` if another process has it locked.

    Windows locks no folders, so a file in it is locked, which stays.
    """
    held = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600) if WINDOWS else os.open(folder, os.O_RDONLY)
    try:
        if WINDOWS:
            console = import_module("msvcrt")
            console.locking(held, console.LK_NBLCK, 1)
        else:
            fcntl = import_module("fcntl")
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(held)
        if isinstance(error, BlockingIOError | PermissionError):  # as Windows calls it
            raise BlockingIOError(error.errno, error.strerror) from None
        raise
    return held


def move(source: Path, target: Path) -> None:
    """Move a file to where another may be. Windows refuses that while a program has the other one open, as a virus scanner does."""
    until = time.monotonic() + (PATIENCE if WINDOWS else 0)
    while True:
        try:
            source.replace(target)
        except PermissionError:
            if time.monotonic() >= until:
                raise
            time.sleep(LOOK)
        else:
            return


def file_name(text: str) -> str:
    """Return a text as a file's name without its ending, which every file system takes; an empty text if nothing of it can stay."""
    composed = unicodedata.normalize("NFC", text)  # a Mac's accents are letters of their own
    name = "".join(c if c.isalnum() or c in " -_.'" else "-" for c in composed)[:LONGEST_NAME].strip(" .")
    return f"-{name}" if name.partition(".")[0].rstrip().upper() in _DEVICES else name


def from_here(path: Path) -> str:
    """Return a path relative to the current folder; as it is, if it lies on another drive."""
    try:
        return os.path.relpath(path)
    except ValueError:  # Windows
        return str(path)


def as_text(name: str) -> str:
    """Return a name that the system gave as text that can be written: bytes that are no UTF-8 are replaced."""
    return os.fsencode(name).decode("utf-8", errors="replace")


def shell_word(text: str) -> str:
    """Return a text as one word of a command to paste."""
    if not WINDOWS:
        return shlex.quote(text)
    return f'"{text}"' if not text or set(text) & set(" \t&()[]{}^=;!'+,`~@#$") else text
