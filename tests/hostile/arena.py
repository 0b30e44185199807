"""The place where attacks are graded: `course grade` over all of them, with real victims, real bait, and a look around afterwards.

Everything an attacker could want stands ready and is told to him: a file that all may write, a server that listens, processes
that are anyone's to signal. The course is a copy with short time limits. What is left behind when the run is over (processes,
shared memory, files, connections, changed bait) is counted by the same hands that counted before it.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml

from bench.chaos.leavings import adopting
from tests.courses import ROOT

from .attack import RIGHT, Attack

GUEST_USERS = (61184, 61185)  # whom guests may become where the grader is root
CALL_SECONDS, OUTPUT_BYTES = 0.2, 64 << 10
LIMITS = {"import_seconds": 0.6, "call_seconds": CALL_SECONDS, "submission_seconds": 1, "memory_mib": 512, "output_kib": 64}
SECRETS = ("alpha_without_the_bar", "missing_root_on_noise", "in_the_middle", "gradebook.sqlite", "seed 12")  # in no guest's memory
HONEST = ("an honest student", "middling honest student", "zealous honest student")
IPC = [Path("/proc/sysvipc") / kind for kind in ("shm", "sem", "msg")]


# ---- the course, with short limits


def short_course(folder: Path) -> Path:
    """Copy the course's content; a submission may use a second of it."""
    for name in ("lessons", "exercises", "solutions"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "weights", "*.svg"))
    course = yaml.safe_load((ROOT / "course.yaml").read_text())
    course["grading"] |= {"limits": LIMITS, "limits_of": {}}
    (folder / "course.yaml").write_text(yaml.safe_dump(course))
    return folder


# ---- victims and bait


class Bait:
    """What attackers are told of, and what became of it."""

    def __init__(self, stack: ExitStack):
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bait-")))
        self.folder.chmod(0o777)
        self.file = self.folder / "anyone.txt"
        self.file.write_text("open to all")
        self.file.chmod(0o666)
        self.victims = [stack.enter_context(_victim(user)) for user in ((None, *GUEST_USERS) if os.geteuid() == 0 else (None,))]
        self.tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.udp.bind(("127.0.0.1", 0))
        self.path = stack.enter_context(_listening(str(self.folder / "socket")))
        os.chmod(self.folder / "socket", 0o777)
        self.abstract = stack.enter_context(_listening(f"\0bait-{os.getpid()}"))
        self._before = self._state()

    def harm(self) -> list[str]:
        """Say what happened to the bait."""
        callers = [name for name in ("tcp", "udp", "path", "abstract") if _called(getattr(self, name))]
        dead = [f"victim {victim.pid} died" for victim in self.victims if victim.poll() is not None]
        now = self._state()
        changed = [f"{key}: {value} became {now.get(key)}" for key, value in self._before.items() if now.get(key) != value]
        return [f"somebody called {name}" for name in callers] + dead + changed

    def _state(self) -> dict[str, Any]:
        status = self.file.stat()
        facts: dict[str, Any] = {
            "bait's text": self.file.read_text(),
            "bait's mode, owner, links, time": (status.st_mode, status.st_uid, status.st_nlink, status.st_mtime_ns),
            "bait's attributes": os.listxattr(self.file),
            "bait's folder": sorted(os.listdir(self.folder)),
        }
        for victim in self.victims:
            if victim.poll() is None:
                facts[f"victim {victim.pid}"] = _treatment(victim.pid)
        return facts


def _treatment(pid: int) -> tuple[Any, ...]:
    """What others can do to a process: its priority, its cores, its limits, whether it is traced or stopped."""
    status = Path(f"/proc/{pid}/status").read_text()
    told = [line for line in status.splitlines() if line.startswith(("TracerPid", "Cpus_allowed_list", "Uid"))]
    return os.getpriority(os.PRIO_PROCESS, pid), os.sched_getscheduler(pid), told, Path(f"/proc/{pid}/limits").read_text()


