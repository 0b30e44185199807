"""Run the public checks on a student's own files. The messages are the grader's, word for word.

The checks run behind walls if this system has them, otherwise in a plain process with a time limit. Which of the two is decided before the
first line of a student's code runs, and never again: a file that makes the sandbox fail must not get a run without walls. A `Checker`
keeps what it loaded, so the second check of a file takes milliseconds.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace
from watchfiles import watch

from autograder.course import system
from autograder.course.errors import SandboxFault, UsageError, WallsMissing
from autograder.course.files import png
from autograder.course.loading import package_name
from autograder.course.model import Check, CheckResult, Lesson, Submission
from autograder.course.policy import Limits, Policy, limits_for
from autograder.course.student_files import code_of, form_held, names_of, read_handout, read_work, split, without_outputs
from autograder.course.text import decode
from autograder.grading.attempt import PUBLIC, Materials, attempt, load_materials
from autograder.grading.checks import Transcript, executed_by, run, seed_of
from autograder.grading.marking import mark_answers, own_problems
from autograder.grading.questions import Functions, functions_of
from autograder.grading.reference import load_module
from autograder.grading.submission_run import SubmissionRun
from autograder.learner.files import Named, file_of, replaced, work_files
from autograder.learner.repro import Reach, in_terminal, line, reach
from autograder.learner.workspace import Workspace, digest, is_untouched
from autograder.sandbox.guest.frameworks import absent, installing
from autograder.sandbox.local import LocalRunner
from autograder.sandbox.preload import Launched, profile_for
from autograder.sandbox.servers import Sandbox

WITHOUT_WALLS = "Without walls, {why}: your files run in a plain process with a time limit, and can do whatever you can."
ANSWERED = "Every question has an answer that can be read. The answers are marked when they are graded."
UNTOUCHED = "`{name}` is still the starter: you have not written anything in it yet, or not saved it."


class Remark(msgspec.Struct, frozen=True):
    """What is shown beside a failed check: the student's own lines in the traceback, and how to repeat the call."""

    lines: tuple[str, ...] = ()
    command: str = ""


class Checked(msgspec.Struct, frozen=True):
    """What the public checks found in one file. `problem` says why nothing was checked, or what to know first.

    `place` is the file as it is told: from the workspace, or whole if it lies elsewhere.
    """

    exercise: str
    name: str
    sha256: str
    checks: tuple[CheckResult, ...]
    remarks: dict[str, Remark]
    stdout: str = ""
    problem: str = ""
    functions: dict[str, str] = {}
    answered: bool = False  # where practice counts, and nothing is marked here: every answer can be read
    place: str = ""

    @property
    def label(self) -> str:
        """The file, and the exercise if the file holds several."""
        place = self.place or self.name
        return place if self.name in names_of(self.exercise) else f"{self.exercise} in {place}"

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
    def right(self) -> bool:
        """Whether nothing is left to do."""
        return self.answered or (bool(self.checks) and self.passed == len(self.checks))

    @property
    def failing(self) -> tuple[str, ...]:
        """The functions that do not pass yet, in the order of the checks."""
        return tuple(dict.fromkeys(self.functions.get(check.id, check.id) for check in self.checks if check.outcome != "passed"))

    @property
    def stopper(self) -> CheckResult | None:
        """The first check, if one fault of the whole file fails them all: it does not load, or is not YAML."""
        judged = [check for check in self.checks if check.outcome != "not_judged"]
        whole = len(judged) > 1 and judged[0].failure and judged[0].failure.file
        return judged[0] if whole and all(check.failure == judged[0].failure for check in judged) else None

    @property
    def blank(self) -> bool:
        """Whether nothing of this exercise is written yet, in a file that holds others too: then one line says it."""
        judged = [check for check in self.checks if check.outcome != "not_judged"]
        return not self.problem and self.name not in names_of(self.exercise) and bool(judged) and all(map(is_unwritten, judged))

    @property
    def unwritten(self) -> tuple[str, ...]:
        """The functions that are still the starter's."""
        return tuple(dict.fromkeys(self.functions.get(check.id, check.id) for check in self.checks if is_unwritten(check)))


