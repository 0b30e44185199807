"""Attacks on the verdict: points without right values."""

from .attack import Attack, giving, trying, while_right

ATTACKS = (
    Attack("exit", "sys.exit at import is no way to be done", trying("print('TRIED')\nsys.exit(0)")),
    Attack(
        "exit-when-called",
        "sys.exit with a message of success in a call earns nothing",
        giving("def answer(shape):\n    sys.exit('all checks passed')"),
    ),
    Attack("exit-at-once", "os._exit(0) at import earns nothing", trying("print('TRIED', flush=True)\nos._exit(0)")),
    Attack("exit-in-a-call", "os._exit(0) in every call earns nothing", giving("def answer(shape):\n    os._exit(0)")),
    Attack("abort", "A process that aborts earns nothing", giving("def answer(shape):\n    os.abort()")),
    Attack("segfault", "A process that reads address 0 earns nothing", giving("def answer(shape):\n    ctypes.string_at(0)")),
    Attack(
        "patched-comparison",
        "numpy.allclose, isclose, array_equal and numpy.testing patched in the guest change no verdict",
        giving("""
import numpy.testing, math
yes = lambda *a, **k: True
np.allclose = np.isclose = np.array_equal = np.all = np.abs = np.less_equal = math.isclose = yes
np.testing.assert_allclose = np.testing.assert_array_equal = np.testing.assert_almost_equal = lambda *a, **k: None
def answer(shape):
    return np.zeros(shape)
"""),
    ),
    Attack(
        "patched-torch-comparison",
        "torch.allclose and torch.testing patched in the guest change no verdict",
        giving("""
import torch
torch.allclose = torch.equal = torch.Tensor.equal = torch.Tensor.allclose = lambda *a, **k: True
torch.testing.assert_close = lambda *a, **k: None
def answer(shape):
    return torch.zeros(shape)
"""),
    ),
    Attack(
        "patched-assert",
        "AssertionError replaced by something that is never raised changes no verdict",
        giving("""
import builtins
class Never(BaseException):
    def __new__(cls, *args):
        return SystemExit(0)
builtins.AssertionError = Never
builtins.all = builtins.any = lambda *a, **k: True
builtins.abs = lambda *a, **k: 0
def answer(shape):
    return 0.0
"""),
    ),
    Attack(
        "patched-excepthooks",
        "Hooks for exceptions, unraisables, traces, profiles and exit are the guest's own affair",
        giving("""
import atexit, faulthandler, threading
sys.excepthook = sys.unraisablehook = threading.excepthook = sys.displayhook = lambda *a: os._exit(0)
def trace(frame, event, arg):
    for name in ("score", "points", "passed", "outcome", "failed"):
        if name in frame.f_locals:
            print("BREACH", name)
    return trace
sys.settrace(trace)
sys.setprofile(trace)
sys.addaudithook(lambda *a: None)
atexit.register(lambda: os.write(1, b"PASSED"))
faulthandler.enable(sys.__stderr__)
def answer(shape):
    return np.ones(shape)
"""),
    ),
    Attack(
        "equals-everything",
        "An object that equals everything equals nothing here",
        giving("""
class Yes(float):
    __eq__ = __le__ = __ge__ = __lt__ = __gt__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __hash__ = float.__hash__
    __sub__ = __rsub__ = __abs__ = lambda self, *other: Yes(0)
    __bool__ = lambda self: True
    __array_priority__ = 1e9
    def __array_ufunc__(self, *args, **kwargs):
        return True
def answer(shape):
    return Yes(5.5)
"""),
    ),
    Attack(
        "array-subclass",
        "An ndarray subclass that compares as equal is judged by its numbers",
        giving("""
class Right(np.ndarray):
    def __eq__(self, other): return np.ones(self.shape, bool)
    def __array_ufunc__(self, *args, **kwargs): return np.zeros(self.shape)
    def __array_function__(self, *args, **kwargs): return True
    def __array_finalize__(self, obj): pass
def answer(shape):
    return np.full(shape, 7.0).view(Right)
"""),
    ),
    Attack(
        "lying-array-protocol",
        "Objects with __array__, __array_interface__ and __dlpack__ that lie are no data",
        giving("""
class Lie:
    shape, dtype, ndim = (8, 9), np.dtype("f8"), 2
    __array_interface__ = {"shape": (10**6,), "typestr": "<f8", "data": (4096, False), "version": 3}
    def __array__(self, *args, **kwargs): return np.zeros(10**6)
    def __dlpack__(self, *args, **kwargs): return None
    def __float__(self): return 0.664
    def __len__(self): return 10**9
    def detach(self): return self
    def numpy(self): return self
def answer(shape):
    return Lie()
"""),
    ),
    Attack(
        "tensor-subclass",
        "A tensor subclass with its own __torch_function__ is judged by its numbers",
        giving("""
import torch
class Right(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        if function.__name__ in ("equal", "allclose", "eq"):
            return True
        return super().__torch_function__(function, types, args, kwargs or {})
def answer(shape):
    return torch.zeros(shape).as_subclass(Right)
"""),
    ),
    Attack(
        "str-subclass",
        "A str subclass that equals everything is text, where a number is expected",
        giving("""
class Text(str):
    __eq__ = lambda self, other: True
    __hash__ = str.__hash__
    __float__ = lambda self: 0.664
def answer(shape):
    return Text("0.664")
"""),
    ),
    Attack(
        "float-with-a-double-life",
        "A float subclass whose __float__ changes with each look is one number",
        giving("""
class Shifty(float):
    looks = 0
    def __float__(self):
        Shifty.looks += 1
        return 0.664 if Shifty.looks % 2 else 0.1
def answer(shape):
    return Shifty(0.1)
"""),
    ),
    Attack(
        "shadowed-numpy",
        "Names that shadow numpy and torch shadow them for their owner alone",
        giving("""
import types
fake = types.ModuleType("numpy")
fake.ndarray, fake.float64, fake.generic, fake.asarray = object, float, object, lambda *a, **k: a[0]
sys.modules["numpy"] = sys.modules["torch"] = fake
sys.modules["autograder.grading.checks"] = sys.modules["solutions"] = fake
def answer(shape):
    return 0.0
"""),
    ),
    Attack(
        "stashed-arguments",
        "What came in earlier and is given back later is no answer",
        giving("""
seen = []
def answer(shape):
    frame = sys._getframe(1)
    seen.extend(value for value in frame.f_locals.values() if value is not None)
    same = [value for value in seen if np.shape(value) == shape]
    return same[len(seen) % len(same) - 1] if same else seen[-1]
"""),
    ),
    Attack(
        "made-up-names",
        "A module that has an answer to every name has no more functions than it defines",
        while_right("""
del forward_step
def __getattr__(name):
    print("BREACH asked for", name)
    return lambda *arguments: 0.664
print("TRIED")
"""),
        earns="part",
    ),
    Attack(
        "array-with-a-double-life",
        "An array that lies about its shape, type and bytes while it is sent is no more than what was sent",
        giving("""
class Double(np.ndarray):
    looks = 0
    @property
    def shape(self):
        Double.looks += 1
        return (10**6, 10**6) if Double.looks % 2 else (0,)
    ndim, dtype, nbytes = 2, np.dtype("f8"), 0
    def tobytes(self, *order): return bytes(64)
def answer(shape):
    return np.zeros(3).view(Double)
"""),
    ),
    Attack(
        "remembered-answer",
        "A right answer given again to the next call earns nothing there",
        trying("""
print("TRIED")
last = []
def forward_step(x_prev, beta, eps):
    if not last or np.shape(last[0]) != np.shape(x_prev):
        last[:] = [np.sqrt(1 - beta) * x_prev + np.sqrt(beta) * eps]
    return last[0]
"""),
    ),
    Attack(
        "known-beforehand",
        "No argument that came in is the right answer to a later call",
        while_right("""
seen = []
def watched(function):
    def call(*args):
        value = function(*args)
        if any(np.shape(old) == np.shape(value) and np.allclose(old, value, rtol=1e-9, atol=1e-12) for old in seen):
            print("BREACH", function.__name__, "was answered before it was asked")
        seen.extend(args)
        return value
    return call
linear_betas, alpha_bars, forward_step = watched(linear_betas), watched(alpha_bars), watched(forward_step)
noise_to, predict_x0 = watched(noise_to), watched(predict_x0)
print("TRIED")
"""),
        earns="all",
    ),
    Attack(
        "right-numbers-as-text",
        "Right numbers written as text are not numbers",
        while_right("""
def as_text(function):
    return lambda *args: np.asarray(function(*args)).astype(str).tolist()
linear_betas, alpha_bars, forward_step = as_text(linear_betas), as_text(alpha_bars), as_text(forward_step)
noise_to, predict_x0 = as_text(noise_to), as_text(predict_x0)
print("TRIED")
"""),
    ),
    Attack(
        "arguments-bent",
        "An argument whose shape, type or flags are bent in place has been changed",
        while_right("""
right_bars, right_step, right_back = alpha_bars, forward_step, predict_x0
def alpha_bars(betas):
    bars = right_bars(betas)
    betas.shape = (1, -1)
    return bars
def forward_step(x_prev, beta, eps):
    x = right_step(x_prev, beta, eps)
    if np.ndim(x_prev):
        x_prev.dtype = np.int64
    return x
def predict_x0(x_t, t, eps, alpha_bars):
    x0 = right_back(x_t, t, eps, alpha_bars)
    eps.resize((1,), refcheck=False)
    return x0
print("TRIED")
"""),
        earns="part",
    ),
    Attack(
        "replaced-encoders",
        "Whoever replaces struct, json, pickle and MessagePack in the guest breaks its own replies",
        trying("""
import json, pickle, struct, msgspec
print("TRIED", flush=True)
struct.pack = struct.unpack = json.loads = json.dumps = pickle.loads = pickle.dumps = lambda *a, **k: b""
msgspec.msgpack.encode = msgspec.msgpack.decode = lambda *a, **k: b"\\xc0"
def forward_step(x_prev, beta, eps):
    return 0.664
"""),
    ),
    Attack(
        "asked-how-it-is-pickled",
        "No object is ever asked how it is pickled, copied or hashed, wherever it lies",
        giving("""
class Asked:
    def __reduce_ex__(self, protocol=4): print("BREACH reduced")
    __reduce__ = __getstate__ = __copy__ = __deepcopy__ = __hash__ = __sizeof__ = __reduce_ex__
def answer(shape):
    return [Asked(), {"a": Asked()}, (np.zeros(2), Asked())]
"""),
    ),
    Attack(
        "called-back-by-the-collector",
        "Callbacks of the garbage collector and of weak references see no expected value in any frame",
        while_right("""
import gc, weakref
def look(*args):
    for frame in sys._current_frames().values():
        while frame:
            for name in ("expected", "reference", "score", "transcript", "secret"):
                if name in frame.f_locals:
                    print("BREACH", name)
            frame = frame.f_back
gc.callbacks.append(look)
gc.set_threshold(1)
weakref.finalize(type("Short", (), {})(), look)
print("TRIED")
"""),
        earns="all",
    ),
    Attack(
        "another-arithmetic",
        "Rounding down and flushing small numbers to zero changes the guest's arithmetic, and nobody else's",
        while_right("""
import torch
libc.fesetround(0x400)
torch.set_flush_denormal(True)
np.seterr(all="ignore")
print("TRIED")
"""),
        earns="all",
    ),
    Attack(
        "raises-when-looked-at",
        "An exception that raises itself whenever somebody looks at it ends its own process",
        giving("""
class Shy(BaseException):
    def __getattribute__(self, name): raise self
    __str__ = __repr__ = __getattribute__
def answer(shape):
    raise Shy
"""),
    ),
    Attack(
        "a-line-for-a-number",
        "A line number that the file does not have tells nothing",
        giving("""
def answer(shape):
    exec(compile("\\n" * 123_456 + "raise ValueError", "forward.py", "exec"))
"""),
        reasons=frozenset({"raised"}),
    ),
)
