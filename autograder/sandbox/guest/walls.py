"""The walls around a guest, raised before the student's first line.

    landlock    reads the standard library and the named packages, writes nowhere; on newer kernels no signal and no socket leaves
    namespaces  the same by other means, where the kernel has no Landlock
    seccomp     an allow-list of system calls; whatever is not named is answered with EPERM. No file is opened to be written
    limits      memory, CPU seconds, open files, core files
    privileges  root gives up its powers: it becomes another user if it may and that user can read Python; it never keeps a capability

`prepare` does once, in the fork server, what can be done once: it opens a ruleset and compiles the filter; `enter` enters the namespaces.
`raise_walls` does the rest in each child, in an order that matters: limits and privileges need system calls that the filter denies. A wall
that cannot be raised is reported by name; the trusted side decides whether that is allowed. What the walls hold together, and which of
them holds what, is in `sandbox.properties`.
"""

import contextlib
import ctypes
import errno
import os
import signal
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from autograder.sandbox.guest import namespaces

try:
    import resource
except ImportError:  # Windows has neither limits nor the library below: there are no walls, but this module can be imported
    resource = None  # type: ignore[assignment]

WALLS = ("landlock", "seccomp", "limits", "privileges")  # without Landlock, "namespaces" takes its place

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_SECUREBITS, PR_SET_NO_NEW_PRIVS = 1, 22, 24, 28, 38
SECCOMP_MODE_FILTER = 2
SECURE_NOROOT = 0b1111  # SECBIT_NOROOT and SECBIT_NO_SETUID_FIXUP, each locked: uid 0 has no meaning any more
LAST_CAPABILITY = 63

# Landlock's rights on files (of 16 bits), and on TCP, by its version: a kernel refuses those that are newer than itself.
LANDLOCK_FILES = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
LANDLOCK_TCP, LANDLOCK_SCOPES = 4, 6  # the versions that brought them
LANDLOCK_CREATE_RULESET, LANDLOCK_ASK_VERSION = 444, 1  # a system call, and its flag
NO_LANDLOCK = {
    errno.ENOSYS: "this kernel has none: Linux 5.13 or later does",
    errno.EOPNOTSUPP: "it was not switched on when this machine was booted: add landlock to lsm= on the kernel's command line",
    errno.EPERM: "a filter around this process forbids it: in a container, take a newer runtime or another seccomp profile",
}

# Reading files that are open or that the walls let through, memory, clocks, its own signals' handlers, its own end.
ALLOWED = """
    read readv pread64 preadv preadv2 write writev lseek close close_range dup dup2 dup3 pipe pipe2
    stat lstat fstat newfstatat statx access faccessat faccessat2 readlink readlinkat getcwd getdents64
    poll ppoll select pselect6 epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd2
    mmap munmap mremap mprotect madvise brk mincore
    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending sigaltstack restart_syscall
    futex set_robust_list get_robust_list rseq sched_yield membarrier getcpu
    getpid getppid gettid getuid geteuid getgid getegid getresuid getresgid getgroups getpgrp
    uname sysinfo getrusage times nanosleep gettimeofday time getrandom getrlimit exit exit_group
""".split()
OPENED = {"open": 1, "openat": 2}  # which argument holds the flags
NOT_THERE = ("openat2", "creat")  # flags in memory, where no filter looks, or none: answered with ENOSYS, so a library tries `openat`
OF_ITSELF = ("sched_getaffinity", "getpgid", "getsid")  # only if the process asked about is 0
CLOCKS = ("clock_gettime", "clock_getres", "clock_nanosleep")  # not those of other processes, which have larger numbers
LAST_CLOCK = 11
FCNTL_ALLOWED = (0, 1, 2, 3, 4, 1030)  # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC: never F_SETOWN, F_SETSIG
IOCTL_ALLOWED = (0x5401, 0x5413, 0x541B)  # TCGETS, TIOCGWINSZ, FIONREAD

libc: Any = None
with contextlib.suppress(TypeError):  # Windows
    libc = ctypes.CDLL(None, use_errno=True)


def at_hand(wanted: Iterable[str]) -> tuple[str, ...]:
    """Return the walls to raise on this machine: where the kernel has no Landlock, namespaces take its place."""
    present = landlock_version()[0] > 0
    return tuple("namespaces" if wall == "landlock" and not present else wall for wall in wanted)


