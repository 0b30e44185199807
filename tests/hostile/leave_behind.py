"""Attacks that want to outlive their guest. `arena` counts afterwards what is there that was not."""

from .attack import Attack, giving, trying

TRIES = (
    ("shared-memory", "No shared memory stays: System V, POSIX, Python's or nameless", """
from multiprocessing import shared_memory
attempt("shmget", lambda: call("shmget", 0x6261, 1 << 20, 0o1666))
attempt("shmat", lambda: call("shmat", 0, 0, 0))
attempt("shm_open", lambda: os.open("/dev/shm/left-behind", os.O_CREAT | os.O_RDWR, 0o666))
attempt("SharedMemory", lambda: shared_memory.SharedMemory("left-behind", create=True, size=100))
attempt("semget", lambda: call("semget", 0x6261, 1, 0o1666))
attempt("msgget", lambda: call("msgget", 0x6261, 0o1666))
attempt("mq_open", lambda: call("mq_open", b"left-behind", 0o102, 0o666, 0))
attempt("sem_open", lambda: __import__("_multiprocessing").SemLock(0, 1, 1, "/left-behind", False))
attempt("memfd_create", lambda: os.memfd_create("left-behind"))
"""),
    ("emptied-files", "No file that may be read is emptied or made longer, with whatever flags it is opened", """
import this
path, size = this.__file__, os.path.getsize(this.__file__)
for flags in (os.O_TRUNC, os.O_RDONLY | os.O_TRUNC, os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC, os.O_APPEND | os.O_WRONLY):
    name = f"open with {flags:#o}"
    attempt(name, lambda: os.open(path, flags))
    attempt(f"{name}, by openat2", lambda: call("openat2", -100, path.encode(), (ctypes.c_uint64 * 3)(flags, 0, 0), 24))
attempt("creat", lambda: call("creat", path.encode(), 0o644))
attempt("truncate", lambda: os.truncate(path, 0))
attempt("ftruncate", lambda: os.ftruncate(os.open(path, os.O_RDONLY), 0))
attempt("fallocate", lambda: call("fallocate", os.open(path, os.O_RDONLY), 0, 0, 1 << 20))
attempt("a temporary file", lambda: os.open(os.path.dirname(path), os.O_TMPFILE | os.O_RDWR, 0o600))
if os.path.getsize(path) != size:
    print("BREACH", os.path.getsize(path))
"""),
    ("a-daemon", "No process detaches itself", """
def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            __import__("time").sleep(30)
        os._exit(0)
attempt("daemon", daemon)
attempt("adopt orphans", lambda: call("prctl", 36, 1, 0, 0, 0))
"""),
    ("a-post-box", "No socket, pipe or lock is left for a later guest to find", """
import fcntl, socket
attempt("abstract", lambda: socket.socket(socket.AF_UNIX).bind("\\0left-behind"))
attempt("path", lambda: socket.socket(socket.AF_UNIX).bind("/tmp/left-behind"))
attempt("fifo", lambda: os.mkfifo("/tmp/left-behind"))
attempt("lock on what all may read", lambda: fcntl.flock(os.open(os.__file__, os.O_RDONLY), fcntl.LOCK_EX))
attempt("lock on a part of it", lambda: fcntl.lockf(os.open(os.__file__, os.O_RDONLY), fcntl.LOCK_SH))
attempt("watch others", lambda: call("inotify_init1", 0))
attempt("write through a map", lambda: __import__("mmap").mmap(os.open(os.__file__, os.O_RDONLY), 10, prot=3, flags=1))
"""),
)  # fmt: skip

ATTACKS = (
    *(Attack(name, promise, trying(tries)) for name, promise, tries in TRIES),
    Attack(
        "compiled-file",
        "Importing from the library leaves no compiled file",
        trying("sys.dont_write_bytecode = False\nimport this, xmlrpc.client, xml.dom.minidom, xml.sax.expatreader"),
    ),
    Attack(
        "a-mark-on-an-open-file",
        "No mark on an open file is left for a later guest to find",
        giving("""
import fcntl
for fd in range(4):
    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    if fd != 2 and flags & (os.O_NONBLOCK | os.O_APPEND):  # 1 and 2 are one
        print("BREACH", fd, oct(flags))
    fcntl.fcntl(fd, fcntl.F_SETFL, flags | os.O_APPEND)
def answer(shape):
    os._exit(0)
"""),
    ),
    Attack(
        "dies-with-all-held",
        "A guest that dies with everything held leaves nothing",
        giving("""
held = [os.pipe() for _ in range(20)]
maps = [np.ones(2**20) for _ in range(8)]
def answer(shape):
    os.abort()
"""),
    ),
)
