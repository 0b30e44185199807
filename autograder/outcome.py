"""What the sandbox saw of one call, as frozen data: how it ended, with which value, or with which exception."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct


class Raised(Struct, frozen=True):
    """An exception of the student's code: its kind, its message, and the student's own lines it passed through."""

    kind: str
    message: str
    where: tuple[str, ...] = ()


class Outcome(Struct, frozen=True):
    """What the sandbox saw of one call: a value, or why there is none.

    `idle`: it was stopped by the clock on the wall alone, so it slept, or this machine was too busy for it.
    """

    kind: Literal["returned", "raised", "timed_out", "out_of_memory", "killed", "refused"]
    value: Any = None
    raised: Raised | None = None
    detail: str = ""
    changed: tuple[str, ...] = ()
    seconds: float = 0.0
    idle: bool = False
