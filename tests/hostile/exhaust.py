"""Attacks on patience and space: time, memory, output, processes. Each costs its owner a limit, and nobody else anything."""

from .attack import HANGS, STARVES, Attack, giving, stepping, trying, while_right

# id, promise, how every call ends
ENDLESS = (
    ("loop", "An endless loop is stopped", "while True:\n        pass"),
    ("loop-that-catches-all", "A loop that catches every exception is stopped",
     "while True:\n        try:\n            raise KeyboardInterrupt\n        except BaseException:\n            continue"),
    ("loop-in-c", "An endless loop in C is stopped", "sum(__import__('itertools').repeat(0))"),
    ("catastrophic-pattern", "A regular expression that never ends is stopped", "__import__('re').match(r'(a+)+$', 'a' * 64 + 'b')"),
    ("huge-power", "A power that takes a year is stopped", "str(7 ** (10 ** 9))"),
    ("great-matrix", "A product of great matrices is stopped", "(m := np.ones((4000, 4000))) @ m @ m @ m @ m @ m"),
    ("sleep", "A sleep without end is stopped", "libc.sleep(10**6)"),
    ("locked-out", "A lock that nobody opens is stopped waiting for",
     "lock = __import__('threading').Lock()\n    lock.acquire()\n    lock.acquire()"),
    ("waits-for-a-signal", "Waiting for a signal that never comes is stopped or refused", "__import__('select').select([], [], [])"),
    ("polls-for-ever", "A poll that nothing answers is stopped", "__import__('select').poll().poll(10**9)"),
    ("epolls-for-ever", "So is one of the newer kind", "__import__('select').epoll().poll(10**6)"),
    ("dozes", "Sleeping a little, again and again, is sleeping", "while True:\n        libc.usleep(1000)"),
    ("empty-pipe", "Reading an empty pipe is stopped", "os.read(os.pipe()[0], 1)"),
    ("full-pipe", "Writing to a full pipe is stopped", "os.write(os.pipe()[1], bytes(10**7))"),
)  # fmt: skip

GREEDY = (
    ("ten-gigabytes", "An array of 10 GB is refused", "np.ones(10 * 2**27)"),
    ("ten-gigabytes-of-nothing", "10 GB that are only promised are refused", "np.zeros(10 * 2**27)"),
    ("growing-list", "A list that grows without end runs out of memory or time", "list(__import__('itertools').count())"),
    ("growing-arrays", "Arrays without end run out of memory",
     "held = []\n    while True:\n        held.append(np.ones(2**22))"),
    ("growing-text", "A text that doubles without end runs out of memory", "text = 'x'\n    while True:\n        text += text"),
    ("many-maps", "Maps of memory without end run out of it",
     "import mmap\n    held = []\n    while True:\n        held.append(mmap.mmap(-1, 1 << 26))"),
    ("torch-memory", "A tensor of 10 GB is refused", "__import__('torch').ones(10 * 2**28)"),
)  # fmt: skip

ENOUGH = frozenset({"raised", "killed", "timed_out", "out_of_memory", "wrong", "refused"})

# id, promise, what happens while the file loads, why it fails
LOADING = (
    ("loop-at-import", "A file that never ends loading is stopped", "while True: pass", HANGS),
    ("sleep-at-import", "A file that sleeps while it loads is stopped", "libc.sleep(10**6)", HANGS),
    ("grows-at-import", "A file that takes all memory while it loads is stopped", "held = [np.ones(2**22) for _ in range(10**6)]", STARVES),
    ("fork-bomb", "A fork bomb does not go off",
     "for _ in range(200):\n    if os.fork() == 0:\n        import time; time.sleep(20); os._exit(0)\nprint('BREACH')", ENOUGH),
    ("thread-bomb", "A thread bomb does not go off", "while True: __import__('_thread').start_new_thread(print, ())", ENOUGH),
    ("files-without-end", "Open files are few", "held = []\nwhile len(held) < 100: held.append(os.dup(0))\nprint('BREACH')", ENOUGH),
    ("pipes-without-end", "Pipes are as few", "held = []\nwhile len(held) < 100: held.append(os.pipe())\nprint('BREACH')", ENOUGH),
)  # fmt: skip

