"""Run commands as Windows runs them, as far as that can be had elsewhere: `python -m tests.windows '[[["start", "here"], []], ...]'`.

What Windows lacks is taken away once the libraries have looked which system this is, and before the engine does; a guest lacks it too.
A console whose keys are given stands in for the real one. After each command, a line holds its name and exit status.
"""

import asyncio
import ctypes
import importlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import types
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[1])
MODULES = "curses fcntl grp posix pty pwd readline resource syslog termios tty py_landlock pyseccomp torch".split()
ATTRIBUTES = {
    os: """chown fchmod fchown fork forkpty getegid geteuid getgid getpgid getuid killpg mkfifo nice register_at_fork
        sched_getaffinity set_blocking setgroups setresuid setsid sysconf uname wait4 O_CLOEXEC O_DIRECTORY O_NOFOLLOW O_NONBLOCK""",
    signal: """SIGALRM SIGCHLD SIGCONT SIGHUP SIGKILL SIGPIPE SIGPROF SIGQUIT SIGSTOP SIGTSTP SIGUSR1 SIGUSR2 SIGWINCH SIGXCPU
        alarm pthread_sigmask setitimer""",
    importlib.import_module("select"): "epoll poll",
    importlib.import_module("socket"): "SOCK_SEQPACKET recv_fds send_fds",
    importlib.import_module("time"): "clock_gettime tzset",
}
LIBRARIES = """anyio._backends._asyncio multiprocessing.connection numpy platform platformdirs rich.console shutil tempfile threading
    uvicorn.lifespan.on uvicorn.loops.asyncio uvicorn.protocols.http.auto watchfiles webbrowser zoneinfo"""
GUEST = f"import sys; sys.path.insert(0, {ROOT!r}); from tests.windows import take_away; take_away('numpy shutil tempfile threading'); "


def take_away(libraries):
    """Import these libraries, and make this process lack what Windows lacks."""
    for name in libraries.split():
        importlib.import_module(name)
    ctypes.CDLL.__init__ = without_own_symbols(ctypes.CDLL.__init__)
    subprocess.Popen.kill = subprocess.Popen.terminate
    shutil._use_fd_functions = False
    for module, names in ATTRIBUTES.items():
        for name in names.split():
            vars(module).pop(name, None)
    sys.modules.update(dict.fromkeys(MODULES))


def without_own_symbols(load):
    def refuse(self, name, *arguments, **more):
        if name is None:
            raise TypeError("expected str, bytes or os.PathLike object, not NoneType")
        load(self, name, *arguments, **more)

    return refuse


class Kernel:
    """The console's modes."""

    def __init__(self):
        self.modes = {-11: 3, -12: 3}

    def GetStdHandle(self, number):
        return number

    def GetConsoleMode(self, stream, mode):
        mode._obj.value = self.modes[stream]
        return True

    def SetConsoleMode(self, stream, mode):
        self.modes[stream] = mode


def be_windows(pressed):
    """Become a Windows in whose console the listed keys are pressed."""
    take_away(LIBRARIES)
    console = types.ModuleType("msvcrt")
    console.kbhit, console.getwch = lambda: bool(pressed), lambda: pressed.pop(0)
    console.LK_NBLCK, console.locking = 2, lambda held, mode, count: None
    sys.modules["msvcrt"] = console
    shutil._winapi = types.SimpleNamespace(NeedCurrentDirectoryForExePath=lambda name: True)  # Python 3.12 asks it
    ctypes.windll = types.SimpleNamespace(kernel32=Kernel())
    signal.SIGBREAK = signal.SIGTERM
    asyncio.ProactorEventLoop = asyncio.SelectorEventLoop
    sys.platform = "win32"


def run(command, typed, pressed):
    """Run a command; `typed` are lines for its standard input, or the keys that are pressed in a console."""
    from autograder.cli.main import main

    pressed[:] = typed
    sys.stdin = io.TextIOWrapper(io.BytesIO("\n".join(typed).encode()))
    sys.stdin.isatty = sys.stdout.isatty = lambda: command[0] == "review"
    try:
        return main(command, standalone_mode=False)
    except SystemExit as left:
        return left.code


def run_all(commands):
    """Run commands with what is typed in each, in the folder that the first one makes."""
    pressed = []
    be_windows(pressed)
    from autograder.sandbox import local

    local.BOOT = GUEST + local.BOOT
    for command, typed in commands:
        print(f"-- {command[0]}: {int(run(command, typed, pressed) or 0)}", flush=True)
        if command[0] == "start":
            os.chdir(command[1])


if __name__ == "__main__":
    run_all(json.loads(sys.argv[1]))
