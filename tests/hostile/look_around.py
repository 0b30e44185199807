"""Attacks on what may not be seen: the answers, the hidden numbers, other submissions, the gradebook, the machine."""

from .attack import PRELUDE, Attack, trying, while_right

PLACES = """
[
    "@COURSE@/solutions/12_diffusion/forward.py", "@COURSE@/exercises/12_diffusion/checks/forward.py", "@COURSE@/course.yaml",
    "@REPOSITORY@/solutions/12_diffusion/forward.py", "@REPOSITORY@/autograder/grading/checks.py", "@REPOSITORY@/autograder/sandbox/guest/runtime.py",
    "@NEIGHBOUR@", "@CLASS@", "@OUT@", "@OUT@/gradebook.sqlite", "@OUT@/private", "@OUT@/private/rounds.json", "@BAIT@",
    "/", "/etc/passwd", "/etc/hostname", "/etc/resolv.conf", "/root", "/home", "/tmp", "/dev/shm", "/dev/tty", "/dev/kmsg", "/dev/mem",
    "/sys/kernel", "/proc", "/proc/self/environ", "/proc/self/maps", "/proc/self/mem", "/proc/self/fd", "/proc/self/cmdline",
    "/proc/self/root/etc/passwd", "/proc/self/cwd/etc/passwd", "/proc/thread-self/status", "/proc/1/cmdline", "/proc/1/environ",
    "/proc/@SUPERVISOR@/environ", "/proc/@SUPERVISOR@/mem", "/proc/@SUPERVISOR@/fd", f"/proc/{PARENT}/cmdline", f"/proc/{PARENT}/maps",
    "/proc/net/tcp", "/proc/net/unix", "/proc/meminfo", "/proc/kallsyms", "/proc/sysvipc/shm",
    ".", "..", "forward.py", "../an honest student/forward.py", "answers.yaml",
]
"""

FIND_IN_MEMORY = """
import gc
def everything():
    seen, waiting = set(), [*gc.get_objects(), *sys.modules.values()]
    while waiting:
        thing = waiting.pop()
        if id(thing) not in seen:
            seen.add(id(thing))
            yield thing
            waiting.extend(gc.get_referents(thing))
"""