# id, promise, what is done around right functions: it costs them nothing
HARMLESS = (
    ("unfinished-output", "Output that is no text is kept as text", "os.write(1, bytes(range(256)) * 8 + b'\\xf0\\x9f')\nsys.stdout.write('no newline')"),
    ("closed-output", "A guest that closes its own standard streams is judged by its values", "os.closerange(0, 3)"),
    ("reads-its-input", "There is nothing on standard input, and nobody waits",
     "print(sys.stdin.read(), os.read(0, 10))\nattempt('input', lambda: input('your move? '))"),
    ("never-let-go", "An object whose end never ends ends with its guest", "class Mire:\n    def __del__(self):\n        while True: pass\nmire = Mire()"),
)  # fmt: skip

# What makes right functions slow or loud.
AROUND = """
import time
def around(function):
    def call(*args):
        before_each()
        return function(*args)
    return call
print("TRIED", flush=True)
linear_betas, alpha_bars, forward_step, noise_to, predict_x0 = map(around, (linear_betas, alpha_bars, forward_step, noise_to, predict_x0))
"""

DEAF = """
import signal
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
"""

ATTACKS = (
    *(Attack(name, promise, stepping(act), reasons=HANGS) for name, promise, act in ENDLESS),
    *(Attack(name, promise, stepping(act), reasons=STARVES | {"raised"}) for name, promise, act in GREEDY),
    *(Attack(name, promise, trying("print('TRIED', flush=True)\n" + act), reasons=reasons) for name, promise, act, reasons in LOADING),
    *(Attack(name, promise, while_right("print('TRIED', flush=True)\n" + act), earns="all") for name, promise, act in HARMLESS),
    Attack("deaf", "A guest that ignores every signal is stopped all the same", stepping("while True: pass", DEAF), reasons=HANGS),
    Attack(
        "just-below-the-limit",
        "Many calls that each take nearly all their time share one budget",
        while_right(
            AROUND
            + """
def before_each():
    started = time.process_time()
    while time.process_time() - started < @CALL_SECONDS@ * 0.9:
        pass
"""
        ),
        earns="part",
        reasons=HANGS,
    ),
    Attack(
        "dozing-below-the-limit",
        "Many calls that each sleep for nearly as long as they may share one budget",
        while_right(AROUND + "\ndef before_each():\n    libc.usleep(int(@CALL_SECONDS@ * 0.8e6))\n"),
        earns="part",
        reasons=HANGS,
    ),
    Attack(
        "200-mb-of-output",
        "Of 200 MB of output 64 KiB are kept, and the values count as ever",
        while_right(AROUND + "\ndef before_each():\n    for _ in range(16):\n        os.write(1, b'\\x1b[31mscore: 20/20\\n' * 2**15)\n"),
        earns="some",
        reasons=HANGS,
    ),
    Attack(
        "output-without-end",
        "Output without end is cut off with its call",
        stepping("while True:\n        print('all checks passed')"),
        reasons=HANGS,
    ),
    Attack(
        "deep-recursion",
        "A recursion without end raises",
        giving("def answer(shape):\n    return answer(shape)"),
        reasons=frozenset({"raised"}),
    ),
    Attack(
        "deeper-recursion",
        "A recursion that lifts Python's limit ends its own process",
        stepping("return forward_step(x_prev, beta, eps)", "sys.setrecursionlimit(10**9)\n"),
        reasons=ENOUGH,
    ),
    Attack(
        "recursion-in-c",
        "A recursion in C ends its own process",
        stepping("nested = []\n    for _ in range(10**5): nested = [nested]\n    return repr(nested)", "sys.setrecursionlimit(10**9)\n"),
        reasons=ENOUGH,
    ),
    Attack(
        "dies-again-and-again",
        "A guest that dies is replaced for the next check, at most twice",
        while_right("""
print("TRIED", flush=True)
def forward_step(*args): os._exit(1)
def alpha_bars(*args): os._exit(2)
def noise_to(*args): os._exit(3)
"""),
        earns=frozenset({"starts_and_ends", "usual_schedule"}),
        reasons=frozenset({"killed"}),
    ),
)
