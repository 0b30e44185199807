"""Attacks on the walls themselves: system calls that reach other processes, the network, or rights that were given up."""

from .attack import Attack, trying

# id, promise, the tries: lines of (what, call)
TRIES = (
    ("signals", "No signal reaches another process: not the server, not the grader, not a stranger, not all", """
for pid in (PARENT, @SUPERVISOR@, *@VICTIMS@, 1, -1, 0):
    attempt(f"kill {pid}", lambda: os.kill(pid, 0))
    attempt(f"killpg {pid}", lambda: os.killpg(pid if pid > 1 else PARENT, 0))
    attempt(f"tkill {pid}", lambda: call("tkill", pid, 0))
    attempt(f"tgkill {pid}", lambda: call("tgkill", pid, pid, 0))
    attempt(f"pidfd_open {pid}", lambda: call("pidfd_open", pid, 0))
    attempt(f"rt_sigqueueinfo {pid}", lambda: call("rt_sigqueueinfo", pid, 0, ctypes.create_string_buffer(128)))
    attempt(f"rt_tgsigqueueinfo {pid}", lambda: call("rt_tgsigqueueinfo", pid, pid, 0, ctypes.create_string_buffer(128)))
for pid in @VICTIMS@:
    attempt(f"kill -9 {pid}", lambda: os.kill(pid, 9))
attempt("pidfd_send_signal", lambda: call("pidfd_send_signal", 3, 0, 0, 0))
"""),
    ("signal-owner", "F_SETOWN, F_SETSIG and their kin aim no signal at a stranger", """
import fcntl
reading, writing = os.pipe()
for pid in (PARENT, *@VICTIMS@):
    for fd in (reading, writing, 1, 3):
        attempt(f"F_SETOWN {pid}", lambda: fcntl.fcntl(fd, fcntl.F_SETOWN, pid))
        attempt(f"F_SETOWN_EX {pid}", lambda: call("fcntl", fd, 15, (ctypes.c_int * 2)(1, pid)))
        attempt(f"F_SETOWN above 32 bits {pid}", lambda: call("fcntl", fd, (1 << 32) + 8, pid))
        attempt(f"FIOSETOWN {pid}", lambda: call("ioctl", fd, 0x8901, (ctypes.c_int * 1)(pid)))
        attempt(f"SIOCSPGRP {pid}", lambda: call("ioctl", fd, 0x8902, (ctypes.c_int * 1)(pid)))
attempt("F_SETSIG", lambda: fcntl.fcntl(reading, 10, 9))
attempt("F_SETLEASE", lambda: fcntl.fcntl(reading, 1024, 1))
attempt("F_NOTIFY", lambda: fcntl.fcntl(reading, 1026, 1))
fcntl.fcntl(reading, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
os.write(writing, b"x")
"""),
    ("new-processes", "No process is born: fork, clone, spawn, exec, shells, pools", """
import multiprocessing, subprocess, pty
attempt("fork", lambda: os.fork() or os._exit(0))
attempt("vfork", lambda: call("vfork"))
attempt("clone", lambda: call("clone", 17, 0, 0, 0, 0) or os._exit(0))
attempt("clone as a thread", lambda: call("clone", 0x10f00, 0, 0, 0, 0))
attempt("clone3", lambda: call("clone3", (ctypes.c_uint64 * 11)(0, 0, 0, 0, 17), 88) or os._exit(0))
attempt("posix_spawn", lambda: os.posix_spawn("/bin/true", ["true"], {}))
attempt("subprocess", lambda: subprocess.run(["/bin/true"]))
attempt("a shell", lambda: os.popen("id").read() or 1 / 0)
attempt("system", lambda: os.system("true") and 1 / 0)
attempt("exec", lambda: os.execv("/bin/true", ["true"]))
attempt("execveat", lambda: call("execveat", -100, b"/bin/true", 0, 0, 0))
attempt("Process", lambda: multiprocessing.get_context("fork").Process(target=print).start())
attempt("Pool", lambda: multiprocessing.get_context("fork").Pool(2))
attempt("forkpty", lambda: pty.fork())
"""),
    ("threads", "No thread is born, whichever way it is asked for", """
import _thread, threading, concurrent.futures
def busy():
    while True:
        pass
attempt("Thread", lambda: threading.Thread(target=busy).start())
attempt("daemon", lambda: threading.Thread(target=busy, daemon=True).start())
attempt("Timer", lambda: threading.Timer(0, busy).start())
attempt("pool", lambda: concurrent.futures.ThreadPoolExecutor(4).submit(busy).result(0))
attempt("_thread", lambda: _thread.start_new_thread(busy, ()))
attempt("pthread_create", lambda: libc.pthread_create(ctypes.byref(ctypes.c_ulong()), None, libc.getpid, None) and 1 / 0)
"""),
    ("sockets", "No socket: not TCP, UDP, Unix, abstract, netlink or raw, neither to call nor to listen", """
import socket, urllib.request
attempt("tcp", lambda: socket.create_connection(("127.0.0.1", @TCP@), 1))
attempt("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", @UDP@)))
attempt("path", lambda: socket.socket(socket.AF_UNIX).connect("@PATH@"))
attempt("abstract", lambda: socket.socket(socket.AF_UNIX).connect(@ABSTRACT@))
attempt("pair", lambda: socket.socketpair())
attempt("listen", lambda: socket.create_server(("127.0.0.1", 0)))
attempt("http", lambda: urllib.request.urlopen("http://127.0.0.1:@TCP@", timeout=1))
attempt("lookup", lambda: socket.getaddrinfo("example.org", 80))
for family in (1, 2, 10, 16, 17, 31, 38, 40, 44):
    attempt(f"socket of family {family}", lambda: call("socket", family, 3 if family > 10 else 1, 0))
attempt("connect with the one it has", lambda: call("connect", 3, b"\\x01\\x00@PATH@\\x00", 110))
attempt("kcmp", lambda: call("kcmp", os.getpid(), PARENT, 0, 0, 0))
"""),
    ("foreign-memory", "No other process's memory is read, written, traced or borrowed from", """
buffer = ctypes.create_string_buffer(64)
vector = (ctypes.c_uint64 * 2)(ctypes.addressof(buffer), 64)
for pid in @VICTIMS@:
    for request in (16, 0x4206, 2):
        attempt(f"ptrace {request:#x} {pid}", lambda: call("ptrace", request, pid, 0, 0))
    attempt(f"process_vm_readv {pid}", lambda: call("process_vm_readv", pid, vector, 1, vector, 1, 0))
    attempt(f"process_vm_writev {pid}", lambda: call("process_vm_writev", pid, vector, 1, vector, 1, 0))
    attempt(f"process_madvise {pid}", lambda: call("process_madvise", pid, vector, 1, 4, 0))
    attempt(f"/proc/{pid}/mem", lambda: open(f"/proc/{pid}/mem", "r+b"))
attempt("traced by its parent", lambda: call("ptrace", 0, 0, 0, 0))
attempt("pidfd_getfd", lambda: call("pidfd_getfd", 3, 0, 0))
attempt("userfaultfd", lambda: call("userfaultfd", 0))
attempt("perf_event_open", lambda: call("perf_event_open", ctypes.create_string_buffer(128), 0, -1, -1, 0))
"""),
    ("limits-and-priorities", "Limits are not raised, and nobody else's limits, cores or priorities are touched", """
import resource
for limit in range(16):
    attempt(f"limit {limit} raised", lambda: resource.setrlimit(limit, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)))
    attempt(f"limit {limit} changed", lambda: call("prlimit64", 0, limit, (ctypes.c_uint64 * 2)(1, 1), 0))
for pid in (PARENT, *@VICTIMS@):
    attempt(f"limits of {pid} read", lambda: resource.prlimit(pid, resource.RLIMIT_CPU))
    attempt(f"limits of {pid} changed", lambda: resource.prlimit(pid, resource.RLIMIT_CPU, (1, 1)))
    attempt(f"cores of {pid}", lambda: os.sched_setaffinity(pid, {0}))
    attempt(f"priority of {pid}", lambda: os.setpriority(os.PRIO_PROCESS, pid, 19))
    attempt(f"scheduler of {pid}", lambda: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0)))
    attempt(f"attributes of {pid}", lambda: call("sched_setattr", pid, ctypes.create_string_buffer(48), 0))
    attempt(f"disk priority of {pid}", lambda: call("ioprio_set", 1, pid, 3 << 13))
attempt("cores of its own", lambda: os.sched_setaffinity(0, {0}))
attempt("real time", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))
attempt("nice", lambda: os.nice(-5))
attempt("out of reach of the killer of memory hogs", lambda: open("/proc/self/oom_score_adj", "w").write("-1000"))
attempt("out of the parent's reach", lambda: call("prctl", 1, 0, 0, 0, 0))
attempt("a session of its own", lambda: os.setsid())
attempt("a group of its own", lambda: os.setpgid(0, 0))
"""),
    ("powers", "Given-up rights are not taken back: users, capabilities, namespaces, mounts, keys, kernel", """
attempt("setuid", lambda: os.setuid(0) if os.getuid() else call("setuid", 1))
attempt("setresuid", lambda: os.setresuid(0, 0, 0) if os.getuid() else call("setresuid", 1, 1, 1))
attempt("setgroups", lambda: os.setgroups([0]))
attempt("capset", lambda: call("capset", (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6)))
for flag in (0x10000000, 0x20000, 0x40000000, 0x20000000, 0x8000000, 0x4000000):
    attempt(f"unshare {flag:#x}", lambda: call("unshare", flag))
attempt("setns", lambda: call("setns", 3, 0))
attempt("chroot", lambda: os.chroot("/"))
attempt("mount", lambda: call("mount", b"none", os.path.dirname("@BAIT@").encode(), b"tmpfs", 0, 0))
attempt("umount2", lambda: call("umount2", b"@BAIT@", 2))
attempt("open_tree", lambda: call("open_tree", -100, b"/", 1))
attempt("fsopen", lambda: call("fsopen", b"tmpfs", 0))
attempt("keyctl", lambda: call("keyctl", 0, -3, 1))
attempt("add_key", lambda: call("add_key", b"user", b"bait", b"x", 1, -3))
attempt("bpf", lambda: call("bpf", 0, ctypes.create_string_buffer(128), 128))
attempt("io_uring_setup", lambda: call("io_uring_setup", 4, ctypes.create_string_buffer(120)))
attempt("io_setup", lambda: call("io_setup", 1, (ctypes.c_uint64 * 1)()))
attempt("memfd_create", lambda: call("memfd_create", b"bait", 0))
attempt("memfd_secret", lambda: call("memfd_secret", 0))
attempt("personality", lambda: call("personality", 0x0040000))
attempt("a filter of its own", lambda: call("seccomp", 1, 0, ctypes.create_string_buffer(16)))
attempt("a ruleset of its own", lambda: call("landlock_create_ruleset", 0, 0, 1))
attempt("the kernel's log", lambda: call("syslog", 3, ctypes.create_string_buffer(100), 100))
attempt("the clock", lambda: call("settimeofday", 0, 0))
attempt("the host's name", lambda: call("sethostname", b"bait", -1))
attempt("a restart with wrong numbers", lambda: call("reboot", 0, 0, 0, 0))
attempt("a timer that outlives", lambda: call("timer_create", 1, 0, ctypes.create_string_buffer(8)))
attempt("an alarm", lambda: call("setitimer", 0, (ctypes.c_uint64 * 4)(0, 0, 60, 0), 0))
"""),
    ("watch-others", "No other process's clock, cores, session, group or links can be read", """
import time
for pid in (PARENT, @SUPERVISOR@, *@VICTIMS@, 1):
    attempt(f"clock of {pid}", lambda: time.clock_gettime((~pid << 3) | 2))
    attempt(f"resolution of the clock of {pid}", lambda: time.clock_getres((~pid << 3) | 2))
    attempt(f"a sleep by the clock of {pid}", lambda: call("clock_nanosleep", (~pid << 3) | 2, 0, (ctypes.c_uint64 * 2)(0, 1), 0))
    attempt(f"cores of {pid}", lambda: os.sched_getaffinity(pid))
    attempt(f"session of {pid}", lambda: os.getsid(pid))
    attempt(f"group of {pid}", lambda: os.getpgid(pid))
    attempt(f"locks of {pid}", lambda: call("get_robust_list", pid, (ctypes.c_uint64 * 1)(), (ctypes.c_uint64 * 1)()))
    for what in ("exe", "cwd", "root", "fd/0", "fd/3", "ns/pid", "ns/user"):
        attempt(f"{what} of {pid}", lambda: os.readlink(f"/proc/{pid}/{what}"))
os.sched_getaffinity(0), os.getsid(0), os.getpgid(0), time.process_time(), time.thread_time(), time.sleep(0)
"""),
    ("page-zero", "No memory is laid where a fault in the kernel would look for it", """
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
attempt("a page at address 0", lambda: libc.mmap(0, 4096, 3, 0x32, -1, 0) is None or 1 / 0)  # 0 comes back as None
"""),
    ("change-files", "No file is made, changed, renamed, linked, given away or removed, not even one that all may write", """
import shutil, tempfile
for path in ("@BAIT@", "@OUT@/gradebook.sqlite", "@OUT@/private/rounds.json", "@NEIGHBOUR@", "@COURSE@/course.yaml"):
    for mode in ("w", "a", "r+b"):
        attempt(f"open {mode} {path}", lambda: open(path, mode))
    attempt(f"chmod {path}", lambda: os.chmod(path, 0o777))
    attempt(f"fchmodat {path}", lambda: call("fchmodat", -100, path.encode(), 0o777, 0))
    attempt(f"chown {path}", lambda: os.chown(path, os.getuid(), -1))
    attempt(f"utime {path}", lambda: os.utime(path, (0, 0)))
    attempt(f"setxattr {path}", lambda: os.setxattr(path, "user.bait", b"x"))
    attempt(f"lsetxattr {path}", lambda: os.setxattr(path, "trusted.bait", b"x", follow_symlinks=False))
    attempt(f"removexattr {path}", lambda: os.removexattr(path, "user.bait"))
    attempt(f"truncate {path}", lambda: os.truncate(path, 0))
    attempt(f"link {path}", lambda: os.link(path, "@BAIT@.link"))
    attempt(f"symlink {path}", lambda: os.symlink(path, "@BAIT@.symlink"))
    attempt(f"rename {path}", lambda: os.rename(path, "@BAIT@.renamed"))
    attempt(f"exchange {path}", lambda: call("renameat2", -100, path.encode(), -100, b"@BAIT@", 2))
    attempt(f"unlink {path}", lambda: os.unlink(path))
    attempt(f"copy {path}", lambda: shutil.copy(os.__file__, path))
attempt("fchmod of its own socket", lambda: os.fchmod(3, 0o777))
attempt("ftruncate", lambda: os.ftruncate(1, 0))
own, library = os.path.dirname("@BAIT@"), os.path.dirname(os.__file__)
for folder in (own, library, "@OUT@", "@CLASS@", "/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run", "."):
    attempt(f"new file in {folder}", lambda: open(f"{folder}/left-behind", "w"))
    attempt(f"nameless file in {folder}", lambda: os.open(folder, os.O_TMPFILE | os.O_RDWR))
    attempt(f"new folder in {folder}", lambda: os.mkdir(f"{folder}/left-behind"))
    attempt(f"new pipe in {folder}", lambda: os.mkfifo(f"{folder}/left-behind"))
    attempt(f"new device in {folder}", lambda: os.mknod(f"{folder}/left-behind", 0o020666, 0x101))
attempt("tempfile", lambda: tempfile.TemporaryFile())
attempt("numpy.save", lambda: np.save("@BAIT@", np.zeros(3)))
attempt("numpy.memmap", lambda: np.memmap("@BAIT@", mode="r+"))
"""),
)  # fmt: skip

