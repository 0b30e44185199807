"""Programs that nobody wrote: right functions beside wrong, broken, loud and strange ones, drawn by hypothesis.

`python -m bench.programs` draws ten thousand of them, `tests/hostile/test_random_programs.py` a few hundred.
"""

import re
from functools import cache
from typing import NamedTuple

from hypothesis import strategies as st


class Asked(NamedTuple):
    """An exercise: what stands above its functions, their parameters, and right bodies; and what else can be called in them."""

    shared: str
    signatures: dict[str, str]
    right: dict[str, str]
    callbacks: tuple[str, ...] = ()


EXERCISES = {
    "forward": Asked(
        "import numpy as np\n\n\ndef per_sample(table, t, x):\n    a = np.asarray(table)[t]\n    return a.reshape(a.shape + (1,) * (np.ndim(x) - a.ndim))\n",
        {
            "linear_betas": "T, first=1e-4, last=0.02",
            "alpha_bars": "betas",
            "forward_step": "x_prev, beta, eps",
            "noise_to": "x0, t, eps, alpha_bars",
            "predict_x0": "x_t, t, eps, alpha_bars",
        },
        {
            "linear_betas": "return np.concatenate([[0.0], np.linspace(first, last, T)])",
            "alpha_bars": "return np.cumprod(1 - betas)",
            "forward_step": "return np.sqrt(1 - beta) * x_prev + np.sqrt(beta) * eps",
            "noise_to": "a = per_sample(alpha_bars, t, x0)\n    return a ** .5 * x0 + (1 - a) ** .5 * eps",
            "predict_x0": "a = per_sample(alpha_bars, t, x_t)\n    return (x_t - (1 - a) ** .5 * eps) / a ** .5",
        },
    ),
    "guidance": Asked(
        "import numpy as np\nimport torch\n",
        {
            "guided_eps": "eps_uncond, eps_cond, w",
            "drop_condition": "tokens, null, p, u",
            "guided_sample": "eps_model, tokens, null, w, x_T, alpha_bars, steps",
        },
        {
            "guided_eps": "return eps_uncond + w * (eps_cond - eps_uncond)",
            "drop_condition": "out = tokens.clone()\n    out[u < p] = null\n    return out",
            "guided_sample": "x = x_T\n    for i in range(steps, 0, -1):\n        t, s = (len(alpha_bars) - 1) * i // steps, (len(alpha_bars) - 1) * (i - 1) // steps\n"
            "        e = guided_eps(eps_model(x, t, torch.zeros_like(tokens) + null), eps_model(x, t, tokens), w)\n"
            "        x = alpha_bars[s] ** .5 * (x - (1 - alpha_bars[t]) ** .5 * e) / alpha_bars[t] ** .5 + (1 - alpha_bars[s]) ** .5 * e\n    return x",
        },
        ("eps_model({}, {}, {})", "eps_model(x_T, {}, tokens)", "eps_model(x_T, steps, {})", "eps_model(x={}, t={}, tokens=tokens)"),
    ),
}  # fmt: skip

