"""What a transcript says in words: the call, the actual, the expected, short. It decides nothing and formats for no medium.

Words about a secret run say only what students may know of it: which function, the kind of exception, their own lines.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from autograder.course.model import Check, Reason
from autograder.course.text import clean
from autograder.grading.checks import Called, Transcript
from autograder.grading.comparison import kind_of
from autograder.grading.reference import ObjectProxy
from autograder.sandbox.outcome import Outcome

SHOWN = 4  # how many items of a short list are written out


def reason(transcript: Transcript) -> Reason:
    """Give the contract's reason of a check that failed."""
    if transcript.ended is None or transcript.first_failure:
        return "wrong"
    return transcript.ended.kind if transcript.ended.kind != "returned" else "refused"


def failure(check: Check, transcript: Transcript, function: Callable[[str], Callable[..., Any]], *, numbers: bool) -> str:
    """Say what went wrong first. With `numbers` false, nothing that the run computed or printed is told."""
    failed = transcript.first_failure
    if failed is None:
        assert transcript.ended is not None
        return _ending(check, transcript, function, numbers=numbers)
    if not numbers or failed.call < 0:
        return f"`{transcript.calls[failed.call].function if transcript.calls else check.of}` gave a wrong answer."
    return f"`{call_text(transcript.calls[failed.call], function)}` {failed.words}."


def _ending(check: Check, transcript: Transcript, function: Callable[[str], Callable[..., Any]], *, numbers: bool) -> str:
    ended, called = transcript.ended, transcript.calls[-1] if transcript.calls else None
    assert ended is not None
    subject = f"`{call_text(called, function)}`" if called and numbers else f"`{called.function if called else check.of}`"
    return f"{subject} {ending(ended, numbers=numbers)}"


def ending(outcome: Outcome, *, numbers: bool) -> str:
    """Say how a call that gave no value ended, as the rest of a sentence."""
    raised = outcome.raised
    if raised:
        said = f": {clean(raised.message, 300)}" if numbers and raised.message not in ("", "None") else ""  # exit() says None
        where = f" ({', then '.join(clean(w, 60) for w in raised.where)})" if raised.where else ""
        verb = "ran out of memory with" if outcome.kind == "out_of_memory" else "raised"
        return f"{verb} {clean(raised.kind, 60)}{where}{said}".rstrip(".") + "."
    words = {"timed_out": "was stopped", "out_of_memory": "ran out of memory", "killed": "gave no answer", "refused": "was refused"}
    return f"{words[outcome.kind]}: {clean(outcome.detail, 300)}."


def call_text(called: Called, function: Callable[[str], Callable[..., Any]]) -> str:
    """Write a call as a student would, arrays by their shapes: `noise_to(x0=array (4, 8, 9), t=100, ...)`, `Block()(array (3, 8))`."""
    if called.args and isinstance(called.args[0], ObjectProxy) and "()" in called.function:  # the object is called, not given
        return f"{called.function}({', '.join(map(_short, called.args[1:]))})"
    try:
        names = list(inspect.signature(function(called.function)).parameters)
    except (AttributeError, TypeError, ValueError):
        names = []
    names += [f"argument {i + 1}" for i in range(len(names), len(called.args))]
    given = [f"{name}={_short(value)}" for name, value in zip(names, called.args, strict=False)]
    given += [f"{name}={_short(value)}" for name, value in called.kwargs.items()]
    return f"{called.function}({', '.join(given)})"


def _short(value: Any) -> str:
    kind = kind_of(value)
    if kind in ("array", "bool array") and hasattr(value, "shape"):
        if value.ndim == 1 and len(value) <= SHOWN and kind == "array":
            return f"[{', '.join(f'{float(v):.4g}' for v in value)}]"
        return f"array {tuple(value.shape)}"
    if kind == "number":
        return f"{float(value):.4g}" if not isinstance(value, int) else str(value)
    return getattr(value, "__name__", None) or f"{value!r:.40}"
