"""A real terminal for tests: a program in a pty, and its screen as a person sees it."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

import pyte

from tests.programs import PATIENCE


class Terminal:
    """A program on a screen of its own. `shows` waits until a text is on it, or has left it by its upper edge since a key was pressed."""

    def __init__(self, *command, columns=80, rows=24, cwd=None, **environment):
        self.screen = pyte.HistoryScreen(columns, rows, history=1000)
        self._stream, self.raw = pyte.ByteStream(self.screen), b""
        kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            os.chdir(cwd or ".")
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execve(sys.executable, [sys.executable, "-m", "autograder", *command], {**kept, "TERM": "xterm-256color", **environment})
        self._size(columns, rows)

    def _size(self, columns, rows):
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        self._read(0)
        self.screen.resize(rows, columns)
        self._size(columns, rows)

    @property
    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    @property
    def flat(self):
        """The screen's words in one line, however they are wrapped."""
        return _flat(self.text)

    @property
    def _seen(self):
        above = ("".join(line[place].data for place in range(self.screen.columns)) for line in self.screen.history.top)
        return _flat("\n".join([*above, self.text]))

    def _read(self, seconds):
        """Take in what the program wrote; False at its end."""
        while select.select([self._master], [], [], seconds)[0]:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return False
            if not data:
                return False
            self.raw += data
            self._stream.feed(data)
            seconds = 0
        return True

    def shows(self, *texts):
        """Wait until all texts are on the screen, or were since the last key."""
        until = time.monotonic() + PATIENCE
        self._read(0)
        while not all(text in self._seen for text in texts):
            alive = self._read(0.05)
            assert all(text in self._seen for text in texts) or (alive and time.monotonic() < until), f"no {texts} in\n{self.text}"
        return self

    def press(self, keys):
        self.screen.history.top.clear()
        os.write(self._master, keys.encode())
        return self

    @property
    def modes(self):
        return termios.tcgetattr(self._master)

    def ends(self):
        """Wait for the end; give the exit status."""
        until = time.monotonic() + PATIENCE
        while self._read(0.05) and time.monotonic() < until:
            pass
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def kill(self, number=signal.SIGKILL):
        os.kill(self.pid, number)

    def close(self):
        if self.pid:
            self.kill()
            os.waitpid(self.pid, 0)
        os.close(self._master)


def _flat(text):
    return re.sub(r"\s+", " ", text)
