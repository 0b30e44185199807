"""`python -m tests.containers RUNTIME COMMAND...`: run a command as a container runtime's defaults would, without a container.

The command gets the capabilities that the runtime leaves to root, or none and `no_new_privs` as any other user, and a seccomp filter that
denies what the runtime's default profile denies. The tables say in our words what Docker and Podman document of their defaults, for x86-64
and kernels since 4.8; a call that they don't name is allowed, as nearly all of the kernel's calls are in both profiles.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from contextlib import suppress
from dataclasses import dataclass

PR_CAPBSET_READ, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, LAST_CAPABILITY = 23, 24, 38, 63
CLONE_FLAGS = (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)  # each makes a namespace
LANDLOCK = ("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self")

# What both deny to whoever lacks the capability for it, and default containers do.
DENIED = """
    acct add_key bpf clock_settime create_module delete_module fanotify_init finit_module fsconfig fsmount fsopen fspick get_kernel_syms
    get_mempolicy init_module io_uring_enter io_uring_register io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie
    mbind mount mount_setattr move_mount move_pages nfsservctl open_by_handle_at open_tree perf_event_open pidfd_getfd pivot_root
    process_madvise query_module quotactl quotactl_fd reboot request_key set_mempolicy setdomainname sethostname setns settimeofday
    swapoff swapon sysfs syslog umount2 unshare uselib userfaultfd ustat vhangup
""".split()
CAPABILITIES = {  # by their numbers in linux/capability.h
    "docker": (0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31),
    "podman": (0, 1, 3, 4, 5, 6, 7, 8, 10, 18, 31),
    "user": (),  # with --user, --cap-drop all and --security-opt no-new-privileges, in either
}


@dataclass(frozen=True)
class Runtime:
    """Its defaults: how a call that its profile doesn't know is answered, what root keeps, if new privileges can be had, what is denied."""

    answer: int
    capabilities: tuple[int, ...]
    new_privileges: bool = True
    denied: tuple[str, ...] = (*DENIED, "clone")


RUNTIMES = {
    "docker": Runtime(errno.EPERM, CAPABILITIES["docker"]),
    "podman": Runtime(errno.ENOSYS, CAPABILITIES["podman"]),
    "user": Runtime(errno.EPERM, CAPABILITIES["user"], new_privileges=False),
    "none": Runtime(errno.ENOSYS, tuple(range(LAST_CAPABILITY + 1)), denied=()),  # `none:old` is a machine with an older kernel
}


def enclose(runtime: Runtime, unknown: tuple[str, ...] = ()) -> None:
    """Take from this process what the runtime takes; `unknown` are calls that its profile doesn't know besides."""
    import pyseccomp as sc

    rules = sc.SyscallFilter(sc.ALLOW)
    rules.set_attr(sc.Attr.CTL_NNP, 0)
    for name in {*runtime.denied, *unknown} - {"clone"}:
        with suppress(ValueError):  # a call that this machine lacks
            rules.add_rule(sc.ERRNO(runtime.answer), name)
    for flag in CLONE_FLAGS if "clone" in runtime.denied else ():
        rules.add_rule(sc.ERRNO(errno.EPERM), "clone", sc.Arg(0, sc.MASKED_EQ, flag, flag))
    rules.add_rule(sc.ERRNO(errno.ENOSYS), "clone3")
    rules.add_rule(sc.ERRNO(errno.EINVAL), "socket", sc.Arg(0, sc.EQ, 40))  # AF_VSOCK
    libc = ctypes.CDLL(None, use_errno=True)
    if not runtime.new_privileges or os.geteuid() != 0:
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    bounds = [capability for capability in range(LAST_CAPABILITY + 1) if libc.prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1]
    kept = sum(1 << capability for capability in bounds if capability in runtime.capabilities) if os.geteuid() == 0 else 0
    for capability in bounds:
        if not kept >> capability & 1:
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    rules.load()  # as long as this process may
    low, high = kept & 0xFFFFFFFF, kept >> 32
    if libc.capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(low, low, 0, high, high, 0)) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def main(runtime: str, *command: str) -> None:
    """Enclose this process and become the command. With `RUNTIME:old`, the runtime's profile or the kernel doesn't know Landlock."""
    name, _, old = runtime.partition(":")
    enclose(RUNTIMES[name], LANDLOCK if old else ())
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