class Plan(msgspec.Struct, frozen=True):
    """What the trusted side asks for: the walls, what may be read, how much may be used, the user that a guest becomes, the cores.

    `landlock` is the version of Landlock that is used, of those that the kernel has. `packages` are offered besides the given ones.
    """

    walls: tuple[str, ...] = WALLS
    landlock: int = 1
    read: tuple[str, ...] = ()
    list_only: tuple[str, ...] = ()
    memory_bytes: int = 1 << 30
    cpu_seconds: int = 60
    user: int | None = None
    cores: tuple[int, ...] = ()  # empty: any
    packages: tuple[str, ...] = ()


class Prepared(msgspec.Struct, frozen=True):
    """What a child needs to raise its walls in a few system calls: an open ruleset, a compiled filter, limits as numbers.

    `parent`: the server's process id as its children see it. `proc`, `null`: the folder /proc and the null device, open, for children in
    whose root they are not. `missing`: the walls that could not be
    prepared, each with the reason.
    """

    plan: Plan
    parent: int
    proc: int
    null: int
    ruleset: int | None
    filter: Any
    limits: tuple[tuple[int, tuple[int, int]], ...]
    missing: dict[str, str]


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def prepare(plan: Plan) -> Prepared:
    """Open the Landlock ruleset and compile the seccomp filter, once for all children."""
    missing: dict[str, str] = {}

    def attempt(wall: str, make: Callable[[], Any]) -> Any:
        if wall not in plan.walls:
            return None
        try:
            return make()
        except Exception as error:
            missing[wall] = str(error)

    ruleset = attempt("landlock", lambda: _ruleset(plan))
    program = attempt("seccomp", _program)
    limits = attempt("limits", lambda: _limits(plan))
    proc, null = (os.open(path, os.O_PATH | os.O_CLOEXEC) for path in ("/proc", os.devnull))
    return Prepared(plan, os.getpid(), proc, null, ruleset, program, limits or (), missing)


def enter(prepared: Prepared) -> Prepared:
    """Do last what makes a server unable to do anything else: enter the namespaces, and drop what no child may have."""
    plan, parent, missing = prepared.plan, prepared.parent, dict(prepared.missing)
    if "namespaces" in plan.walls:
        try:
            namespaces.enter(plan.read, plan.list_only, die_with)
            parent = 0  # outside of its children's namespace
        except OSError as error:
            missing["namespaces"] = str(error.strerror or error)
    if "privileges" in plan.walls:
        _drop_bounds()
    return msgspec.structs.replace(prepared, parent=parent, missing=missing)


def raise_walls(prepared: Prepared) -> dict[str, str]:
    """Raise the walls around this process for good; return those that could not be raised, each with the reason."""
    plan, missing = prepared.plan, dict(prepared.missing)

    def step(wall: str, act: Callable[[], None]) -> None:
        if wall in plan.walls and wall not in missing:
            try:
                act()
            except Exception as error:
                missing[wall] = str(error)

    step("limits", lambda: _limit(prepared.limits, prepared.proc))
    step("privileges", lambda: _drop_privileges(plan.user))
    die_with(prepared.parent)  # a change of user would undo it, and the filter would deny it
    step("landlock", lambda: _restrict(prepared.ruleset))
    step("seccomp", lambda: _filter(prepared.filter))
    return missing


def open_null(prepared: Prepared) -> int:
    """Open the null device, to be this process's own: flags set on an open file apply to every process that shares it."""
    return os.open(f"self/fd/{prepared.null}", os.O_RDONLY, dir_fd=prepared.proc)


def die_with(parent: int) -> None:
    """Die when the parent does, even if it is dead already."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


# ---- Landlock


def landlock_version() -> tuple[int, str]:
    """Return the version of the kernel's Landlock; 0 if there is none to be had, and why."""
    if not hasattr(os, "O_PATH"):
        return 0, "only Linux has it"
    version = libc.syscall(ctypes.c_long(LANDLOCK_CREATE_RULESET), None, ctypes.c_size_t(0), ctypes.c_uint32(LANDLOCK_ASK_VERSION))
    return (version, "") if version > 0 else (0, NO_LANDLOCK.get(ctypes.get_errno()) or os.strerror(ctypes.get_errno()))


def _ruleset(plan: Plan) -> int:
    import py_landlock as ll

    version = plan.landlock
    files = ll.AccessFs((1 << LANDLOCK_FILES[min(version, max(LANDLOCK_FILES))]) - 1)
    tcp = ll.AccessNet.BIND_TCP | ll.AccessNet.CONNECT_TCP if version >= LANDLOCK_TCP else ll.AccessNet(0)
    scopes = ll.Scope.ABSTRACT_UNIX_SOCKET | ll.Scope.SIGNAL if version >= LANDLOCK_SCOPES else ll.Scope(0)
    ruleset = ll.create_ruleset(ll.RulesetAttr(files, tcp, scopes))
    for paths, access in ((plan.read, ll.AccessFs.READ_FILE | ll.AccessFs.READ_DIR), (plan.list_only, ll.AccessFs.READ_DIR)):
        for path in paths:
            rights = access if os.path.isdir(path) else ll.AccessFs.READ_FILE
            opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
            ll.add_rule(ruleset, ll.PathBeneathAttr(rights, opened))
            os.close(opened)
    return int(ruleset)


