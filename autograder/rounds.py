"""The secret of a round: the numbers that graded checks draw, the same for a resumed run and for a regrade.

It lies in OUT/private/, which only its owner may read. Results carry the round's name, never the secret.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msgspec

from autograder.errors import UsageError


class Round(msgspec.Struct, frozen=True):
    """A round's name, and the secret that keys every check's numbers."""

    name: str
    secret: bytes


def open_round(out: Path, *, seed: int | None = None, new: bool = False) -> Round:
    """Give the round of OUT: the one that is there, or a new one. A `seed` fixes the secret, for tests and demos."""
    folder = out / "private"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    path = folder / "rounds.json"
    known = _known(path)
    fixed = f"seed {seed}".encode() if seed is not None else None
    if known and not new and fixed in (None, known[-1].secret):
        return known[-1]
    earlier = next((one for one in known if one.secret == fixed), None)
    if earlier and not new:
        return earlier
    chosen = Round(f"round-{len(known) + 1}", fixed or secrets.token_bytes(32))
    _write(path, [*known, chosen])
    return chosen


def find_round(out: Path, name: str) -> Round:
    """Give the round of this name. Raise `UsageError` where its secret is lost."""
    found = next((one for one in _known(out / "private" / "rounds.json") if one.name == name), None)
    if found is None:
        raise UsageError(f"{out / 'private'}: the numbers of `{name}` are lost", "grade again with `course grade --new-round`")
    return found


def _known(path: Path) -> list[Round]:
    if not path.exists():
        return []
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Round])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise UsageError(f"{path}: damaged", "move it aside; the next run starts a new round") from None


def _write(path: Path, rounds: list[Round]) -> None:
    beside = path.with_suffix(".new")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.encode(rounds))
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