@contextmanager
def _victim(user: int | None) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "3600"], user=user)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def _listening(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        yield server


def _called(server: socket.socket) -> bool:
    server.setblocking(False)
    try:
        if server.type == socket.SOCK_DGRAM:
            server.recv(1)
        else:
            server.accept()[0].close()
    except BlockingIOError:
        return False
    return True


# ---- what is left behind


def _leftovers() -> dict[str, set[str]]:
    """Everything that lasts longer than a process: shared memory, queues, files where anyone may write, our own descendants."""
    places = {str(place): set(os.listdir(place)) for place in ("/dev/shm", "/dev/mqueue", "/var/tmp") if os.path.isdir(place)}
    ipc = {str(kind): {" ".join(line.split()[:2]) for line in kind.read_text().splitlines()[1:]} for kind in IPC if kind.exists()}
    return places | ipc | {"processes": _descendants()}


def _descendants() -> set[str]:
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = status.read_text().rpartition(")")
        except OSError:
            continue
        state, parent, *_ = rest.split()
        if parent == str(os.getpid()) and state != "Z":  # the dead, which wait to be counted, are gone
            found.add(name)
    return found


def _settled(before: dict[str, set[str]]) -> list[str]:
    """Wait for what is dying, then list what is there and was not. Only a failure waits long."""
    for _ in range(600):
        left = {place: now - before.get(place, set()) for place, now in _leftovers().items()}
        if not any(left.values()):
            return []
        time.sleep(0.1)
    return [f"{place}: {', '.join(sorted(found))}" for place, found in left.items() if found]


# ---- one run


def numbers(names: Iterable[str]) -> dict[str, int]:
    """Give this machine's numbers of system calls."""
    import pyseccomp

    return {name: number for name in names if (number := _number(pyseccomp, name)) is not None}


def _number(library: Any, name: str) -> int | None:
    try:
        found = int(library.resolve_syscall(library.system_arch(), name))
    except (ValueError, RuntimeError):
        return None
    return found if found >= 0 else None


@contextmanager
def staged(attacks: Iterable[Attack], folder: Path) -> Iterator[tuple[Bait, Path, Path, Path]]:
    """Lay out the bait, a course, a class of the attacks and some honest students, and a place for results.

    Meanwhile this process is the parent of whatever a run leaves behind, however it detached itself.
    """
    with ExitStack() as stack:
        stack.enter_context(adopting())
        bait = Bait(stack)
        course, class_folder, out = short_course(folder / "course"), folder / "class", folder / "out"
        words = _words(bait, course, class_folder, out)
        for student in HONEST:
            _enrol(class_folder / student, RIGHT)
        for attack in attacks:
            source = attack.source
            for name, meaning in words.items():
                source = source.replace(f"@{name}@", meaning)
            _enrol(class_folder / attack.id, source, attack.exercise)
        yield bait, course, class_folder, out


@contextmanager
def watched(attacks: Iterable[Attack], folder: Path) -> Iterator[tuple[dict[str, bytes], Callable[[], dict[str, list[str]]]]]:
    """Lay out everything for attacks that are not graded; give their sources, and what says afterwards what is left and harmed."""
    attacks = tuple(attacks)
    with staged(attacks, folder) as (bait, _, class_folder, _):
        before = _leftovers()
        sources = {attack.id: (class_folder / attack.id / f"{attack.exercise}.py").read_bytes() for attack in attacks}
        yield sources, lambda: {"left": _settled(before), "harm": bait.harm()}


def run(attacks: Iterable[Attack], folder: Path, without: str = "") -> dict[str, Any]:
    """Grade the attacks and some honest students; return the results by student, and what went wrong around them.

    `without` takes one wall away.
    """
    attacks = tuple(attacks)
    exercises = {attack.id: attack.exercise for attack in attacks}
    with staged(attacks, folder) as (bait, course, class_folder, out):
        before = _leftovers()
        command = [str(Path(sys.executable).with_name("course")), "--course", str(course), "grade", str(class_folder), "--out", str(out)]
        command += [word for name in dict.fromkeys(("forward", *exercises.values())) for word in ("--exercise", name)]
        command += ["--seed", "12", "--json"]
        if without:
            command = [sys.executable, "-m", "tests.hostile.without", without, str(course), str(class_folder), str(out)]
        environment = os.environ | {"BAIT_TOKEN": "a secret of the grader's"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
        left, harm = _settled(before), bait.harm()
    written = out / "results.jsonl"
    lines = written.read_text(encoding="utf-8").splitlines() if written.exists() else []
    found = map(json.loads, lines)
    results = {result["student"]: result for result in found if result["exercise"] == exercises.get(result["student"], "forward")}
    return {"status": done.returncode, "said": done.stderr, "results": results, "left": left, "harm": harm, "stained": _stained(out)}


def _stained(out: Path) -> list[str]:
    """List what people read (feedback, the table of scores) that holds a control character, and so a stranger's colours."""
    files = [*(out / "feedback").glob("*"), *out.glob("*.csv")]
    return [file.name for file in files if any(map(_is_control, file.read_text("utf-8")))]


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf") and character not in "\r\n"


def _enrol(folder: Path, source: str, exercise: str = "forward") -> None:
    folder.mkdir(parents=True)
    (folder / f"{exercise}.py").write_text(source, encoding="utf-8")


def _words(bait: Bait, course: Path, class_folder: Path, out: Path) -> dict[str, str]:
    """What stands between @ signs in an attack, and what it stands for."""
    from autograder.sandbox.guest import walls

    return {
        "COURSE": str(course),
        "REPOSITORY": str(ROOT),
        "CLASS": str(class_folder),
        "NEIGHBOUR": str(class_folder / HONEST[0] / "forward.py"),
        "OUT": str(out),
        "BAIT": str(bait.file),
        "VICTIMS": repr([victim.pid for victim in bait.victims]),
        "SUPERVISOR": str(os.getpid()),
        "TCP": str(bait.tcp.getsockname()[1]),
        "UDP": str(bait.udp.getsockname()[1]),
        "PATH": str(bait.folder / "socket"),
        "ABSTRACT": repr(bait.abstract.getsockname()),
        "NUMBERS": repr(numbers(_CALLS)),
        "NEEDLES": repr([needle.encode().hex() for needle in (*SECRETS, str(course), str(class_folder), str(out))]),
        "REPOSITORY_HEX": str(ROOT).encode().hex(),
        "CALL_SECONDS": str(CALL_SECONDS),
        "ALLOWED": repr(sorted(numbers((*walls.ALLOWED, "fcntl", "ioctl", "prlimit64")).values())),
        "NOT_THERE": repr(sorted(numbers(walls.NOT_THERE).values())),
    }


_CALLS = """
    socket socketpair connect bind sendto sendmsg execve execveat fork vfork clone clone3 unshare setns mount umount2 pivot_root chroot
    ptrace process_vm_readv process_vm_writev kill tkill tgkill pidfd_open pidfd_send_signal pidfd_getfd rt_sigqueueinfo
    rt_tgsigqueueinfo chmod fchmod fchmodat chown fchown fchownat lchown utime utimes utimensat futimesat setxattr lsetxattr fsetxattr
    removexattr link linkat symlink symlinkat unlink unlinkat rename renameat renameat2 truncate ftruncate fallocate mkdir mkdirat
    rmdir mknod mknodat creat prlimit64 setrlimit setpriority sched_setscheduler sched_setaffinity sched_setattr sched_setparam ioprio_set
    shmget shmat shmctl semget msgget mq_open mq_unlink memfd_create memfd_secret io_uring_setup io_setup bpf perf_event_open userfaultfd
    keyctl add_key request_key inotify_init1 fanotify_init name_to_handle_at open_by_handle_at setsid setpgid setuid setgid setresuid
    setgroups capset prctl seccomp landlock_create_ruleset personality acct swapon reboot sethostname settimeofday clock_settime adjtimex
    init_module finit_module kexec_load iopl ioperm quotactl syslog vhangup timer_create setitimer alarm splice tee vmsplice
    sendfile copy_file_range process_madvise kcmp lookup_dcookie clock_nanosleep get_robust_list fcntl ioctl open_tree fsopen move_mount mount_setattr getppid getpid
""".split()
