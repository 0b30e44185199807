"""Values that try to pass for right ones, or to break whoever reads them. Each is what all five functions return."""

from .attack import HANGS, Attack, giving

# id, promise, an expression over `shape`, and what must be ready before it
VALUES = (
    ("nan", "NaN equals nothing", "float('nan')"),
    ("nan-array", "An array of NaN equals nothing", "np.full(shape, np.nan)"),
    ("infinity", "Infinity is near nothing", "float('inf')"),
    ("infinite-array", "An array of infinities is near nothing", "np.full(shape, np.inf)"),
    ("subnormal", "The smallest number is not nothing", "np.full(shape, 5e-324)"),
    ("true", "True is not the number 1", "True"),
    ("bool-array", "An array of truths is judged by its numbers", "np.ones(shape, bool)"),
    ("none", "None is no answer", "None"),
    ("ellipsis", "Ellipsis is no answer", "..."),
    ("not-implemented", "NotImplemented is no answer", "NotImplemented"),
    ("empty-array", "An array without numbers agrees with nothing", "np.zeros((0, 3, 8, 9))"),
    ("broadcastable", "A shape that would broadcast is another shape", "np.full((1, 1, 1), 0.664)"),
    ("one-element", "An array of one number is no number", "np.array([0.664])"),
    ("eight-dimensions", "Extra axes of length 1 are another shape", "np.zeros((1,) * 4 + tuple(shape))"),
    ("nine-dimensions", "More dimensions than the protocol knows are refused", "np.zeros((1,) * 9)"),
    ("ragged", "A ragged list is no array", "[[1.0], [1.0, 2.0], 3.0, None]"),
    ("words-for-numbers", "Numbers written as words are not numbers", "['0.664'] * 4"),
    ("object-array", "An array of objects does not cross", "np.full(shape, object(), dtype=object)"),
    ("text-array", "An array of text does not cross", "np.full(shape, '0.664')"),
    ("complex", "A complex number is no number here", "complex(0.664, 0)"),
    ("complex-array", "A complex array does not cross", "np.full(shape, 0.664 + 0j)"),
    ("structured-array", "A structured array does not cross", "np.zeros(shape, dtype=[('x', 'f8'), ('y', 'f8')])"),
    ("masked-array", "A masked array is judged by its numbers, mask or no mask", "np.ma.masked_all(shape)"),
    ("dates", "An array of dates does not cross", "np.zeros(shape, 'M8[s]')"),
    ("a-date", "A date is no number", "__import__('datetime').datetime(2020, 1, 1)"),
    ("long-double", "An array of long doubles is no array of numbers here", "np.zeros(shape, np.longdouble)"),
    ("huge-integer", "An integer of 400 digits does not cross", "10**400"),
    ("monstrous-integer", "An integer of a million digits does not cross", "1 << 3_000_000"),
    ("beyond-64-bits", "An integer beyond 64 bits does not cross", "2**64"),
    ("decimal", "A decimal crosses as text, and text is no number", "__import__('decimal').Decimal('0.664')"),
    ("fraction", "A fraction stays inside", "__import__('fractions').Fraction(83, 125)"),
    ("bytes", "Bytes are no array", "np.zeros(shape).tobytes()"),
    ("memoryview", "A memoryview is no array", "memoryview(np.zeros(8))"),
    ("lone-surrogate", "Text that is not Unicode does not cross", "chr(0xd800)"),
    ("set", "A set is no array", "{0.664}"),
    ("dict", "A dict is no array", "{'value': 0.664, 'passed': True, 'score': 20}"),
    ("dict-with-strange-keys", "A dict with keys of all kinds is no array", "{None: 1, 1.5: 2, (1, 2): 3, b'x': 4, float('nan'): 5}"),
    ("too-many-keys", "A dict with a hundred thousand keys does not cross", "dict.fromkeys(range(100_000))"),
    ("too-many-items", "A list with a million items does not cross", "[0.0] * 1_000_000"),
    ("text-without-end", "A text of 10 MB does not cross", "'x' * 10_000_000"),
    ("array-of-10-mb", "An array of 10 MB does not cross", "np.zeros(1_250_000)"),
    ("array-that-is-not-there", "An array of eight terabytes that takes eight bytes does not cross",
     "np.broadcast_to(np.zeros(()), (10**6, 10**6))"),
    ("lists-in-lists", "A thousand lists, each in the other, do not cross",
     "[value := [] if i == 0 else [value] for i in range(1000)][-1]"),
    ("in-itself", "A list that holds itself does not cross", "[ring := [0.0], ring.append(ring)][0]"),
    ("generator", "A generator stays inside", "(0.664 for _ in range(10))"),
    ("endless-iterator", "An iterator without end stays inside", "__import__('itertools').count()"),
    ("function", "A function stays inside", "answer"),
    ("module", "A module stays inside", "np"),
    ("exception", "An exception that is returned stays inside", "AssertionError('all checks passed')"),
    ("many-objects", "More objects than can be kept are refused", "[object() for _ in range(5000)]"),
    ("meta-tensor", "A tensor without data does not cross", "__import__('torch').empty(shape, device='meta')"),
    ("sparse-tensor", "A sparse tensor does not cross", "__import__('torch').zeros(shape).to_sparse()"),
    ("complex-tensor", "A complex tensor does not cross", "__import__('torch').zeros(shape, dtype=__import__('torch').complex64)"),
    ("learning-tensor", "A tensor that wants gradients is judged by its numbers", "__import__('torch').ones(shape, requires_grad=True)"),
    ("tensor-of-eight-bits", "A tensor of eight-bit floats is judged by its numbers, or refused",
     "__import__('torch').ones(shape).to(__import__('torch').float8_e5m2)"),
)  # fmt: skip

ATTACKS = (
    *(Attack(name, promise, giving(f"def answer(shape):\n    return {expression}")) for name, promise, expression in VALUES),
    Attack(
        "hangs-when-read",
        "An object that hangs whoever looks at it hangs its own guest",
        giving("""
class Tar:
    def __getattribute__(self, name):
        while True:
            pass
    def __del__(self):
        while True:
            pass
def answer(shape):
    return [Tar()]
"""),
        reasons=HANGS,
    ),
    Attack(
        "dies-when-read",
        "An object that ends the process when it is packed ends its own guest",
        giving("""
class Mine:
    def __getattribute__(self, name):
        os._exit(0)
def answer(shape):
    return Mine()
"""),
        reasons=frozenset({"killed", "refused", "wrong", "raised"}),
    ),
    Attack(
        "raises-strangely",
        "An exception whose name, text and repr are traps is told in plain words",
        giving("""
class Trap(Exception):
    def __str__(self): raise SystemExit(0)
    __repr__ = __str__
Trap.__name__ = Trap.__qualname__ = chr(27) + "[2J<script>PASSED</script>"
def answer(shape):
    raise Trap(Trap)
"""),
        reasons=frozenset({"raised"}),
    ),
    Attack(
        "raises-for-ever",
        "An exception with a chain of causes as long as one likes is told once",
        giving("""
def answer(shape):
    error = ValueError("x" * 10**7)
    for i in range(2000):
        error, error.__cause__ = ValueError(str(i)), error
    raise ExceptionGroup("y" * 10**6, [error])
"""),
        reasons=frozenset({"raised"}),
    ),
)
