"""Programs that nobody wrote: right functions beside wrong, broken, loud and strange ones, drawn by hypothesis.

`python -m bench.programs` draws ten thousand of them, `tests/hostile/test_random_programs.py` a few hundred.
"""

import re

from hypothesis import strategies as st

SIGNATURES = {
    "linear_betas": "T, first=1e-4, last=0.02",
    "alpha_bars": "betas",
    "forward_step": "x_prev, beta, eps",
    "noise_to": "x0, t, eps, alpha_bars",
    "predict_x0": "x_t, t, eps, alpha_bars",
}
RIGHT = {
    "linear_betas": "return np.concatenate([[0.0], np.linspace(first, last, T)])",
    "alpha_bars": "return np.cumprod(1 - betas)",
    "forward_step": "return np.sqrt(1 - beta) * x_prev + np.sqrt(beta) * eps",
    "noise_to": "a = per_sample(alpha_bars, t, x0)\n    return a ** .5 * x0 + (1 - a) ** .5 * eps",
    "predict_x0": "a = per_sample(alpha_bars, t, x_t)\n    return (x_t - (1 - a) ** .5 * eps) / a ** .5",
}
SHARED = "import numpy as np\n\n\ndef per_sample(table, t, x):\n    a = np.asarray(table)[t]\n    return a.reshape(a.shape + (1,) * (np.ndim(x) - a.ndim))\n"

ARGUMENTS = sorted({name.partition("=")[0].strip() for names in SIGNATURES.values() for name in names.split(",")})
NUMBERS = st.sampled_from(["0", "1", "-1", "0.5", "1e308", "1e-320", "float('nan')", "float('inf')", "2**63", "10**30", "True", "None", "1j"])
SHAPES = st.sampled_from(["()", "0", "1", "(3,)", "(0, 3)", "(1, 4)", "(4, 1)", "(4, 2, 5, 9)", "(1,) * 9", "(1000, 1000)", "(3_000_000,)"])
TYPES = st.sampled_from(["'f8'", "'f4'", "'f2'", "'i8'", "'u1'", "'?'", "'c16'", "'U3'", "object", "'M8[s]'"])
TEXTS = st.text(max_size=20).map(repr)
LEAVES = st.one_of(
    NUMBERS,
    TEXTS,
    st.sampled_from(ARGUMENTS),
    st.sampled_from(["[]", "{}", "()", "set()", "b'x'", "...", "object()", "iter([1])", "lambda: 1", "np", "Exception('x')", "type", "range(5)"]),
    st.builds("np.zeros({}, {})".format, SHAPES, TYPES),
    st.builds("np.ones({})".format, SHAPES),
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "@", "==", "and", "if 1 else"]), inner),
        st.builds("np.{}({})".format, st.sampled_from(["sqrt", "cumprod", "asarray", "ravel", "sum", "mean", "log", "linalg.inv", "diag"]), inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("({}, {})".format, inner, inner),
        st.builds("{{{}: {}}}".format, TEXTS, inner),
        st.builds("{}[{}]".format, inner, st.sampled_from(["0", "-1", "None", "'a'", "::2", "t"])),
        st.builds("{}.{}".format, inner, st.sampled_from(["shape", "T", "astype(int)", "tolist()", "copy()", "nothing", "sum()", "__class__"])),
        st.builds("{}({})".format, st.sampled_from([*SIGNATURES, "float", "list", "str", "len", "print", "sorted", "abs"]), inner),
    ),
    max_leaves=6,
)
ERRORS = st.sampled_from(["ValueError", "KeyError", "NotImplementedError", "SystemExit", "KeyboardInterrupt", "MemoryError", "Own", "StopIteration"])
STATEMENTS = st.one_of(
    st.builds("return {}".format, EXPRESSIONS),
    st.builds("raise {}({})".format, ERRORS, EXPRESSIONS),
    st.builds("print({})".format, EXPRESSIONS),
    st.builds("{} = {}".format, st.sampled_from([*ARGUMENTS, "kept"]), EXPRESSIONS),
    st.builds("{} += {}".format, st.sampled_from(ARGUMENTS), EXPRESSIONS),
    st.builds("{}[...] = {}".format, st.sampled_from(ARGUMENTS), EXPRESSIONS),
    st.builds("assert {}, {}".format, EXPRESSIONS, EXPRESSIONS),
    st.builds("for i in range({}): kept = {}".format, st.sampled_from(["3", "10**4"]), EXPRESSIONS),
    st.sampled_from(["yield 1", "global np; np = None", "return", "pass", "import this", "return locals()", "return globals()", "del t"]),
)
TOPLEVEL = st.one_of(
    STATEMENTS,
    st.sampled_from([
        "class Own(Exception):\n    def __str__(self): raise self",
        "from math import *",
        "from numpy import *",
        "from numpy import no_such_name",
        "from _bisect import insert",
        "import scipy, pandas, matplotlib.pyplot as plt",
        "import torch",
        "if __name__ == '__main__':\n    print(linear_betas(10))",
        "exit()",
        "%matplotlib inline",
        "x = input()",
        "np.random.seed(0)",
        "assert alpha_bars(linear_betas(10))[0] == 1",
    ]),
)  # fmt: skip


@st.composite
def bodies(draw, name):
    """Draw the body of a function: right, or anything."""
    if draw(st.integers(0, 2)) == 0:
        return RIGHT[name]
    return "\n    ".join(draw(st.lists(STATEMENTS, min_size=1, max_size=3)))


@st.composite
def programs(draw):
    """Draw the text of a forward.py."""
    parts = [SHARED] if draw(st.integers(0, 9)) else []
    for name, parameters in SIGNATURES.items():
        if draw(st.integers(0, 14)) == 0:
            continue
        given = draw(st.sampled_from([parameters] * 12 + ["", "*args", "x", "self, " + parameters]))
        parts.append(f"def {name}({given}):\n    {draw(bodies(name))}\n")
    for text in draw(st.lists(TOPLEVEL, max_size=2)):
        parts.insert(draw(st.integers(0, len(parts))), text)
    source = "\n".join(parts)
    if draw(st.integers(0, 7)) == 0:  # a typing mistake
        at = draw(st.integers(0, len(source)))
        source = source[:at] + draw(st.text(max_size=3)) + source[at + draw(st.integers(0, 3)) :]
    return source


# What no student should read: a path of the machine, a wall, a loader, a module of the grader's.
FORBIDDEN = re.compile(
    r"(?<![\w.])/(usr|home|root|tmp|proc|lib\w*|opt|work|var)/|site-packages|autograder|Landlock|seccomp|Permission denied"
    r"|Operation not permitted|cannot open shared object|\.so\b|EPERM|EACCES|sandbox|guest",
    re.IGNORECASE,
)


def forbidden(source, texts):
    """Return what these texts tell that they must not, unless the program itself says it."""
    return [found[0] for text in texts for found in FORBIDDEN.finditer(text) if found[0] not in source]
