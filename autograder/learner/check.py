"""Run the public checks on a student's own files, and say what the grader would say of them, word for word.

Behind walls where this system has them, in a plain process with a time limit where it has not. A `Checker` keeps what was
loaded, so that the second check of a file costs milliseconds.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
import tokenize
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from threading import Event
from typing import Self

import msgspec
from watchfiles import watch

from autograder.course.errors import SandboxFault
from autograder.course.model import CheckResult, Limits, Policy, Submission, limits_for
from autograder.grading.attempt import PUBLIC, Attempt, Materials, attempt, load_materials
from autograder.grading.checks import Transcript
from autograder.grading.marking import mark_answers
from autograder.grading.questions import Functions, functions_of
from autograder.learner.repro import as_command, line
from autograder.learner.workspace import Workspace, digest, file_of, is_untouched, names_of, names_within
from autograder.sandbox.local import LocalRunner
from autograder.sandbox.preload import Launched
from autograder.sandbox.servers import Sandbox

ADVICE = {
    "TabError": "Tabs and spaces are mixed in the indentation: let your editor turn every tab into four spaces.",
    "IndentationError": "The indentation is off: all lines of a block begin with the same number of spaces.",
    "SyntaxError": "Python cannot read this line: look for a bracket, quote or colon that is missing in it or just above.",
    "EOFError": "Nobody is there to type when it is checked: what a function needs comes in its arguments, not by input().",
    "SystemExit": "This ends the whole program: return a value instead.",
    "NameError": "A name is used that nothing has been given: look for a typing misconception, or a missing import.",
}
UNTOUCHED = "`{name}` is as it was given: nothing is written in it yet, or it is not saved."
_RAISED = re.compile(r"^`[^`]*` raised (\w+)")
_LINE = re.compile(r"line (\d+)")


class Remark(msgspec.Struct, frozen=True):
    """What is told beside a failed check: the student's own lines that a traceback passed, advice, and how to repeat the call."""

    lines: tuple[str, ...] = ()
    advice: str = ""
    command: str = ""


class Checked(msgspec.Struct, frozen=True):
    """What the public checks say of one file. `problem` says why there is nothing to judge, or what should be known first."""

    exercise: str
    name: str
    sha256: str
    checks: tuple[CheckResult, ...]
    remarks: dict[str, Remark]
    stdout: str = ""
    problem: str = ""
    functions: dict[str, str] = {}

    @property
    def label(self) -> str:
        """The file, and which exercise of it where it holds several."""
        return self.name if self.name in names_of(self.exercise) else f"{self.exercise} in {self.name}"

    @property
    def score(self) -> float:
        return sum(check.points for check in self.checks)

    @property
    def max_score(self) -> float:
        return sum(check.max_points for check in self.checks)

    @property
    def passed(self) -> int:
        return sum(check.outcome == "passed" for check in self.checks)

    @property
    def failing(self) -> tuple[str, ...]:
        """The functions that do not pass yet, in the order of the checks."""
        return tuple(dict.fromkeys(self.functions.get(check.id, check.id) for check in self.checks if check.outcome != "passed"))

    @property
    def stopper(self) -> CheckResult | None:
        """The first check, where one fault of the whole file fails them all: it does not load, or is no YAML."""
        failed = [check for check in self.checks if check.outcome != "not_judged"]
        whole = len(failed) > 1 and all(check.message == failed[0].message for check in failed)
        return failed[0] if whole and failed[0].message.startswith(f"`{self.name}` ") else None

    @property
    def blank(self) -> bool:
        """Whether nothing of this exercise is written yet in a file that holds others, too: then a line is enough."""
        judged = [check for check in self.checks if check.outcome != "not_judged"]
        return self.name not in names_of(self.exercise) and bool(judged) and all(map(is_unwritten, judged))

    @property
    def unwritten(self) -> tuple[str, ...]:
        """The functions that are still the starter's."""
        return tuple(dict.fromkeys(self.functions.get(check.id, check.id) for check in self.checks if is_unwritten(check)))