ATTACKS = (
    Attack(
        "import-the-answers",
        "`import solutions`, `import autograder.grading.checks` and everything else of the course fail",
        trying("""
import importlib, importlib.util
for root in ("@COURSE@", "@REPOSITORY@", "@CLASS@/an honest student", "@COURSE@/exercises/12_diffusion/checks", ".", "/"):
    sys.path.insert(0, root)
sys.meta_path[:] = [finder for finder in sys.meta_path if "stand_ins" not in str(type(finder))]
sys.path_importer_cache.clear()
for name in ("solutions", "solutions.diffusion.forward", "autograder.grading.checks", "autograder.grading.attempt", "autograder.cli", "forward_checks"):
    sys.modules.pop(name.partition(".")[0], None)
    attempt(name, lambda: vars(importlib.import_module(name))["__file__"] or 1 / 0)
for path in ("@COURSE@/solutions/12_diffusion/forward.py", "@COURSE@/exercises/12_diffusion/checks/forward.py", "@NEIGHBOUR@"):
    spec = importlib.util.spec_from_file_location("stolen", path)
    attempt(path, lambda: spec.loader.exec_module(importlib.util.module_from_spec(spec)))
"""),
    ),
    Attack(
        "already-imported",
        "No module of the course beyond the guest's own is loaded, and none holds an answer",
        trying("""
for name, module in list(sys.modules.items()):
    if name.startswith("solutions") or name.startswith("autograder.") and not name.startswith("autograder.sandbox.guest") and name != "autograder.sandbox":
        print("BREACH", name)
    for word in ("linear_betas", "noise_to", "predict_x0", "reference"):
        if name != "forward" and word in getattr(module, "__dict__", {}):
            print("BREACH", name, word)
"""),
    ),
    Attack(
        "open-and-list",
        "Nothing outside the standard library and the given packages can be opened or listed",
        trying(f"""
for place in {PLACES.strip()}:
    attempt(f"open {{place}}", lambda: open(place, "rb").read(100))
    attempt(f"list {{place}}", lambda: os.listdir(place))
    attempt(f"scan {{place}}", lambda: next(os.scandir(place)))
    attempt(f"scan {{place}}", lambda: os.read(call("openat", -100, place.encode(), 0, 0), 100))
"""),
    ),
    Attack(
        "open-by-a-detour",
        "No detour opens what cannot be opened: directory handles, O_PATH, libraries that read files",
        trying("""
import linecache, runpy, zipimport, importlib.machinery
secret = "@COURSE@/solutions/12_diffusion/forward.py"
def around(flags):
    folder = os.open("/", flags)
    return os.read(os.open(secret[1:], os.O_RDONLY, dir_fd=folder), 10)
def chosen(path):
    return os.read(os.open(f"/proc/self/fd/{os.open(path, os.O_PATH)}", os.O_RDONLY), 10)
attempt("directory handle", lambda: around(os.O_RDONLY | os.O_DIRECTORY))
attempt("O_PATH", lambda: around(os.O_PATH))
attempt("O_PATH, opened again", lambda: chosen(secret))
attempt("openat2", lambda: os.read(call("openat2", -100, secret.encode(), (ctypes.c_uint64 * 3)(), 24), 10))
attempt("dots in a path that is allowed", lambda: open(os.path.dirname(os.__file__) + "/../.." * 9 + secret).read(10))
attempt("numpy.load", lambda: np.load(secret, allow_pickle=True))
attempt("numpy.fromfile", lambda: np.fromfile(secret, dtype="u1"))
attempt("numpy.memmap", lambda: np.memmap(secret, mode="r"))
attempt("numpy.loadtxt", lambda: np.loadtxt("@NEIGHBOUR@", dtype=str, comments=None, delimiter="@"))
attempt("linecache", lambda: linecache.getlines(secret)[0])
attempt("runpy", lambda: runpy.run_path(secret))
attempt("zipimport", lambda: zipimport.zipimporter("@REPOSITORY@"))
attempt("loader", lambda: importlib.machinery.SourceFileLoader("x", secret).get_source("x"))
attempt("ctypes", lambda: ctypes.CDLL("@BAIT@"))
gradebook = "file:@OUT@/gradebook.sqlite?immutable=1"
attempt("sqlite3", lambda: __import__("sqlite3").connect(gradebook, uri=True).execute("pragma user_version"))
attempt("symlink", lambda: os.symlink("@NEIGHBOUR@", "/tmp/neighbour"))
attempt("hard link", lambda: os.link("@NEIGHBOUR@", "@BAIT@.neighbour"))
buffer = ctypes.create_string_buffer(200)
attempt("name_to_handle_at", lambda: call("name_to_handle_at", -100, secret.encode(), buffer, buffer, 0))
"""),
    ),
    Attack(
        "open-with-torch",
        "torch opens no file that Python cannot",
        trying("""
import torch
secret = "@COURSE@/solutions/12_diffusion/forward.py"
attempt("torch.load", lambda: torch.load(secret, weights_only=False))
attempt("torch.from_file", lambda: torch.from_file("@BAIT@", size=5, dtype=torch.uint8))
attempt("torch.from_file, shared", lambda: torch.from_file("@BAIT@", shared=True, size=50, dtype=torch.uint8))
attempt("torch.ops.load_library", lambda: torch.ops.load_library("@BAIT@"))
attempt("torch.save", lambda: torch.save(torch.zeros(1), "@BAIT@.pt"))
attempt("torch.jit.load", lambda: torch.jit.load("@BAIT@"))
attempt("share_memory_", lambda: torch.zeros(1).share_memory_())
attempt("torch.hub", lambda: torch.hub.load("@REPOSITORY@", "x", source="local"))
"""),
    ),
    Attack(
        "frames",
        "No frame above a call holds an expected value, a check, a score or a secret",
        PRELUDE
        + """
import inspect
print("TRIED")
def look():
    frame = sys._getframe()
    while frame:
        for name, value in [*frame.f_locals.items(), *frame.f_globals.items()]:
            if name in ("expected", "reference", "answers", "checks", "secret", "seed", "seeds", "transcript", "points", "round"):
                print("BREACH", frame.f_code.co_name, name, repr(value)[:100])
        frame = frame.f_back
def forward_step(x_prev, beta, eps):
    look()
    for frame in sys._current_frames().values():
        if frame.f_code.co_name in ("grade", "attempt", "close"):
            print("BREACH", frame)
""",
    ),
    Attack(
        "memory",
        "Nothing reachable in the guest's memory names a misconception, the secret, another student or the place of the gradebook",
        trying(f"""{FIND_IN_MEMORY}
needles = [bytes.fromhex(needle).decode() for needle in @NEEDLES@]
for thing in everything():
    if isinstance(thing, bytes):
        thing = thing.decode("latin-1")
    if isinstance(thing, str):
        for needle in needles:
            if needle in thing and needle != thing:
                print("BREACH", needle, ascii(thing)[:200])
"""),
    ),
    Attack(
        "environment",
        "The environment is empty: no token of the grader's, no path",
        trying("""
environ = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, "environ")
held = [environ[0]] if environ and environ[0] else []
if held or os.environ or any(libc.getenv(name) for name in (b"HOME", b"PATH", b"PYTHONPATH", b"BAIT_TOKEN")):
    print("BREACH", held, dict(os.environ))
if len(sys.argv) > 1 or sys.argv[0] or os.getcwd() != "/":
    print("BREACH", sys.argv, os.getcwd())
"""),
    ),
    Attack(
        "open-files",
        "A guest holds its socket, two ends of a pipe to write to, and nothing else",
        trying("""
import stat
for fd in range(1 << 16):
    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        continue
    kind = "socket" if stat.S_ISSOCK(mode) else "pipe" if stat.S_ISFIFO(mode) else "device" if stat.S_ISCHR(mode) else "file"
    if (fd, kind) not in ((0, "device"), (1, "pipe"), (2, "pipe"), (3, "socket")):
        print("BREACH", fd, kind)
attempt("read what was printed", lambda: os.read(1, 100))
for pid in (PARENT, @SUPERVISOR@, *@VICTIMS@, 1):
    for fd in range(16):
        attempt(f"file {fd} of {pid}", lambda: os.open(f"/proc/{pid}/fd/{fd}", os.O_RDONLY | os.O_NONBLOCK))
attempt("who is at the other end", lambda: call("getpeername", 3, ctypes.create_string_buffer(128), (ctypes.c_int * 1)(128)))
attempt("send an open file", lambda: call("sendmsg", 3, ctypes.create_string_buffer(56), 0))
attempt("read ahead on the socket", lambda: call("recvfrom", 3, ctypes.create_string_buffer(128), 128, 0x42, 0, 0))
"""),
    ),
    Attack(
        "earlier-guests",
        "What one guest did to the modules it shares does not reach the next: these are right",
        while_right("""
import math, json, random
if getattr(np, "was_here", False) or getattr(math, "was_here", False) or "forward_was_here" in sys.modules:
    print("BREACH", "an earlier guest's traces")
np.was_here = math.was_here = True
sys.modules["forward_was_here"] = np
print("TRIED")
"""),
        earns="all",
    ),
    Attack(
        "spoil-the-modules",
        "A guest that spoils numpy and builtins spoils nobody else's",
        trying("""
import builtins, math
print("TRIED", flush=True)
np.was_here = True
np.cumprod = np.sqrt = np.linspace = np.concatenate = None
builtins.len = builtins.range = builtins.print = builtins.__import__ = None
math.sqrt = None
"""),
    ),
)