class Checker(contextlib.AbstractContextManager["Checker"]):
    """Checks files one after another; keeps servers and materials loaded in between.

    It takes the walls that the system has; with `walls=False` none. `tell` is told, before anything runs, that there are none.
    `ahead` prepares for the next check.
    """

    def __init__(self, policy: Policy, *, tell: Callable[[str], None], walls: bool = True, ahead: bool = False):
        self.walled = walls and system.LINUX
        self._why = "as you asked" if not walls else "as this system has none"
        self._policy, self._tell, self._ahead, self._settled = policy, tell, ahead, False
        self._sandboxes: dict[Limits, Sandbox | LocalRunner] = {}
        self._materials: dict[str, Materials] = {}
        self._functions: Functions | None = None

    def __exit__(self, *raised: object) -> None:
        for sandbox in self._sandboxes.values():
            sandbox.close()
        self._sandboxes.clear()

    def _sandbox(self, limits: Limits) -> Sandbox | LocalRunner:
        if limits not in self._sandboxes:
            self._sandboxes[limits] = Sandbox(limits) if self.walled else LocalRunner(limits, ahead=self._ahead)
        return self._sandboxes[limits]

    def _settle(self, profile: str) -> None:
        """Decide, before any student's code runs, whether there are walls, and tell if there are none."""
        if self._settled:
            return
        if self.walled:
            try:
                self._sandbox(self._policy.limits).open(profile).close()
            except WallsMissing as error:
                self.walled, self._why = False, f"as this system lacks {error.reasons}"
                self.__exit__()
        self._settled = True
        if not self.walled:
            self._tell(WITHOUT_WALLS.format(why=self._why))

    def prepare(self, servers: Mapping[str, Launched | None]) -> None:
        """Start the server of each profile in the background, or take over the one that was launched already."""
        with contextlib.suppress(SandboxFault, OSError):  # the check will meet the fault again, and report it
            for profile, launched in servers.items():
                sandbox = self._sandbox(self._policy.limits)
                sandbox.prepare(profile, launched) if isinstance(sandbox, Sandbox) else sandbox.prepare(profile)

    def load(self, workspace: Workspace, exercise: str) -> None:
        """Load what judges an exercise, unless it is loaded already."""
        if exercise != "practice" and exercise not in self._materials:
            self._materials[exercise] = load_materials(next(one for one in workspace.lesson.exercises if one.id == exercise))

    def check(self, workspace: Workspace, exercise: str, path: Path | None = None) -> Checked:
        """Run the public checks of one exercise on a file: by default the one that counts.

        Raise `UsageError` if a framework is missing that it needs.
        """
        path = path or file_of(workspace, exercise)
        if path is None:
            name = names_of(exercise)[0]
            return Checked(exercise, name, "", (), {}, problem=f"`{name}` does not exist.")
        made = self._check(workspace, exercise, path)
        place = path.relative_to(workspace.folder) if path.is_relative_to(workspace.folder) else path
        return replace(made, place=str(place))

    def _check(self, workspace: Workspace, exercise: str, path: Path) -> Checked:
        name, source = path.name, path.read_bytes()
        submission = _submission(workspace, exercise, name, source)
        if problem := unreadable(name, source):
            return Checked(exercise, name, digest(source), (), {}, problem=problem)
        untouched = UNTOUCHED.format(name=name) if is_untouched(workspace, path) else ""
        if exercise == "practice" and workspace.lesson.practice == "own":
            problems = own_problems(workspace.lesson, source)
            told = untouched or "\n".join(problems) or ANSWERED
            return Checked(exercise, name, digest(source), (), {}, problem=told, answered=not problems)
        if exercise == "practice":
            self._functions = self._functions or functions_of(workspace.root, workspace.lesson)
            answered = mark_answers(submission, workspace.lesson, self._functions)
            return Checked(exercise, name, digest(source), answered.checks, {}, problem=untouched)
        meant = next(one for one in workspace.lesson.exercises if one.id == exercise)
        own = "" if submission.name.endswith(".ipynb") else profile_for(source)  # a notebook imports what any of its exercises needs
        _demand(name, f"{profile_for(meant.checks.read_bytes(), meant.imports)} {own}")
        self.load(workspace, exercise)
        materials = self._materials[exercise]
        self._settle(profile_for(source, materials.exercise.imports))
        made = attempt(submission, materials, self._sandbox(limits_for(self._policy, workspace.lesson.id, exercise)), PUBLIC)
        failed = [check for check in made.checks if check.outcome == "failed"]
        reached = reach(workspace, exercise, path)
        remarks = {check.id: _remark(workspace, submission, materials, check, made.transcripts[check.id], reached) for check in failed}
        functions = {check.id: check.of for check in materials.checks}
        told = untouched or (_replaced(workspace, exercise, path) if any(map(is_unwritten, failed)) else "")
        return Checked(exercise, name, digest(source), made.checks, remarks, made.stdout, told, functions)

    def draw(self, workspace: Workspace, one: Named) -> tuple[Path, bool]:
        """Save the images that a student's functions draw, above the reference's if it is here; return where, and whether it is.

        Raise `UsageError` if the exercise draws none, or if the functions give no images yet.
        """
        shows, name = shows_of(workspace.lesson), one.path.name
        exercise = next((each for each in workspace.lesson.exercises if each.id == one.exercise), None)
        if exercise is None or exercise.id not in shows:
            fix = f"show one of {', '.join(shows)}" if shows else "leave --show out: no exercise of this lesson does"
            raise UsageError(f"{name} draws no images", fix)
        self.load(workspace, exercise.id)
        show, answers, source = shows[exercise.id], self._materials[exercise.id].answers, one.path.read_bytes()
        images: list[Any] = []
        drawing = Check("show", "", 0, "show", (), lambda student, reference, rng: images.append(show(student, rng)), draws=True)
        seed, submission = seed_of(PUBLIC, exercise.id, "show"), _submission(workspace, exercise.id, name, source)
        self._settle(profile_for(source, exercise.imports))
        sandbox = self._sandbox(limits_for(self._policy, workspace.lesson.id, exercise.id))
        tried = SubmissionRun(submission, (drawing,), answers, sandbox, {"show": seed}, exercise.imports)
        with tried.executed((drawing,)):
            made = tried.transcripts.get("show")
        if not images and made and made.ended and made.ended.kind == "timed_out":
            raise UsageError(f"{name} took longer to draw than a run may take here", "if its checks pass, try again when less is running")
        if not images:
            raise UsageError(f"{name} gives no images yet", f"first let the checks pass: `course check {exercise.id}`")
        if comparing := exercise.answer.is_file():
            run(drawing, executed_by(answers.function), answers, seed)
        return _save(workspace.folder / f"{exercise.id}-images.png", images), comparing