class Checker:
    """Checks files, one after the other, and keeps servers and materials warm between them.

    `walls`: True demands them, False does without, None takes what the system has. `ahead` prepares for a next check.
    """

    def __init__(self, policy: Policy, *, walls: bool | None = None, ahead: bool = False):
        self.walled = walls is not False and (walls is True or sys.platform == "linux")
        self._demanded = walls is True
        self._policy, self._ahead = policy, ahead
        self._sandboxes: dict[Limits, Sandbox | LocalRunner] = {}
        self._materials: dict[str, Materials] = {}
        self._functions: Functions | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._close()

    def _close(self) -> None:
        for sandbox in self._sandboxes.values():
            sandbox.close()
        self._sandboxes.clear()

    def _sandbox(self, limits: Limits) -> Sandbox | LocalRunner:
        if limits not in self._sandboxes:
            self._sandboxes[limits] = Sandbox(limits) if self.walled else LocalRunner(limits, ahead=self._ahead)
        return self._sandboxes[limits]

    def warm(self, *profiles: str) -> None:
        """Begin to start what the next checks need, while this process does something else."""
        with contextlib.suppress(SandboxFault, OSError):  # the check will meet it, and tell
            for profile in profiles:
                self._sandbox(self._policy.limits).prepare(profile)

    def take(self, launched: Mapping[str, Launched]) -> None:
        """Take servers that were launched before there was a sandbox, by profile."""
        with contextlib.suppress(SandboxFault, OSError):
            for profile, server in launched.items():
                if isinstance(sandbox := self._sandbox(self._policy.limits), Sandbox):
                    sandbox.prepare(profile, server)

    def load(self, workspace: Workspace, exercise: str) -> None:
        """Load what judges an exercise, unless it is loaded."""
        if exercise != "practice" and exercise not in self._materials:
            self._materials[exercise] = load_materials(next(one for one in workspace.lesson.exercises if one.id == exercise))

    def check(self, workspace: Workspace, exercise: str) -> Checked:
        """Run the public checks of one exercise on the file that is there."""
        path = file_of(workspace, exercise)
        name = path.name if path else names_of(exercise)[0]
        if path is None:
            return Checked(exercise, name, "", (), {}, problem=f"`{name}` is not there.")
        source = path.read_bytes()
        submission = Submission("", workspace.lesson.id, exercise, name, source, digest(source), "present")
        if problem := unreadable(name, source):
            return Checked(exercise, name, digest(source), (), {}, problem=problem)
        untouched = UNTOUCHED.format(name=name) if is_untouched(workspace, path) else ""
        if exercise == "practice":
            made = mark_answers(submission, workspace.lesson, self._answering(workspace))
            return Checked(exercise, name, digest(source), made.checks, {}, problem=untouched)
        self.load(workspace, exercise)
        return self._judged(workspace, submission, self._materials[exercise], untouched)

    def _judged(self, workspace: Workspace, submission: Submission, materials: Materials, untouched: str) -> Checked:
        made = self._attempt(submission, materials)
        remarks = {
            check.id: _remark(workspace, submission, materials, check, made.transcripts[check.id])
            for check in made.checks
            if check.outcome == "failed" and check.id in made.transcripts
        }
        functions = {check.id: check.of for check in materials.checks}
        name, sha256 = submission.name, submission.sha256 or ""
        return Checked(submission.exercise, name, sha256, made.checks, remarks, made.stdout, untouched, functions)

    def _attempt(self, submission: Submission, materials: Materials) -> Attempt:
        limits = limits_for(self._policy, submission.exercise)
        try:
            return attempt(submission, materials, self._sandbox(limits), PUBLIC)
        except (SandboxFault, OSError):
            if self._demanded or not self.walled:
                raise
            self._close()
            self.walled = False
            return attempt(submission, materials, self._sandbox(limits), PUBLIC)

    def _answering(self, workspace: Workspace) -> Functions:
        self._functions = self._functions or functions_of(workspace.root, workspace.lesson)
        return self._functions


def is_unwritten(check: CheckResult) -> bool:
    """Say whether a check failed because the function is still the starter's, and not one that it uses."""
    return check.reason == "raised" and "` raised NotImplementedError (" in check.message and " It uses `" not in check.message


def unreadable(name: str, source: bytes) -> str:
    """Say why a file cannot be read as text; nothing where it can."""
    if not source.strip():
        return f"`{name}` is empty: save it in your editor first."
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(source).readline)[0] if name.endswith(".py") else "utf-8"
        source.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        return f"`{name}` is not text in UTF-8: save it again with that encoding."
    return f"`{name}` holds zero bytes: it is not a text file." if b"\0" in source else ""


def _remark(workspace: Workspace, submission: Submission, materials: Materials, check: CheckResult, transcript: Transcript) -> Remark:
    raised = transcript.ended.raised if transcript.ended else None
    found = _RAISED.match(check.message)
    kind = found.group(1) if found else ""
    advice = ADVICE.get(kind, "") if kind != "NameError" or "there is no function" not in check.message else ""
    python = line(submission.exercise, check.id, transcript, materials.answers.function, workspace.hidden)
    notebook = submission.name.endswith(".ipynb")
    lines = _own_lines(submission, raised.where) if raised else ()
    return Remark(lines, advice, as_command(_in_a_cell(python, submission.exercise) if notebook else python, notebook=notebook))


def _in_a_cell(python: str, exercise: str) -> str:
    """A notebook has its functions already."""
    return python.replace(f"from {exercise} import *; ", "").replace(f"import {exercise}", "# run all cells from the top")


def _own_lines(submission: Submission, where: tuple[str, ...]) -> tuple[str, ...]:
    """Show the student's own lines that a traceback passed, with their numbers. Cells of a notebook are named alone."""
    if submission.name.endswith(".ipynb") or submission.source is None:
        return where
    text = submission.source.decode("utf-8-sig", errors="replace").splitlines()
    shown = []
    for one in where:
        number = _LINE.search(one)
        at = int(number.group(1)) if number else 0
        shown.append(f"{one}: {text[at - 1].strip()}" if 0 < at <= len(text) else one)
    return tuple(shown)


SETTLE = 30  # milliseconds in which the parts of one save come together: an editor writes, renames, touches
STEP = 10
LOOK = 500  # milliseconds after which one looks for oneself: some disks tell nothing, and nobody tells of what came before the watch


def saves(workspace: Workspace, exercises: Collection[str], stop: Event | None = None) -> Iterator[tuple[str, ...]]:
    """Yield which of these exercises were saved since this was called, each time something was; end when `stop` is set."""
    owners = {name for exercise in exercises for name in names_within(workspace.lesson, exercise)}
    return _saves(workspace, exercises, {name: _content(workspace.folder / name) for name in owners}, stop)


def _saves(
    workspace: Workspace, exercises: Collection[str], known: dict[str, bytes | None], stop: Event | None
) -> Iterator[tuple[str, ...]]:
    """Compare with what is known whenever something is told of the folder, or nothing was for a while."""
    ticks = watch(workspace.folder, debounce=SETTLE, step=STEP, rust_timeout=LOOK, yield_on_timeout=True, recursive=False, stop_event=stop)
    for _ in ticks:
        now = {name: _content(workspace.folder / name) for name in known}
        changed = {name for name in known if now[name] != known[name]}
        known = now
        saved = tuple(one for one in exercises if (path := file_of(workspace, one)) and path.name in changed)
        if saved:
            yield saved


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
