"""What the walls hold, as properties: each with the walls that hold it by themselves, and what is tried in a guest to see that it stands.

A kernel that lacks a wall, or has an older Landlock, can still hold every property by other means. `examine` doesn't believe a version
number: it opens a guest, lets it try everything in the table on bait, and looks at its process from outside. Grading needs every property.
"""

import contextlib
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from autograder.course.errors import SandboxFault, WallsMissing
from autograder.course.policy import Limits
from autograder.sandbox.guest import walls
from autograder.sandbox.guest.walls import WALLS
from autograder.sandbox.servers import Server, free_user

LINUX = {1: "5.13", 2: "5.19", 3: "6.2", 4: "6.7", 5: "6.10", 6: "6.12"}  # the kernel that brought each version of Landlock
HINTS = (  # a setting that forbids user namespaces, its value then, and what to do
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"),
    ("kernel/unprivileged_userns_clone", "0", "sudo sysctl -w kernel.unprivileged_userns_clone=1"),
    ("user/max_user_namespaces", "0", "sudo sysctl -w user.max_user_namespaces=10000"),
)
PROBE = b"""
import _thread, ctypes, errno, fcntl, mmap, os, resource, signal, socket

libc = ctypes.CDLL(None, use_errno=True)


def asked(name, *arguments, reached=()):
    ctypes.set_errno(0)
    if getattr(libc, name)(*arguments) == -1 and ctypes.get_errno() not in reached:
        raise OSError(ctypes.get_errno(), name)


def through(attempts, bait):
    names = []
    for attempt in attempts:
        try:
            eval(attempt, globals(), bait)
        except BaseException:
            continue
        names.append(attempt)
    return names
"""


class Property(msgspec.Struct, frozen=True):
    """Something that no submission can do, and how that is tried.

    held_by: the walls that hold it alone; for Landlock the version from which on it does
    attempts: expressions, each of which raises an exception in a guest where the property stands; the names in them are `Bait`'s
    """

    name: str
    promise: str
    held_by: Mapping[str, int]
    attempts: tuple[str, ...]

    def holders(self, raised: tuple[str, ...], landlock: int) -> tuple[str, ...]:
        """Return those of the raised walls that hold it."""
        return tuple(wall for wall in raised if wall in self.held_by and (wall != "landlock" or landlock >= self.held_by[wall]))


