"""A root directory that holds nothing but what guests may read, for kernels without Landlock.

A fork server enters new namespaces once, and its guests are born in them, so they cost a guest nothing:

    mount       an empty, read-only root, into which each path that may be read is bound read-only
    pid         no process outside has a number, so none can be named
    ipc, net    no shared memory, queue, abstract socket or network of the machine's

An ordinary user needs a user namespace to do this, which some systems forbid; root needs the capability CAP_SYS_ADMIN. The server itself
stays outside the new pid namespace, so it knows its guests by the numbers that its supervisor knows.
"""

import ctypes
import os
import signal
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NoReturn

NEW_MOUNTS, NEW_IPC, NEW_USER, NEW_PIDS, NEW_NETWORK = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
READ_ONLY, NO_SUID, NO_DEVICES, NO_EXEC, REMOUNT, BIND, RECURSIVE, PRIVATE = 1, 2, 4, 8, 0x20, 0x1000, 0x4000, 1 << 18
DETACH = 2
ROOT, OLD = "/tmp", "/old"  # where the new root is mounted at first; where the old one is meanwhile


def enter(read: Collection[str], list_only: Collection[str], die_with: Callable[[int], None]) -> None:
    """Enter new namespaces for good. The next children are in them, with nothing to read but these paths. Raise `OSError` if it fails."""
    bound = [(path, os.path.realpath(path, strict=True)) for path in read]
    user, group = os.geteuid(), os.getegid()
    _check("unshare", NEW_MOUNTS | NEW_IPC | NEW_PIDS | NEW_NETWORK | (NEW_USER if user else 0))
    if user:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    _mount(None, "/", None, RECURSIVE | PRIVATE)
    _mount("tmpfs", ROOT, "tmpfs", NO_SUID | NO_DEVICES, b"mode=755,size=1m")
    os.mkdir(ROOT + OLD)
    _check("pivot_root", ROOT.encode(), (ROOT + OLD).encode())
    os.chdir("/")
    os.umask(0o022)
    for path in list_only:
        os.makedirs(path, exist_ok=True)
    for path, real in bound:
        _bind(OLD + real, path)
    _check("umount2", OLD.encode(), DETACH)
    os.rmdir(OLD)
    for above in {parent for path in (*list_only, *read) for parent in Path(path).parents} - set(map(Path, list_only)):
        above.chmod(0o111)  # on the way to what may be read
    _mount(None, "/", None, REMOUNT | BIND | READ_ONLY | NO_SUID | NO_DEVICES)
    if os.fork() == 0:
        _be_the_first(die_with)


def _be_the_first(die_with: Callable[[int], None]) -> NoReturn:
    """Be process 1 of the new namespace, which ends with this process. It does nothing, and ends with the server."""
    die_with(0)
    os.closerange(0, 1 << 16)
    while True:
        signal.pause()


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
