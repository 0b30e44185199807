"""The kinds of trouble, told apart by who can mend it.

`CourseError` speaks to the author of the course (file, line, one fix), `UsageError` to the person at the terminal, and
`SandboxFault` is our own: a guest that could not be opened, a wall that would not stand. A fault is never a student's zero.
`StoreFault` is trouble beside both: a disk that takes no more. What was written before stays.
"""

from __future__ import annotations

from pathlib import Path

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One thing wrong in the course: where, what, and one way to mend it. `rule` is the lint rule's id, if one found it."""

    path: Path
    line: int | None
    problem: str
    fix: str
    rule: str = ""

    def __str__(self) -> str:
        where = str(self.path) if self.line is None else f"{self.path}:{self.line}"
        return f"{where}: {self.problem}\n  fix: {self.fix}"


class CourseError(Exception):
    """The course has faults; `findings` lists all that were seen, in the order of the files."""

    def __init__(self, findings: list[Finding]):
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


class UsageError(Exception):
    """The command was asked for something impossible. `fix` says what to do instead."""

    def __init__(self, problem: str, fix: str):
        super().__init__(f"{problem}\n  fix: {fix}")
        self.problem = problem
        self.fix = fix


class SandboxFault(Exception):
    """The sandbox itself failed. Nothing can be said about the submission, so nothing is."""


class WallsMissing(SandboxFault):
    """Walls that were asked for do not stand on this machine; `missing` gives the reason for each."""

    def __init__(self, missing: dict[str, str]):
        super().__init__("walls that do not stand: " + ", ".join(f"{wall} ({reason})" for wall, reason in missing.items()))
        self.missing = missing


class StoreFault(Exception):
    """What has to be kept cannot be written: the disk is full, or gone. What was written before is whole."""

    def __init__(self, path: Path, why: str):
        super().__init__(f"{path}: {why}\n  fix: make room and give the same command again: it goes on where it was")
        self.why = why