def _restrict(ruleset: int | None) -> None:
    import py_landlock as ll

    if ruleset is None:
        raise OSError("no ruleset")
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    ll.restrict_self(ll.RulesetFd(ruleset), None)


# ---- seccomp


def _program() -> Any:
    """Compile the allow-list to BPF. Loading the bytes in a child costs one system call; libseccomp would compile anew."""
    import pyseccomp as sc

    rules = sc.SyscallFilter(sc.ERRNO(1))
    for name in ALLOWED:
        with contextlib.suppress(ValueError):  # a call that this machine lacks
            rules.add_rule(sc.ALLOW, name)
    writing = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC | os.O_TMPFILE & ~os.O_DIRECTORY
    for name, flags in OPENED.items():
        with contextlib.suppress(ValueError):
            rules.add_rule(sc.ALLOW, name, sc.Arg(flags, sc.MASKED_EQ, writing, 0))
    for name in NOT_THERE:
        with contextlib.suppress(ValueError):
            rules.add_rule(sc.ERRNO(errno.ENOSYS), name)
    for name in OF_ITSELF:
        rules.add_rule(sc.ALLOW, name, sc.Arg(0, sc.EQ, 0))
    for name in CLOCKS:
        rules.add_rule(sc.ALLOW, name, sc.Arg(0, sc.LE, LAST_CLOCK))
    for command in FCNTL_ALLOWED:
        rules.add_rule(sc.ALLOW, "fcntl", sc.Arg(1, sc.EQ, command))
    for request in IOCTL_ALLOWED:
        rules.add_rule(sc.ALLOW, "ioctl", sc.Arg(1, sc.EQ, request))
    rules.add_rule(sc.ALLOW, "prlimit64", sc.Arg(0, sc.EQ, 0), sc.Arg(2, sc.EQ, 0))
    with open(os.memfd_create("filter"), "r+b") as file:
        rules.export_bpf(file)
        file.seek(0)
        instructions = file.read()
    return _Filter(len(instructions) // 8, instructions)


def _filter(program: Any) -> None:
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    _prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program))


# ---- limits and privileges


def _limits(plan: Plan) -> tuple[tuple[int, tuple[int, int]], ...]:
    """List what a guest may use. Memory comes on top of what the fork server has mapped, since its children inherit that."""
    with open("/proc/self/statm") as file:
        mapped = int(file.read().split()[0]) * resource.getpagesize()
    most = (
        (resource.RLIMIT_AS, mapped + plan.memory_bytes),
        (resource.RLIMIT_CPU, plan.cpu_seconds),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    )
    # A guest that has used its CPU seconds gets SIGXCPU, and is killed a second later if it ignores that.
    return tuple((limit, (amount, amount + (limit == resource.RLIMIT_CPU))) for limit, amount in most)


def _limit(limits: Iterable[tuple[int, tuple[int, int]]], proc: int) -> None:
    for limit, amounts in limits:
        resource.setrlimit(limit, amounts)
    with contextlib.suppress(OSError):
        score = os.open("self/oom_score_adj", os.O_WRONLY, dir_fd=proc)
        os.write(score, b"1000")  # when memory runs out, the kernel takes a guest first
        os.close(score)


def _drop_bounds() -> None:
    """Drop every capability from the bounding set of the server, and so of its children: no program can be started with one."""
    for capability in range(LAST_CAPABILITY + 1):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # past the last one that this kernel knows, or an ordinary user's


def _drop_privileges(user: int | None) -> None:
    """Become `user`, if there is one, and give up every capability: in a user namespace, an ordinary user has all of them."""
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    elif os.geteuid() == 0:
        with contextlib.suppress(PermissionError):  # root of a container without CAP_SETPCAP: no_new_privs gives nothing back either
            _prctl(PR_SET_SECUREBITS, SECURE_NOROOT)
    _clear_capabilities()
    _prctl(PR_SET_NO_NEW_PRIVS, 1)


def _clear_capabilities() -> None:
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    if libc.capset(header, (ctypes.c_uint32 * 6)()) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def _prctl(option: int, *arguments: Any) -> None:
    padded = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments]
    padded += [ctypes.c_ulong(0)] * (4 - len(padded))
    if libc.prctl(option, *padded) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")
