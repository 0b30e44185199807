"""The kinds of errors, by who can fix them.

`CourseError` is for the author of the course (file, line, one fix), `UsageError` for the person at the terminal. `SandboxFault` is
ours: a guest that could not be opened, a wall that is missing. It never costs a student points. `StoreFault` is a disk that cannot
be written; what was written before is safe.
"""

import errno
import os
import traceback
from pathlib import Path

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One fault in the course: where, what, and one way to fix it. `rule` is the id of the lint rule that found it, if any."""

    path: Path
    line: int | None
    problem: str
    fix: str
    rule: str = ""

    def __str__(self) -> str:
        where = str(self.path) if self.line is None else f"{self.path}:{self.line}"
        return f"{where}: {self.problem}\n  fix: {self.fix}"


def raised_in(path: Path, error: BaseException, problem: str, fix: str = "correct this line") -> Finding:
    """Return the finding of what a Python file of the course raised, at the line of the file that it passed through last."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    is_syntax = isinstance(error, SyntaxError) and error.filename == str(path)
    line = error.lineno if isinstance(error, SyntaxError) and is_syntax else lines[-1] if lines else 1
    words = error.msg if isinstance(error, SyntaxError) else str(error)
    return Finding(path, line, f"{problem}: {type(error).__name__}{f': {words}' if words else ''}", fix)


class CourseError(Exception):
    """The course has faults; `findings` lists them all, in the order of the files."""

    def __init__(self, findings: list[Finding]):
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


class UsageError(Exception):
    """The command was asked for something impossible. `fix` says what to do instead."""

    def __init__(self, problem: str, fix: str):
        super().__init__(f"{problem}\n  fix: {fix}")
        self.problem = problem
        self.fix = fix

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.problem, self.fix)  # so that it can come from another process


class SandboxFault(Exception):
    """The sandbox itself failed, so nothing can be said about the submission."""


class WallsMissing(SandboxFault):
    """Walls that are required are missing on this machine; `missing` has the reason for each."""

    def __init__(self, missing: dict[str, str]):
        self.reasons = ", ".join(f"{wall} ({reason})" for wall, reason in missing.items())
        super().__init__(f"missing walls: {self.reasons}")
        self.missing = missing


class StoreFault(Exception):
    """A store cannot be written: the disk is full, or gone. What was written before is intact."""

    def __init__(self, path: Path, why: str):
        super().__init__(f"{path}: {why}\n  fix: free some disk space and run the command again: it continues where it stopped")
        self.why = why

    @classmethod
    def of(cls, error: OSError, path: Path) -> "StoreFault | None":
        """Return the fault behind an error of the system, at its own path or else `path`; None if the disk is not to blame."""
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO):
            return None
        return cls(Path(error.filename or path), os.strerror(error.errno).lower())
