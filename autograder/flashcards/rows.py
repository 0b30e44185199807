"""The rows of the review log, and their spare copy: the same as lines of JSON beside it, from which a damaged file is made good.

A line is written before its row is in the log, so that a killed process can leave a line too many, never one too few. A line that
cannot be read is left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal, get_args

import msgspec

EARLIEST, LATEST = 946_684_800_000, 7_258_118_400_000  # the years 2000 to 2200, in milliseconds: no review lies outside
LONGEST = 4096  # bytes of a line
Kind = Literal["review", "cram", "undo", "bring", "flag", "clock", "adopt"]


class Row(msgspec.Struct, frozen=True):
    """One row: when (`at`, milliseconds of UTC; `zone`, minutes east of it), what, to which face, and under which scheduling.

    `about` is the id of the row that an undo withdraws, or why a card was brought back.
    """

    id: str
    device: str
    number: int
    at: int
    zone: int
    kind: Kind
    card: str = ""
    rating: int = 0
    took: int = 0
    scheduling: str = ""
    about: str = ""

    @property
    def sound(self) -> bool:
        """Whether a row from elsewhere can be one that this program wrote."""
        names = self.id, self.device, self.card, self.scheduling, self.about
        return (
            EARLIEST <= self.at <= LATEST
            and abs(self.zone) <= 24 * 60
            and self.kind in get_args(Kind)
            and (self.rating in (1, 2, 3, 4) or self.kind not in ("review", "cram"))
            and 0 <= self.number < 2**53
            and 0 <= self.took < 2**53
            and all(len(name) <= 200 for name in names)
        )


class Spare:
    """The lines beside a log. Where they cannot be written, there are none."""

    def __init__(self, path: Path):
        self.path = path

    def add(self, found: Iterable[Row | tuple[str, str]]) -> None:
        """Add rows, and schedulings as pairs of id and facts: all of them or, on a full disk, none."""
        lines = b"".join(msgspec.json.encode(one) + b"\n" for one in found)
        before = self.size()
        written = 0
        with suppress(OSError), self.path.open("ab", buffering=0) as file:
            written = file.write(lines)
        if written < len(lines):
            self.cut(before)

    def size(self) -> int:
        """Say how many bytes there are."""
        with suppress(OSError):
            return self.path.stat().st_size
        return 0

    def cut(self, size: int) -> None:
        """Take away what was added since there were so many bytes: half a line would spoil the next one."""
        with suppress(OSError):
            if self.size() > size:
                os.truncate(self.path, size)

    def read(self) -> Iterator[Row | tuple[str, str]]:
        """Give what can be read."""
        with suppress(OSError), self.path.open("rb") as file:
            for line in iter(lambda: file.readline(LONGEST), b""):
                with suppress(msgspec.MsgspecError, UnicodeDecodeError):
                    found = msgspec.json.decode(line, type=Row | tuple[str, str])
                    if isinstance(found, tuple) or found.sound:
                        yield found