NUMBERS = st.sampled_from(["0", "1", "-1", "0.5", "1e308", "1e-320", "float('nan')", "float('inf')", "2**63", "10**30", "True", "None", "1j"])
SHAPES = st.sampled_from(["()", "0", "1", "(3,)", "(0, 3)", "(1, 4)", "(4, 1)", "(4, 2, 5, 9)", "(1,) * 9", "(1000, 1000)", "(3_000_000,)"])
TYPES = st.sampled_from(["'f8'", "'f4'", "'f2'", "'>i2'", "'i8'", "'u1'", "'?'", "'c16'", "'U3'", "'S2'", "object", "'M8[s]'", "'f8, i4'", "'g'"])
TENSORS = st.sampled_from([
    "bfloat16", "float16", "complex64", "float8_e5m2", "uint8", "bool", "float64, requires_grad=True", "float32, device='meta'", "int32",
])  # fmt: skip
TEXTS = st.text(max_size=20).map(repr)
LEAVES = st.one_of(
    NUMBERS,
    TEXTS,
    st.sampled_from(["[]", "{}", "()", "set()", "b'x'", "...", "object()", "iter([1])", "lambda: 1", "np", "Exception('x')", "type", "range(5)", "Odd()", "Odd"]),
    st.builds("np.zeros({}, {})".format, SHAPES, TYPES),
    st.builds("np.ones({})".format, SHAPES),
    st.builds("torch.ones({}, dtype=torch.{})".format, SHAPES, TENSORS),
)  # fmt: skip
PARTS = st.sampled_from(["shape", "T", "astype(int)", "tolist()", "copy()", "nothing", "sum()", "__class__", "setflags(write=False)"])
# Views, subclasses and forms that few think of.
FORMS = st.sampled_from([
    "np.ma.masked_less({}, 1)", "np.matrix({})", "np.broadcast_to({}, (10**6, 10**6))", "memoryview(np.asarray({}))", "np.nditer({})",
    "torch.as_tensor({}).to_sparse()", "torch.quantize_per_tensor(torch.as_tensor({}), 0.1, 0, torch.quint8)", "torch.nn.Parameter({})",
    "torch.ones(2, names=('a',)) * {}", "torch.as_tensor({}).expand(9, -1)", "torch.as_tensor({}).conj()", "torch.as_tensor({}).is_inference()",
    "np.asarray({})[::-1].T", "type('Own', (np.ndarray,), {{}})({})", "(one for one in {})", "map(float, {})", "{}.__array_interface__",
    "torch.nn.Linear(2, 2)({})", "torch.nested.nested_tensor([{}])", "np.random.default_rng({})", "np.lib.stride_tricks.as_strided({}, (9, 9))",
])  # fmt: skip


@cache
def expressions(exercise: str) -> st.SearchStrategy[str]:
    """Draw an expression over the parameters of an exercise's functions."""
    asked = EXERCISES[exercise]
    called = [*asked.signatures, "float", "list", "str", "len", "print", "sorted", "abs", "repr", "Odd"]

    def longer(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "@", "==", "and", "if 1 else"]), inner),
            st.builds("np.{}({})".format, st.sampled_from(["sqrt", "cumprod", "asarray", "ravel", "sum", "mean", "log", "linalg.inv", "diag"]), inner),
            st.builds(str.format, FORMS, inner),
            st.builds("[{}, {}]".format, inner, inner),
            st.builds("({}, {})".format, inner, inner),
            st.builds("{{{}: {}}}".format, TEXTS, inner),
            st.builds("{}[{}]".format, inner, st.sampled_from(["0", "-1", "None", "'a'", "::2", "::-1", "t"])),
            st.builds("{}.{}".format, inner, PARTS),
            st.builds("{}({})".format, st.sampled_from(called), inner),
            *(st.builds(one.format, *[inner] * one.count("{}")) for one in asked.callbacks),
        )

    return st.recursive(LEAVES | st.sampled_from(parameters(asked)), longer, max_leaves=6)


def parameters(asked: Asked) -> list[str]:
    """Name the parameters of an exercise's functions."""
    return sorted({name.partition("=")[0].strip() for names in asked.signatures.values() for name in names.split(",")})


ERRORS = st.sampled_from(["ValueError", "KeyError", "NotImplementedError", "SystemExit", "KeyboardInterrupt", "MemoryError", "Own", "StopIteration", "ExceptionGroup"])
SPECIAL = st.sampled_from(
    "__eq__ __array__ __len__ __iter__ __getitem__ __float__ __index__ __bool__ __repr__ __str__ __hash__ __del__ __getattr__ __reduce__ __call__ "
    "__dlpack__ __torch_function__ __array_ufunc__ __getattribute__ __init__ __new__ __iadd__ __rmul__ __format__ __class_getitem__ __set_name__".split()
)
TOPLEVEL = st.sampled_from([
    "class Own(Exception):\n    def __str__(self): raise self",
    "from math import *",
    "from numpy import *",
    "from numpy import no_such_name",
    "from _bisect import insert",
    "import scipy, pandas, matplotlib.pyplot as plt",
    "import torch",
    "if __name__ == '__main__':\n    print(1)",
    "exit()",
    "%matplotlib inline",
    "x = input()",
    "np.random.seed(0)",
    "torch.set_default_device('meta')",
    "np.seterr(all='raise')",
    "__builtins__ = {}",
    "import gc, sys; gc.set_threshold(1); sys.setrecursionlimit(50)",
    "import builtins; builtins.print = builtins.len = builtins.str = None",
    "import warnings; warnings.simplefilter('error')",
    "assert alpha_bars(linear_betas(10))[0] == 1",
])  # fmt: skip