PROPERTIES = (
    Property(
        "reading",
        "no file is read but the standard library and the named packages",
        {"landlock": 1, "namespaces": 0},
        ("open(secret).read()", "os.listdir(closed)", "open('/etc/passwd').read()"),
    ),
    Property(
        "writing",
        "no file is written, created, moved, removed or truncated",
        {"landlock": 3, "namespaces": 0, "seccomp": 0},
        (
            "os.open(seen, os.O_WRONLY)",
            "os.open(seen, os.O_RDONLY | os.O_TRUNC)",
            "os.open(secret, os.O_WRONLY)",
            "os.open(folder + '/new', os.O_RDONLY | os.O_CREAT)",
            "os.mkdir(folder + '/new folder')",
            "os.truncate(seen, 0)",
            "os.rename(seen, seen + ' moved')",
            "os.unlink(spare)",
        ),
    ),
    Property(
        "metadata",
        "no file's mode, owner, times, attributes or links change",
        {"namespaces": 0, "seccomp": 0},
        ("os.chmod(spot, 0o777)", "os.utime(spot)", "os.setxattr(spot, 'user.bait', b'')", "os.link(spot, spot + ' link')"),
    ),
    Property(
        "signals",
        "no signal reaches another process",
        {"landlock": 6, "namespaces": 0, "seccomp": 0},
        ("os.kill(victim, 0)", "signal.pidfd_send_signal(os.pidfd_open(victim), 0)"),
    ),
    Property(
        "other processes",
        "no other process is looked at, traced or changed",
        {"namespaces": 0, "seccomp": 0},
        ("os.sched_getaffinity(victim)", "os.getpgid(victim)", "resource.prlimit(victim, resource.RLIMIT_NOFILE)"),
    ),
    Property(
        "abstract sockets",
        "no abstract socket is reached",
        {"landlock": 6, "namespaces": 0, "seccomp": 0},
        ("socket.socket(socket.AF_UNIX).connect(abstract)",),
    ),
    Property(
        "TCP",
        "no TCP connection is made",
        {"landlock": 4, "namespaces": 0, "seccomp": 0},
        ("socket.create_connection(('127.0.0.1', port))",),
    ),
    Property(
        "sockets",
        "no socket of any kind is made",
        {"seccomp": 0},
        (
            "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
            "socket.socket(socket.AF_UNIX)",
            "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        ),
    ),
    Property(
        "devices",
        "no device is controlled (ioctl)",
        {"landlock": 5, "namespaces": 0, "seccomp": 0},
        ("asked('ioctl', os.open(device, os.O_RDONLY), 0x5412, b' ', reached=[errno.ENOTTY])",),
    ),
    Property(
        "new processes",
        "no process, thread or program is started",
        {"seccomp": 0},
        ("os.fork() or os._exit(0)", "_thread.start_new_thread(int, ())"),
    ),
    Property(
        "the kernel",
        "no namespace, shared memory or watch is had of the kernel",
        {"seccomp": 0},
        ("asked('unshare', 0)", "os.memfd_create('bait')", "asked('inotify_init1', 0)", "asked('personality', -1)"),
    ),
    Property(
        "capabilities",
        "no capability is held, and none can be gained",
        {"privileges": 0},
        (),  # seen from outside
    ),
    Property(
        "resources",
        "memory, CPU time and open files are limited",
        {"limits": 0},
        (
            "mmap.mmap(-1, memory)",
            "[os.dup(0) for _ in range(100)]",
            "resource.getrlimit(resource.RLIMIT_CPU)[0] == resource.RLIM_INFINITY or 1 / 0",
        ),
    ),
)


class Examination(msgspec.Struct, frozen=True):
    """What stands on this machine.

    walls: those that were asked for and stand; missing: the others, each with the reason
    through: the properties that do not stand, each with what got through
    no_landlock: why the kernel's Landlock cannot be used, if so
    """

    walls: tuple[str, ...]
    landlock: int
    missing: dict[str, str]
    through: dict[str, tuple[str, ...]]
    no_landlock: str = ""

    @property
    def faults(self) -> dict[str, str]:
        """What keeps untrusted code from being run here: walls and properties, each with the reason."""
        return self.missing | {name: f"got through: {', '.join(attempts)}" for name, attempts in self.through.items()}

    @property
    def better(self) -> dict[str, tuple[str, ...]]:
        """The kernels with which Landlock would hold more, each with the names of those properties."""
        if not self.landlock:
            return {}
        newer = [(kept.held_by["landlock"], kept.name) for kept in PROPERTIES if kept.held_by.get("landlock", 0) > self.landlock]
        return {LINUX[since]: tuple(name for version, name in newer if version == since) for since in sorted({since for since, _ in newer})}


def examine(limits: Limits, wanted: tuple[str, ...] = WALLS) -> Examination:
    """Raise the wanted walls around a guest and let it try everything. Raise `SandboxFault` if nothing runs."""
    version, why = walls.landlock_version()
    raised = walls.at_hand(wanted)
    user = free_user(0) if "privileges" in raised else None
    try:
        with _bait(user, limits) as (bait, seen), Server(profile="numpy", limits=limits, wanted=wanted, user=user, also=seen) as server:
            through = _tried(server, bait)
    except WallsMissing as error:
        missing = dict(error.missing)
        if "namespaces" in missing:
            missing = {"landlock": why, "namespaces": f"{missing['namespaces']}{userns_hint()}"} | missing
        return Examination(tuple(wall for wall in raised if wall not in missing), version, missing, {}, why)
    return Examination(raised, version, {}, through, why)


def missing_walls(limits: Limits, wanted: tuple[str, ...] = WALLS) -> dict[str, str]:
    """Return what keeps untrusted code from being run here: walls that are missing, and properties that do not stand if all are wanted."""
    found = examine(limits, wanted)
    return found.faults if set(WALLS) <= set(wanted) else found.missing


@contextlib.contextmanager
def _bait(user: int | None, limits: Limits) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
    """Lay out what a guest tries to get at, as its own user's where that matters; return also what it may read of it."""
    with contextlib.ExitStack() as stack:
        closed, folder = (Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bait-"))) for _ in range(2))
        for file in (closed / "secret", folder / "seen", folder / "spare", folder / "spot"):
            file.write_text("bait")
        for path in (closed, folder, *closed.iterdir(), *folder.iterdir()):
            path.chmod(0o777)
            if user is not None:
                os.chown(path, user, -1)
        port = 9
        with contextlib.suppress(OSError):  # there is no network at all
            port = stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind("")  # the kernel chooses a name
        abstract.listen()
        victim = stack.enter_context(subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, user=user))  # ends with us
        stack.callback(victim.kill)
        names = {name: str(folder / name) for name in ("seen", "spare", "spot")}
        paths = names | {"secret": str(closed / "secret"), "closed": str(closed), "folder": str(folder), "device": "/dev/zero"}
        numbers = {"victim": victim.pid, "port": port, "memory": (limits.memory_mib + 1024) << 20}
        yield paths | numbers | {"abstract": abstract.getsockname().decode()}, (str(folder), "/dev/zero")


def _tried(server: Server, bait: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Let one guest try everything; return the properties that do not stand, with what got through."""
    with server.open() as guest:
        status = dict(line.split(":", 1) for line in Path(f"/proc/{guest.pid}/status").read_text().splitlines())
        guest.load("probe", PROBE)
        through = {kept.name: guest.call(("probe", "through"), (list(kept.attempts), bait), {}) for kept in PROPERTIES}
    for name, outcome in through.items():
        if outcome.kind != "returned":
            raise SandboxFault(f"the attempt at {name} ended otherwise than expected: {outcome.kind} {outcome.detail}")
    found = {name: tuple(outcome.value) for name, outcome in through.items()}
    found["capabilities"] = tuple(name for name in ("CapPrm", "CapEff", "CapInh", "CapAmb") if int(status[name], 16))
    if status["NoNewPrivs"].strip() != "1":
        found["capabilities"] += ("new privileges",)
    return {name: names for name, names in found.items() if names}


def userns_hint(settings: Path = Path("/proc/sys")) -> str:
    """Say what to do if a setting of this system forbids user namespaces, which everybody but root needs."""
    for setting, forbids, fix in HINTS:
        with contextlib.suppress(OSError):
            if os.geteuid() != 0 and (settings / setting).read_text().strip() == forbids:
                return f"; {setting.replace('/', '.')} is {forbids}: {fix}"
    return ""