def shows_of(lesson: Lesson) -> dict[str, Callable[..., Any]]:
    """Return what draws images with a student's functions, by exercise. Raise `UsageError` if a framework is missing that it needs."""
    found: dict[str, Any] = {}
    for path in filter(Path.is_file, {one.checks.with_name("shows.py") for one in lesson.exercises}):
        _demand("--show", profile_for(path.read_bytes()))
        found = vars(load_module(path))
    return {exercise.id: found[exercise.id] for exercise in lesson.exercises if exercise.id in found}


def _submission(workspace: Workspace, exercise: str, name: str, source: bytes) -> Submission:
    plain = f"{split(name)[0]}.{form_held(name, source)}"  # in grading too, a file has the ending of what it holds
    graded = without_outputs(source) if plain.endswith(".ipynb") else source
    return Submission("", workspace.lesson.id, exercise, plain, graded, digest(source), "present")


def _demand(what: str, profile: str) -> None:
    if missing := absent(profile):
        add = f"add it: `{installing(missing, package_name())}`"
        raise UsageError(f"{what} needs {' and '.join(missing)}, which is not installed here", add)


def _save(path: Path, strips: Sequence[Any]) -> Path:
    """Save strips of grey images with values in [-1, 1] below one another, as a PNG. # each (N, 1, H, W)"""
    rows = [np.concatenate([np.pad(np.asarray(one, float)[0], 1, constant_values=1) for one in images], 1) for images in strips]
    pixels = np.kron((np.concatenate(rows).clip(-1, 1) + 1) * 127.5, np.ones((6, 6))).astype(np.uint8)
    try:
        path.write_bytes(png([row.tobytes() for row in pixels]))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "make the folder writable") from None
    return path