@st.composite
def statements(draw, exercise):
    """Draw a statement of a function, or of the file."""
    expression, name = expressions(exercise), st.sampled_from(parameters(EXERCISES[exercise]))
    return draw(
        st.one_of(
            st.builds("return {}".format, expression),
            st.builds("raise {}({})".format, ERRORS, expression),
            st.builds("print({})".format, expression),
            st.builds("{} = {}".format, name | st.just("kept"), expression),
            st.builds("{} += {}".format, name, expression),
            st.builds("{}[...] = {}".format, name, expression),
            st.builds("assert {}, {}".format, expression, expression),
            st.builds("for i in range({}): kept = {}".format, st.sampled_from(["3", "10**4"]), expression),
            st.sampled_from(["yield 1", "global np; np = None", "return", "pass", "import this", "return locals()", "return globals()", "del t"]),
        )
    )


@st.composite
def bodies(draw, exercise, name):
    """Draw the body of a function: right, or anything."""
    if draw(st.integers(0, 2)) == 0:
        return EXERCISES[exercise].right[name]
    return "\n    ".join(draw(st.lists(statements(exercise), min_size=1, max_size=3)))


@st.composite
def classes(draw, exercise):
    """Draw a class whose special methods do what nobody expects."""
    base = draw(st.sampled_from(["object", "float", "int", "str", "list", "dict", "np.ndarray", "Exception", "torch.Tensor", "type"]))
    methods = draw(st.lists(SPECIAL, min_size=1, max_size=3, unique=True))
    return f"class Odd({base}):\n" + "\n".join(f"    def {one}(self, *args, **kwargs): {draw(statements(exercise))}" for one in methods)


@st.composite
def programs(draw, exercise):
    """Draw the text of a file for an exercise."""
    asked = EXERCISES[exercise]
    parts = [asked.shared] if draw(st.integers(0, 9)) else []
    for name, parameters in asked.signatures.items():
        if draw(st.integers(0, 14)) == 0:
            continue
        given = draw(st.sampled_from([parameters] * 12 + ["", "*args", "x", "self, " + parameters]))
        parts.append(f"def {name}({given}):\n    {draw(bodies(exercise, name))}\n")
    for text in draw(st.lists(TOPLEVEL | statements(exercise) | classes(exercise), max_size=3)):
        parts.insert(draw(st.integers(0, len(parts))), text)
    source = "\n".join(parts)
    if draw(st.integers(0, 7)) == 0:  # a typing mistake
        at = draw(st.integers(0, len(source)))
        source = source[:at] + draw(st.text(max_size=3)) + source[at + draw(st.integers(0, 3)) :]
    return source


# What no student should read: a path of the machine, a wall, a loader, a module of the grader's.
FORBIDDEN = re.compile(
    r"(?<![\w.])/(usr|home|root|tmp|proc|lib\w*|opt|work|var)/|site-packages|autograder|Landlock|seccomp|Permission denied"
    r"|Operation not permitted|cannot open shared object|\.so\b|EPERM|EACCES|sandbox|guest|ObjectProxy",
    re.IGNORECASE,
)


def forbidden(source, texts):
    """Return what these texts tell that they must not, unless the program itself says it."""
    return [found[0] for text in texts for found in FORBIDDEN.finditer(text) if found[0] not in source]
