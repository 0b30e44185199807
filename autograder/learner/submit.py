"""Pack what was written into one zip that `course grade` reads as it is: the files, and a manifest that says what they are.

The manifest is the student's word: hashes tell a file that was changed on the way, and the public results what was seen at
home. Neither is believed when it is graded.
"""

from __future__ import annotations

import ast
import io
import zipfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

from autograder.course.errors import UsageError
from autograder.course.loading import package_name
from autograder.course.strict_yaml import AnswersError, read_answers
from autograder.learner.check import Checker, unreadable
from autograder.learner.progress import remember
from autograder.learner.workspace import State, Workspace, digest, exercises_of, file_of, is_untouched, names_of

EPOCH = (1980, 1, 1, 0, 0, 0)  # the same files make the same zip, but for the manifest's time


class Packed(msgspec.Struct, frozen=True):
    """One file of the submission."""

    sha256: str
    bytes: int


class Seen(msgspec.Struct, frozen=True):
    """What the public checks said of one exercise, at home."""

    score: float
    max_score: float
    passed: int
    checks: int


class Manifest(msgspec.Struct, frozen=True):
    """`manifest.json`. Paths are those within the zip."""

    lesson: str
    student: str
    made_at: str
    version: str
    files: dict[str, Packed]
    public: dict[str, Seen]
    format: int = 1


class Submitted(msgspec.Struct, frozen=True):
    """What was packed, and what the student should know before handing it in."""

    path: Path
    manifest: Manifest
    warnings: tuple[str, ...]


def submit(workspace: Workspace, state: State, checker: Checker, out: Path | None, student: str | None) -> Submitted:
    """Check what is there, pack it into `out` (by default NAME.zip in the workspace), and say what is unfinished."""
    name = student or workspace.folder.name
    target = out or workspace.folder / f"{_file_name(name)}.zip"
    if target.exists() and not zipfile.is_zipfile(target):
        raise UsageError(f"{target}: this is there already, and is no zip", "give another name: `--out my-work.zip`")
    found = {exercise: path for exercise in exercises_of(workspace.lesson) if (path := file_of(workspace, exercise))}
    if not found:
        raise UsageError(f"{workspace.folder}: there is nothing to hand in", "`course reset FILE` puts a starter back")
    sources = {path.name: path.read_bytes() for path in found.values()}
    warnings, untouched, public = [], [], {}
    for exercise in exercises_of(workspace.lesson):
        path = found.get(exercise)
        problem = _problem(path.name, sources[path.name]) if path else f"`{names_of(exercise)[0]}` is missing."
        if path and is_untouched(workspace, path):
            untouched.append(path.name)
        elif problem:
            warnings.append(problem)
        elif path:
            public[exercise] = seen = _seen(workspace, state, checker, exercise, digest(sources[path.name]))
            if seen.passed < seen.checks:
                what = "public checks pass" if exercise != "practice" else "answers are right"
                where = f"`{path.name}`" if path.name in names_of(exercise) else f"`{exercise}` in `{path.name}`"
                warnings.append(f"{where}: {seen.passed} of {seen.checks} {what}.")
    if untouched:
        warnings.append(f"as they were given, with nothing written in them or not saved: {', '.join(untouched)}.")
    manifest = _manifest(workspace, name, sources, public)
    _write(target, {f"{workspace.lesson.id}/{file}": data for file, data in sources.items()}, manifest)
    state.add("submit", target.name, sha256=digest(target.read_bytes()), warnings=len(warnings))
    return Submitted(target, manifest, tuple(warnings))


def _problem(name: str, source: bytes) -> str:
    """Say why a file earns nothing as it is; nothing where it can be judged."""
    if problem := unreadable(name, source):
        return problem
    try:
        if name.endswith(".py"):
            ast.parse(source, name)
        elif name.endswith(".ipynb"):
            msgspec.json.decode(source)
        else:
            read_answers(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        words = f"line {error.lineno}: {error.msg}" if isinstance(error, SyntaxError) else "it is cut short or is not Jupyter's JSON"
        return f"`{name}` cannot be read: {words}."
    except AnswersError as error:
        return f"`{name}` cannot be read: {error}."
    return ""


def _seen(workspace: Workspace, state: State, checker: Checker, exercise: str, sha256: str) -> Seen:
    """Take what was seen of just this file, or run the checks now."""
    known = [event.facts for event in state.events("check", exercise) if event.facts["sha256"] == sha256]
    if known:
        return msgspec.convert({name: known[-1][name] for name in Seen.__struct_fields__}, Seen)
    checked = checker.check(workspace, exercise)
    remember(state, checked)
    return Seen(checked.score, checked.max_score, checked.passed, len(checked.checks))


def _manifest(workspace: Workspace, student: str, sources: dict[str, bytes], public: dict[str, Seen]) -> Manifest:
    files = {f"{workspace.lesson.id}/{name}": Packed(digest(data), len(data)) for name, data in sources.items()}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Manifest(workspace.lesson.id, student, now, version(package_name()), files, public)


def _write(target: Path, files: dict[str, bytes], manifest: Manifest) -> None:
    """Write the zip beside its place first: what is there stays whole until the new one is."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"manifest.json": msgspec.json.format(msgspec.json.encode(manifest)), **files}.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
    beside = target.with_name(target.name + ".new")
    try:
        beside.write_bytes(data.getvalue())
        beside.replace(target)
    except OSError as error:
        raise UsageError(f"{target}: {error.strerror}", "choose a place that can be written: `--out /tmp/my-work.zip`") from None


def _file_name(student: str) -> str:
    """Give a name that every file system takes."""
    return "".join(c if c.isalnum() or c in " -_.'" else "-" for c in student).strip(" .") or "submission"
