"""A root directory that holds nothing but what guests may read, for kernels without Landlock.

A fork server enters new namespaces once, and its guests are born in them, so they cost a guest nothing:

    mount       an empty, read-only root, into which each path that may be read is bound read-only
    pid         no process outside has a number, so none can be named
    ipc, net    no shared memory, queue, abstract socket or network of the machine's

An ordinary user needs a user namespace to do this, which some systems forbid; root needs the capability CAP_SYS_ADMIN. The server itself
stays outside the new pid namespace, so it knows its guests by the numbers that its supervisor knows.
"""

import ctypes
import errno
import os
import subprocess
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

NEW_MOUNTS, NEW_IPC, NEW_USER, NEW_PIDS, NEW_NETWORK = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
READ_ONLY, NO_SUID, NO_DEVICES, NO_EXEC, REMOUNT, BIND, RECURSIVE, PRIVATE = 1, 2, 4, 8, 0x20, 0x1000, 0x4000, 1 << 18
DETACH = 2
ROOT, OLD = "/tmp", "/old"  # where the new root is mounted at first; where the old one is meanwhile


def enter(read: Collection[str], list_only: Collection[str], die_with: Callable[[int], None]) -> None:
    """Enter new namespaces for good. The next children are in them, with nothing to read but these paths. Raise `OSError` if it fails."""
    shown = _outermost({Path(path) for path in read} | {Path(path).resolve(strict=True) for path in read})
    bound = {path: path.resolve() for path in shown}
    listed = {path for path in map(Path, list_only) if shown.isdisjoint((path, *path.parents))}
    user, group = os.geteuid(), os.getegid()
    _check("unshare", NEW_MOUNTS | NEW_IPC | NEW_PIDS | NEW_NETWORK | (NEW_USER if user else 0))
    if user:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    _start_the_first(die_with)
    _mount(None, "/", None, RECURSIVE | PRIVATE)
    _mount("tmpfs", ROOT, "tmpfs", NO_SUID | NO_DEVICES, b"mode=755,size=1m")
    os.mkdir(ROOT + OLD)
    _check("pivot_root", ROOT.encode(), (ROOT + OLD).encode())
    os.chdir("/")
    os.umask(0o022)
    for path in listed:
        path.mkdir(parents=True, exist_ok=True)
    for path, real in bound.items():
        _bind(f"{OLD}{real}", str(path))
    _check("umount2", OLD.encode(), DETACH)
    os.rmdir(OLD)
    for above in {parent for path in listed | shown for parent in path.parents} - listed:
        above.chmod(0o111)  # on the way to what may be read
    _mount(None, "/", None, REMOUNT | BIND | READ_ONLY | NO_SUID | NO_DEVICES)


def _outermost(paths: set[Path]) -> set[Path]:
    """Leave out what lies below another path."""
    return {path for path in paths if paths.isdisjoint(path.parents)}


def _start_the_first(die_with: Callable[[int], None]) -> None:
    """Start process 1 of the new pid namespace, without which it has no others. It waits until it dies with this process.

    It is a program of its own: a fork would keep this process's memory shared, and each guest would pay for that.
    """
    receive, send = os.pipe()  # it holds both ends, so nothing ever comes
    command = ["/bin/sh", "-c", "echo; read nothing"]
    with open(receive, "rb") as silence, open(send, "wb"):
        first = subprocess.Popen(command, stdin=silence, stdout=subprocess.PIPE, pass_fds=[send], preexec_fn=lambda: die_with(0))
    assert first.stdout
    with first.stdout as started:
        if not started.read(1):
            raise OSError(errno.ECHILD, "the first process of the namespace did not start")


def _bind(source: str, path: str) -> None:
    """Bind a file or folder to a new, empty one of this name."""
    folder = os.path.isdir(source)
    os.makedirs(path if folder else os.path.dirname(path), exist_ok=True)
    if not folder:
        os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o444))
    _mount(source, path, None, BIND | RECURSIVE)
    kept = os.statvfs(path).f_flag & NO_EXEC  # what an outer namespace set may not be dropped
    _mount(None, path, None, REMOUNT | BIND | READ_ONLY | NO_SUID | NO_DEVICES | kept)


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: bytes | None = None) -> None:
    _check("mount", source and source.encode(), target.encode(), kind and kind.encode(), ctypes.c_ulong(flags), data)


def _check(name: str, *arguments: Any) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