# 335 and 336 (uretprobe, uprobe) never reach a filter on x86-64: out of their place they end their own process, and do nothing else.
SWEEP = """
for number in range(600):
    if number not in (335, 336, *@ALLOWED@):
        ctypes.set_errno(0)
        result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(-1)] * 6)
        if result != -1 or ctypes.get_errno() != (38 if number in @NOT_THERE@ else 1):
            print("BREACH", number, result, ctypes.get_errno())
for command in range(2048):
    if command not in (0, 1, 2, 3, 4, 1030):
        attempt(f"fcntl {command}", lambda: call("fcntl", 3, command, 0))
for request in (*range(0x5400, 0x5480), *range(0x8900, 0x89FF)):
    if request not in (0x5401, 0x5413, 0x541B):
        attempt(f"ioctl {request:#x}", lambda: call("ioctl", 1, request, ctypes.create_string_buffer(256)))
"""

MACHINE_CODE = """
import mmap, platform
if platform.machine() == "x86_64":
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(bytes.fromhex("@CODE@"))
    function = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    print("TRIED", flush=True)
    result = function()
    if result >= 0:
        print("BREACH", result)
"""

ATTACKS = (
    *(Attack(name, promise, trying(tries)) for name, promise, tries in TRIES),
    Attack("every-other-call", "Every system call, fcntl and ioctl that is not on the list is refused", trying(SWEEP)),
    Attack(
        "old-calls",
        "The 32-bit door to the kernel (int 0x80) is shut",
        trying(MACHINE_CODE.replace("@CODE@", "b814000000 cd80 4898 c3")),  # getpid, by the numbers of i386
    ),
    Attack(
        "x32-calls",
        "The x32 door to the kernel is shut",
        trying(MACHINE_CODE.replace("@CODE@", "b827000040 0f05 c3")),  # getpid, with bit 30
    ),
)