def _replaced(workspace: Workspace, exercise: str, path: Path) -> str:
    """Say which functions a file holds twice, the student's and below it the starter's; an empty text if there are none."""
    names = replaced(read_work(path.name, path.read_bytes()), exercise, read_handout(workspace.root, workspace.lesson))
    words = "You wrote {}, but the starter's further down replaces it: delete the starter's."
    return "\n".join(words.format(f"`{name}`") for name in names)


def is_unwritten(check: CheckResult) -> bool:
    """Whether a check failed because the function itself is still the starter's, not one that it uses, nor a framework's."""
    failure = check.failure
    return failure is not None and failure.exception == "NotImplementedError" and not failure.uses and not failure.advice


def unreadable(name: str, source: bytes) -> str:
    """Return why a file cannot be read as text; an empty text if it can."""
    if not source.strip():
        return f"`{name}` is empty: save it in your editor first."
    try:
        decode(source)
    except ValueError as error:
        return f"`{name}` is {error}."
    return ""


def _remark(workspace: Workspace, submission: Submission, materials: Materials, check: CheckResult, transcript: Transcript,
            reached: Reach) -> Remark:  # fmt: skip
    failure = check.failure
    assert failure is not None
    python = line(submission.exercise, check.id, transcript, materials.answers.function, workspace.hidden, reached)
    if submission.name.endswith(".ipynb"):
        return Remark(failure.lines, python)
    text = dict(enumerate(code_of(submission.name, submission.source or b"").split("\n"), 1))
    numbers = [(one, int(number) if (number := one.removeprefix("line ")).isdecimal() else 0) for one in failure.lines]
    own_lines = tuple(f"{one}: {text[number].strip()}" if number in text else one for one, number in numbers)
    return Remark(own_lines, in_terminal(python))


SETTLE = 30  # milliseconds to wait for the other parts of a save: an editor writes, renames, touches
LOOK = 500  # milliseconds after which the files are compared anyway: some disks report nothing, and no watch reports what came before it


def saves(workspace: Workspace, stop: Event | None = None) -> Iterator[tuple[Path, ...]]:
    """Yield the files of the workspace that were saved since this call or the last yield; end when `stop` is set."""
    known = _contents(workspace)

    def compare() -> Iterator[tuple[Path, ...]]:
        nonlocal known
        for _ in watch(
            workspace.folder, debounce=SETTLE, step=10, rust_timeout=LOOK, yield_on_timeout=True, recursive=False, stop_event=stop
        ):
            before, known = known, _contents(workspace)
            if saved := tuple(path for path, content in known.items() if content != before.get(path)):
                yield saved

    return compare()


def _contents(workspace: Workspace) -> dict[Path, bytes]:
    found = {}
    for path in work_files(workspace.folder):
        with contextlib.suppress(OSError):
            found[path] = path.read_bytes()
    return found
