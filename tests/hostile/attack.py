"""What an attack is: a submission, the promise that it must not break, and what it may honestly earn.

An attack tries the thing itself and says on its standard output how that went: `TRIED` when it has tried, `BREACH` where it
succeeded. The prelude below gives it the words for that. Names between @ signs are filled in by `arena` with the real thing: the
path of the gradebook, the port of a server that waits, the id of a process that would be a victim. So no attack fails for want of
knowing where to strike. Where a wall is down, an attack says so and does little harm: it strikes at bait.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Earns = Literal["nothing", "part", "some", "all"] | frozenset[str]


@dataclass(frozen=True)
class Attack:
    """One hostile file.

    earns: the checks it must pass, no more and no less; where time decides how many of its right answers count,
    "part" (not all) or "some" (all, perhaps)
    tries: it lives to say that it tried
    reasons: why the others may fail
    exercise: whose file it is
    """

    id: str
    promise: str
    source: str
    earns: Earns = "nothing"
    tries: bool = True
    reasons: frozenset[str] = field(default_factory=lambda: frozenset({"wrong", "raised", "refused", "killed"}))
    exercise: str = "forward"


HANGS = frozenset({"timed_out"})
STARVES = frozenset({"out_of_memory", "timed_out", "killed"})

PRELUDE = '''
import ctypes, os, sys
import numpy as np

libc = ctypes.CDLL(None, use_errno=True)
NUMBERS = @NUMBERS@
PARENT = os.getppid() or 1  # 0 is a parent outside of this process's namespace


def attempt(what, act):
    """Do it. Whatever is given back without a complaint is a breach."""
    try:
        result = act()
    except BaseException:
        return
    print("BREACH", what, repr(result)[:300], flush=True)


def call(name, *args):
    """Make a system call by its name; raise where the kernel refuses it."""
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(NUMBERS[name]), *(ctypes.c_long(a) if isinstance(a, int) else a for a in args))
    if result == -1:
        raise OSError(ctypes.get_errno(), name)
    return result
'''

RIGHT = """
import numpy as np


def linear_betas(T, first=1e-4, last=0.02):
    return np.concatenate([[0.0], np.linspace(first, last, T)])


def alpha_bars(betas):
    return np.cumprod(1 - betas)


def forward_step(x_prev, beta, eps):
    return np.sqrt(1 - beta) * x_prev + np.sqrt(beta) * eps


def _bar(alpha_bars, t, x):
    bar = np.asarray(alpha_bars[t])
    return bar.reshape(bar.shape + (1,) * (np.ndim(x) - 1)) if bar.ndim else bar


def noise_to(x0, t, eps, alpha_bars):
    bar = _bar(alpha_bars, t, x0)
    return np.sqrt(bar) * x0 + np.sqrt(1 - bar) * eps


def predict_x0(x_t, t, eps, alpha_bars):
    bar = _bar(alpha_bars, t, x_t)
    return (x_t - np.sqrt(1 - bar) * eps) / np.sqrt(bar)
"""

# The five functions, all of which give what `answer` gives.
ALL_GIVE = """

def linear_betas(T, first=1e-4, last=0.02):
    return answer((T + 1,))


def alpha_bars(betas):
    return answer(betas.shape)


def forward_step(x_prev, beta, eps):
    return answer(np.shape(x_prev))


def noise_to(x0, t, eps, alpha_bars):
    return answer(np.shape(x0))


def predict_x0(x_t, t, eps, alpha_bars):
    return answer(np.shape(x_t))
"""


def trying(source: str) -> str:
    """Complete an attack that happens while the file loads. It has no functions, so that it can earn nothing."""
    return PRELUDE + source + "\nprint('TRIED', flush=True)\n"


def giving(source: str) -> str:
    """Complete an attack that defines `answer(shape)`: all five functions give what it gives."""
    return PRELUDE + source + "\n\nprint('TRIED', flush=True)\n" + ALL_GIVE


def stepping(act: str, before: str = "") -> str:
    """Make a file with one function, `forward_step`, that does this: where each call costs a time limit, one call is enough."""
    return PRELUDE + before + f"\nprint('TRIED', flush=True)\n\n\ndef forward_step(x_prev, beta, eps):\n    {act}\n"


def while_right(source: str) -> str:
    """Let an attack follow right functions: what it does must not cost its own points, nor anyone else's."""
    return PRELUDE + RIGHT + source
